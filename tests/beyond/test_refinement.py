"""The refined solver: right to the last digit on random problems, and plain words for what it cannot solve."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest
import torch

from helpers.beyond.refinement import refine
from helpers.data import tensors, thermometers
from helpers.loss import ShapeError
from helpers.r import lm
from helpers.scoreboard import digits


def by_elimination(X, y) -> tuple[list[Fraction], list[Fraction]]:
    """Coefficients, and the diagonal of the inverse of X'X, by Gauss and Jordan in fractions. X of full rank."""
    columns = list(zip(*X, strict=True))
    size = len(columns)
    table = [
        [sum(Fraction(a) * b for a, b in zip(left, right, strict=True)) for right in [*columns, y]]
        + [Fraction(row == column) for column in range(size)]
        for row, left in enumerate(columns)
    ]
    for pivot in range(size):
        table[pivot] = [value / table[pivot][pivot] for value in table[pivot]]
        for row in range(size):
            if row != pivot:
                factor = table[row][pivot]
                table[row] = [a - factor * b for a, b in zip(table[row], table[pivot], strict=True)]
    return [row[size] for row in table], [row[size + 1 + place] for place, row in enumerate(table)]


def random_problem(seed: int) -> tuple[list[list[int]], list[int]]:
    """Whole numbers; in every third problem the last column is nearly a copy of the first."""
    numbers = random.Random(seed)
    size = numbers.randint(1, 5)
    n = size + numbers.randint(0, 6)
    X = [[numbers.randint(-99, 99) for _ in range(size)] for _ in range(n)]
    if size > 1 and seed % 3 == 0:
        for row in X:
            row[-1] = 10**7 * row[0] + numbers.randint(-9, 9)
    return X, [numbers.randint(-999, 999) for _ in range(n)]


@pytest.mark.parametrize("seed", range(40))
def test_it_equals_elimination_in_fractions(seed):
    X, y = random_problem(seed)
    coefficients, diagonal = by_elimination(X, y)
    found = refine(X, y)
    worst = max(abs(a - b) for a, b in zip(found.coefficients, coefficients, strict=True))
    assert worst <= Fraction(1, 10**20) * max(map(abs, coefficients))
    residuals = [
        target - sum(a * b for a, b in zip(row, coefficients, strict=True)) for row, target in zip(X, y, strict=True)
    ]
    rss = sum(residual**2 for residual in residuals)
    assert found.df_residual == len(X) - len(X[0]) and abs(found.rss - rss) <= Fraction(1, 10**20) * (rss + 1)
    if found.df_residual:
        expected = [math.sqrt(rss / found.df_residual * value) for value in diagonal]
        assert digits(found.standard_errors, expected) > 15
    else:
        assert math.isnan(found.residual_sd) and all(map(math.isnan, found.standard_errors))


def test_decimals_in_quotes_are_decimals_and_floats_are_binary():
    rows = [[1, "0.1"], [1, "0.2"], [1, "0.3"]]
    on_a_line = ["1.2", "1.4", "1.6"]
    in_quotes, in_binary = refine(rows, on_a_line), refine([[1, float(x)] for _, x in rows], map(float, on_a_line))
    assert max(abs(in_quotes.coefficients[1] - 2), abs(in_quotes.coefficients[0] - 1)) < Fraction(1, 10**25)
    assert in_quotes.rss < Fraction(1, 10**50) < Fraction(1, 10**40) < in_binary.rss


def test_numbers_of_numpy_and_torch_are_numbers():
    rows = [[np.float32(1), torch.tensor(0.1)], [np.int64(1), np.float32(0.2)], [1, 0.5]]
    assert refine(rows, [1, 2, 3]) == refine([[float(x) for x in row] for row in rows], [1, 2, 3])


def test_it_takes_tensors_and_agrees_with_lm_on_the_readings():
    u, c = tensors(torch.float64)
    found = refine(torch.stack([torch.ones_like(u), u], dim=1), c)
    fit = lm("c ~ u", thermometers())
    table = fit.coefficients
    assert digits(table["Estimate"], found.coefficients) > 13
    assert digits(table["Std. Error"], found.standard_errors) > 13
    assert digits(fit.sigma, found.residual_sd) > 13 and found.df_residual == fit.df_residual


def test_it_reports_how_the_gradient_shrank():
    X, y = random_problem(3)
    found = refine(X, y)
    assert found.iterations == len(found.gradient) >= 3
    predictions = [sum(a * b for a, b in zip(row, found.coefficients, strict=True)) for row in X]
    length = math.sqrt(sum(value**2 for value in predictions))
    assert found.gradient[0] == pytest.approx(length, rel=1e-3), "from 0 the first step goes nearly all the way"
    assert all(later < earlier / 1000 for earlier, later in zip(found.gradient, found.gradient[1:], strict=False))


