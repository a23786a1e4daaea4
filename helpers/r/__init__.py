"""`lm(formula, data)`: R's answer to a least-squares question, as typed Python values in full double precision.

R runs inside this process, through rpy2, and starts with the first call. Where R is missing, the course's own fits come
from recorded answers, and each such answer says so. In a notebook, `%load_ext helpers.r` makes `%%R` cells work.
Behind this page: `engine` asks R, `session` finds and starts it, `records` reads the recorded answers.
"""

from __future__ import annotations

import textwrap
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.r import engine, records, session
from helpers.r.session import RUnavailable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LmResult", "RError", "RUnavailable", "RWarning", "lm", "probe"]

COEFFICIENT_COLUMNS = ["Estimate", "Std. Error", "t value", "Pr(>|t|)"]
INTERVAL_COLUMNS = ["2.5 %", "97.5 %"]


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
    engine.check_arguments(formula, data, tol)
    try:
        answer = session.start_r().fit(formula, data, tol)
    except RUnavailable as problem:
        answer = records.recorded_answer(formula, data, tol, problem)
    if "refusal" in answer:
        raise RError(answer["refusal"])
    for text in answer.pop("warnings"):
        warnings.warn(f"R's lm() on {formula!r} warns: {text}", RWarning, stacklevel=2)
    return build_result(**answer)


def probe() -> str:
    """Start R if need be and return its version, such as "R version 4.2.2 Patched (2022-11-10 r83330)".

    Raises RUnavailable, with the reason and the fix, if that is impossible; RuntimeError outside the main thread.
    """
    return session.start_r().version


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


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext helpers.r`: make `%%R` cells work, or say what is missing where there is no R."""
    try:
        r = session.start_r()
    except RUnavailable as problem:
        reason = str(problem)

        def explain(line: str, cell: str | None = None) -> None:
            """Say why this R cell has no output."""
            print(textwrap.fill(f"This cell is written in R and was not run. {reason}", width=100))

        ipython.register_magic_function(explain, magic_kind="line_cell", magic_name="R")
        return
    r.draw_without_a_screen()
    ipython.extension_manager.load_extension("rpy2.ipython")
