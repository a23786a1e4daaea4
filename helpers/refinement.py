"""Least squares refined: an exact gradient, and steps measured by one float64 QR decomposition."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from helpers.loss import ShapeError

ENOUGH = 1e-30  # a step this small, relative to the fit, is far below the last digit of float64


@dataclass(frozen=True)
class Refined:
    """Least-squares coefficients of p columns, far beyond float64's digits, and what belongs to them.

    coefficients: p fractions; float() rounds each to the nearest float64.
    standard_errors: p floats, right to all their digits but the last; NaN when df_residual is 0.
    residual_sd: residual standard deviation, in the response's unit; NaN when df_residual is 0.
    rss: residual sum of squares, exact for these coefficients.
    df_residual: n minus p.
    gradient: one float for each iteration, the length of R^-T times the gradient before its step, in the response's
        unit. It is also how far that step moves the predictions: the root of the sum of their squared changes.
    """

    coefficients: tuple[Fraction, ...]
    standard_errors: tuple[float, ...]
    residual_sd: float
    rss: Fraction
    df_residual: int
    gradient: tuple[float, ...]

    @property
    def iterations(self) -> int:
        """How many steps it took."""
        return len(self.gradient)


def refine(X: Sequence[Sequence[Any]] | Tensor, y: Sequence[Any] | Tensor) -> Refined:
    """Least squares by descent with an exact gradient, until nothing of float64's rounding is left.

    X: the design matrix, n rows of p numbers (n >= p); y: n numbers. Integers, fractions and text such as "0.1" are
    taken as they are written; a float, or a tensor's entry, with its binary value to the last bit. Any scale will do.

    Each step is b += R^-1 R^-T X'(y - X b). X'(y - X b), half the negative gradient of the residual sum of squares, is
    computed in fractions, as X'y - X'X b. R is the triangular factor of X, in float64, and R^-1 R^-T is nearly the
    inverse of X'X. What rounding spoils in a step, the next gradient sees and the next step mends: each iteration
    multiplies the error by about 1e-16 times the condition number of X with its columns scaled to one length. The same
    steps, with a unit vector in the place of X'y, find the columns of the inverse of X'X, and so the standard errors.

    Raises ShapeError where rows differ in length, or X and y in rows; TypeError or ValueError for an entry that is no
    finite number; ValueError for fewer rows than columns, and for columns that depend on each other so nearly that the
    steps do not shrink (a condition number beyond about 1e15); OverflowError for an answer that float64 cannot hold.
    Source: iterative refinement, as in Bjoerck, Numerical Methods for Least Squares Problems (1996), section 6.6 on the
    corrected seminormal equations, and Higham, Accuracy and Stability of Numerical Algorithms (2002), chapters 12
    and 20. Taught in chapter 13.
    """
    rows, response = exact_matrix(X), exact_vector(y, "y")
    check_sizes(rows, response)
    units, y_unit = [unit(column) for column in zip(*rows, strict=True)], unit(response)
    rows = [[value / scale for value, scale in zip(row, units, strict=True)] for row in rows]
    response = [value / y_unit for value in response]  # from here on all numbers are of ordinary size

    size = len(units)
    columns = [over_one(column) for column in zip(*rows, strict=True)]
    gram = [over_one([dot(left, right) for right in columns]) for left in columns]
    moments = [dot(column, over_one(response)) for column in columns]
    R = triangular_factor(as_floats(rows))

    targets = [moments, *([Fraction(row == column) for row in range(size)] for column in range(size))]
    solutions = [[Fraction(0)] * size for _ in targets]
    lengths: list[Tensor] = []
    while True:
        gaps = [gap(gram, solution, target) for solution, target in zip(solutions, targets, strict=True)]
        half = torch.linalg.solve_triangular(R.T, as_floats(gaps).T, upper=False)
        steps = torch.linalg.solve_triangular(R, half, upper=True)
        lengths.append(half.norm(dim=0))
        check_progress(lengths)
        solutions = [moved(solution, step) for solution, step in zip(solutions, steps.T.tolist(), strict=True)]
        fits = (R @ as_floats(solutions).T).norm(dim=0)
        if (lengths[-1] <= ENOUGH * fits).all():
            break

    beta, *inverse = solutions
    missing = gap(gram, beta, moments)  # X'y - X'X b, so that the sum of squares is y'y - b'(X'y + X'y - X'X b)
    rss = dot(over_one(response), over_one(response))
    rss -= sum(b * (m + g) for b, m, g in zip(beta, moments, missing, strict=True))
    df_residual = len(rows) - size
    sd = root(rss / df_residual) if df_residual else math.nan
    to_units = [y_unit / scale for scale in units]
    return Refined(
        coefficients=tuple(b * scale for b, scale in zip(beta, to_units, strict=True)),
        standard_errors=tuple(sd * root(inverse[j][j]) * float(scale) for j, scale in enumerate(to_units)),
        residual_sd=sd * float(y_unit),
        rss=rss * y_unit**2,
        df_residual=df_residual,
        gradient=tuple(length[0].item() * float(y_unit) for length in lengths),
    )


Exact = list[Fraction]
Whole = tuple[list[int], int]  # numerators, and their common denominator


def exact_number(value: Any, place: str) -> Fraction:
    """The value as a fraction. Raises TypeError or ValueError, naming its place, for what is no finite number."""
    try:
        return value if isinstance(value, Fraction) else Fraction(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{place} is {value!r}, no finite number: drop or repair such readings first") from None
    except TypeError:
        raise TypeError(f"{place} is of type {type(value).__name__}: give numbers, or text such as '0.1'") from None


def exact_vector(values: Any, name: str) -> Exact:
    """The values as fractions; name says in messages what they are."""
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    return [exact_number(value, f"{name}[{place}]") for place, value in enumerate(values)]


def exact_matrix(X: Any) -> list[Exact]:
    """The rows of X as fractions. Raises TypeError where a row is a single number."""
    rows = X.tolist() if hasattr(X, "tolist") else list(X)
    for place, row in enumerate(rows):
        if isinstance(row, (int, float, str, Fraction)):
            raise TypeError(f"X[{place}] is {row!r}: X has a row of numbers for each reading, as in [[1, 35.7], ...]")
    return [exact_vector(row, f"X[{place}]") for place, row in enumerate(rows)]


def check_sizes(rows: list[Exact], response: Exact) -> None:
    """Raise unless the rows have one length p, are as many as the responses, and at least p."""
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise ShapeError(f"the rows of X have {lengths[0]} to {lengths[-1]} numbers: each row needs as many")
    if len(rows) != len(response):
        raise ShapeError(f"X has {len(rows)} rows, y has {len(response)} numbers: each row needs one")
    size = lengths[0] if lengths else 0
    if not size:
        raise ValueError("X has no rows or no columns: there is nothing to fit")
    if len(rows) < size:
        raise ValueError(f"X has {len(rows)} rows and {size} columns: it takes at least as many rows as columns")


def unit(values: Sequence[Fraction]) -> Fraction:
    """A power of two near the largest of the values, to divide by without rounding; 1 where all of them are zero."""
    largest = max(map(abs, values))
    return (
        Fraction(2) ** (largest.numerator.bit_length() - largest.denominator.bit_length()) if largest else Fraction(1)
    )


def triangular_factor(X: Tensor) -> Tensor:
    """R of X = QR, shape (p, p). Raises ValueError for a column that depends on those before it."""
    R = torch.linalg.qr(X).R
    for place, (left, length) in enumerate(zip(R.diagonal().abs(), X.norm(dim=0), strict=True)):
        if left <= torch.finfo(X.dtype).eps * length:
            raise dependent(f"column {place} of X is zero, or a combination of the columns before it")
    return R


def dependent(found: str) -> ValueError:
    """The error for columns that do not determine the coefficients, or not in float64's sight."""
    return ValueError(
        f"{found}. Leave out what the other columns already say; where the columns are powers of x, subtract a middle "
        "value from x first"
    )


