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


def tilted_columns(lengths: Sequence[float]) -> None:
    """A column of X and the same column a little turned, with y projected on both, for residuals of these lengths.

    On each column y is a residual's length away from the foot at 1; the thick piece is how far the foot moves along
    the column when the column is turned by eight degrees.
    """
    turn = np.radians(8)
    turned = np.array([np.cos(turn), np.sin(turn)])
    _, row = style.new_figure(len(lengths), width=11, height=4.6, sharey=True)
    for axes, length in zip(row, lengths, strict=True):
        y, foot = np.array([1, length]), turned * np.dot(turned, [1, length])
        style.draw_curve(axes, "lm", [0, 1.3], [0, 0], "column", linewidth=2.5)
        style.draw_curve(axes, "guess", *zip([0, 0], 1.3 * turned, strict=True), "column, rounded", linestyle="--")
        style.draw_curve(axes, "lm", [1, 1], [0, length], linestyle=":", linewidth=1.5)
        style.draw_curve(axes, "guess", *zip(y, foot, strict=True), linewidth=1.5)
        moved = {"linestyle": "-", "linewidth": 6, "solid_capstyle": "butt"}
        style.draw_curve(axes, "descent", *zip(turned, foot, strict=True), "error of the coefficient", **moved)
        axes.plot(*y, "o", color=style.PALETTE["data"], markersize=8)
        axes.annotate("y", y, xytext=(8, 2), textcoords="offset points", fontsize=style.FONT_SIZE)
        name = "small residual" if length < max(lengths) else "large residual"
        axes.set(title=name, aspect="equal", xlim=(0, 1.6), ylim=(-0.1, 1.05))
        axes.set(xticks=[], yticks=[])
    style.finish(row[0], "upper left")


def two_metrics(R: Tensor, start: tuple[float, float]) -> None:
    """A narrow valley with two ways down from the start, and the same in coordinates in which it is round.

    R: triangular, shape (2, 2): the loss at d = beta - best is the squared length of R d; start: d at the start.
    Left, the plane of d; right, that of R d.
    """
    triangle, begin = R.numpy(), np.array(start)
    circle = np.stack([np.cos(np.linspace(0, 2 * np.pi, 200)), np.sin(np.linspace(0, 2 * np.pi, 200))])
    radius = np.linalg.norm(triangle @ begin)
    downhill = -triangle.T @ triangle @ begin
    reach = (downhill @ downhill) / np.sum((triangle @ downhill) ** 2)  # the lowest point on that line
    _, (left, right) = style.new_figure(2, width=11, height=4.4)
    for axes, change in ((left, np.linalg.inv(triangle)), (right, np.eye(2))):
        for share in (0.25, 0.5, 0.75, 1, 1.25):
            style.draw_curve(axes, "guess", *(change @ circle * radius * share), linestyle="-", linewidth=1)
        to_plane = change @ triangle
        for kind, step in (("descent", reach * downhill), ("data", -begin)):
            along = {"arrowstyle": "-|>", "color": style.PALETTE[kind], "linewidth": 2.5, "shrinkA": 0, "shrinkB": 0}
            along |= {"mutation_scale": 18, "linestyle": "--" if kind == "descent" else "-"}
            if axes is left or kind == "data":
                axes.annotate("", xy=to_plane @ (begin + step), xytext=to_plane @ begin, arrowprops=along)
        axes.plot(*(to_plane @ begin), "o", **style.START | {"label": None})
        axes.plot(0, 0, "*", color=style.PALETTE["lm"], markersize=14)
        axes.set(aspect="equal", xticks=[], yticks=[])
    style.draw_curve(left, "descent", [], [], "downhill", linestyle="--", linewidth=2.5)
    style.draw_curve(left, "data", [], [], "the step", linestyle="-", linewidth=2.5)
    left.set_title("coefficients: a narrow valley")
    left.legend(loc="upper right")
    style.finish(right, title="R times the coefficients: a round bowl")
