"""Figures of chapter 08: a title and the curve under it come from the same numbers, and axes are not swapped."""

import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from notebook_tools import ROOT, Notebook

from helpers import plots

matplotlib.use("agg")
NOTEBOOK = ROOT / "notebooks" / "08_what_neurons_can_learn.ipynb"
FORMULA = re.compile(r"(\w)\(x\) = tanh\((-?[\d.]+) x ([+-]) ([\d.]+)\)")


@pytest.fixture
def shown(monkeypatch):
    """The figures that were drawn, kept open by a plt.show() that does nothing."""
    monkeypatch.setattr(plt, "show", lambda: None)
    yield lambda: plt.gcf()
    plt.close("all")


def neurons_of_the_notebook() -> dict:
    """What the cells up to the first figure define, the class and the four neurons among it."""
    names = {}
    for cell in Notebook.read(NOTEBOOK).code:
        if "plots." in cell.source:
            return names
        exec(cell.source, names)
    raise AssertionError("no figure in the notebook")


def curves_by_title(figure) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {axes.get_title(): axes.lines[0].get_data() for axes in figure.axes}


def test_each_title_of_the_four_neurons_is_the_formula_of_its_curve(shown, capsys):
    names = neurons_of_the_notebook()
    plots.four_neurons(names["x"], *(names[name] for name in "ABCD"))
    drawn = curves_by_title(shown())
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


def test_in_the_notebook_a_and_c_rise_while_b_and_d_fall():
    names = neurons_of_the_notebook()
    assert [names[name].weight > 0 for name in "ABCD"] == [True, False, True, False]


@pytest.mark.parametrize(
    ("weight", "bias", "formula"),
    [
        (3, 3, "tanh(3 x + 3)"),
        (-4, 6, "tanh(-4 x + 6)"),
        (4, -2, "tanh(4 x - 2)"),
        (-0.5, -1.25, "tanh(-0.5 x - 1.25)"),
    ],
)
def test_a_formula_keeps_both_signs(weight, bias, formula):
    assert plots.tanh_formula(weight, bias) == formula


def test_on_a_loss_surface_the_first_parameter_lies_to_the_east(shown):
    axis = torch.linspace(-8, 8, 33, dtype=torch.float64)
    first, second = torch.meshgrid(axis, axis, indexing="ij")
    losses = 0.1 + (first - 5) ** 2 + (second + 2) ** 2
    path = torch.tensor([[[0.0, 0.0]], [[5.0, -2.0]]], dtype=torch.float64)
    plots.bowl_and_slice(axis, (losses, path), (losses, path))
    for axes in shown().axes[:2]:
        innermost = next(p for p in axes.collections[0].get_paths() if len(p.vertices))
        assert np.allclose(innermost.vertices.mean(axis=0), (5, -2), atol=0.5)
        way, start, end = (line.get_xydata() for line in axes.lines)
        assert np.allclose(way, [[0, 0], [5, -2]]) and np.allclose(start, [[0, 0]]) and np.allclose(end, [[5, -2]])


def test_in_the_picture_of_the_hidden_units_two_networks_stand_out(shown):
    hidden, output = torch.rand(2, 6, 13, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    plots.hidden_units({"untrained": (hidden, output)} | {"trained": (hidden, -output)}, shown=(2, 5))
    left, right = shown().axes
    for axes, sign in ((left, 1), (right, -1)):
        everyone, *marked = (line.get_xydata() for line in axes.lines)
        assert len(everyone) == 6 * 13
        for points, number in zip(marked, (2, 5), strict=True):
            assert np.allclose(points, torch.stack([hidden[number], sign * output[number]], dim=1))
