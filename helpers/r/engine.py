"""What R is asked and how it answers: the data in R's few types, the code that fits, the reply as plain Python."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def check_arguments(formula: object, data: object, tol: object) -> None:
    """Raise TypeError or ValueError, naming the value, for what can be seen to be wrong without R."""
    import pandas as pd

    if not isinstance(formula, str):
        raise TypeError(f'the formula is text, such as "c ~ u"; got {type(formula).__name__} {formula!r:.60}')
    if "\0" in formula:
        raise ValueError(f"the formula {formula!r} holds a null character, where R would stop reading")
    if not isinstance(data, pd.DataFrame):
        raise TypeError(f"data is a pandas DataFrame with one row for each observation; got {type(data).__name__}")
    for name in data.columns:
        if not isinstance(name, str) or not name:
            raise TypeError(
                f"a formula can only name columns whose names are text; got the column {name!r}. "
                "Rename it: data.rename(columns={" + f"{name!r}: 'a_name'" + "})"
            )
    if not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()][0]
        raise ValueError(f"two columns are named {twice!r}, and the formula cannot tell them apart")
    if tol is not None:
        if isinstance(tol, bool) or not isinstance(tol, (int, float)):
            raise TypeError(f"tol is a number, or None for R's own; got {type(tol).__name__} {tol!r:.60}")
        if not (math.isfinite(tol) and tol > 0):
            raise ValueError(f"tol is a small positive number, such as 1e-12; got {tol}")


NAME = re.compile(r"`((?:[^`\\]|\\.)+)`|((?:[^\W\d_]|\.)[\w.]*)")


def columns_used(formula: str, data: pd.DataFrame) -> list[str]:
    """The columns whose names occur in the formula, in the data's order; all of them if it holds a lone dot."""
    names = {quoted or plain for quoted, plain in NAME.findall(formula)}
    return [name for name in data.columns if name in names or "." in names]


