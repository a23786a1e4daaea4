"""Figures of chapter 07."""

import torch
from torch import Tensor

from helpers.plots import style


def activation_gallery(x: Tensor, curves: dict[str, tuple[Tensor, Tensor]]) -> None:
    """One panel per activation, its curve solid and its slope dashed, on shared axes.

    x: shape (n,); curves: by name, (values, slopes), each of shape (n,). A slope that jumps is drawn with a gap.
    """
    _, rows = style.new_figure(-(-len(curves) // 2), width=11, height=6, rows=2, sharex=True, sharey=True)
    for axes, (name, (values, slopes)) in zip(rows.flat, curves.items(), strict=True):
        with_gaps = slopes.clone()
        with_gaps[1:][slopes.diff().abs() > 0.3] = torch.nan
        style.draw_curve(axes, "network", x, values, "f(x)", linestyle="-", linewidth=2.5)
        style.draw_curve(axes, "descent", x, with_gaps, "slope f′(x)")
        axes.set_title(name)
    for axes in rows[-1]:
        axes.set_xlabel("x")
    style.finish(rows.flat[0], "upper left")


def gradient_factors(panels: dict[str, dict[float, list[float]]]) -> None:
    """What a gradient is multiplied by on its way back, against the number of layers.

    panels: by name of the activation, and then by gain, the factors after 0, 1, 2, ... layers.
    """
    _, row = style.new_figure(len(panels), width=11, height=5, sharey=True)
    for axes, (name, runs) in zip(row, panels.items(), strict=True):
        for (gain, factors), look in zip(runs.items(), ("v:", "s-.", "o--", "^-"), strict=True):
            layers = range(len(factors))
            axes.semilogy(layers, factors, look, color=style.PALETTE["network"], markersize=5, linewidth=1.5)
            place = (layers[-1], factors[-1])
            axes.annotate(f"gain {gain:g}", place, (8, 0), textcoords="offset points", va="center")
        axes.axhline(1, color=style.PALETTE["data"], linewidth=0.8)
        axes.set(title=name, xlabel="layers passed", xlim=(-0.5, layers[-1] * 1.5), xticks=layers[::2])
    style.finish(row[0], ylabel="factor of the gradient")


def slope_zones(x: Tensor, slopes: dict[str, Tensor], sensitive: float, saturated: float) -> None:
    """One strip per activation: tall where it is sensitive, low where it is flat, none where its slope is zero.

    x: shape (n,); slopes: by name, shape (n,); sensitive, saturated: shares of an activation's own largest slope.
    """
    _, axes = style.new_figure(width=9.5, height=5.5)
    for row, slope in enumerate(slopes.values()):
        size = slope.abs() / slope.abs().max()
        zones = (size > sensitive, (size >= saturated) & (size <= sensitive), (size < saturated) & (size > 1e-12))
        for zone, height, strength in zip(zones, (0.8, 0.4, 0.12), (1.0, 0.5, 1.0), strict=True):
            color = style.PALETTE["guess" if height < 0.2 else "network"]
            axes.fill_between(x, row - height / 2, row + height / 2, zone, color=color, alpha=strength, linewidth=0)
    axes.set_yticks(range(len(slopes)), labels=list(slopes))
    axes.grid(visible=False, axis="y")
    title = "tall: sensitive; half as tall: in between; thin: flat; nothing: slope zero"
    axes.invert_yaxis()
    style.finish(axes, xlabel="x", title=title)


def awakenings(x: Tensor, target: Tensor, panels: dict[str, dict[int, tuple[Tensor, Tensor]]]) -> None:
    """What a neuron says at several epochs, in one panel per activation, beside the readings.

    x, target: the readings, shape (n,); panels: by name, {epoch: (grid, values)}, each of one shape.
    """
    _, row = style.new_figure(len(panels), width=11, height=4.4, sharey=True)
    looks = ((":", 2.0), ("--", 1.6), ("-.", 2.0), ("-", 3.0))
    for axes, (name, curves) in zip(row, panels.items(), strict=True):
        axes.plot(x, target, "o", color=style.PALETTE["data"], label="readings")
        for (epoch, (grid, values)), (dash, width) in zip(curves.items(), looks, strict=True):
            style.draw_curve(axes, "network", grid, values, f"epoch {epoch}", linestyle=dash, linewidth=width)
        axes.set(title=name, xlabel="standardised u")
    style.finish(row[0], "upper left", ylabel="temperature in tens of °C")


def straight_pieces(x: Tensor, target: Tensor, units: list[Tensor], sums: dict[str, Tensor]) -> None:
    """A curve out of shifted Hardtanh units: the units, numbered on their ramps, and their sums.

    x, target: shape (n,); units: k tensors of shape (n,), each with its output weight; sums: by label, shape (n,).
    """
    _, (left, right) = style.new_figure(2, width=10, height=4.4)
    on_white = {"facecolor": "white", "edgecolor": "none"}
    for number, unit in enumerate(units):
        style.draw_curve(left, "network", x, unit, linestyle=("-", "--", "-.", ":")[number % 4])
        ramp = unit.abs().argmin()
        left.annotate(f"{number + 1}", (x[ramp].item(), unit[ramp].item()), ha="center", va="center", bbox=on_white)
    left.set(title=f"{len(units)} units", xlabel="x")
    style.draw_curve(right, "data", x, target, "sine", linewidth=1.2)
    for (label, curve), kind in zip(sums.items(), ("descent", "network"), strict=True):
        style.draw_curve(right, kind, x, curve, label)
    style.finish(right, "upper left", title="their sums", xlabel="x", ylim=(-1.1, 1.9))
