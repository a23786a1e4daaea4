"""Figures of chapter 10."""

import pandas as pd
import torch
from torch import Tensor

from helpers.plots import style
from helpers.r import LmResult
from helpers.training import History


def network_losses(history: History, line_training: float, line_validation: float) -> None:
    """Training and validation loss of a network against epoch, with those of lm()'s line as levels.

    history: with a validation loss; both axes logarithmic.
    """
    _, axes = style.new_figure(width=8.5)
    style.draw_curve(axes, "network", range(1, len(history.loss) + 1), history.loss, "network, training")
    style.draw_validation(axes, history.validation_loss, "network, validation")
    style.draw_level(axes, line_training, "lm(), training", linewidth=1.5)
    style.draw_level(axes, line_validation, "lm(), validation", linewidth=1.5, linestyle="--")
    axes.set(xscale="log", yscale="log", xlabel="epoch", ylabel="loss (°C²)")
    style.plain_logarithms(axes.yaxis)
    style.finish(axes, "upper right")


def network_fits(df: pd.DataFrame, kept_back: list[int], u: Tensor, curves: dict[str, Tensor], fit: LmResult) -> None:
    """The readings, those kept back ringed, lm()'s line and one or more networks' curves.

    The span of the readings is shaded, and the picture ends at -22 and 46 °C, where some curves leave it.
    kept_back: row numbers; u: shape (n,), in the thermometer's unit; curves: by label, shape (n,), at most three.
    """
    _, axes = style.new_figure(width=8.5, height=4.8)
    axes.axvspan(df["u"].min(), df["u"].max(), color="#EDEDED", zorder=0)
    style.draw_fit(axes, fit, u)
    style.draw_curves(axes, u, curves, (("-.", 2.2), (":", 3), ("--", 1.5)))
    style.draw_readings(axes, df)
    style.draw_rings(axes, df, kept_back, "kept back")
    style.finish(axes, {"loc": "upper left", "markerscale": 0.7}, ylim=(-22, 46))


def paired_errors(of_lines: Tensor, of_networks: Tensor) -> None:
    """Validation errors of lines and networks on the same splits, against each other, logarithmic.

    of_lines, of_networks: shape (runs,); a run above the diagonal is one that the line has won.
    """
    _, axes = style.new_figure(width=6.5, height=5.6)
    axes.loglog(of_lines, of_networks, "o", color=style.PALETTE["network"], markersize=5, alpha=0.6, label="one run")
    both = torch.stack([of_lines, of_networks])
    span = [0.7 * both.min().item(), 1.4 * both.max().item()]
    style.draw_curve(axes, "data", span, span, "equal", linewidth=1.5)
    axes.set(xlim=span, ylim=span, aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        style.plain_logarithms(axis)
    names = {"xlabel": "validation MSE of the line (°C²)", "ylabel": "validation MSE of the network (°C²)"}
    style.finish(axes, "upper left", **names)


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
