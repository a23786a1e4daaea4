"""TSQR: whatever the cuts and the order, the triangle of all rows."""

from __future__ import annotations

from statistics import median

import pytest
import torch

from helpers.beyond.tsqr import Reduced, reduce_pair, tsqr
from helpers.data import PLANT_COEFFICIENTS, PLANT_COLUMNS, plant
from helpers.loss import ShapeError
from helpers.scoreboard import digits

ROWS, P = 1000, 4


@pytest.fixture(scope="module")
def table() -> tuple[torch.Tensor, torch.Tensor]:
    """1000 rows with columns of different size, and y that they explain but for noise."""
    generator = torch.Generator().manual_seed(14)
    X = torch.randn(ROWS, P, generator=generator, dtype=torch.float64) * torch.tensor([1, 10, 0.1, 100.0])
    X[:, 0] = 1
    return X, X @ torch.tensor([3.0, -2, 5, 0.5], dtype=torch.float64) + torch.randn(
        ROWS, generator=generator, dtype=torch.float64
    )


def cut(X, y, sizes):
    """The rows in blocks of these sizes."""
    return zip(X.split(sizes), y.split(sizes), strict=True)


def agree(left: Reduced, right: Reduced) -> None:
    """Same triangle, to some hundred roundings."""
    assert left.rows == right.rows
    scale = right.r.abs().max()
    torch.testing.assert_close(left.r, right.r, rtol=1e-12, atol=1e-14 * scale)
    torch.testing.assert_close(left.qty, right.qty, rtol=1e-12, atol=1e-13 * right.qty.abs().max())
    assert left.rss == pytest.approx(right.rss, rel=1e-12)


def test_one_block_is_the_qr_decomposition(table):
    X, y = table
    reduced = tsqr([table])
    Q, R = torch.linalg.qr(X)
    signs = R.diagonal().sign()
    torch.testing.assert_close(reduced.r, signs[:, None] * R, rtol=1e-12, atol=1e-10)
    torch.testing.assert_close(reduced.qty, signs * (Q.T @ y), rtol=1e-12, atol=1e-10)
    assert reduced.rows == ROWS
    assert (reduced.r.diagonal() > 0).all() and torch.equal(reduced.r, reduced.r.triu())


def test_coefficients_and_residuals_are_those_of_all_rows_at_once(table):
    X, y = table
    before = X.clone(), y.clone()
    reduced = tsqr(cut(X, y, [100] * 10))
    assert torch.equal(X, before[0]) and torch.equal(y, before[1])
    expected = torch.linalg.lstsq(X, y.unsqueeze(1), driver="gelsd").solution.squeeze(1)
    torch.testing.assert_close(reduced.coefficients(), expected, rtol=1e-12, atol=1e-12)
    assert reduced.rss == pytest.approx(float(((y - X @ expected) ** 2).sum()), rel=1e-12)


@pytest.mark.parametrize("sizes", [[500, 500], [1, 999], [999, 1], [3, 2, 0, 995], [7] * 142 + [6]])
def test_the_cuts_do_not_matter(table, sizes):
    agree(tsqr(cut(*table, sizes)), tsqr([table]))


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_targets_whose_squares_leave_the_range_of_float64(table, scale):
    X, y = table
    usual, extreme = tsqr(cut(X, y, [500, 500])), tsqr(cut(X, scale * y, [500, 500]))
    torch.testing.assert_close(extreme.coefficients(), scale * usual.coefficients(), rtol=1e-12, atol=0)
    assert extreme.residual_length == pytest.approx(scale * usual.residual_length, rel=1e-12, abs=0)
    assert extreme.rss == (float("inf") if scale > 1 else 0)


