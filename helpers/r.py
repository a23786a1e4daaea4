"""`lm(formula, data)`: R's answer to a least-squares question, as typed Python values in full double precision.

R runs inside this process, through rpy2, and starts with the first call. Where R is missing, the course's own fits come
from `recorded_r.json`, and each such answer says so. Taught in chapter 01.

In a notebook, `%load_ext helpers.r` makes `%%R` cells work. In a shell, `python -m helpers.r` prints the version of R
that would answer, and `python -m helpers.r record` writes the recorded answers anew.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import math
import os
import re
import shutil
import signal
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

RECORDED_FILE = Path(__file__).with_name("recorded_r.json")
COEFFICIENT_COLUMNS = ["Estimate", "Std. Error", "t value", "Pr(>|t|)"]
INTERVAL_COLUMNS = ["2.5 %", "97.5 %"]
INSTALL = (
    "Run `make lab` in the course's folder: it finds or installs R and an rpy2 that fits it. With conda, "
    "`conda env create -f environment.yml` brings both. Then restart the kernel."
)


class RUnavailable(RuntimeError):
    """R cannot be reached from this Python. The message says why and what to do."""


class RError(ValueError):
    """R refused the formula or the data. The message holds R's own words."""


class RWarning(UserWarning):
    """R's `lm` gave an answer, and a warning with it."""


@dataclass(frozen=True, repr=False, eq=False)
class LmResult:
    """What R's `summary(lm(...))` knows about a fit of p coefficients to n rows, as float64.

    coefficients: p rows named and ordered by R, columns "Estimate", "Std. Error", "t value", "Pr(>|t|)".
        A coefficient that the data cannot determine (R's NA) is a row of NaN.
    residuals, fitted: one value for each row used, in the response's unit; their index is the data's own.
        Rows with a missing value in a column of the formula are left out, as in R.
    sigma: residual standard error, in the response's unit; NaN when df_residual is 0.
    df_residual: degrees of freedom left, n minus the number of coefficients determined.
    r_squared, adj_r_squared: share of the variance explained; without an intercept, R measures it about 0.
    mse: residual sum of squares divided by n, in the square of the response's unit.
    conf_int: 95 % confidence intervals, p rows, columns "2.5 %" and "97.5 %".
    r_version: the R that answered, or "recorded, ..." with the version and date of a recorded answer.
    """

    coefficients: pd.DataFrame
    residuals: pd.Series
    fitted: pd.Series
    sigma: float
    df_residual: int
    r_squared: float
    adj_r_squared: float
    mse: float
    conf_int: pd.DataFrame
    r_version: str

    @property
    def intercept(self) -> float:
        """The estimate of "(Intercept)". Raises ValueError if the formula has none."""
        if "(Intercept)" not in self.coefficients.index:
            raise ValueError(f"this fit has no intercept; its coefficients are {self.terms()}")
        return float(self.coefficients.at["(Intercept)", "Estimate"])

    @property
    def slope(self) -> float:
        """The coefficient of the one predictor. Raises ValueError if there is not exactly one."""
        predictors = [term for term in self.coefficients.index if term != "(Intercept)"]
        if len(predictors) != 1:
            raise ValueError(
                f"a slope needs exactly one coefficient beside the intercept; this fit has {self.terms()}. "
                'Ask for one by name: fit.coefficients.at[term, "Estimate"]'
            )
        return float(self.coefficients.at[predictors[0], "Estimate"])

    def terms(self) -> str:
        """The names of the coefficients, in R's order, for messages."""
        return ", ".join(repr(term) for term in self.coefficients.index) or "none"

    def __repr__(self) -> str:
        table = self.coefficients.to_string(float_format=lambda value: f"{value:.6g}")
        lines = [table] if len(self.coefficients) else ["no coefficients"]
        points = f"{len(self.residuals)} points" if len(self.residuals) > 1 else "1 point"
        lines.append(f"MSE {self.mse:.6g} on {points}, degrees of freedom left: {self.df_residual}")
        if self.r_version.startswith("recorded"):
            lines.append(self.r_version)
        return "\n".join(lines)


