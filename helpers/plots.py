"""Every figure of the notebooks. Scaffolding: the idea of a figure stays in the notebook, its drawing stands here.

Colours are from the Okabe-Ito palette (Okabe & Ito 2008), those with a contrast of at least 3:1 on white.
One colour has one meaning through the whole course, and each series also differs in marker or dash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle
from matplotlib.ticker import FuncFormatter, LogFormatterSciNotation, LogLocator, MultipleLocator, NullFormatter
from torch import Tensor

from helpers.scoreboard import FULL_AGREEMENT

if TYPE_CHECKING:
    import pandas as pd

    from helpers.r import LmResult
    from helpers.scoreboard import Row
    from helpers.training import History

PALETTE = {
    "data": "#000000",
    "lm": "#0072B2",
    "descent": "#D55E00",
    "network": "#009E73",
    "validation": "#CC79A7",
    "guess": "#595959",
}
FONT_SIZE = 13

STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E0E0E0",
    "axes.axisbelow": True,
    "font.size": FONT_SIZE,
    "axes.titlesize": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "legend.fontsize": FONT_SIZE - 1,
    "legend.frameon": True,
    "legend.framealpha": 0.9,
    "lines.linewidth": 2,
}
UNKNOWN_LABEL = "u (unknown unit)"
CELSIUS_LABEL = "c (°C)"
DASHES = {"lm": "-", "descent": "--", "network": "-.", "validation": ":", "guess": ":", "data": "-"}


def new_figure(columns: int = 1, width: float = 7.5, height: float = 4.5, **options: Any) -> tuple[Figure, Any]:
    """A figure in the course's style with its axes (one, or an array of several side by side)."""
    plt.rcParams.update(STYLE)
    return plt.subplots(1, columns, figsize=(width, height), layout="constrained", **options)


def draw_readings(axes: Axes, df: pd.DataFrame, label: str = "readings") -> None:
    """The eleven readings as points, with the axis labels."""
    axes.plot(df["u"], df["c"], "o", color=PALETTE["data"], markersize=7, label=label, zorder=3)
    axes.set(xlabel=UNKNOWN_LABEL, ylabel=CELSIUS_LABEL)


def draw_rings(axes: Axes, df: pd.DataFrame, rows: int | list[int], label: str) -> None:
    """A ring around the readings of these rows, such as those that a fit has not seen."""
    style = {"color": "none", "markeredgecolor": PALETTE["validation"], "markeredgewidth": 3, "markersize": 17}
    axes.plot(df["u"][rows], df["c"][rows], "o", **style, label=label)


def draw_line(axes: Axes, slope: float, intercept: float, kind: str, label: str, span: tuple = (18, 86)) -> None:
    """A straight line over the span of u, in the colour and dash of its kind."""
    ends = np.array(span)
    axes.plot(ends, slope * ends + intercept, DASHES[kind], color=PALETTE[kind], label=label)


def readings(df: pd.DataFrame) -> None:
    """Scatter plot of the readings. Used in chapter 01."""
    _, axes = new_figure()
    draw_readings(axes, df)
    plt.show()


def residuals(df: pd.DataFrame, slope: float, intercept: float, kind: str = "guess") -> None:
    """The readings, a line, and each residual as a vertical bar from the line to its reading. Used in chapter 01."""
    _, axes = new_figure()
    on_line = slope * df["u"] + intercept
    axes.vlines(df["u"], on_line, df["c"], color=PALETTE["descent"], linewidth=3, label="residuals")
    draw_line(axes, slope, intercept, kind, f"{slope:g} u {intercept:+g}")
    draw_readings(axes, df)
    axes.legend()
    plt.show()


def lines(df: pd.DataFrame, *named: tuple[str, str, float, float]) -> None:
    """The readings and several lines, each given as (label, kind, slope, intercept). Used in chapters 01 and 02."""
    _, axes = new_figure()
    for label, kind, slope, intercept in named:
        draw_line(axes, slope, intercept, kind, label)
    draw_readings(axes, df)
    axes.legend()
    plt.show()


def refits(df: pd.DataFrame, slopes: np.ndarray, intercepts: np.ndarray, fit: LmResult, shown: int = 60) -> None:
    """Left the lines of repeated experiments, right the histogram of their slopes. Used in chapter 01.

    slopes, intercepts: arrays of shape (repetitions,).
    """
    _, (left, right) = new_figure(2, width=10.5, height=4.2)
    for slope, intercept in zip(slopes[:shown], intercepts[:shown], strict=True):
        draw_line(left, slope, intercept, "guess", "")
        left.lines[-1].set(linewidth=0.6, linestyle="-", alpha=0.5)
    draw_line(left, fit.slope, fit.intercept, "lm", "lm()")
    left.lines[-1].set_linewidth(3)
    draw_readings(left, df)
    left.set_title(f"{shown} refitted lines")
    handles, labels = left.get_legend_handles_labels()
    left.legend([h for h, text in zip(handles, labels, strict=True) if text], [text for text in labels if text])
    right.hist(slopes, bins=40, color="#BFBFBF", edgecolor="white")
    error = fit.coefficients.loc["u", "Std. Error"]
    right.axvline(fit.slope, color=PALETTE["lm"], label="slope of lm()")
    for side in (-1, 1):
        label = "one standard error away" if side > 0 else ""
        right.axvline(fit.slope + side * error, color=PALETTE["lm"], linestyle="--", label=label)
    right.set(xlabel="refitted slope", ylabel="how many", title=f"all {len(slopes)} slopes")
    right.set_ylim(top=right.get_ylim()[1] * 1.45)
    right.legend(loc="upper right")
    plt.show()


