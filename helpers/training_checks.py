"""What train() refuses before its first step, and what makes it stop later; the loop itself is in training.py."""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import LBFGS, Optimizer
from torch.utils.data import Dataset

from helpers.loss import ShapeError

# Losses that set number against number, by the names of their functions and classes: both tensors need one shape.
PAIRING = {"mse", "mse_loss", "MSELoss", "l1_loss", "L1Loss", "smooth_l1_loss", "SmoothL1Loss", "huber_loss"}
PAIRING |= {"HuberLoss", "binary_cross_entropy", "BCELoss", "binary_cross_entropy_with_logits", "BCEWithLogitsLoss"}
# Losses that set the scores of k classes, (n, k, ...), against the number of the right one, (n, ...).
CHOOSING = {"cross_entropy", "CrossEntropyLoss", "nll_loss", "NLLLoss", "multi_margin_loss", "MultiMarginLoss"}
CUT_OFF = (
    "the loss has no gradient: it depends on no tensor with requires_grad=True, or .detach(), .item() or NumPy has cut "
    "it off on the way from the parameters to the loss"
)
STRANGERS = (
    "the optimizer holds none of the parameters that the loss depends on: build it from this model, "
    "for example torch.optim.SGD(model.parameters(), lr=0.01)"
)


def whole_number(name: str, value: Any, example: int) -> int:
    """The value as a Python int; raise unless it is a whole number, Python's or NumPy's, of at least 1."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is {value!r}: give a whole number such as {example}")
    number = operator.index(value)
    if number < 1:
        raise ValueError(f"{name} is {number}: give at least 1")
    return number


def check_built(name: str, value: Any, example: str, attribute: str = "__call__") -> None:
    """Raise unless the value is an object that does what it is for, and not the class of one, or something else."""
    if isinstance(value, type) or not hasattr(value, attribute):
        raise TypeError(f"{name} is {value!r:.80}: build it first, as in {example}")


def check_batches(batches: Any, generator: Any, inputs: Any, targets: Any, epochs: int) -> int | Iterable | None:
    """The batches, or their size as Python's int; raise unless there is one source of rows, for every epoch."""
    if isinstance(batches, Iterable) and not hasattr(batches, "__index__"):
        if inputs is not None or targets is not None:
            raise ValueError("batches brings inputs and targets of its own: give no others beside it")
        if epochs > 1 and isinstance(batches, Iterator):
            raise TypeError(f"batches is {described(batches)}, empty after one epoch: give a DataLoader or a list")
    elif isinstance(batches, Dataset):
        raise TypeError(f"batches is {described(batches)}: give a DataLoader, as in DataLoader(dataset, batch_size=32)")
    elif batches is not None:
        batches = whole_number("batches", batches, example=32)
    if generator is not None:
        check_built("generator", generator, "torch.Generator().manual_seed(0)", "initial_seed")
    if generator is not None and not isinstance(batches, int):
        raise ValueError("generator draws the order of the rows for a batch size: give one, for example batches=32")
    return batches


def check_schedule(schedule: Any, optimizer: Optimizer, epochs: int) -> bool:
    """Whether the schedule asks for a loss, as ReduceLROnPlateau does.

    Raise unless the schedule, if there is one, moves this optimizer's rate and has one for every epoch.
    """
    if schedule is None:
        return False
    check_built("schedule", schedule, "StepLR(optimizer, 100)", "step")
    if getattr(schedule, "optimizer", optimizer) is not optimizer:
        raise ValueError("the schedule would move the rate of another optimizer: build it for the one that trains")
    steps = getattr(schedule, "total_steps", math.inf)  # of OneCycleLR
    if steps - getattr(schedule, "last_epoch", 0) < epochs:
        raise ValueError(f"the schedule ends at step {steps}, before these {epochs} epochs: give it more total_steps")
    parameters = inspect.signature(schedule.step).parameters.values()
    return any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def check_predictions(predictions: Any, targets: Tensor, loss: Any, part: str) -> None:
    """Raise unless the loss can compare predictions with targets of another shape.

    It can if it is in CHOOSING and the targets are class numbers, or if it is in neither list and does not repeat
    predictions to fit the targets: what it does is its own business then.
    """
    if not isinstance(predictions, Tensor):
        raise TypeError(f"the model returned {described(predictions)}: let it return one tensor, the predictions")
    shape, wanted = tuple(predictions.shape), tuple(targets.shape)
    if CHOOSING & names(loss) and not targets.is_floating_point():
        if wanted != shape[:1] + shape[2:]:
            raise ShapeError(
                f"{part} predictions have shape {shape}, targets {wanted}: for k classes the loss needs "
                "k scores a row, as in (n, k), and one class number, as in (n,)"
            )
    elif CHOOSING & names(loss) and len(wanted) < len(shape):
        raise TypeError(f"{part} targets have dtype {targets.dtype}: class numbers are whole, convert with .long()")
    elif PAIRING & names(loss) or repeats(shape, wanted):
        raise ShapeError(
            f"{part} predictions have shape {shape}, targets {wanted}: broadcasting "
            "would not pair them one to one; bring both to one shape, as with targets.unsqueeze(1)"
        )


