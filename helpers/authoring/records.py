"""Record R's answers to the course's own fits anew, for readers without R: `python -m helpers.authoring.records`."""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from helpers.beyond.certified import NAMES, problem
from helpers.data import cars, faithful, thermometers
from helpers.r import lm, probe
from helpers.r.records import FILE, key_and_order

if TYPE_CHECKING:
    import pandas as pd


class Fit(NamedTuple):
    """A call to lm() whose answer is kept."""

    formula: str
    data: pd.DataFrame
    tol: float | None = None


def course_fits() -> list[Fit]:
    """The fits of chapters 01 to 12 and 14. Chapters add theirs here and run `python -m helpers.authoring.records`."""
    readings = thermometers()
    formulas = ("c ~ u", "c ~ 0 + u", "c ~ 1", "c ~ u + I(u^2)", "c ~ poly(u, 2, raw = TRUE)", "c ~ poly(u, 5)")
    return [
        *(Fit(formula, readings) for formula in formulas),
        Fit("c ~ u", readings.assign(u=readings["u"] + 1000)),  # a zero 1000 units lower
        Fit("c ~ u", readings.drop(index=[6, 7])),  # the training rows of the two splits
        Fit("c ~ u", readings.drop(index=[4, 9])),
        Fit("c ~ u", readings.iloc[[*range(11), 0]]),  # what two processes get that pad their shares
        Fit("eruptions ~ waiting", faithful()),
        Fit("dist ~ speed", cars()),
        Fit("dist ~ speed + I(speed^2)", cars()),
    ]


def certified_fits() -> list[Fit]:
    """NIST's problems, each with its own model, and Filip once more with a tolerance that keeps x^10."""
    problems = [problem(name) for name in NAMES]
    fits = [Fit(one.formula, one.frame()) for one in problems]
    return [*fits, *(Fit(one.formula, one.frame(), 1e-12) for one in problems if one.name == "Filip")]


def without_nan(frame: pd.DataFrame) -> list[float | None]:
    """The frame's values, column after column, with None where a coefficient is NaN: JSON has no NaN."""
    return [None if math.isnan(value) else value for value in frame.to_numpy().ravel(order="F").tolist()]


def make_records(today: str) -> dict[str, Any]:
    """Fit all that is recorded, with R; `today` is written beside them, as year-month-day."""
    fits = {}
    for formula, data, tol in [*course_fits(), *certified_fits()]:
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
