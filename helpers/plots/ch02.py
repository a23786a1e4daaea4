"""Figures of chapter 02."""

import numpy as np
import torch
from matplotlib.ticker import LogFormatterSciNotation
from torch import Tensor

from helpers.plots import style


def loss_surface(u: Tensor, c: Tensor, w_span: tuple, b_span: tuple, path: Tensor | None = None) -> None:
    """The loss over slope and intercept, with lm's answer and, if given, a path of shape (epochs, 2)."""
    figure, axes = style.new_figure(height=5)
    filled = style.draw_loss(axes, u, c, w_span, b_span)
    if path is not None:
        style.draw_path(axes, path)
    bar = figure.colorbar(filled, label="loss (°C²)", format=LogFormatterSciNotation())
    bar.set_ticks([10.0**k for k in range(9) if bar.vmin <= 10.0**k <= bar.vmax])
    style.finish(axes, "upper right")


def bounces(walks: dict[str, list[float]]) -> None:
    """Steps of gradient descent on the parabola p squared, a panel for each walk.

    walks: by title, the places p of a walk, beginning with its start.
    """
    _, row = style.new_figure(len(walks), width=11, height=3.6, sharey=True)
    p = np.linspace(-2.2, 2.2, 101)
    for axes, (title, walk) in zip(row, walks.items(), strict=True):
        places = np.array(walk)
        axes.plot(p, p**2, color=style.PALETTE["guess"], linewidth=1.5)
        style.draw_curve(axes, "descent", places, places**2, marker=".", markersize=10, linewidth=1.5)
        axes.plot(places[:1], places[:1] ** 2, "o", **style.START)
        axes.set(title=title, xlabel="p", ylabel="loss" if axes is row[0] else "", xticks=range(-2, 3))
    style.finish(row[0], "upper center")


def descent_panels(c: Tensor, *panels: tuple[str, Tensor, Tensor, tuple, tuple]) -> None:
    """Several paths side by side, each on its own loss surface.

    panels: (title, u, path, w_span, b_span); path of shape (epochs, 2).
    """
    _, row = style.new_figure(len(panels), width=11, height=4.2)
    for axes, (title, u, path, w_span, b_span) in zip(row, panels, strict=True):
        style.draw_loss(axes, u, c, w_span, b_span)
        style.draw_path(axes, path)
        axes.set(title=title, ylabel=axes.get_ylabel() if axes is row[0] else "")
    style.finish(row[-1], "lower right")


def difference_errors(deltas: Tensor, errors: dict[str, Tensor]) -> None:
    """Relative error of a difference quotient against its delta, both axes logarithmic.

    deltas: shape (k,); errors: by label, shape (k,); an error of exactly 0 is not drawn.
    """
    _, axes = style.new_figure(height=5)
    styles = [("o-", "descent"), ("s--", "lm"), ("^-.", "network"), ("v:", "data")]
    for (label, values), (look, kind) in zip(errors.items(), styles, strict=False):
        values = values.double().where(values != 0, torch.nan)
        axes.loglog(deltas, values, look, color=style.PALETTE[kind], label=label, markersize=6, linewidth=1.5)
    style.finish(axes, "best", xlabel="delta", ylabel="relative error of dL/dw")


def loss_curves(curves: dict[str, tuple[str, Tensor]], floor: float) -> None:
    """Loss against epoch, both axes logarithmic, and lm()'s loss as a level.

    curves: by label, (kind, losses of shape (epochs,)).
    """
    _, axes = style.new_figure()
    for label, (kind, losses) in curves.items():
        style.draw_curve(axes, kind, range(1, len(losses) + 1), losses, label)
    style.draw_level(axes, floor)
    axes.set(yscale="log", xlabel="epoch", ylabel="loss (°C²)")
    style.plain_logarithms(axes.yaxis)
    style.finish(axes, "best", xscale="log")
