"""Checks of chapter 17."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from helpers.check.engine import RETURN_IN_LOOP, Exercise, float64, least_squares, nearly_right, readings
from helpers.training import train

steps_per_epoch = Exercise(
    lambda n, batch_size, drop_last: n // batch_size if drop_last else -(-n // batch_size),
    "A schedule that is stepped once a step needs this number, and so does a comparison of runs step by step.",
    lambda n, batch_size, drop_last: n // batch_size,
    "You always drop the last batch: unless drop_last is set, the rows that remain make a smaller one.",
    lambda n, batch_size, drop_last: -(-n // batch_size),
    "You never drop the last batch: with drop_last, rows that don't fill a batch are left out.",
    lambda n, batch_size, drop_last: n // batch_size + (not drop_last),
    "When the batches come out even there is no smaller one at the end.",
    lambda n, batch_size, drop_last: n / batch_size,
    "A step is taken or not: the answer is a whole number.",
    lambda n, batch_size, drop_last: -(-n // batch_size) if drop_last else n // batch_size,
    "The two cases are swapped: dropping makes fewer steps.",
    lambda n, batch_size, drop_last: (n + (not drop_last) * (batch_size - 2)) // batch_size,
    "A single row that remains makes a batch, too: add batch_size - 1 to round up.",
    cases=lambda: (
        [(11, 4, False), (11, 4, True), (12, 4, False), (12, 4, True), (3, 8, False), (3, 8, True)]
        + [(rows, size, drop) for rows, size in ((9, 4), (1025, 128)) for drop in (False, True)]
    ),
    hint="Try it on paper: 9 rows in batches of 4 are 4, 4 and 1 rows, 8 rows are 4 and 4; drop_last leaves the 1 out.",
)


def merged(*parts: Tensor) -> Tensor:
    """The coefficients of all rows behind two triangles, each followed by its Q'y."""
    return least_squares(torch.cat(parts[::2]), torch.cat(parts[1::2]))


def two_triangles() -> list[tuple]:
    """R and Q'y of the first four readings and of the others, in both orders; then two pairs with three columns."""
    u, c = readings()
    X = torch.stack([torch.ones_like(u), u], dim=1)
    halves = [(torch.linalg.qr(X[rows]), c[rows]) for rows in (slice(4), slice(4, 11))]
    first, second = ((R, Q.T @ target) for (Q, R), target in halves)
    upper = float64([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0], [0.0, 0.0, 1.5]])
    lower = float64([[-1.0, 2.0, 0.0], [0.0, 1.0, -2.0], [0.0, 0.0, 2.5]])
    other = upper, float64([1.0, -2.0, 4.0]), lower, float64([3.0, 0.5, -1.0])
    above = float64([[1.3, 0.7, 1.1], [0.0, 1.7e-5, 2.3e-5], [0.0, 0.0, 1.9e-5]])
    beta = float64([0.3, -1.7, 2.9])
    return [(*first, *second), (*second, *first), other, (above, above @ beta, above, above @ beta)]


merged_coefficients = Exercise(
    merged,
    "Neither side has seen the other's rows, and the answer is that of all rows, but for rounding.",
    lambda R1, qty1, R2, qty2: (merged(R1, qty1) + merged(R2, qty2)) / 2,
    "That is the average of two answers: each side weighs as much as the other, whatever its rows say.",
    lambda R1, qty1, R2, qty2: merged(R1 + R2, qty1 + qty2),
    "Triangles cannot be added: the rows of one go below the rows of the other.",
    lambda R1, qty1, R2, qty2: merged(R1, qty1),
    "That is the answer of the first side alone.",
    lambda R1, qty1, R2, qty2: merged(R2, qty2),
    "That is the answer of the second side alone.",
    lambda R1, qty1, R2, qty2: merged(R1, qty2, R2, qty1),
    "Each R keeps its own Q'y: stack both in the same order.",
    lambda R1, qty1, R2, qty2: merged(torch.linalg.qr(torch.cat([R1, R2])).R, qty1 + qty2),
    "The new R is right. What belongs to it is the new Q, transposed, times qty1 over qty2.",
    lambda R1, qty1, R2, qty2: torch.linalg.solve_triangular(
        torch.linalg.qr(torch.cat([R1, R2])).R, torch.cat([qty1, qty2]).unsqueeze(1), upper=True
    ),
    "The new R has p rows, qty1 over qty2 has 2p: the new Q, transposed, comes in between.",
    cases=two_triangles,
    hint="R1 over R2 is a design matrix, and qty1 over qty2 is its target: what did chapter 01 do then?",
    remark=nearly_right("Nearly right: the normal equations lose twice as many digits as QR, and float32 has few."),
    tolerance=1e-9,
)


def average_by_rows(gradients: Tensor, rows: Sequence[int]) -> Tensor:
    share = torch.tensor(rows, dtype=gradients.dtype) / sum(rows)
    return share @ gradients


