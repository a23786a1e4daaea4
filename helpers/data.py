"""The course's data: eleven readings of two thermometers, the two splits used from chapter 05 on, two data sets of R's
for the learner's own walk in chapter 12, and, made up for chapter 14, as many readings as one likes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    import pandas as pd

CELSIUS = (0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0)
UNKNOWN = (35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4)

# R's datasets::faithful and datasets::cars, in R's order; a test compares them with R's own.
ERUPTIONS = """
    3.6 1.8 3.333 2.283 4.533 2.883 4.7 3.6 1.95 4.35 1.833 3.917 4.2 1.75 4.7 2.167 1.75 4.8 1.6 4.25 1.8 1.75 3.45
    3.067 4.533 3.6 1.967 4.083 3.85 4.433 4.3 4.467 3.367 4.033 3.833 2.017 1.867 4.833 1.833 4.783 4.35 1.883 4.567
    1.75 4.533 3.317 3.833 2.1 4.633 2 4.8 4.716 1.833 4.833 1.733 4.883 3.717 1.667 4.567 4.317 2.233 4.5 1.75 4.8
    1.817 4.4 4.167 4.7 2.067 4.7 4.033 1.967 4.5 4 1.983 5.067 2.017 4.567 3.883 3.6 4.133 4.333 4.1 2.633 4.067 4.933
    3.95 4.517 2.167 4 2.2 4.333 1.867 4.817 1.833 4.3 4.667 3.75 1.867 4.9 2.483 4.367 2.1 4.5 4.05 1.867 4.7 1.783
    4.85 3.683 4.733 2.3 4.9 4.417 1.7 4.633 2.317 4.6 1.817 4.417 2.617 4.067 4.25 1.967 4.6 3.767 1.917 4.5 2.267 4.65
    1.867 4.167 2.8 4.333 1.833 4.383 1.883 4.933 2.033 3.733 4.233 2.233 4.533 4.817 4.333 1.983 4.633 2.017 5.1 1.8
    5.033 4 2.4 4.6 3.567 4 4.5 4.083 1.8 3.967 2.2 4.15 2 3.833 3.5 4.583 2.367 5 1.933 4.617 1.917 2.083 4.583 3.333
    4.167 4.333 4.5 2.417 4 4.167 1.883 4.583 4.25 3.767 2.033 4.433 4.083 1.833 4.417 2.183 4.8 1.833 4.8 4.1 3.966
    4.233 3.5 4.366 2.25 4.667 2.1 4.35 4.133 1.867 4.6 1.783 4.367 3.85 1.933 4.5 2.383 4.7 1.867 3.833 3.417 4.233 2.4
    4.8 2 4.15 1.867 4.267 1.75 4.483 4 4.117 4.083 4.267 3.917 4.55 4.083 2.417 4.183 2.217 4.45 1.883 1.85 4.283 3.95
    2.333 4.15 2.35 4.933 2.9 4.583 3.833 2.083 4.367 2.133 4.35 2.2 4.45 3.567 4.5 4.15 3.817 3.917 4.45 2 4.283 4.767
    4.533 1.85 4.25 1.983 2.25 4.75 4.117 2.15 4.417 1.817 4.467
"""
WAITING = """
    79 54 74 62 85 55 88 85 51 85 54 84 78 47 83 52 62 84 52 79 51 47 78 69 74 83 55 76 78 79 73 77 66 80 74 52 48 80 59
    90 80 58 84 58 73 83 64 53 82 59 75 90 54 80 54 83 71 64 77 81 59 84 48 82 60 92 78 78 65 73 82 56 79 71 62 76 60 78
    76 83 75 82 70 65 73 88 76 80 48 86 60 90 50 78 63 72 84 75 51 82 62 88 49 83 81 47 84 52 86 81 75 59 89 79 59 81 50
    85 59 87 53 69 77 56 88 81 45 82 55 90 45 83 56 89 46 82 51 86 53 79 81 60 82 77 76 59 80 49 96 53 77 77 65 81 71 70
    81 93 53 89 45 86 58 78 66 76 63 88 52 93 49 57 77 68 81 81 73 50 85 74 55 77 83 83 51 78 84 46 83 55 81 57 76 84 77
    81 87 77 51 78 60 82 91 53 78 46 77 84 49 83 71 80 49 75 64 76 53 94 55 76 50 82 54 75 78 79 78 78 70 79 70 54 86 50
    90 54 54 77 79 64 75 47 86 63 85 82 57 82 67 74 54 83 73 73 88 80 71 83 56 79 78 84 58 83 43 60 75 81 46 90 46 74
"""
SPEED = """
    4 4 7 7 8 9 10 10 10 11 11 12 12 12 12 13 13 13 13 14 14 14 14 15 15 15 16 16 17 17 17 18 18 18 18 19 19 19 20 20 20
    20 20 22 23 24 24 24 24 25
"""
STOPPING_DISTANCE = """
    2 10 4 22 16 10 18 26 34 17 28 14 20 24 28 26 34 34 46 26 36 60 80 20 26 54 32 40 32 40 50 42 56 76 84 36 46 68 32
    48 52 56 64 66 54 70 92 93 120 85
