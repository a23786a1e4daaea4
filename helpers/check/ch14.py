"""Checks of chapter 14."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from helpers.check.engine import RETURN_IN_LOOP, Exercise, collected, float64, require_same_shape, unanswered
from helpers.loss import mse


def weighted_mean(losses: Sequence[float], sizes: Sequence[int]) -> float:
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)


mean_over_rows = Exercise(
    weighted_mean,
    "Each row counts once, so the result doesn't depend on how the rows were dealt into batches.",
    lambda losses, sizes: sum(losses) / len(losses),
    "Every batch counts alike here, the small last one as much as a full one: let it count as often as it has rows.",
    lambda losses, sizes: sum(losses) / sum(sizes),
    "A mean times its number of rows is a sum over rows. You added means, and divided by rows.",
    lambda losses, sizes: weighted_mean(losses, sizes) * sum(sizes),
    "That is the sum over all rows: divide it by how many rows there are.",
    lambda losses, sizes: weighted_mean(losses, sizes) * sum(sizes) / len(losses),
    "You divided the sum over all rows by the number of batches: divide by the number of rows.",
    lambda losses, sizes: weighted_mean(losses[:-1], sizes[:-1]),
    "The last batch is missing: it is smaller, and its rows count, too.",
    lambda losses, sizes: losses * sizes,
    "Lists aren't multiplied number by number, as vectors in R are: go through both with zip, or make tensors.",
    lambda losses, sizes: losses[0],
    "That is the mean of the first batch alone: does return stand inside the loop?",
    lambda losses, sizes: losses[0] * sizes[0] / sum(sizes),
    RETURN_IN_LOOP,
    cases=lambda: [([1.0, 4.0, 0.5, 10.0], [64, 64, 64, 8]), ([3.0, 7.0], [3, 1])],
    hint="Each mean times its number of rows is a sum over rows; add these, and divide by all rows.",
)


def two_moded() -> nn.Module:
    """A network with dropout and BatchNorm, whose statistics are no longer those that it was made with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 1))
        for _ in range(3):
            model(3 * torch.randn(20, 2) + 1)
    return model


def look(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    mode = model.training
    model.eval()
    with torch.no_grad():
        error = mse(model(x), y)
    model.train(mode)
    return error


def modes_after(answer: Callable, training: bool) -> list:
    """The loss, whether it has a graph, the model's mode, and whether buffers or requires_grad have changed."""
    model = two_moded().train(training)
    buffers = copy.deepcopy(list(model.buffers()))
    inputs = torch.linspace(-2, 4, 24).reshape(12, 2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        loss = answer(model, inputs, inputs[:, :1] + 1)
    if unanswered(loss):
        return [None]
    graph = float(isinstance(loss, Tensor) and loss.requires_grad)
    modes = {module.training for module in model.modules()}
    mode = float(modes.pop()) if len(modes) == 1 else -1.0
    changed = any(not torch.equal(b, a) for b, a in zip(buffers, model.buffers(), strict=True))
    changed |= not all(parameter.requires_grad for parameter in model.parameters())
    return [loss, graph, mode, float(changed)]


measured_in_passing = Exercise(
    look,
    "It leaves no trace: the loss of the model in use, and a training goes on as if nobody had looked.",
    ("model.eval()", "pass"),
    "In training mode dropout dropped units, BatchNorm took these rows in: call eval() first, give the mode back last.",
    ("model.train(mode)", "pass"),
    "The model is left in evaluation mode: keep model.training before eval(), and give it back before return.",
    ("train(mode)", "train()"),
    "A model that came in evaluation mode goes away in training mode: keep model.training, give it back at the end.",
    ("train(mode)", "train(not mode)"),
    "The mode is turned around: model.train(True) sets training mode, model.train(False) evaluation mode.",
    ("model.train(mode)", "model.training = mode"),
    "Model and layers are left in different modes: model.train(mode) sets all of them, model.training = ... one alone.",
    ("with torch.no_grad():", "if True:"),
    "The loss has a graph, which eval() doesn't prevent: compute it in a block that begins with torch.no_grad():",
    ("eval()", "train()"),
    "You measured in training mode: model.eval(), or model.train(False), sets the other one.",
    lambda *task: look(*task).sqrt(),
    "That is the root of the mean squared error: return the loss itself.",
    cases=lambda: [(True,), (False,)],
    observe=modes_after,
    hint="Keep model.training; call eval(); measure under no_grad; give the mode back with model.train(...).",
)


def carried(batch: Any, device: str) -> Any:
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {name: carried(part, device) for name, part in batch.items()}
    if isinstance(batch, list | tuple):
        return type(batch)(carried(part, device) for part in batch)
    return batch


def brought(answer: Callable, batch: Any) -> list:
    """The batch in words: a tensor on this device says its shape and its place, one left behind its numbers."""
    result = answer(batch, "meta")
    return [None if unanswered(result) else repr(result)]


def of_tensors(parts: Any) -> list[Tensor]:
    """All tensors of a batch, one after the other."""
    inside = parts.values() if isinstance(parts, dict) else parts if isinstance(parts, list | tuple) else ()
    return [parts] if isinstance(parts, Tensor) else [tensor for part in inside for tensor in of_tensors(part)]


moved = Exercise(
    carried,
    "However deep in lists, tuples and dictionaries, no tensor is left behind.",
    lambda batch, device: batch,
    "Nothing has moved: tensor.to(device) makes another tensor. Return it, and let no later line put the old one back.",
    ("batch, dict", "batch, set"),
    "Tensors in dictionaries are left behind: make a new one, of each name in batch.items() and its moved value.",
    ("list | tuple", "list"),
    "Tensors in tuples are left behind, and a batch is often a pair: ask isinstance(batch, (list, tuple)).",
    ("list | tuple", "tuple"),
    "Tensors in lists are left behind: ask isinstance(batch, (list, tuple)).",
    ("carried(part, device)", "part.to(device) if isinstance(part, Tensor) else part"),
    "A container inside a container is left behind: call the function itself on each part.",
    ("carried(part, device)", "part.to(device)"),
    "Not every part has a .to, a list has none: call the function itself on each part.",
    ("batch, dict", "batch, set", "list | tuple", "set"),
    "Only a tensor by itself moves: a list, tuple or dictionary has to be built anew, of its moved parts.",
    lambda batch, device: [part.to(device) for part in of_tensors(batch)],
    "The tensors are there, in one flat list: return what you were given, in the same order and under the same names.",
    ("type(batch)", "list"),
    "A tuple came back as a list: make it a tuple again, with tuple(...), and leave a list a list.",
    ("type(batch)", "tuple"),
    "A list came back as a tuple: make a list from a list, and a tuple from a tuple.",
    cases=lambda: [
        (torch.zeros(3, 2),),
        ((torch.zeros(3, 2), torch.zeros(3, 1)),),
        ([torch.zeros(2), torch.zeros(1)],),
        ({"x": torch.zeros(4, 2), "station": ["Suva", torch.zeros(4)]},),
        ([{"x": torch.zeros(1)}, (torch.zeros(2), 7)],),
    ],
    observe=brought,
    remark=lambda given, wanted: (
        "(... for ...) makes a generator, no tuple, and map a map: put tuple(...) or list(...) around it."
        if "<generator object" in str(given) or "<map object" in str(given)
        else ""
    ),
    hint="Four cases: a tensor moves; a dict, and a list or tuple, are rebuilt from their moved parts; the rest stays.",
)


def length_of(gradients: Sequence[Tensor]) -> Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients]).norm()


