"""Answers to the exercises of chapters 00 to 04, written as a learner would write them."""

import math

import numpy as np
import pandas as pd
import torch

from helpers.check.engine import leaf
from helpers.loss import mse_gradient
from helpers.training import train

# Wrong answers: (answer, words that its hint must contain).
WRONG = {
    "double": [
        (lambda x: x * x, "Squaring"),
        (lambda x: x + 2, "Adding"),
    ],
    "design_matrix": [
        (lambda u: torch.stack([u, u * u], dim=1), "intercept has no column"),
        (lambda u: torch.stack((u**0, u), dim=1), "line's design matrix"),
        (lambda u: torch.stack([u**2, u, torch.ones(len(u))], dim=-1), "order is reversed"),
        (lambda u: torch.vstack([torch.ones(len(u), dtype=u.dtype), u, u * u]), "on its side"),
        (lambda u: torch.cat([torch.ones_like(u), u, u * u]).view(len(u), 3), "another pattern"),
    ],
    "slope_through_origin": [
        (lambda u, c: c.sum() / u.sum(), "point of means"),
        (lambda u, c: torch.cov(torch.stack([u, c]))[0, 1] / u.var(), "with an intercept"),
        (lambda u, c: torch.mean(c / u), "mean of the ratios"),
    ],
    "residual_standard_error": [
        (lambda residuals, p: torch.sqrt((residuals * residuals).mean()), "divided by n:"),
        (lambda residuals, p: torch.sqrt((residuals**2).sum() / (len(residuals) - 1)), "divided by n - 1"),
        (lambda residuals, p: residuals.norm() / (len(residuals) - 2) ** 0.5, "right for a line"),
        (lambda residuals, p: ((residuals**2).mean() - p).sqrt(), "root or logarithm of a negative number"),
        (lambda residuals, p: (residuals @ residuals) / (len(residuals) - p), "square root"),
        (lambda residuals, p: residuals.std(), "subtracts the mean"),
        (lambda residuals, p: residuals.std(correction=p), "not every fit"),
    ],
    "confidence_interval": [
        (lambda e, s, q: [e - s, e + s], "two thirds"),
        (lambda e, s, q: (e - 1.96 * s, e + 1.96 * s), "known variance"),
        (lambda e, s, q: (e + s * q, e - s * q), "swapped"),
        (lambda e, s, q: (round(e - s * q), round(e + s * q)), "rounded to whole"),
        (lambda e, s, q: (float(e - s * q), torch.zeros(2)), "made of numbers"),
    ],
    "forward_difference": [
        (lambda f, w, b, d: ((f(w + d, b) - f(w, b)) / 2 / d, (f(w, b + d) - f(w, b)) / 2 / d), "only delta apart"),
        (
            lambda f, w, b, d: ((f(w + d, b) - f(w - d, b)) / (2 * d), (f(w, b + d) - f(w, b - d)) / (2 * d)),
            "central difference",
        ),
        (lambda f, w, b, d: [(f(w, b) - f(w + d, b)) / d, (f(w, b) - f(w, b + d)) / d], "sign is turned"),
        (lambda f, w, b, d: ((f(w + d, b + d) - f(w, b)) / d, (f(w + d, b + d) - f(w, b)) / d), "both parameters"),
        (lambda f, w, b, d: (f(w + d, b) - f(w, b) / d, f(w, b + d) - f(w, b) / d), "bracket is missing"),
        (lambda f, w, b, d: ((f(w + d, b) - f(w, b)) / d, (f(w + d, b + d) - f(w + d, b)) / d), "still nudged"),
        (lambda f, w, b, d: (f(w + d, b) - f(w, b)) / d, "2 parts"),
    ],
    "gradient_through_origin": [
        (lambda u, c, w: torch.mean((u * w - c) * u), "factor 2"),
        (lambda u, c, w: -2 * torch.mean((u * w - c) * u), "sign is turned"),
        (lambda u, c, w: 2 * torch.mean(u * w - c), "inner derivative"),
        (lambda u, c, w: (((w + 1e-4) * u - c) ** 2 - ((w - 1e-4) * u - c) ** 2).mean() / 2e-4, "nudging"),
        (lambda u, c, w: (((w + 1) * u - c) ** 2 - ((w - 1) * u - c) ** 2).mean() / 2, "nudging"),
        (lambda u, c, w: slope_by_autograd(u, c, w), "by the chain rule"),
    ],
    "one_step": [
        (
            lambda u, c, w, b, rate: (
                w + rate * 2 * ((w * u + b - c) * u).mean(),
                b + rate * 2 * (w * u + b - c).mean(),
            ),
            "grows",
        ),
        (
            lambda u, c, w, b, rate: (
                w1 := w - rate * 2 * ((w * u + b - c) * u).mean(),
                b - rate * 2 * (w1 * u + b - c).mean(),
            ),
            "after w had moved",
        ),
        (
            lambda u, c, w, b, rate: (
                w - rate * 2 * ((w * u + (b1 := b - rate * 2 * (w * u + b - c).mean()) - c) * u).mean(),
                b1,
            ),
            "after b had moved",
        ),
        (
            lambda u, c, w, b, rate: (w - rate * ((w * u + b - c) * u).mean(), b - rate * (w * u + b - c).mean()),
            "half as long",
        ),
    ],
    "largest_stable_rate": [
        (lambda u: 1 / largest_curvature(u), "twice that"),
        (lambda u: 4 / largest_curvature(u), "factor 2"),
        (lambda u: 2 / (len(u) * largest_curvature(u)), "divide X' X by n"),
        (lambda u: 2 / (2 * (u @ u) / len(u)), "along w alone"),
        (lambda u: 2 / (2 * (u * u).mean() + 2), "sharpest one alone"),
        (lambda u: 1 / ((u**2).mean() ** 2 + 2 * u.mean() ** 2 + 1) ** 0.5, "puts all curvatures together"),
        (lambda u: (2 / largest_curvature(u)).reshape(1, 1), "in a row or a table"),
    ],
    "derivative": [
        (lambda f, x: f(x).backward() or x.grad, "earlier backward"),
        (lambda f, x: f(x).backward() or x.grad.zero_(), "emptied after backward"),
        (lambda f, x: f(x), "value of f"),
        (lambda f, x: x.grad, "came with"),
        (lambda f, x: f(x).backward(), "None came back"),
        (lambda f, x: backward_into_a_copy(f, x), "leaf"),
        (lambda f, x: x.grad.zero_() + (f(x).backward() or x.grad), "no zero_()"),
        (lambda f, x: nudge_every_number(f, x), "slope by nudging"),
        (lambda f, x: torch.autograd.grad(f(x), x), "[0]"),
    ],
    "autograd_descent": [
        (lambda *task: descend(*task, empty=False), "epochs before"),
        (lambda *task: descend(*task, sign=+1), "grows"),
        (lambda *task: descend(*task, recorded=True), "torch.no_grad()"),
        (lambda *task: descend_with_new_tensors(*task), "nowhere to go"),
        (lambda *task: descend_with_new_tensors(*task, recorded=True), "new tensor, made by"),
        (lambda u, c, w, b, *task: descend(u, c, leaf(w.item()), leaf(b.item()), *task), "came in"),
        (lambda *task: descend_by_torch_grad(*task), "came in"),
        (lambda *task: descend(*task, late=True), "emptied after it"),
        (lambda u, c, w, b, *task: (w.grad.zero_(), b.grad.zero_()), "no zero_()"),
        (lambda u, c, w, b, *task: descend(u, c, leaf(1.0), leaf(0.0), *task), "start where"),
        (lambda *task: descend_without_autograd(*task), "autograd took no part"),
        (lambda *task: descend_in_data(*task), "behind autograd's back"),
        (lambda *task: descend(*task, keep=True), "keeps what nobody needs"),
        (lambda *task: descend_on_one_loss(*task), "computed once"),
        (lambda *task: descend_by_the_course(*task), "write the loop itself"),
        (lambda *task: descend(*task, guarded_loss=True), "where only the update belongs"),
        (lambda *task: descend(*task[:-1], 1) if task[-1] else None, "inside the loop"),
    ],
    "tanh_rule": [
        (lambda x: (math.tanh(x), 1 - x * x), "y is the output"),
        (lambda x: [math.tanh(x), 1 / math.cosh(math.tanh(x)) ** 2], "tanh twice"),
        (lambda x: (math.tanh(x), 1 - math.tanh(x)), "square is missing"),
        (lambda x: (torch.tanh(x), 1 - torch.tanh(x) ** 2), "math.tanh takes numbers"),
    ],
    "overwritten_derivative": [
        (2 * 3 + 1, "which += finds"),
        (torch.tensor(6.0), "overwrite each other"),
        (1, "comes first"),
    ],
    "momentum_step": [
        (lambda p, g, v, rate, m: (p - (v := m * v + rate * g), v), "inside the buffer"),
        (lambda p, g, v, rate, m: (p - rate * (v := m * v + (1 - m) * g), v), "running mean"),
        (lambda p, g, v, rate, m: [p + rate * (v := m * v + g), v], "uphill"),
        (lambda p, g, v, rate, m: (p - rate * v, v * m + g), "old buffer: put"),
        (lambda p, g, v, rate, m: (p - rate * g, v * m + g), "gradient alone"),
        (lambda p, g, v, rate, m: (p - rate * g - rate * m * v, v), "came back unchanged"),
        (lambda p, g, v, rate, m: (v := m * v + g, p - v * rate), "their order is not"),
        (lambda p, g, v, rate, m: (p + (v := m * v - rate * g), v), "holds steps"),
    ],
    "training_cycle": [
        (lambda *task: train_in_order(*task, "forward backward step"), "zero_grad is missing: each"),
        (lambda *task: train_in_order(*task, "forward zero step backward"), "where they started"),
        (lambda *task: train_in_order(*task, "forward backward zero step"), "where they started"),
        (lambda *task: train_in_order(*task, "forward zero backward"), "never called"),
        (lambda *task: train_in_order(*task, "forward step zero backward"), "gradient of the epoch before"),
        (lambda *task: train_in_order(*task, "forward step backward"), "old gradients add up"),
        (lambda *task: train_in_order(*task[:-1], 1, "forward zero backward step"), "round once"),
        (lambda *task: train_in_order(*task, "zero backward step"), "its graph is used up"),
        (lambda *task: train_in_order(*task, "zero backward_and_keep step"), "retain_graph=True hides it"),
        (lambda *task: torch.no_grad()(train_in_order)(*task, "forward zero backward step"), "found no record"),
        (lambda u, c, w, b, o, n: train(lambda u: w * u + b, o, u, c, n) and (w, b), "write the cycle itself"),
        (
            lambda *task: train_in_order(*task[:-1], 1, "forward zero backward step") if task[-1] else None,
            "inside the loop",
        ),
        (
            lambda u, c, w, b, o, n: train_in_order(
                u, c, w, b, type(o)([w, b], lr=0.01), n, "forward zero backward step"
            ),
            "of your own",
        ),
        (lambda *task: train_in_order(*task, "forward zero backward step step"), "an epoch"),
    ],
    "lbfgs_step": [
        (lambda *task: step_with_closure(*task, "forward backward return"), "zero_grad is missing in the closure"),
        (lambda *task: step_with_closure(*task, "zero forward return"), "call backward()"),
        (lambda *task: step_with_closure(*task, "forward backward zero return"), "before it, not after"),
        (lambda *task: [step_with_closure(*task, "zero forward backward return") for _ in "ab"][0], "more than once"),
        (lambda u, c, w, b, optimizer: train(lambda u: w * u + b, optimizer, u, c, 1) and (w, b), "write it yourself"),
        (lambda *task: step_with_closure(*task, "zero forward backward"), "returns nothing"),
        (lambda *task: step_with_closure(*task, "return"), "Every call gave the same gradient"),
        (lambda *task: step_with_closure(*task, "zero backward return"), "its graph is used up"),
        (lambda u, c, w, b, optimizer: optimizer.step(lambda: (b, w)) and (w, b), "has to return the loss"),
        (lambda *task: step_with_closure(*task, "zero forward backward return", called=True), "without brackets"),
        (lambda *task: stepless(*task), "never called"),
        (
            lambda u, c, w, b, optimizer: step_with_closure(
                u, c, w, b, torch.optim.LBFGS([w, b]), "zero forward backward return"
            ),
            "of your own",
        ),
        (
            lambda *task: [step_with_closure(*task, "zero forward backward return") for _ in range(10)][0],
            "more than once",
        ),
    ],
    "momentum_limit": [
        (lambda u, momentum: 2 / largest_curvature(u), "limit without momentum"),
        (lambda u, momentum: 4 / largest_curvature(u), "momentum 1"),
        (lambda u, momentum: 2 * (1 - momentum) / largest_curvature(u), "grows with the momentum"),
        (lambda u, momentum: 2 / largest_curvature(u) / (1 - momentum), "stays the same"),
        (lambda u, momentum: 2 * (1 + momentum) / (2 * u @ u / len(u)), "along w alone"),
        (lambda u, momentum: (1 + momentum) / largest_curvature(u), "Half of the limit"),
        (lambda u, momentum: 2 * (1 + momentum) / (largest_curvature(u) / 2), "Twice the limit"),
    ],
}

