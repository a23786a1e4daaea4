"""What the figures rest on: the loss surface's values, labels that keep the secret, ticks that can be read."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch

from helpers import plots
from helpers.data import tensors, thermometers
from helpers.loss import mse
from helpers.model import line

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def figure(monkeypatch):
    """Keeps figures open, for the test to look at, and closes them afterwards."""
    monkeypatch.setattr(plots.plt, "show", lambda: None)
    yield
    plots.plt.close("all")


def test_the_loss_surface_shows_the_loss():
    u, c = tensors(torch.float64)
    w, b = np.array([-1.0, 0.5, 2.0]), np.array([-14.0, 3.0])
    values = plots.loss_values(u, c, w, b)
    assert values.shape == (2, 3)
    for row, column in np.ndindex(2, 3):
        assert values[row, column] == pytest.approx(mse(line(u, w[column], b[row]), c).item(), rel=1e-13)


def test_the_unit_stays_a_secret():
    plots.readings(thermometers())
    axes = plots.plt.gca()
    assert axes.get_xlabel() == "u (unknown unit)" and axes.get_ylabel() == "c (°C)"
    assert axes.lines[0].get_color() == plots.PALETTE["data"]


def test_residual_bars_run_from_the_line_to_the_reading():
    df = thermometers()
    plots.residuals(df, 0.5, -14.0)
    (bars,) = plots.plt.gca().collections
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    assert np.allclose(ends[:, 1] - ends[:, 0], df["c"] - (0.5 * df["u"] - 14))


def test_the_cross_on_the_loss_surface_is_lms_answer():
    u, c = tensors(torch.float64)
    plots.loss_surface(u, c, (-1, 2), (-60, 60))
    cross = next(found for found in plots.plt.figure(1).axes[0].lines if found.get_label() == "lm()")
    assert cross.get_xydata()[0] == pytest.approx([0.5367719, -17.3047855], rel=1e-6)


def test_a_loss_curve_begins_at_epoch_one():
    plots.loss_curves({"run": ("descent", torch.tensor([5.0, 2.0, 1.0]))}, floor=0.5)
    curve, floor = plots.plt.gca().lines
    assert curve.get_xydata().tolist() == [[1, 5], [2, 2], [3, 1]] and list(floor.get_ydata()) == [0.5, 0.5]
    labels = [label.get_text() for label in plots.plt.gca().yaxis.get_majorticklabels()]
    assert "2" in labels and not any("^" in label for label in labels)


def test_an_error_of_zero_is_left_out_of_a_logarithmic_plot():
    plots.difference_errors(torch.tensor([1e-2, 1e-1]), {"a": torch.tensor([0.0, 1e-3])})
    assert np.isnan(plots.plt.gca().lines[0].get_ydata()).tolist() == [True, False]


def test_certified_digits_are_drawn_at_their_problem_and_a_missing_answer_is_not():
    plots.certified_digits(
        {"lm()": {"A": 12.5, "B": -np.inf}, "QR": {"A": 9.0, "B": -3.0}, "exact": {"A": 15, "B": 14.3}}
    )
    axes = plots.plt.gca()
    found = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert found == {"lm()": [[12.5, 0]], "QR": [[9, 0], [0, 1]], "exact": [[15, 0], [14.3, 1]]}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A", "B"]
    assert len({line.get_marker() for line in axes.lines}) == 3


def test_refinements_count_steps_from_one_in_both_panels():
    plots.refinements({"Longley": [8.0, 11.0]}, {"Longley": [8.0, 14.6, 14.6]})
    left, right = plots.plt.gcf().axes
    assert left.lines[0].get_xydata().tolist() == [[1, 8], [2, 11]]
    assert right.lines[0].get_xydata().tolist() == [[1, 8], [2, 14.6], [3, 14.6]]
    assert left.get_title() == "gradient in float64" and right.get_legend().get_texts()[0].get_text() == "Longley"
    plots.refinements({"A": [1.0]}, {"A": [2.0]}, titles=("one", "other"))
    assert [axes.get_title() for axes in plots.plt.gcf().axes] == ["one", "other"]


def test_a_certified_curve_is_drawn_over_its_readings():
    df = pd.DataFrame({"y": [1.0, 2.0], "x": [0.0, 1.0]})
    plots.certified_curve(df, torch.tensor([0.0, 0.5, 1.0]), [1.0, 1.5, 2.0])
    readings, curve = plots.plt.gca().lines
    assert readings.get_xydata().tolist() == [[0, 1], [1, 2]] and list(curve.get_ydata()) == [1, 1.5, 2]


def test_batches_are_drawn_at_the_ends_of_epochs_and_step_by_step():
    values = torch.tensor([8.0, 4.0, 2.0, 1.0, 0.5, 0.25])
    plots.batch_descents({"all": (values, 1), "thirds": (values, 3)}, most=6)
    left, right = plots.plt.figure(1).axes
    assert left.lines[1].get_xydata().tolist() == [[1, 2], [2, 0.25]]
    assert right.lines[1].get_xydata().tolist() == [[step, values[step - 1]] for step in range(1, 7)]
    assert left.lines[1].get_marker() != left.lines[0].get_marker()


def test_the_spread_of_batches_keeps_its_two_kinds_apart():
    plots.batch_spread([1, 2], torch.tensor([3.0, 0.0]), torch.tensor([3.0, 2.1]))
    grey, points = plots.plt.gca().lines
    assert points.get_marker() == "o" and "without" in points.get_label() and points.get_ydata()[1] == 0
    assert "with replacement" in grey.get_label()


def test_the_tree_of_triangles_ends_in_one():
    plots.tree_of_triangles()
    axes = plots.plt.gca()
    shapes = [type(patch).__name__ for patch in axes.patches]
    assert shapes.count("Rectangle") == 4 and shapes.count("Polygon") == 7
    arrows = [text for text in axes.texts if text.get_text() == ""]
    assert len(arrows) == 10  # each block and each triangle but the last sends one
