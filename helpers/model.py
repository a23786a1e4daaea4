"""The models of the course: the straight line (the networks join it in chapters 10 and 11)."""

from __future__ import annotations

from torch import Tensor


def line(u: Tensor, w: Tensor | float, b: Tensor | float) -> Tensor:
    """The straight line w * u + b.

    u: tensor of any shape, in the thermometer's unit (or rescaled); w: slope, in degrees Celsius per unit of u;
    b: intercept, in degrees Celsius; both scalars.
    Returns a tensor of u's shape, in degrees Celsius.
    Taught in chapter 02.
    """
    return w * u + b
