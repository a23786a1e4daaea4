"""The pictures of chapter 12: the scoreboard, and two columns."""

import matplotlib
import numpy as np
import pytest
import torch

from helpers import data, plots
from helpers.scoreboard import Row

matplotlib.use("Agg")


@pytest.fixture
def figure(monkeypatch):
    """Keeps a figure open, for the test to look at, and closes it afterwards."""
    monkeypatch.setattr(plots.plt, "show", lambda: None)
    yield plots.plt
    plots.plt.close("all")


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