# Right answers in another style than the check's.
RIGHT = {
    "double": [lambda x: x + x, lambda x: np.multiply(x, 2), lambda x: torch.as_tensor(x) * 2],
    "design_matrix": [
        lambda u: [[1, x, x * x] for x in u],
        lambda u: [(1.0, float(x), float(x) ** 2) for x in u],
        lambda u: np.vander(u.numpy(), 3, increasing=True),
        lambda u: torch.stack([u**k for k in range(3)], dim=1).float(),
        lambda u: ([1, x, x**2] for x in u.tolist()),
        lambda u: pd.DataFrame({"one": 1.0, "u": u, "u2": u**2}),
    ],
    "slope_through_origin": [lambda u, c: torch.linalg.lstsq(u[:, None], c[:, None]).solution.item()],
    "residual_standard_error": [
        lambda residuals, p: np.sqrt(np.sum(residuals.numpy() ** 2) / (len(residuals) - p)),
        lambda residuals, p: math.sqrt(sum(float(r) ** 2 for r in residuals) / (len(residuals) - p)),
        lambda residuals, p: residuals.norm() / (len(residuals) - p) ** 0.5,
    ],
    "confidence_interval": [
        lambda e, s, q: np.array([e - q * s, e + q * s]),
        lambda e, s, q: map(float, (e - q * s, e + q * s)),
    ],
    "forward_difference": [lambda f, w, b, d: [np.float64((f(w + d, b) - f(w, b)) / d), (f(w, b + d) - f(w, b)) / d]],
    "gradient_through_origin": [
        lambda u, c, w: 2 / len(u) * (w * (u @ u) - u @ c),
        lambda u, c, w: np.mean([2 * (w * x - y) * x for x, y in zip(u.tolist(), c.tolist(), strict=True)]),
        lambda u, c, w: (2 * (w * u.float() - c.float()) * u.float()).mean(),
    ],
    "one_step": [lambda u, c, w, b, rate: [np.float64(x) for x in step_by_hand(u, c, w, b, rate)]],
    "largest_stable_rate": [
        lambda u: (
            2
            / np.linalg.eigvalsh(
                2 * np.cov(np.vstack([u, u * 0 + 1]), bias=True) + 2 * np.outer([u.mean(), 1], [u.mean(), 1])
            ).max()
        )
    ],
    "autograd_descent": [lambda *task: descend_with_transformed_loss(*task), lambda *task: descend_by_copies(*task)],
    "tanh_rule": [lambda x: (np.tanh(x), 1 / np.cosh(x) ** 2), lambda x: (y := torch.tanh(torch.tensor(x)), 1 - y * y)],
    "overwritten_derivative": [3, np.float32(3), torch.tensor(3)],
    "training_cycle": [
        lambda *task: train_in_order(*task, "zero forward backward step"),
        lambda *task: [p.detach().numpy() for p in train_in_order(*task, "forward zero backward step")],
    ],
    "lbfgs_step": [lambda *task: step_with_closure(*task, "zero forward backward return")],
    "momentum_limit": [lambda u, momentum: np.float64((2 + 2 * momentum) / largest_curvature(u))],
}


