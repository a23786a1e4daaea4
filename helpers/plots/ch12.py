"""The figure of chapter 12."""

import pandas as pd
from torch import Tensor

from helpers.plots import style


def repeated_calls(df: pd.DataFrame, u: Tensor, panels: dict[str, Tensor]) -> None:
    """Answers of one model, asked again and again, as points; one panel per model.

    u: shape (n,), in the thermometer's unit; panels: by title, shape (calls, n), in degrees Celsius.
    """
    _, row = style.new_figure(len(panels), width=11, height=4.6, sharey=True)
    for axes, (title, calls) in zip(row, panels.items(), strict=True):
        axes.plot(u, calls.T, ".", color=style.PALETTE["network"], markersize=3)
        axes.plot([], [], ".", color=style.PALETTE["network"], markersize=8, label=f"{len(calls)} calls")
        style.draw_readings(axes, df)
        axes.set_title(title)
    row[-1].set_ylabel("")
    style.finish(row[0], "upper left")
