"""Record R's answers to the course's own fits anew, for readers without R: `python -m helpers.authoring.records`."""

from __future__ import annotations

import datetime
import json
import math
import re
import warnings
from typing import Any, NamedTuple

import pandas as pd

from helpers.beyond.certified import NAMES, problem
from helpers.data import cars, faithful, insect_sprays, iris, quakes, split, thermometers
from helpers.r import LmResult, RWarning, glm, lm, probe
from helpers.r.records import FILE, key_and_order


class Fit(NamedTuple):
    """A call whose answer is kept: of lm(), or of glm() with its family, and with settings where they are not R's."""

    formula: str
    data: pd.DataFrame
    settings: dict[str, Any] = {}
    function: str = "lm"

    def key_and_order(self) -> tuple[str, list[int]]:
        """The name of the answer, and the order of rows in which it is kept."""
        return key_and_order(self.function, self.formula, self.data, **self.settings)


def course_fits() -> list[Fit]:
    """The course's own fits; chapters add theirs here and run `python -m helpers.authoring.records`."""
    readings = thermometers()
    formulas = ("c ~ u", "c ~ 0 + u", "c ~ 1", "c ~ u + I(u^2)", "c ~ poly(u, 2, raw = TRUE)")
    parts = pd.DataFrame({"x": [16_000.0 + k for k in range(20)]}).assign(
        y=lambda df: 1 + 2 * df["x"] + 3 * df["x"] ** 2
    )
    return [
        *(Fit(formula, readings) for formula in formulas),
        Fit("c ~ u", readings.drop(index=[6, 7])),  # the training rows of the two splits
        Fit("c ~ u", readings.drop(index=[4, 9])),
        Fit("c ~ u", readings.assign(c=readings["c"].where(readings.index != 3, 82.0))),  # a slip in one reading
        Fit("c ~ u", readings.iloc[[*range(11), 0]]),  # what two processes get that pad their shares
        Fit("eruptions ~ waiting", faithful()),
        Fit("dist ~ speed", cars()),
        Fit("dist ~ speed + I(speed^2)", cars()),
        Fit("y ~ x + I(x^2)", parts),  # a parabola that R loses, and the same one centred
        Fit("y ~ x + I(x^2)", parts.assign(x=parts["x"] - 16_010)),
        Fit("depth ~ lat + long", quakes()),
        Fit("depth ~ lat + long", quakes().iloc[split(1000, seed=0).training.tolist()]),
    ]


def glm_fits() -> list[Fit]:
    """The fits of glm() in chapter 15."""
    flowers = iris()
    two = flowers[flowers["Species"] != "setosa"]
    setosa = flowers.assign(setosa=flowers["Species"] == "setosa")
    deep = quakes().assign(deep=lambda df: df["depth"] > 300)
    petals = "Petal.Length + Petal.Width"
    binomial = {"family": "binomial"}
    return [
        Fit(f"Species ~ {petals}", two, binomial, "glm"),
        Fit(f"Species ~ {petals}", two, {**binomial, "epsilon": 1e-14, "maxit": 100}, "glm"),
        Fit(f"setosa ~ {petals}", setosa, binomial, "glm"),  # separated: R warns
        Fit("deep ~ lat + long", deep, binomial, "glm"),
        Fit("deep ~ lat + long", deep.iloc[split(1000, seed=0).training.tolist()], binomial, "glm"),
        Fit("count ~ spray", insect_sprays(), {"family": "poisson"}, "glm"),
    ]


def certified_fits() -> list[Fit]:
    """NIST's problems, each with its own model, and Filip once more with a tolerance that keeps x^10."""
    problems = [problem(name) for name in NAMES]
    fits = [Fit(one.formula, one.frame()) for one in problems]
    return [*fits, *(Fit(one.formula, one.frame(), {"tol": 1e-12}) for one in problems if one.name == "Filip")]


def without_nan(frame: pd.DataFrame) -> list[float | None]:
    """The frame's values, column after column, with None where a coefficient is NaN: JSON has no NaN."""
    return [None if math.isnan(value) else value for value in frame.to_numpy().ravel(order="F").tolist()]


def answer_of(fit: Fit, order: list[int]) -> dict[str, Any]:
    """R's answer, as it is kept: what differs between calls, such as the family, is in its name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RWarning)
        result = {"lm": lm, "glm": glm}[fit.function](fit.formula, fit.data.iloc[order], **fit.settings)
    heard = [str(warning.message).split(" warns: ", 1)[1] for warning in caught]
    answer = {"terms": list(result.coefficients.index), "table": without_nan(result.coefficients)}
    if isinstance(result, LmResult):
        answer |= {"interval": without_nan(result.conf_int), "residuals": result.residuals.tolist()}
        single = ("sigma", "r_squared", "adj_r_squared", "mse")
    else:
        answer |= {"columns": list(result.coefficients.columns)}
        single = ("deviance", "null_deviance", "df_null", "dispersion", "aic", "iterations", "converged")
    answer |= {name: getattr(result, name) for name in ("df_residual", *single)}
    return {**answer, "fitted": result.fitted.tolist(), **({"warnings": heard} if heard else {})}


def make_records(today: str) -> dict[str, Any]:
    """Fit all that is recorded, with R; `today` is written beside them, as year-month-day."""
    fits = {}
    for fit in [*course_fits(), *glm_fits(), *certified_fits()]:
        key, order = fit.key_and_order()
        fits[key] = answer_of(fit, order)
    version = re.sub(r"^R version (\S+).*", r"R \1", probe())
    return {"date": today, "r": version, "fits": fits}


def main() -> None:
    """Write the recorded answers anew. The same numbers from the same R keep their date."""
    records = make_records(datetime.date.today().isoformat())
    before = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    if {**before, "date": records["date"]} == records:
        records = before
    text = json.dumps(records, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    FILE.write_text(text, encoding="utf-8")
    print(f"{len(records['fits'])} fits of {records['r']} written to {FILE.name}")


if __name__ == "__main__":
    main()
