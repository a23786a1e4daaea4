"""Exercise self-checks: solutions get a tick, stubs a polite line, known wrong answers their own hint."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers import check
from helpers.loss import mse, mse_gradient
from helpers.training import train

NOT_YET = "✗ Not yet. "


def digits_lost(X):
    return torch.linalg.cond(X / X.norm(dim=0)).log10()


def restore(state, model, optimizer):
    """Both parts of a checkpoint, and None."""
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])


# Wrong answers, written as a learner would write them: (answer, words that its hint must contain).
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
    ],
    "slope_through_origin": [
        (lambda u, c: c.sum() / u.sum(), "point of means"),
        (lambda u, c: torch.cov(torch.stack([u, c]))[0, 1] / u.var(), "with an intercept"),
        (lambda u, c: torch.mean(c / u), "mean of the ratios"),
    ],
    "residual_standard_error": [
        (lambda residuals, p: torch.sqrt((residuals * residuals).mean()), "divided by n:"),
        (lambda residuals, p: torch.sqrt((residuals**2).sum() / (len(residuals) - 1)), "divided by n - 1"),
        (lambda residuals, p: (residuals @ residuals) / (len(residuals) - p), "square root"),
        (lambda residuals, p: residuals.std(), "subtracts the mean"),
    ],
    "confidence_interval": [
        (lambda e, s, q: [e - s, e + s], "two thirds"),
        (lambda e, s, q: (e - 1.96 * s, e + 1.96 * s), "known variance"),
        (lambda e, s, q: (e + s * q, e - s * q), "swapped"),
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
        (lambda f, w, b, d: (f(w + d, b) - f(w, b)) / d, "2 parts"),
    ],
    "gradient_through_origin": [
        (lambda u, c, w: torch.mean((u * w - c) * u), "factor 2"),
        (lambda u, c, w: -2 * torch.mean((u * w - c) * u), "sign is turned"),
        (lambda u, c, w: 2 * torch.mean(u * w - c), "inner derivative"),
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
    ],
    "largest_stable_rate": [
        (lambda u: 1 / largest_curvature(u), "twice that"),
        (lambda u: 4 / largest_curvature(u), "factor 2"),
        (lambda u: 2 / (len(u) * largest_curvature(u)), "divide X' X by n"),
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
    ],
    "autograd_descent": [
        (lambda *task: descend(*task, empty=False), "epochs before"),
        (lambda *task: descend(*task, sign=+1), "grows"),
        (lambda *task: descend(*task, recorded=True), "torch.no_grad()"),
        (lambda *task: descend_with_new_tensors(*task), "nowhere to go"),
        (lambda *task: descend_with_new_tensors(*task, recorded=True), "new tensor, made by"),
        (lambda u, c, w, b, *task: descend(u, c, check.leaf(w.item()), check.leaf(b.item()), *task), "came in"),
        (lambda *task: descend_by_torch_grad(*task), "came in"),
        (lambda *task: descend_without_autograd(*task), "autograd took no part"),
        (lambda *task: descend_by_the_course(*task), "write the loop itself"),
    ],
    "tanh_rule": [
        (lambda x: (math.tanh(x), 1 - x * x), "y is the output"),
        (lambda x: [math.tanh(x), 1 / math.cosh(math.tanh(x)) ** 2], "tanh twice"),
        (lambda x: (math.tanh(x), 1 - math.tanh(x)), "square is missing"),
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
        (lambda *task: train_in_order(*task, "forward zero backward"), "where they started"),
        (lambda *task: train_in_order(*task, "forward step zero backward"), "gradient of the epoch before"),
        (lambda *task: train_in_order(*task, "forward step backward"), "old gradients add up"),
        (lambda *task: train_in_order(*task[:-1], 1, "forward zero backward step"), "round once"),
        (lambda *task: train_in_order(*task, "zero backward step"), "before the loop"),
        (lambda u, c, w, b, o, n: train(lambda u: w * u + b, o, u, c, n) and (w, b), "write the cycle itself"),
    ],
    "lbfgs_step": [
        (lambda *task: step_with_closure(*task, "forward backward return"), "zero_grad is missing in the closure"),
        (lambda *task: step_with_closure(*task, "zero forward return"), "call backward()"),
        (lambda *task: step_with_closure(*task, "forward backward zero return"), "before it, not after"),
        (lambda *task: [step_with_closure(*task, "zero forward backward return") for _ in "ab"][0], "more than once"),
        (lambda u, c, w, b, optimizer: train(lambda u: w * u + b, optimizer, u, c, 1) and (w, b), "write it yourself"),
        (lambda *task: step_with_closure(*task, "zero forward backward"), "returns nothing"),
        (lambda *task: step_with_closure(*task, "return"), "anew at each call"),
        (lambda *task: step_with_closure(*task, "zero forward backward return", called=True), "without brackets"),
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
    "hold_out_error": [
        (lambda u, c, order, n: mse_elsewhere(u[order[:-n]], c[:-n], u[order[-n:]], c[-n:]), "u was shuffled and c"),
        (lambda u, c, order, n: mse_elsewhere(u[:-n], c[order[:-n]], u[-n:], c[order[-n:]]), "c was shuffled and u"),
        (lambda u, c, order, n: mse_elsewhere(u, c, u[order[-n:]], c[order[-n:]]), "has seen the rows"),
        (lambda u, c, order, n: mse_elsewhere(*(t[order[:-n]] for t in (u, c, u, c))), "training loss"),
        (lambda u, c, order, n: mse_elsewhere(u[order[n:]], c[order[n:]], u[order[:n]], c[order[:n]]), "the last ones"),
        (lambda u, c, order, n: mse_elsewhere(u[:-n], c[:-n], u[-n:], c[-n:]), "as they stand"),
        (
            lambda u, c, order, n: mse_elsewhere(
                *(t[part] for part in order.split([len(u) - n, n]) for t in (u, c)), -1
            ),
            "swapped",
        ),
    ],
    "epoch_with_validation": [
        (lambda *task: epoch_by_hand(*task, guarded=False), "under torch.no_grad()"),
        (lambda *task: epoch_by_hand(*task, guarded=False, backward_on="both"), "training loss only"),
        (lambda *task: epoch_by_hand(*task, guarded=False, backward_on="validation"), "training loss only"),
        (lambda *task: epoch_by_hand(*task[:4], [t.clone() for t in task[4]], guarded=False, keep=True), "no_grad"),
        (lambda *task: epoch_by_hand(*task[:4], [t * 1.0 for t in task[4]], guarded=False, keep=True), "no_grad"),
        (lambda *task: epoch_half_detached(*task), "under torch.no_grad()"),
        (lambda *task: epoch_by_hand(*task[:4], task[3]), "on the training pair"),
        (lambda *task: epoch_by_hand(*task, late=True), "after the step"),
        (lambda *task: epoch_by_hand(*task, empty=False), "old gradients"),
        (lambda *task: epoch_by_hand(*task, step=False), "where they were"),
        (lambda *task: [epoch_by_hand(*task)[i] for i in (1, 0, 2, 3)], "swapped"),
        (lambda *task: epoch_by_hand(*task)[:2], "4 parts"),
    ],
    "leave_one_out_of_the_mean": [
        (lambda c: c.var(correction=0), "in the mean that predicts it"),
        (lambda c: ((c - c.mean()) ** 2).sum() / (len(c) - 1), "One factor"),
        (lambda c: c.var(correction=0) * ((len(c) - 1) / len(c)) ** 2, "not nearer"),
        (lambda c: mean_without(c).sub(c).abs().square().mean() ** 0.5, "square root"),
        (lambda c: ((c - mean_without(c)) ** 2).sum(), "sum of the squares"),
    ],
    "standardise_validation": [
        (lambda training, validation: (validation - validation.mean()) / validation.std(correction=0), "own mean"),
        (lambda training, validation: standardise(torch.cat([training, validation]))[len(training) :], "A leak"),
        (lambda training, validation: (validation - training.mean()) / training.std(), "divides by n - 1"),
        (lambda training, validation: validation - training.mean(), "scale is missing"),
        (lambda training, validation: standardise(training), "training part"),
    ],
    "one_neuron": [
        (lambda x, w, b: torch.tanh((x * w).sum(dim=1)) + b, "came after tanh"),
        (lambda x, w, b: (x * w).sum(dim=1) + b, "activation is missing"),
        (lambda x, w, b: (w * x).tanh().sum(-1) + b, "bent each product"),
        (lambda x, w, b: (w * x + b).tanh().sum(-1), "sum of neurons"),
        (lambda x, w, b: torch.tanh((w * (x + b)).sum(dim=-1)), "multiplied by the weights"),
        (lambda x, w, b: torch.tanh(x * w + b), "shape (4,)"),
        (lambda x, w, b: (torch.matmul(w, x) + b).tanh(), "from the right, x @ w"),
        (lambda x, w, b: torch.tanh(b + torch.dot(w, x)), "every row"),
    ],
    "hidden_layer_network": [
        (lambda x, W0, b0, W1, b1: ((x @ W0.T + b0) @ W1.T + b1).tanh(), "after both layers"),
        (lambda x, W0, b0, W1, b1: ((x @ W0.T + b0).tanh() @ W1.T + b1).tanh(), "after the output"),
        (lambda x, *layers: rows_through(rows_through(x, *layers[:2]), *layers[2:]), "activation is missing"),
        (lambda x, W0, b0, W1, b1: rows_through(torch.tanh(rows_through(x, W0, 0 * b0)) + b0, W1, b1), "first bias"),
        (lambda x, W0, b0, W1, b1: (x.matmul(W0) + b0).tanh().matmul(W1.mT) + b1, "not transposed"),
        (lambda x, W0, b0, W1, b1: torch.matmul(torch.tanh(torch.matmul(x, W0) + b0), W1) + b1, "shapes don't fit"),
    ],
    "collapsed_bias": [
        (lambda b0, W1, b1, W2, b2: W1 @ (W2 @ b0) + W2 @ b1 + b2, "layers are in the wrong"),
        (lambda b0, W1, b1, W2, b2: b2 + W2 @ b1 + W1 @ W2 @ b0, "matrices are in the wrong"),
        (lambda b0, W1, b1, W2, b2: sum((b2, b1, b0)), "as they are"),
        (lambda b0, W1, b1, W2, b2: sum((b0, b1, b2)), "as they are"),
        (lambda b0, W1, b1, W2, b2: W2.mT.matmul(W1.mT.matmul(b0) + b1) + b2, "W1 is transposed"),
        (lambda b0, W1, b1, W2, b2: b0 @ W1 @ W2 + b1 @ W2 + b2, "matrix on the left"),
        (lambda b0, W1, b1, W2, b2: W2.T @ W1.T @ b0 + W2.T @ b1 + b2, "Both matrices"),
        (lambda b0, W1, b1, W2, b2: (W1 @ b0 + b1) @ W2 + b2, "W2 is transposed"),
        (lambda b0, W1, b1, W2, b2: b2 + W2 @ b1, "first bias is missing"),
        (lambda b0, W1, b1, W2, b2: b2 + b1 + W2 @ (W1 @ b0), "bracket"),
        (lambda b0, W1, b1, W2, b2: W2 @ (W1 @ b0), "Only the first"),
        (lambda b0, W1, b1, W2, b2: b1 + W1 @ b0, "first two layers"),
        (lambda b0, W1, b1, W2, b2: b2.clone(), "Only the last"),
    ],
    "sensitivity": [
        (lambda x, w, b: 1 / torch.cosh(w * x + b) ** 2, "inner derivative"),
        (lambda x, w, b: w / torch.cosh(x) ** 2, "at x"),
        (lambda x, w, b: w - w * torch.tanh(b + x * w), "square is missing"),
        (lambda x, w, b: x / torch.cosh(w * x + b) ** 2, "with respect to w"),
        (lambda x, w, b: (w * x + b).tanh(), "output itself"),
    ],
    "leaky_relu": [
        (lambda x, slope: torch.minimum(x, slope * x), "wrong side"),
        (lambda x, slope: torch.relu(x) + slope * torch.relu(-x), "come out positive"),
        (lambda x, slope: x * (x > 0), "That is ReLU"),
        (lambda x, slope: x * slope, "straight line"),
        (lambda x, slope: torch.relu(x) - slope * (x <= 0), "a constant has slope 0"),
        (lambda x, slope: slope * x if x <= 0 else x, "torch.where"),
        (lambda x, slope: max(x, slope * x), "torch.where"),
    ],
    "silu_slope": [
        (lambda x: (s := torch.sigmoid(x)) - s**2, "two derivatives"),
        (lambda x: x * (s := 1 / (1 + torch.exp(-x))) * (1 - s), "factor x has the derivative 1"),
        (lambda x: 1 / (1 + torch.exp(-x)), "factor sigmoid(x) has a derivative"),
        (lambda x: (s := torch.sigmoid(x)) * (2 - s), "factor x is missing"),
        (lambda x: (s := torch.sigmoid(x)) - x * s * (1 - s), "sign between"),
        (lambda x: (s := torch.sigmoid(x)) + x * (1 - s.square()), "rule of tanh"),
        (lambda x: nn.functional.silu(x), "value"),
    ],
    "stable_softplus": [
        (lambda x: (1 + x.exp()).log(), "exp(1000) is inf"),
        (lambda x: x.exp().log1p(), "log1p mends"),
        (lambda x: x.clamp(min=0) + torch.log(1 + torch.exp(-abs(x))), "rounded to 1"),
        (lambda x: x + torch.log(1 + torch.exp(-x)), "Keep this form for positive x"),
        (lambda x: torch.exp(-abs(x)).log1p(), "max(x, 0)"),
        (lambda x: torch.minimum(x, torch.tensor(20.0)).exp().log1p(), "cut x off"),
        (lambda x: x.clamp(min=0), "rounded corner"),
    ],
    "dead_units": [
        (lambda x, W, b: (torch.relu(x @ W.T + b) == 0).any(0).sum(), "for some reading"),
        (lambda x, W, b: (torch.relu(x @ W.T + b).sum(1) == 0).sum(), "other dimension"),
        (lambda x, W, b: (torch.relu(x @ W.T + b) == 0).sum().item(), "single zeros"),
        (lambda x, W, b: (torch.relu(x @ W.T + b).sum(0) > 0).sum(), "alive"),
        (lambda x, W, b: (torch.relu(x @ W.T).sum(0) == 0).sum(), "bias is missing"),
        (lambda x, W, b: (torch.relu(x @ W.T + b).amax(0) == 0).double().mean(), "share"),
        (lambda x, W, b: sum(bool((z == 0).all()) for z in (x @ W.T + b).T), "ReLU is missing"),
        (lambda x, W, b: ((x @ W.T + b).amax(0) < 0).sum(), "z exactly 0"),
        (lambda x, W, b: 0, "zero all the way down"),
    ],
    "hump": [
        (lambda x, left, right, k: torch.tanh(k * (x - left)) - torch.tanh(k * (x - right)), "Its height is 2"),
        (lambda x, left, right, k: (torch.tanh(k * (x - right)) - torch.tanh(k * (x - left))) / 2, "It is a hole"),
        (lambda x, left, right, k: (torch.tanh(k * (x - left)) + torch.tanh(k * (x - right))) / 2, "Both neurons rise"),
        (lambda x, left, right, k: 0.5 * torch.tanh(k * (x + left)) - 0.5 * torch.tanh(k * (x + right)), "mirrored"),
        (lambda x, left, right, k: (torch.tanh(k * x - left) + torch.tanh(right - k * x)) / 2, "not multiplied"),
    ],
    "breaks_convexity": [
        (lambda loss, a, b: loss((a + b) / 2) < (loss(a) + loss(b)) / 2, "turned around"),
        (lambda loss, a, b: loss((a + b) / 2) <= (loss(a) + loss(b)) / 2, "turned around"),
        (lambda loss, a, b: loss((a + b) / 2) > loss(a) and loss((a + b) / 2) > loss(b), "higher end"),
        (lambda loss, a, b: loss((a + b) / 2) > loss(a) or loss((a + b) / 2) > loss(b), "lower end"),
        (lambda loss, a, b: loss(0.5 * a + 0.5 * b) > loss(a) + loss(b), "sum of the two"),
        (lambda loss, a, b: 2 * loss((a + b) / 2) >= loss(a) + loss(b), "straight line is convex"),
    ],
    "flip_unit": [
        (lambda w, b, v, k: (flip(w, k), b, flip(v, k)), "bias kept its sign"),
        (lambda w, b, v, k: (flip(w, k), flip(b, k), v), "output weight kept"),
        (lambda w, b, v, k: (flip(w, k), b, v), "Only the weight"),
        (lambda w, b, v, k: torch.stack([-w, -b, -v]), "every unit"),
        (lambda w, b, v, k: [flip_here(vector, k) for vector in (w, b, v)], "handed in"),
    ],
    "stack_loss": [
        (lambda predictions, targets: torch.mean((predictions - targets) ** 2), "averaged over the networks"),
        (lambda predictions, targets: torch.sum((predictions - targets) ** 2), "summed over the readings"),
        (lambda predictions, targets: ((predictions - targets) ** 2).squeeze(2).mean(dim=1), "one loss per network"),
        (lambda predictions, targets: ((predictions.mean(0) - targets) ** 2).mean(), "averaged the predictions"),
        (lambda predictions, targets: ((predictions - targets) ** 2).squeeze(2).mean(1).sum().item(), "lost its graph"),
        (lambda predictions, targets: ((predictions.detach() - targets) ** 2).mean((1, 2)).sum(), "lost its graph"),
        (lambda predictions, targets: sum(mse(p.data, targets) for p in predictions), "lost its graph"),
    ],
    "chain": [
        (lambda parts: Chain(parts), "plain list"),
        (lambda parts: Chain(tuple(parts)), "plain list"),
        (lambda parts: Chain(dict(enumerate(parts))), "plain list"),
        (lambda parts: Chain(nn.ModuleList(parts), call=lambda part, x: part.forward(x)), "part.forward(x)"),
        (lambda parts: Chain(parts, call=lambda part, x: part.forward(x)), "Two things"),
        (lambda parts: Chain(nn.ModuleList(parts[::-1])), "in reverse"),
        (lambda parts: Last(parts), "output of the one before"),
        (lambda parts: Added(parts), "like Total"),
        (lambda parts: NotReady(parts), "super().__init__()"),
        (lambda parts: NotReadyChain(parts, keep=list), "Two things are missing"),
        (lambda parts: Chain(nn.ModuleList(parts), whole=True), "only keeps its parts"),
        (lambda parts: Chain(parts, whole=True), "A list can't be called"),
        (lambda parts: ChainWithoutParent(), "no module"),
    ],
    "module_loss": [
        (lambda model, u, c: ((model(u[:, None]) - c) ** 2).mean(), "every target"),
        (lambda model, u, c: ((model.forward(u[:, None])[:, 0] - c) ** 2).mean(), "hook's correction"),
        (lambda model, u, c: ((model.forward(u[:, None]) - c) ** 2).mean(), "Two things"),
        (lambda model, u, c: ((model(u) - c) ** 2).mean(), "one sample with n numbers"),
        (lambda model, u, c: nn.functional.mse_loss(model(u.unsqueeze(0)), c), "one sample with n numbers"),
        (lambda model, u, c: mse(model(u.unsqueeze(1)), c), "unsqueeze it as well"),
        (lambda model, u, c: nn.MSELoss(reduction="sum")(model(u[:, None]).squeeze(), c), "take their mean"),
        (lambda model, u, c: mse(model(u[:, None]).squeeze(1), c).item(), "lost its graph"),
        (lambda model, u, c: mse(model(u[:, None]).detach(), c[:, None]), "lost its graph"),
    ],
    "parameter_count": [
        (lambda n_in, n_out: nn.Linear(n_in, n_out).weight.numel(), "biases are trained"),
        (lambda n_in, n_out: n_out * n_in + 1, "One bias is too few"),
        (lambda n_in, n_out: n_in * (n_out + 1), "belong to the outputs"),
        (lambda n_in, n_out: n_in + n_out, "multiply"),
        (lambda n_in, n_out: len(list(nn.Linear(n_in, n_out).parameters())), "two tensors"),
    ],
    "channels_first": [
        (lambda images: images.view(len(images), 3, *images.shape[1:3]), "scrambled"),
        (lambda images: images.permute(0, 3, 2, 1), "on their side"),
        (lambda images: images.swapaxes(3, 1), "on their side"),
        (lambda images: torch.movedim(images, 3, 0), "before the batch"),
        (lambda images: images.clone(), "still last"),
    ],
    "network_size": [
        (lambda sizes: sum(a * b for a, b in zip(sizes, sizes[1:], strict=False)), "biases are missing"),
        (lambda sizes: sum(a * b for a, b in zip(sizes, sizes[1:], strict=False)) + len(sizes) - 1, "not one"),
        (lambda sizes: sizes[0] + check.network_size.solution(sizes), "inputs have no bias"),
        (lambda sizes: sum(list(sizes)), "counted the units"),
        (lambda sizes: torch.tensor(sizes).prod(), "add the layers up"),
    ],
    "deeper_network": [
        (lambda width: stack_of(width, "tanh", ""), "one affine map"),
        (lambda width: stack_of(width, "", "tanh"), "collapse into one"),
        (lambda width: stack_of(width, "", ""), "straight line"),
        (lambda width: nn.Sequential(stack_of(width, "tanh", "tanh"), nn.Tanh()), "between -1 and 1"),
        (lambda width: nn.Sequential(*stack_of(width, "tanh", "")[:2], nn.Linear(width, 1)), "one hidden layer"),
    ],
    "error_on_new_rows": [
        (lambda model, u, c, rows, kept: ((model(u[rows, None])[:, 0] - c[rows]) ** 2).mean(), "trained on"),
        (lambda model, u, c, rows, kept: nn.MSELoss()(model(u[:, None]), c[:, None]), "flatter"),
        (lambda model, u, c, rows, kept: ((model(u[kept, None]) - c[kept]) ** 2).mean(), "every target"),
        (lambda model, u, c, rows, kept: ((model(u[kept]) - c[kept]) ** 2).mean(), "one row per reading"),
        (lambda model, u, c, rows, kept: mse(model(u[kept, None]), c[kept]), "refuses to pair"),
        (lambda model, u, c, rows, kept: (model(u[kept, None])[:, 0] - c[kept]).square().mean() ** 0.5, "root"),
    ],
    "judged_error": [
        (lambda chooser, judge: min(chooser), "because it was chosen"),
        (lambda chooser, judge: judge.sort().values[0], "chosen the epoch for itself"),
        (lambda chooser, judge: judge.flip(0)[0], "nothing was stopped"),
        (lambda chooser, judge: chooser[judge == judge.min()].squeeze(), "swapped"),
        (lambda chooser, judge: torch.stack([chooser, judge]).mean(dim=0).min(), "nobody is left"),
        (lambda chooser, judge: judge[torch.argmin(judge + chooser)], "together"),
        (lambda chooser, judge: chooser.tolist().index(min(chooser)), "That is the epoch"),
    ],
    "one_hidden": [
        (lambda hidden: NetworkWithout(hidden, "init"), "made in forward"),
        (lambda hidden: LayersAssignedInForward(hidden), "made in forward"),
        (lambda hidden: NetworkWithout(hidden, "super"), "must come first"),
        (lambda hidden: NetworkWithout(hidden, "return"), "needs a return"),
        (lambda hidden: NetworkWithout(hidden, "parameters"), "plain tensor"),
        (lambda hidden: NetworkWithout(hidden, "names"), "other names"),
        (lambda hidden: NetworkWithout(hidden, "activation"), "one straight line"),
        (lambda hidden: NetworkWithout(hidden, "linear output"), "was bent, too"),
        (lambda hidden: ChainWithoutParent(), "no module"),
        (lambda hidden: WithBuffer(hidden), "one tensor more"),
        (lambda hidden: NetworkWithout(hidden, "tanh"), "another bend"),
    ],
    "with_dropout": [
        (lambda hidden, p: Dropping(hidden, p, lambda m, h: F.dropout(h, m.p)), "training=self.training"),
        (lambda hidden, p: Dropping(hidden, p, lambda m, h: nn.Dropout(m.p)(h)), "made in forward"),
        (lambda hidden, p: Dropping(hidden, p, lambda m, h: F.dropout(h, m.p, training=False)), "not even in training"),
        (lambda hidden, p: Dropping(hidden, p, lambda m, h: h), "not even in training"),
        (lambda hidden, p: Dropping(hidden, p, lambda m, h: F.dropout(h, m.p, not m.training)), "turned around"),
        (lambda hidden, p: Dropping(hidden, p, lambda m, h: F.dropout(h, training=m.training)), "p=self.p"),
        (lambda hidden, p: Dropping(hidden, p, lambda m, h: F.dropout(h, 1 - m.p, m.training)), "not to be kept"),
        (lambda hidden, p: Dropping(hidden, p, on="input"), "not the hidden units"),
        (lambda hidden, p: Dropping(hidden, p, on="output"), "not the hidden units"),
        (lambda hidden, p: Dropping(hidden, p, on="hidden and output"), "drop twice"),
        (lambda hidden, p: Dropping(hidden, p, lambda m, h: h * m.drop(torch.ones(len(h), 1))), "dropped together"),
        (lambda hidden, p: Dropping(hidden, p, lambda m, h: h * m.drop(torch.ones(h.shape[1]))), "all readings"),
        (lambda hidden, p: Dropping(hidden, p, on="before tanh"), "drop behind it"),
        (lambda hidden, p: Dropping(hidden, p, lambda m, h: h * keep(h, m.p) if m.training else h), "divided by 1 - p"),
    ],
    "load_renamed": [
        (lambda model, state, names: model.load_state_dict(state) and model, "not the model's"),
        (lambda model, state, names: model.load_state_dict(state, strict=False) and model, "Nothing was loaded"),
        (lambda *task: load_each(*task, str.replace), "not the model's"),
        (lambda *task: load_each(*task, str.replace, strict=False), "finds a 1 in 10"),
        (lambda *task: load_in_order(*task), "by position"),
        (lambda *task: load_each(*task, rename_part).load_state_dict({}, strict=False), "return the model"),
    ],
    "back_to_degrees": [
        (lambda mean, std: Back(mean=mean, std=std), "plain attribute"),
        (lambda mean, std: Back(mean=nn.Parameter(mean), std=nn.Parameter(std)), "they are trained"),
        (lambda mean, std: Back(mean=frozen(mean), std=frozen(std)), "a constant is a buffer"),
        (lambda mean, std: Back(mean=unsaved(mean), std=unsaved(std)), "leave it out"),
        (lambda mean, std: Back(m=nn.Buffer(mean), s=nn.Buffer(std)), "other names"),
        (lambda mean, std: Back(mean=nn.Buffer(mean[None]), std=nn.Buffer(std[None])), "with shape ()"),
        (lambda mean, std: BackWithBuffers(lambda z, m, s: z.sub(m).div(s), mean, std), "once more"),
        (lambda mean, std: BackWithBuffers(lambda z, m, s: s * (m + z), mean, std), "multiplied, too"),
    ],
    "line_in_units": [
        (lambda w, b, x, y: units(w * spread(x) / spread(y), b * spread(y), x, y), "upside down"),
        (lambda w, b, x, y: units(w / spread(x), b, x, y), "spread of y is missing"),
        (lambda w, b, x, y: units(w * spread(y) / spread(x), b, x, y), "adds b to minutes"),
        (lambda w, b, x, y: (w * spread(y) / spread(x), b * spread(y) + y.mean()), "0 at the mean of x"),
        (lambda w, b, x, y: units(w * spread(y) / spread(x), b * spread(y) - y.mean(), x, y), "mean of y was"),
        (lambda w, b, x, y: units(w * y.std() / x.std(), b * y.std(), x, y), "divides by n - 1"),
        (lambda w, b, x, y: units(w * spread(y) / spread(x), b * spread(y), x, y)[::-1], "swapped"),
    ],
    "line_errors": [
        (lambda x, y, folds: by_fold(x, y, folds, lambda fold: range(len(x))), "part of its own fit"),
        (lambda x, y, folds: by_fold(x, y, folds, lambda fold: fold.tolist()), "folds themselves"),
        (lambda x, y, folds: by_fold(x, y, folds)[torch.cat(tuple(folds))], "order of the folds"),
        (lambda x, y, folds: by_fold(x, y, folds).neg(), "sign is turned"),
        (lambda x, y, folds: by_fold(x, y, folds).square(), "errors themselves"),
        (lambda x, y, folds: by_fold(x, y, folds).square().mean().item(), "one error for each row"),
    ],
    "standard_errors_apart": [
        (torch.tensor(-6.5), "sign is turned"),
        (4.4, "row by row first"),
        (6.5 / 272**0.5, "divided by the standard deviation"),
        (0.102, "mean difference itself"),
    ],
    "digits_left": [
        (lambda X: (16 - torch.linalg.cond(X).log10(), 16 - torch.linalg.cond(X).log10() * 2), "columns to length 1"),
        (lambda X: (digits_lost(X), 2 * digits_lost(X)), "digits lost"),
        (lambda X: [16 - 2 * digits_lost(X), 16 - digits_lost(X)], "swapped"),
        (lambda X: (16 - digits_lost(X), 8 - digits_lost(X) / 2), "halved"),
        (lambda X: (16 - digits_lost(X), 16 - digits_lost(X) ** 2), "not its logarithm"),
        (lambda X: (16 - digits_lost(X) * math.log(10), 16 - 2 * digits_lost(X) * math.log(10)), "natural"),
        (lambda X: 16 - digits_lost(X), "2 parts"),
        (lambda X: (round(16 - digits_lost(X).item()), round(16 - 2 * digits_lost(X).item())), "Don't round"),
        (lambda X: (int(16 - digits_lost(X)), math.floor(16 - 2 * digits_lost(X))), "Don't round down"),
        (lambda X: (16 - digits_lost(X.float()), 16 - 2 * digits_lost(X.float())), "stay in float64"),
        (
            lambda X: (16 - digits_lost(X), 16 - torch.linalg.cond((S := X / X.norm(dim=0)).T @ S).log10()),
            "condition number of X",
        ),
        (lambda X: (16 - torch.linalg.cond((X - X.mean(0)) / X.std(0, correction=0)).log10(), 0), "no spread"),
        (lambda X: (16 - digits_lost(X), 16 - 2 * digits_lost(X), X.div_(X.norm(dim=0)))[:2], "handed in"),
    ],
    "exact_residuals": [
        (lambda x, y, w, b: [float(q) - float(w) * float(p) - float(b) for p, q in zip(x, y, strict=True)], "float()"),
        (
            lambda x, y, w, b: [
                Fraction(float(q)) - Fraction(float(w)) * Fraction(float(p)) - Fraction(float(b))
                for p, q in zip(x, y, strict=True)
            ],
            "before it became a fraction",
        ),
        (
            lambda x, y, w, b: [
                Fraction(w) * Fraction(p) + Fraction(b) - Fraction(q) for p, q in zip(x, y, strict=True)
            ],
            "sign is turned",
        ),
        (
            lambda x, y, w, b: [Fraction(q) - Fraction(w) * Fraction(p) for p, q in zip(x, y, strict=True)],
            "intercept is missing",
        ),
        (
            lambda x, y, w, b: [
                Fraction(q) - Fraction(w) * Fraction(p) + Fraction(b) for p, q in zip(x, y, strict=True)
            ],
            "wrong sign",
        ),
        (
            lambda x, y, w, b: [
                Fraction(q) - Fraction(b) * Fraction(p) - Fraction(w) for p, q in zip(x, y, strict=True)
            ],
            "swapped",
        ),
        (
            lambda x, y, w, b: [
                Fraction(q) - Fraction(float(w)) * Fraction(p) - Fraction(b) for p, q in zip(x, y, strict=True)
            ],
            "slope was",
        ),
        (
            lambda x, y, w, b: [
                Fraction(q) - Fraction(w) * Fraction(p) - Fraction(float(b)) for p, q in zip(x, y, strict=True)
            ],
            "intercept was",
        ),
        (
            lambda x, y, w, b: [Fraction(q) - float(w) * Fraction(p) - Fraction(b) for p, q in zip(x, y, strict=True)],
            "float()",
        ),
        (lambda x, y, w, b: [float(r) for r in check.line_residuals(x, y, w, b)], "float()"),
        (
            lambda x, y, w, b: [Decimal(q) - Decimal(w) * Decimal(p) - Decimal(b) for p, q in zip(x, y, strict=True)],
            "a Decimal among",
        ),
    ],
    "refined_once": [
        (lambda R, X, y, beta: beta - (R.T @ R).inverse() @ X.T @ (y - X @ beta), "sign is turned"),
        (lambda R, X, y, beta: (R.T @ R).inverse() @ X.T @ (y - X @ beta), "step alone"),
        (lambda R, X, y, beta: beta + R.inverse() @ X.T @ (y - X @ beta), "before R"),
        (lambda R, X, y, beta: beta + R.T.inverse() @ X.T @ (y - X @ beta), "undo R as well"),
        (lambda R, X, y, beta: beta + (R @ R.T).inverse() @ X.T @ (y - X @ beta), "wrong order"),
        (lambda R, X, y, beta: beta + X.T @ (y - X @ beta), "plain descent"),
        (lambda R, X, y, beta: torch.linalg.pinv(X) @ y, "factor of your own"),
        (lambda R, X, y, beta: beta + (R.T @ R).inverse() @ (2 / len(y) * X.T @ (y - X @ beta)), "2/n"),
        (lambda R, X, y, beta: beta + (R.T @ R).inverse() @ (X.T @ (y - X @ beta) / len(y)), "1/n"),
        (lambda R, X, y, beta: beta.add_((R.T @ R).inverse() @ X.T @ (y - X @ beta)), "handed in"),
    ],
    "with_scaled_columns": [
        (lambda solve, X, y: solve(X, y), "not scaled"),
        (lambda solve, X, y: solve(X / X.norm(dim=0), y), "bring them back"),
        (lambda solve, X, y: solve(X / X.norm(dim=0), y) * X.norm(dim=0), "way back is turned"),
        (lambda solve, X, y: solve(X / X.max(dim=0).values, y) / X.max(dim=0).values, "largest entry 1"),
        (lambda solve, X, y: solve(X / X.norm(dim=0), y / y.norm()) / X.norm(dim=0), "y was scaled"),
        (lambda solve, X, y: solve((X - X.mean(0)) / X.std(0, correction=0), y) / X.std(0), "no spread"),
        (lambda solve, X, y: solve(X / X.std(0), y) / X.std(0), "division by zero"),
        (lambda solve, X, y: solve(X.div_(X.norm(dim=0)), y), "handed in"),
    ],
    "steps_per_epoch": [
        (lambda n, batch_size, drop_last: n // batch_size, "always drop"),
        (lambda n, batch_size, drop_last: math.ceil(n / batch_size), "never drop"),
        (lambda n, batch_size, drop_last: n // batch_size + (0 if drop_last else 1), "come out even"),
        (lambda n, batch_size, drop_last: n / batch_size, "whole number"),
        (lambda n, b, drop_last: math.ceil(n / b) if drop_last else math.floor(n / b), "swapped"),
        (lambda n, b, drop_last: n // b if drop_last else (n + b - 2) // b, "single row"),
    ],
    "merged_coefficients": [
        (
            lambda R1, q1, R2, q2: 0.5 * torch.linalg.solve(R1, q1) + 0.5 * torch.linalg.solve(R2, q2),
            "average of two answers",
        ),
        (lambda R1, q1, R2, q2: torch.linalg.solve(R1 + R2, q1 + q2), "cannot be added"),
        (lambda R1, q1, R2, q2: torch.linalg.inv(R1) @ q1, "first side alone"),
        (lambda R1, q1, R2, q2: torch.linalg.inv(R2) @ q2, "second side alone"),
        (
            lambda R1, q1, R2, q2: torch.linalg.pinv(torch.vstack([R1, R2])) @ torch.cat([q2, q1]),
            "same order",
        ),
        (
            lambda R1, q1, R2, q2: torch.linalg.solve(torch.linalg.qr(torch.vstack([R1, R2]))[1], q1 + q2),
            "new R is right",
        ),
        (lambda R1, q1, R2, q2: torch.cat([R1, R2]), "shape (2,)"),
        (
            lambda R1, q1, R2, q2: torch.linalg.pinv(torch.vstack([R1, R2]).float()) @ torch.cat([q1, q2]).float(),
            "float64",
        ),
    ],
    "gradient_of_the_whole": [
        (lambda gradients, rows: gradients.mean(0), "plain averaging"),
        (lambda gradients, rows: sum(gradients), "grows with the number"),
        (lambda gradients, rows: sum(n * g for n, g in zip(rows, gradients, strict=True)), "sum over all rows"),
        (
            lambda gradients, rows: sum(n * g for n, g in zip(rows, gradients, strict=True)) * len(rows) / sum(rows),
            "number of processes",
        ),
        (
            lambda gradients, rows: sum(g / n for n, g in zip(rows, gradients, strict=True)) / sum(1 / n for n in rows),
            "upside down",
        ),
        (lambda gradients, rows: (gradients * rows).sum(0) / sum(rows), "list is no column"),
        (lambda gradients, rows: sum(torch.tensor(rows) * gradients) / sum(rows), "counts meets the columns"),
        (
            lambda gradients, rows: (torch.tensor(rows).double() @ gradients / sum(rows)).squeeze(),
            "squeeze takes the last",
        ),
        (lambda gradients, rows: torch.tensor([rows]).double() @ gradients / sum(rows), "one gradient"),
    ],
    "resumed": [
        (
            lambda s, m, o, epochs: m.load_state_dict(s["model"]) and range(s["epoch"] + 1, epochs + 1),
            "optimizer is new",
        ),
        (lambda s, m, o, epochs: o.load_state_dict(s["optimizer"]) or range(s["epoch"] + 1, epochs + 1), "first param"),
        (lambda s, m, o, epochs: range(s["epoch"] + 1, epochs + 1), "Neither model"),
        (lambda *task: restore(*task[:3]) or range(task[0]["epoch"], task[3] + 1), "done already"),
        (lambda *task: restore(*task[:3]) or range(task[0]["epoch"] + 1, task[3]), "range(a, b)"),
        (lambda *task: restore(*task[:3]) or list(range(1, task[3] + 1)), "begins at 1"),
        (lambda *task: restore(*task[:3]) or range(task[0]["epoch"], task[3]), "both ends"),
        (lambda *task: restore(*task[:3]) or task[3] - task[0]["epoch"], "not how many"),
        (lambda *task: restore(*task[:3]) or task[0]["epoch"] + 1, "not only the first"),
        (lambda *task: restore(*task[:3]) or task[0]["epoch"], "shape (3,)"),
    ],
}


def spread(values):
    """The standard deviation that divides by n, written out."""
    return ((values - values.sum() / len(values)) ** 2).mean() ** 0.5


def units(slope, lift, x, y):
    """A slope, and the intercept of the line through the means, lifted."""
    return slope, y.mean() + lift - slope * x.mean()


def by_fold(x, y, folds, rows_for=None):
    """Errors of lines on their folds, by the formula for slope and intercept; fitted to other rows unless told."""
    errors = torch.zeros_like(y)
    for fold in folds:
        rows = rows_for(fold) if rows_for else sorted(set(range(len(x))) - set(fold.tolist()))
        u, c = x[list(rows)], y[list(rows)]
        slope = ((u - u.mean()) * c).sum() / ((u - u.mean()) ** 2).sum()
        errors[fold] = c.mean() + slope * (x[fold] - u.mean()) - y[fold]
    return errors


class Chain(nn.Module):
    """Parts one after the other, kept in whatever they come in."""

    def __init__(self, parts, call=lambda part, x: part(x), whole=False):
        super().__init__()
        self.parts, self.call, self.whole = parts, call, whole

    def forward(self, x):
        if self.whole:
            return self.parts(x)
        for part in self.parts.values() if isinstance(self.parts, dict) else self.parts:
            x = self.call(part, x)
        return x


class Last(nn.Module):
    def __init__(self, parts):
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x):
        for part in self.parts:
            y = part(x)
        return y


class Added(Last):
    def forward(self, x):
        return torch.stack([part(x) for part in self.parts]).sum(dim=0)


class NotReady(nn.Module):
    def __init__(self, parts, keep=nn.ModuleList):
        self.parts = keep(parts)

    def forward(self, x):
        return self.parts[0](x)


NotReadyChain = type("Chain", (NotReady,), {})


class ChainWithoutParent:
    def __call__(self, x):
        return x


def stack_of(width, first, second):
    """Two hidden layers, each with or without a tanh behind it, and an output, made in another way than the check's."""
    stack = nn.Sequential(nn.Linear(1, width))
    for n_out, activation in ((width, first), (1, second)):
        if activation:
            stack.append(nn.Tanh())
        stack.append(nn.Linear(width, n_out))
    return stack


