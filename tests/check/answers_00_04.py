"""Answers to the exercises of chapters 00 to 04, written as a learner would write them."""

import math

import numpy as np
import pandas as pd
import torch

from helpers import loss
from helpers.training import train


def step_by_hand(u, c, w, b, rate):
    errors = [w * x + b - y for x, y in zip(u.tolist(), c.tolist(), strict=True)]
    slopes = [2 * sum(e * x for e, x in zip(errors, u.tolist(), strict=True)) / len(u), 2 * sum(errors) / len(u)]
    return w - rate * slopes[0], b - rate * slopes[1]


def largest_curvature(u):
    """The largest eigenvalue of the Hessian, by another road than the check's: the trace and the determinant."""
    a, d, e = 2 * (u * u).mean(), 2 * u.mean(), 2.0
    return ((a + e) + ((a - e) ** 2 + 4 * d**2) ** 0.5) / 2


def slope_by_autograd(u, c, w):
    w = torch.tensor(w, dtype=u.dtype, requires_grad=True)
    ((w * u - c) ** 2).mean().backward()
    return w.grad


def differentiate(f, x):
    x.grad = None
    f(x).backward()
    return x.grad


def nudge_every_number(f, x):
    nudges = 1e-3 * torch.eye(x.numel()).reshape(-1, *x.shape)
    return sum((f(x + nudge) - f(x - nudge)) / 2e-6 * nudge for nudge in nudges)


def descend(u, c, w, b, rate, epochs):
    for _ in range(epochs):
        value = ((w * u + b - c) ** 2).mean()
        value.backward()
        with torch.no_grad():
            for parameter in (b, w):
                parameter.add_(-rate * parameter.grad)
                parameter.grad.zero_()
    return [w, b]


def descend_again(u, c, w, b, rate, epochs):
    for _ in range(epochs):
        w.grad = b.grad = None
        loss.mse(w * u + b, c).backward()
        with torch.no_grad():
            w -= rate * w.grad
            b -= rate * b.grad
    return w, b


def descend_with_transformed_loss(u, c, w, b, rate, epochs):
    for _ in range(epochs):
        slopes = torch.func.grad(lambda p: ((p[0] * u + p[1] - c) ** 2).mean())((w, b))
        with torch.no_grad():
            w -= rate * slopes[0]
            b -= rate * slopes[1]
    return w, b


def descend_by_copies(u, c, w, b, rate, epochs):
    for _ in range(epochs):
        copies = [parameter.detach().clone().requires_grad_() for parameter in (w, b)]
        ((copies[0] * u + copies[1] - c) ** 2).mean().backward()
        with torch.no_grad():
            w -= rate * copies[0].grad
            b -= rate * copies[1].grad
    return w, b


def train_in_order(u, c, w, b, optimizer, epochs, order="forward zero backward step"):
    """The training cycle with its actions in this order; without "forward", the loss is computed before the loop."""
    loss = ((b + u * w - c) ** 2).mean()
    for _ in range(epochs):
        for action in order.split():
            if action == "forward":
                loss = ((b + u * w - c) ** 2).mean()
            else:
                actions = {"zero": optimizer.zero_grad, "backward": loss.backward, "step": optimizer.step}
                (actions | {"backward_and_keep": lambda value=loss: value.backward(retain_graph=True)})[action]()
    return [w, b]


def fresh(*parameters):
    return [p.detach().clone().requires_grad_() for p in parameters]


def step_with_closure(u, c, w, b, optimizer):
    def closure():
        optimizer.zero_grad()
        loss = ((b + u * w - c) ** 2).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    return [w, b]


