"""The figure of chapter 00, which 06 draws again."""

from typing import Any

import pandas as pd

from helpers.plots import style


def depth_maps(quakes: pd.DataFrame, panels: dict[str, Any]) -> None:
    """Maps of the same places, coloured by depth on one scale.

    quakes: columns lat and long, in degrees; panels: by title, depths in km, shape (n,).
    """
    figure, row = style.new_figure(len(panels), width=11, height=4.4, sharex=True, sharey=True)
    for axes, (title, depth) in zip(row, panels.items(), strict=True):
        dots = axes.scatter(quakes["long"], quakes["lat"], c=depth, s=9, cmap="cividis_r", vmin=0, vmax=700)
        axes.set(title=title, xlabel="longitude (°)", xticks=range(165, 190, 5))
    figure.colorbar(dots, ax=row, label="depth (km)", extend="both")
    style.finish(row[0], ylabel="latitude (°)")
