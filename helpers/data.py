"""The course's data: eleven readings of two thermometers, and the two splits used from chapter 05 on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    import pandas as pd

CELSIUS = (0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0)
UNKNOWN = (35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4)


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
