"""Figures of chapter 08."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from helpers.plots import style
from helpers.r import LmResult


def tanh_formula(weight: float, bias: float) -> str:
    """The formula of a tanh neuron, from its numbers: tanh(2 x - 1)."""
    return f"tanh({weight:g} x {'-' if bias < 0 else '+'} {abs(bias):g})"


def four_neurons(x: Tensor, neurons: dict[str, tuple[float, float]]) -> None:
    """Nine panels: A, B, A + B; C, D, C + D; C and D fed with A + B, and the sum of these.

    x: shape (n,); neurons: weight and bias of A, B, C and D, which give both curve and title.
    """

    def output(name: str, x: Tensor) -> Tensor:
        weight, bias = neurons[name]
        return torch.tanh(weight * x + bias)

    A, B, C, D = ((f"{name}(x) = {tanh_formula(*pair)}", output(name, x)) for name, pair in neurons.items())
    total = A[1] + B[1]
    above = [A, B, ("A + B", total), C, D, ("C + D", C[1] + D[1])]
    behind = {name: output(name, total) for name in "CD"}
    below = [
        *((f"{name}(A + B)", curve) for name, curve in behind.items()),
        ("C(A + B) + D(A + B)", sum(behind.values())),
    ]
    _, rows = style.new_figure(3, width=10.5, height=7.5, rows=3, sharex=True, sharey=True)
    for axes, (title, curve) in zip(rows.flat, above + below, strict=True):
        axes.plot(x, curve, color=style.PALETTE["network"], linewidth=2.5)
        axes.set(title=title, xlabel="x" if axes in rows[-1] else "")
    style.finish(axes)


def approximations(
    x: Tensor, target: tuple[str, Tensor], curves: dict[str, Tensor], span: tuple[float, float], zoom: tuple
) -> None:
    """A known function and two networks that imitate it: the whole, and a part enlarged.

    x: shape (n, 1); target: label and values, shape (n, 1); curves: by label, the coarse one first, shape (n, 1);
    span: where they are to hold, shaded; zoom: (lowest x, highest x, lowest y, highest y) of the part.
    The fine one is a broad pale band, the target a thin line on it, the coarse one dotted on top of both.
    """
    _, (whole, part) = style.new_figure(2, width=11, height=4.2)
    dotted = {"linestyle": ":", "linewidth": 3, "zorder": 5}
    band = {"linestyle": "-", "linewidth": 8, "alpha": 0.4, "zorder": 3}
    for axes in (whole, part):
        axes.axvspan(*span, color="#E8E8E8", zorder=0, label="the interval")
        for (label, curve), look in zip(curves.items(), (dotted, band), strict=True):
            style.draw_curve(axes, "network", x, curve, label, **look)
        style.draw_curve(axes, "data", x, target[1], target[0], linewidth=1.5, zorder=4)
        axes.set_xlabel("x")
    part.axis(zoom)
    part.set_title("enlarged")
    style.finish(whole, "upper center")


def bowl_and_slice(axis: Tensor, of_line: tuple[Tensor, Tensor], of_network: tuple[Tensor, Tensor]) -> None:
    """The line's loss and a slice of a network's, with the ways of gradient descent on both.

    axis: shape (n,), for both parameters; of_line, of_network: the losses, shape (n, n), first parameter by row, and
    the paths, shape (epochs, starts, 2).
    """
    figure, row = style.new_figure(2, width=11, height=4.9)
    bounds = np.geomspace(0.037, max(of_line[0].max().item(), of_network[0].max().item()), 24)
    panels = (
        (*of_line, "the line: all its parameters", "slope w", "intercept b"),
        (*of_network, "a network: a slice", "hidden bias p", "hidden bias q"),
    )
    span = (axis[0].item(), axis[-1].item())
    for axes, (losses, paths, title, first, second) in zip(row, panels, strict=True):
        filled = style.draw_contours(axes, axis, axis, losses.T, bounds)
        for path in paths.unbind(1):
            style.draw_curve(axes, "descent", *path.T, linestyle="-", linewidth=1.8)
        axes.plot(*paths[0].T, "o", **style.START)
        axes.plot(*paths[-1].T, "X", color=style.PALETTE["data"], markeredgecolor="white", markersize=11, label="end")
        axes.set(title=title, xlabel=first, ylabel=second, xlim=span, ylim=span)
    bar = figure.colorbar(filled, ax=row, label="loss")
    bar.set_ticks([0.1, 1, 10, 100], labels=["0.1", "1", "10", "100"])
    bar.minorticks_off()
    style.finish(row[1], "upper right")


def many_losses(losses: Tensor, floor: float) -> None:
    """Loss of many networks against epoch, and lm()'s as a horizontal line.

    losses: shape (epochs, networks), in squared degrees Celsius.
    """
    _, axes = style.new_figure()
    axes.plot(np.arange(1, len(losses) + 1), losses, color=style.PALETTE["network"], linewidth=0.5, alpha=0.3)
    style.draw_curve(axes, "network", [], [], f"{losses.shape[1]} networks", linestyle="-")
    style.draw_level(axes, floor)
    axes.set(xscale="log", yscale="log", xlabel="epoch", ylabel="loss (°C²)")
    style.plain_logarithms(axes.yaxis)
    style.finish(axes, "best")


def many_curves(df: pd.DataFrame, u: Tensor, panels: dict[str, Tensor], fit: LmResult) -> None:
    """Curves of many networks, one panel per stage, with the readings and lm()'s line.

    u: shape (n,), in the thermometer's unit; panels: by title, shape (networks, n), in degrees Celsius.
    The span of the readings is shaded.
    """
    _, row = style.new_figure(len(panels), width=11, height=4.6, sharey=True)
    for axes, (title, curves) in zip(row, panels.items(), strict=True):
        axes.axvspan(df["u"].min(), df["u"].max(), color="#E8E8E8", zorder=0)
        axes.plot(u, curves.T, color=style.PALETTE["network"], linewidth=0.5, alpha=0.35)
        style.draw_curve(axes, "network", [], [], f"{len(curves)} networks", linestyle="-")
        style.draw_fit(axes, fit, u, linewidth=1.2)
        style.draw_readings(axes, df)
        axes.set_title(title)
    row[-1].set_ylabel("")
    style.finish(row[0], "upper left")


def hidden_units(panels: dict[str, tuple[Tensor, Tensor]]) -> None:
    """Every hidden unit of many networks as a point: hidden weight against output weight.

    panels: by title, (hidden weights, output weights), each (networks, units); the first two networks stand out.
    """
    _, row = style.new_figure(len(panels), width=11, height=4.6, sharex=True, sharey=True)
    for axes, (title, (hidden, output)) in zip(row, panels.items(), strict=True):
        axes.plot(hidden.flatten(), output.flatten(), ".", color="#BFBFBF", markersize=3, label="all networks")
        for number, marker, kind in ((0, "s", "network"), (1, "^", "data")):
            options = {"color": style.PALETTE[kind], "markeredgecolor": "white", "markersize": 10, "linestyle": ""}
            axes.plot(hidden[number], output[number], marker, label=f"network {number}", **options)
        axes.set(title=title, xlabel="hidden weight")
    style.finish(row[0], "upper left", ylabel="output weight")
