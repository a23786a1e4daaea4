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


def straight_pieces(x: Tensor, target: Tensor, units: Tensor, sums: dict[str, Tensor], errors: dict[str, dict]) -> None:
    """A curve out of shifted Hardtanh units: the units, numbered on their ramps, their sums, and the largest errors.

    x, target: shape (n,); units: shape (n, k), each with its output weight; sums: by label, shape (n,);
    errors: by label, {number of units: largest error}.
    """
    _, (left, middle, right) = style.new_figure(3, width=11, height=4.4)
    on_white = {"facecolor": "white", "edgecolor": "none"}
    for number, unit in enumerate(units.unbind(1)):
        style.draw_curve(left, "network", x, unit, linestyle=("-", "--", "-.", ":")[number % 4])
        ramp = unit.abs().argmin()
        left.annotate(f"{number + 1}", (x[ramp].item(), unit[ramp].item()), ha="center", va="center", bbox=on_white)
    left.set(title=f"{units.shape[1]} units", xlabel="x")
    style.draw_curve(middle, "data", x, target, "sine", linewidth=1.2)
    for (label, curve), kind in zip(sums.items(), ("descent", "network"), strict=True):
        style.draw_curve(middle, kind, x, curve, label)
    middle.set(title="their sums", xlabel="x", ylim=(-1.1, 1.9))
    middle.legend(loc="upper left")
    for (label, found), (look, kind) in zip(errors.items(), (("o-", "network"), ("s--", "guess")), strict=True):
        right.loglog(list(found), list(found.values()), look, color=style.PALETTE[kind], label=label)
    right.set_xticks(list(found), labels=list(found))
    right.minorticks_off()
    style.finish(right, "lower left", title="largest error", xlabel="units")