gradient_of_the_whole = Exercise(
    average_by_rows,
    "The same weights, times the number of processes, repair the loss of a process whose share is small.",
    lambda gradients, rows: gradients.mean(dim=0),
    "That is what plain averaging does: the rows of a small share count too much.",
    lambda gradients, rows: gradients.sum(dim=0),
    "A sum grows with the number of processes: average them.",
    lambda gradients, rows: average_by_rows(gradients, rows) * sum(rows),
    "That is the sum over all rows: the loss is their mean, so divide by their number.",
    lambda gradients, rows: average_by_rows(gradients, rows) * len(rows),
    "Too long by the number of processes: that factor is for a loss whose gradients are averaged later.",
    lambda gradients, rows: average_by_rows(gradients, [1 / n for n in rows]),
    "The weights are upside down: a process with more rows counts more.",
    lambda gradients, rows: gradients * rows,
    "A list is no column: make rows a tensor of shape (processes, 1) before you multiply.",
    lambda gradients, rows: torch.tensor(rows) @ gradients,
    "@ wants one dtype on both sides, and counts make a tensor of whole numbers: give it dtype=gradients.dtype.",
    lambda gradients, rows: (gradients * torch.tensor(rows)).sum(dim=0) / sum(rows),
    "A row of counts meets the columns of gradients: give the counts the shape (processes, 1).",
    lambda gradients, rows: torch.tensor(rows).float() @ gradients,
    "float32 met float64, and @ wants one dtype on both sides: make the counts with dtype=gradients.dtype.",
    lambda gradients, rows: rows / sum(rows),
    "A list can't be divided as a vector can in R: make a tensor of rows first, with dtype=gradients.dtype.",
    lambda gradients, rows: average_by_rows(gradients, rows).squeeze(),
    "With a single parameter, squeeze takes the last dimension too: keep the shape (parameters,).",
    lambda gradients, rows: average_by_rows(gradients, rows).unsqueeze(0),
    "The right numbers in one row of a matrix: return one gradient, of shape (parameters,).",
    lambda gradients, rows: gradients[0],
    "That is the gradient of the first process alone: does return stand inside the loop?",
    lambda gradients, rows: average_by_rows(gradients, rows) * sum(rows) / len(rows),
    "You divided the sum over all rows by the number of processes: divide by the number of rows.",
    lambda gradients, rows: rows[0] * gradients[0] / sum(rows),
    RETURN_IN_LOOP,
    cases=lambda: [(float64([[1.0, 10.0], [4.0, -20.0]]), [6, 5]), (float64([[3.0], [1.0], [-2.0]]), [8, 8, 1])],
    hint="Multiply each mean by its number of rows to get back a sum over rows; then average over all of them.",
)


def fresh() -> tuple[nn.Module, torch.optim.Optimizer]:
    """A line that begins at zero, and its optimizer with momentum."""
    model = nn.Linear(1, 1).double()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    return model, torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)


def checkpoint(epoch: int, rate: float) -> dict:
    """The states after so many epochs at this learning rate."""
    u, c = (column.unsqueeze(1) for column in readings())
    model, optimizer = fresh()
    optimizer.param_groups[0]["lr"] = rate
    train(model, optimizer, u / 10, c, epochs=epoch)
    return {"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()}


def resume(state: dict, model: nn.Module, optimizer: torch.optim.Optimizer, epochs: int) -> list[int]:
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return list(range(state["epoch"] + 1, epochs + 1))


def state_after(answer: Callable, state: dict, model: nn.Module, optimizer: Any, epochs: int) -> list:
    """The epochs that remain, then the parameters as they are, and after one more step."""
    remaining = answer(state, model, optimizer, epochs)
    before = nn.utils.parameters_to_vector(model.parameters()).detach()
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    after = nn.utils.parameters_to_vector(model.parameters()).detach()
    return [remaining, torch.stack([before, after])]


resumed = Exercise(
    resume,
    "The next step is the one that the run would have taken had nothing happened.",
    ("optimizer.load_state_dict", "len"),
    "The parameters are back. The optimizer that was handed in has no state yet: its momentum starts from nothing.",
    ("model.load_state_dict", "len"),
    "The model still has its first parameters.",
    ("model.load_state_dict", "len", "optimizer.load_state_dict", "len"),
    "Neither model nor optimizer has been given its state.",
    ('(state["model"])', "(state)"),
    "Give the model its own state, by its name in the dict: not the whole dict, nor the optimizer's.",
    lambda *task: resume(*task)[:1] or None,
    RETURN_IN_LOOP,
    ('["epoch"] + 1', '["epoch"]'),
    "state['epoch'] is done already: begin with the one after it.",
    ("epochs + 1", "epochs"),
    "The last epoch is missing: range(a, b) ends before b.",
    (" + 1", ""),
    "All numbers are one too low: epochs are counted from 1, and state['epoch'] is done already.",
    ("list(", "len("),
    "Return the numbers of the epochs, as a list, not how many there are.",
    ('list(range(state["epoch"] + 1, epochs + 1))', 'state["epoch"] + 1'),
    "Return the numbers of all epochs that are still to do, as a list, not only the first.",
    ('state["epoch"] + 1', "1"),
    "The state is back, and the count begins at 1 again: the epochs before state['epoch'] are done.",
    cases=lambda: [(checkpoint(*past), *fresh(), n) for *past, n in ((3, 0.001, 6), (2, 0.0005, 5), (3, 0.001, 3))],
    observe=state_after,
    hint="Two calls of load_state_dict, then the numbers from the one after state['epoch'] to epochs, both included.",
)
