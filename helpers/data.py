"""The course's data: eleven readings of two thermometers and the two splits of them; data sets of R's; and, made up, as
many readings as one likes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    import pandas as pd

CELSIUS = (0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0)
UNKNOWN = (35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4)

DATASETS = Path(__file__).with_name("datasets")

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
        raise TypeError(f"dtype is {dtype}, which is no floating-point dtype: use torch.float32 or torch.float64")
    return torch.tensor(UNKNOWN, dtype=dtype), torch.tensor(CELSIUS, dtype=dtype)


def dataset(name: str, factor: str | None = None) -> pd.DataFrame:
    """One of R's data sets, from helpers/datasets; a test compares each with R's own.

    Numbers are float64; the column `factor` is a category, as in R.
    """
    import pandas as pd

    df = pd.read_csv(DATASETS / f"{name}.csv")
    return df.astype({column: "category" if column == factor else "float64" for column in df})


def faithful() -> pd.DataFrame:
    """272 eruptions of the geyser Old Faithful in Yellowstone, in R's order.

    Returns columns eruptions (how long the eruption lasted, in minutes) and waiting (the waiting time to the next one,
    in minutes), float64.
    Source: R's datasets::faithful, from Haerdle (1991), Smoothing Techniques with Implementation in S; a fuller record
    is in Azzalini and Bowman (1990), A look at some data on the Old Faithful geyser, Applied Statistics 39, 357-365.
    """
    return dataset("faithful")


def cars() -> pd.DataFrame:
    """Fifty stopping distances of cars of the 1920s, in R's order.

    Returns columns speed (in miles per hour) and dist (the distance to the stop, in feet), float64.
    Source: R's datasets::cars, from Ezekiel (1930), Methods of Correlation Analysis.
    """
    return dataset("cars")


def iris() -> pd.DataFrame:
    """150 irises of three species, fifty of each, in R's order.

    Returns columns Sepal.Length, Sepal.Width, Petal.Length, Petal.Width (in cm), float64, and Species, a category:
    setosa, versicolor, virginica.
    Source: R's datasets::iris, from Anderson (1935), The irises of the Gaspe Peninsula, Bulletin of the American Iris
    Society 59, 2-5, made known by Fisher (1936).
    """
    return dataset("iris", factor="Species")


def insect_sprays() -> pd.DataFrame:
    """The insects counted on 72 plots, each treated with one of six sprays, in R's order.

    Returns columns count (insects on a plot), float64, and spray, a category: A to F.
    Source: R's datasets::InsectSprays, from Beall (1942), The transformation of data from entomological field
    experiments, Biometrika 29, 243-262.
    """
    return dataset("insect_sprays", factor="spray")


def quakes() -> pd.DataFrame:
    """1000 earthquakes near Fiji since 1964, of magnitude 4 or more, in R's order.

    Returns columns lat and long (degrees), depth (in km), mag (Richter magnitude) and stations (how many stations
    reported it), float64.
    Source: R's datasets::quakes, from the Harvard PRIM-H project.
    """
    return dataset("quakes")


def airquality() -> pd.DataFrame:
    """153 days in New York, May to September 1973, in R's order; some values are missing.

    Returns columns Ozone (parts per billion), Solar.R (radiation in langleys), Wind (miles per hour), Temp (degrees
    Fahrenheit), Month and Day, float64.
    Source: R's datasets::airquality, from Chambers, Cleveland, Kleiner and Tukey (1983), Graphical Methods for Data
    Analysis.
    """
    return dataset("airquality")


def logger() -> pd.DataFrame:
    """1024 readings of the two thermometers as a logger might have noted them, made up, rounded to a tenth.

    Returns columns u (unknown unit) and c (degrees Celsius), float64. The true slope is 5/9, and c is off by up to 4
    before rounding.
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
