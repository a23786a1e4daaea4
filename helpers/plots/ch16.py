"""Figures of chapter 16."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from helpers.plots import style


def certified_curve(df: pd.DataFrame, x: Tensor, curve: Sequence[float]) -> None:
    """A problem's readings and the curve of its certified coefficients.

    df: columns x and y; x, curve: where the curve is drawn, as many of each.
    """
    _, axes = style.new_figure(width=8.5, height=4.2)
    axes.plot(df["x"], df["y"], "o", color=style.PALETTE["data"], markersize=5, alpha=0.6, label="readings")
    style.draw_curve(axes, "guess", x, curve, "certified", linewidth=3)
    style.finish(axes, "upper left", xlabel="x", ylabel="y")


def refinements(
    left: dict[str, Sequence[float]],
    right: dict[str, Sequence[float]],
    titles: tuple[str, str] = ("gradient in float64", "exact gradient"),
) -> None:
    """Digits after each step, by problem, of two ways that the titles name."""
    _, row = style.new_figure(2, width=11, height=4.4, sharey=True)
    for axes, title, curves in zip(row, titles, (left, right), strict=True):
        for (label, digits), look in zip(curves.items(), ("o-", "s--", "D:"), strict=False):
            steps, colour = range(1, len(digits) + 1), style.PALETTE["descent"]
            axes.plot(steps, digits, look, color=colour, markersize=8, label=label)
        axes.set(title=title, xlabel="step", ylim=(-0.5, 15.5), yticks=range(0, 16, 3))
    row[0].set_ylabel("correct digits")
    style.finish(row[1], "lower right")


def certified_digits(methods: dict[str, dict[str, float]]) -> None:
    """Correct digits of up to three methods on each problem, as points from 0 to 15.

    methods: by label, digits by problem; the first in lm()'s colour, the second in grey, the third in descent's.
    What is not finite is not drawn.
    """
    problems = list(next(iter(methods.values())))
    _, axes = style.new_figure(width=8.5, height=0.8 + 0.4 * len(problems))
    styles = (("lm", "o", 12), ("guess", "s", 7), ("descent", "D", 9))
    for (label, digits), (kind, marker, size) in zip(methods.items(), styles, strict=False):
        shown = [(max(digits[name], 0), place) for place, name in enumerate(problems) if np.isfinite(digits[name])]
        colour = style.PALETTE[kind]
        outline = {"markeredgecolor": colour, "markeredgewidth": 2, "markersize": size, "label": label}
        axes.plot(*zip(*shown, strict=True), marker, color="white" if kind == "lm" else colour, **outline)
    axes.set(yticks=range(len(problems)), yticklabels=problems, ylim=(len(problems) - 0.4, -0.6))
    style.finish(axes, "lower left", xlim=(-0.5, 15.7), xticks=range(0, 16, 3), xlabel="correct digits")