def loss_values(u: Tensor, c: Tensor, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """MSE of every line on the grid of slopes w and intercepts b. Returns shape (len(b), len(w))."""
    u, c = u.double().numpy(), c.double().numpy()
    rest = w[None, :, None] * u + b[:, None, None] - c
    return (rest**2).mean(axis=2)


def draw_loss(axes: Axes, u: Tensor, c: Tensor, w_span: tuple, b_span: tuple, levels: int = 14) -> Any:
    """Filled contours of the MSE over slope and intercept, on a logarithmic scale; the minimum as a cross."""
    w, b = np.linspace(*w_span, 301), np.linspace(*b_span, 301)
    surface = loss_values(u, c, w, b)
    bounds = np.geomspace(surface.min() * 1.02, surface.max(), levels)
    filled = axes.contourf(w, b, surface, bounds, norm=LogNorm(), cmap="Blues_r", extend="min")
    axes.contour(w, b, surface, bounds, colors="white", linewidths=0.5)
    slope, intercept = np.polyfit(u.double().numpy(), c.double().numpy(), 1)
    axes.plot(
        slope, intercept, "X", color=PALETTE["data"], markersize=12, markeredgecolor="white", label="lm()", zorder=4
    )
    axes.set(xlim=w_span, ylim=b_span, xlabel="slope w", ylabel="intercept b (°C)")
    axes.grid(False)
    return filled


def draw_path(axes: Axes, path: Tensor, label: str = "gradient descent") -> None:
    """The way of (w, b), epoch by epoch, with its start marked. path: shape (epochs, 2)."""
    w, b = path[:, 0].numpy(), path[:, 1].numpy()
    axes.plot(w, b, ".-", color=PALETTE["descent"], markersize=5, linewidth=1.2, label=label, zorder=3)
    axes.plot(
        w[:1], b[:1], "o", color="white", markeredgecolor=PALETTE["descent"], markersize=9, label="start", zorder=4
    )


def loss_surface(u: Tensor, c: Tensor, w_span: tuple, b_span: tuple, path: Tensor | None = None) -> None:
    """The loss over slope and intercept, with lm's answer and, if given, a path. Used in chapter 02."""
    figure, axes = new_figure(height=5)
    filled = draw_loss(axes, u, c, w_span, b_span)
    if path is not None:
        draw_path(axes, path)
    axes.legend(loc="upper right")
    bar = figure.colorbar(filled, label="loss (°C²)", format=LogFormatterSciNotation())
    ticks = [10.0**k for k in range(9) if bar.vmin <= 10.0**k <= bar.vmax]
    bar.set_ticks(ticks)
    plt.show()


def descent_panels(c: Tensor, *panels: tuple[str, Tensor, Tensor, tuple, tuple]) -> None:
    """Several paths side by side, each on its own loss surface. Used in chapter 02.

    panels: (title, u, path, w_span, b_span); path of shape (epochs, 2).
    """
    _, row = new_figure(len(panels), width=11, height=4.2)
    for axes, (title, u, path, w_span, b_span) in zip(row, panels, strict=True):
        draw_loss(axes, u, c, w_span, b_span)
        draw_path(axes, path)
        axes.set_title(title)
        if axes is not row[0]:
            axes.set_ylabel("")
    row[-1].legend(loc="lower right")
    plt.show()


def difference_errors(deltas: Tensor, errors: dict[str, Tensor]) -> None:
    """Relative error of a difference quotient against its delta, both axes logarithmic. Used in chapter 02.

    deltas: shape (k,); errors: by label, shape (k,); an error of exactly 0 is not drawn.
    """
    _, axes = new_figure(height=5)
    styles = [("o-", "descent"), ("s--", "lm"), ("^-.", "network"), ("v:", "data")]
    for (label, values), (style, kind) in zip(errors.items(), styles, strict=False):
        values = values.double().where(values != 0, torch.nan)
        axes.loglog(deltas, values, style, color=PALETTE[kind], label=label, markersize=6, linewidth=1.5)
    axes.set(xlabel="delta", ylabel="relative error of dL/dw")
    axes.legend()
    plt.show()


def plain_logarithms(axis: Axis) -> None:
    """Ticks of a logarithmic axis at 1, 2, 5, 10, 20, 50, ... as plain numbers, as far as they stay readable."""
    low, high = sorted(axis.get_view_interval())
    if low > 0 and high / low < 1e4:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def loss_curves(curves: dict[str, tuple[str, Tensor]], floor: float | None = None, log_epochs: bool = True) -> None:
    """Loss against epoch, logarithmic. curves: by label, (kind, losses of shape (epochs,)). Used from chapter 02 on.

    floor: a loss to mark with a horizontal line, such as that of lm().
    """
    _, axes = new_figure()
    for label, (kind, losses) in curves.items():
        axes.plot(range(1, len(losses) + 1), losses, DASHES[kind], color=PALETTE[kind], label=label)
    if floor is not None:
        axes.axhline(floor, color=PALETTE["lm"], linewidth=1.2, label="lm()")
    axes.set(yscale="log", xlabel="epoch", ylabel="loss (°C²)")
    plain_logarithms(axes.yaxis)
    if log_epochs:
        axes.set_xscale("log")
    axes.legend()
    plt.show()


# ---- chapter 03 ----------------------------------------------------------------------------------------------------


def expression_graph(names: dict[str, Any], derivatives: dict[Any, float]) -> None:
    """The graph of a small expression, each number in a box with its derivative, the local ones on the arrows.

    names: by label, nodes with a value and with parents, pairs of (node, local derivative); parents before children.
    derivatives: by node, the derivative of the last node. Used in chapter 03.
    """
    _, axes = new_figure(width=9, height=3.6)
    boxes, places = {}, {}
    style = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": PALETTE["guess"], "linewidth": 1.5}
    for label, node in names.items():
        above = [places[parent] for parent, _ in node.parents]
        leaves = sum(not other.parents for other in boxes)
        x, y = (max(x for x, _ in above) + 3, max(y for _, y in above) - 0.2) if above else (0.0, -1.9 * leaves)
        places[node] = x, y
        boxes[node] = axes.add_patch(FancyBboxPatch((x - 0.8, y - 0.5), 1.6, 1.0, **style, zorder=2))
        axes.text(x, y + 0.17, f"{label}\nvalue {node.value:g}", ha="center", va="center", zorder=3)
        note = {"color": PALETTE["descent"], "weight": "bold", "zorder": 3}
        axes.text(x, y - 0.4, f"derivative {derivatives[node]:g}", ha="center", va="center", **note)
    arrow = {"arrowstyle": "-|>", "color": PALETTE["data"], "shrinkA": 0, "shrinkB": 3, "linewidth": 1.5}
    for node in boxes:
        for parent, local in node.parents:
            (x, y), (from_x, from_y) = places[node], places[parent]
            ends = {"patchA": boxes[parent], "patchB": boxes[node]}
            axes.annotate("", xy=(x, y), xytext=(from_x, from_y), arrowprops=arrow | ends)
            note = {"color": PALETTE["descent"], "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5}}
            axes.text((x + from_x) / 2, (y + from_y) / 2, f"× {local:g}", ha="center", va="center", **note)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.axis("off")
    plt.show()


# ---- chapter 04 ----------------------------------------------------------------------------------------------------


def optimizer_paths(u: Tensor, c: Tensor, paths: dict[str, Tensor]) -> None:
    """The ways of several optimizers side by side, all on the loss surface of raw u and c. Used in chapter 04.

    paths: by title, (w, b) after every recorded epoch, shape (k, 2).
    """
    _, row = new_figure(len(paths), width=11, height=4.6, sharey=True)
    for axes, (title, path) in zip(row, paths.items(), strict=True):
        draw_loss(axes, u, c, (-0.9, 1.3), (-20, 3))
        draw_path(axes, path, label="path")
        axes.lines[-2].set(linewidth=0.6 if len(path) > 100 else 1.5, markersize=2 if len(path) > 100 else 7)
        axes.set_title(title)
    for axes in row[1:]:
        axes.set_ylabel("")
    row[0].legend(loc="lower left")
    plt.show()


def race(runs: dict[str, tuple[Tensor, list[float]]], most: int = 12) -> None:
    """Digits of agreement against gradient evaluations, one labelled line an optimizer. Used in chapter 04.

    runs: by name, the evaluations (k,) and the digits (k values) after each of them; digits are drawn from 0 to `most`.
    Lines are told apart by marker, dash and the name at their end; the first two are in the colour of descent, the
    next two in grey, the last one in black.
    """
    _, axes = new_figure(height=5, width=8.5)
    styles = [("o--", "descent"), ("s-", "descent"), ("v:", "guess"), ("^-", "guess"), ("D-", "data")]
    for (name, (evaluations, digits)), (style, kind) in zip(runs.items(), styles, strict=False):
        shown = [round(min(max(value, 0), most), 1) for value in digits]
        axes.semilogx(evaluations, shown, style, color=PALETTE[kind], markersize=5, linewidth=1.5)
        end = (float(evaluations[-1]), shown[-1])
        axes.annotate(name, end, (8, 0), textcoords="offset points", va="center", color=PALETTE[kind])
    furthest = max(float(evaluations[-1]) for evaluations, _ in runs.values())
    axes.set(xlim=(0.9, furthest * 6), ylim=(-0.4, most + 0.4), yticks=range(0, most + 1, 2))
    axes.set(xlabel="gradient evaluations", ylabel="digits of agreement with lm()")
    plt.show()


def zero_grad_curves(emptied: Tensor, forgotten: Tensor, floor: float) -> None:
    """Loss against epoch, with zero_grad and without, over the same epochs. Used in chapter 04.

    emptied, forgotten: losses of shape (epochs,); floor: lm()'s loss.
    """
    _, axes = new_figure(width=8.5)
    epochs = range(1, len(emptied) + 1)
    axes.plot(epochs, forgotten, "-", color=PALETTE["guess"], linewidth=1.2, label="zero_grad forgotten")
    axes.plot(epochs, emptied, DASHES["descent"], color=PALETTE["descent"], linewidth=2.5, label="with zero_grad")
    axes.axhline(floor, color=PALETTE["lm"], linewidth=1.2, label="lm()")
    axes.set(xlabel="epoch", ylabel="loss (°C²)", ylim=(0, 1.35 * float(forgotten.max())))
    axes.legend(ncols=3, loc="upper center")
    plt.show()


# ---- chapter 05 ----------------------------------------------------------------------------------------------------


def validation_curves(*panels: tuple[str, History]) -> None:
    """Training and validation loss against epoch, one panel per training run. Used in chapter 05.

    panels: (title, history with a validation loss); both axes logarithmic, the losses on one scale.
    """
    _, row = new_figure(len(panels), width=11, height=4.2, sharey=True)
    for axes, (title, history) in zip(row, panels, strict=True):
        epochs = range(1, len(history.loss) + 1)
        axes.loglog(epochs, history.loss, DASHES["descent"], color=PALETTE["descent"], label="training")
        style = {"color": PALETTE["validation"], "linewidth": 3.5, "label": "validation"}
        axes.loglog(epochs, history.validation_loss, DASHES["validation"], **style)
        axes.set(title=title, xlabel="epoch")
    row[0].set_ylabel("loss (°C²)")
    plain_logarithms(row[0].yaxis)
    row[0].set_ylim(top=row[0].get_ylim()[1] * 2)
    row[-1].legend(loc="upper right", ncols=2)
    plt.show()


def split_errors(errors: Tensor, marked: dict[str, int], level: float) -> None:
    """The validation losses of all splits, in ascending order, some of them named. Used in chapter 05.

    errors: shape (splits,); marked: by name, the position in errors; level: lm()'s MSE on all readings.
    """
    _, axes = new_figure(width=9)
    order = errors.argsort()
    axes.plot(range(1, len(errors) + 1), errors[order], "o", color=PALETTE["validation"], markersize=6)
    for name, position in marked.items():
        place = order.tolist().index(position) + 1, errors[position].item()
        axes.plot(*place, "o", color="none", markeredgecolor=PALETTE["data"], markeredgewidth=2, markersize=13)
        axes.annotate(name, place, (-14, 4), textcoords="offset points", ha="right", va="bottom")
    axes.axhline(level, color=PALETTE["lm"], linewidth=1.5)
    style = {"textcoords": "offset points", "ha": "right", "va": "top", "color": PALETTE["lm"]}
    axes.annotate("MSE of lm() on all eleven", (len(errors), level), (0, -5), **style)
    axes.set(xlabel="split, from the luckiest to the unluckiest", ylabel="validation loss (°C²)")
    axes.set(ylim=(0, 1.1 * errors.max().item()), xticks=[1, *range(10, len(errors) + 1, 10)])
    axes.yaxis.set_major_locator(MultipleLocator(5))
    plt.show()


def left_out(df: pd.DataFrame, row: int, grid: Tensor, curves: dict[int, Tensor]) -> None:
    """Polynomials fitted without one reading, which is ringed. Used in chapter 05.

    row: the reading left out; grid: values of u, shape (k,); curves: by degree, the fitted values, shape (k,).
    """
    _, axes = new_figure()
    for (degree, values), kind in zip(curves.items(), ("lm", "guess"), strict=True):
        axes.plot(grid, values, DASHES[kind], color=PALETTE[kind], label=f"degree {degree}")
    draw_readings(axes, df)
    draw_rings(axes, df, row, "left out")
    axes.set_ylim(-12, 42)
    axes.legend(loc="upper left", markerscale=0.7)
    plt.show()


# ---- chapter 06 ----------------------------------------------------------------------------------------------------


def neuron_curves(x: Tensor, *panels: dict[str, Tensor]) -> None:
    """Outputs of neurons with one input, one panel per group, told apart by dash and width. Used in chapter 06.

    x: shape (n,); panels: by label, outputs of shape (n,), at most three in a panel.
    """
    _, row = new_figure(len(panels), width=11, height=4.4, sharey=True)
    styles = [("-", 1.8), ("--", 2.6), (":", 3.4)]
    for axes, curves in zip(row, panels, strict=True):
        for (label, curve), (dash, width) in zip(curves.items(), styles, strict=False):
            axes.plot(x, curve, dash, color=PALETTE["network"], linewidth=width, label=label)
        axes.set(xlabel="input x", ylim=(-1.1, 1.1), yticks=(-1, -0.5, 0, 0.5, 1))
        places = {"loc": "lower center", "bbox_to_anchor": (0.5, 1), "ncols": 3, "borderpad": 0.2, "frameon": False}
        axes.legend(**places, handlelength=1.9, handletextpad=0.4, columnspacing=0.9)
    row[0].set_ylabel("output o")
    plt.show()


def sums_of_neurons(x: Tensor, panels: dict[str, Tensor]) -> None:
    """The contributions of hidden neurons as thin lines and their sum as a thick one. Used in chapter 06.

    x: shape (n, 1); panels: by title, contributions of shape (n, neurons), at most three neurons.
    """
    figure, row = new_figure(len(panels), width=11, height=4.4)
    for axes, (title, parts) in zip(row, panels.items(), strict=True):
        for number, (part, dash) in enumerate(zip(parts.T, ("--", ":", "-."), strict=False), start=1):
            axes.plot(x, part, dash, color=PALETTE["guess"], linewidth=1.5, label=f"neuron {number}")
        axes.plot(x, parts.sum(dim=1), color=PALETTE["network"], linewidth=3.5, label="sum")
        axes.set(title=title, xlabel="input x")
    row[0].set_ylabel("output y")
    figure.legend(*row[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, handlelength=3)
    plt.show()


def neuron_fits(df: pd.DataFrame, u: Tensor, curves: dict[str, Tensor], fit: LmResult) -> None:
    """The readings, lm()'s line, and the curves of single neurons, told apart by dash. Used in chapter 06.

    u: shape (n,), in the thermometer's unit; curves: by label, shape (n,), in degrees Celsius, at most two.
    """
    _, axes = new_figure(width=8.5, height=4.8)
    draw_line(axes, fit.slope, fit.intercept, "lm", "lm()", span=(u[0].item(), u[-1].item()))
    for (label, curve), (dash, width) in zip(curves.items(), (("-.", 2), (":", 3.4)), strict=False):
        axes.plot(u, curve, dash, color=PALETTE["network"], linewidth=width, label=label)
    draw_readings(axes, df)
    axes.legend(loc="upper left")
    plt.show()


# ---- chapter 07 ----------------------------------------------------------------------------------------------------


def activation_gallery(x: Tensor, curves: dict[str, tuple[Tensor, Tensor]]) -> None:
    """One panel per activation, its curve solid and its slope dashed, on shared axes. Used in chapter 07.

    x: shape (n,); curves: by name, (values, slopes), each of shape (n,). A slope that jumps is drawn with a gap.
    """
    plt.rcParams.update(STYLE)
    _, rows = plt.subplots(2, -(-len(curves) // 2), figsize=(11, 6), layout="constrained", sharex=True, sharey=True)
    for axes, (name, (values, slopes)) in zip(rows.flat, curves.items(), strict=True):
        with_gaps = slopes.clone()
        with_gaps[1:][slopes.diff().abs() > 0.3] = torch.nan
        axes.plot(x, values, "-", color=PALETTE["network"], linewidth=2.5, label="f(x)")
        axes.plot(x, with_gaps, "--", color=PALETTE["descent"], label="slope f′(x)")
        axes.set_title(name)
    for axes in rows[-1]:
        axes.set_xlabel("x")
    rows.flat[0].legend(loc="upper left")
    plt.show()


def gradient_factors(panels: dict[str, dict[float, list[float]]]) -> None:
    """What a gradient is multiplied by on its way back, against the number of layers. Used in chapter 07.

    panels: by name of the activation, and then by gain, the factors after 0, 1, 2, ... layers.
    """
    _, row = new_figure(len(panels), width=11, height=5, sharey=True)
    for axes, (name, runs) in zip(row, panels.items(), strict=True):
        for (gain, factors), style in zip(runs.items(), ("v:", "s-.", "o--", "^-"), strict=True):
            layers = range(len(factors))
            axes.semilogy(layers, factors, style, color=PALETTE["network"], markersize=5, linewidth=1.5)
            place = (layers[-1], factors[-1])
            axes.annotate(f"gain {gain:g}", place, (8, 0), textcoords="offset points", va="center")
        axes.axhline(1, color=PALETTE["data"], linewidth=0.8)
        axes.set(title=name, xlabel="layers passed", xlim=(-0.5, layers[-1] * 1.5), xticks=layers[::2])
    row[0].set_ylabel("factor of the gradient")
    plt.show()


def straight_pieces(x: Tensor, target: Tensor, units: Tensor, sums: dict[str, Tensor], errors: dict[str, dict]) -> None:
    """A curve out of shifted Hardtanh units: the units, numbered on their ramps, their sums, and the largest errors.

    x, target: shape (n,); units: shape (n, k), each with its output weight; sums: by label, shape (n,);
    errors: by label, {number of units: largest error}. Used in chapter 07.
    """
    _, (left, middle, right) = new_figure(3, width=11, height=4.4)
    on_white = {"facecolor": "white", "edgecolor": "none"}
    for number, unit in enumerate(units.unbind(1)):
        left.plot(x, unit, ("-", "--", "-.", ":")[number % 4], color=PALETTE["network"])
        middle_of_ramp = unit.abs().argmin()
        place = (x[middle_of_ramp].item(), unit[middle_of_ramp].item())
        left.annotate(f"{number + 1}", place, ha="center", va="center", bbox=on_white)
    left.set(title=f"{units.shape[1]} units", xlabel="x")
    middle.plot(x, target, "-", color=PALETTE["data"], linewidth=1.2, label="sine")
    for (label, curve), kind in zip(sums.items(), ("descent", "network"), strict=True):
        middle.plot(x, curve, DASHES[kind], color=PALETTE[kind], label=label)
    middle.set(title="their sums", xlabel="x", ylim=(-1.1, 1.9))
    middle.legend(loc="upper left")
    for (label, found), (style, kind) in zip(errors.items(), (("o-", "network"), ("s--", "guess")), strict=True):
        right.loglog(list(found), list(found.values()), style, color=PALETTE[kind], label=label)
    right.set(title="largest error", xlabel="units")
    right.set_xticks(list(found), labels=list(found))
    right.minorticks_off()
    right.legend(loc="lower left")
    plt.show()


# ---- chapter 08 ----------------------------------------------------------------------------------------------------


def tanh_formula(weight: float, bias: float) -> str:
    """The formula of a tanh neuron, from its numbers: tanh(2 x - 1)."""
    return f"tanh({weight:g} x {'-' if bias < 0 else '+'} {abs(bias):g})"


def four_neurons(x: Tensor, A: Any, B: Any, C: Any, D: Any) -> None:
    """Nine panels: A, B, A + B; C, D, C + D; C and D fed with A + B, and the sum of these. Used in chapter 08.

    x: shape (n,); each neuron is callable on tensors and has a weight and a bias, which give both curve and title.
    """
    total = A(x) + B(x)
    neurons = {"A": A, "B": B, "C": C, "D": D}
    named = {name: f"{name}(x) = {tanh_formula(n.weight, n.bias)}" for name, n in neurons.items()}
    panels = [
        (named["A"], A(x)),
        (named["B"], B(x)),
        ("A + B", total),
        (named["C"], C(x)),
        (named["D"], D(x)),
        ("C + D", C(x) + D(x)),
        ("C(A + B)", C(total)),
        ("D(A + B)", D(total)),
        ("C(A + B) + D(A + B)", C(total) + D(total)),
    ]
    plt.rcParams.update(STYLE)
    _, rows = plt.subplots(3, 3, figsize=(10.5, 7.5), layout="constrained", sharex=True, sharey=True)
    for axes, (title, curve) in zip(rows.flat, panels, strict=True):
        axes.plot(x, curve, color=PALETTE["network"], linewidth=2.5)
        axes.set_title(title)
    for axes in rows[-1]:
        axes.set_xlabel("x")
    plt.show()


def approximations(
    x: Tensor, target: tuple[str, Tensor], curves: dict[str, Tensor], span: tuple[float, float], zoom: tuple
) -> None:
    """A known function and two networks that imitate it: the whole, and a part enlarged. Used in chapter 08.

    x: shape (n, 1); target: label and values, shape (n, 1); curves: by label, the coarse one first, shape (n, 1);
    span: where they are to hold, shaded; zoom: (lowest x, highest x, lowest y, highest y) of the part.
    The fine one is a broad pale band, the target a thin line on it, the coarse one dotted on top of both.
    """
    styles = [
        {"linestyle": ":", "linewidth": 3, "zorder": 5},
        {"linestyle": "-", "linewidth": 8, "alpha": 0.4, "zorder": 3},
    ]
    _, (whole, part) = new_figure(2, width=11, height=4.2)
    for axes in (whole, part):
        axes.axvspan(*span, color="#E8E8E8", zorder=0, label="the interval")
        for (label, curve), style in zip(curves.items(), styles, strict=True):
            axes.plot(x, curve, color=PALETTE["network"], label=label, **style)
        axes.plot(x, target[1], color=PALETTE["data"], linewidth=1.5, label=target[0], zorder=4)
        axes.set_xlabel("x")
    part.axis(zoom)
    part.set_title("enlarged")
    whole.legend(loc="upper center")
    plt.show()


def bowl_and_slice(axis: Tensor, of_line: tuple[Tensor, Tensor], of_network: tuple[Tensor, Tensor]) -> None:
    """The line's loss and a slice of a network's, with the ways of gradient descent on both. Used in chapter 08.

    axis: shape (n,), for both parameters; of_line, of_network: the losses, shape (n, n), first parameter by row, and
    the paths, shape (epochs, starts, 2).
    """
    figure, row = new_figure(2, width=11, height=4.9)
    bounds = np.geomspace(0.037, max(of_line[0].max().item(), of_network[0].max().item()), 24)
    panels = (
        (*of_line, "the line: all its parameters", "slope w", "intercept b"),
        (*of_network, "a network: a slice", "hidden bias p", "hidden bias q"),
    )
    span = (axis[0].item(), axis[-1].item())
    for axes, (losses, paths, title, first, second) in zip(row, panels, strict=True):
        filled = axes.contourf(axis, axis, losses.T, bounds, norm=LogNorm(), cmap="Blues_r")
        axes.contour(axis, axis, losses.T, bounds, colors="white", linewidths=0.5)
        for path in paths.unbind(1):
            axes.plot(*path.T, "-", color=PALETTE["descent"], linewidth=1.8)
        axes.plot(*paths[0].T, "o", color="white", markeredgecolor=PALETTE["descent"], markersize=9, label="start")
        axes.plot(*paths[-1].T, "X", color=PALETTE["data"], markeredgecolor="white", markersize=11, label="end")
        axes.set(title=title, xlabel=first, ylabel=second, xlim=span, ylim=span)
        axes.grid(False)
    row[1].legend(loc="upper right")
    bar = figure.colorbar(filled, ax=row, label="loss")
    bar.set_ticks([0.1, 1, 10, 100], labels=["0.1", "1", "10", "100"])
    bar.minorticks_off()
    plt.show()


def many_losses(losses: Tensor, floor: float) -> None:
    """Loss of many networks against epoch, and lm()'s as a horizontal line. Used in chapter 08.

    losses: shape (epochs, networks), in squared degrees Celsius.
    """
    _, axes = new_figure()
    epochs = np.arange(1, len(losses) + 1)
    axes.plot(epochs, losses, color=PALETTE["network"], linewidth=0.5, alpha=0.3)
    axes.plot([], [], color=PALETTE["network"], label=f"{losses.shape[1]} networks")
    axes.axhline(floor, color=PALETTE["lm"], linestyle=DASHES["lm"], linewidth=1.2, label="lm()")
    axes.set(xscale="log", yscale="log", xlabel="epoch", ylabel="loss (°C²)")
    plain_logarithms(axes.yaxis)
    axes.legend()
    plt.show()


def many_curves(df: pd.DataFrame, u: Tensor, panels: dict[str, Tensor], fit: LmResult) -> None:
    """Curves of many networks, one panel per stage, with the readings and lm()'s line. Used in chapter 08.

    u: shape (n,), in the thermometer's unit; panels: by title, shape (networks, n), in degrees Celsius.
    The span of the readings is shaded.
    """
    _, row = new_figure(len(panels), width=11, height=4.6, sharey=True)
    for axes, (title, curves) in zip(row, panels.items(), strict=True):
        axes.axvspan(df["u"].min(), df["u"].max(), color="#E8E8E8", zorder=0)
        axes.plot(u, curves.T, color=PALETTE["network"], linewidth=0.5, alpha=0.35)
        axes.plot([], [], color=PALETTE["network"], label=f"{len(curves)} networks")
        draw_line(axes, fit.slope, fit.intercept, "lm", "lm()", span=(u[0].item(), u[-1].item()))
        axes.lines[-1].set_linewidth(1.2)
        draw_readings(axes, df)
        axes.set_title(title)
    row[-1].set_ylabel("")
    row[0].legend(loc="upper left")
    plt.show()


def hidden_units(panels: dict[str, tuple[Tensor, Tensor]], shown: tuple[int, int] = (0, 1)) -> None:
    """Every hidden unit of many networks as a point: hidden weight against output weight. Used in chapter 08.

    panels: by title, (hidden weights, output weights), each of shape (networks, units); two networks stand out, with
    the numbers of their first, middle and last place.
    """
    _, row = new_figure(len(panels), width=11, height=4.6, sharex=True, sharey=True)
    for axes, (title, (hidden, output)) in zip(row, panels.items(), strict=True):
        axes.plot(hidden.flatten(), output.flatten(), ".", color="#BFBFBF", markersize=3, label="all networks")
        outline = [patheffects.withStroke(linewidth=3, foreground="white")]
        shifts = ((-7, -5), "right"), ((7, -5), "left")
        for number, marker, kind, (shift, side) in zip(shown, "s^", ("network", "data"), shifts, strict=True):
            options = {"color": PALETTE[kind], "markeredgecolor": "white", "markersize": 10, "linestyle": ""}
            axes.plot(hidden[number], output[number], marker, label=f"network {number}", **options)
            for place in (0, hidden.shape[1] // 2, hidden.shape[1] - 1):
                style = {"color": PALETTE[kind], "weight": "bold", "ha": side, "path_effects": outline, "zorder": 5}
                at = (hidden[number, place], output[number, place])
                axes.annotate(f"{place + 1}", at, shift, textcoords="offset points", **style)
        axes.set(title=title, xlabel="hidden weight")
    row[0].set_ylabel("output weight")
    row[0].legend(loc="upper left")
    plt.show()


# ---- chapter 09 ----------------------------------------------------------------------------------------------------


def time_per_sample(sizes: list[int], seconds: list[float]) -> None:
    """Time per sample against batch size, both axes logarithmic, beside a call at a fixed price. Used in chapter 09.

    sizes: samples per batch, the first one 1; seconds: per sample, one for each size.
    """
    _, axes = new_figure()
    microseconds = np.array(seconds) * 1e6
    shared = microseconds[0] / np.array(sizes)
    axes.loglog(sizes, shared, "--", color=PALETTE["guess"], linewidth=1.5, label="if each call cost the same")
    axes.loglog(sizes, microseconds, "o-", color=PALETTE["network"], label="measured")
    axes.set(xlabel="samples in a batch", ylabel="time per sample (µs)")
    axes.set_xticks(sizes, labels=[str(size) for size in sizes])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend()
    plt.show()


# ---- chapter 10 ----------------------------------------------------------------------------------------------------


def network_losses(history: History, line_training: float, line_validation: float) -> None:
    """Training and validation loss of a network against epoch, with those of lm()'s line as levels. Used in chapter 10.

    history: with a validation loss; both axes logarithmic.
    """
    _, axes = new_figure(width=8.5)
    epochs = range(1, len(history.loss) + 1)
    axes.loglog(epochs, history.loss, DASHES["network"], color=PALETTE["network"], label="network, training")
    style = {"color": PALETTE["validation"], "linewidth": 3.5, "label": "network, validation"}
    axes.loglog(epochs, history.validation_loss, DASHES["validation"], **style)
    for level, dash, part in ((line_training, "-", "training"), (line_validation, "--", "validation")):
        axes.axhline(level, color=PALETTE["lm"], linestyle=dash, linewidth=1.5, label=f"lm(), {part}")
    axes.set(xlabel="epoch", ylabel="loss (°C²)")
    plain_logarithms(axes.yaxis)
    axes.legend(loc="upper right")
    plt.show()


def network_fits(df: pd.DataFrame, kept_back: list[int], u: Tensor, curves: dict[str, Tensor], fit: LmResult) -> None:
    """The readings, those kept back ringed, lm()'s line and one or more networks' curves. Used in chapter 10.

    The span of the readings is shaded, and the picture ends at -22 and 46 °C, where some curves leave it.
    kept_back: row numbers; u: shape (n,), in the thermometer's unit; curves: by label, shape (n,), at most three.
    """
    _, axes = new_figure(width=8.5, height=4.8)
    axes.axvspan(df["u"].min(), df["u"].max(), color="#EDEDED", zorder=0)
    draw_line(axes, fit.slope, fit.intercept, "lm", "lm()", span=(u[0].item(), u[-1].item()))
    for (label, curve), (dash, width) in zip(curves.items(), (("-.", 2.2), (":", 3), ("--", 1.5)), strict=False):
        axes.plot(u, curve, dash, color=PALETTE["network"], linewidth=width, label=label)
    draw_readings(axes, df)
    draw_rings(axes, df, kept_back, "kept back")
    axes.set_ylim(-22, 46)
    axes.legend(loc="upper left", markerscale=0.7)
    plt.show()


def paired_errors(of_lines: Tensor, of_networks: Tensor) -> None:
    """Validation errors of lines and networks on the same splits, against each other, logarithmic. Used in chapter 10.

    of_lines, of_networks: shape (runs,); a run above the diagonal is one that the line has won.
    """
    _, axes = new_figure(width=6.5, height=5.6)
    axes.loglog(of_lines, of_networks, "o", color=PALETTE["network"], markersize=5, alpha=0.6, label="one run")
    both = torch.stack([of_lines, of_networks])
    span = [0.7 * both.min().item(), 1.4 * both.max().item()]
    axes.plot(span, span, color=PALETTE["data"], linewidth=1.5, label="equal")
    axes.set(xlim=span, ylim=span, aspect="equal")
    axes.set(xlabel="validation MSE of the line (°C²)", ylabel="validation MSE of the network (°C²)")
    for axis in (axes.xaxis, axes.yaxis):
        plain_logarithms(axis)
    axes.legend(loc="upper left")
    plt.show()


def validation_by_epoch(epochs: list[int], curves: dict[str, Tensor], level: float) -> None:
    """A summary of the validation errors of many networks against epoch, and the lines' as a level. Used in chapter 10.

    epochs: k numbers; curves: by label, shape (k,), at most two.
    """
    _, axes = new_figure(width=8.5)
    for (label, values), (dash, width) in zip(curves.items(), (("-.", 2.2), (":", 3.5)), strict=False):
        axes.semilogy(epochs, values, dash, color=PALETTE["network"], linewidth=width, label=label)
    axes.axhline(level, color=PALETTE["lm"], linewidth=1.5, label="line")
    axes.set(xlabel="epoch", ylabel="median validation MSE (°C²)")
    plain_logarithms(axes.yaxis)
    axes.legend(loc="upper right")
    plt.show()


def room_fits(df: pd.DataFrame, hours: Tensor, curves: dict[str, tuple[str, Tensor]]) -> None:
    """Readings over two days, and curves fitted to them. Used in chapter 10.

    df: columns hour and c; hours: shape (n,); curves: by label, (kind, values of shape (n,)).
    """
    _, axes = new_figure(width=10.5, height=5)
    axes.plot(df["hour"], df["c"], "o", color=PALETTE["data"], markersize=3, alpha=0.6, label="readings")
    for label, (kind, values) in curves.items():
        axes.plot(hours, values, DASHES[kind], color=PALETTE[kind], linewidth=2.5, label=label)
    axes.set(xlabel="hour", ylabel="c (°C)", xticks=range(0, 49, 6), ylim=(11.5, 25.5))
    axes.legend(loc="upper center", ncols=len(curves) + 1)
    plt.show()


# ---- chapter 11 ----------------------------------------------------------------------------------------------------


def repeated_calls(df: pd.DataFrame, u: Tensor, panels: dict[str, Tensor]) -> None:
    """Answers of one model, asked again and again, as points; one panel per model. Used in chapter 11.

    u: shape (n,), in the thermometer's unit; panels: by title, shape (calls, n), in degrees Celsius.
    """
    _, row = new_figure(len(panels), width=11, height=4.6, sharey=True)
    for axes, (title, calls) in zip(row, panels.items(), strict=True):
        axes.plot(u, calls.T, ".", color=PALETTE["network"], markersize=3)
        axes.plot([], [], ".", color=PALETTE["network"], markersize=8, label=f"{len(calls)} calls")
        draw_readings(axes, df)
        axes.set_title(title)
    row[-1].set_ylabel("")
    row[0].legend(loc="upper left")
    plt.show()


# ---- chapter 12 ----------------------------------------------------------------------------------------------------


def arrivals(rows: Sequence[Row], kinds: dict[str, str] | None = None) -> None:
    """The scoreboard as a picture: left the digits of every method, right its steps. Used in chapter 12.

    rows: lines of the scoreboard, drawn from top to bottom; kinds: by method, its colour, that of descent by default.
    Digits are drawn from 0 to 12, where the scoreboard stops counting; a method that solves in one go has no steps.
    """
    _, (left, right) = new_figure(
        2, width=11, height=1.2 + 0.36 * len(rows), sharey=True, gridspec_kw={"width_ratios": [3, 2]}
    )
    for place, row in enumerate(rows):
        kind = (kinds or {}).get(row.method, "descent")
        shown = min(max(row.digits, 0), FULL_AGREEMENT)
        left.plot([0, shown], [place, place], "-", color=PALETTE[kind], linewidth=3)
        filled = PALETTE[kind] if shown == FULL_AGREEMENT else "white"
        style = {"markeredgecolor": PALETTE[kind], "markeredgewidth": 2, "markersize": 9}
        left.plot(shown, place, "o", color=filled, **style, zorder=3)
        if row.steps:
            right.plot(row.steps, place, "s", color=PALETTE[kind], markersize=8)
        else:
            note = {"color": PALETTE["guess"], "backgroundcolor": "white"}
            right.text(0.03, place, "none", transform=right.get_yaxis_transform(), va="center", **note)
    left.axvline(FULL_AGREEMENT, color=PALETTE["lm"], linewidth=1.2, zorder=1)
    left.set(xlim=(-0.4, FULL_AGREEMENT + 0.6), xticks=range(0, FULL_AGREEMENT + 1, 3))
    left.set_xlabel("digits of agreement with lm()")
    left.set(yticks=range(len(rows)), yticklabels=[row.method for row in rows], ylim=(len(rows) - 0.4, -0.6))
    right.set(xscale="log", xlim=(0.5, 60_000), xlabel="steps")
    plt.show()


def pairs(df: pd.DataFrame, x_label: str, y_label: str, curves: dict[str, tuple[str, Tensor]] | None = None) -> None:
    """Two columns as points, and curves over them. Used in chapter 12.

    df: the first column goes to the right, the second upwards; curves: by label, (kind, values at the rows of df).
    """
    _, axes = new_figure(width=8.5, height=4.8)
    x, y = (df[name].to_numpy() for name in df.columns)
    axes.plot(x, y, "o", color=PALETTE["data"], markersize=5, alpha=0.5, label="observed")
    order = x.argsort()
    for label, (kind, values) in (curves or {}).items():
        axes.plot(x[order], values[order], DASHES[kind], color=PALETTE[kind], linewidth=3, label=label)
    axes.set(xlabel=x_label, ylabel=y_label)
    if curves:
        axes.legend(loc="upper left")
    plt.show()


# ---- chapter 13 ----------------------------------------------------------------------------------------------------


def certified_curve(df: pd.DataFrame, x: Tensor, curve: Sequence[float]) -> None:
    """A problem's readings and the curve of its certified coefficients. Used in chapter 13.

    df: columns x and y; x, curve: where the curve is drawn, as many of each.
    """
    _, axes = new_figure(width=8.5, height=4.2)
    axes.plot(df["x"], df["y"], "o", color=PALETTE["data"], markersize=5, alpha=0.6, label="readings")
    axes.plot(x, curve, DASHES["guess"], color=PALETTE["guess"], linewidth=3, label="certified")
    axes.set(xlabel="x", ylabel="y")
    axes.legend(loc="upper left")
    plt.show()


def refinements(
    left: dict[str, Sequence[float]],
    right: dict[str, Sequence[float]],
    titles: tuple[str, str] = ("gradient in float64", "exact gradient"),
) -> None:
    """Digits after each step, by problem, of two ways that the titles name. Used in chapter 13."""
    _, row = new_figure(2, width=11, height=4.4, sharey=True)
    styles = (("o", "-"), ("s", "--"), ("D", ":"))
    for axes, title, curves in zip(row, titles, (left, right), strict=True):
        for (label, digits), (marker, dash) in zip(curves.items(), styles, strict=False):
            steps = range(1, len(digits) + 1)
            axes.plot(steps, digits, dash, marker=marker, color=PALETTE["descent"], markersize=8, label=label)
        axes.set(title=title, xlabel="step", ylim=(-0.5, 15.5), yticks=range(0, 16, 3))
    row[0].set_ylabel("correct digits")
    row[1].legend(loc="lower right")
    plt.show()


def certified_digits(methods: dict[str, dict[str, float]]) -> None:
    """Correct digits of up to three methods on each problem, as points from 0 to 15. Used in chapter 13.

    methods: by label, digits by problem; the first in lm()'s colour, the second in grey, the third in descent's.
    What is not finite is not drawn.
    """
    problems = list(next(iter(methods.values())))
    _, axes = new_figure(width=8.5, height=0.8 + 0.4 * len(problems))
    styles = (("lm", "o", 12), ("guess", "s", 7), ("descent", "D", 9))
    for (label, digits), (kind, marker, size) in zip(methods.items(), styles, strict=False):
        shown = [(max(digits[name], 0), place) for place, name in enumerate(problems) if np.isfinite(digits[name])]
        fill = "white" if kind == "lm" else PALETTE[kind]
        style = {"markerfacecolor": fill, "markeredgecolor": PALETTE[kind], "markeredgewidth": 2, "markersize": size}
        axes.plot(*zip(*shown, strict=True), marker, label=label, **style)
    axes.set(xlim=(-0.5, 15.7), xticks=range(0, 16, 3), xlabel="correct digits")
    axes.set(yticks=range(len(problems)), yticklabels=problems, ylim=(len(problems) - 0.4, -0.6))
    axes.legend(loc="lower left")
    plt.show()


# ---- chapter 14 ----------------------------------------------------------------------------------------------------


def batch_spread(sizes: Sequence[int], without: Tensor, with_replacement: Tensor) -> None:
    """How far the gradients of batches scatter, against the size of the batch. Used in chapter 14.

    without, with_replacement: the standard deviations, shape (len(sizes),).
    """
    _, axes = new_figure(height=4.2)
    axes.plot(sizes, with_replacement, DASHES["guess"], color=PALETTE["guess"], label="rows drawn with replacement")
    axes.plot(sizes, without, "o--", color=PALETTE["descent"], markersize=7, label="rows drawn without replacement")
    axes.set(xlabel="rows in the batch", ylabel="spread of dL/dw", xticks=list(sizes))
    axes.set_ylim(bottom=0)
    axes.legend()
    plt.show()


def batch_descents(distances: dict[str, tuple[Tensor, int]], most: int) -> None:
    """The same runs at the ends of their epochs, left, and step by step, right. Used in chapter 14.

    distances: by label, the loss above its minimum after each step, shape (steps,), and how many steps an epoch has.
    most: where the axis of the steps ends.
    """
    _, (left, right) = new_figure(2, width=10.5, height=4.4, sharey=True)
    styles = [("-", "o", "data", 2.5), ("--", "s", "descent", 1.5), (":", "^", "guess", 1.5)]
    for (label, (values, per_epoch)), (dash, marker, kind, width) in zip(distances.items(), styles, strict=False):
        style = {"color": PALETTE[kind], "linestyle": dash, "linewidth": width, "label": label}
        at_ends = values[per_epoch - 1 :: per_epoch]
        left.plot(range(1, len(at_ends) + 1), at_ends, marker=marker, markersize=5, **style)
        right.plot(range(1, len(values) + 1), values, **style)
    left.set(xlabel="epochs", ylabel="loss above the minimum (°C²)", yscale="log")
    right.set(xlabel="steps", xlim=(0, most))
    right.tick_params(labelleft=True)
    left.legend(loc="upper right")
    plt.show()


def tree_of_triangles() -> None:
    """Four blocks of rows, each reduced to a triangle, and triangles merged in pairs to one. Used in chapter 14."""
    _, axes = new_figure(width=9, height=4.2)
    places = [
        (0.4, [5.4, 3.6, 1.8, 0.0], ["rows of\nblock 1", "rows of\nblock 2", "rows of\nblock 3", "rows of\nblock 4"])
    ]
    places.append((3.0, [5.4, 3.6, 1.8, 0.0], ["R of 1", "R of 2", "R of 3", "R of 4"]))
    places.append((6.0, [4.5, 0.9], ["R of 1 and 2", "R of 3 and 4"]))
    places.append((9.0, [2.7], ["R of all rows"]))
    for column, (x, heights, names) in enumerate(places):
        for number, (y, name) in enumerate(zip(heights, names, strict=True)):
            if column == 0:
                style = {"facecolor": "#E0E0E0", "edgecolor": PALETTE["data"]}
                axes.add_patch(Rectangle((x - 0.5, y - 0.75), 1, 1.5, **style))
                axes.text(x, y, name, ha="center", va="center", fontsize=FONT_SIZE - 2)
                continue
            style = {"facecolor": "white", "edgecolor": PALETTE["lm" if len(names) == 1 else "descent"], "linewidth": 2}
            axes.add_patch(Polygon([(x - 0.4, y + 0.4), (x + 0.4, y + 0.4), (x + 0.4, y - 0.4)], **style))
            axes.text(x, y - 0.45, name, ha="center", va="top", fontsize=FONT_SIZE - 2)
            before, above, _ = places[column - 1]
            merged = len(above) // len(heights)
            for start in above[merged * number : merged * (number + 1)]:
                arrow = {"arrowstyle": "->", "color": PALETTE["guess"], "linewidth": 1.5}
                axes.annotate("", xy=(x - 0.5, y + 0.1), xytext=(before + 0.55, start + 0.1), arrowprops=arrow)
    axes.set(xlim=(-0.3, 10), ylim=(-1.1, 6.3))
    axes.axis("off")
    plt.show()