def check_tensor(name: str, values: Any) -> None:
    """Raise TypeError for what is no tensor."""
    if not isinstance(values, Tensor):
        raise TypeError(f"{name} are a {type(values).__name__}: give a tensor; torch.tensor(...) makes one of numbers")


def repeats(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether broadcasting would repeat a tensor of the first shape to fit one of the second."""
    try:
        return torch.broadcast_shapes(shape, wanted) != shape
    except RuntimeError:
        return False


def refuse_loss(value: Any) -> None:
    """Raise for a loss that is not one number in a tensor."""
    found = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
    raise ShapeError(f"the loss is no scalar tensor, found {found}: return one, as .mean() makes, without .item()")


class NotFinite(ArithmeticError):
    """A loss, a gradient or a parameter is nan or infinite; its words become the History's `stopped`."""


class Watch:
    """Keeps the losses of a run, and looks at loss and gradient before each step is taken."""

    def __init__(self, model: Callable, optimizer: Optimizer, loss: Callable) -> None:
        check_built("model", model, "nn.Linear(1, 1)")
        check_built("optimizer", optimizer, "torch.optim.SGD(model.parameters(), lr=0.01)", "param_groups")
        check_built("loss", loss, "nn.MSELoss()")
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.parameters = held(optimizer)
        self.losses: list[float] = []
        self.epoch = self.rows = self.evaluations = self.steps = 0
        self.device = self.parameters[0].device
        self.found, self.one = (torch.tensor(value, dtype=torch.float32, device=self.device) for value in (0, 1))
        from_torch = type(optimizer).__module__.startswith("torch.optim")
        self.plain = from_torch and not isinstance(optimizer, LBFGS)  # its step asks for no gradient
        self.clears_as_torch = getattr(optimizer.zero_grad, "__func__", None) is Optimizer.zero_grad
        self.takes_closure = bool(inspect.signature(optimizer.step).parameters)
        self.pairs: dict[str, tuple] = {}

    def check_pair(self, part: str, pair: tuple[Tensor, Tensor]) -> None:
        """Raise unless a pair holds inputs and targets: tensors of finite numbers, with the same number of rows.

        Whole numbers may be a module's inputs, which can look them up, and the targets of a loss not in PAIRING.
        """
        self.pairs[part] = pair
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"{part} data are {described(pair)}: give a pair (inputs, targets)")
        inputs, targets = pair
        may_be_whole = isinstance(self.model, nn.Module), not PAIRING & names(self.loss)
        for name, values, whole in zip((f"{part} inputs", f"{part} targets"), pair, may_be_whole, strict=True):
            check_tensor(name, values)
            if not values.is_floating_point() and (values.is_complex() or not whole):
                raise TypeError(f"{name} have dtype {values.dtype}: convert with .to(torch.float32)")
            if values.numel() == 0:
                raise ValueError(f"{name} are empty, shape {tuple(values.shape)}: there is nothing to fit")
            if (bad := not_finite([values])) is not None:
                raise ValueError(f"{name} contain {bad}: drop or repair such readings first")
        self.check_alike("device", part)
        if targets.layout is not torch.strided:
            raise TypeError(f"{part} targets are sparse: make them dense with .to_dense()")
        if not inputs.dim() or inputs.shape[:1] != targets.shape[:1]:
            raise ShapeError(
                f"{part} inputs have shape {tuple(inputs.shape)}, targets {tuple(targets.shape)}: "
                "each input row needs one target"
            )

    def check_alike(self, kind: str, part: str) -> None:
        """Raise unless data, model and optimizer have one device that holds numbers, or one dtype, as `kind` says."""
        state = [value for one in self.optimizer.state.values() for value in one.values()]
        places = {
            f"{part} inputs": self.pairs[part][:1],
            f"{part} targets": self.pairs[part][1:],
            "the model's parameters": self.model.parameters() if isinstance(self.model, nn.Module) else [],
            "the optimizer's parameters": self.parameters,
            "the optimizer's state": [value for value in state if isinstance(value, Tensor) and value.dim()],
        }
        kinds = {place: {str(getattr(tensor, kind)) for tensor in tensors} for place, tensors in places.items()}
        found = set().union(*kinds.values())
        if len(found) > 1 or "meta" in found:
            listed = ", ".join(f"{place}: {' and '.join(sorted(some))}" for place, some in kinds.items() if some)
            advice = "meta holds no numbers" if found == {"meta"} else "bring all to one, with .to(...)"
            error = ValueError if kind == "device" else TypeError
            raise error(f"these need one {kind}, but are not of one ({listed}): {advice}")

    def check_batches(self, batches: Iterable) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches, brought to the parameters' device; raise if there are none, or if the first is not fit."""
        for batch in batches:
            if isinstance(batch, (tuple, list)):
                batch = [part.to(self.device) if isinstance(part, Tensor) else part for part in batch]
            if not self.evaluations:
                self.check_pair("batch", batch)
            yield batch
        if self.epoch > len(self.losses):
            raise ValueError("batches holds no rows: does drop_last=True drop the only batch?")

    def zero_grad(self) -> None:
        """Clear the gradients. Torch's own way is written out: its entry for a profiler takes a small model's time."""
        if not self.clears_as_torch:
            self.optimizer.zero_grad()
            return
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def look_at_loss(self, value: Tensor, inputs: Tensor, targets: Tensor) -> None:
        """Keep the loss, in the mean of the epoch's batches by their rows; raise if it can't be trained with."""
        if not value.requires_grad and not torch.is_grad_enabled():
            raise ValueError("train() runs under torch.no_grad(), where no gradient can be computed: call it outside")
        if not value.requires_grad:
            raise ValueError(CUT_OFF)
        number = value.item()
        if self.epoch > len(self.losses):
            self.losses.append(number)
            self.rows, self.first = 0, targets
        else:  # a further batch
            more = targets.shape[0]  # len() of a tensor takes ten times as long
            self.rows = (self.rows or self.first.shape[0]) + more
            self.losses[-1] += (number - self.losses[-1]) * (more / self.rows)
        if not math.isfinite(number):
            for name, values in (("inputs", inputs), ("targets", targets)):
                if (bad := not_finite([values])) is not None:
                    raise self.stop(f"the loss is {number}", f"The {name} of its batch contain {bad}")
            raise self.stop(f"the loss is {number}")

    def look_at_gradient(self) -> None:
        """Raise if a gradient is not finite, or if there is none. One kernel looks at all gradients at once."""
        gradients = [grad for p in self.parameters if (grad := p.grad) is not None]
        if not gradients and not self.steps:
            raise ValueError(STRANGERS)
        try:  # GradScaler's kernel: it multiplies the gradients, here by one, and notes whether all are finite
            torch._amp_foreach_non_finite_check_and_unscale_(gradients, self.found, self.one)
            fine = not self.found.item()
        except RuntimeError:  # for sparse gradients, among others
            fine = not_finite(gradients) is None
        if not fine:
            raise self.stop(f"the gradient is {not_finite(gradients)}, with a loss of {self.losses[-1]:g}")

    def look_at_parameters(self) -> None:
        """Raise if the step before has made a parameter infinite or nan."""
        if (bad := not_finite([p.detach() for p in self.parameters if p.grad is not None])) is not None:
            raise self.stop(f"its step has made a parameter {bad}", self.shorter())

    def step_with(self, gradient: Callable, inputs: Tensor, targets: Tensor, value: Tensor) -> None:
        """A step of an optimizer that may ask for the gradient at other parameters, too, as LBFGS does, or SAM.

        Where nothing has moved since the loop computed it, it is not computed again: the answer is the loop's value.
        A step to parameters that are not finite is taken back.
        """
        before = [(p, p.detach().clone(), p.grad) for p in self.parameters]
        known = True

        @torch.enable_grad()
        def closure() -> Tensor:
            nonlocal known
            same = known and all(torch.equal(p, old) and p.grad is grad for p, old, grad in before)
            known = False
            return value if same else gradient(inputs, targets, look=False)

        self.optimizer.step(*[closure] if self.takes_closure else [])
        try:
            self.look_at_parameters()
        except NotFinite:
            with torch.no_grad():
                for parameter, old, _ in before:
                    parameter.copy_(old)
            raise

    def stop(self, what: str, why: str | None = None) -> NotFinite:
        """What to raise: what is not finite, at which epoch, and what to try."""
        if not self.steps:
            advice = "No step was taken: look for huge numbers, or a root, logarithm or quotient without value or slope"
        else:
            advice = self.shorter()
        return NotFinite(f"stopped at epoch {self.epoch}: {what}. {why or advice}")

    def shorter(self) -> str:
        """The advice where a step was too long."""
        rate = self.optimizer.param_groups[0].get("lr", math.nan)
        return f"Try a learning rate below {rate:g}, or rescale the inputs"

    def explain(self, error: RuntimeError) -> None:
        """Raise in plainer words if PyTorch's error, before the first step, is about dtypes and there are several."""
        if not self.steps and "type" in str(error):
            for part in self.pairs:
                self.check_alike("dtype", part)


def held(optimizer: Optimizer) -> list[Tensor]:
    """The parameters that the optimizer moves."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def not_finite(tensors: Iterable[Tensor]) -> float | None:
    """The first number that is nan or infinite, or None; of a sparse tensor those that it stores are looked at."""
    for values in tensors:
        if values.layout is not torch.strided:
            values = values.coalesce().values() if values.layout is torch.sparse_coo else values.values()
        if not values.is_meta and not (finite := values.isfinite()).all():
            return values[~finite][0].item()
    return None


def names(loss: Any) -> set[str]:
    """What a loss is called: a function by its name, an object by its class and the classes that this came from."""
    loss = getattr(loss, "func", loss)  # of functools.partial
    return {getattr(loss, "__name__", "")} | {kind.__name__ for kind in type(loss).__mro__}


def described(value: Any) -> str:
    """A value in words: its type, and what it holds."""
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)} ({', '.join(type(part).__name__ for part in value)})"
    return f"a {type(value).__name__}" + (f" with {', '.join(map(str, value))}" if isinstance(value, dict) else "")
