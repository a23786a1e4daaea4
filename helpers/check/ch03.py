"""Checks of chapter 03."""

import math
from collections.abc import Callable
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from helpers import loss
from helpers.check.engine import NO_POWER, RETURN_IN_LOOP, Exercise, after_no_epoch, leaf, readings
from helpers.model import line


def derivative_by_backward(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor | None:
    x.grad = None
    f(x).backward()
    return x.grad


def derivative_by_nudging(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    nudges = 1e-4 * torch.eye(x.numel(), dtype=x.dtype).reshape(-1, *x.shape)
    with torch.no_grad():
        return torch.stack([(f(x + nudge) - f(x - nudge)) / 2e-4 for nudge in nudges]).reshape(x.shape)


derivative = Exercise(
    derivative_by_backward,
    "However many numbers are in x, one backward pass gives the derivatives with respect to all of them.",
    ("x.grad = None", "pass"),
    "x came with the gradient of an earlier backward, and yours was added to it: empty x.grad first.",
    ("return x.grad", "return x.grad.zero_()"),
    "All zero: x.grad was emptied, and no backward() on f of x came after that. Empty it first, then call backward().",
    lambda f, x: f(x),
    "That is the value of f; its derivative is in x.grad after backward.",
    lambda f, x: x.grad,
    "That is the gradient x came with: run backward() on f of x first, then read .grad of the tensor that it ran on.",
    ("x.grad = None", "x = x.clone().requires_grad_()"),
    "None came back: backward() returns nothing. Call it on f(x), with x as it came in, no copy; then return x.grad.",
    ("x.grad = None", "x.grad.zero_()"),
    "A fresh x has no gradient yet, its .grad is None, which has no zero_(): set x.grad to None instead.",
    ("x.grad = None", "x.grad = None if x.grad is None else x.grad.zero_()", "f(x).backward()", "f(x)"),
    "x.grad was emptied and then left alone: backward() has not run, or ran on f of a copy of x.",
    ("x.grad = None", "if x.grad is None: return\n    x.grad = None"),
    "None comes back if x.grad was None: emptying may stand behind such an if, backward() and return may not.",
    lambda f, x: f(x.detach()).backward(),
    "backward found no record that leads to x: no_grad, detach, .data or a new tensor cuts it off on the way.",
    lambda f, x: x.backward(),
    "backward starts from the result and goes back to x: call it on what f returns, not on x.",
    lambda f, x: bool(x.grad),
    "A tensor of several numbers is neither true nor false: ask whether .grad is None, or just set it to None.",
    derivative_by_nudging,
    "That is the slope by nudging. Autograd is wanted, which also knows what f has detached from the record.",
    cases=lambda: [
        (lambda x: x**3, leaf(2.0, 5.0)),
        (lambda x: (x**2).sum(), leaf([1.0, -2.0, 4.0], 0.5)),
        (lambda x: x**2 * x.detach(), leaf(3.0)),  # the part that is detached counts as a constant
    ],
    hint="Try it on paper: for f(x) = x * x at x = 3 the answer is 6, whatever x.grad held before.",
    tolerance=1e-6,
)


def descent(u: Tensor, c: Tensor, w: Tensor, b: Tensor, rate: float, epochs: int) -> tuple[Tensor, Tensor]:
    for _ in range(epochs):
        w.grad = b.grad = None
        error = loss.mse(line(u, w, b), c)
        error.backward()
        with torch.no_grad():
            w -= rate * w.grad
            b -= rate * b.grad
    return w, b


def moved_by_autograd(answer: Callable, u: Tensor, c: Tensor, w: Tensor, b: Tensor, *others: Any) -> list:
    """What is returned, where w and b are now, whether they are leaves, and, if moved, how autograd took part.

    That is 0 if it was not used, 2 if it was and did not see one of them move, which `.data` hides, 3 if a graph was
    kept by `retain_graph=True`; otherwise 1.
    """
    before, met, versions, kept = (w.item(), b.item()), [], (w._version, b._version), []
    handles = [parameter.register_hook(lambda gradient: met.append(1)) for parameter in (w, b)]
    backward, grad = torch.autograd.backward, torch.autograd.grad

    def noting(tensors: Any, grads: Any = None, retain_graph: bool | None = None, *rest: Any, **named: Any) -> None:
        met.append(1)  # perhaps on copies of w and b
        kept.extend([1] * bool(retain_graph))
        backward(tensors, grads, retain_graph, *rest, **named)

    def noting_grad(*task: Any, **named: Any) -> tuple:
        met.append(1)  # torch.func.grad comes here, too, with w and b wrapped
        return grad(*task, **named)

    with mock.patch.multiple(torch.autograd, backward=noting, grad=noting_grad):
        result = after_no_epoch(answer, u, c, w, b, *others)
    for handle in handles:
        handle.remove()
    moved = (w.item(), b.item()) != before
    hidden = w._version == versions[0] or b._version == versions[1]
    part = 1.0 if not moved else 0.0 if not met else 2.0 if hidden else 3.0 if kept else 1.0
    return [result, (w, b, float(w.is_leaf and b.is_leaf), part)]


autograd_descent = Exercise(
    descent,
    "Loss, empty, backward, step: most training loops in PyTorch do these four, the last by optimizer.step().",
    ("w.grad = b.grad = None", "pass"),
    "From the second epoch on, a step contains the gradients of the epochs before: empty .grad every time.",
    ("-=", "+="),
    "The loss grows: subtract the gradient, do not add it.",
    ("with torch.no_grad():", "if True:"),
    "While PyTorch records, nothing may change w or b in place: put the update, and it alone, under torch.no_grad().",
    ("w -=", "w = w -", "b -=", "b = b -", "w.grad = b.grad = None", "pass"),
    "In epoch 2 neither w nor b requires a gradient (new tensors?); backward has nowhere to go: move w and b in place.",
    ("w -=", "w = w -", "b -=", "b = b -", "w.grad = b.grad = None", "pass", "with torch.no_grad():", "if True:"),
    "In epoch 2 a .grad is None: no backward() ran then, or w is a new tensor, made by w = w - ... Move it in place.",
    ("error.backward()", "pass"),
    "In epoch 1 a .grad is None: backward has not run, .grad was emptied after it, or the loss uses other tensors.",
    ("w.grad = b.grad = None", "w.grad.zero_()"),
    "w.grad is None, which has no zero_(): w is fresh (set .grad to None instead), or was made by w = w - ...",
    ("    for", "    w, b = leaf(w.item()), leaf(b.item())\n    for"),
    "The numbers are right, but the tensors w and b that came in have not moved: change these, in place.",
    ("w -=", "w.data -=", "b -=", "b.data -="),
    "The numbers are right, but .data moves a tensor behind autograd's back: update without it, under torch.no_grad().",
    ("backward()", "backward(retain_graph=True)"),
    "The numbers are right, but retain_graph=True keeps what nobody needs: each epoch's loss has a graph of its own.",
    ("error =", "error = error if _ else", "backward()", "backward(retain_graph=True)"),
    "Loss or prediction was computed once, before the loop: compute both in every epoch, and no graph has to be kept.",
    ("error.backward()", "w.grad, b.grad = loss.mse_gradient(u, c, w.detach(), b.detach())"),
    "The numbers are right, but autograd took no part: compute the loss and let backward() find the gradient.",
    ("error =", "with torch.no_grad(): error ="),
    "backward found no record: no_grad, where only the update belongs, detach, item() or a new tensor cut it off.",
    ("w.grad = b.grad = None", "w.grad = None"),
    "From the second epoch on, b's step contains old gradients, and w's doesn't: empty b.grad every time, too.",
    ("error.backward()", "error.backward(); w.grad.zero_(); b.grad.zero_()"),
    "w and b have not moved: no step changes these two, no backward ran, or .grad was emptied between it and the step.",
    ("error =", "error = error if _ else"),
    "The record of a loss is used up by one backward(): compute prediction and loss anew in every epoch.",
    ("        with", "    with", "        w -=", "    w -=", "        b -=", "    b -="),
    "The step stands behind the loop (and without an epoch finds no gradient): indent it, so that every epoch steps.",
    ("loss.mse(line(u, w, b), c)", "(line(u, w, b) - c) ** 2"),
    "backward() starts from one number, not from one per reading: make a loss of them first, their mean square.",
    ("torch.no_grad()", "torch.no_grad"),
    "no_grad needs its brackets, even with nothing in them, to open a block.",
    ("    return", "        return"),
    RETURN_IN_LOOP,
    cases=lambda: [
        (readings()[0] / 10, readings()[1], leaf(1.0), leaf(0.0), 0.01, 1),
        (readings()[0] / 10, readings()[1], leaf(1.0), leaf(0.0), 0.01, 3),
        (*readings(), leaf(0.5), leaf(-10.0), 0.0001, 2),
        (*readings(), leaf(0.5), leaf(-10.0), 0.0001, 0),
    ],
    observe=moved_by_autograd,
    forbidden={"helpers.training.train": "train() goes round the loop for you: write the loop itself."},
    hint="On u / 10, from (1, 0) at learning rate 0.01, the third epoch ends at w = 2.2094 and b = 0.1217. Does yours, "
    "and do you start where the w and b that come in are, and use the rate that comes in?",
)

tanh_rule = Exercise(
    lambda x: (math.tanh(x), 1 - math.tanh(x) ** 2),
    "The slope of tanh follows from its output alone, which forward has computed already; PyTorch saves that.",
    lambda x: (math.tanh(x), 1 - x**2),
    "You put the input into 1 - y squared: y is the output, tanh(x).",
    lambda x: (math.tanh(x), 1 - math.tanh(math.tanh(x)) ** 2),
    "You took tanh twice: that is the slope at tanh(x), and the slope at x is wanted.",
    lambda x: (math.tanh(x), 1 - math.tanh(x)),
    "The square is missing: the slope is 1 - y squared.",
    lambda x: (1 - math.tanh(x) ** 2, math.tanh(x)),
    "The value comes first, then the local derivative.",
    torch.tanh,
    "x is a number here, and torch.tanh wants a tensor: math.tanh takes numbers.",
    lambda x: 1.0 ^ 2,
    NO_POWER,
    lambda x: x.value,
    "x is the number itself here, as in exp_rule: apply() takes it out of the node, and makes the new one.",
    cases=lambda: [(0.5,), (-1.2,)],
    hint="Two numbers to compare with: at x = 0 the pair is (0, 1), at x = 2 it is about (0.964, 0.071).",
)

overwritten_derivative = Exercise(
    3.0,
    "Each new contribution replaces the one before, and the last to arrive, from x * x, is all that is left.",
    7.0,
    "That is the derivative, 2 x + 1, which += finds; with = the contributions are not added.",
    6.0,
    "The two uses of x in x * x are two contributions: they, too, overwrite each other.",
    1.0,
    "The added x brings its 1 before x * x hands on its two parts; what comes later replaces it.",
    hint="Write down what each of the three uses of x contributes, in the order in which derivatives() meets them.",
)
