"""Digits of agreement, and the scoreboard's rows."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.data import thermometers
from helpers.r import lm
from helpers.scoreboard import digits, row, table, whole_digits


@pytest.mark.parametrize(
    "value, reference, expected",
    [
        (1.001, 1.0, 3),
        (999.0, 1000.0, 3),
        (-1.01, -1.0, 2),
        ([1.001, 1.1], [1.0, 1.0], 1),
        ([1.1, 1.001], [1.0, 1.0], 1),
        (0.001, 0.0, 3),
        (2.0, 1.0, 0),
        (-1.0, 1.0, -math.log10(2)),
    ],
)
def test_digits(value, reference, expected):
    assert digits(value, reference) == pytest.approx(expected, abs=1e-9)


def test_digits_at_the_ends():
    assert digits(1.5, 1.5) == math.inf
    assert digits([1.0, math.nan], [1.0, 1.0]) == -math.inf
    assert digits(math.inf, 1.0) == -math.inf


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, np.float32("nan"), torch.tensor(torch.nan)])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("where", ["value", "reference", "both"])
def test_what_is_not_finite_agrees_with_nothing_wherever_it_stands(where, place, bad):
    numbers = {"value": [1.0, 2.0, 3.0], "reference": [1.0, 2.0, 3.0]}
    for name in numbers if where == "both" else [where]:
        numbers[name][place] = bad
    assert digits(numbers["value"], numbers["reference"]) == -math.inf
    assert digits(*(numbers[name][place] for name in numbers)) == -math.inf


@pytest.mark.parametrize(
    "one",
    [np.float64, np.float32, np.array, torch.tensor, Fraction, Decimal, lambda x: torch.tensor(x, requires_grad=True)],
)
def test_one_number_is_one_number_whatever_its_type(one):
    assert digits(one(1.5), 1.0) == pytest.approx(-math.log10(0.5))
    assert digits(1.0, one(1.5)) == pytest.approx(-math.log10(0.5 / 1.5))
    assert digits(one(0.5), one(0.5)) == math.inf
    assert digits([one(1.5), 1.0], (1.0, one(1.0))) == pytest.approx(-math.log10(0.5))


@pytest.mark.parametrize("several", [list, tuple, np.array, torch.tensor, pd.Series, iter])
def test_several_numbers_may_come_in_any_row(several):
    assert digits(several([1.0, 2.0, 3.0]), [1.0, 2.0, 3.003]) == pytest.approx(-math.log10(0.003 / 3.003))
    assert digits(torch.ones(3, 1), several([1.0, 1.0, 1.0])) == math.inf


def test_names_are_no_numbers():
    assert digits(pd.DataFrame([[1.0, 2.0]]), pd.DataFrame([[1.0, 2.002]])) == pytest.approx(3, abs=1e-3)
    with pytest.raises(TypeError, match="list.numbers.values"):
        digits({1: 5.0}, {1: 7.0})


@pytest.mark.parametrize("value, reference", [([1.0], [1.0, 2.0]), ([], []), (torch.ones(2), 1.0), (np.ones(0), 1.0)])
def test_digits_want_as_many_of_each(value, reference):
    with pytest.raises(ValueError, match="as many of each"):
        digits(value, reference)


@pytest.mark.parametrize(
    "agreement, shown",
    [
        (3.99, "3"),
        (0.4, "0"),
        (-2.0, "0"),
        (-math.inf, "0"),
        (11.99, "11"),
        (12.0, "12 or more"),
        (math.inf, "12 or more"),
    ],
)
def test_the_table_counts_whole_digits(agreement, shown):
    assert whole_digits(agreement) == shown


def test_a_row_measures_for_itself():
    fit = lm("c ~ u", thermometers())
    rows = [row("lm()", fit.slope, fit.intercept, 0, fit), row("guess", 0.5, -14, 3, fit)]
    assert rows[0].mse == pytest.approx(fit.mse, rel=1e-12) and rows[0].digits == math.inf
    assert rows[1].mse == pytest.approx(5.235909090909, rel=1e-9) and rows[1].digits < 1
    shown = table(rows)
    assert list(shown.columns) == ["slope", "intercept", "MSE", "steps", "digits"]
    assert shown.loc["guess"].tolist() == ["0.500000", "-14.000000", "5.235909", 3, "0"]


def test_slope_and_intercept_are_not_interchangeable():
    fit = lm("c ~ u", thermometers())
    assert row("swapped", fit.intercept, fit.slope, 0, fit).digits < 0
