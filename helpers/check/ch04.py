"""Checks of chapter 04."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from helpers import loss
from helpers.check.engine import RETURN_IN_LOOP, Exercise, after_no_epoch, curvatures, readings
from helpers.model import line

momentum_step = Exercise(
    lambda p, g, v, rate, momentum: (p - rate * (momentum * v + g), momentum * v + g),
    "The buffer holds gradients and the rate comes last, so a schedule slows all that is in the buffer at once.",
    lambda p, g, v, rate, momentum: (p - (v := momentum * v + rate * g), v),
    "The learning rate is inside the buffer: PyTorch keeps gradients in it, and the rate multiplies it later.",
    lambda p, g, v, rate, momentum: (p - rate * (v := momentum * v + (1 - momentum) * g), v),
    "That buffer is a running mean, as in Adam: momentum in SGD adds the whole gradient, without 1 - momentum.",
    lambda p, g, v, rate, momentum: (p + rate * (momentum * v + g), momentum * v + g),
    "The parameter went uphill: subtract the learning rate times the buffer.",
    lambda p, g, v, rate, momentum: (p - rate * v, momentum * v + g),
    "You stepped with the old buffer: put the new gradient in first, then step.",
    lambda p, g, v, rate, momentum: (p - rate * g, momentum * v + g),
    "You stepped with the gradient alone: the step is learning rate times the new buffer.",
    lambda p, g, v, rate, momentum: (p - rate * (momentum * v + g), v),
    "The parameter is right, but the buffer came back unchanged: the next step needs the new one.",
    lambda p, g, v, rate, momentum: (p - rate * (v := v + momentum * g), v),
    "Momentum multiplies the old buffer, which fades, and not the new gradient.",
    lambda p, g, v, rate, momentum: (momentum * v + g, p - rate * (momentum * v + g)),
    "Both numbers are right, their order is not: the new parameter comes first.",
    lambda p, g, v, rate, momentum: (p + (momentum * v - rate * g), momentum * v - rate * g),
    "Your buffer holds steps, with minus and rate inside: PyTorch's holds gradients, and both come later.",
    cases=lambda: [(1.0, 4.0, 10.0, 0.01, 0.9), (-2.0, 3.0, -5.0, 0.1, 0.5)],
    hint="Try it on paper: parameter 1, gradient 2, buffer 3, rate 0.1 and momentum 0.5 give 0.65 and 3.5.",
)


def cycle(u: Tensor, c: Tensor, w: Tensor, b: Tensor, optimizer: torch.optim.Optimizer, epochs: int) -> tuple:
    for _ in range(epochs):
        error = loss.mse(line(u, w, b), c)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return w, b


def with_steps(answer: Callable, u: Tensor, c: Tensor, w: Tensor, b: Tensor, optimizer: Any, *others: Any) -> list:
    """What is returned, where w and b are now, how often step was called, and the first loss that LBFGS got."""
    taken, step = [], optimizer.step
    optimizer.step = lambda *arguments, **options: (taken.append(step(*arguments, **options)), taken[-1])[1]
    result = after_no_epoch(answer, u, c, w, b, optimizer, *others)
    first = taken[0] if taken and isinstance(optimizer, torch.optim.LBFGS) else 0
    return [result, (w, b, len(taken)), first]


def steps_taken(given: list, wanted: list) -> str:
    """The hint for another number of steps than the solution's, in the first case."""
    if given[1][2] == 0:
        if any(one not in (1.0, 0.0) for one in (*given[0], *given[1][:2])):
            return "The optimizer that came in took no step, yet w and b moved: use it and its w and b, not your own."
        return "The optimizer's step() was never called: without it, nothing moves."
    if given[1][2] > wanted[1][2] == 1:
        return "You called the optimizer's step() more than once: one call computes several gradients."
    if given[1][2] != wanted[1][2]:
        times = "once" if given[1][2] == 1 else f"{given[1][2]} times"
        return f"For {wanted[1][2]} epochs you called the optimizer's step() {times}: it is one call an epoch."
    return ""


def line_and_optimizer(kind: type[torch.optim.Optimizer], **settings: Any) -> tuple:
    """The readings on u / 10, fresh parameters at (1, 0), and an optimizer that holds them."""
    u, c = readings()
    w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (1.0, 0.0))
    return u / 10, c, w, b, kind([w, b], **settings)