def slope_by_autograd(u, c, w):
    w = torch.tensor(w, dtype=u.dtype, requires_grad=True)
    ((w * u - c) ** 2).mean().backward()
    return w.grad


def step_by_hand(u, c, w, b, rate):
    errors = [w * x + b - y for x, y in zip(u.tolist(), c.tolist(), strict=True)]
    slopes = [2 * sum(e * x for e, x in zip(errors, u.tolist(), strict=True)) / len(u), 2 * sum(errors) / len(u)]
    return w - rate * slopes[0], b - rate * slopes[1]


def stepless(u, c, w, b, optimizer):
    ((w * u + b - c) ** 2).mean().backward()
    return w, b


def largest_curvature(u):
    """The largest eigenvalue of the Hessian, by another road than the check's: the trace and the determinant."""
    a, d, e = 2 * (u * u).mean(), 2 * u.mean(), 2.0
    return ((a + e) + ((a - e) ** 2 + 4 * d**2) ** 0.5) / 2


def descend(
    u, c, w, b, learning_rate, epochs, empty=True, sign=-1, recorded=False, guarded_loss=False, keep=None, late=False
):
    """Gradient descent as the chapter writes it, with one thing wrong, by other operations than the check's."""
    for _ in range(epochs):
        with torch.set_grad_enabled(not guarded_loss):
            loss = ((w * u + b - c) ** 2).mean()
        loss.backward(retain_graph=keep)
        if late:
            w.grad = b.grad = None
        with torch.set_grad_enabled(recorded):
            for parameter in (b, w):
                parameter.add_(sign * learning_rate * parameter.grad)
                if empty:
                    parameter.grad.zero_()
    return [w, b]


