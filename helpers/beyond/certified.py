"""NIST's Statistical Reference Datasets for linear least squares: eleven problems with certified answers.

The files in `helpers/datasets/strd/` are NIST's own, unchanged. Their numbers are read as decimals, exactly as printed.
Used in chapter 16.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from helpers.scoreboard import digits

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).parents[1] / "datasets" / "strd"
NAMES = tuple("Norris Pontius NoInt1 NoInt2 Filip Longley Wampler1 Wampler2 Wampler3 Wampler4 Wampler5".split())
CERTIFIED_DIGITS = 15  # NIST prints so many significant digits: agreement beyond them cannot be seen


@dataclass(frozen=True)
class Problem:
    """A least-squares problem of n readings and p coefficients, with its certified answers, all as exact fractions.

    name: NIST's name for it.
    terms: the names of the coefficients, "B0" (the intercept, where there is one), "B1", ...
    predictors: the columns of the file beside y, by name: "x", or "x1", "x2", ...
    rows: the design matrix, n rows of p numbers: powers of x, computed exactly, or the predictors themselves.
    response: y, n numbers.
    coefficients, standard_errors: certified, p numbers each.
    residual_sd: certified residual standard deviation; r_squared: certified R-squared.
    """

    name: str
    terms: tuple[str, ...]
    predictors: dict[str, tuple[Fraction, ...]]
    rows: tuple[tuple[Fraction, ...], ...]
    response: tuple[Fraction, ...]
    coefficients: tuple[Fraction, ...]
    standard_errors: tuple[Fraction, ...]
    residual_sd: Fraction
    r_squared: Fraction

    @property
    def formula(self) -> str:
        """The model as a formula for lm(), such as "y ~ x + I(x^2)"."""
        powers = [int(term[1:]) for term in self.terms if term != "B0"]
        if len(self.predictors) > 1:
            parts = list(self.predictors)
        else:
            parts = ["x" if power == 1 else f"I(x^{power})" for power in powers]
        return " + ".join(["y ~ 0" if "B0" not in self.terms else f"y ~ {parts.pop(0)}", *parts])

    def frame(self) -> pd.DataFrame:
        """The data as float64: columns y and the predictors, one row for each reading. Decimals are rounded once."""
        import pandas as pd

        columns = {"y": self.response, **self.predictors}
        return pd.DataFrame({name: [float(value) for value in values] for name, values in columns.items()})

    def tensors(self, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
        """The design matrix X, shape (n, p), and y, shape (n,). Each entry is the exact one, rounded to float64 first.

        Raises OverflowError for a number that float64 cannot hold.
        """
        X = torch.tensor([[float(value) for value in row] for row in self.rows], dtype=torch.float64)
        y = torch.tensor([float(value) for value in self.response], dtype=torch.float64)
        return X.to(dtype), y.to(dtype)


def lre(values: Sequence, certified: Sequence) -> float:
    """Log relative error: the digits on which the worst of the values agrees with its certified value, at most 15.

    values, certified: as many of each; numbers of any kind, or tensors of shape (p,).
    It is `scoreboard.digits`, cut at the 15 digits that are printed: what agrees with all of them, equality included,
    counts 15. A value that is not finite counts -infinity; against a certified 0 the absolute error counts.
    Raises ValueError for lengths that differ.
    """
    return min(digits(list(values), list(certified)), float(CERTIFIED_DIGITS))


def problem(name: str, folder: Path = FOLDER) -> Problem:
    """Read one of NIST's problems from its file, whose header says in which lines what stands.

    name: one of NAMES; folder: where the files are.
    Raises KeyError for another name, ValueError for a number that is no decimal.
    Source: https://www.itl.nist.gov/div898/strd/ (public domain).
    """
    if name not in NAMES:
        raise KeyError(f"no problem is named {name!r}: choose one of {', '.join(NAMES)}")
    lines = (Path(folder) / f"{name}.dat").read_text(encoding="ascii").splitlines()

    def part(label: str) -> list[str]:
        first, last = re.search(rf"{label}\s+\(lines (\d+) to (\d+)\)", "\n".join(lines)).groups()
        return lines[int(first) - 1 : int(last)]

    certified = "\n".join(part("Certified Values"))
    terms, estimates, deviations = zip(*re.findall(r"^ *(B\d+) +(\S+) +(\S+)", certified, re.MULTILINE), strict=True)
    response, *columns = zip(*[exact(line.split()) for line in part("Data")], strict=True)
    names = ["x"] if len(columns) == 1 else [f"x{place}" for place in range(1, len(columns) + 1)]
    return Problem(
        name=name,
        terms=terms,
        predictors=dict(zip(names, columns, strict=True)),
        rows=tuple(design_row(terms, x) for x in zip(*columns, strict=True)),
        response=response,
        coefficients=exact(estimates),
        standard_errors=exact(deviations),
        residual_sd=Fraction(re.search(r"Residual\s+Standard Deviation +(\S+)", certified)[1]),
        r_squared=Fraction(re.search(r"R-Squared +(\S+)", certified)[1]),
    )


def design_row(terms: Sequence[str], x: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """One row of the design matrix: the powers of a single x that the terms name, or all the x, after the intercept."""
    if len(x) == 1:
        return tuple(x[0] ** int(term[1:]) for term in terms)
    return (*[Fraction(1)] * ("B0" in terms), *x)


def exact(words: Sequence[str]) -> tuple[Fraction, ...]:
    """Printed decimals, exactly."""
    return tuple(map(Fraction, words))
