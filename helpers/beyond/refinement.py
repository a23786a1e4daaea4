"""Iterative refinement of least squares: exact residuals, and steps from one QR decomposition in float64."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from helpers.loss import ShapeError

ENOUGH = 1e-25  # far below the last digit of float64, and far from 1e-16 squared: as many steps on every processor
NOTHING = 1e-200  # a coefficient this small, relative to the fit, counts as zero
SMALLEST, LARGEST = torch.finfo(torch.float64).tiny, torch.finfo(torch.float64).max


@dataclass(frozen=True)
class Refined:
    """Least-squares coefficients of p columns, far beyond float64's digits, and what belongs to them.

    coefficients: p fractions, each right to 25 digits or more; float() rounds them to float64. A coefficient too small
        to move the predictions by 1e-200 of their length is 0.
    standard_errors: p floats, right to all their digits but the last; NaN when df_residual is 0.
    residual_sd: residual standard deviation, in the response's unit; NaN when df_residual is 0.
    rss: residual sum of squares, exact for these coefficients; 0, and with it all standard errors, where no more is
        left than the coefficients' own error explains, about 1e-30 of the response's length.
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
    """Least squares by iterative refinement with exact residuals, until nothing of float64's rounding is left.

    X: the design matrix, n rows of p numbers (n >= p); y: n numbers. Integers, fractions and text such as "0.1" are
    taken as they are written; a float, or a tensor's entry, with its binary value to the last bit. Any unit will do for
    which float64 can hold the standard errors.

    Each step is b += R^-1 R^-T X'(y - X b). X'(y - X b), half the negative gradient of the residual sum of squares, is
    computed in fractions, as X'y - X'X b. R is the triangular factor of X, in float64, and R^-1 R^-T is nearly the
    inverse of X'X. What rounding spoils in a step, the next gradient sees and the next step mends: each iteration
    but the first multiplies the error by about 1e-16 times the condition number of X with its columns scaled to one
    length. The same steps, with a unit vector in the place of X'y, find the columns of the inverse of X'X, and so the
    standard errors. They end when no coefficient can move by 1e-25 of its own size any more.

    Raises ShapeError where rows differ in length, or X and y in rows; TypeError or ValueError for an entry that is no
    finite number; ValueError for fewer rows than columns, and for columns that depend on each other so nearly that the
    steps do not shrink (a condition number beyond about 1e15); OverflowError for a standard error or residual standard
    deviation that float64 cannot hold, too large or too small.
    Source: iterative refinement, as in Bjoerck, Numerical Methods for Least Squares Problems (1996), section 6.6 on the
    corrected seminormal equations, and Higham, Accuracy and Stability of Numerical Algorithms (2002), chapters 12
    and 20.
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

    reach = []  # how far a step of length 1 can move coefficient j: the root of place (j, j) of the inverse of X'X
    for j in range(size):
        unit_vector = [Fraction(row == j) for row in range(size)]
        column, _ = descend(gram, R, unit_vector, lambda _, length, fit: length <= ENOUGH * fit)
        reach.append(root(column[j]))

    def settled(beta: Exact, length: float, fit: float) -> bool:
        of_each = all(length * far <= ENOUGH * abs(b) for far, b in zip(reach, beta, strict=True))
        return of_each or length <= NOTHING * fit

    beta, lengths = descend(gram, R, moments, settled)
    fit = length_of(R @ as_floats([beta]).T)
    beta = [b if abs(b) > NOTHING * fit * far else Fraction(0) for b, far in zip(beta, reach, strict=True)]

    missing = gap(gram, beta, moments)  # X'y - X'X b, so that the sum of squares is y'y - b'(X'y + X'y - X'X b)
    rss = dot(over_one(response), over_one(response))
    rss -= sum(b * (m + g) for b, m, g in zip(beta, moments, missing, strict=True))
    if rss <= 4 * Fraction(length_of(half_step(R, missing))) ** 2:  # what one more step would take away, generously
        rss = Fraction(0)
    df_residual = len(rows) - size
    sd = root(rss / df_residual) if df_residual else math.nan
    return Refined(
        coefficients=tuple(b * y_unit / scale for b, scale in zip(beta, units, strict=True)),
        standard_errors=tuple(
            in_unit(sd * far, y_unit / scale, f"the standard error of coefficient {j}")
            for j, (far, scale) in enumerate(zip(reach, units, strict=True))
        ),
        residual_sd=in_unit(sd, y_unit, "the residual standard deviation"),
        rss=rss * y_unit**2,
        df_residual=df_residual,
        gradient=tuple(in_unit(length, y_unit, "the gradient", smallest=0) for length in lengths),
    )


Exact = list[Fraction]
Whole = tuple[list[int], int]  # numerators, and their common denominator


def exact_number(value: Any, place: str) -> Fraction:
    """The value as a fraction. Raises TypeError or ValueError, naming its place, for what is no finite number."""
    try:
        value = value.item() if hasattr(value, "item") else value  # NumPy's numbers, and tensors of one
        return value if isinstance(value, Fraction) else Fraction(value)
    except (ValueError, OverflowError, ZeroDivisionError):
        raise ValueError(f"{place} is {value!r}, no finite number: drop or repair such readings first") from None
    except (TypeError, RuntimeError):  # the latter for a tensor of several
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
            raise dependent(f"column {place} of X (counted from 0) is zero, or a combination of those before it")
    return R


def dependent(found: str) -> ValueError:
    """The error for columns that do not determine the coefficients, or not in float64's sight."""
    return ValueError(
        f"{found}. Leave out what the other columns already say; where the columns are powers of x, subtract a middle "
        "value from x first"
    )


