"""What the figures rest on: the loss surface's values, labels that keep the secret, ticks that can be read, titles and
curves that come from the same numbers, axes that are not swapped."""

import importlib
import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from notebook_tools import ROOT, Notebook

from helpers import data, plots
from helpers.loss import mse
from helpers.model import line
from helpers.plots.style import PALETTE, least_squares, loss_values
from helpers.r import lm
from helpers.scoreboard import Row

matplotlib.use("Agg")
FORMULA = re.compile(r"(\w)\(x\) = tanh\((-?[\d.]+) x ([+-]) ([\d.]+)\)")
U, C = data.tensors(torch.float64)


@pytest.fixture(autouse=True)
def figure(monkeypatch):
    """Keeps figures open, for the test to look at, and closes them afterwards."""
    monkeypatch.setattr(plt, "show", lambda: None)
    yield
    plt.close("all")


@pytest.mark.parametrize("package", ["plots", "explore"])
def test_completion_offers_the_figures_that_the_notebooks_show_and_nothing_else(package):
    paths = [path for folder in ("notebooks", "notebooks/solutions") for path in (ROOT / folder).glob("*.ipynb")]
    cells = [cell.source for path in paths for cell in Notebook.read(path).code]
    shown = {name for source in cells for name in re.findall(rf"\b{package}\.(\w+)\(", source)}
    assert sorted(dir(importlib.import_module(f"helpers.{package}"))) == sorted(shown)


def test_a_line_through_a_gap_is_refused_before_lapack_writes_to_the_terminal(capfd):
    assert least_squares(U, C) == pytest.approx((0.5367719, -17.3047855), rel=1e-6)
    for u, c in ((U.where(U != U[3], torch.nan), C), (U, C.where(C != C[3], torch.inf))):
        with pytest.raises(ValueError, match=r"leave out rows \[3\]"):
            least_squares(u, c)
    assert capfd.readouterr() == ("", "")


def test_the_loss_surface_shows_the_loss():
    w, b = np.array([-1.0, 0.5, 2.0]), np.array([-14.0, 3.0])
    values = loss_values(U, C, w, b)
    assert values.shape == (2, 3)
    for row, column in np.ndindex(2, 3):
        assert values[row, column] == pytest.approx(mse(line(U, w[column], b[row]), C).item(), rel=1e-13)


def test_the_unit_stays_a_secret():
    plots.readings(data.thermometers())
    axes = plt.gca()
    assert axes.get_xlabel() == "u (unknown unit)" and axes.get_ylabel() == "c (°C)"
    assert axes.lines[0].get_color() == PALETTE["data"]


def test_residual_bars_run_from_the_line_to_the_reading():
    df = data.thermometers()
    plots.residuals(df, 0.5, -14.0)
    (bars,) = plt.gca().collections
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    assert np.allclose(ends[:, 1] - ends[:, 0], df["c"] - (0.5 * df["u"] - 14))


def test_the_bowl_has_lm_at_its_bottom():
    fit = lm("c ~ u", data.thermometers())
    slopes = [fit.slope + nudge for nudge in (-0.1, 0.0, 0.1)]
    plots.bowl(slopes, [mse(line(U, w, fit.intercept), C).item() for w in slopes], fit)
    curve, cross = plt.gca().lines
    assert cross.get_xydata()[0] == pytest.approx(curve.get_xydata()[1]) and cross.get_label() == "lm()"
    assert curve.get_ydata()[0] == pytest.approx(curve.get_ydata()[2])


def test_the_cross_on_the_loss_surface_is_lms_answer():
    plots.loss_surface(U, C, (-1, 2), (-60, 60))
    cross = next(found for found in plt.figure(1).axes[0].lines if found.get_label() == "lm()")
    assert cross.get_xydata()[0] == pytest.approx([0.5367719, -17.3047855], rel=1e-6)


def test_a_start_alone_has_no_path_in_the_legend():
    for path, named in (([[1.0, 0.0]], False), ([[1.0, 0.0], [0.5, 0.0]], True)):
        plots.loss_surface(U, C, (-1, 2), (-60, 60), path=torch.tensor(path))
        labels = plt.gcf().axes[0].get_legend_handles_labels()[1]
        assert "start" in labels and ("gradient descent" in labels) == named


