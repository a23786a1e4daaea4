"""Figures of chapter 04."""

import math

from torch import Tensor

from helpers.plots import style
from helpers.scoreboard import FULL_AGREEMENT


def optimizer_paths(u: Tensor, c: Tensor, paths: dict[str, Tensor]) -> None:
    """The ways of several optimizers side by side, all on the loss surface of raw u and c.

    paths: by title, (w, b) after every recorded epoch, shape (k, 2).
    """
    _, row = style.new_figure(len(paths), width=11, height=4.6, sharey=True)
    for axes, (title, path) in zip(row, paths.items(), strict=True):
        style.draw_loss(axes, u, c, (-0.9, 1.3), (-20, 3))
        long = len(path) > 100
        style.draw_path(axes, path, label="path", linewidth=0.6 if long else 1.5, markersize=2 if long else 7)
        axes.set(title=title, ylabel=axes.get_ylabel() if axes is row[0] else "")
    style.finish(row[0], "lower left")


def race(runs: dict[str, tuple[Tensor, list[float]]]) -> None:
    """Digits of agreement against gradient evaluations: left all runs, right those that go on to the end, enlarged.

    runs: by name, the evaluations (k,) and the digits (k values) after each of them; digits are drawn from 0 to 12.
    Lines are told apart by marker, dash and the name at their end; the first two are in the colour of descent, the
    next two in grey, the last one in black.
    """
    _, (whole, part) = style.new_figure(2, width=11, height=4.8, gridspec_kw={"width_ratios": [4, 5]})
    furthest = max(float(evaluations[-1]) for evaluations, _ in runs.values())
    styles = [("o--", "descent"), ("s-", "descent"), ("v:", "guess"), ("^-", "guess"), ("D-", "data")]
    for (name, (evaluations, digits)), (look, kind) in zip(runs.items(), styles, strict=False):
        shown = [round(min(max(value, 0), FULL_AGREEMENT), 1) for value in digits]
        slow = float(evaluations[-1]) == furthest
        for axes in (whole, part) if slow else (whole,):
            axes.plot(evaluations, shown, look, color=style.PALETTE[kind], markersize=5, linewidth=1.5)
        place = {"textcoords": "offset points", "va": "center", "color": style.PALETTE[kind]}
        (part if slow else whole).annotate(name, (float(evaluations[-1]), shown[-1]), (8, 0), **place)
    top = max(4, math.ceil(max(line.get_ydata()[-1] for line in part.lines)))
    whole.set(xscale="log", ylim=(-0.4, FULL_AGREEMENT + 0.4), yticks=range(0, FULL_AGREEMENT + 1, 2))
    whole.set_title("all, logarithmic axis")
    whole.set(xlabel="gradient evaluations", ylabel="digits of agreement with lm()")
    part.set(xlim=(0, 1.35 * furthest), ylim=(-0.15, top + 0.15), yticks=range(top + 1))
    part.set_title("the slower ones, plain axis")
    style.finish(part, xlabel="gradient evaluations", xticks=[0, furthest / 2, furthest])


def zero_grad_curves(emptied: Tensor, forgotten: Tensor, floor: float) -> None:
    """Loss against epoch, with zero_grad and without, over the same epochs.

    emptied, forgotten: losses of shape (epochs,); floor: lm()'s loss.
    """
    _, axes = style.new_figure(width=8.5)
    epochs = range(1, len(emptied) + 1)
    style.draw_curve(axes, "guess", epochs, forgotten, "zero_grad forgotten", linestyle="-", linewidth=1.2)
    style.draw_curve(axes, "descent", epochs, emptied, "with zero_grad", linewidth=2.5)
    style.draw_level(axes, floor)
    top = 1.35 * float(forgotten.max())
    style.finish(axes, {"ncols": 3, "loc": "upper center"}, xlabel="epoch", ylabel="loss (°C²)", ylim=(0, top))
