"""`lm(formula, data)` and `glm(formula, data, family)`: R's answers, as typed Python values in full double precision.

A referee that nobody can bribe: R answers in a process of its own, which starts with the first call and which no R
cell, start-up file, option or locale reaches; numbers and text arrive there as they are, or are refused by name. Where
R is missing, the course's own fits come from recorded answers, and each such answer says so.

In a notebook, `%load_ext helpers.r` makes `%%R` cells work. Behind this page: `engine` puts the question, `session`
finds R and runs `referee.R` in it, `wire` is the language between them, `records` reads the recorded answers, and
`cells` are the R cells.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.r import cells, engine, records, session
from helpers.r.cells import load_ipython_extension  # noqa: F401
from helpers.r.session import RUnavailable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GlmResult", "LmResult", "RError", "RUnavailable", "RWarning", "glm", "lm", "probe"]


class RError(ValueError):
    """The formula or the data were refused. The message holds R's own words where R refused."""


class RWarning(UserWarning):
    """R gave an answer, and a warning with it."""


@dataclass(frozen=True, repr=False, eq=False)
class Fit:
    """What every fit has: a table of coefficients, fitted values, and the degrees of freedom left.

    r_version: the R that answered, or "recorded, ..." with the version and date of a recorded answer.
    """

    coefficients: pd.DataFrame
    fitted: pd.Series
    df_residual: int
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

    def text(self, quality: str, end: str = "") -> str:
        """The fit as it is printed: the coefficients, how good it is on how many points, and where it comes from."""
        table = self.coefficients.to_string(float_format=lambda value: f"{value:.6g}")
        points = f"{len(self.fitted)} points" if len(self.fitted) > 1 else "1 point"
        lines = [table if len(self.coefficients) else "no coefficients"]
        lines.append(f"{quality} on {points}, degrees of freedom left: {self.df_residual}{end}")
        return "\n".join([*lines, self.r_version] if self.r_version.startswith("recorded") else lines)


@dataclass(frozen=True, repr=False, eq=False)
class LmResult(Fit):
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
    """

    residuals: pd.Series
    sigma: float
    r_squared: float
    adj_r_squared: float
    mse: float
    conf_int: pd.DataFrame

    def __repr__(self) -> str:
        return self.text(f"MSE {self.mse:.6g}")


@dataclass(frozen=True, repr=False, eq=False)
class GlmResult(Fit):
    """What R's `summary(glm(...))` knows about a fit of p coefficients to n rows, as float64.

    coefficients: p rows named and ordered by R, columns "Estimate", "Std. Error", and "z value", "Pr(>|z|)" for
        binomial and poisson or "t value", "Pr(>|t|)" for gaussian and Gamma. What the data cannot determine is NaN.
    fitted: the fitted mean for each row used (a probability for binomial); its index is the data's own.
    deviance, null_deviance: of this fit, and of one with the intercept alone (or nothing, if there is none).
    df_residual, df_null: the degrees of freedom that belong to them.
    dispersion: 1 for binomial and poisson, else estimated.
    aic: Akaike's information criterion.
    iterations: steps of iteratively reweighted least squares; converged: whether they reached R's tolerance.
    family: "binomial", "poisson", "gaussian" or "Gamma", with R's own link function for it.
    """

    deviance: float
    null_deviance: float
    df_null: int
    dispersion: float
    aic: float
    iterations: int
    converged: bool
    family: str

    def __repr__(self) -> str:
        ending = "" if self.converged else ", not converged"
        return self.text(f"deviance {self.deviance:.6g}", f"; {self.iterations} iterations{ending}")


def lm(formula: str, data: pd.DataFrame, *, tol: float | None = None) -> LmResult:
    """Fit a linear model by least squares with R's `stats::lm`.

    formula: any R formula with one response, such as "c ~ u", "c ~ 0 + u", "c ~ poly(u, 2)" or "c ~ u * place".
        R evaluates the calls inside it. Its names are the data's columns and R's own, nothing else.
    data: one row for each observation. Columns of floats, integers, booleans, strings or categories, with str names.
        Strings that predict are factors to R, in the order of code points; integers beyond 32 bits are floats.
        Rows with a missing value in a column of the formula are left out.
    tol: the tolerance of R's QR decomposition below which a column counts as a combination of those before it;
        R's own, 1e-7, when None.

    Returns an LmResult. A warning of lm's or its summary's becomes an RWarning.
    Raises TypeError or ValueError if an argument is no formula text, no DataFrame, or has columns or values that R
    cannot hold exactly; RError, with R's own words, if R refuses; RUnavailable if there is no R and this fit is not
    among the recorded ones.
    Source: R's `lm`, `summary.lm` and `confint`. Taught in chapter 01.
    """
    return LmResult(**ask("lm", formula, data, tol=tol))


def glm(
    formula: str,
    data: pd.DataFrame,
    family: str = "binomial",
    *,
    epsilon: float | None = None,
    maxit: int | None = None,
) -> GlmResult:
    """Fit a generalised linear model with R's `stats::glm`.

    formula, data: as for lm(). A binomial response is 0 or 1, a boolean, a share, or a category, whose first level
        that occurs counts as 0 and the others as 1; or cbind(successes, failures).
    family: "binomial", "poisson", "gaussian" or "Gamma", each with R's own link function.
    epsilon: the relative change of the deviance below which the iterations end; R's own, 1e-8, when None.
    maxit: the largest number of iterations; R's own, 25, when None.

    Returns a GlmResult. A warning of R's, such as that of separated data, becomes an RWarning. Raises what lm() raises.
    Source: R's `glm`, `glm.control` and `summary.glm`. Taught in chapter 15.
    """
    return GlmResult(family=family, **ask("glm", formula, data, family=family, epsilon=epsilon, maxit=maxit))


def probe() -> str:
    """Start R for lm() and for R cells, and return its version, as in "R version 4.2.2 Patched (2022-11-10 r83330)".

    Raises RUnavailable, with the reason and the fix, if one of them is impossible; RuntimeError outside the main
    thread, where R cells cannot be started.
    """
    with session.referee() as r:
        version = r.version
    cells.start_r()
    return version


def ask(function: str, formula: str, data: pd.DataFrame, **settings: Any) -> dict[str, Any]:
    """R's answer, or the recorded one, as the arguments of a result."""
    import pandas as pd

    engine.check_arguments(formula, data, **settings)
    try:
        answer = engine.fit(function, formula, data, **settings)
    except RUnavailable as problem:
        answer = records.recorded_answer(problem, function, formula, data, **settings)
    if "refusal" in answer:
        raise RError(answer["refusal"])
    for text in answer.pop("warnings", []):
        warnings.warn(f"R's {function}() on {formula!r} warns: {text}", RWarning, stacklevel=3)
    terms, index = pd.Index(answer.pop("terms"), dtype="str"), answer.pop("index")
    columns = answer.pop("columns", ["Estimate", "Std. Error", "t value", "Pr(>|t|)"])
    answer["coefficients"] = table(terms, columns, answer.pop("table"))
    if "interval" in answer:
        answer["conf_int"] = table(terms, ["2.5 %", "97.5 %"], answer.pop("interval"))
    for name in {"residuals", "fitted"} & set(answer):
        answer[name] = pd.Series(answer[name], index, "float64", name)
    return answer


def table(terms: pd.Index, columns: list[str], values: list[float | None]) -> pd.DataFrame:
    """A table of floats, given column after column, as in R. None is NaN."""
    import pandas as pd

    shaped = pd.Series(values, dtype="float64").to_numpy().reshape((len(terms), len(columns)), order="F")
    return pd.DataFrame(shaped, terms, columns)