def descend(
    gram: list[Whole], R: Tensor, target: Exact, enough: Callable[[Exact, float, float], bool]
) -> tuple[Exact, list[float]]:
    """The solution of gram times solution = target, and the length of each step to it: of what it changes in X b.

    enough: from the solution, the last step's length and the length of X times the solution, whether to stop.
    """
    solution, lengths = [Fraction(0)] * len(target), []
    while True:
        half = half_step(R, gap(gram, solution, target))
        lengths.append(length_of(half))
        check_progress(lengths)
        step = torch.linalg.solve_triangular(R, half, upper=True).squeeze(1)
        solution = [value + Fraction(change) for value, change in zip(solution, step.tolist(), strict=True)]
        if enough(solution, lengths[-1], length_of(R @ as_floats([solution]).T)):
            return solution, lengths


def half_step(R: Tensor, missing: Exact) -> Tensor:
    """R^-T times what is missing, shape (p, 1)."""
    return torch.linalg.solve_triangular(R.T, as_floats([missing]).T, upper=False)


def length_of(vector: Tensor) -> float:
    """The root of the sum of squares, where Tensor.norm() would underflow."""
    return math.hypot(*vector.flatten().tolist())


def check_progress(lengths: list[float]) -> None:
    """Raise ValueError unless the last step is finite and at most half as long as the one before it."""
    shrinks = len(lengths) < 2 or lengths[-1] <= lengths[-2] / 2
    if not (math.isfinite(lengths[-1]) and shrinks):
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


def as_floats(matrix: list[Exact]) -> Tensor:
    """A matrix of fractions as float64, each entry rounded once."""
    return torch.tensor([[float(value) for value in row] for row in matrix], dtype=torch.float64)


def root(value: Fraction) -> float:
    """The square root in float64, without leaving its range on the way."""
    half = (value.numerator.bit_length() - value.denominator.bit_length()) // 2
    return math.ldexp(math.sqrt(value / Fraction(4) ** half), half)


def in_unit(value: float, unit: Fraction, what: str, smallest: float = SMALLEST) -> float:
    """The value times its unit. Raises OverflowError where float64 cannot hold that with all its digits."""
    if not value or math.isnan(value):
        return value
    exact = Fraction(value) * unit
    if not smallest <= exact <= LARGEST:
        power = math.floor((exact.numerator.bit_length() - exact.denominator.bit_length()) * math.log10(2))
        raise OverflowError(
            f"{what} is about 10^{power}, which float64 cannot hold: give the columns and the response in other units"
        )
    return float(exact)