# Wrong answers: (answer, words that its hint must contain). What stands between the two are edits of the answer's text,
# in pairs: what it says, and what it says instead.
WRONG = {
    "double": [(lambda x: x * x, "Squaring"), (lambda x: x + 2, "Adding")],
    "design_matrix": [
        (lambda u: torch.stack([u, u * u], dim=1), "intercept has no column"),
        (lambda u: torch.stack((u**0, u), dim=1), "line's design matrix"),
        (lambda u: torch.stack([u**2, u, torch.ones(len(u))], dim=-1), "order is reversed"),
        (lambda u: torch.vstack([torch.ones(len(u), dtype=u.dtype), u, u * u]), "on its side"),
        (lambda u: torch.cat([torch.ones_like(u), u, u * u]).view(len(u), 3), "another pattern"),
        (lambda u: torch.stack([torch.ones_like(u), u, u ^ 2], dim=1), "combines bits"),
        (lambda u: torch.stack([1, u, u * u], dim=1), "no column"),
        (lambda u: torch.stack((torch.ones(11), u, u * u), dim=-1), "Eleven ones"),
    ],
    "slope_through_origin": [
        (lambda u, c: c.sum() / u.sum(), "point of means"),
        (lambda u, c: torch.cov(torch.stack([u, c]))[0, 1] / u.var(), "with an intercept"),
        (lambda u, c: torch.mean(c / u), "mean of the ratios"),
        (lambda u, c: (u * c).sum() / (u ^ 2).sum(), "combines bits"),
    ],
    "residual_standard_error": [
        (lambda residuals, p: torch.sqrt((residuals * residuals).mean()), "divided by n:"),
        (lambda residuals, p: torch.sqrt((residuals**2).sum() / (len(residuals) - 1)), "divided by n - 1"),
        (lambda residuals, p: residuals.norm() / (len(residuals) - 2) ** 0.5, "right for a line"),
        (lambda residuals, p: ((residuals**2).mean() - p).sqrt(), "root or logarithm of a negative number"),
        (lambda residuals, p: (residuals @ residuals) / (len(residuals) - p), "square root"),
        (lambda residuals, p: residuals.norm() / (len(residuals) - p) ** 0.5 * 1.0001, "Try it on paper"),
        (lambda residuals, p: residuals.std(), "subtracts the mean"),
        (lambda residuals, p: residuals.std(correction=p), "not every fit"),
        (lambda residuals, p: (residuals @ residuals / (len(residuals) - p)) ** 1 / 2, "half the variance"),
        (lambda residuals, p: ((residuals ^ 2).sum() / (len(residuals) - p)).sqrt(), "combines bits"),
    ],
    "confidence_interval": [
        (lambda e, s, q: [e - s, e + s], "two thirds"),
        (lambda e, s, q: (e - 1.96 * s, e + 1.96 * s), "known variance"),
        (lambda e, s, q: (e + s * q, e - s * q), "swapped"),
        (lambda e, s, q: (e - s * q / 2, e + s * q / 2), "halved the width"),
        (lambda e, s, q: (round(e - s * q), round(e + s * q)), "rounded to whole"),
        (lambda e, s, q: (float(e - s * q), torch.zeros(2)), "made of numbers"),
    ],
    "forward_difference": [
        (lambda f, w, b, d: ((f(w + d, b) - f(w, b)) / 2 / d, (f(w, b + d) - f(w, b)) / 2 / d), "only delta apart"),
        (lambda f, w, b, d: ((f(w + d, b) - f(w - d, b)) / 2 / d, (f(w, b + d) - f(w, b - d)) / 2 / d), "central"),
        (lambda f, w, b, d: [(f(w, b) - f(w + d, b)) / d, (f(w, b) - f(w, b + d)) / d], "sign is turned"),
        (lambda f, w, b, d: ((f(w + d, b + d) - f(w, b)) / d, (f(w + d, b + d) - f(w, b)) / d), "both parameters"),
        (lambda f, w, b, d: (f(w + d, b) - f(w, b) / d, f(w, b + d) - f(w, b) / d), "bracket is missing"),
        (lambda f, w, b, d: ((f(w + d, b) - f(w, b)) / d, (f(w + d, b + d) - f(w + d, b)) / d), "still nudged"),
        (lambda f, w, b, d: (f(w + d, b) - f(w, b), f(w, b + d) - f(w, b)), "rise divided by run"),
        (lambda f, w, b, d: (f(w + d, b) - f(w, b)) / d, "2 parts"),
        (lambda f, w, b, d: ((f(w + d) - f(w)) / d, (f(b + d) - f(b)) / d), "f takes two numbers"),
    ],
    "gradient_through_origin": [
        (lambda u, c, w: torch.mean((u * w - c) * u), "factor 2"),
        (lambda u, c, w: -2 * torch.mean((u * w - c) * u), "sign is turned"),
        (lambda u, c, w: 2 * torch.mean(u * w - c), "inner derivative"),
        (lambda u, c, w: 2 * (u * w - c) @ u, "loss is a mean"),
        (lambda u, c, w: 2 * (u * w - c) * u, "one number per reading"),
        (lambda u, c, w: (((w + 1e-4) * u - c) ** 2 - ((w - 1e-4) * u - c) ** 2).mean() / 2e-4, "nudging"),
        (lambda u, c, w: (((w + 1) * u - c) ** 2 - ((w - 1) * u - c) ** 2).mean() / 2, "nudging"),
        (lambda u, c, w: slope_by_autograd(u, c, w), "by the chain rule"),
    ],
    "one_step": [
        (lambda u, c, w, b, rate: step_by_hand(u, c, w, b, -rate), "grows"),
        (lambda u, c, w, b, r: ((w := step_by_hand(u, c, w, b, r)[0]), step_by_hand(u, c, w, b, r)[1]), "w had moved"),
        (lambda u, c, w, b, r: (step_by_hand(u, c, w, b := step_by_hand(u, c, w, b, r)[1], r)[0], b), "b had moved"),
        (lambda u, c, w, b, rate: step_by_hand(u, c, w, b, rate / 2), "half as long"),
        (
            lambda u, c, w, b, r: [p - r * s for p, s in zip((w, b), loss.mse_gradient(u, c, w, b)[::-1], strict=True)],
            "dL/dw",
        ),
        (lambda u, c, w, b, rate: loss.mse_gradient(u, c, w, b), "That is the gradient"),
        (lambda u, c, w, b, rate: (w, b) - rate * loss.mse_gradient(u, c, w, b), "take the two apart"),
    ],
    "largest_stable_rate": [
        (lambda u: 1 / largest_curvature(u), "twice that"),
        (lambda u: 4 / largest_curvature(u), "factor 2"),
        (lambda u: 2 / (len(u) * largest_curvature(u)), "divide X' X by n"),
        (lambda u: 2 / (2 * (u * u).mean() + 2 - largest_curvature(u)), "gentlest curvature"),
        (largest_curvature, "That is the curvature; the"),
        (lambda u: 2 / (2 * (u @ u) / len(u)), "along w alone"),
        (lambda u: 2 / (2 * (u * u).mean() + 2), "sharpest one alone"),
        (lambda u: 1 / ((u**2).mean() ** 2 + 2 * u.mean() ** 2 + 1) ** 0.5, "puts all curvatures together"),
        (lambda u: (2 / largest_curvature(u)).reshape(1, 1), "in a row or a table"),
    ],
    "derivative": [
        (differentiate, "x.grad = None", "", "earlier backward"),
        (differentiate, "backward()", "backward(); x.grad.zero_()", "All zero"),
        (lambda f, x: f(x), "value of f"),
        (lambda f, x: x.grad, "came with"),
        (differentiate, "return x.grad", "", "None came back"),
        (differentiate, "x.grad = None", "x = x.clone().requires_grad_()", "copy"),
        (differentiate, "x.grad = None", "x.grad.zero_()", "no zero_()"),
        (differentiate, "x.grad = None", "x.grad is None or x.grad.zero_()", ".backward()", "", "then left alone"),
        (differentiate, "f(x)", "torch.no_grad()(f)(x)", "found no record"),
        (differentiate, "f(x)", "x", "what f returns"),
        (differentiate, "x.grad = None", "x.grad = x.grad and None", "neither true nor false"),
        (differentiate, "x.grad = None\n", "if x.grad is not None:\n        x.grad = None\n    ", "emptying may stand"),
        (nudge_every_number, "slope by nudging"),
        (lambda f, x: torch.autograd.grad(f(x), x), "[0]"),
    ],
    "autograd_descent": [
        (descend, "parameter.grad.zero_()", "pass", "epochs before"),
        (descend, "-rate", "rate", "grows"),
        (descend, "with torch.no_grad():", "if True:", "torch.no_grad()"),
        (descend_again, "w -=", "w = w -", "b -=", "b = b -", "nowhere to go"),
        (descend_again, "with torch.no_grad():", "if True:", "w -=", "w = w -", "b -=", "b = b -", "w is a new tensor"),
        (descend, "for _", "w, b = (p.detach().clone().requires_grad_() for p in (w, b))\n    for _", "came in"),
        (descend_again, "loss.mse(", "w.grad, b.grad = loss.mse_gradient(u, c, w, b) #", "autograd took no part"),
        (descend_again, "w -=", "w.data -=", "b -=", "b.data -=", "behind autograd's back"),
        (descend, "parameter.add_(", "parameter.data = parameter.data.add(", "behind autograd's back"),
        (descend_again, "w -=", "w.data -=", "behind autograd's back"),
        (descend, "backward()", "backward(retain_graph=True)", "keeps what nobody needs"),
        (descend, "value = ", "value = value if _ else ", "backward()", "backward(None, True)", "computed once"),
        (lambda u, c, w, b, r, n: train(lambda u: w * u + b, torch.optim.SGD([w, b], r), u, c, n), "the loop itself"),
        (descend, "value =", "with torch.no_grad(): value =", "where only the update belongs"),
        (descend, "value.backward()", "pass", "backward has not run"),
        (descend_again, "rate * w.grad", "w.grad * rate", ".backward()", "", "has not run, .grad was"),
        (descend_again, "w -=", "w.grad = None; w -=", "emptied after it"),
        (descend_again, "w.grad = b.grad = None", "w.grad.zero_()", "no zero_()"),
        (
            descend,
            "for _",
            "w, b = (torch.tensor(x, requires_grad=True) for x in (1.0, 0.0))\n    for _",
            "start where",
        ),
        (descend, "    return", "        return", "inside the loop"),
        (descend_again, "w.grad = b.grad = None", "w.grad = None", "empty b.grad"),
        (descend_again, "w -=", "w -", "b -=", "b -", "have not moved: no step"),
        (descend, "value =", "value = value if _ else", "used up by one"),
        (descend_again, "        with", "    with", "    w -=", "w -=", "    b -=", "b -=", "behind the loop"),
        (descend, ".mean()", "", "from one number"),
        (descend, "torch.no_grad()", "torch.no_grad", "needs its brackets"),
    ],
    "tanh_rule": [
        (lambda x: (math.tanh(x), 1 - x * x), "y is the output"),
        (lambda x: [math.tanh(x), 1 / math.cosh(math.tanh(x)) ** 2], "tanh twice"),
        (lambda x: (math.tanh(x), 1 - math.tanh(x)), "square is missing"),
        (lambda x: (1 / math.cosh(x) ** 2, math.tanh(x)), "value comes first"),
        (lambda x: (torch.tanh(x), 1 - torch.tanh(x) ** 2), "math.tanh takes numbers"),
        (lambda x: (math.tanh(x), 1 - math.tanh(x) ^ 2), "combines bits"),
        (lambda x: (math.tanh(x.value), 1 - math.tanh(x.value) ** 2), "number itself"),
    ],
    "overwritten_derivative": [
        (2 * 3 + 1, "which += finds"),
        (torch.tensor(6.0), "overwrite each other"),
        (1, "hands on"),
    ],
    "momentum_step": [
        (lambda p, g, v, rate, m: (p - (v := m * v + rate * g), v), "inside the buffer"),
        (lambda p, g, v, rate, m: (p - rate * (v := m * v + (1 - m) * g), v), "running mean"),
        (lambda p, g, v, rate, m: [p + rate * (v := m * v + g), v], "uphill"),
        (lambda p, g, v, rate, m: (p - rate * v, v * m + g), "old buffer: put"),
        (lambda p, g, v, rate, m: (p - rate * g, v * m + g), "gradient alone"),
        (lambda p, g, v, rate, m: (p - rate * g - rate * m * v, v), "came back unchanged"),
        (lambda p, g, v, rate, m: (v := m * v + g, p - v * rate), "their order is not"),
        (lambda p, g, v, rate, m: (p - rate * (v := v + m * g), v), "which fades"),
        (lambda p, g, v, rate, m: (p + (v := m * v - rate * g), v), "holds steps"),
    ],
    "training_cycle": [
        (lambda *task: train_in_order(*task, "forward backward step"), "missing in the loop"),
        (lambda *task: train_in_order(*task, "forward zero step backward"), "where they started"),
        (lambda *task: train_in_order(*task, "forward backward zero step"), "where they started"),
        (lambda *task: train_in_order(*task, "forward zero backward"), "never called"),
        (lambda *task: train_in_order(*task, "forward step zero backward"), "gradient of the epoch before"),
        (lambda *task: train_in_order(*task, "forward step backward"), "old gradients add up"),
        (lambda *task: train_in_order(*task[:-1], 1), "round once"),
        (lambda *task: train_in_order(*task, "zero backward step"), "a graph that is used up"),
        (lambda *task: train_in_order(*task, "zero backward_and_keep step"), "the first gradient"),
        (lambda *task: torch.no_grad()(train_in_order)(*task), "found no record"),
        (lambda u, c, w, b, o, n: train(lambda u: w * u + b, o, u, c, n) and (w, b), "write the cycle itself"),
        (train_in_order, "    return", "        return", "inside the loop"),
        (lambda u, c, w, b, o, n: train_in_order(u, c, w, b, type(o)([w, b], lr=0.01), n), "not your own"),
        (lambda u, c, w, b, o, n: train_in_order(u, c, *(p := fresh(w, b)), type(o)(p, lr=0.01), n), "not your own"),
        (lambda *task: train_in_order(*task[:-1], task[-1] + 1), "12 epochs you called the optimizer's step() 13"),
        (lambda *task: train_in_order(*task[:-1], max(task[-1] - 1, 0)), "11 times"),
        (
            train_in_order,
            "    loss = ((b + u * w - c) ** 2).mean()\n    for",
            "    for",
            "    return",
            "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n    return",
            'epochs, order="forward zero backward step"',
            'epochs, order="forward"',
            "step() once:",
        ),
        (lambda *task: train_in_order(*task, "forward zero backward step step"), "an epoch"),
        (lambda *task: (train_in_order(*task, "forward zero backward"), task[4].step())[0], "behind the loop"),
    ],
    "lbfgs_step": [
        (step_with_closure, "optimizer.zero_grad()", "pass", "zero_grad is missing in the closure"),
        (step_with_closure, "loss.backward()", "pass", "where they started"),
        (step_with_closure, "backward()", "backward(); optimizer.zero_grad()", "after zero_grad()"),
        (step_with_closure, "optimizer.step(closure)", "optimizer.step(closure); optimizer.step(closure)", "than once"),
        (lambda u, c, w, b, optimizer: train(lambda u: w * u + b, optimizer, u, c, 1) and (w, b), "write it yourself"),
        (step_with_closure, "        return loss", "", "returns nothing"),
        (step_with_closure, "step(closure)", "step()", "got no closure"),
        (step_with_closure, "        return loss", "", "step(closure)", "step(closure())", "step() got nothing"),
        (step_with_closure, "step(closure)", "step([closure(), lambda _: 0][0])", "without brackets"),
        (step_with_closure, "step(closure)", "step(lambda loss=closure(): loss)", "Every call gave the same loss"),
        (lambda u, c, w, b, optimizer: optimizer.step(lambda: (b, w)) and (w, b), "has to return the loss"),
        (
            step_with_closure,
            "    def",
            "    before = ((b + u * w - c) ** 2).mean()\n    def",
            "loss =",
            "loss = before #",
            "used up",
        ),
        (step_with_closure, "optimizer.step(closure)", "closure()", "never called"),
        (step_with_closure, "mean()", "sum()", "is the loss the MSE"),
        (step_with_closure, "backward()", "backward(); optimizer.step()", "call no step() inside it"),
        (lambda *task: step_with_closure(*task[:4], torch.optim.LBFGS(task[2:4])), "not your own"),
    ],
    "momentum_limit": [
        (lambda u, momentum: 2 / largest_curvature(u), "limit without momentum"),
        (lambda u, momentum: 4 / largest_curvature(u), "momentum 1"),
        (lambda u, momentum: 2 * (1 - momentum) / largest_curvature(u), "grows with the momentum"),
        (lambda u, momentum: 2 / largest_curvature(u) / (1 - momentum), "stays the same"),
        (lambda u, momentum: 2 * (1 + momentum) / (2 * u @ u / len(u)), "along w alone"),
        (lambda u, momentum: (2 + 2 * momentum) / (2 * (u * u).mean() + 2 - largest_curvature(u)), "gentlest"),
        (lambda u, momentum: (2 + 2 * momentum) / largest_curvature(u) / len(u), "Too small"),
        (lambda u, momentum: (1 + momentum) / largest_curvature(u), "Half of the limit"),
        (lambda u, momentum: 2 * (1 + momentum) / (largest_curvature(u) / 2), "Twice the limit"),
    ],
}