def test_the_steps_on_the_parabola_lie_on_it():
    plots.bounces({"a": [1.0, -0.5, 0.25], "b": [2.0, 0.0]})
    parabola, steps, start = plt.gcf().axes[0].lines
    assert steps.get_xydata().tolist() == [[1, 1], [-0.5, 0.25], [0.25, 0.0625]]
    assert np.allclose(parabola.get_ydata(), parabola.get_xdata() ** 2) and start.get_xydata().tolist() == [[1, 1]]


def test_the_runners_that_go_on_to_the_end_are_enlarged_and_each_is_named_once():
    plots.race({"slow": (torch.tensor([1, 10, 100]), [-1.0, 0.5, 1.0]), "fast": (torch.tensor([1, 9]), [0.0, 99.0])})
    whole, part = plt.gcf().axes
    assert [line.get_ydata()[-1] for line in whole.lines] == [1, 12]
    assert [line.get_xydata().tolist() for line in part.lines] == [[[1, 0], [10, 0.5], [100, 1]]]
    assert [[text.get_text() for text in axes.texts] for axes in (whole, part)] == [["fast"], ["slow"]]
    plots.race({"slow": (torch.tensor([1, 10]), [0.0, 5.6])})
    assert plt.gcf().axes[1].get_ylim()[1] > 5.6