def check_progress(lengths: list[Tensor]) -> None:
    """Raise ValueError unless the last steps are finite and at most half as long as those before them."""
    shrinks = len(lengths) < 2 or (lengths[-1] <= lengths[-2] / 2).all()
    if not (lengths[-1].isfinite().all() and shrinks):
        raise dependent(f"step {len(lengths)} did not shrink: the columns of X are too nearly dependent for float64")


def over_one(values: Sequence[Fraction]) -> Whole:
    """The same numbers as whole numbers over one common denominator: sums of such need no fractions on the way."""
    denominator = math.lcm(*(value.denominator for value in values))
    return [value.numerator * (denominator // value.denominator) for value in values], denominator


def dot(left: Whole, right: Whole) -> Fraction:
    """Sum of the products, exactly."""
    return Fraction(sum(map(operator.mul, left[0], right[0])), left[1] * right[1])


def gap(gram: list[Whole], solution: Exact, target: Exact) -> Exact:
    """What is missing from gram times solution to the target, exactly."""
    solved = over_one(solution)
    return [wanted - dot(row, solved) for row, wanted in zip(gram, target, strict=True)]


def moved(solution: Exact, step: list[float]) -> Exact:
    """The solution plus a step of floats, exactly."""
    return [value + Fraction(change) for value, change in zip(solution, step, strict=True)]


def as_floats(matrix: list[Exact]) -> Tensor:
    """A matrix of fractions as float64, each entry rounded once."""
    return torch.tensor([[float(value) for value in row] for row in matrix], dtype=torch.float64)


def root(value: Fraction) -> float:
    """The square root in float64. A square that rounding has pushed below zero counts as zero."""
    return math.sqrt(max(value, 0))