# Right answers in another style than the check's.
RIGHT = {
    "double": [lambda x: x + x, lambda x: np.multiply(x, 2), lambda x: torch.as_tensor(x).mul_(2)],
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
        lambda residuals, p: ((residuals.float().requires_grad_() ** 2).sum() / (len(residuals) - p)).sqrt(),
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
    "largest_stable_rate": [lambda u: 1 / np.linalg.eigvalsh(np.vander(u, 2).T @ np.vander(u, 2) / len(u)).max()],
    "derivative": [differentiate],
    "autograd_descent": [
        descend,
        descend_again,
        (descend, "return", "w.grad = b.grad = None; return"),
        (descend, "    return", "    value.item()\n    return"),
        descend_with_transformed_loss,
        descend_by_copies,
    ],
    "tanh_rule": [lambda x: (np.tanh(x), 1 / np.cosh(x) ** 2), lambda x: (y := torch.tanh(torch.tensor(x)), 1 - y * y)],
    "overwritten_derivative": [3, np.float32(3), torch.tensor(3)],
    "training_cycle": [
        lambda *task: train_in_order(*task, "zero forward backward step"),
        lambda *task: [p.detach().numpy() for p in train_in_order(*task)],
        (train_in_order, "return", "range(epochs)[-1]; return"),
        (train_in_order, "loss = ((b + u * w - c) ** 2).mean()\n    for", "for", "return", "loss.item(); return"),
    ],
    "lbfgs_step": [step_with_closure],
    "momentum_limit": [lambda u, momentum: np.float64((2 + 2 * momentum) / largest_curvature(u))],
}
