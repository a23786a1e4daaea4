"""Figures of chapter 13."""

from collections.abc import Sequence

import pandas as pd
from torch import Tensor

from helpers.plots import style
from helpers.scoreboard import FULL_AGREEMENT, Row


def arrivals(rows: Sequence[Row], kinds: dict[str, str]) -> None:
    """The scoreboard as a picture: left the digits of every method, right its steps.

    rows: lines of the scoreboard, drawn from top to bottom; kinds: by method, its colour, that of descent by default.
    Digits are drawn from 0 to 12, where the scoreboard stops counting; a method that solves in one go has no steps.
    """
    height = 1.2 + 0.36 * len(rows)
    _, (left, right) = style.new_figure(2, width=11, height=height, sharey=True, gridspec_kw={"width_ratios": [3, 2]})
    for place, row in enumerate(rows):
        kind = kinds.get(row.method, "descent")
        shown = min(max(row.digits, 0), FULL_AGREEMENT)
        style.draw_curve(left, kind, [0, shown], [place, place], linestyle="-", linewidth=3)
        filled = style.PALETTE[kind] if shown == FULL_AGREEMENT else "white"
        look = {"markeredgecolor": style.PALETTE[kind], "markeredgewidth": 2, "markersize": 9}
        left.plot(shown, place, "o", color=filled, **look, zorder=3)
        if row.steps:
            right.plot(row.steps, place, "s", color=style.PALETTE[kind], markersize=8)
        else:
            note = {"color": style.PALETTE["guess"], "backgroundcolor": "white"}
            right.text(0.03, place, "none", transform=right.get_yaxis_transform(), va="center", **note)
    left.axvline(FULL_AGREEMENT, color=style.PALETTE["lm"], linewidth=1.2, zorder=1)
    left.set(xlim=(-0.4, FULL_AGREEMENT + 0.6), xticks=range(0, FULL_AGREEMENT + 1, 3))
    left.set_xlabel("digits of agreement with lm()")
    left.set(yticks=range(len(rows)), yticklabels=[row.method for row in rows], ylim=(len(rows) - 0.4, -0.6))
    style.finish(right, xscale="log", xlim=(0.5, 60_000), xlabel="steps")


def pairs(df: pd.DataFrame, x_label: str, y_label: str, curves: dict[str, tuple[str, Tensor]] | None = None) -> None:
    """Two columns as points, and curves over them.

    df: the first column goes to the right, the second upwards; curves: by label, (kind, values at the rows of df).
    """
    _, axes = style.new_figure(width=8.5, height=4.8)
    x, y = (df[name].to_numpy() for name in df.columns)
    axes.plot(x, y, "o", color=style.PALETTE["data"], markersize=5, alpha=0.5, label="observed")
    order = x.argsort()
    for label, (kind, values) in (curves or {}).items():
        style.draw_curve(axes, kind, x[order], values[order], label, linewidth=3)
    style.finish(axes, "upper left" if curves else None, xlabel=x_label, ylabel=y_label)


def verdicts(apart: dict[str, Sequence[float]]) -> None:
    """Mean gains of networks over the line, divided by their standard errors; a row an entry, a dot a run.

    The band reaches from -2 to 2: a gain within it can't be told from none.
    """
    _, axes = style.new_figure(width=9, height=1.6 + 0.6 * len(apart))
    axes.axvspan(-2, 2, color=style.PALETTE["guess"], alpha=0.15, label="no verdict")
    axes.axvline(0, color=style.PALETTE["lm"], linewidth=2, label="as good as lm()")
    for place, values in enumerate(apart.values()):
        axes.plot(values, [place] * len(values), "o", color=style.PALETTE["network"], markersize=9, alpha=0.6)
    axes.set(yticks=range(len(apart)), yticklabels=apart, ylim=(len(apart) - 0.5, -0.5))
    style.finish(axes, "center right", xlabel="mean gain of the network over the line, in standard errors")
