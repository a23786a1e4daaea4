"""The figure of chapters 01 and 09: several straight lines through the readings."""

import pandas as pd

from helpers.plots import style


def lines(df: pd.DataFrame, *named: tuple[str, str, float, float]) -> None:
    """The readings and several lines, each given as (label, kind, slope, intercept)."""
    _, axes = style.new_figure()
    for label, kind, slope, intercept in named:
        style.draw_line(axes, slope, intercept, kind, label)
    style.draw_readings(axes, df)
    style.finish(axes, "best")