@pytest.mark.parametrize("spread", [1, 0.1])
def test_the_digits_are_those_of_qr_where_columns_resemble_one_another(spread):
    ones, found = torch.ones(7).tolist(), {"tsqr": [], "QR": [], "normal equations": []}
    for seed in range(9):
        x = torch.rand(3000, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        x[:250] *= spread  # the first block says little about the higher powers
        x = 5.8 * x.repeat_interleave(2) - 8.8
        X = x.unsqueeze(1) ** torch.arange(7)  # condition number 5e5 with columns of one length
        y = X.sum(dim=1) + torch.tensor([1.0, -1]).repeat(3000)  # every column is orthogonal to this noise
        Q, R = torch.linalg.qr(X)
        found["QR"].append(torch.linalg.solve_triangular(R, (Q.T @ y).unsqueeze(1), upper=True).flatten())
        found["normal equations"].append(torch.linalg.solve(X.T @ X, X.T @ y))
        found["tsqr"].append(tsqr(cut(X, y, [500] * 12)).coefficients())
    usual = {way: median(digits(answer.tolist(), ones) for answer in answers) for way, answers in found.items()}
    assert usual["normal equations"] < 5 < usual["QR"] - 2
    assert usual["tsqr"] > usual["QR"] - 0.7  # of one draw, they differ by up to two either way


def test_order_and_shape_of_the_tree_do_not_matter(table):
    a, b, c, d = (tsqr([block]) for block in cut(*table, [100, 200, 300, 400]))
    chain = reduce_pair(reduce_pair(reduce_pair(a, b), c), d)
    agree(reduce_pair(reduce_pair(d, b), reduce_pair(c, a)), chain)
    agree(chain, tsqr([table]))


def test_fewer_rows_than_columns_wait_for_more(table):
    X, y = table
    few = tsqr([(X[:2], y[:2])])
    assert few.rows == 2 and few.r.shape == (P, P) and few.qty.shape == (P,) and few.rss == 0
    with pytest.raises(ValueError, match="2 rows cannot determine 4 coefficients"):
        few.coefficients()
    agree(reduce_pair(few, tsqr([(X[2:], y[2:])])), tsqr([table]))


def with_ones(chunk: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A chunk of the plant's record as a block: the intercept's column and nine inputs, and the power."""
    rows = plant(chunk)
    return torch.column_stack([torch.ones(len(rows), dtype=torch.float64), rows[:, :9]]), rows[:, 9]


def test_the_plants_record_is_the_same_in_every_run_and_follows_its_coefficients():
    rows = plant(3)
    assert rows.shape == (20_000, 10) and torch.equal(rows, plant(3)) and not torch.equal(rows, plant(4))
    assert torch.equal(rows, rows.round(decimals=1))
    assert 0 <= rows[:, :9].min() and rows[:, :9].max() <= 100
    X, y = with_ones(3)
    off = y - X @ torch.tensor(PLANT_COEFFICIENTS, dtype=torch.float64)
    assert 2.9 < off.max() < 3.06 and -3.06 < off.min() < -2.9 and off.mean().abs() < 0.05


@pytest.mark.needs_r
def test_lm_agrees_on_a_part_that_r_can_hold():
    import pandas as pd

    from helpers.r import lm

    part = pd.DataFrame(torch.cat([plant(chunk) for chunk in range(2)]).numpy(), columns=PLANT_COLUMNS)
    fit = lm("power ~ .", part)
    reduced = tsqr(with_ones(chunk) for chunk in range(2))
    assert reduced.rows == len(fit.residuals) == 40_000
    assert digits(reduced.coefficients().tolist(), fit.coefficients["Estimate"].tolist()) > 11
    assert reduced.rss / reduced.rows == pytest.approx(fit.mse, rel=1e-12)


@pytest.mark.parametrize("column", [0, 3])
def test_a_dependent_column_is_named(table, column):
    X, y = table
    X = X.clone()
    X[:, column] = 0 if column == 0 else X[:, 0] - 2 * X[:, 1]
    with pytest.raises(ValueError, match=f"column {column} of X"):
        tsqr(cut(X, y, [300, 700])).coefficients()


@pytest.mark.parametrize(
    ("blocks", "error", "words"),
    [
        ([], ValueError, "no blocks"),
        ([(torch.ones(3, 2), torch.ones(3))], TypeError, "X has to be a tensor of float64, not dtype torch.float32"),
        ([(torch.ones(3, 2).double(), [1, 2, 3])], TypeError, "y has to be a tensor of float64, not list"),
        ([(torch.ones(3, 2).double(), torch.ones(3, 1).double())], ShapeError, r"y has shape \(3, 1\)"),
        ([(torch.ones(3).double(), torch.ones(3).double())], ShapeError, r"X has shape \(3,\)"),
        ([(torch.ones(3, 2).double(), torch.tensor([1, float("nan"), 2]).double())], ValueError, "nan or inf"),
        ([(torch.ones(3, p).double(), torch.ones(3).double()) for p in (2, 3)], ShapeError, "2 and 3 columns"),
    ],
)
def test_blocks_that_cannot_be_reduced_say_so(blocks, error, words):
    with pytest.raises(error, match=words):
        tsqr(blocks)


def test_features_that_a_network_has_computed_are_numbers(table):
    X, y = table
    found = tsqr([(X.clone().requires_grad_(), y)]).coefficients()
    assert not found.requires_grad and torch.equal(found, tsqr([(X, y)]).coefficients())


def test_an_error_of_the_reader_comes_through():
    def broken():
        raise TypeError("the file is empty")
        yield

    with pytest.raises(TypeError, match="the file is empty"):
        tsqr(broken())
