"""Chapter 05: which readings are kept back."""

from collections.abc import Sequence

import ipywidgets
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import FigureBase

from helpers import data
from helpers.explore.stage import Explorer, Scene, columns, label
from helpers.loss import mse
from helpers.model import line as straight
from helpers.plots import style
from helpers.plots.style import DASHES, PALETTE


class Kept(Scene):
    """The readings, those kept back ringed, the line through the others; beside them all splits by their error."""

    def __init__(self, figure: FigureBase, df: pd.DataFrame):
        super().__init__(figure)
        self.u, self.c = columns(df)
        pairs = torch.combinations(torch.arange(len(df)), 2).tolist()
        errors = torch.tensor([self.measure(pair)[1] for pair in pairs])
        order = errors.argsort().tolist()
        self.places = {frozenset(pairs[index]): place for place, index in enumerate(order, start=1)}
        self.axes, beside = self.row(6, 5)
        style.draw_line(self.axes, *style.least_squares(self.u, self.c), "lm", "lm() on all", linewidth=1.2)
        self.fitted = self.curve(self.axes, DASHES["guess"], color=PALETTE["guess"], linewidth=3, label="without them")
        style.draw_readings(self.axes, df)
        style.draw_rings(self.axes, df, [0], "kept back")
        self.ring = self.follow(self.axes.lines[-1])
        self.axes.set(xlim=(16, 88), ylim=(-12, 32))
        self.axes.legend(loc="upper left", markerscale=0.7)
        self.title = self.follow(self.axes.title)
        dots = {"color": PALETTE["validation"], "markersize": 5}
        beside.plot(range(1, len(pairs) + 1), errors[order], "o", label="all pairs", **dots)
        ring = {"color": "none", "markeredgecolor": PALETTE["data"], "markeredgewidth": 2.5, "markersize": 14}
        self.mark = self.curve(beside, "o", label="this one", **ring)
        beside.set(xlabel="split, from the luckiest to the unluckiest", ylabel="validation loss (°C²)")
        beside.set(xticks=[1, *range(10, len(pairs) + 1, 10)], ylim=(0, 1.1 * errors.max().item()))
        beside.legend(loc="upper left", markerscale=0.7)

    def measure(self, rows: Sequence[int]) -> tuple[float, float]:
        """Training and validation loss with these rows kept back; the line stays in `slope` and `intercept`."""
        kept = sorted(set(rows))
        rest = [row for row in range(len(self.u)) if row not in kept]
        self.slope, self.intercept = style.least_squares(self.u[rest], self.c[rest])
        return tuple(
            mse(straight(self.u[part], self.slope, self.intercept), self.c[part]).item() for part in (rest, kept)
        )

    def update(self, seed: int, first: int, second: int) -> str:
        rows = sorted({first, second})
        self.training_loss, self.validation_loss = self.measure(rows)
        ends = np.array([16.0, 88.0])
        self.fitted.set_data(ends, self.slope * ends + self.intercept)
        self.ring.set_data(self.u[rows], self.c[rows])
        place = self.places.get(frozenset(rows))
        self.mark.set_data(*([place], [self.validation_loss]) if place else ([], []))
        self.title.set_text(f"validation loss {self.validation_loss:.2f} °C²")
        named = f"Rows {rows[0]} and {rows[1]} are" if place else f"Row {rows[0]} alone is"
        rank = f", number {place} of {len(self.places)}" if place else ""
        from_seed = rows_of_seed(len(self.u), seed) == rows
        losses = f"training loss {self.training_loss:.4f}, validation loss {self.validation_loss:.4f}{rank}"
        return f"{named} kept back{f' (seed {seed})' if from_seed else ''}: {losses}."


def rows_of_seed(n: int, seed: int) -> list[int]:
    """The two rows that the chapter's split keeps back with this seed."""
    return sorted(data.split(n, seed).validation.tolist())


def splits(df: pd.DataFrame) -> Explorer:
    """Choose a seed, or the two rows themselves, and see the line that the others give.

    df: the eleven readings, columns u and c. With one row chosen twice, it alone is kept back.
    """
    first, second = rows_of_seed(len(df), 0)
    last = len(df) - 1
    controls = {
        "first": ipywidgets.IntSlider(first, 0, last, **label("one row kept back", "row number")),
        "second": ipywidgets.IntSlider(second, 0, last, **label("another one", "row number")),
        "seed": ipywidgets.BoundedIntText(0, 0, 2**31 - 1, **label("rows by seed", "shuffle, keep the last two")),
    }

    def follow_seed(changed):
        if changed is controls["seed"]:
            controls["first"].value, controls["second"].value = rows_of_seed(len(df), changed.value)

    alt = (
        "Left the eleven readings; rows 6 and 7, of smallest u, are ringed, and the dotted line through the other "
        "nine passes well below both, and there below the solid line of lm() on all. Right the validation losses of "
        "all 55 pairs in ascending order; this pair is the last, at 20.70."
    )
    return Explorer(lambda part: Kept(part, df), controls, alt=alt, size=(11, 4.6), follow=follow_seed)