def descend_on_one_loss(u, c, w, b, learning_rate, epochs):
    loss = torch.nn.functional.mse_loss(w * u + b, c)
    for _ in range(epochs):
        w.grad, b.grad = torch.zeros_like(w), torch.zeros_like(b)
        loss.backward(retain_graph=True)
        with torch.inference_mode():
            w.sub_(learning_rate * w.grad)
            b.sub_(learning_rate * b.grad)
    return w, b


def descend_with_new_tensors(u, c, w, b, learning_rate, epochs, recorded=False):
    for _ in range(epochs):
        ((w * u + b - c) ** 2).mean().backward()
        with torch.set_grad_enabled(recorded):
            w = w - learning_rate * w.grad
            b = b - learning_rate * b.grad
    return w, b


def descend_by_torch_grad(u, c, w, b, learning_rate, epochs):
    """Autograd, but the steps are recorded and w and b stay where they are."""
    for _ in range(epochs):
        slopes = torch.autograd.grad(((w * u + b - c) ** 2).mean(), (w, b), create_graph=True)
        w, b = w - learning_rate * slopes[0], b - learning_rate * slopes[1]
    return w, b


def descend_with_transformed_loss(u, c, w, b, learning_rate, epochs):
    for _ in range(epochs):
        slopes = torch.func.grad(lambda p: ((p[0] * u + p[1] - c) ** 2).mean())((w, b))
        with torch.no_grad():
            w -= learning_rate * slopes[0]
            b -= learning_rate * slopes[1]
    return w, b