training_cycle = Exercise(
    cycle,
    "The same lines train other models, with other optimizers, unless their step() needs a closure.",
    ("optimizer.zero_grad()", "pass"),
    "zero_grad() is missing in the loop, or its brackets are: each gradient is added to those of all epochs before.",
    ("error.backward()", "pass"),
    "The w and b that came in are where they started: make the loss of those; then zero_grad(), backward(), step().",
    ("optimizer.zero_grad()", "optimizer.step(); optimizer.zero_grad()", "        optimizer.step()\n", ""),
    "step() came before backward(): every step takes the gradient of the epoch before.",
    ("optimizer.zero_grad()", "optimizer.step()", "        optimizer.step()\n    return", "    return"),
    "step() came before backward(), and zero_grad is missing, so that old gradients add up.",
    ("range(epochs)", "range(1)"),
    "You went round once: repeat the cycle as often as epochs says.",
    ("error =", "error = error if _ else"),
    "backward met a graph that is used up: call it once an epoch, on prediction and loss computed anew.",
    ("error =", "error = error if _ else", "backward()", "backward(retain_graph=True)"),
    "Every epoch has the first gradient: prediction, loss and backward belong in the loop, without retain_graph.",
    ("error =", "with torch.no_grad(): error ="),
    "backward found no record: compute the loss outside no_grad, undetached, and from the w and b that came in.",
    ("        optimizer.step()", "    optimizer.step()"),
    "step() stands behind the loop, where it is called once: indent it as far as backward().",
    ("    return", "        return"),
    RETURN_IN_LOOP,
    cases=lambda: [
        (*line_and_optimizer(torch.optim.SGD, lr=0.01), 12),
        (*line_and_optimizer(torch.optim.Adam, lr=0.1), 7),
        (*line_and_optimizer(torch.optim.Adam, lr=0.1), 0),
    ],
    observe=with_steps,
    remark=steps_taken,
    forbidden={"helpers.training.train": "train() goes round the cycle for you: write the cycle itself."},
    hint="Called with u / 10, from (1, 0), SGD at rate 0.01, it ends epoch 3 at w = 2.2094 and b = 0.1217. Does yours?",
)


def stepped(u: Tensor, c: Tensor, w: Tensor, b: Tensor, optimizer: torch.optim.Optimizer) -> tuple[Tensor, Tensor]:
    def closure() -> Tensor:
        optimizer.zero_grad()
        error = loss.mse(line(u, w, b), c)
        error.backward()
        return error

    optimizer.step(closure)
    return w, b


lbfgs_step = Exercise(
    stepped,
    "Every optimizer accepts a closure; LBFGS needs it, because it asks for several gradients in one step.",
    ("optimizer.zero_grad()", "pass"),
    "zero_grad is missing in the closure: gradients of different points add up and spoil the curvature.",
    ("error.backward()", "pass"),
    "The w and b that came in are where they started. In the closure: their loss, and backward() after zero_grad().",
    ("        return error", ""),
    "The closure returns nothing: LBFGS needs the loss from it.",
    ("step(closure)", "step(lambda error=closure(): error)"),
    "Every call gave the same loss: prediction, loss and backward belong inside the closure, which returns that loss.",
    ("step(closure)", "step()"),
    "A step() got no closure: hand yours over by its name, without brackets behind it, and call no step() inside it.",
    ("step(closure)", "step(closure())", "        return error", ""),
    "step() got nothing: the closure has to return the loss, and step() needs its name, without brackets behind it.",
    ("    def", "    once = loss.mse(line(u, w, b), c)\n\n    def", "error.backward()", "once.backward()"),
    "backward met a graph that is used up: prediction, loss and one backward belong inside the closure.",
    ("return error", "return w, b"),
    "The closure has to return the loss; w and b are for lbfgs_step itself to return.",
    ("step(closure)", "step(closure())"),
    "You gave step() the loss: give it the closure itself, its name without brackets behind it.",
    cases=lambda: [line_and_optimizer(torch.optim.LBFGS), line_and_optimizer(torch.optim.LBFGS, max_iter=3)],
    observe=with_steps,
    remark=steps_taken,
    forbidden={"helpers.training.train": "train() writes the closure for you: write it yourself."},
    hint="At each call: is the loss the MSE at the present w and b, what does .grad hold, and who gets the loss?",
)

momentum_limit = Exercise(
    lambda u, momentum: 2 * (1 + momentum) / curvatures(u)[-1],
    "So momentum allows a rate up to twice as large, and can gain far more than that along the valley.",
    lambda u, momentum: 2 / curvatures(u)[-1],
    "That is the limit without momentum: with it, larger rates are stable.",
    lambda u, momentum: 4 / curvatures(u)[-1],
    "That is the limit for momentum 1: with less momentum it is lower.",
    lambda u, momentum: 2 * (1 - momentum) / curvatures(u)[-1],
    "With momentum 1 that would be 0: the limit grows with the momentum.",
    lambda u, momentum: 2 / ((1 - momentum) * curvatures(u)[-1]),
    "1 / (1 - momentum) is for a gradient that stays the same; at the limit its sign alternates.",
    lambda u, momentum: 2 * (1 + momentum) / curvatures(u)[0],
    "You took the gentlest curvature: the sharpest one sets the limit.",
    lambda u, momentum: (1 + momentum) / (u**2).mean(),
    "The factor is right. The curvature is that along w alone, and across the valley it is a little sharper.",
    lambda u, momentum: (1 + momentum) / curvatures(u)[-1],
    "Half of the limit: without momentum it is 2 / curvature, not 1 / curvature.",
    lambda u, momentum: 4 * (1 + momentum) / curvatures(u)[-1],
    "Twice the limit: start from 2 / curvature, and mind the factor 2 that a square brings into the Hessian.",
    lambda u, momentum: 2 * (1 + momentum) / (len(u) * curvatures(u)[-1]),
    "Too small by the number of readings: the loss is a mean, so divide X' X by n.",
    cases=lambda: [(readings()[0], 0.9), (readings()[0] / 10, 0.5)],
    hint="Take 2 / the largest eigenvalue of hessian(u), times a factor that is 1 for momentum 0 and 2 for momentum 1.",
)
