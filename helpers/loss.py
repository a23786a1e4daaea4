"""Mean squared error, and its gradient worked out by hand."""

from __future__ import annotations

from torch import Tensor

from helpers.model import line


class ShapeError(ValueError):
    """Two tensors that should have one shape have two."""


def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean squared error, in the square of the target's unit.

    prediction, target: tensors of one same shape, (n,) or (n, 1); floating point.
    Returns a scalar tensor that can be differentiated.
    Raises ShapeError if the shapes differ: broadcasting (n,) against (n, 1) would average n * n differences.
    Taught in chapter 02.
    """
    if prediction.shape != target.shape:
        raise ShapeError(
            f"prediction has shape {tuple(prediction.shape)}, target has shape {tuple(target.shape)}: "
            "bring both to one shape, for example with .unsqueeze(1) on the one of shape (n,)"
        )
    return ((prediction - target) ** 2).mean()


def mse_gradient(u: Tensor, c: Tensor, w: Tensor | float, b: Tensor | float) -> tuple[Tensor, Tensor]:
    """Gradient of the mean squared error of the line w * u + b, by the chain rule.

    u, c: tensors of shape (n,); w, b: scalars.
    Returns dL/dw and dL/db, scalar tensors: 2 mean(r u) and 2 mean(r) with the residuals r = w u + b - c.
    Raises ShapeError if u and c differ in shape.
    Taught in chapter 02; autograd confirms it in chapter 03.
    """
    if u.shape != c.shape:
        raise ShapeError(f"u has shape {tuple(u.shape)}, c has shape {tuple(c.shape)}: one reading of each per place")
    residuals = line(u, w, b) - c
    return 2 * (residuals * u).mean(), 2 * residuals.mean()
