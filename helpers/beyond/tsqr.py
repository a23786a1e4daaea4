"""Least squares for any number of rows: a QR decomposition block by block, which keeps one small triangle.

The method is TSQR, "tall and skinny QR", without a QR decomposition where a cheaper one has the same digits. Taught in
chapter 17.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from helpers.loss import ShapeError

Block = tuple[Tensor, Tensor]
PIECE = 100_000  # numbers that are worked on at once: few enough for a processor's cache


@dataclass(frozen=True, eq=False)
class Reduced:
    """All that least squares needs to know of some rows (X, y) with p columns, whatever their number.

    r: the triangle R of X = QR, shape (p, p), float64, upper triangular, diagonal positive (0, or nearly, in a
        direction that the rows leave open).
    qty: Q'y, shape (p,).
    residual_length: length of the residuals of the best coefficients for these rows, in y's unit; kept as QR gives it,
        not squared, so that numbers of any size can be merged.
    rows: how many rows went in.
    """

    r: Tensor
    qty: Tensor
    residual_length: float
    rows: int

    @property
    def rss(self) -> float:
        """Residual sum of squares, in the square of y's unit; inf where that is beyond the range of float64."""
        return self.residual_length * self.residual_length

    def coefficients(self) -> Tensor:
        """The least-squares coefficients of all the rows, shape (p,).

        Raises ValueError where the rows do not determine them: too few rows, or a column that is a combination of those
        before it, to the rounding error of as many rows.
        """
        p = len(self.qty)
        if self.rows < p:
            raise ValueError(f"{self.rows} rows cannot determine {p} coefficients: give at least {p} rows")
        share = self.r.diagonal() / self.r.norm(dim=0)  # of each column, what the columns before it leave unexplained
        dependent = ~(share > self.rows * torch.finfo(self.r.dtype).eps)  # a column of zeros has share nan
        if dependent.any():
            column = dependent.tolist().index(True)
            raise ValueError(
                f"column {column} of X (counted from 0) is zero or a combination of the columns before it: leave it out"
            )
        return torch.linalg.solve_triangular(self.r, self.qty.unsqueeze(1), upper=True).squeeze(1)


def tsqr(blocks: Iterable[Block]) -> Reduced:
    """Reduce blocks of rows, one after the other, to one triangle; only one block is held at a time.

    blocks: yields pairs (X, y) of float64 tensors, X of shape (rows, p) and y of shape (rows,). The number of rows may
        differ from block to block; p may not. They are taken as numbers: no gradient flows back to them.
    Returns the Reduced of all rows: up to rounding it does not depend on where the rows were cut.
    For a few columns one thread is enough: torch.set_num_threads(1) is faster where several would wait for each other.
    Raises TypeError, ShapeError or ValueError for blocks that cannot be reduced, or if there is none.
    Source: Demmel, Grigori, Hoemmen and Langou (2012), Communication-optimal parallel and sequential QR and LU
    factorizations, SIAM Journal on Scientific Computing 34(1).
    """
    corner, rows = None, 0
    for X, y in blocks:
        check_block(X, y)
        X, y = X.detach(), y.detach()
        p = X.shape[1]
        if corner is None:
            corner = X.new_zeros(p + 1, p + 1)
        elif len(corner) != p + 1:
            raise ShapeError(f"the blocks have {len(corner) - 1} and {p} columns: give all rows the same")
        pieces = 1 + X.numel() // PIECE
        for piece in zip(X.tensor_split(pieces), y.tensor_split(pieces), strict=True):
            corner = with_rows(corner, *piece)
        rows += len(X)
    if corner is None:
        raise ValueError("there are no blocks: give at least one pair (X, y)")
    return from_corner(corner, rows)


def reduce_pair(left: Reduced, right: Reduced) -> Reduced:
    """Merge what two sets of rows were reduced to into what all their rows reduce to.

    The result does not depend on the order of the two, up to rounding. Raises ShapeError if their p differ.
    """
    if left.r.shape != right.r.shape:
        raise ShapeError(f"the triangles have {len(left.qty)} and {len(right.qty)} columns: give all rows the same")
    return from_corner(triangle(torch.cat([to_corner(left), to_corner(right)])), left.rows + right.rows)


def check_block(X: Tensor, y: Tensor) -> None:
    """Raise TypeError or ShapeError unless X and y are float64, of shapes (rows, p) and (rows,)."""
    for name, values in (("X", X), ("y", y)):
        if not isinstance(values, Tensor) or values.dtype != torch.float64:
            found = f"dtype {values.dtype}" if isinstance(values, Tensor) else type(values).__name__
            raise TypeError(f"{name} has to be a tensor of float64, not {found}: convert with .to(torch.float64)")
    if X.ndim != 2 or y.shape != X.shape[:1]:
        raise ShapeError(
            f"X has shape {tuple(X.shape)}, y has shape {tuple(y.shape)}: they have to be (rows, p) and (rows,)"
        )


def with_rows(corner: Tensor, X: Tensor, y: Tensor) -> Tensor:
    """The triangle of the rows behind another, corner, and of those of a block; both of shape (p + 1, p + 1).

    With T = corner and S = (X | y) / T the cross products of all these rows are T'(I + S'S)T. A Cholesky decomposition
    I + S'S = C'C gives their triangle: CT. What squaring loses where columns resemble one another is not lost here:
    division by T has made them unlike, and I keeps every direction from vanishing. If S is large, as it is where T
    leaves a direction open, this doesn't hold, and QR decomposes T and the block, which takes longer (of ten columns or
    more; of two it may not).
    Raises ValueError for numbers that are not finite, or overflow.
    """
    S = torch.column_stack([X, y])
    torch.linalg.solve_triangular(corner, S, upper=True, left=False, out=S)
    products = torch.addmm(torch.eye(len(corner), dtype=S.dtype), S.T, S)
    if products.trace() < 10 * len(corner):  # not so of nan; for as many rows as before, and alike, about 2
        return torch.linalg.cholesky(products, upper=True) @ corner
    merged = triangle(torch.cat([torch.column_stack([X, y]), corner]))
    if not merged.isfinite().all():
        raise ValueError(f"among {len(X)} rows is nan or inf, or they overflow: repair or rescale such rows")
    return merged


def triangle(table: Tensor) -> Tensor:
    """R of table = QR, of which Q is never formed; its diagonal is positive or 0."""
    R = torch.linalg.qr(table, mode="r").R
    return torch.where(R.diagonal() < 0, -1.0, 1.0).unsqueeze(1) * R


def from_corner(corner: Tensor, rows: int) -> Reduced:
    """The Reduced of so many rows (X | y) whose triangle is corner, shape (p + 1, p + 1)."""
    p = len(corner) - 1
    return Reduced(r=corner[:p, :p].clone(), qty=corner[:p, p].clone(), residual_length=corner[p, p].item(), rows=rows)


def to_corner(reduced: Reduced) -> Tensor:
    """The p + 1 rows (X | y) that have the same least-squares answer as all the rows behind reduced."""
    p = len(reduced.qty)
    corner = reduced.r.new_zeros(p + 1, p + 1)
    corner[:p, :p], corner[:p, p], corner[p, p] = reduced.r, reduced.qty, reduced.residual_length
    return corner
