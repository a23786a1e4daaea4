"""What chapter 12 rests on: R's two data sets, and the pictures of the scoreboard and of two columns."""

import matplotlib
import numpy as np
import pytest
import torch

from helpers import data, plots, r
from helpers.scoreboard import Row

matplotlib.use("Agg")


@pytest.fixture
def figure(monkeypatch):
    """Keeps a figure open, for the test to look at, and closes it afterwards."""
    monkeypatch.setattr(plots.plt, "show", lambda: None)
    yield plots.plt
    plots.plt.close("all")


@pytest.mark.needs_r
@pytest.mark.parametrize("name, shape", [("faithful", (272, 2)), ("cars", (50, 2))])
def test_the_data_are_those_of_r(name, shape):
    ours = getattr(data, name)()
    assert ours.shape == shape and (ours.dtypes == "float64").all()
    evaluate = r.start_r().evaluate
    assert list(ours.columns) == list(evaluate(f"names(datasets::{name})"))
    for column in ours:
        assert ours[column].tolist() == list(evaluate(f"as.numeric(datasets::{name}${column})"))


def test_the_data_are_whole_without_r():
    geyser, cars = data.faithful(), data.cars()
    assert (len(geyser), geyser["waiting"].sum(), round(geyser["eruptions"].sum(), 3)) == (272, 19284, 948.677)
    assert (len(cars), cars["speed"].sum(), cars["dist"].sum()) == (50, 770, 2149)


def test_a_dot_is_filled_where_a_method_has_arrived(figure):
    rows = [
        Row("all", 1.0, 1.0, 1.0, 0, np.inf),
        Row("some", 1.0, 1.0, 1.0, 5000, 3.7),
        Row("none", 1.0, 1.0, 1.0, 2000, -0.2),
    ]
    plots.arrivals(rows, {"all": "lm"})
    left, right = figure.gcf().axes
    dots = [line for line in left.lines if line.get_marker() == "o"]
    assert [dot.get_xydata().tolist() for dot in dots] == [[[12, 0]], [[3.7, 1]], [[0, 2]]]
    assert [dot.get_color() == "white" for dot in dots] == [False, True, True]
    assert dots[0].get_color() == plots.PALETTE["lm"]
    assert dots[1].get_markeredgecolor() == plots.PALETTE["descent"]
    assert [text.get_text() for text in left.get_yticklabels()] == ["all", "some", "none"]
    assert [line.get_xydata().tolist() for line in right.lines] == [[[5000, 1]], [[2000, 2]]]
    assert left.get_ylim()[0] > left.get_ylim()[1], "the first row stands on top"


def test_a_curve_is_drawn_from_left_to_right(figure):
    df = data.cars().iloc[[4, 0, 2]]
    plots.pairs(df, "speed", "distance", {"line": ("lm", torch.tensor([3.0, 1.0, 2.0]))})
    points, curve = figure.gca().lines
    assert points.get_xydata().tolist() == df.to_numpy().tolist()
    assert curve.get_xydata().tolist() == [[4, 1], [7, 2], [8, 3]]
