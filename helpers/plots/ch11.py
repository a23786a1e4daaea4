"""Figures of chapter 11."""

import pandas as pd
from torch import Tensor

from helpers.plots import style


def validation_by_epoch(epochs: list[int], curves: dict[str, Tensor], level: float) -> None:
    """A summary of the validation errors of many networks against epoch, and the lines' as a level.

    epochs: k numbers; curves: by label, shape (k,), at most two.
    """
    _, axes = style.new_figure(width=8.5)
    style.draw_curves(axes, epochs, curves, (("-.", 2.2), (":", 3.5)))
    style.draw_level(axes, level, "line", linewidth=1.5)
    axes.set(yscale="log", xlabel="epoch", ylabel="median validation MSE (°C²)")
    style.plain_logarithms(axes.yaxis)
    style.finish(axes, "upper right")


def room_fits(df: pd.DataFrame, hours: Tensor, curves: dict[str, tuple[str, Tensor]]) -> None:
    """Readings over two days, and curves fitted to them.

    df: columns hour and c; hours: shape (n,); curves: by label, (kind, values of shape (n,)).
    """
    _, axes = style.new_figure(width=10.5, height=5)
    axes.plot(df["hour"], df["c"], "o", color=style.PALETTE["data"], markersize=3, alpha=0.6, label="readings")
    for label, (kind, values) in curves.items():
        style.draw_curve(axes, kind, hours, values, label, linewidth=2.5)
    axes.set(xlabel="hour", ylabel="c (°C)", xticks=range(0, 49, 6), ylim=(11.5, 25.5))
    style.finish(axes, {"loc": "upper center", "ncols": len(curves) + 1})
