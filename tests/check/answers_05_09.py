"""Answers to the exercises of chapters 05 to 09, written as a learner would write them."""

import math
from copy import deepcopy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers.loss import mse


def held_back(u, c, order, n):
    rows, kept = order[:-n], order[-n:]
    slope, shift = np.polyfit(u[rows], c[rows], 1)
    return (slope * u[kept] + shift - c[kept]).square().mean()


def epoch(w, b, optimizer, training, validation):
    def measure(u, c):
        return ((w * u + b - c) ** 2).mean()

    loss = measure(*training)
    with torch.no_grad():
        kept = measure(*validation)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), kept.item(), w.item(), b.item()


def mean_without(c):
    """For each value, the mean of the others."""
    return (c.sum() - c) / (len(c) - 1)


def standardise(u, like=None):
    like = u if like is None else like
    return (u - like.mean()) / like.std(correction=0)


def rows_through(x, W, b):
    """A layer without activation, row by row."""
    return torch.stack([W @ row + b for row in x])


def flip(vector, k):
    """A copy of the vector with the sign of entry k turned."""
    return torch.where(torch.arange(len(vector)) == k, -vector, vector)


class Chain(nn.Module):
    def __init__(self, parts):
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return x


# Wrong answers: (answer, edits of its text in pairs, words that its hint must contain).
WRONG = {
    "hold_out_error": [
        (held_back, "c[rows]", "c[:-n]", "c[kept]", "c[-n:]", "u was shuffled and c"),
        (held_back, "u[rows]", "u[:-n]", "u[kept]", "u[-n:]", "c was shuffled and u"),
        (held_back, "order[:-n]", "order", "has seen the rows"),
        (held_back, "order[-n:]", "order[:-n]", "training loss"),
        (held_back, "order[:-n], order[-n:]", "order[n:], order[:n]", "the last ones"),
        (held_back, "order[", "torch.arange(len(u))[", "as they stand"),
        (held_back, "mean()", "mean().sqrt()", "root"),
        (held_back, "slope, shift", "shift, slope", "swapped"),
    ],
    "epoch_with_validation": [
        (epoch, "with torch.no_grad():", "if True:", "under torch.no_grad()"),
        (
            epoch,
            "*validation",
            "*(t * 1 for t in validation)",
            "with torch.no_grad():",
            "if 1:",
            ".item()",
            "",
            "no_grad",
        ),
        (epoch, "with torch.no_grad():", "w = w.detach()\n    if True:", ".item()", "", "under torch.no_grad()"),
        (lambda *task: epoch(*task[:4], task[3]), "on the training pair"),
        (epoch, "step()", "step(); kept = torch.no_grad()(measure)(*validation)", "measured after the step"),
        (
            lambda w, b, *task: epoch(w, b, *task) and [*(mse(w.data * u + b.data, c) for u, c in task[1:]), w, b],
            "Both",
        ),
        (epoch, "optimizer.zero_grad()", "pass", "old gradients"),
        (epoch, "optimizer.step()", "pass", "as they were"),
        (epoch, "loss.item(), kept.item()", "kept.item(), loss.item()", "swapped"),
        (lambda *task: epoch(*task)[:2], "4 parts"),
        (epoch, "loss = ", "with torch.no_grad(): loss = ", "backward found no record"),
        (epoch, "loss.backward()", "kept.backward()", "for the training loss alone"),
        (epoch, "loss = measure(*training)", "loss = measure(torch.ones(11)[training], 0)", "not row numbers"),
    ],
    "leave_one_out_of_the_mean": [
        (lambda c: c.var(correction=0), "in the mean that predicts it"),
        (lambda c: ((c - c.mean()) ** 2).sum() / (len(c) - 1), "One factor"),
        (lambda c: (mean_without(c) * (1 - 1 / len(c)) - c).square().mean(), "one fewer"),
        (lambda c: c.var(correction=0) * ((len(c) - 1) / len(c)) ** 2, "not nearer"),
        (lambda c: mean_without(c).sub(c).abs().square().mean() ** 0.5, "square root"),
        (lambda c: ((c - mean_without(c)) ** 2).sum(), "sum of the squares"),
        (lambda c: np.mean([(c[c != value].mean() - value) ** 2 for value in c]), "by its place"),
        (lambda c: (c.mean(), c.var()), "2 came back"),
    ],
    "standardise_validation": [
        (lambda training, validation: standardise(validation), "own mean"),
        (lambda training, validation: standardise(torch.cat([training, validation]))[len(training) :], "A leak"),
        (lambda training, validation: (validation - training.mean()) / training.std(), "divides by n - 1"),
        (lambda training, validation: validation - training.mean(), "scale is missing"),
        (lambda training, validation: (validation - training.mean()) / validation.std(correction=0), "tion is not"),
        (lambda training, validation: (validation - validation.mean()) / training.std(correction=0), "the mean is not"),
        (lambda training, validation: standardise(training), "training part"),
        (lambda training, validation: (standardise(training), validation), "2 came back"),
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
        (lambda x, w, b: x.dot(w).add(b).tanh(), "as it is"),
        (lambda x, w, b: [b.add_(row @ w).tanh() for row in x], "where the one before ended"),
        (lambda x, w, b: torch.tanh(x @ w + b).unsqueeze(1), "shape (4,), yours has (4, 1)"),
    ],
    "hidden_layer_network": [
        (lambda x, W0, b0, W1, b1: ((x @ W0.T + b0) @ W1.T + b1).tanh(), "after both layers"),
        (lambda x, W0, b0, W1, b1: ((x @ W0.T + b0).tanh() @ W1.T + b1).tanh(), "after the output"),
        (lambda x, *layers: rows_through(rows_through(x, *layers[:2]), *layers[2:]), "activation is missing"),
        (lambda x, W0, b0, W1, b1: torch.tanh(x @ W0.T + b0) @ W1.T, "second bias is missing"),
        (lambda x, W0, b0, W1, b1: torch.tanh(x @ W0.T) @ W1.T + b1, "first bias is missing"),
        (lambda x, W0, b0, W1, b1: rows_through(torch.tanh(rows_through(x, W0, 0 * b0)) + b0, W1, b1), "first bias"),
        (lambda x, W0, b0, W1, b1: (x.matmul(W0) + b0).tanh().matmul(W1.mT) + b1, "not transposed"),
        (lambda x, W0, b0, W1, b1: torch.matmul(torch.tanh(torch.matmul(x, W0) + b0), W1) + b1, "shapes don't fit"),
        (lambda x, W0, b0, W1, b1: W1 @ (W0 @ x + b0).tanh() + b1, "as for one vector"),
        (lambda x, W0, b0, W1, b1: (W1 @ (W0 @ x.T + b0).tanh() + b1).T, "With x.T"),
        (lambda x, *layers: rows_through(rows_through(x, *layers[:2]).tanh(), *layers[2:]).squeeze(), "yours has (4,)"),
    ],
    "collapsed_bias": [
        (lambda b0, W1, b1, W2, b2: W1 @ (W2 @ b0) + W2 @ b1 + b2, "multiplies b0 itself"),
        (lambda b0, W1, b1, W2, b2: b2 + W2 @ b1 + W1 @ W2 @ b0, "matrices are in the wrong"),
        (lambda b0, W1, b1, W2, b2: sum((b2, b1, b0)), "as they are"),
        (lambda b0, W1, b1, W2, b2: sum((b0, b1, b2)), "as they are"),
        (lambda b0, W1, b1, W2, b2: W2.mT.matmul(W1.mT.matmul(b0) + b1) + b2, "W1 is transposed"),
        (lambda b0, W1, b1, W2, b2: b0 @ W1 @ W2 + b1 @ W2 + b2, "matrix on the left"),
        (lambda b0, W1, b1, W2, b2: W2.T @ W1.T @ b0 + W2.T @ b1 + b2, "transposed matrix"),
        (lambda b0, W1, b1, W2, b2: (W1 @ b0 + b1) @ W2 + b2, "W2 is transposed"),
        (lambda b0, W1, b1, W2, b2: b2 + W2 @ b1, "first bias is missing"),
        (lambda b0, W1, b1, W2, b2: b2 + W2 @ b1 + W1 @ b0, "Half of b0's way"),
        (lambda b0, W1, b1, W2, b2: b2 + W2 @ (W1 @ b0), "middle bias is missing"),
        (lambda b0, W1, b1, W2, b2: b2 + W2 @ W1 @ b1 + W2 @ W1 @ b0, "W1 multiplies b0 alone"),
        (lambda b0, W1, b1, W2, b2: b0 + W1 @ b1 + W2 @ b2, "W1 multiplies b0 alone"),
        (lambda b0, W1, b1, W2, b2: b2 + b1 + W2 @ (W1 @ b0), "bracket"),
        (lambda b0, W1, b1, W2, b2: W2 @ (W1 @ b0), "Only the first"),
        (lambda b0, W1, b1, W2, b2: W2 @ b1 + W2 @ W1 @ b0, "last bias is missing"),
        (lambda b0, W1, b1, W2, b2: b1 + W1 @ b0, "first two layers"),
        (lambda b0, W1, b1, W2, b2: b2.clone(), "Only the last"),
    ],
    "sensitivity": [
        (lambda x, w, b: 1 / torch.cosh(w * x + b) ** 2, "inner derivative"),
        (lambda x, w, b: w / torch.cosh(x) ** 2, "at x"),
        (lambda x, w, b: w - w * torch.tanh(b + x * w), "square is missing"),
        (lambda x, w, b: w * 1 - (w * x + b).tanh().square(), "bracket"),
        (lambda x, w, b: w * (1 - torch.tanh(w * x) ** 2), "bias is missing in z"),
        (lambda x, w, b: x / torch.cosh(w * x + b) ** 2, "with respect to w"),
        (lambda x, w, b: (w * x + b).tanh(), "output itself"),
        (lambda x, w, b: torch.autograd.grad((w * x.requires_grad_() + b).tanh().mean(), x)[0], "the number of rows"),
        (lambda x, w, b: torch.autograd.grad((w * x.requires_grad_() + b).tanh(), x)[0], "from one number"),
        (lambda x, w, b: (w * x.requires_grad_() + b).tanh().sum().backward(), "None came back"),
        (lambda x, w, b: ((w * (x + 1e-3) + b).tanh() - (w * (x - 1e-3) + b).tanh()) / 2e-3, "nudging"),
    ],
    "leaky_relu": [
        (lambda x, slope: torch.minimum(x, slope * x), "wrong side"),
        (lambda x, slope: torch.relu(x) + slope * torch.relu(-x), "come out positive"),
        (lambda x, slope: x * (x > 0), "That is ReLU"),
        (lambda x, slope: x * slope, "straight line"),
        (lambda x, slope: torch.relu(x) - slope * (x <= 0), "a constant has slope 0"),
        (lambda x, slope: torch.relu(x) + slope * (x <= 0), "The slope itself comes out on the left"),
        (lambda x, slope: torch.relu(x) + slope * (x < 0), "For negative inputs the slope itself"),
        (lambda x, slope: torch.min(x, 0) * slope + torch.max(x, 0), "takes 0 for a dimension"),
        (lambda x, slope: torch.where(x > slope, x, slope * x), "border is 0"),
        (lambda x, slope: slope * x if x <= 0 else x, "torch.where"),
        (lambda x, slope: max(x, slope * x), "torch.where"),
        (lambda x, slope: nn.LeakyReLU(slope)(x), "without"),
        (lambda x, slope: F.leaky_relu(x, slope), "without"),
        (lambda x, slope: torch.prelu(x, x.new_tensor([slope])), "without"),
        (lambda x, slope: F.relu(x) - slope * F.relu(-x), "without"),
    ],
    "silu_slope": [
        (lambda x: (s := torch.sigmoid(x)) - s**2, "sigmoid's slope alone"),
        (lambda x: x * (s := 1 / (1 + torch.exp(-x))) * (1 - s), "factor x has the derivative 1"),
        (lambda x: 1 / (1 + torch.exp(-x)), "factor sigmoid(x) has a derivative"),
        (lambda x: (s := torch.sigmoid(x)) * (2 - s), "factor x is missing"),
        (lambda x: 1 + (s := torch.sigmoid(x)) * (1 - s), "added the two derivatives"),
        (lambda x: (s := torch.sigmoid(x)) - x * s * (1 - s), "wrong sign"),
        (lambda x: (s := torch.sigmoid(x)) + x * s * (s - 1), "slope is positive everywhere"),
        (lambda x: (s := torch.sigmoid(x)) + x * (1 - s.square()), "rule of tanh"),
        (lambda x: nn.functional.silu(x), "value"),
        (lambda x: torch.autograd.grad(F.silu(x.requires_grad_()).sum(), x)[0], "Autograd"),
        (lambda x: F.silu(x.requires_grad_()).sum().backward() or x.grad, "Autograd"),
        (lambda x: torch.func.grad(lambda t: F.silu(t).sum())(x), "Autograd"),
        (lambda x: torch.func.jvp(F.silu, (x,), (torch.ones_like(x),))[1], "Autograd"),
        (lambda x: (F.silu(x + 1e-3) - F.silu(x - 1e-3)) / 2e-3, "nudging"),
    ],
    "stable_softplus": [
        (lambda x: (1 + x.exp()).log(), "exp(1000) is inf"),
        (lambda x: x.exp().log1p(), "log1p mends"),
        (lambda x: x.clamp(min=0) + torch.log(1 + torch.exp(-abs(x))), "log1p keeps it"),
        (lambda x: x + torch.log(1 + torch.exp(-x)), "Keep this form for positive x"),
        (lambda x: torch.exp(-abs(x)).log1p(), "max(x, 0)"),
        (lambda x: torch.minimum(x, torch.tensor(20.0)).exp().log1p(), "cut x off"),
        (lambda x: x.clamp(min=0), "rounded corner"),
        (lambda x: x if x.max() > 20 else x.exp().log1p(), "One large entry decides"),
        (lambda x: x if (x > 20).all() else x.exp().log1p(), "not finite"),
        (lambda x: torch.where(x > 50, x, torch.where(x < -50, 0.0, x.exp().log1p())), "by the same amount"),
        (lambda x: x.clamp(min=0) + torch.log(1 + torch.exp(-x)), "grows without end"),
        (lambda x: max(x, 0) + torch.exp(-abs(x)).log1p(), "choose entrywise"),
        (lambda x: torch.max(x, 0) + torch.exp(-abs(x)).log1p(), "add to a tuple"),
        (lambda x: [math.log(1 + math.exp(value)) for value in x], "Python's math"),
        (lambda x: nn.Softplus()(x), "softplus did it"),
        (F.softplus, "softplus did it"),
        (lambda x: torch.where(x <= -40, x.exp(), torch.where(x > 20, x, torch.log(1 + x.exp()))), "find that amount"),
        (lambda x: torch.where(x.abs() > 20, x.clamp(min=0), x.exp().log1p()), "by the same amount"),
    ],
    "dead_units": [
        (lambda x, W, b: (torch.relu(x @ W.T + b) == 0).any(0).sum(), "for some reading"),
        (lambda x, W, b: (torch.relu(x @ W.T + b).sum(1) == 0).sum(), "other dimension"),
        (lambda x, W, b: (torch.relu(x @ W.T + b) == 0).sum().item(), "single zeros"),
        (lambda x, W, b: (torch.relu(x @ W.T + b).sum(0) > 0).sum(), "alive"),
        (lambda x, W, b: (torch.relu(x @ W.T).sum(0) == 0).sum(), "bias is missing"),
        (lambda x, W, b: (torch.relu(x @ W.T + b).amax(0) == 0).double().mean(), "share"),
        (lambda x, W, b: sum(bool((z == 0).all()) for z in (x @ W.T + b).T), "Neither z nor the weights"),
        (lambda x, W, b: ((x @ W.T + b).amax(0) < 0).sum(), "z exactly 0"),
        (lambda x, W, b: 0, "zero all the way down"),
        (lambda x, W, b: [int(bool((z <= 0).all())) for z in (x @ W.T + b).T][-1], "zero all the way down"),
        (lambda x, W, b: (torch.relu(x @ W.T) + b <= 0).all(0).sum(), "zero all the way down"),
        (lambda x, W, b: ((torch.relu(x @ W.T + b) == 0).sum(0) == len(W)).sum(), "all the way down?"),
        (lambda x, W, b: next(int(bool((W @ row + b <= 0).all())) for row in x), "which columns are zero"),
        (lambda x, W, b: ((torch.relu(x @ W.T) + b).abs().amax(0) == 0).sum(), "came after ReLU"),
        (lambda x, W, b: next(int(bool((x @ w + s <= 0).all())) for w, s in zip(W, b, strict=True)), "inside the loop"),
        (lambda x, W, b: ((x @ W.T + b).max(0) == 0).sum(), "max(dim=0)"),
        (lambda x, W, b: (nn.ReLU(x @ W.T + b) == 0).sum(), "is a module"),
        (lambda x, W, b: (torch.relu(x @ W + b) == 0).all(0).sum(), "don't fit as they are"),
    ],
    "hump": [
        (lambda x, left, right, k: torch.tanh(k * (x - left)) - torch.tanh(k * (x - right)), "Its height is 2"),
        (lambda x, left, right, k: (torch.tanh(k * (x - right)) - torch.tanh(k * (x - left))) / 2, "It is a hole"),
        (lambda x, left, right, k: (torch.tanh(k * (x - left)) + torch.tanh(k * (x - right))) / 2, "both steps rise"),
        (lambda x, left, right, k: 0.5 * torch.tanh(k * (x + left)) - 0.5 * torch.tanh(k * (x + right)), "mirrored"),
        (lambda x, left, right, k: (torch.tanh(k * x - left) + torch.tanh(right - k * x)) / 2, "not multiplied"),
        (lambda x, left, right, k: torch.tanh(k * (x - left)) + torch.tanh(k * (right - x)) - 1, "needs no shift"),
        (lambda x, left, right, k: (torch.tanh(k * x - k * left) + torch.tanh(-k * x - k * right)) / 2, "wrong place"),
        (lambda x, left, right, k: (torch.tanh(x - left) + torch.tanh(right - x)) / 2, "not used"),
        (lambda x, left, right, k: (torch.tanh((x - left) / k) + torch.tanh((right - x) / k)) / 2, "You divided"),
        (lambda x, left, right, k: (torch.tanh(k * x + left) + torch.tanh(-k * x + right)) / 2, "what is b"),
    ],
    "breaks_convexity": [
        (lambda loss, a, b: loss((a + b) / 2) < (loss(a) + loss(b)) / 2, "turned around"),
        (lambda loss, a, b: loss((a + b) / 2) <= (loss(a) + loss(b)) / 2, "turned around"),
        (lambda loss, a, b: loss((a + b) / 2) <= (loss(a) + loss(b)) / 2 + 1e-12, "lies above the mean"),
        (lambda loss, a, b: loss((a + b) / 2) > loss(a) and loss((a + b) / 2) > loss(b), "higher end"),
        (lambda loss, a, b: loss((a + b) / 2) > loss(a) or loss((a + b) / 2) > loss(b), "lower end"),
        (lambda loss, a, b: loss(0.5 * a + 0.5 * b) > loss(a) + loss(b), "sum of the two"),
        (lambda loss, a, b: loss((a + b) / 2) > loss(a) + loss(b) / 2 + 1e-12, "without brackets"),
        (lambda loss, a, b: 2 * loss((a + b) / 2) >= loss(a) + loss(b), "straight line is convex"),
        (lambda loss, a, b: True if 2 * loss((a + b) / 2) > loss(a) + loss(b) + 1e-9 else None, "return False there"),
        (lambda loss, a, b: loss((a + b) / 2) > (loss(a) + loss(b)) / 2, "Rounding"),
        (lambda loss, a, b: loss((a + b) / 2) - (loss(a) + loss(b)) / 2 > 0.01, "too much"),
    ],
    "flip_unit": [
        (lambda w, b, v, k: (flip(w, k), b, flip(v, k)), "bias kept its sign"),
        (lambda w, b, v, k: (flip(w, k), flip(b, k), v), "output weight kept"),
        (lambda w, b, v, k: (flip(w, k), b, v), "Only the weight"),
        (lambda w, b, v, k: torch.stack([-w, -b, -v]), "every unit"),
        (lambda *task: [vector[task[3]].neg_() for vector in task[:3]] and task[:3], "handed in"),
        (lambda *task: [vector.copy() for vector in task[:3]], "take clone()"),
        (lambda *task: [flip(vector, task[3]) for vector in task[:3]] and task[:3], "have to be returned"),
    ],
    "stack_loss": [
        (lambda predictions, targets: torch.mean((predictions - targets) ** 2), "averaged over the networks"),
        (lambda predictions, targets: torch.sum((predictions - targets) ** 2), "summed over the readings"),
        (lambda predictions, targets: ((predictions - targets) ** 2).squeeze(2).mean(dim=1), "one number per network;"),
        (lambda predictions, targets: ((predictions.mean(0) - targets) ** 2).mean(), "averaged the predictions"),
        (lambda predictions, targets: ((predictions - targets) ** 2).squeeze(2).mean(1).sum().item(), "lost its graph"),
        (lambda predictions, targets: ((predictions.detach() - targets) ** 2).mean((1, 2)).sum(), "lost its graph"),
        (lambda predictions, targets: sum(mse(p.data, targets) for p in predictions), "lost its graph"),
        (lambda predictions, targets: mse(predictions, targets), "one shape"),
        (lambda p, t: torch.tensor(((p - t) ** 2).mean((1, 2)).sum().item(), requires_grad=True), "torch.tensor"),
        (lambda predictions, targets: torch.square(predictions - targets).mean(1), "in a column"),
        (lambda predictions, targets: sum(mse(p, t) for p, t in zip(predictions, targets, strict=False)), "any index"),
        (lambda predictions, targets: next(mse(prediction, targets) for prediction in predictions), "inside the loop"),
        (lambda p, t: (total := sum(mse(one, t) for one in p)).backward() or total, "used up"),
        (lambda predictions, targets: mse(predictions, targets.expand_as(predictions)), "averaged over the networks"),
    ],
    "chain": [
        (Chain, "nn.ModuleList(parts)", "parts", "plain list"),
        (Chain, "nn.ModuleList(parts)", "dict(enumerate(parts))", "self.parts:", "self.parts.values():", "plain list"),
        (Chain, "part(x)", "part.forward(x)", "part.forward(x)"),
        (Chain, "nn.ModuleList(parts)", "parts", "part(x)", "part.forward(x)", "Two things are not"),
        (lambda parts: Chain(deepcopy(parts)), "not of copies"),
        (lambda parts: Chain(parts[::-1]), "in reverse"),
        (Chain, "x = part(x)", "y = part(x)", "return x", "return y", "output of the one before"),
        (Chain, "for part in self.parts:", "if 1:", "part(x)", "sum(part(x) for part in self.parts)", "like Total"),
        (Chain, "super().__init__()", "pass", "super().__init__()"),
        (Chain, "super().__init__()", "pass", "nn.ModuleList(parts)", "parts", "Two things are missing"),
        (Chain, "x = part(x)", "pass", "return x", "return self.parts(x)", "only keeps its parts"),
        (Chain, "nn.ModuleList(parts)", "parts", "return x", "return self.parts(x)", "A list can't be called"),
        (Chain, "(nn.Module)", "", "no module"),
        (Chain, "ModuleList(", "Sequential(*", "for part in self.parts", "for _, part in [(0, self.parts)]", "did it"),
        (lambda parts: nn.Sequential(*parts), "nn.Sequential did it"),
        (Chain, "        return x", "            return x", "inside the loop"),
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
        (lambda model, u, c: nn.MSELoss(model(u[:, None]), c[:, None]), "make the loss first"),
        (lambda model, u, c: (value := F.mse_loss(model(u[:, None])[:, 0], c)).backward() or value, "used up"),
        (
            lambda model, u, c: torch.tensor(mse(model(u[:, None]), c[:, None]).item(), requires_grad=True),
            "lost its graph",
        ),
    ],
    "parameter_count": [
        (lambda n_in, n_out: nn.Linear(n_in, n_out).weight.numel(), "biases are trained"),
        (lambda n_in, n_out: n_out * n_in + 1, "One bias is too few"),
        (lambda n_in, n_out: n_in * (n_out + 1), "belong to the outputs"),
        (lambda n_in, n_out: n_in + n_out, "multiply"),
        (lambda n_in, n_out: len(list(nn.Linear(n_in, n_out).parameters())), "two tensors"),
        (lambda n_in, n_out: sum(p.numel() for p in nn.Linear(n_in, n_out).parameters()), "built and counted"),
    ],
    "channels_first": [
        (lambda images: images.view(len(images), 3, *images.shape[1:3]), "scrambled"),
        (lambda images: images.permute(0, 3, 2, 1), "on their side"),
        (lambda images: torch.movedim(images, 3, 0), "before the batch"),
        (lambda images: images.clone(), "still last"),
        (lambda images: images.permute(2, 0, 1), "a batch has four"),
        (lambda images: torch.stack([image.permute(1, 2, 0) for image in images]), "the way back"),
        (lambda images: images.transpose(0, 3, 1, 2), "take permute"),
    ],
}