def test_the_square_of_differences_has_predictions_down_the_side_and_the_diagonal_framed():
    plots.all_differences(torch.tensor([[1.0, -20.0], [3.0, 4.0]]))
    axes = plt.gca()
    assert {text.get_position(): text.get_text() for text in axes.texts} == {
        (0, 0): "1", (1, 0): "-20", (0, 1): "3", (1, 1): "4"
    }  # fmt: skip
    assert [patch.get_xy() for patch in axes.patches] == [(-0.5, -0.5), (0.5, 0.5)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("target", "prediction")


def test_an_error_of_zero_is_left_out_of_a_logarithmic_plot():
    plots.difference_errors(torch.tensor([1e-2, 1e-1]), {"a": torch.tensor([0.0, 1e-3])})
    assert np.isnan(plt.gca().lines[0].get_ydata()).tolist() == [True, False]


# A call, and the points of each line that it draws, by the panel's title and the line's label.
DRAWN = {
    "a loss curve begins at epoch one": (
        lambda: plots.loss_curves({"run": ("descent", torch.tensor([5.0, 2.0, 1.0]))}, floor=0.5),
        {"": {"run": [[1, 5], [2, 2], [3, 1]], "lm()": [[0, 0.5], [1, 0.5]]}},
    ),
    "refinements count steps from one in both panels": (
        lambda: plots.refinements({"Longley": [8.0, 11.0]}, {"Longley": [8.0, 14.6, 14.6]}),
        {"gradient in float64": {"Longley": [[1, 8], [2, 11]]}}
        | {"exact gradient": {"Longley": [[1, 8], [2, 14.6], [3, 14.6]]}},
    ),
    "refinements have the titles that they are given": (
        lambda: plots.refinements({"A": [1.0]}, {"A": [2.0]}, titles=("one", "other")),
        {"one": {"A": [[1, 1]]}, "other": {"A": [[1, 2]]}},
    ),
    "certified digits are drawn at their problem, and a missing answer is not": (
        lambda: plots.certified_digits({"lm()": {"A": 12.5, "B": -np.inf}, "QR": {"A": 9.0, "B": -3.0}}),
        {"": {"lm()": [[12.5, 0]], "QR": [[9, 0], [0, 1]]}},
    ),
    "a certified curve is drawn over its readings": (
        lambda: plots.certified_curve(pd.DataFrame({"y": [1, 2], "x": [0, 1]}), torch.tensor([0, 0.5, 1]), [1, 1.5, 2]),
        {"": {"readings": [[0, 1], [1, 2]], "certified": [[0, 1], [0.5, 1.5], [1, 2]]}},
    ),
    "a miss is drawn after each epoch, in a panel for each network": (
        lambda: plots.modes({name: {"forgotten": [9.0, miss], "right": [5.0]} for name, miss in (("A", 7), ("B", 8))}),
        {name: {"forgotten": [[1, 9], [2, miss]], "right": [[1, 5]]} for name, miss in (("A", 7), ("B", 8))},
    ),
    "two rates begin at the epoch that is said": (
        lambda: plots.rates({"constant": [7.0, 8.0], "falling": [7.0, 6.0]}, first=5),
        {"": {"constant rate": [[5, 7], [6, 8]], "falling rate": [[5, 7], [6, 6]]}},
    ),
    "a curve is drawn from left to right": (
        lambda: plots.pairs(data.cars().iloc[[4, 0, 2]], "speed", "dist", {"line": ("lm", torch.tensor([3, 1, 2]))}),
        {"": {"observed": [[8, 16], [4, 2], [7, 4]], "line": [[4, 1], [7, 2], [8, 3]]}},
    ),
    "digits are drawn from step one, with those of glm() as a level": (
        lambda: plots.digits_by_step([0.5, 1.0, 2.0], 1.7),
        {"": {"Newton's method": [[1, 0.5], [2, 1], [3, 2]], "glm() as it comes": [[0, 1.7], [1, 1.7]]}},
    ),
}


@pytest.mark.parametrize("draw, expected", DRAWN.values(), ids=DRAWN)
def test_what_is_drawn(draw, expected):
    draw()
    panels = plt.gcf().axes
    found = {axes.get_title(): {line.get_label(): line.get_xydata().tolist() for line in axes.lines} for axes in panels}
    assert found == expected
    for axes in panels:
        looks = {(line.get_linestyle(), line.get_marker(), line.get_linewidth()) for line in axes.lines}
        assert len(looks) == len(axes.lines), "no meaning rests on colour alone"
    legends = [axes.get_legend() for axes in panels if axes.get_legend()]
    named = {text.get_text() for legend in legends for text in legend.get_texts()}
    assert named == {label for lines in expected.values() for label in lines}


def test_losses_between_powers_of_ten_are_labelled_in_plain_numbers():
    plots.loss_curves({"run": ("descent", torch.tensor([5.0, 2.0, 1.0]))}, floor=0.5)
    labels = [label.get_text() for label in plt.gca().yaxis.get_majorticklabels()]
    assert "2" in labels and not any("^" in label for label in labels)


def test_turning_a_column_moves_the_foot_more_the_longer_the_residual():
    plots.tilted_columns([0.3, 0.9])
    errors = []
    for axes in plt.gcf().axes:
        thick = [line.get_xydata() for line in axes.lines if line.get_linewidth() == 6]
        errors.append(np.linalg.norm(thick[0][1] - thick[0][0]))
    turn = np.radians(8)
    np.testing.assert_allclose(errors, [abs(np.cos(turn) + r * np.sin(turn) - 1) for r in (0.3, 0.9)], rtol=1e-12)


def test_in_the_metric_of_r_the_valley_is_round_and_the_step_ends_at_the_bottom():
    plots.two_metrics(torch.tensor([[1.0, 0.8], [0.0, 0.4]], dtype=torch.float64), (-1.6, 2.6))
    left, right = plt.gcf().axes
    radii = [np.linalg.norm(axes.lines[0].get_xydata(), axis=1) for axes in (left, right)]
    assert radii[0].max() > 3 * radii[0].min() and np.allclose(radii[1], radii[1][0])
    tips = [note.xy for note in [*left.texts, *right.texts]]
    assert np.allclose(tips[1], 0) and np.allclose(tips[2], 0) and np.linalg.norm(tips[0]) > 0.5


def test_the_law_of_the_noise_goes_through_its_first_point_and_the_gradient_is_a_level():
    plots.gradient_noise((2, 8), {"before": [4.0, 1.0], "after": [2.0, 1.5]}, {"before": 0.5, "after": 0.1})
    for axes, points, level in zip(plt.gcf().axes, ([4, 1], [2, 1.5]), (0.5, 0.1), strict=True):
        law, noise, length = axes.lines
        assert law.get_ydata() == pytest.approx([points[0], points[0] / 2]) and list(noise.get_ydata()) == points
        assert list(length.get_ydata()) == [level, level] and axes.get_xscale() == axes.get_yscale() == "log"


def test_the_tree_of_triangles_ends_in_one():
    plots.tree_of_triangles()
    axes = plt.gca()
    shapes = [type(patch).__name__ for patch in axes.patches]
    assert shapes.count("Rectangle") == 4 and shapes.count("Polygon") == 7
    arrows = [text for text in axes.texts if text.get_text() == ""]
    assert len(arrows) == 10  # each block and each triangle but the last sends one


def neurons_of_the_notebook() -> dict:
    """What the cells up to the first figure define, the weights and biases of the four neurons among it."""
    names = {}
    for cell in Notebook.read(ROOT / "notebooks" / "08_what_neurons_can_learn.ipynb").code:
        if "plots." in cell.source:
            return names
        exec(cell.source, names)
    raise AssertionError("no figure in the notebook")


def curves_by_title(figure) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {axes.get_title(): axes.lines[0].get_data() for axes in figure.axes}


def test_each_title_of_the_four_neurons_is_the_formula_of_its_curve():
    names = neurons_of_the_notebook()
    assert [names["neurons"][name][0] > 0 for name in "ABCD"] == [True, False, True, False], "A and C rise"
    plots.four_neurons(names["x"], names["neurons"])
    drawn = curves_by_title(plt.gcf())
    neurons = {}
    for title, (x, curve) in drawn.items():
        if match := FORMULA.fullmatch(title):
            weight, bias = float(match[2]), float(match[3] + match[4])
            neurons[match[1]] = lambda x, weight=weight, bias=bias: np.tanh(weight * x + bias)
            assert np.allclose(curve, neurons[match[1]](x), atol=1e-12), title
            assert (curve[-1] > curve[0]) == (weight > 0), title
    assert list(neurons) == ["A", "B", "C", "D"]
    A, B, C, D = neurons.values()
    s = A(x) + B(x)
    sums = {"A + B": s, "C + D": C(x) + D(x), "C(A + B)": C(s), "D(A + B)": D(s), "C(A + B) + D(A + B)": C(s) + D(s)}
    assert set(sums) == {title for title in drawn if not FORMULA.fullmatch(title)}
    for title, curve in sums.items():
        assert np.allclose(drawn[title][1], curve, atol=1e-12), title


def test_on_a_loss_surface_the_first_parameter_lies_to_the_east():
    axis = torch.linspace(-8, 8, 33, dtype=torch.float64)
    first, second = torch.meshgrid(axis, axis, indexing="ij")
    losses = 0.1 + (first - 5) ** 2 + (second + 2) ** 2
    path = torch.tensor([[[0.0, 0.0]], [[5.0, -2.0]]], dtype=torch.float64)
    plots.bowl_and_slice(axis, (losses, path), (losses, path))
    for axes in plt.gcf().axes[:2]:
        innermost = next(p for p in axes.collections[0].get_paths() if len(p.vertices))
        assert np.allclose(innermost.vertices.mean(axis=0), (5, -2), atol=0.5)
        way, start, end = (line.get_xydata() for line in axes.lines)
        assert np.allclose(way, [[0, 0], [5, -2]]) and np.allclose(start, [[0, 0]]) and np.allclose(end, [[5, -2]])


def test_in_the_picture_of_the_hidden_units_two_networks_stand_out():
    hidden, output = torch.rand(2, 6, 13, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    plots.hidden_units({"untrained": (hidden, output)} | {"trained": (hidden, -output)})
    left, right = plt.gcf().axes
    for axes, sign in ((left, 1), (right, -1)):
        everyone, *marked = (line.get_xydata() for line in axes.lines)
        assert len(everyone) == 6 * 13
        for points, number in zip(marked, (0, 1), strict=True):
            assert np.allclose(points, torch.stack([hidden[number], sign * output[number]], dim=1))


def test_a_dot_is_filled_where_a_method_has_arrived():
    rows = [
        Row("all", 1.0, 1.0, 1.0, 0, np.inf),
        Row("some", 1.0, 1.0, 1.0, 5000, 3.7),
        Row("none", 1.0, 1.0, 1.0, 2000, -0.2),
    ]
    plots.arrivals(rows, {"all": "lm"})
    left, right = plt.gcf().axes
    dots = [line for line in left.lines if line.get_marker() == "o"]
    assert [dot.get_xydata().tolist() for dot in dots] == [[[12, 0]], [[3.7, 1]], [[0, 2]]]
    assert [dot.get_color() == "white" for dot in dots] == [False, True, True]
    assert dots[0].get_color() == PALETTE["lm"]
    assert dots[1].get_markeredgecolor() == PALETTE["descent"]
    assert [text.get_text() for text in left.get_yticklabels()] == ["all", "some", "none"]
    assert [line.get_xydata().tolist() for line in right.lines] == [[[5000, 1]], [[2000, 2]]]
    assert left.get_ylim()[0] > left.get_ylim()[1], "the first row stands on top"


def test_in_the_picture_of_verdicts_each_run_is_a_dot_in_its_row():
    plots.verdicts({"readings": [-0.5, 0.4], "eruptions": [6.5]})
    axes = plt.gca()
    dots = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "o"]
    assert dots == [[[-0.5, 0], [0.4, 0]], [[6.5, 1]]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["readings", "eruptions"]
    assert axes.yaxis_inverted() and (axes.patches[0].get_x(), axes.patches[0].get_width()) == (-2, 4)


def test_a_yes_costs_less_as_the_logit_grows_and_a_no_more():
    z = torch.tensor([-1.0, 0.0, 2.0], dtype=torch.float64)
    plots.log_losses(z)
    left, right = plt.gcf().axes
    assert np.allclose(left.lines[0].get_ydata(), torch.sigmoid(z))
    found = {line.get_label(): line.get_ydata() for line in right.lines}
    p = torch.sigmoid(z)
    assert np.allclose(found["the truth is yes"], -p.log()) and np.allclose(found["the truth is no"], -(1 - p).log())


def test_along_each_probability_line_the_model_gives_its_probability():
    coefficients = torch.tensor([-45.0, 5.75, 10.4], dtype=torch.float64)
    x, yes = torch.tensor([[3.0, 1.0], [6.0, 2.0], [5.0, 1.9]]), torch.tensor([False, True, True])
    plots.probability_lines(x, yes, coefficients, ("virginica", "versicolor"))
    found = {line.get_label(): line.get_xydata() for line in plt.gca().lines}
    assert found["virginica"].tolist() == pytest.approx(x[1:].numpy()) and len(found["versicolor"]) == 1
    for label, p in (("90%", 0.9), ("50%", 0.5), ("10%", 0.1)):
        z = coefficients[0].item() + found[label] @ coefficients[1:].numpy()
        assert np.allclose(1 / (1 + np.exp(-z)), p)


def test_the_border_on_the_map_is_where_a_model_is_undecided_with_east_to_the_right():
    df = pd.DataFrame({"lat": [-20.0, -30.0], "long": [170.0, 180.0], "deep": [True, False]})
    plots.probability_maps(df, {"east of 175": lambda x: x[:, 1:] - 175, "north of -25": lambda x: x[:, :1] + 25})
    left, right = plt.gcf().axes[:2]
    for axes, column, border in ((left, 0, 175), (right, 1, -25)):
        (line,) = [p.vertices for p in axes.collections[-1].get_paths() if len(p.vertices)]
        assert np.allclose(line[:, column], border)
        assert [points.get_xydata().tolist() for points in axes.lines] == [[[170, -20]], [[180, -30]]]
    assert left.get_title() == "east of 175"


def test_calibration_sets_the_share_that_came_true_against_what_was_said():
    truth = torch.tensor([0.0, 1.0, 1.0, 1.0, 0.0])
    plots.calibration(truth, {"said": torch.tensor([0.1, 0.3, 0.8, 0.9, 0.7])}, [0, 0.5, 1])
    axes = plt.gca()
    (points,) = axes.containers
    assert points.lines[0].get_xydata() == pytest.approx(np.array([[0.2, 0.5], [0.8, 2 / 3]]))
    (bar, _) = points.lines[2][0].get_segments()
    assert bar[:, 1] == pytest.approx([0.5 - 2 * (0.25 / 2) ** 0.5, 0.5 + 2 * (0.25 / 2) ** 0.5])
