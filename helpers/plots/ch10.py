"""Figures of chapter 10."""

import torch
from torch import Tensor

from helpers.plots import style
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
