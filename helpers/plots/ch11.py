"""Figures of chapter 11."""

import matplotlib.pyplot as plt
import pandas as pd
from torch import Tensor

from helpers.plots import style


def validation_by_epoch(epochs: list[int], curves: dict[str, Tensor], level: float) -> None:
    """A summary of the validation errors of many networks against epoch, and the lines' as a level.

    epochs: k numbers; curves: by label, shape (k,), at most two.
    """
    _, axes = style.new_figure(width=8.5)
    style.draw_curves(axes, epochs, curves, (("-.", 2.2), (":", 3.5)))
    style.draw_level(axes, level, "line", linewidth=1.5)
    axes.set(yscale="log", xlabel="epoch", ylabel="median validation MSE (°C²)")
    style.plain_logarithms(axes.yaxis)
    style.finish(axes, "upper right")


def area_maps(quakes: pd.DataFrame, panels: dict[str, Tensor]) -> None:
    """What models say of every place in the rectangle around the quakes, whose places are dots; white
    where it is above the ground, black where it is deeper than 700 km.

    quakes: columns lat and long, in degrees; panels: by title, depths in km over a square grid, south-west first.
    """
    figure, row = style.new_figure(len(panels), width=11, height=4.6, sharex=True, sharey=True)
    colours = plt.get_cmap("cividis_r").with_extremes(under="white", over="black")
    extent = [end for column in ("long", "lat") for end in (quakes[column].min(), quakes[column].max())]
    for axes, (title, depth) in zip(row, panels.items(), strict=True):
        grid = depth.reshape(int(len(depth) ** 0.5), -1)
        settings = {"origin": "lower", "extent": extent, "aspect": "auto", "cmap": colours, "vmin": 0, "vmax": 700}
        image = axes.imshow(grid, **settings)
        rim = {"markeredgecolor": "black", "markeredgewidth": 0.4}  # to be seen on white, too
        axes.plot(quakes["long"], quakes["lat"], ".", color="white", markersize=4, **rim)
        axes.set(title=title, xlabel="longitude (°)")
        axes.grid(False)
    figure.colorbar(image, ax=row, label="depth (km)", extend="both")
    style.finish(row[0], ylabel="latitude (°)")
