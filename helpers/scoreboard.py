"""The course's thread: every method beside R's lm(), with the digits on which they agree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from helpers.data import tensors
from helpers.loss import mse
from helpers.model import line

if TYPE_CHECKING:
    import pandas as pd

    from helpers.r import LmResult

FULL_AGREEMENT = 12  # beyond this, two correct float64 programs differ by chance, so the table says "12 or more"
Numbers = float | Iterable[float]


@dataclass(frozen=True)
class Row:
    """One method's line: slope and intercept for unscaled u, MSE on the eleven points, steps, digits against lm()."""

    method: str
    slope: float
    intercept: float
    mse: float
    steps: int
    digits: float


def digits(value: Numbers, reference: Numbers) -> float:
    """How many decimal digits agree: -log10 of the relative error, of the worst number where there are several.

    value, reference: a number each (Python's, NumPy's or a tensor without dimensions), or as many numbers each, in a
    sequence, array or tensor. Where a reference is 0 the absolute error counts.
    Returns a float: 0 or below when the error is as large as the reference, infinity when value equals reference,
    and -infinity where a value or a reference is not finite: NaN agrees with nothing.
    Raises ValueError for different numbers of values and references, or none.
    Source: the log relative error of NIST's Statistical Reference Datasets. Taught in chapter 01.
    """
    values, references = as_floats(value), as_floats(reference)
    if len(values) != len(references) or not values:
        raise ValueError(f"{len(values)} values, {len(references)} references: give as many of each, at least one")
    if not all(math.isfinite(number) for number in values + references):
        return -math.inf
    worst = max(abs(v - r) / (abs(r) or 1) for v, r in zip(values, references, strict=True))
    return math.inf if worst == 0 else -math.log10(worst)


def as_floats(numbers: Numbers) -> list[float]:
    """One number, or all those in a sequence, array or tensor, as Python's floats."""
    if isinstance(numbers, Mapping):
        raise TypeError("a dict has names beside its numbers: compare list(numbers.values())")
    if hasattr(numbers, "to_numpy"):  # of a table its numbers, not the names of its columns
        numbers = numbers.to_numpy()
    if hasattr(numbers, "tolist"):
        numbers = numbers.tolist()
    if isinstance(numbers, Iterable) and not isinstance(numbers, str):
        return [number for part in numbers for number in as_floats(part)]
    return [float(numbers)]


def row(method: str, slope: float, intercept: float, steps: int, reference: LmResult) -> Row:
    """A line of the scoreboard, from a fitted slope and intercept (both for unscaled u).

    steps: updates of the parameters; 0 for a method that solves in one go.
    reference: what lm("c ~ u", thermometers()) returned.
    The MSE is computed here, in float64, from the slope and intercept: no method reports its own.
    Taught in chapter 01.
    """
    slope, intercept = float(slope), float(intercept)
    u, c = tensors(torch.float64)
    return Row(
        method=method,
        slope=slope,
        intercept=intercept,
        mse=mse(line(u, slope, intercept), c).item(),
        steps=int(steps),
        digits=digits((slope, intercept), (reference.slope, reference.intercept)),
    )


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """The rows as a DataFrame with one method a line, rounded for reading.

    The column "digits" counts the whole digits on which both slope and intercept agree with lm().
    Taught in chapter 01.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "slope": [f"{r.slope:.6f}" for r in rows],
            "intercept": [f"{r.intercept:.6f}" for r in rows],
            "MSE": [f"{r.mse:.6f}" for r in rows],
            "steps": [r.steps for r in rows],
            "digits": [whole_digits(r.digits) for r in rows],
        },
        index=pd.Index([r.method for r in rows], name="method"),
    )


def whole_digits(agreement: float) -> str:
    """Digits as the table shows them: rounded down, "0" for none, "12 or more" where chance decides the rest."""
    if agreement >= FULL_AGREEMENT:
        return f"{FULL_AGREEMENT} or more"
    return str(max(0, math.floor(agreement))) if math.isfinite(agreement) else "0"
