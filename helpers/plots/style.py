"""The look of every figure, and the pieces that several of them draw with.

Colours are from the Okabe-Ito palette (Okabe & Ito 2008), those with a contrast of at least 3:1 on white.
One colour has one meaning through the whole course, and each series also differs in marker or dash.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from torch import Tensor

from helpers.r import LmResult

PALETTE = {
    "data": "#000000",
    "lm": "#0072B2",
    "descent": "#D55E00",
    "network": "#009E73",
    "validation": "#CC79A7",
    "guess": "#595959",
}
DASHES = {"lm": "-", "descent": "--", "network": "-.", "validation": ":", "guess": ":", "data": "-"}
START = {"color": "white", "markeredgecolor": PALETTE["descent"], "markersize": 9, "label": "start"}
FONT_SIZE = 13
STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E0E0E0",
    "axes.axisbelow": True,
    "font.size": FONT_SIZE,
    "axes.titlesize": FONT_SIZE,
    "legend.fontsize": FONT_SIZE - 1,
    "legend.framealpha": 0.9,
    "lines.linewidth": 2,
}


def new_figure(
    columns: int = 1, width: float = 7.5, height: float = 4.5, rows: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """A figure in the course's style, its size in inches, with its axes: one, or an array of several."""
    plt.rcParams.update(STYLE)
    return plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)


def finish(axes: Axes, legend: str | dict[str, Any] | None = None, **settings: Any) -> None:
    """Set the axes, add a legend at this place or with these options, and show the figure."""
    axes.set(**settings)
    if legend:
        axes.legend(**({"loc": legend} if isinstance(legend, str) else legend))
    plt.show()


def draw_curve(axes: Axes, kind: str, x: Any, y: Any, label: str | None = None, **style: Any) -> None:
    """A curve in the colour of its kind, and in its dash unless another linestyle is given."""
    axes.plot(x, y, **{"linestyle": DASHES[kind], "color": PALETTE[kind], "label": label} | style)


def draw_curves(axes: Axes, x: Any, curves: dict[str, Any], styles: Any, kind: str = "network") -> None:
    """Several curves of one kind by label, told apart by the (dash, width) of each."""
    for (label, curve), (dash, width) in zip(curves.items(), styles, strict=False):
        draw_curve(axes, kind, x, curve, label, linestyle=dash, linewidth=width)


def draw_level(axes: Axes, level: float, label: str | None = "lm()", **style: Any) -> None:
    """A thin horizontal line at lm()'s value."""
    axes.axhline(level, **{"color": PALETTE["lm"], "linewidth": 1.2, "label": label} | style)


def draw_validation(axes: Axes, losses: Any, label: str) -> None:
    """The validation loss of every epoch, dotted and thick."""
    draw_curve(axes, "validation", range(1, len(losses) + 1), losses, label, linewidth=3.5)


def draw_readings(axes: Axes, df: pd.DataFrame) -> None:
    """The eleven readings as points, with the axis labels."""
    axes.plot(df["u"], df["c"], "o", color=PALETTE["data"], markersize=7, label="readings", zorder=3)
    axes.set(xlabel="u (unknown unit)", ylabel="c (°C)")


def draw_rings(axes: Axes, df: pd.DataFrame, rows: int | list[int], label: str) -> None:
    """A ring around the readings of these rows, such as those that a fit has not seen."""
    style = {"color": "none", "markeredgecolor": PALETTE["validation"], "markeredgewidth": 3, "markersize": 17}
    axes.plot(df["u"][rows], df["c"][rows], "o", **style, label=label)


def draw_line(
    axes: Axes, slope: float, intercept: float, kind: str, label: str, span: tuple = (18, 86), **style: Any
) -> None:
    """A straight line over the span of u."""
    ends = np.array(span)
    draw_curve(axes, kind, ends, slope * ends + intercept, label, **style)


def draw_fit(axes: Axes, fit: LmResult, u: Tensor, **style: Any) -> None:
    """The line of lm() from the first to the last value of u."""
    draw_line(axes, fit.slope, fit.intercept, "lm", "lm()", (u[0].item(), u[-1].item()), **style)


def plain_logarithms(axis: Axis) -> None:
    """Ticks of a logarithmic axis at 1, 2, 5, 10, 20, 50, ... as plain numbers, as far as they stay readable."""
    low, high = sorted(axis.get_view_interval())
    if low > 0 and high / low < 1e4:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def least_squares(u: Any, c: Any) -> tuple[float, float]:
    """Slope and intercept of the least squares line, which is lm()'s. u, c: shape (n,).

    Raises ValueError where a value is missing or infinite: LAPACK would write to the terminal instead.
    """
    u, c = (np.asarray(values, dtype=float) for values in (u, c))
    if gaps := np.flatnonzero(~np.isfinite(u + c)).tolist():
        raise ValueError(f"no line goes through a missing or infinite value: leave out rows {gaps} first")
    return tuple(np.polyfit(u, c, 1).tolist())


def loss_values(u: Tensor, c: Tensor, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """MSE of every line on the grid of slopes w and intercepts b. Returns shape (len(b), len(w))."""
    u, c = u.double().numpy(), c.double().numpy()
    rest = w[None, :, None] * u + b[:, None, None] - c
    return (rest**2).mean(axis=2)


def draw_contours(axes: Axes, x: Any, y: Any, losses: Any, bounds: np.ndarray, **options: Any) -> Any:
    """Filled contours of a loss on a logarithmic scale. losses: shape (len(y), len(x))."""
    filled = axes.contourf(x, y, losses, bounds, norm=LogNorm(), cmap="Blues_r", **options)
    axes.contour(x, y, losses, bounds, colors="white", linewidths=0.5)
    axes.grid(False)
    return filled


def draw_loss(axes: Axes, u: Tensor, c: Tensor, w_span: tuple, b_span: tuple) -> Any:
    """The MSE over slope and intercept, and its minimum as a cross."""
    w, b = np.linspace(*w_span, 301), np.linspace(*b_span, 301)
    losses = loss_values(u, c, w, b)
    filled = draw_contours(axes, w, b, losses, np.geomspace(losses.min() * 1.02, losses.max(), 14), extend="min")
    style = {"color": PALETTE["data"], "markersize": 12, "markeredgecolor": "white", "zorder": 4}
    axes.plot(*least_squares(u, c), "X", label="lm()", **style)
    axes.set(xlim=w_span, ylim=b_span, xlabel="slope w", ylabel="intercept b (°C)")
    return filled


def draw_path(axes: Axes, path: Tensor, label: str = "gradient descent", **style: Any) -> None:
    """The way of (w, b), epoch by epoch, with its start marked. path: shape (epochs, 2); one point is a start alone."""
    way = {"color": PALETTE["descent"], "markersize": 5, "linewidth": 1.2, "label": label, "zorder": 3}
    if len(path) > 1:
        axes.plot(*path.T, ".-", **way | style)
    axes.plot(*path[:1].T, "o", **START, zorder=4)
