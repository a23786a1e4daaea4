"""Chapter 11: few and many hidden units."""

import contextlib
import functools
import io
from collections.abc import Callable

import ipywidgets
import pandas as pd
import torch
from matplotlib.figure import FigureBase
from torch import Tensor

from helpers.explore.stage import Explorer, Scene, columns, label, side_by_side, within
from helpers.loss import mse
from helpers.model import network
from helpers.plots import style
from helpers.plots.style import DASHES, PALETTE
from helpers.training import train

GRID = torch.linspace(0, 110, 221, dtype=torch.float64)


class Fit(Scene):
    """The readings, those kept back ringed, lm()'s line through the others, and the curve of one network.

    trained: from hidden units and seed to the network's curve over GRID and its training and validation loss.
    """

    def __init__(self, figure: FigureBase, df: pd.DataFrame, kept_back: list[int], trained: Callable, epochs: int):
        super().__init__(figure)
        self.trained, self.epochs = trained, epochs
        self.axes = self.row(1)
        self.axes.axvspan(df["u"].min(), df["u"].max(), color="#EDEDED", zorder=0)
        seen = columns(df.drop(index=kept_back))
        style.draw_line(self.axes, *style.least_squares(*seen), "lm", "lm()", span=(0, 110))
        dashed = {"color": PALETTE["network"], "linewidth": 2.5, "zorder": 2.5, "label": "network"}
        self.network = self.curve(self.axes, DASHES["network"], **dashed)
        style.draw_readings(self.axes, df)
        style.draw_rings(self.axes, df, kept_back, "kept back")
        self.axes.set(xlim=(0, 110), ylim=(-22, 46))
        self.axes.legend(loc="upper left", markerscale=0.7)
        self.title = self.follow(self.axes.title)

    def update(self, hidden: int, seed: int) -> str:
        curve, losses = self.trained(hidden, seed)
        self.network.set_data(GRID, within(curve.numpy(), -22, 46))
        units = "unit" if hidden == 1 else "units"
        self.title.set_text(f"{hidden} {units}: training {losses[0]:.2f}, validation {losses[1]:.2f}")
        size = f"{hidden} hidden {units}, {3 * hidden + 1} parameters"
        return f"{size}, after {self.epochs} epochs: training MSE {losses[0]:.2f}, validation MSE {losses[1]:.2f}."


def hidden_units(df: pd.DataFrame, training: Tensor, validation: Tensor, epochs: int = 8) -> Explorer:
    """Networks with few and with many hidden units, trained as soon as a slider asks for them.

    df: the readings, columns u and c; training, validation: row numbers; epochs: of LBFGS, up to 20 steps each.
    """
    u, c = columns(df)
    z, y = ((u - 50) / 15).unsqueeze(1), c.unsqueeze(1)

    @functools.cache
    def trained(hidden, seed):
        with torch.random.fork_rng(devices=[]):  # the learner's random numbers go on as if nothing had happened
            torch.manual_seed(seed)
            model = network(hidden)
        optimizer = torch.optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe", history_size=20)
        with contextlib.redirect_stdout(io.StringIO()):  # the picture shows a run that stopped
            train(model, optimizer, z[training], y[training], epochs)
        with torch.no_grad():
            losses = tuple(mse(model(z[rows]), y[rows]).item() for rows in (training, validation))
            return model((GRID.unsqueeze(1) - 50) / 15).squeeze(1), losses

    def scene(figure):
        return Fit(figure, df, validation.tolist(), trained, epochs)

    sizes = [1, 2, 3, 4, 5, 6, 8, 10, 13, 20, 30, 50, 100, 300, 1000]
    note = label("hidden units", "each has 3 parameters")
    controls = {
        "hidden": ipywidgets.SelectionSlider(options=sizes, value=13, **note),
        "seed": ipywidgets.IntSlider(0, 0, 19, **label("seed", "of the starting values")),
    }
    states = [{"hidden": hidden, "seed": 0} for hidden in (1, 3, 13)]
    twin, _ = side_by_side(scene, states, 14, 4.6)
    alt = (
        "Networks with 1, 3 and 13 hidden units, each trained on the nine readings that are not ringed. One unit: a "
        "smooth step, near the line of lm() between the readings. Three: the curve begins to bend towards single "
        "readings. Thirteen: it goes through all nine, with a deep valley on the way, and misses the ringed ones."
    )
    return Explorer(scene, controls, alt=alt, size=(8.5, 4.8), twin=twin)
