"""Least squares for any number of rows: a QR decomposition block by block, which keeps one small triangle.

The method is TSQR, "tall and skinny QR". Taught in chapter 17.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from helpers.loss import ShapeError

Block = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Reduced:
    """All that least squares needs to know of some rows (X, y) with p columns, whatever their number.

    r: the triangle R of X = QR, shape (p, p), float64, upper triangular, diagonal positive (0 in a direction that the
        rows leave open).
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
        differ from block to block; p may not.
    Returns the Reduced of all rows: up to rounding it does not depend on where the rows were cut.
    For a few columns one thread is enough: torch.set_num_threads(1) is faster where several would wait for each other.
    Raises TypeError, ShapeError or ValueError for blocks that cannot be reduced, or if there is none.
    Source: Demmel, Grigori, Hoemmen and Langou (2012), Communication-optimal parallel and sequential QR and LU
    factorizations, SIAM Journal on Scientific Computing 34(1).
    """
    so_far = None
    for X, y in blocks:
        block = reduce_block(X, y)
        so_far = block if so_far is None else reduce_pair(so_far, block)
    if so_far is None:
        raise ValueError("there are no blocks: give at least one pair (X, y)")
    return so_far


def reduce_block(X: Tensor, y: Tensor) -> Reduced:
    """Reduce the rows of one block, X of shape (rows, p) and y of shape (rows,), both float64, to their triangle.

    Raises TypeError, ShapeError or ValueError for other dtypes, other shapes, or numbers that are not finite.
    """
    for name, values in (("X", X), ("y", y)):
        if not isinstance(values, Tensor) or values.dtype != torch.float64:
            found = f"dtype {values.dtype}" if isinstance(values, Tensor) else type(values).__name__
            raise TypeError(f"{name} has to be a tensor of float64, not {found}: convert with .to(torch.float64)")
    if X.ndim != 2 or y.shape != X.shape[:1]:
        raise ShapeError(
            f"X has shape {tuple(X.shape)}, y has shape {tuple(y.shape)}: they have to be (rows, p) and (rows,)"
        )
    reduced = triangle(torch.column_stack([X, y]), rows=len(X))
    if not (reduced.r.isfinite().all() and reduced.qty.isfinite().all() and math.isfinite(reduced.residual_length)):
        raise ValueError(f"a block of {len(X)} rows holds nan or inf, or overflows: repair or rescale such rows")
    return reduced


def reduce_pair(left: Reduced, right: Reduced) -> Reduced:
    """Merge what two sets of rows were reduced to into what all their rows reduce to.

    The result does not depend on the order of the two, up to rounding. Raises ShapeError if their p differ.
    """
    if left.r.shape != right.r.shape:
        raise ShapeError(f"the triangles have {len(left.qty)} and {len(right.qty)} columns: give all rows the same")
    return triangle(torch.cat([rows_of(left), rows_of(right)]), rows=left.rows + right.rows)


def triangle(table: Tensor, rows: int) -> Reduced:
    """The Reduced of a table of shape (any number, p + 1) whose last column is y."""
    p = table.shape[1] - 1
    corner = torch.linalg.qr(table, mode="r").R
    if len(corner) <= p:  # fewer rows than columns
        corner = torch.cat([corner, corner.new_zeros(p + 1 - len(corner), p + 1)])
    corner = torch.where(corner.diagonal() < 0, -1.0, 1.0).unsqueeze(1) * corner
    return Reduced(r=corner[:p, :p].clone(), qty=corner[:p, p].clone(), residual_length=corner[p, p].item(), rows=rows)


def rows_of(reduced: Reduced) -> Tensor:
    """The p + 1 rows (X | y) that have the same least-squares answer as all the rows behind reduced."""
    p = len(reduced.qty)
    table = reduced.r.new_zeros(p + 1, p + 1)
    table[:p, :p], table[:p, p], table[p, p] = reduced.r, reduced.qty, reduced.residual_length
    return table
