"""Checks of chapter 13."""

from collections.abc import Sequence

import torch
from torch import Tensor

from helpers import data
from helpers.check.engine import RETURN_IN_LOOP, Exercise, float64, least_squares, readings


def geyser() -> tuple[Tensor, Tensor]:
    """Waiting times and lengths of R's 272 eruptions, in float64."""
    df = data.faithful()
    return torch.tensor(df["waiting"].to_numpy()), torch.tensor(df["eruptions"].to_numpy())


def spread(values: Tensor) -> Tensor:
    return values.std(correction=0)


def in_units(w: float, b: float, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    slope = w * spread(y) / spread(x)
    return slope, y.mean() + b * spread(y) - slope * x.mean()


line_in_units = Exercise(
    in_units,
    "Train in the units that suit the optimizer, report in the units that suit the reader.",
    ("spread(y) / spread(x)", "spread(x) / spread(y)"),
    "The quotient is upside down: a slope is in units of y per unit of x.",
    (" * spread(y)", ""),
    "The spread of y is missing: w and b are in standard deviations of y.",
    ("b * spread(y)", "b"),
    "The slope is right. The intercept adds b to minutes: b is in standard deviations of y.",
    (" - slope * x.mean()", ""),
    "The slope is right. The intercept belongs to x = 0, and standardised x is 0 at the mean of x.",
    ("y.mean() + ", ""),
    "The slope is right. The mean of y was subtracted before training: add it to the intercept.",
    ("spread", "torch.std"),
    "std() divides by n - 1 unless told otherwise: use correction=0, as the training did.",
    lambda *task: in_units(*task)[::-1],
    "The two are swapped: the slope comes first.",
    cases=lambda: [
        (0.9, 0.05, *geyser()),
        (-0.75, -0.2, *float64([[1.0, 2.0, 4.0, 7.0, 11.0], [30.0, 20.0, 25.0, 10.0, 4.0]])),
    ],
    hint="Solve (y - mean of y) / spread of y = w * (x - mean of x) / spread of x + b for y, then read off the slope.",
)


def deal(n: int, folds: int) -> tuple[Tensor, ...]:
    """The row numbers 0 ... n-1, shuffled and dealt into folds."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(12)).tensor_split(folds)


def errors_by_fold(x: Tensor, y: Tensor, folds: Sequence[Tensor]) -> Tensor:
    X = torch.stack([torch.ones_like(x), x], dim=1)
    errors = torch.zeros_like(y)
    for fold in folds:
        others = torch.ones(len(x), dtype=torch.bool)
        others[fold] = False
        errors[fold] = X[fold] @ least_squares(X[others], y[others]) - y[fold]
    return errors


line_errors = Exercise(
    errors_by_fold,
    "Line and network can now be compared row by row, each row predicted by fits that have not seen it.",
    ("= False", "= True"),
    "Every row was part of its own fit: fit without the fold, then predict the fold.",
    ("[others]", "[fold]"),
    "The lines were fitted to the folds themselves: fit to the other rows, predict the fold.",
    lambda x, y, folds: errors_by_fold(x, y, torch.arange(len(x)).split(1)),
    "That leaves out one row at a time: leave out all rows of a fold together.",
    lambda x, y, folds: errors_by_fold(x, y, folds)[torch.cat(tuple(folds))],
    "The errors stand in the order of the folds: put each one at its row, errors[fold] = ...",
    lambda x, y, folds: -errors_by_fold(x, y, folds),
    "The sign is turned: prediction minus value, as in the chapter.",
    lambda x, y, folds: errors_by_fold(x, y, folds) ** 2,
    "Those are the squares: return the errors themselves.",
    lambda x, y, folds: (errors_by_fold(x, y, folds) ** 2).mean(),
    "That is their mean square: return one error for each row.",
    ("    return", "        return"),
    RETURN_IN_LOOP,
    ("torch.zeros_like(y)", "torch.zeros(len(y))"),
    "The tensor that you fill is float32, the default, and the data are float64: give it the dtype of y.",
    cases=lambda: [(*geyser(), deal(272, 10)), (*readings(), deal(11, 4))],
    hint="For each fold: a mask of the other rows, a line fitted to them, its predictions for the fold minus y there.",
)


def gain_over_error(line_errors: Tensor, network_errors: Tensor) -> Tensor:
    gain = line_errors**2 - network_errors**2
    return gain.mean() / gain.std() * len(gain) ** 0.5


def as_if_other_rows(line_errors: Tensor, network_errors: Tensor) -> Tensor:
    """The difference of two means over its standard error, the two as if independent."""
    first, second = line_errors**2, network_errors**2
    return (first.mean() - second.mean()) / ((first.var() + second.var()) / len(first)) ** 0.5


standard_errors_apart = Exercise(
    gain_over_error,
    "On the geyser it is more than six, which is no luck of the draw: that relation bends, and the network found it.",
    lambda *errors: -gain_over_error(*errors),
    "The sign is turned: the line's squared error minus the network's, so that positive means the network is ahead.",
    as_if_other_rows,
    "You compared two means as if they came from different rows: subtract row by row, then take the standard error.",
    (" * len(gain) ** 0.5", ""),
    "You divided by the standard deviation: the standard error is that divided by the root of n.",
    ("len(gain)", "11"),
    "The root is that of the number of rows, which needn't be eleven.",
    ("gain.mean() / gain.std() * len(gain) ** 0.5", "gain.mean()"),
    "That is the mean difference itself, in squared minutes: divide it by its standard error.",
    ("line_errors**2 - network_errors**2", "line_errors.abs() - network_errors.abs()"),
    "Those are gains in the absolute errors: the gain is in the squared ones.",
    ("std()", "std(correction=0)"),
    "The standard error takes the standard deviation that divides by n - 1, as a tensor's std() does by itself.",
    ("gain.std() * len(gain) ** 0.5", "gain.std() / len(gain) ** 0.5"),
    "You divided by the root of n as well: it divides the standard deviation, so it needs brackets, or multiplies.",
    ("gain = line_errors**2 - network_errors**2", "gain = (line_errors**2).mean() - (network_errors**2).mean()"),
    "The gain is one number already, and has no spread: take one for each row, and the mean at the end.",
    ("gain.mean() / gain.std() * len(gain) ** 0.5", "gain"),
    "Those are the gains, row by row: return their mean divided by its standard error.",
    cases=lambda: [
        tuple(float64([[1.0, -2.0, 0.5, 3.0, -1.5], [0.5, -1.0, 1.0, -2.0, 1.0]])),
        tuple(float64([[-0.75, 1.5, 0.25, 1.0], [0.25, 1.0, -0.5, 2.0]])),
    ],
    hint="gain = line_errors**2 - network_errors**2 by row; its mean divided by its standard error, std / root of n.",
)