def lm(formula: str, data: pd.DataFrame, *, tol: float | None = None) -> LmResult:
    """Fit a linear model by least squares with R's `stats::lm`.

    formula: any R formula with one response, such as "c ~ u", "c ~ 0 + u", "c ~ poly(u, 2)" or "c ~ u * place".
        R evaluates the calls inside it. Its names are the data's columns and R's own functions, nothing else.
    data: one row for each observation. Columns of floats, integers, booleans, strings (factors to R) or categories,
        with str names. Rows with a missing value in a column of the formula are left out.
    tol: the tolerance of R's QR decomposition below which a column counts as a combination of those before it;
        R's own, 1e-7, when None.

    Returns an LmResult. A warning of lm's becomes an RWarning.
    Raises TypeError or ValueError if an argument is no formula text, no DataFrame, or has columns R cannot take;
    RError, with R's own words, if R refuses; RuntimeError if called outside the main thread, where R cannot run;
    RUnavailable if there is no R and this fit is not among the recorded ones.
    Source: R's `lm`, `summary.lm` and `confint`. Taught in chapter 01.
    """
    check_arguments(formula, data, tol)
    check_thread()
    try:
        engine = start_r()
    except RUnavailable as problem:
        return recorded_answer(formula, data, tol, problem)
    return engine.fit(formula, data, tol)


def probe() -> str:
    """Start R if need be and return its version, such as "R version 4.2.2 Patched (2022-11-10 r83330)".

    Raises RUnavailable, with the reason and the fix, if that is impossible; RuntimeError outside the main thread.
    """
    check_thread()
    return start_r().version


# --- the arguments -------------------------------------------------------------------------------------------------


def check_thread() -> None:
    """Raise RuntimeError outside the main thread: R in another thread ends the whole process."""
    here = threading.current_thread()
    if here is not threading.main_thread():
        raise RuntimeError(
            f"R runs in the main thread only, and this call came from the thread {here.name!r}. "
            "Call lm() in a notebook cell or in the program itself, and hand its result to the thread."
        )


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


