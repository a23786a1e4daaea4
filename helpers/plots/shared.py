"""Figures that several chapters share."""

import pandas as pd
from torch import Tensor

from helpers.plots import style
from helpers.r import LmResult


def lines(df: pd.DataFrame, *named: tuple[str, str, float, float]) -> None:
    """The readings and several lines, each given as (label, kind, slope, intercept)."""
    _, axes = style.new_figure()
    for label, kind, slope, intercept in named:
        style.draw_line(axes, slope, intercept, kind, label)
    style.draw_readings(axes, df)
    style.finish(axes, "best")


def network_fits(df: pd.DataFrame, kept_back: list[int], u: Tensor, curves: dict[str, Tensor], fit: LmResult) -> None:
    """The readings, those kept back ringed, lm()'s line and one or more networks' curves.

    The span of the readings is shaded, and the picture ends at -22 and 46 °C, where some curves leave it.
    kept_back: row numbers; u: shape (n,), in the thermometer's unit; curves: by label, shape (n,), at most three.
    """
    _, axes = style.new_figure(width=8.5, height=4.8)
    axes.axvspan(df["u"].min(), df["u"].max(), color="#EDEDED", zorder=0)
    style.draw_fit(axes, fit, u)
    style.draw_curves(axes, u, curves, (("-.", 2.2), (":", 3), ("--", 1.5)))
    style.draw_readings(axes, df)
    style.draw_rings(axes, df, kept_back, "kept back")
    style.finish(axes, {"loc": "upper left", "markerscale": 0.7}, ylim=(-22, 46))
