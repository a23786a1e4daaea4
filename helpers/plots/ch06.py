"""Figures of chapter 06."""

import pandas as pd
from torch import Tensor

from helpers.plots import style
from helpers.r import LmResult


def neuron_curves(x: Tensor, *panels: dict[str, Tensor]) -> None:
    """Outputs of neurons with one input, one panel per group, told apart by dash and width.

    x: shape (n,); panels: by label, outputs of shape (n,), at most three in a panel.
    """
    _, row = style.new_figure(len(panels), width=11, height=4.4, sharey=True)
    above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1), "ncols": 3, "borderpad": 0.2, "frameon": False}
    for axes, curves in zip(row, panels, strict=True):
        style.draw_curves(axes, x, curves, (("-", 1.8), ("--", 2.6), (":", 3.4)))
        axes.set(xlabel="input x", ylim=(-1.1, 1.1), yticks=(-1, -0.5, 0, 0.5, 1))
        axes.legend(**above, handlelength=1.9, handletextpad=0.4, columnspacing=0.9)
    style.finish(row[0], ylabel="output o")


def sums_of_neurons(x: Tensor, panels: dict[str, Tensor]) -> None:
    """The contributions of hidden neurons as thin lines and their sum as a thick one.

    x: shape (n, 1); panels: by title, contributions of shape (n, neurons), at most three neurons.
    """
    figure, row = style.new_figure(len(panels), width=11, height=4.4)
    for axes, (title, parts) in zip(row, panels.items(), strict=True):
        named = {f"neuron {number}": part for number, part in enumerate(parts.T, start=1)}
        style.draw_curves(axes, x, named, (("--", 1.5), (":", 1.5), ("-.", 1.5)), "guess")
        style.draw_curve(axes, "network", x, parts.sum(dim=1), "sum", linestyle="-", linewidth=3.5)
        axes.set(title=title, xlabel="input x")
    figure.legend(*row[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, handlelength=3)
    style.finish(row[0], ylabel="output y")


def neuron_fits(df: pd.DataFrame, u: Tensor, curves: dict[str, Tensor], fit: LmResult) -> None:
    """The readings, lm()'s line, and the curves of single neurons, told apart by dash.

    u: shape (n,), in the thermometer's unit; curves: by label, shape (n,), in degrees Celsius, at most two.
    """
    _, axes = style.new_figure(width=8.5, height=4.8)
    style.draw_fit(axes, fit, u)
    style.draw_curves(axes, u, curves, (("-.", 2), (":", 3.4)))
    style.draw_readings(axes, df)
    style.finish(axes, "upper left")