class NetworkWithout(nn.Module):
    """A network with one hidden layer, as a learner would write it, with one thing left out."""

    def __init__(self, hidden, missing):
        if missing != "super":
            super().__init__()
        self.hidden, self.missing = hidden, missing
        if missing == "parameters":
            self.W0 = torch.randn(hidden, 1, requires_grad=True)
            self.W1 = torch.randn(1, hidden, requires_grad=True)
        elif missing == "names":
            self.layers = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        elif missing != "init":
            self.hidden_linear = nn.Linear(1, hidden)
            self.output_linear = nn.Linear(hidden, 1)

    def forward(self, x):
        if self.missing == "init":
            return nn.Linear(self.hidden, 1)(nn.Linear(1, self.hidden)(x).tanh())
        if self.missing == "parameters":
            return (x @ self.W0.T).tanh() @ self.W1.T
        if self.missing == "names":
            return self.layers(x)
        h = self.hidden_linear(x)
        bent = F.sigmoid(h) if self.missing == "tanh" else F.tanh(h)
        output = self.output_linear(h if self.missing == "activation" else bent)
        if self.missing == "linear output":
            return F.tanh(output)
        if self.missing != "return":
            return output


class WithBuffer(NetworkWithout):
    def __init__(self, hidden):
        super().__init__(hidden, "nothing")
        self.scale = nn.Buffer(torch.tensor(10.0))


