"""The readings, the line, the loss and its gradient, against arithmetic in exact fractions."""

import subprocess
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

from helpers import data
from helpers.data import split, tensors, thermometers
from helpers.loss import ShapeError, mse, mse_gradient
from helpers.model import line
from helpers.r.session import find_r

U = [Fraction(str(value)) for value in data.UNKNOWN]
C = [Fraction(str(value)) for value in data.CELSIUS]
POINTS = [(Fraction(1), Fraction(0)), (Fraction("0.5"), Fraction("-14")), (Fraction("-0.25"), Fraction("3.5"))]


def exact_residuals(w, b):
    return [w * u + b - c for u, c in zip(U, C, strict=True)]


def test_the_readings():
    df = thermometers()
    assert list(df.columns) == ["u", "c"] and df.shape == (11, 2)
    assert (df.dtypes == "float64").all()
    assert df["u"].sum() == pytest.approx(554.6 + 15.2, abs=1e-9) and df["c"].sum() == pytest.approx(115.5, abs=1e-9)
    assert (df["u"][7], df["c"][7]) == (21.8, -4.0)


def test_the_tensors_are_the_readings():
    u, c = tensors(torch.float64)
    df = thermometers()
    assert np.array_equal(u.numpy(), df["u"]) and np.array_equal(c.numpy(), df["c"])
    assert tensors()[0].dtype == torch.float32 and tensors()[0].shape == (11,)


@pytest.mark.needs_r
def test_the_data_are_those_of_r(tmp_path):
    names = {name: name for name in ("airquality", "faithful", "cars", "iris", "quakes")}
    names |= {"insect_sprays": "InsectSprays"}
    path = (tmp_path / "x").as_posix()
    write = "write.csv({}, paste0('{}', '.{}'), row.names = FALSE)"
    code = "; ".join(write.format(f"datasets::{theirs}", path, ours) for ours, theirs in names.items())
    subprocess.run([find_r(), "--vanilla", "-e", code], check=True, capture_output=True, timeout=60)
    for name in names:
        ours, theirs = getattr(data, name)(), pd.read_csv(f"{path}.{name}")
        assert len(ours) == len(theirs) >= 50
        pd.testing.assert_frame_equal(ours.astype(theirs.dtypes), theirs, check_exact=True)
        kinds = {str(dtype) for dtype in ours.dtypes} - {"float64"}
        assert kinds == ({"category"} if name in ("iris", "insect_sprays") else set())


def test_the_data_are_whole_without_r():
    geyser, cars = data.faithful(), data.cars()
    assert (len(geyser), geyser["waiting"].sum(), round(geyser["eruptions"].sum(), 3)) == (272, 19284, 948.677)
    assert (len(cars), cars["speed"].sum(), cars["dist"].sum()) == (50, 770, 2149)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
def test_readings_are_not_rounded_to_integers(dtype):
    with pytest.raises(TypeError, match="floating-point"):
        tensors(dtype)


def test_the_two_splits_of_the_course():
    first, second = split(11, seed=0), split(11, seed=14322024)
    assert set(first.validation.tolist()) == {6, 7}
    assert second.training.tolist() == [8, 5, 10, 0, 1, 6, 3, 2, 7] and set(second.validation.tolist()) == {4, 9}


@pytest.mark.parametrize("n, share, size", [(11, 0.2, 2), (10, 0.2, 2), (11, 0.5, 5), (100, 0.25, 25)])
def test_a_split_deals_out_every_row_once(n, share, size):
    training, validation = split(n, seed=3, share=share)
    assert len(validation) == size
    assert sorted(training.tolist() + validation.tolist()) == list(range(n))


@pytest.mark.parametrize("n, share", [(4, 0.2), (11, 0.0), (11, 1.0), (0, 0.2), (11, -0.5)])
def test_a_split_with_an_empty_part_is_refused(n, share):
    with pytest.raises(ValueError, match="both parts need rows"):
        split(n, seed=0, share=share)


def test_a_split_leaves_the_global_random_numbers_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    split(11, seed=1)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("w, b", POINTS)
def test_line_loss_and_gradient_are_right(w, b):
    u, c = tensors(torch.float64)
    residuals = exact_residuals(w, b)
    prediction = line(u, float(w), float(b))
    assert prediction.tolist() == pytest.approx([float(w * x + b) for x in U], rel=1e-14)
    assert mse(prediction, c).item() == pytest.approx(float(sum(r * r for r in residuals) / 11), rel=1e-13)
    slope_w, slope_b = mse_gradient(u, c, float(w), float(b))
    assert slope_w.item() == pytest.approx(
        float(2 * sum(r * x for r, x in zip(residuals, U, strict=True)) / 11), rel=1e-13
    )
    assert slope_b.item() == pytest.approx(float(2 * sum(residuals) / 11), rel=1e-13)


def test_the_gradient_by_hand_is_autograds():
    u, c = tensors(torch.float64)
    w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (0.3, -2.0))
    mse(line(u, w, b), c).backward()
    with torch.no_grad():
        by_hand = mse_gradient(u, c, w, b)
    assert torch.allclose(torch.stack([w.grad, b.grad]), torch.stack(by_hand), rtol=1e-13)


@pytest.mark.parametrize("shapes", [((11,), (11, 1)), ((11, 1), (11,)), ((11,), (10,)), ((1,), (11,))])
def test_the_loss_refuses_to_broadcast(shapes):
    with pytest.raises(ShapeError) as caught:
        mse(torch.zeros(shapes[0]), torch.zeros(shapes[1]))
    assert str(shapes[0]) in str(caught.value) and str(shapes[1]) in str(caught.value)
    assert mse(torch.ones(3), torch.zeros(3)).item() == 1


def test_the_gradient_refuses_to_broadcast():
    u, c = tensors()
    with pytest.raises(ShapeError, match=r"\(11, 1\)"):
        mse_gradient(u, c.unsqueeze(1), 1.0, 0.0)