@pytest.mark.parametrize("power", [50, 150, -150])
def test_a_coefficient_far_smaller_than_another_has_its_digits_too(power):
    X, _ = random_problem(9)
    large = Fraction(10) ** power
    for noise in (0, 1):
        y = [large * row[0] + 3 * row[1] + noise * (place % 2) for place, row in enumerate(X)]
        coefficients, diagonal = by_elimination(X, y)
        found = refine(X, y)
        assert digits(found.coefficients, coefficients) > 15
        fitted = [sum(a * b for a, b in zip(row, coefficients, strict=True)) for row in X]
        rss = sum((target - value) ** 2 for target, value in zip(y, fitted, strict=True))
        if not noise:
            assert found.coefficients[2:] == (0,) * (len(X[0]) - 2) and found.rss == rss == 0
            assert found.residual_sd == 0 and set(found.standard_errors) == {0}
        elif rss:
            assert digits(found.standard_errors, [math.sqrt(rss / found.df_residual * d) for d in diagonal]) > 15


@pytest.mark.parametrize("residual", [Fraction(1, 10**20), Fraction(1, 10**28)])
def test_residuals_far_below_the_response_are_no_zeros(residual):
    X = [[1, 0], [1, 1], [1, 2], [1, 3]]
    y = [1 + Fraction(x, 3) + sign * residual for (_, x), sign in zip(X, (1, -1, -1, 1), strict=True)]
    found = refine(X, y)
    assert digits(found.residual_sd, math.sqrt(2) * float(residual)) > 14


@pytest.mark.parametrize(
    "size, message",
    [
        (Fraction(10) ** 400, r"standard error of coefficient 1 is about 10\^-40\d, which float64 cannot hold"),
        (Fraction(10) ** -320, r"standard error of coefficient 1 is about 10\^3(19|20), which float64 cannot hold"),
    ],
)
def test_a_standard_error_beyond_float64_is_said(size, message):
    rows = [[1, size], [1, 2 * size], [1, 4 * size]]
    with pytest.raises(OverflowError, match=message):
        refine(rows, [1, 2, 2])
    exact = refine(rows, [1, 2, 4])
    assert exact.standard_errors == (0, 0) and exact.coefficients[0] == 0
    assert abs(exact.coefficients[1] * size - 1) < 1e-30


def test_a_response_of_zeros_and_one_at_right_angles_give_zeros():
    assert refine([[1], [1]], [0, 0]).coefficients == (0,)
    assert refine([[1], [1]], [1, -1]).coefficients == (0,)


@pytest.mark.parametrize(
    "X, y, error, message",
    [
        ([[1, 2], [1, 3]], [1, math.nan], ValueError, r"y\[1\] is nan, no finite number"),
        ([[1, math.inf], [1, 3]], [1, 2], ValueError, r"X\[0\]\[1\] is inf, no finite number"),
        ([[1, "two"], [1, 3]], [1, 2], ValueError, r"X\[0\]\[1\] is 'two', no finite number"),
        ([[1, "1/0"], [1, 3]], [1, 2], ValueError, r"X\[0\]\[1\] is '1/0', no finite number"),
        ([[1, None], [1, 3]], [1, 2], TypeError, r"X\[0\]\[1\] is of type NoneType"),
        ([1.0, 2.0], [1, 2], TypeError, r"X\[0\] is 1.0: X has a row of numbers for each reading"),
        (thermometers(), [1] * 11, TypeError, r"X\[0\] is 'u': X has a row"),
        ([[1, 2], [1]], [1, 2], ShapeError, "the rows of X have 1 to 2 numbers"),
        ([[1, 2], [1, 3]], [1, 2, 3], ShapeError, "X has 2 rows, y has 3 numbers"),
        ([], [], ValueError, "nothing to fit"),
        ([[], []], [1, 2], ValueError, "nothing to fit"),
        ([[1, 2]], [1], ValueError, "at least as many rows as columns"),
        ([[1, 0], [1, 0], [1, 0]], [1, 2, 3], ValueError, "column 1 of X .counted from 0. is zero, or a combination"),
        (
            [[1, 2], [2, 4], [3, 6]],
            [1, 2, 3],
            ValueError,
            "column 1 of X .counted from 0. is zero, or a combination|did not shrink",
        ),
    ],
)
def test_what_cannot_be_solved_is_said(X, y, error, message):
    with pytest.raises(error, match=message):
        refine(X, y)


@pytest.mark.parametrize("seed", range(10))
def test_dependent_columns_are_always_found(seed):
    """The last column is a sum of the others: X'X has no inverse, so no steps towards its columns can end."""
    numbers = random.Random(seed)
    X = [[numbers.randint(-99, 99) / 7 for _ in range(3)] for _ in range(8)]
    X = [[*row, Fraction(row[0]) + Fraction(row[1]) / 3 - Fraction(row[2])] for row in X]
    with pytest.raises(ValueError, match="Leave out what the other columns already say"):
        refine(X, range(8))


def test_the_limit_is_a_condition_number_near_1e15():
    def line(gap):
        return refine([[1, 1], [1, 1 + Fraction(1, gap)], [1, 1 - Fraction(1, gap)]], [1, 2, 4])

    assert digits(line(10**13).coefficients[1:], [-(10**13)]) == math.inf
    with pytest.raises(ValueError, match="subtract a middle value"):
        line(10**17)
