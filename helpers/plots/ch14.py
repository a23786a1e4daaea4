"""Figures of chapter 14."""

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import NullFormatter

from helpers.plots import style


def modes(curves: dict[str, dict[str, list[float]]]) -> None:
    """A panel for each network: the miss on unseen rows after each epoch, one curve for each way of measuring it."""
    _, row = style.new_figure(len(curves), width=10.5, height=4.2, sharey=True)
    for axes, (network, ways) in zip(row, curves.items(), strict=True):
        styles = [("guess", ":", "s"), ("validation", "-", "o")]
        for (way, values), (kind, dash, marker) in zip(ways.items(), styles, strict=True):
            epochs = range(1, len(values) + 1)
            style.draw_curve(axes, kind, epochs, values, way, linestyle=dash, marker=marker, markersize=5)
        axes.set(title=network, xlabel="epoch", ylim=(0, None))
        axes.tick_params(labelleft=True)
    style.finish(row[0], "lower left", ylabel="miss on unseen quakes (km)")


def gradient_noise(sizes: Sequence[int], measured: dict[str, list[float]], length: dict[str, float]) -> None:
    """A panel for each model: the noise of a batch's gradient against the batch's size, both axes logarithmic.

    measured: the noise by size; length: of the gradient of all rows, drawn as a level.
    """
    _, row = style.new_figure(len(measured), width=10.5, height=4.2, sharey=True)
    for axes, (name, noises) in zip(row, measured.items(), strict=True):
        law = noises[0] * np.sqrt(sizes[0] / np.array(sizes))
        style.draw_curve(axes, "guess", sizes, law, "one over the root of the size")
        style.draw_curve(axes, "descent", sizes, noises, "noise of a batch", linestyle="", marker="o", markersize=8)
        axes.axhline(length[name], color=style.PALETTE["network"], linestyle="-.", label="gradient of all rows")
        axes.set(title=name, xscale="log", yscale="log", xlabel="rows in the batch")
        axes.set_xticks(sizes, labels=[str(size) for size in sizes])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(labelleft=True)
    style.finish(row[0], "lower left", ylabel="length")


def rates(runs: dict[str, Sequence[float]], first: int) -> None:
    """The miss on unseen rows, with a constant rate and with a falling one, from so many epochs on."""
    _, axes = style.new_figure(height=4.2)
    styles = [("guess", ":", "s"), ("network", "-", "o")]
    for (rate, values), (kind, dash, marker) in zip(runs.items(), styles, strict=True):
        epochs = range(first, first + len(values))
        style.draw_curve(axes, kind, epochs, values, f"{rate} rate", linestyle=dash, marker=marker, markersize=5)
    style.finish(axes, "upper right", xlabel="epochs done", ylabel="miss on unseen quakes (km)")
