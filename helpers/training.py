"""The one training loop of the course, and the history it returns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from helpers.loss import ShapeError, mse

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class History:
    """What a training run leaves behind.

    loss: training loss of each epoch, measured before that epoch's step; float64, shape (epochs run,).
    validation_loss: the same for the validation pair, or None without one.
    evaluations: how often the gradient was computed (more often than once an epoch for LBFGS).
    stopped: why the run ended before its last epoch, or None.
    """

    loss: Tensor
    validation_loss: Tensor | None
    evaluations: int
    stopped: str | None = None


def train(
    model: Callable[[Tensor], Tensor],
    optimizer: Optimizer,
    inputs: Tensor,
    targets: Tensor,
    epochs: int,
    *,
    loss: Callable[[Tensor, Tensor], Tensor] = mse,
    validation: Pair | None = None,
    schedule: LRScheduler | None = None,
    progress: bool = False,
) -> History:
    """Run the four-step cycle (forward, loss, backward, step) on all rows, once an epoch.

    model: any callable from inputs to predictions, an nn.Module or a function of tensors that require gradients.
    optimizer: any optimizer of torch.optim, holding the model's parameters; they change in place.
    inputs, targets: floating-point tensors with the same number of rows, finite.
    epochs: how many, at least 1.
    loss: a function of (predictions, targets) that returns a scalar tensor.
    validation: a further (inputs, targets), measured at the same parameters as the training loss and not trained on.
    schedule: a learning-rate schedule of torch.optim.lr_scheduler, stepped once an epoch.
    progress: show a tqdm progress bar.

    Returns the History. Where the loss stops being finite, or the run is interrupted, it says so in one line and
    returns the history so far; a loss that is not finite is the history's last and its step is not taken.
    Random numbers are the caller's business: seed before building the model.
    Raises ShapeError, TypeError or ValueError, before the first step, for input that cannot be trained on.
    Taught in chapters 02 to 05 and 09.
    """
    check_epochs(epochs)
    check_pair(inputs, targets, "training")
    if validation is not None:
        check_pair(*validation, "validation")
    check_first_pass(model, optimizer, inputs, targets, loss, validation)

    losses, validation_losses, evaluations, stopped = [], [], 0, None
    repeats = isinstance(optimizer, torch.optim.LBFGS)  # asks for the gradient several times a step

    def evaluate() -> Tensor:
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        return value

    try:
        for _ in progress_bar(epochs) if progress else range(epochs):
            if validation is not None:
                with torch.no_grad():
                    validation_losses.append(loss(model(validation[0]), validation[1]).item())
            value = loss(model(inputs), targets)
            number = value.item()
            losses.append(number)
            if not math.isfinite(number):
                stopped = (
                    f"stopped at epoch {len(losses)}: the loss is {number}. "
                    f"Try a learning rate below {optimizer.param_groups[0]['lr']:g}, or rescale the inputs"
                )
                break
            if repeats:
                optimizer.step(evaluate)
            else:
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
            if schedule is not None:
                schedule.step()
    except KeyboardInterrupt:
        stopped = f"interrupted in epoch {len(losses)} of {epochs}"
        validation_losses = validation_losses[: len(losses)]
    if stopped:
        print(stopped)
    if not repeats:
        evaluations = len(losses) - bool(stopped)
    return History(
        loss=torch.tensor(losses, dtype=torch.float64),
        validation_loss=None if validation is None else torch.tensor(validation_losses, dtype=torch.float64),
        evaluations=evaluations,
        stopped=stopped,
    )


def progress_bar(epochs: int):
    """The numbers 0 ... epochs-1, with a tqdm bar that is redrawn at most ten times a second."""
    from tqdm.auto import tqdm

    return tqdm(range(epochs), unit="epoch", mininterval=0.1)


def check_epochs(epochs: int) -> None:
    """Raise unless epochs is a whole number of at least 1."""
    if isinstance(epochs, bool) or not isinstance(epochs, int):
        raise TypeError(f"epochs is {epochs!r}: give a whole number such as 5000")
    if epochs < 1:
        raise ValueError(f"epochs is {epochs}: give at least 1")


def check_pair(inputs: Tensor, targets: Tensor, part: str) -> None:
    """Raise unless inputs and targets are floating-point tensors, finite, with the same number of rows, at least 1."""
    for name, values in (("inputs", inputs), ("targets", targets)):
        if not isinstance(values, Tensor):
            raise TypeError(f"{part} {name} are a {type(values).__name__}: make them a tensor with torch.tensor(...)")
        if not values.is_floating_point():
            raise TypeError(f"{part} {name} have dtype {values.dtype}: convert with .to(torch.float32)")
        if values.numel() == 0:
            raise ValueError(f"{part} {name} are empty, shape {tuple(values.shape)}: there is nothing to fit")
        if not (finite := values.isfinite()).all():
            first = values[~finite][0].item()
            raise ValueError(f"{part} {name} contain {first}: drop or repair such readings first")
    if inputs.shape[:1] != targets.shape[:1]:
        raise ShapeError(
            f"{part} inputs have shape {tuple(inputs.shape)}, targets {tuple(targets.shape)}: "
            "each input row needs one target"
        )


def check_first_pass(
    model: Callable[[Tensor], Tensor],
    optimizer: Optimizer,
    inputs: Tensor,
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    validation: Pair | None,
) -> None:
    """Run the model and the loss once, without a step, and raise for what would fail, or pass silently, later."""
    random_state = torch.get_rng_state()  # dropout, if there is some, must not move the caller's random numbers
    predictions = model(inputs)
    check_shapes(predictions, targets, "training")
    if validation is not None:
        with torch.no_grad():
            check_shapes(model(validation[0]), validation[1], "validation")
    torch.set_rng_state(random_state)
    value = loss(predictions, targets)
    if not isinstance(value, Tensor) or value.numel() != 1:
        found = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ShapeError(f"the loss is no scalar tensor but has {found}: average it, for example with .mean()")
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not held & {id(leaf) for leaf in leaves(value)}:
        raise ValueError(
            "the optimizer holds none of the parameters that the loss depends on: build it from this model, "
            "for example torch.optim.SGD(model.parameters(), lr=0.01)"
        )


def check_shapes(predictions: Tensor, targets: Tensor, part: str) -> None:
    """Raise unless predictions and targets have one shape."""
    if predictions.shape != targets.shape:
        raise ShapeError(
            f"{part} predictions have shape {tuple(predictions.shape)}, targets {tuple(targets.shape)}: broadcasting "
            "would pair every prediction with every target; bring both to one shape, as with targets.unsqueeze(1)"
        )


def leaves(value: Tensor) -> list[Tensor]:
    """The tensors that require a gradient and from which value was computed, found by walking its graph."""
    found, seen, todo = [], set(), [value.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        todo += [following for following, _ in node.next_functions]
    return found
