"""Figures of chapter 15."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from torch import Tensor

from helpers.plots import style

YES = {"color": style.PALETTE["data"], "marker": "o"}
NO = {"color": "none", "marker": "o", "markeredgecolor": style.PALETTE["guess"], "markeredgewidth": 1.3}


def draw_two_kinds(axes: Axes, x: Tensor, yes: Tensor, labels: tuple[str, str], size: float) -> None:
    """Points in the plane, filled for a yes and hollow for a no. x: shape (n, 2); yes: shape (n,), boolean."""
    for kind, marker, label in ((yes, YES, labels[0]), (~yes, NO, labels[1])):
        axes.plot(*x[kind].T, linestyle="none", markersize=size, label=label, **marker)


def log_losses(z: Tensor) -> None:
    """The probability that a logit stands for, and what it costs where the truth is yes and where it is no."""
    _, (left, right) = style.new_figure(2, width=11, height=4.4)
    style.draw_curve(left, "network", z, torch.sigmoid(z), linestyle="-")
    left.set(xlabel="logit z", ylabel="probability p", yticks=(0, 0.25, 0.5, 0.75, 1))
    for truth, sign, dash, width in (("yes", -1, "-", 2), ("no", 1, "--", 3)):
        cost = torch.nn.functional.softplus(sign * z)
        style.draw_curve(right, "network", z, cost, f"the truth is {truth}", linestyle=dash, linewidth=width)
    style.finish(right, "upper center", xlabel="logit z", ylabel="loss")


def probability_lines(x: Tensor, yes: Tensor, coefficients: Tensor, labels: tuple[str, str]) -> None:
    """Petals of two species, and the lines along which a logistic model gives 10, 50 and 90 per cent.

    x: shape (n, 2), length and width; yes: shape (n,), boolean; coefficients: intercept first; labels: of yes and no.
    """
    _, axes = style.new_figure(width=9.5, height=5)
    draw_two_kinds(axes, x, yes, labels, 7)
    length = torch.linspace(2.8, 7.1, 2, dtype=torch.float64)
    intercept, slope, by_width = coefficients
    for p, dash, width in ((0.9, ":", 3), (0.5, "-", 2), (0.1, "--", 2)):
        line = (np.log(p / (1 - p)) - intercept - slope * length) / by_width
        style.draw_curve(axes, "lm", length, line, f"{p:.0%}", linestyle=dash, linewidth=width)
    names = {"xlabel": "petal length (cm)", "ylabel": "petal width (cm)"}
    beside = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
    style.finish(axes, beside, xlim=(2.8, 7.1), ylim=(0.85, 2.65), **names)


def digits_by_step(digits: list[float], level: float) -> None:
    """Digits of the answer after each step of Newton's method, from step 1, and those of glm() as a level."""
    _, axes = style.new_figure(width=8.5, height=4.4)
    steps = range(1, len(digits) + 1)
    style.draw_curve(axes, "descent", steps, digits, "Newton's method", marker="o", markersize=8)
    style.draw_level(axes, level, "glm() as it comes", linewidth=1.8)
    names = {"xlabel": "step", "ylabel": "digits right"}
    style.finish(axes, "upper left", xticks=steps, ylim=(0, 15), **names)


def probability_maps(df: pd.DataFrame, models: dict[str, Callable[[Tensor], Tensor]]) -> None:
    """Earthquakes on a map, and what models say of every place: shaded probability, and the line of one half.

    df: columns long, lat and deep; models: by title, functions from (latitude, longitude), shape (n, 2), to logits.
    """
    _, row = style.new_figure(len(models), width=12, height=5.6, sharey=True)
    long, lat = torch.linspace(165, 189, 241, dtype=torch.float64), torch.linspace(-39, -10, 291, dtype=torch.float64)
    places = torch.cartesian_prod(lat, long)
    x, deep = torch.tensor(df[["long", "lat"]].to_numpy().copy()), torch.tensor(df["deep"].to_numpy())
    for axes, (title, model) in zip(row, models.items(), strict=True):
        p = torch.sigmoid(model(places)).detach().reshape(len(lat), len(long))
        filled = axes.contourf(long, lat, p, np.linspace(0, 1, 11), cmap="Blues", alpha=0.75)
        for colour, width in (("white", 6), (style.PALETTE["data"], 3)):
            axes.contour(long, lat, p, [0.5], colors=colour, linewidths=width)
        draw_two_kinds(axes, x, deep, ("deeper than 300 km", "not so deep"), 3.6)
        axes.set(title=title, xlabel="longitude (°)")
        axes.grid(False)
    axes.figure.colorbar(filled, ax=row, label="probability of deep")
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, markerscale=2)
    style.finish(row[0], ylabel="latitude (°)")


def calibration(truth: Tensor, probabilities: dict[str, Tensor], edges: list[float]) -> None:
    """The share of yes among rows of like probability, against that probability, with two standard errors either way.

    truth: shape (n,), of 0 and 1; probabilities: by label, shape (n,), at most two; edges: of the groups.
    """
    _, axes = style.new_figure(width=7.5, height=5.4)
    style.draw_curve(axes, "guess", (0, 1), (0, 1), "as it should be", linewidth=2)
    for (label, p), (kind, marker) in zip(probabilities.items(), (("network", "o"), ("validation", "s")), strict=False):
        group = torch.bucketize(p, torch.tensor(edges[1:-1], dtype=p.dtype))
        rows = [group == number for number in range(len(edges) - 1)]
        share = torch.stack([truth[row].mean() for row in rows])
        error = 2 * (share * (1 - share) / torch.stack([row.sum() for row in rows])).sqrt()
        said = torch.stack([p[row].mean() for row in rows])
        look = {"color": style.PALETTE[kind], "marker": marker, "markersize": 8, "capsize": 4, "linestyle": "none"}
        axes.errorbar(said, share, error, label=label, **look)
    names = {"xlabel": "probability that was said", "ylabel": "share that was deep"}
    style.finish(axes, "upper left", ylim=(-0.05, 1.05), **names)