class LayersAssignedInForward(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.hidden = hidden

    def forward(self, x):
        self.hidden_linear = nn.Linear(1, self.hidden)
        self.output_linear = nn.Linear(self.hidden, 1)
        return self.output_linear(torch.tanh(self.hidden_linear(x)))


class Dropping(nn.Module):
    def __init__(self, hidden, p, change=lambda module, h: F.dropout(h, module.p, module.training), on="hidden"):
        super().__init__()
        self.p, self.change, self.on = p, change, on
        self.hidden_linear = nn.Linear(1, hidden)
        self.output_linear = nn.Linear(hidden, 1)

    def forward(self, x):
        x = self.change(self, x) if self.on == "input" else x
        h = self.hidden_linear(x)
        h = (self.change(self, h) if self.on == "before tanh" else h).tanh()
        y = self.output_linear(self.change(self, h) if "hidden" in self.on else h)
        return self.change(self, y) if "output" in self.on else y

    def drop(self, mask):
        return F.dropout(mask, self.p, self.training)


def keep(h, p):
    return torch.bernoulli(torch.full_like(h, 1 - p))


def rename_part(name, old, new):
    return new + name[len(old) :] if name.split(".")[0] == old else name


def load_each(model, state, names, rename, strict=True):
    for old, new in names.items():
        state = {rename(name, old, new): tensor for name, tensor in state.items()}
    model.load_state_dict(state, strict=strict)
    return model


def load_in_order(model, state, names):
    with torch.no_grad():
        for parameter, tensor in zip(model.parameters(), state.values(), strict=True):
            parameter.copy_(tensor)
    return model


class Back(nn.Module):
    """Times the second constant, plus the first; an attribute for each constant, whatever it is."""

    def __init__(self, compute=lambda z, mean, std: z * std + mean, **constants):
        super().__init__()
        self.compute, self.names = compute, list(constants)
        for name, value in constants.items():
            setattr(self, name, value)

    def forward(self, z):
        return self.compute(z, *(getattr(self, name) for name in self.names))


class BackWithBuffers(Back):
    def __init__(self, compute, mean, std):
        super().__init__(compute, mean=nn.Buffer(mean), std=nn.Buffer(std))


def frozen(value):
    return nn.Parameter(value, requires_grad=False)


def unsaved(value):
    return nn.Buffer(value, persistent=False)


def mse_elsewhere(u, c, u_new, c_new, order=1):
    """Mean squared error, on new readings, of a line fitted by another road than the check's: lstsq.

    order: -1 swaps the two coefficients before they predict.
    """
    X, X_new = (torch.stack([torch.ones_like(t), t], dim=1) for t in (u, u_new))
    coefficients = torch.linalg.lstsq(X, c[:, None]).solution
    return (X_new @ (coefficients if order == 1 else coefficients.flip(0)) - c_new[:, None]).square().mean()


def epoch_by_hand(
    w,
    b,
    optimizer,
    training,
    validation,
    guarded=True,
    late=False,
    empty=True,
    step=True,
    backward_on="training",
    keep=False,
):
    """One epoch as the chapter writes it, with one thing wrong. keep: return the losses as tensors."""

    def measure(pair):
        return ((w * pair[0] + b - pair[1]) ** 2).mean()

    def validate():
        with torch.set_grad_enabled(not guarded):
            return measure(validation)

    losses = {"training": measure(training), "validation": None if late else validate()}
    if empty:
        optimizer.zero_grad()
    for name in losses if backward_on == "both" else [backward_on]:
        losses[name].backward()
    if step:
        optimizer.step()
    if late:
        losses["validation"] = validate()
    if keep:
        return losses["training"], losses["validation"], w, b
    return losses["training"].item(), losses["validation"].item(), w.item(), b.item()


def epoch_half_detached(w, b, optimizer, training, validation):
    """One epoch whose validation pass is hidden from w, and recorded for b."""
    pairs = ((w, training), (w.detach(), validation))
    losses = [((weight * u + b - c) ** 2).mean() for weight, (u, c) in pairs]
    optimizer.zero_grad()
    losses[0].backward()
    optimizer.step()
    return *losses, w, b


def rows_through(x, W, b):
    """A layer without activation, row by row."""
    return torch.stack([W @ row + b for row in x])


def mean_without(c):
    """For each value, the mean of the others."""
    return (c.sum() - c) / (len(c) - 1)


def standardise(u):
    return (u - u.mean()) / u.std(correction=0)


def flip(vector, k):
    """A copy of the vector with the sign of entry k turned."""
    return torch.where(torch.arange(len(vector)) == k, -vector, vector)


def flip_here(vector, k):
    """The vector itself, with the sign of entry k turned."""
    vector[k] = -vector[k]
    return vector


def largest_curvature(u):
    """The largest eigenvalue of the Hessian, by another road than the check's: the trace and the determinant."""
    a, d, e = 2 * (u * u).mean(), 2 * u.mean(), 2.0
    return ((a + e) + ((a - e) ** 2 + 4 * d**2) ** 0.5) / 2


def descend(u, c, w, b, learning_rate, epochs, empty=True, sign=-1, recorded=False):
    """Gradient descent as the chapter writes it, with one thing wrong, by other operations than the check's."""
    for _ in range(epochs):
        ((w * u + b - c) ** 2).mean().backward()
        with torch.set_grad_enabled(recorded):
            for parameter in (b, w):
                parameter.add_(sign * learning_rate * parameter.grad)
                if empty:
                    parameter.grad.zero_()
    return [w, b]


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


def descend_without_autograd(u, c, w, b, learning_rate, epochs):
    for _ in range(epochs):
        slopes = mse_gradient(u, c, w.detach(), b.detach())
        for parameter, slope in zip((w, b), slopes, strict=True):
            parameter.data -= learning_rate * slope
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


CASES = [pytest.param(name, *case, id=f"{name}-{case[1]}") for name, cases in WRONG.items() for case in cases]


@pytest.mark.parametrize("name, answer, words", CASES)
def test_a_wrong_answer_gets_its_own_hint(name, answer, words):
    line = check.EXERCISES[name].verdict(answer)
    assert line.startswith(NOT_YET) and words in line


@pytest.mark.parametrize("name", check.EXERCISES)
def test_two_wrong_answers_at_least_are_tried(name):
    assert len({words for _, words in WRONG.get(name, [])}) >= 2


@pytest.mark.parametrize("name", check.EXERCISES)
def test_every_named_mistake_gets_its_own_hint(name):
    exercise = check.EXERCISES[name]
    for mistake in exercise.mistakes:
        assert exercise.verdict(mistake.answer) == NOT_YET + mistake.hint
    assert len({mistake.hint for mistake in exercise.mistakes}) == len(exercise.mistakes) >= 2


@pytest.mark.parametrize("name", check.EXERCISES)
def test_the_solution_is_right(name):
    exercise = check.EXERCISES[name]
    assert exercise.verdict(exercise.solution) == f"✓ Right. {exercise.why}"


@pytest.mark.parametrize("name", check.EXERCISES)
@pytest.mark.parametrize("stub", [None, ..., lambda *arguments: None, lambda *arguments: ...])
def test_a_stub_is_met_politely(name, stub, capsys):
    exercise = check.EXERCISES[name]
    if exercise.cases is None and callable(stub):
        pytest.skip("its answer is a value, not a function")
    assert exercise(stub) is None
    assert capsys.readouterr().out == "… not answered yet\n"


def raises(*arguments):
    raise RuntimeError("out of luck\nsecond line")


@pytest.mark.parametrize("name", check.EXERCISES)
@pytest.mark.parametrize(
    "answer",
    [
        "a string",
        3.5,
        torch.zeros(2, 3),
        object(),
        raises,
        lambda: 1,
        lambda *arguments: "text",
        lambda *arguments: torch.zeros(7),
    ],
    ids=["string", "number", "tensor", "object", "raises", "arity", "text", "shape"],
)
def test_any_answer_gets_one_line_and_never_the_solution(name, answer, capsys):
    exercise = check.EXERCISES[name]
    assert exercise(answer) is None
    printed = capsys.readouterr().out
    assert printed.startswith("✗ ") and printed.count("\n") == 1 and "Traceback" not in printed
    assert " at 0x" not in printed


def test_printing_is_not_returning(capsys):
    check.double(lambda x: print(2 * x))
    assert capsys.readouterr().out == (
        "✗ Your function printed something but returned nothing: hand the result back with return.\n"
    )


def test_doing_without_returning_is_not_a_stub(capsys):
    def forgets_to_return(x):
        result = 2 * x  # noqa: F841

    def half_written(x):
        result = 2 * x  # noqa: F841
        return ...

    for answer in (forgets_to_return, half_written):
        check.double(answer)
        assert capsys.readouterr().out == "✗ Your function returned nothing: hand the result back with return.\n"


def test_a_module_whose_forward_forgets_to_return_is_not_a_stub():
    class Forgetful(Last):
        def forward(self, x):
            for part in self.parts:
                x = part(x)

    class HalfWritten(Last):
        def forward(self, x): ...

    line = "✗ Your forward returned nothing: hand the result back with return."
    assert check.chain.verdict(Forgetful) == line
    assert check.chain.verdict(HalfWritten) == "… not answered yet"


def test_the_ways_to_move_a_tensor_in_place_are_all_accepted():
    def through_data(u, c, w, b, learning_rate, epochs):
        for _ in range(epochs):
            loss = mse(w * u + b, c)
            for parameter, slope in zip((w, b), torch.autograd.grad(loss, (w, b)), strict=True):
                parameter.data = parameter.data - learning_rate * slope
        return w.detach(), b.detach()

    def emptied_after_the_step(*task):
        w, b = descend(*task)
        w.grad = b.grad = None
        return w, b

    for answer in (through_data, emptied_after_the_step):
        assert check.autograd_descent.verdict(answer).startswith("✓")


def test_what_an_answer_raises_is_named():
    assert check.one_step.verdict(raises) == "✗ Your function stopped with RuntimeError: out of luck"


def test_an_answer_that_stops_like_a_known_mistake_gets_its_hint_and_another_its_error():
    def with_another_name(u, c, w, b, learning_rate, epochs):
        ((w * u + b - c) ** 2).mean().backward()
        return w - learning_rate * w.gradient, b

    line = check.autograd_descent.verdict(with_another_name)
    assert line.startswith("✗ Your function stopped with AttributeError: ") and "gradient" in line
    assert check.autograd_descent.verdict(descend)[:7] == "✓ Right"


def test_an_answer_may_change_its_arguments():
    def doubles_in_place(x):
        x *= 2
        return x

    check.double.verdict(lambda x: x.mul_(3) if isinstance(x, torch.Tensor) else 3 * x)
    assert check.double.verdict(doubles_in_place).startswith("✓")


def test_an_answer_that_tracks_gradients_or_is_float32_is_accepted():
    def answer(residuals, p):
        tracked = residuals.float().requires_grad_()
        return ((tracked**2).sum() / (len(tracked) - p)).sqrt()

    assert check.residual_standard_error.verdict(answer).startswith("✓")


def test_an_answer_that_is_almost_right_is_not_right():
    def answer(residuals, p):
        return check.residual_standard_error.solution(residuals, p) * 1.0001

    assert check.residual_standard_error.verdict(answer) == NOT_YET + check.residual_standard_error.hint


def test_a_network_may_keep_its_activation_and_its_dropout_as_modules():
    class WithModules(nn.Module):
        def __init__(self, hidden, p=0.0):
            super().__init__()
            self.hidden_linear = nn.Linear(1, hidden)
            self.between = nn.Sequential(nn.Tanh(), nn.Dropout(p))
            self.output_linear = nn.Linear(hidden, 1)

        def forward(self, x):
            return self.output_linear(self.between(self.hidden_linear(x)))

    assert check.one_hidden.verdict(WithModules).startswith("✓")
    assert check.with_dropout.verdict(WithModules).startswith("✓")


def test_a_network_may_be_in_float64():
    assert check.one_hidden.verdict(lambda hidden: NetworkWithout(hidden, "nothing").double()).startswith("✓")
    assert check.with_dropout.verdict(lambda hidden, p: Dropping(hidden, p).double()).startswith("✓")


@pytest.mark.parametrize(
    "last",
    [
        lambda layer, h: F.linear(h, layer.weight, layer.bias),
        lambda layer, h: h @ layer.weight.T + layer.bias,
        lambda layer, h: layer.forward(h),
    ],
    ids=["functional", "by hand", "forward"],
)
def test_dropout_is_found_however_the_output_layer_is_used(last):
    class Functional(Dropping):
        def forward(self, x):
            return last(self.output_linear, self.change(self, self.hidden_linear(x).tanh()))

    assert check.with_dropout.verdict(Functional).startswith("✓")


def test_a_network_that_returns_nothing_in_training_is_told_so():
    class Silent(Dropping):
        def forward(self, x):
            return None if self.training else super().forward(x)

    assert "in training" in check.with_dropout.verdict(Silent)


def test_the_hints_for_modules_leave_the_code_to_the_learner():
    for name in ("one_hidden", "with_dropout", "back_to_degrees"):
        assert not any(word in check.EXERCISES[name].hint for word in ("nn.", "F.", "register_buffer", "*", "self."))


def test_the_stub_of_a_class_without_super_is_met_politely():
    class Stub(nn.Module):
        def __init__(self, hidden):
            """hidden: how many hidden units."""
            ...

        def forward(self, x): ...

    assert check.one_hidden.verdict(Stub) == "… not answered yet"


def test_a_dropout_check_leaves_the_learners_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    module = Dropping(4, 0.5)
    torch.manual_seed(3)
    check.with_dropout.probe(module, 4, 0.5)
    assert torch.equal(torch.rand(2), expected)