def descend_by_copies(u, c, w, b, learning_rate, epochs):
    for _ in range(epochs):
        copies = w.detach().clone().requires_grad_(), b.detach().clone().requires_grad_()
        ((copies[0] * u + copies[1] - c) ** 2).mean().backward()
        with torch.no_grad():
            w -= learning_rate * copies[0].grad
            b -= learning_rate * copies[1].grad
    return w, b


def descend_without_autograd(u, c, w, b, learning_rate, epochs):
    for _ in range(epochs):
        slopes = mse_gradient(u, c, w.detach(), b.detach())
        for parameter, slope in zip((w, b), slopes, strict=True):
            parameter.data -= learning_rate * slope
    return w, b


def descend_in_data(u, c, w, b, learning_rate, epochs):
    for _ in range(epochs):
        ((w * u + b - c) ** 2).mean().backward()
        for parameter in (w, b):
            parameter.data = parameter.data - learning_rate * parameter.grad
            parameter.grad = None
    return w, b


def descend_by_the_course(u, c, w, b, learning_rate, epochs):
    train(lambda u: w * u + b, torch.optim.SGD([w, b], lr=learning_rate), u, c, epochs)
    return w, b


def backward_into_a_copy(f, x):
    copy = x.clone()
    copy.requires_grad_(True)
    f(copy).backward()
    return copy.grad


def nudge_every_number(f, x, delta=1e-3):
    x = x.detach()
    slopes = torch.zeros_like(x)
    for i in range(x.numel()):
        nudge = torch.zeros_like(x)
        nudge.view(-1)[i] = delta
        slopes.view(-1)[i] = (f(x + nudge) - f(x - nudge)) / (2 * delta)
    return slopes


def train_in_order(u, c, w, b, optimizer, epochs, order):
    """The training cycle with its actions in this order; without "forward", the loss is computed before the loop."""
    loss = ((b + u * w - c) ** 2).mean()
    actions = {"zero": optimizer.zero_grad, "backward": lambda: loss.backward(), "step": optimizer.step}
    actions["backward_and_keep"] = lambda: loss.backward(retain_graph=True)
    for _ in range(epochs):
        for action in order.split():
            if action == "forward":
                loss = ((b + u * w - c) ** 2).mean()
            else:
                actions[action]()
    return [w, b]


def step_with_closure(u, c, w, b, optimizer, parts, called=False):
    """One step of LBFGS with a closure of these parts; without "forward", the loss is computed before the step."""
    before = ((b + u * w - c) ** 2).mean()
    if "forward" not in parts:
        before.backward()

    def closure():
        if "zero" in parts.split("backward")[0]:
            optimizer.zero_grad()
        loss = ((b + u * w - c) ** 2).mean() if "forward" in parts else before
        if "backward" in parts:
            loss.backward()
        if "backward zero" in parts:
            optimizer.zero_grad()
        if "return" in parts:
            return loss

    optimizer.step(closure() if called else closure)
    return [w, b]
