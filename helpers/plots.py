"""Every figure of the notebooks. Scaffolding: the idea of a figure stays in the notebook, its drawing stands here.

Colours are from the Okabe-Ito palette (Okabe & Ito 2008), those with a contrast of at least 3:1 on white.
One colour has one meaning through the whole course, and each series also differs in marker or dash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogFormatterSciNotation, LogLocator, NullFormatter
from torch import Tensor

if TYPE_CHECKING:
    import pandas as pd

    from helpers.r import LmResult

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
    right.set(xlabel="refitted slope", ylabel=f"how many of {len(slopes)}", title="their slopes")
    right.set_ylim(top=right.get_ylim()[1] * 1.3)
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
    axes.plot(slope, intercept, "X", color=PALETTE["data"], markersize=12, markeredgecolor="white", label="lm()", zorder=4)
    axes.set(xlim=w_span, ylim=b_span, xlabel="slope w", ylabel="intercept b (°C)")
    axes.grid(False)
    return filled


def draw_path(axes: Axes, path: Tensor, label: str = "gradient descent") -> None:
    """The way of (w, b), epoch by epoch, with its start marked. path: shape (epochs, 2)."""
    w, b = path[:, 0].numpy(), path[:, 1].numpy()
    axes.plot(w, b, ".-", color=PALETTE["descent"], markersize=5, linewidth=1.2, label=label, zorder=3)
    axes.plot(w[:1], b[:1], "o", color="white", markeredgecolor=PALETTE["descent"], markersize=9, label="start", zorder=4)


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
    """Ticks of a logarithmic axis at 1, 2, 5, 10, 20, 50, ... written as plain numbers, as far as they stay readable."""
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


# ---- chapter 04 ----------------------------------------------------------------------------------------------------


# ---- chapter 05 ----------------------------------------------------------------------------------------------------


# ---- chapter 06 ----------------------------------------------------------------------------------------------------


# ---- chapter 07 ----------------------------------------------------------------------------------------------------


# ---- chapter 08 ----------------------------------------------------------------------------------------------------


# ---- chapter 09 ----------------------------------------------------------------------------------------------------


# ---- chapter 10 ----------------------------------------------------------------------------------------------------


# ---- chapter 11 ----------------------------------------------------------------------------------------------------


# ---- chapter 12 ----------------------------------------------------------------------------------------------------
