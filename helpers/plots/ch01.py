"""Figures of chapter 01."""

import numpy as np
import pandas as pd

from helpers.plots import style
from helpers.r import LmResult


def readings(df: pd.DataFrame) -> None:
    """Scatter plot of the readings."""
    _, axes = style.new_figure()
    style.draw_readings(axes, df)
    style.finish(axes)


def residuals(df: pd.DataFrame, slope: float, intercept: float) -> None:
    """The readings, a line, and each residual as a vertical bar from the line to its reading."""
    _, axes = style.new_figure()
    on_line = slope * df["u"] + intercept
    axes.vlines(df["u"], on_line, df["c"], color=style.PALETTE["descent"], linewidth=3, label="residuals")
    style.draw_line(axes, slope, intercept, "guess", f"{slope:g} u {intercept:+g}")
    style.draw_readings(axes, df)
    style.finish(axes, "best")


def bowl(slopes: list[float], losses: list[float], fit: LmResult) -> None:
    """MSE against slope, and lm()'s answer at the lowest point."""
    _, axes = style.new_figure()
    axes.plot(slopes, losses, color=style.PALETTE["guess"], marker=".", label="other slopes")
    axes.plot(fit.slope, fit.mse, "X", color=style.PALETTE["lm"], markersize=13, markeredgecolor="white", label="lm()")
    style.finish(axes, "upper center", xlabel="slope w", ylabel="MSE (°C²)", ylim=(0, None))


def refits(df: pd.DataFrame, slopes: np.ndarray, intercepts: np.ndarray, fit: LmResult, shown: int = 60) -> None:
    """Left the lines of repeated experiments, right the histogram of their slopes.

    slopes, intercepts: arrays of shape (repetitions,).
    """
    _, (left, right) = style.new_figure(2, width=10.5, height=4.2)
    for slope, intercept in zip(slopes[:shown], intercepts[:shown], strict=True):
        style.draw_line(left, slope, intercept, "guess", None, linewidth=0.6, linestyle="-", alpha=0.5)
    style.draw_line(left, fit.slope, fit.intercept, "lm", "lm()", linewidth=3)
    style.draw_readings(left, df)
    left.set_title(f"{shown} refitted lines")
    left.legend()
    right.hist(slopes, bins=40, color="#BFBFBF", edgecolor="white")
    error = fit.coefficients.loc["u", "Std. Error"]
    right.axvline(fit.slope, color=style.PALETTE["lm"], label="slope of lm()")
    for side, label in ((-1, None), (1, "one standard error away")):
        right.axvline(fit.slope + side * error, color=style.PALETTE["lm"], linestyle="--", label=label)
    right.set_ylim(top=right.get_ylim()[1] * 1.45)
    style.finish(right, "upper right", xlabel="refitted slope", ylabel="how many", title=f"all {len(slopes)} slopes")