"""

PLANT_ROWS = 20_000  # in one chunk
PLANT_COLUMNS = ["x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "power"]
PLANT_COEFFICIENTS = (20.0, 0.9, -0.8, 0.7, -0.6, 0.5, -0.4, 0.3, -0.2, 0.1)


class Split(NamedTuple):
    """Row numbers of the training part and of the validation part, as one-dimensional integer tensors."""

    training: Tensor
    validation: Tensor


def thermometers() -> pd.DataFrame:
    """The eleven readings as a DataFrame.

    Returns columns u (unknown unit) and c (degrees Celsius), float64, one row per place.
    Taught in chapter 01.
    """
    import pandas as pd

    return pd.DataFrame({"u": UNKNOWN, "c": CELSIUS})


def tensors(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """The eleven readings as tensors.

    dtype: a floating-point dtype.
    Returns u (unknown unit) and c (degrees Celsius), each of shape (11,).
    Raises TypeError for a dtype that is not floating point: the readings have decimals.
    Taught in chapter 02.
    """
    if not dtype.is_floating_point:
        raise TypeError(f"dtype is {dtype}, which cannot hold 35.7: use torch.float32 or torch.float64")
    return torch.tensor(UNKNOWN, dtype=dtype), torch.tensor(CELSIUS, dtype=dtype)


def columns(**texts: str) -> pd.DataFrame:
    """A DataFrame of float64 columns, each given as numbers with blanks between them."""
    import pandas as pd

    return pd.DataFrame({name: [float(number) for number in text.split()] for name, text in texts.items()})


def faithful() -> pd.DataFrame:
    """272 eruptions of the geyser Old Faithful in Yellowstone, in R's order.

    Returns columns eruptions (how long the eruption lasted, in minutes) and waiting (the waiting time to the next one,
    in minutes), float64.
    Source: R's datasets::faithful, from Haerdle (1991), Smoothing Techniques with Implementation in S; a fuller record
    is in Azzalini and Bowman (1990), A look at some data on the Old Faithful geyser, Applied Statistics 39, 357-365.
    Used in chapter 12.
    """
    return columns(eruptions=ERUPTIONS, waiting=WAITING)


def cars() -> pd.DataFrame:
    """Fifty stopping distances of cars of the 1920s, in R's order.

    Returns columns speed (in miles per hour) and dist (the distance to the stop, in feet), float64.
    Source: R's datasets::cars, from Ezekiel (1930), Methods of Correlation Analysis.
    Used in chapter 12.
    """
    return columns(speed=SPEED, dist=STOPPING_DISTANCE)


def logger() -> pd.DataFrame:
    """1024 readings of the two thermometers as a logger might have noted them, made up, rounded to a tenth.

    Returns columns u (unknown unit) and c (degrees Celsius), float64. The true slope is 5/9, and c is off by up to 4.
    Used in chapter 14.
    """
    import pandas as pd

    uniform = torch.rand(2, 1024, generator=torch.Generator().manual_seed(14), dtype=torch.float64)
    u = (20 + 65 * uniform[0]).round(decimals=1)
    c = (5 / 9 * (u - 32) + 8 * uniform[1] - 4).round(decimals=1)
    return pd.DataFrame({"u": u.numpy(), "c": c.numpy()})


def plant(chunk: int) -> Tensor:
    """20 000 rows of a plant's made-up record: nine inputs between 0 and 100, and the power that follows from them.

    chunk: which 20 000 rows, counted from 0; each chunk can be made without the others.
    Returns shape (20000, 10), float64, rounded to a tenth, with the columns PLANT_COLUMNS, the power last. It is
    PLANT_COEFFICIENTS (intercept first) times the inputs, and noise of up to 3.
    Used in chapter 14.
    """
    generator = torch.Generator().manual_seed(chunk)
    inputs = (100 * torch.rand(PLANT_ROWS, 9, generator=generator, dtype=torch.float64)).round(decimals=1)
    noise = 6 * torch.rand(PLANT_ROWS, generator=generator, dtype=torch.float64) - 3
    intercept, *slopes = PLANT_COEFFICIENTS
    power = (intercept + inputs @ torch.tensor(slopes, dtype=torch.float64) + noise).round(decimals=1)
    return torch.column_stack([inputs, power])


def split(n: int, seed: int, share: float = 0.2) -> Split:
    """Shuffle the row numbers 0 ... n-1 with a seed and keep the last int(share * n) for validation.

    n: number of rows; share: between 0 and 1, and such that neither part is empty.
    Returns the row numbers of both parts, in shuffled order.
    Raises ValueError where one part would be empty.
    Of eleven rows, seed 0 keeps {6, 7} for validation and seed 14322024 keeps {4, 9}.
    Taught in chapter 05.
    """
    n_validation = int(share * n)
    if not 0 < n_validation < n:
        raise ValueError(f"share={share} of n={n} leaves {n_validation} rows for validation: both parts need rows")
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return Split(training=order[:-n_validation], validation=order[-n_validation:])
