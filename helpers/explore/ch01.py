"""Chapter 01: a line by hand."""

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from matplotlib.figure import FigureBase

from helpers.explore.stage import Explorer, Scene, columns, label, side_by_side
from helpers.loss import mse
from helpers.model import line as straight
from helpers.plots import style
from helpers.plots.style import DASHES, PALETTE


class Squares(Scene):
    """The readings, a line, and a square on each residual; beside them the MSE on a scale that ends at lm()'s."""

    def __init__(self, figure: FigureBase, df: pd.DataFrame):
        super().__init__(figure)
        self.u, self.c = columns(df)
        self.smallest = self.measure(*style.least_squares(self.u, self.c))
        self.axes, scale = self.row(7, 1)
        fill = {"facecolors": PALETTE["descent"] + "40", "edgecolors": PALETTE["descent"], "linewidths": 1.2}
        self.squares = self.follow(PolyCollection([], zorder=2, label="squared residuals", **fill))
        self.axes.add_collection(self.squares, autolim=False)
        self.line = self.curve(self.axes, DASHES["guess"], color=PALETTE["guess"], zorder=2.5, label="your line")
        style.draw_readings(self.axes, df)
        self.follow(self.axes.lines[-1])
        self.axes.set(xlim=(12, 98), ylim=(-16, 42), aspect="equal")
        self.axes.legend(loc="lower right", fontsize="small", borderaxespad=0.3)
        self.title = self.follow(self.axes.title)
        scale.axhline(self.smallest, color=PALETTE["lm"], linewidth=3)
        scale.annotate("lm()", (0.5, self.smallest), (0, -4), textcoords="offset points", ha="center", va="top")
        scale.set(yscale="log", ylim=(1, 1e4), xlim=(0, 1), xticks=[], title="MSE")
        self.mark = self.curve(scale, "D", color=PALETTE["guess"], markersize=9, markeredgecolor="white")

    def measure(self, slope: float, intercept: float) -> float:
        """The MSE of a line."""
        return mse(straight(self.u, slope, intercept), self.c).item()

    def update(self, slope: float, intercept: float) -> str:
        residuals = self.c - straight(self.u, slope, intercept)
        self.mse = self.measure(slope, intercept)
        self.squares.set_verts(self.corners(residuals.numpy(), slope))
        ends = np.array(self.axes.get_xlim())
        self.line.set_data(ends, slope * ends + intercept)
        self.mark.set_data([0.5], [self.mse])
        self.title.set_text(f"MSE {self.mse:.2f} °C²")
        numbers = f"Slope {slope:.2f}, intercept {intercept:.2f}: MSE {self.mse:.4f} °C²"
        return f"{numbers}; lm() has the smallest possible one, {self.smallest:.4f}."

    def corners(self, residuals: np.ndarray, slope: float) -> np.ndarray:
        """Corners of the squares, (11, 4, 2), each on the side of its reading that the line does not cut.

        A square that would leave the picture there goes to the other side.
        """
        u, c, size = self.u.numpy(), self.c.numpy(), np.abs(residuals)
        left, right = self.axes.get_xlim()
        side = np.where(residuals * slope >= 0, -1, 1)
        outside = np.where(side < 0, u - size < left, u + size > right)
        side = np.where(outside, -side, side)
        across, along = np.stack([u, u + side * size]), np.stack([c - residuals, c])
        return np.stack([across[[0, 1, 1, 0]], along[[0, 0, 1, 1]]], axis=-1).swapaxes(0, 1)


def line(df: pd.DataFrame, slope: float, intercept: float) -> Explorer:
    """Fit the line by hand: two sliders, the squares of the residuals, and the MSE beside lm()'s.

    df: columns u and c; slope, intercept: where the sliders begin. Raises ValueError if a reading is missing.
    """
    slopes = {"min": min(-0.5, slope), "max": max(1.5, slope), "step": 0.01}
    intercepts = {"min": min(-40.0, intercept), "max": max(20.0, intercept), "step": 0.5}
    at_zero = label("intercept b", "degrees Celsius at u = 0")
    controls = {
        "slope": ipywidgets.FloatSlider(slope, **slopes, **label("slope w", "degrees Celsius per unit of u")),
        "intercept": ipywidgets.FloatSlider(intercept, **intercepts, **at_zero),
    }

    def scene(figure):
        return Squares(figure, df)

    states = [{"slope": 0.3, "intercept": -6.0}, {"slope": slope, "intercept": intercept}]
    twin, (left, right) = side_by_side(scene, states, 12, 3.9)
    alt = (
        "Two lines by hand through the eleven readings, with a square on each residual. "
        f"Left slope 0.3, intercept -6: MSE {left.mse:.4f}. "
        f"Right slope {slope:g}, intercept {intercept:g}: MSE {right.mse:.4f}. "
        f"On a scale beside each, lm() has {left.smallest:.4f}."
    )
    return Explorer(scene, controls, alt=alt, size=(8.5, 5.2), twin=twin)
