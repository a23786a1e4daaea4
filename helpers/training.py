"""The one training loop of the course, the history it returns, and the loss of a model that is only measured."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from helpers import training_checks as checks
from helpers.loss import mse

Model = Callable[[Tensor], Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]
Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class History:
    """What a training run leaves behind; its tensors are on the CPU.

    loss: training loss of each epoch, measured before that epoch's step; float64, shape (epochs run,). With batches:
        the mean of the batches' losses, each measured before its own step, weighted by their numbers of rows.
    validation_loss: the same for the validation pair, measured as each epoch begins, or None without one.
    evaluations: how often the gradient was computed (by LBFGS often more than once a step).
    stopped: why the run ended early, or at parameters that are not finite; or None.
    """

    loss: Tensor
    validation_loss: Tensor | None
    evaluations: int
    stopped: str | None = None


def train(
    model: Model,
    optimizer: Optimizer,
    inputs: Tensor | None = None,
    targets: Tensor | None = None,
    epochs: int | None = None,
    *,
    loss: Loss = mse,
    validation: Pair | None = None,
    schedule: LRScheduler | None = None,
    progress: bool = False,
    batches: int | Iterable[Pair] | None = None,
    generator: Generator | None = None,
) -> History:
    """Run the four-step cycle (forward, loss, backward, step) once an epoch on all rows, or on each batch of them.

    model: any callable from inputs to predictions. An nn.Module is trained as after model.train(), frozen layers
        included, and measured as after model.eval(); at the end each of its submodules is in the mode it came in.
    optimizer: any optimizer of torch.optim, or another; it holds the model's parameters, which change in place.
    inputs, targets: tensors with the same number of rows, finite, on the parameters' device.
    epochs: how many, at least 1.
    loss: a function of (predictions, targets) that returns a scalar tensor.
    validation: a further (inputs, targets), measured as each epoch begins and not trained on.
    schedule: a learning-rate schedule of this optimizer, stepped once an epoch; one that asks for a loss is given the
        epoch's validation loss, or its training loss where there is no validation pair.
    progress: show a tqdm progress bar.
    batches: rows per step, drawn in a new order each epoch, by `generator` if there is one; or, in place of inputs and
        targets, a DataLoader (or list) of pairs of them, which are brought to the parameters' device.

    Returns the History. Before a step it looks at loss and gradient; where one is not finite it says so in one line,
    doesn't take the step, and returns the history up to this epoch. When interrupted, it returns the history so far.
    Random numbers are the caller's business: seed before building the model.
    Raises ShapeError, TypeError or ValueError for what cannot be trained; the model's and PyTorch's own pass through.
    Taught in chapters 02 to 05, 09 and 14.
    """
    epochs = checks.whole_number("epochs", epochs, example=5000)
    batches = checks.check_batches(batches, generator, inputs, targets, epochs)
    told = checks.check_schedule(schedule, optimizer, epochs)
    watch, validation_losses, stopped = checks.Watch(model, optimizer, loss), [], None
    if not isinstance(batches, Iterable):
        watch.check_pair("training", (inputs, targets))
    if validation is not None:
        watch.check_pair("validation", validation)

    def gradient(x: Tensor, y: Tensor, look: bool) -> Tensor:
        value = loss_of(model, loss, x, y, "training")
        if look:
            watch.look_at_loss(value, x, y)
        watch.zero_grad()
        value.backward()
        watch.evaluations += 1
        if look:
            watch.look_at_gradient()
        return value

    try:
        with modes_kept(model):
            set_mode(model, training=True)
            for watch.epoch in progress_bar(epochs) if progress else range(1, epochs + 1):
                if validation is not None:
                    validation_losses.append(loss_in_use(model, loss, *validation, "validation").item())
                    set_mode(model, training=True)
                for x, y in deal(inputs, targets, batches, generator, watch):
                    value = gradient(x, y, look=True)
                    if watch.plain:
                        optimizer.step()
                    else:  # LBFGS and others ask for the gradient several times a step
                        watch.step_with(gradient, x, y, value)
                    watch.steps += 1
                if schedule is not None:
                    schedule.step(*(validation_losses or watch.losses)[-1:] if told else ())
            watch.look_at_parameters()
    except checks.NotFinite as problem:
        stopped = str(problem)
    except KeyboardInterrupt:
        stopped = f"interrupted in epoch {watch.epoch} of {epochs}"
    except RuntimeError as error:
        watch.explain(error)
        raise
    if stopped:
        print(stopped)
    losses = torch.tensor(watch.losses, dtype=torch.float64, device="cpu")
    validation_losses = torch.tensor(validation_losses[: len(losses)], dtype=torch.float64, device="cpu")
    return History(losses, None if validation is None else validation_losses, watch.evaluations, stopped)


def evaluate(model: Model, loss: Loss, inputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of a model that is only measured: in evaluation mode, and without a graph.

    model, loss, inputs, targets: as for train(). Each submodule of an nn.Module is in its own mode again afterwards.
    Returns a tensor of one number that requires no gradient.
    Raises ShapeError or TypeError where predictions and targets don't fit, or the loss is no scalar.
    Taught in chapters 05 and 10 (without a graph), 12 and 14 (evaluation mode).
    """
    checks.check_built("model", model, "nn.Linear(1, 1)")
    checks.check_built("loss", loss, "nn.MSELoss()")
    checks.check_tensor("inputs", inputs)
    checks.check_tensor("targets", targets)
    with modes_kept(model):
        return loss_in_use(model, loss, inputs, targets, "these")


def loss_of(model: Model, loss: Loss, inputs: Tensor, targets: Tensor, part: str) -> Tensor:
    """The loss on these rows; shapes are looked at on the way, and `part` names the rows if they don't fit."""
    predictions = model(inputs)
    if not isinstance(predictions, Tensor) or predictions.shape != targets.shape:
        checks.check_predictions(predictions, targets, loss, part)
    value = loss(predictions, targets)
    if not isinstance(value, Tensor) or value.numel() != 1:
        checks.refuse_loss(value)
    return value


def loss_in_use(model: Model, loss: Loss, inputs: Tensor, targets: Tensor, part: str) -> Tensor:
    """The loss in evaluation mode, in which a module is left, and without a graph."""
    set_mode(model, training=False)
    with torch.no_grad():
        return loss_of(model, loss, inputs, targets, part)


def set_mode(model: Model, training: bool) -> None:
    """Switch an nn.Module, but no other callable, to training or to evaluation mode."""
    if isinstance(model, nn.Module):
        model.train(training)


@contextlib.contextmanager
def modes_kept(model: Model) -> Iterator[None]:
    """At the end, each submodule of an nn.Module is in the mode that it was in at the beginning."""
    modes = [(module, module.training) for module in model.modules()] if isinstance(model, nn.Module) else []
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def deal(
    inputs: Tensor, targets: Tensor, batches: int | Iterable | None, generator: Generator | None, watch: checks.Watch
):
    """The rows of an epoch: all at once, in batches of a size in a new order, or as a DataLoader brings them."""
    if batches is None:
        return [(inputs, targets)]
    if isinstance(batches, int):
        order = torch.randperm(len(targets), generator=generator, device=generator.device if generator else "cpu")
        return ((inputs.index_select(0, rows), targets[rows]) for rows in order.to(inputs.device).split(batches))
    return watch.check_batches(batches)


def progress_bar(epochs: int) -> Iterable[int]:
    """The numbers 1 ... epochs, with a tqdm bar that is redrawn at most ten times a second."""
    from tqdm.auto import tqdm

    return tqdm(range(1, epochs + 1), unit="epoch", mininterval=0.1)