# --- R, through rpy2 -----------------------------------------------------------------------------------------------

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

    def fit(self, formula: str, data: pd.DataFrame, tol: float | None) -> LmResult:
        """Fit in R, and turn its answer into an LmResult, an RError or an RWarning."""
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
            raise RError(refusal(kind, str(answer["message"][0]), formula, data, heard))
        for text in heard:
            warnings.warn(f"R's lm() on {formula!r} warns: {text}", RWarning, stacklevel=3)
        sigma, df_residual, r_squared, adj_r_squared, mse = (float(number) for number in answer["numbers"])
        return build_result(
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


def build_result(
    *,
    terms: list[str],
    table: list[float | None],
    interval: list[float | None],
    residuals: list[float],
    fitted: list[float],
    index: pd.Index,
    **numbers: Any,
) -> LmResult:
    """An LmResult from flat lists of floats; `table` and `interval` run down their columns, as in R. None is NaN."""
    import numpy as np
    import pandas as pd

    def frame(values: list[float | None], columns: list[str]) -> pd.DataFrame:
        shaped = np.array(values, dtype="float64").reshape((len(terms), len(columns)), order="F")
        return pd.DataFrame(shaped, index=pd.Index(terms, dtype="str"), columns=columns)

    return LmResult(
        coefficients=frame(table, COEFFICIENT_COLUMNS),
        conf_int=frame(interval, INTERVAL_COLUMNS),
        residuals=pd.Series(residuals, index=index, dtype="float64", name="residuals"),
        fitted=pd.Series(fitted, index=index, dtype="float64", name="fitted"),
        **numbers,
    )


def refusal(kind: str, words: str, formula: str, data: pd.DataFrame, heard: list[str]) -> str:
    """The message of an RError: R's words, and what to look at."""
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


@functools.cache
def start_r() -> Engine:
    """Start R in this process, once. Raises RUnavailable with the reason and the fix; a later call tries again."""
    look_for_r()
    loaded = set(sys.modules)
    if not importlib.util.find_spec("_rinterface_cffi_api"):
        os.environ.setdefault("RPY2_CFFI_MODE", "ABI")
    os.environ.setdefault("LANGUAGE", "en")  # R's messages and printouts in the language of the course
    try:
        with interrupt_later(), quiet_start(), same_search_paths():
            load_rpy2()
            return Engine()
    except Exception as problem:
        for name in set(sys.modules) - loaded:
            if name.split(".")[0] in ("rpy2", "_rinterface_cffi_abi", "_rinterface_cffi_api"):
                del sys.modules[name]
        raise RUnavailable(why_not_started(problem)) from problem


def load_rpy2() -> None:
    """Import rpy2, which starts R. R ignores the user's .Rprofile and any saved workspace in the current folder."""
    from rpy2.rinterface_lib import embedded

    if not embedded.isinitialized():
        embedded.set_initoptions(("rpy2", "--quiet", "--no-save", "--no-restore", "--no-init-file"))
    import rpy2.robjects  # noqa: F401


@contextlib.contextmanager
def interrupt_later() -> Iterator[None]:
    """Let an interrupt (Ctrl-C, the stop button) wait for the end of the block: half a start of R cannot be mended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[tuple] = []
    usual = signal.signal(signal.SIGINT, lambda *details: pending.append(details))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual or signal.SIG_DFL)
        if pending and callable(usual):
            usual(*pending[0])


@contextlib.contextmanager
def same_search_paths() -> Iterator[None]:
    """Undo what R's start does to the paths of shared libraries in the environment.

    R has its libraries by then. Programs that this process starts later, such as another Python, would load the
    system's libraries instead of their own, and fail.
    """
    names = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keep off the screen what rpy2 logs about its search for R, and what R says of locales before rpy2 listens to it.

    Both write past sys.stdout, so the file descriptors 1 and 2 lead nowhere within the block. If the start fails, its
    exception has the reason.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    saved = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    logger = logging.getLogger("rpy2")
    handler, propagate = logging.NullHandler(), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        for descriptor, _ in saved:
            os.dup2(nowhere, descriptor)
        yield
    finally:
        for descriptor, copy in saved:
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(nowhere)
        logger.propagate = propagate
        logger.removeHandler(handler)


def look_for_r() -> None:
    """Raise RUnavailable if R cannot be there. A wrong R_HOME is found here: R itself would end the process over it."""
    if os.environ.get("COURSE_WITHOUT_R") == "1":
        raise RUnavailable(
            "R is switched off here: the environment variable COURSE_WITHOUT_R is 1. Unset it and restart the kernel."
        )
    if not (importlib.util.find_spec("rpy2") and importlib.util.find_spec("rpy2.robjects")):
        raise RUnavailable(f"rpy2, which connects Python to R, is not installed in this Python. {INSTALL}")
    home = os.environ.get("R_HOME")
    if home:
        programs = ("bin/R", "bin/R.exe", "bin/x64/R.exe")
        if not any((Path(home) / program).is_file() for program in programs):
            raise RUnavailable(
                f"R_HOME is set to {home!r}, and there is no R in that folder. Unset R_HOME, or set it to what "
                "`R RHOME` prints in a terminal, and restart the kernel."
            )
    elif os.name != "nt" and not shutil.which("R"):
        raise RUnavailable(f"R is not installed, or not on the PATH. {INSTALL}")


def why_not_started(problem: Exception) -> str:
    """The message for an rpy2 that is there and fails to load R."""
    words = " ".join(str(problem).split())
    if "symbol" in words.lower():
        return (
            f"rpy2 does not fit this R: rpy2-rinterface {package_version('rpy2-rinterface')} asks for something that "
            f"this R does not have ({words}). rpy2-rinterface 3.6.6 and later need R 4.5 or later; 3.6.5 also fits "
            f"R 4.2 to 4.4. {INSTALL}"
        )
    return f"rpy2 is installed but could not start R ({type(problem).__name__}: {words}). {INSTALL}"


def package_version(name: str) -> str:
    """The installed version of a Python package, or "of unknown version"."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


# --- without R -----------------------------------------------------------------------------------------------------


def all_readings() -> pd.DataFrame:
    """The eleven readings."""
    from helpers.data import thermometers

    return thermometers()


def readings_with_another_zero() -> pd.DataFrame:
    """The readings of a thermometer whose zero lies 1000 units lower (chapter 01)."""
    df = all_readings()
    return df.assign(u=df["u"] + 1000)


def readings_without(*rows: int) -> Callable[[], pd.DataFrame]:
    """A function that makes the frame of the readings without these rows, as a training split has them."""
    return lambda: all_readings().drop(index=list(rows))


def geyser() -> pd.DataFrame:
    """The eruptions of Old Faithful (chapter 12)."""
    from helpers.data import faithful

    return faithful()


def stopping_cars() -> pd.DataFrame:
    """The speeds and stopping distances of fifty cars (chapter 12)."""
    from helpers.data import cars

    return cars()


def readings_with_the_first_twice() -> pd.DataFrame:
    """The readings as two processes get them that pad their shares (chapter 14)."""
    return all_readings().iloc[[*range(11), 0]]


class RecordedFit(NamedTuple):
    """A call to lm() whose answer is kept: its formula, a function that makes its frame, and its tolerance."""

    formula: str
    make_frame: Callable[[], pd.DataFrame]
    tol: float | None = None


# The course's own fits, for readers without R. Chapters add theirs here, or to certified_fits(), and run
# `python -m helpers.r record`.
RECORDED_FITS = [
    RecordedFit("c ~ u", all_readings),
    RecordedFit("c ~ 0 + u", all_readings),
    RecordedFit("c ~ 1", all_readings),
    RecordedFit("c ~ u + I(u^2)", all_readings),
    RecordedFit("c ~ poly(u, 2, raw = TRUE)", all_readings),
    RecordedFit("c ~ poly(u, 5)", all_readings),
    RecordedFit("c ~ u", readings_with_another_zero),
    RecordedFit("c ~ u", readings_without(6, 7)),
    RecordedFit("c ~ u", readings_without(4, 9)),
    RecordedFit("eruptions ~ waiting", geyser),
    RecordedFit("dist ~ speed", stopping_cars),
    RecordedFit("dist ~ speed + I(speed^2)", stopping_cars),
    RecordedFit("c ~ u", readings_with_the_first_twice),
]


def certified_fits() -> list[RecordedFit]:
    """NIST's problems, each with its own model, and Filip once more with a tolerance that keeps x^10 (chapter 13)."""
    from helpers.certified import NAMES, problem

    problems = [problem(name) for name in NAMES]
    fits = [RecordedFit(one.formula, one.frame) for one in problems]
    return [*fits, *(RecordedFit(one.formula, one.frame, 1e-12) for one in problems if one.name == "Filip")]


def without_spaces(formula: str) -> str:
    """The formula without the spaces that mean nothing to R: those outside quotes and backticks."""
    return re.sub(r"""(`[^`]*`|"[^"]*"|'[^']*')|\s+""", lambda match: match[1] or "", formula)


def key_and_order(formula: str, data: pd.DataFrame, tol: float | None = None) -> tuple[str, list[int]]:
    """The name of a fit among the recorded ones, and the order of rows in which it is kept.

    The name tells the formula, the tolerance if it is not R's own and, as a hash, each value of the columns it uses, to
    the last bit. Neither the order of the rows nor their index counts.
    """
    used = columns_used(formula, data)

    def exact(value: object) -> str:
        return float(value).hex() if isinstance(value, (int, float)) else repr(value)

    rows = [tuple(exact(value) for value in row) for row in zip(*(data[name].tolist() for name in used), strict=True)]
    order = sorted(range(len(rows)), key=rows.__getitem__)
    contents = json.dumps([used, [rows[i] for i in order]])
    tolerance = "" if tol is None else f" with tol={float(tol)!r}"
    return f"{without_spaces(formula)} on {hashlib.sha256(contents.encode()).hexdigest()[:16]}{tolerance}", order


def recorded_answer(formula: str, data: pd.DataFrame, tol: float | None, problem: RUnavailable) -> LmResult:
    """The recorded answer to this call, announced in one printed line; raises RUnavailable if there is none."""
    records = json.loads(RECORDED_FILE.read_text(encoding="utf-8"))
    key, order = key_and_order(formula, data, tol)
    fit = records["fits"].get(key)
    if fit is None:
        raise RUnavailable(
            f"{problem} Without R, lm() knows only the course's own fits, and {formula!r} on these data is not one of "
            "them."
        ) from problem.__cause__
    origin = f"recorded, {records['r']}, {records['date']}"
    print(f"R is not available here: this is its recorded answer to {formula!r} ({records['r']}, {records['date']}).")
    place = sorted(range(len(order)), key=order.__getitem__)
    by_row = {name: [fit[name][i] for i in place] for name in ("residuals", "fitted")}
    return build_result(**{**fit, **by_row}, index=data.index, r_version=origin)


def without_nan(frame: pd.DataFrame) -> list[float | None]:
    """The frame's values, column after column, with None where a coefficient is NaN: JSON has no NaN."""
    return [None if math.isnan(value) else value for value in frame.to_numpy().ravel(order="F").tolist()]


def make_records(today: str) -> dict[str, Any]:
    """Fit all that is recorded, with R; `today` is written beside them, as year-month-day."""
    fits = {}
    for formula, make_frame, tol in [*RECORDED_FITS, *certified_fits()]:
        data = make_frame()
        key, order = key_and_order(formula, data, tol)
        fit = lm(formula, data.iloc[order], tol=tol)
        fits[key] = {
            "terms": list(fit.coefficients.index),
            "table": without_nan(fit.coefficients),
            "interval": without_nan(fit.conf_int),
            "residuals": fit.residuals.tolist(),
            "fitted": fit.fitted.tolist(),
            **{name: getattr(fit, name) for name in ("sigma", "df_residual", "r_squared", "adj_r_squared", "mse")},
        }
    version = re.sub(r"^R version (\S+).*", r"R \1", probe())
    return {"date": today, "r": version, "fits": fits}


def main(arguments: list[str]) -> int:
    """`python -m helpers.r` names the R that would answer; with `record`, it writes the recorded answers anew."""
    try:
        if arguments == ["record"]:
            records = make_records(datetime.date.today().isoformat())
            before = json.loads(RECORDED_FILE.read_text(encoding="utf-8")) if RECORDED_FILE.exists() else {}
            if {**before, "date": records["date"]} == records:
                records = before  # the same numbers from the same R keep their date
            text = json.dumps(records, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
            RECORDED_FILE.write_text(text, encoding="utf-8")
            print(f"{len(records['fits'])} fits of {records['r']} written to {RECORDED_FILE.name}")
        elif not arguments:
            print(probe())
        else:
            print("usage: python -m helpers.r [record]", file=sys.stderr)
            return 2
    except RUnavailable as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


# --- in a notebook -------------------------------------------------------------------------------------------------


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext helpers.r`: make `%%R` cells work, or say what is missing where there is no R."""
    check_thread()
    try:
        engine = start_r()
    except RUnavailable as problem:
        reason = str(problem)

        def explain(line: str, cell: str | None = None) -> None:
            """Say why this R cell has no output."""
            print(textwrap.fill(f"This cell is written in R and was not run. {reason}", width=100))

        ipython.register_magic_function(explain, magic_kind="line_cell", magic_name="R")
        return
    engine.draw_without_a_screen()
    ipython.extension_manager.load_extension("rpy2.ipython")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