def shortened(gradients: Sequence[Tensor], factor: Tensor | float) -> list[Tensor]:
    return [gradient * factor for gradient in gradients]


clipped = Exercise(
    lambda gradients, limit: shortened(gradients, min(1.0, float(limit / length_of(gradients)))),
    "One factor for all, so the direction stays: only the length of the step is cut.",
    lambda gradients, limit: [gradient * min(1.0, float(limit / gradient.norm())) for gradient in gradients],
    "Each tensor is shortened by itself, which turns the direction: take the length of all of them together.",
    lambda gradients, limit: [gradient.clamp(-limit, limit) for gradient in gradients],
    "That cuts single numbers (clip_grad_value_ does so) and turns the direction: multiply all of them by one factor.",
    lambda gradients, limit: shortened(gradients, limit / length_of(gradients)),
    "A short gradient was made longer: the factor may not be above 1.",
    lambda gradients, limit: shortened(gradients, min(1.0, float(limit / sum(g.norm() for g in gradients)))),
    "Lengths don't add up: the length of all is the root of the sum of their squares.",
    lambda gradients, limit: shortened(gradients, min(1.0, float(limit / length_of(gradients) ** 2))),
    "You divided by the sum of the squares: its root is the length.",
    lambda gradients, limit: torch.cat(gradients).norm(),
    "The tensors differ in their number of dimensions: flatten each before torch.cat.",
    lambda gradients, limit: list(gradients),
    "Nothing was shortened: return a new list of shortened tensors; g = ... in a loop leaves the old one as it was.",
    lambda gradients, limit: shortened(gradients, min(1.0, float(limit / max(g.abs().max() for g in gradients)))),
    "You measured the largest single number: the length is the root of the sum of all squares.",
    lambda gradients, limit: torch.cat([g.flatten() for g in clipped.solution(gradients, limit)]),
    "One tensor came back: return a list, with one tensor for each parameter.",
    lambda gradients, limit: clipped.solution(gradients, limit) if limit < length_of(gradients) else None,
    "Where the length is at most max_norm, nothing comes back: return the gradients then, too.",
    lambda gradients, limit: clipped.solution(gradients, limit) if limit < length_of(gradients) else [],
    "Where the length is at most max_norm, an empty list comes back: the gradients belong in it then, too.",
    lambda gradients, limit: shortened(gradients[:1], min(1.0, float(limit / length_of(gradients)))),
    RETURN_IN_LOOP,
    cases=lambda: [
        ([float64([[2.0, -1.0], [2.0, 0.0]]), float64([0.0, -4.0])], 1.0),
        ([float64([[0.3]]), float64([0.4])], 2.0),
        ([float64([6.0, 2.0, 3.0])], 3.5),
    ],
    observe=lambda answer, gradients, limit: [flattened(answer(gradients, limit), gradients)],
    forbidden={
        "torch.nn.utils.clip_grad.clip_grad_norm_": "The text rules clip_grad_norm_ out: find the factor yourself.",
    },
    hint="The length of all: the root of the sum of all squares. The factor: max_norm over it, but at most 1.",
)


def flattened(result: Any, gradients: Sequence[Tensor]) -> Any:
    """The gradients one after the other, in a list; raise unless each has its shape."""
    result = collected(result)
    if isinstance(result, Tensor):
        raise TypeError("one tensor came back, where a list is wanted")
    if not isinstance(result, list | tuple):
        return result
    parts = [torch.as_tensor(gradient) for gradient in result]
    for given, wanted in zip(parts, gradients, strict=False):
        require_same_shape(given, wanted, "clipped")
    return [torch.cat([part.flatten() for part in parts])]
