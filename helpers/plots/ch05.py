"""Figures of chapter 05."""

import pandas as pd
from matplotlib.ticker import MultipleLocator
from torch import Tensor

from helpers.plots import style


def validation_curves(*panels: tuple[str, Tensor, Tensor]) -> None:
    """Training and validation loss against epoch, one panel per training run.

    panels: title, training loss and validation loss of each epoch; both axes logarithmic, the losses on one scale.
    """
    _, row = style.new_figure(len(panels), width=11, height=4.2, sharey=True)
    for axes, (title, loss, validation_loss) in zip(row, panels, strict=True):
        style.draw_curve(axes, "descent", range(1, len(loss) + 1), loss, "training")
        style.draw_validation(axes, validation_loss, "validation")
        axes.set(xscale="log", yscale="log", title=title, xlabel="epoch")
    row[0].set_ylabel("loss (°C²)")
    style.plain_logarithms(row[0].yaxis)
    row[0].set_ylim(top=row[0].get_ylim()[1] * 2)
    style.finish(row[-1], {"loc": "upper right", "ncols": 2})


def split_errors(errors: Tensor, marked: dict[str, int], level: float) -> None:
    """The validation losses of all splits, in ascending order, some of them named.

    errors: shape (splits,); marked: by name, the position in errors; level: lm()'s MSE on all readings.
    """
    _, axes = style.new_figure(width=9)
    order = errors.argsort()
    axes.plot(range(1, len(errors) + 1), errors[order], "o", color=style.PALETTE["validation"], markersize=6)
    for name, position in marked.items():
        place = order.tolist().index(position) + 1, errors[position].item()
        axes.plot(*place, "o", color="none", markeredgecolor=style.PALETTE["data"], markeredgewidth=2, markersize=13)
        axes.annotate(name, place, (-14, 4), textcoords="offset points", ha="right", va="bottom")
    style.draw_level(axes, level, linewidth=1.5)
    look = {"textcoords": "offset points", "ha": "right", "va": "top", "color": style.PALETTE["lm"]}
    axes.annotate("MSE of lm() on all eleven", (len(errors), level), (0, -5), **look)
    axes.set(ylim=(0, 1.1 * errors.max().item()), xticks=[1, *range(10, len(errors) + 1, 10)])
    axes.yaxis.set_major_locator(MultipleLocator(5))
    style.finish(axes, xlabel="split, from the luckiest to the unluckiest", ylabel="validation loss (°C²)")


def degree_errors(on_its_own: list[float], on_others: list[float]) -> None:
    """The error on a model's own readings and that on readings left out, for degree 0, 1, 2, ..."""
    _, axes = style.new_figure()
    degrees = range(len(on_its_own))
    style.draw_curve(axes, "descent", degrees, on_its_own, "on its own readings", marker="s", markersize=6)
    style.draw_curve(axes, "validation", degrees, on_others, "leave-one-out", marker="o", markersize=7)
    axes.set(yscale="log", xticks=degrees, xlabel="degree", ylabel="mean squared error (°C²)")
    style.plain_logarithms(axes.yaxis)
    style.finish(axes, "upper center")


def left_out(df: pd.DataFrame, row: int, grid: Tensor, curves: dict[int, Tensor]) -> None:
    """Polynomials fitted without one reading, which is ringed.

    row: the reading left out; grid: values of u, shape (k,); curves: by degree, the fitted values, shape (k,).
    """
    _, axes = style.new_figure()
    for (degree, values), kind in zip(curves.items(), ("lm", "guess"), strict=True):
        style.draw_curve(axes, kind, grid, values, f"degree {degree}")
    style.draw_readings(axes, df)
    style.draw_rings(axes, df, row, "left out")
    style.finish(axes, {"loc": "upper left", "markerscale": 0.7}, ylim=(-12, 42))