# Right answers in another style than the check's.
RIGHT = {
    "hold_out_error": [held_back],
    "epoch_with_validation": [
        epoch,
        (epoch, "loss.item(), kept.item(), w.item(), b.item()", "torch.stack([loss, kept, w, b])"),
    ],
    "leave_one_out_of_the_mean": [lambda c: np.mean([(np.delete(c, i).mean() - c[i]) ** 2 for i in range(len(c))])],
    "standardise_validation": [lambda training, validation: [standardise(v, training) for v in validation]],
    "one_neuron": [lambda x, w, b: [math.tanh(sum(p * q for p, q in zip(row, w, strict=True)) + b) for row in x]],
    "hidden_layer_network": [lambda x, W0, b0, W1, b1: F.linear(F.linear(x, W0, b0).tanh(), W1, b1)],
    "sensitivity": [
        lambda x, w, b: w * (1 - torch.tanh(w * x.float() + b) ** 2),
        lambda x, w, b: [w / math.cosh(w * float(v) + b) ** 2 for v in x],
        lambda x, w, b: torch.autograd.grad(torch.tanh(w * x.requires_grad_() + b).sum(), x)[0],
    ],
    "leaky_relu": [
        lambda x, slope: torch.maximum(x, slope * x),
        lambda x, slope: torch.relu(x) - slope * torch.relu(-x),
        lambda x, slope: np.where(x > 0, x, slope * x),
        lambda x, slope: [v if v > 0 else slope * v for v in x.tolist()],
    ],
    "silu_slope": [
        lambda x: (s := torch.sigmoid(x)) * (1 + x * (1 - s)),
        lambda x: [(1 + math.exp(-v) + v * math.exp(-v)) / (1 + math.exp(-v)) ** 2 for v in x.tolist()],
        lambda x: (e := torch.exp(x)) / (1 + e) + x * e / (1 + e) ** 2,
    ],
    "stable_softplus": [
        lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        lambda x: [max(v, 0) + math.log1p(math.exp(-abs(v))) for v in x.tolist()],
        lambda x: np.logaddexp(x, 0),
    ],
    "dead_units": [
        lambda x, W, b: np.int64(((x @ W.T + b).amax(0) <= 0).sum()),
        lambda x, W, b: sum(all(w @ row + shift <= 0 for row in x) for w, shift in zip(W, b, strict=True)),
        lambda x, W, b: (torch.relu(x @ W.T + b) == 0).all(0).sum(),
    ],
    "breaks_convexity": [
        lambda loss, a, b: np.bool_(loss((a + b) / 2) > (loss(a) + loss(b)) / 2 + 1e-12),
        lambda loss, a, b: torch.tensor(loss((a + b) / 2) - (loss(a) + loss(b)) / 2 > 1e-12),
        lambda loss, a, b: np.array(loss(np.mean([a, b])) > np.mean([loss(a), loss(b)]) + 1e-10),
        lambda loss, a, b: np.greater(2 * loss((a + b) / 2), loss(a) + loss(b) + 1e-9),
        lambda loss, a, b: torch.gt(torch.tensor(loss((a + b) / 2)), (loss(a) + loss(b)) / 2 + 1e-6),
    ],
    "flip_unit": [lambda *task: np.stack([flip(vector, task[-1]) for vector in task[:3]])],
    "stack_loss": [
        lambda predictions, targets: sum(mse(prediction, targets) for prediction in predictions),
        lambda predictions, targets: len(predictions) * (predictions - targets).square().mean(),
    ],
    "chain": [Chain],
    "module_loss": [
        lambda model, u, c: nn.MSELoss()(model(u[:, None]), c[:, None]),
        lambda model, u, c: F.mse_loss(model(u[:, None])[:, 0], c),
    ],
    "parameter_count": [
        lambda n_in, n_out: np.int64(n_in + 1) * n_out,
        lambda n_in, n_out: torch.ones(n_in + 1, n_out).sum(),
    ],
    "channels_first": [
        lambda images: np.moveaxis(images.numpy(), -1, 1),
        lambda images: torch.einsum("bhwc->bchw", images),
    ],
}