def plain_column(name: str, column: pd.Series) -> pd.Series:
    """The column in one of the few types that R has: float64, int32, boolean, string or a category of strings.

    Integers beyond 32 bits become floats. Raises TypeError for anything else, naming the column.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.rename_categories([str(category) for category in column.cat.categories])
    complete = not column.isna().any()
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "string":
        return column.astype("string")
    if kind == "boolean":
        return column.astype(bool if complete else "boolean")
    if kind == "integer" and complete and column.abs().max() < 2**31:
        return column.astype("int32")
    if kind in ("integer", "floating", "mixed-integer-float", "integer-na", "empty"):
        return pd.to_numeric(column).astype("float64")
    raise TypeError(
        f"column {name!r} holds {kind} values, which lm() does not pass to R; it takes floats, integers, booleans, "
        "strings and categories"
    )


# Everything happens inside one R function that answers with a list and never with an R error: rpy2 would print those.
# The formula is parsed, not evaluated, until it is known to be one. Its environment sees the packages R starts with,
# and nothing that %%R cells have left in R's workspace: the answer depends on formula and data alone.
R_CODE = r"""
local({
  fit <- function(text, data, tol) {
    expression <- tryCatch(parse(text = text, keep.source = FALSE), error = function(e) conditionMessage(e))
    if (is.character(expression))
      return(list(kind = "not a formula", message = expression))
    if (length(expression) != 1L || !is.call(expression[[1L]]) || !identical(expression[[1L]][[1L]], as.name("~")))
      return(list(kind = "not a formula", message = ""))
    formula <- as.formula(expression[[1L]], env = new.env(parent = parent.env(globalenv())))
    if (length(formula) != 3L)
      return(list(kind = "no response", message = ""))
    row.names(data) <- NULL
    fit <- lm(formula, data = data, tol = tol, na.action = na.omit)
    response <- fit$model[[1L]]
    if (is.matrix(response) && ncol(response) > 1L)
      stop("the response has more than one column", call. = FALSE)
    if (!is.numeric(response) && !is.logical(response))
      stop("the response is not numeric", call. = FALSE)
    suppressWarnings({
      about <- summary(fit)
      estimates <- coef(fit)
      table <- matrix(NA_real_, length(estimates), 4L)
      table[!about$aliased, ] <- about$coefficients
      interval <- if (length(estimates)) confint(fit) else matrix(NA_real_, 0L, 2L)
    })
    residuals <- as.vector(residuals(fit))
    list(kind = "fit", terms = as.character(names(estimates)), table = as.vector(table), interval = as.vector(interval),
         residuals = residuals, fitted = as.vector(fitted(fit)), rows = as.integer(names(fitted(fit))),
         numbers = as.numeric(c(about$sigma, fit$df.residual, about$r.squared, about$adj.r.squared,
                                sum(residuals^2) / length(residuals))))
  }
  function(text, data, tol) {
    heard <- character()
    listen <- function(w) {
      heard <<- c(heard, conditionMessage(w))
      invokeRestart("muffleWarning")
    }
    answer <- tryCatch(withCallingHandlers(fit(text, data, tol), warning = listen),
                       error = function(e) list(kind = "error", message = conditionMessage(e)))
    c(answer, list(warnings = heard))
  }
})
"""


class Engine:
    """R, started; one for each process."""

    def __init__(self) -> None:
        import rpy2.rinterface as rinterface
        from rpy2.rinterface_lib import callbacks
        from rpy2.robjects import default_converter, pandas2ri

        self.float_vector = rinterface.FloatSexpVector
        self.string_vector = rinterface.StrSexpVector
        self.evaluate = rinterface.evalr
        self.callbacks = callbacks
        self.converter = default_converter + pandas2ri.converter
        with self.silence():
            self.fit_in_r = self.evaluate(R_CODE)
            self.version = str(self.evaluate("R.version.string")[0])
            self.default_tol = float(self.evaluate("formals(lm.fit)$tol")[0])

    @contextlib.contextmanager
    def silence(self) -> Iterator[None]:
        """Discard what R writes to its console within the block, and nothing after it."""
        with contextlib.ExitStack() as stack:
            for name in ("consolewrite_print", "consolewrite_warnerror", "showmessage"):
                stack.enter_context(self.callbacks.replace_in_module(self.callbacks, name, lambda text: None))
            yield

    def draw_without_a_screen(self) -> None:
        """Let R draw its pictures with cairo where it would ask for an X11 screen (Linux)."""
        with self.silence():
            self.evaluate(
                'if (Sys.info()[["sysname"]] == "Linux" && capabilities("cairo")) options(bitmapType = "cairo")'
            )

    def fit(self, formula: str, data: pd.DataFrame, tol: float | None) -> dict[str, Any]:
        """Fit in R. Returns what helpers.r.build_result takes and R's "warnings", or why R refuses, as "refusal"."""
        import pandas as pd

        index = data.index
        columns = {name: plain_column(name, data[name]) for name in columns_used(formula, data)}
        frame = pd.DataFrame(columns, index=index).reset_index(drop=True)
        with self.silence(), self.converter.context() as context:
            in_r = context.py2rpy(frame)
            tolerance = self.float_vector([self.default_tol if tol is None else float(tol)])
            reply = self.fit_in_r(self.string_vector([formula]), in_r, tolerance)
        answer = dict(zip(reply.names, reply, strict=True))
        heard = [str(text) for text in answer["warnings"]]
        kind = answer["kind"][0]
        if kind != "fit":
            return {"refusal": refusal(kind, str(answer["message"][0]), formula, data, heard)}
        sigma, df_residual, r_squared, adj_r_squared, mse = (float(number) for number in answer["numbers"])
        return dict(
            warnings=heard,
            terms=[str(term) for term in answer["terms"]],
            table=list(answer["table"]),
            interval=list(answer["interval"]),
            residuals=list(answer["residuals"]),
            fitted=list(answer["fitted"]),
            index=index.take([row - 1 for row in answer["rows"]]),
            sigma=sigma,
            df_residual=int(df_residual),
            r_squared=r_squared,
            adj_r_squared=adj_r_squared,
            mse=mse,
            r_version=self.version,
        )


def refusal(kind: str, words: str, formula: str, data: pd.DataFrame, heard: list[str]) -> str:
    """What an RError says: R's words, and what to look at."""
    if kind == "not a formula":
        reason = f". R: {words}" if words else ""
        return f'not a formula: {formula!r}. Write a response, a tilde and the predictors, such as "c ~ u"{reason}'
    if kind == "no response":
        return f'{formula!r} has no response: write one on the left of the tilde, such as "c ~ u"'
    message = f"R's lm() refuses {formula!r}: {words}"
    if heard:
        message += f" (after the warning: {'; '.join(heard)})"
    if "not found" in words:
        names = ", ".join(repr(name) for name in data.columns)
        message += f". The data's columns are {names}" if names else ". The data have no columns"
    if "0 (non-NA) cases" in words:
        message += ". The data have no rows" if data.empty else ". No row has a value in every column of the formula"
    return message
