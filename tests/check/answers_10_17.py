"""Answers to the exercises of chapters 10 to 17, written as a learner would write them."""

import copy
import math
from fractions import Fraction

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

from helpers import check
from helpers.loss import mse
from helpers.training import evaluate


class Deep(nn.Module):
    """Two hidden layers, registered in the opposite order of their use."""

    def __init__(self, width):
        super().__init__()
        self.output, self.second, self.first = nn.Linear(width, 1), nn.Linear(width, width), nn.Linear(1, width)

    def forward(self, x):
        x = torch.tanh(self.first(x))
        h = torch.tanh(self.second(x))
        return self.output(h)


def sgd_step(w, gradient, rate, decay):
    parameter = nn.Parameter(w.clone())
    parameter.grad = gradient.clone()
    torch.optim.SGD([parameter], lr=rate, weight_decay=decay).step()
    return parameter.detach()


def kept_epoch(losses, patience):
    best, waited = -1, patience
    for epoch, loss in enumerate(losses):
        waited -= 1
        if best < 0 or loss < losses[best]:
            best, waited = epoch, patience
        if waited == 0:
            break
    return best


class Network(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.hidden_linear = nn.Linear(1, hidden)
        self.output_linear = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.output_linear(torch.tanh(self.hidden_linear(x)))


class Dropping(nn.Module):
    def __init__(self, hidden, p):
        super().__init__()
        self.p = p
        self.hidden_linear = nn.Linear(1, hidden)
        self.output_linear = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.output_linear(self.drop(torch.tanh(self.hidden_linear(x))))

    def drop(self, values):
        return F.dropout(values, self.p, self.training)


class WithModules(Network):
    """The activation and the dropout are modules, too."""

    def __init__(self, hidden, p=0.0):
        super().__init__(hidden)
        self.between = nn.Sequential(nn.Tanh(), nn.Dropout(p))

    def forward(self, x):
        return self.output_linear(self.between(self.hidden_linear(x)))


def load(model, state, names):
    new = {}
    for name in state:
        part, dot, kind = name.partition(".")
        new[names[part] + dot + kind] = state[name]
    model.load_state_dict(new)
    return model


REPLACED = "part.replace('0', names['0']).replace('1', names['1'])"


class Back(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = nn.Buffer(mean), nn.Buffer(std)

    def forward(self, z):
        return z * self.std + self.mean


def spread(values):
    """The standard deviation that divides by n, written out."""
    return ((values - values.sum() / len(values)) ** 2).mean() ** 0.5


def in_units(w, b, x, y):
    slope = w * spread(y) / spread(x)
    return slope, y.mean() + b * spread(y) - slope * x.mean()


def by_fold(x, y, folds):
    errors = torch.zeros_like(y)
    for fold in folds:
        rows = sorted({*range(len(x))} - {*fold.tolist()})
        slope, shift = np.polyfit(x[rows], y[rows], 1)
        errors[fold] = slope * x[fold] + shift - y[fold]
    return errors


def apart(gain, correction=1):
    return gain.mean() / (gain.std(correction=correction) / len(gain) ** 0.5)


def welch(first, second):
    return (first.mean() - second.mean()) / ((first.var() + second.var()) / len(first)).sqrt()


@torch.no_grad()
def look(model, x, y):
    mode = model.training
    try:
        return mse(model.eval()(x), y)
    finally:
        model.train(mode)


def move(batch, device):
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {name: move(part, device) for name, part in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)([move(part, device) for part in batch])
    return batch


def clip(gradients, limit):
    length = math.sqrt(sum((g**2).sum() for g in gradients))
    return [g * min(1.0, limit / length) for g in gradients]


def clip_in_place(gradients, max_norm):
    parameters = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for parameter, g in zip(parameters, gradients, strict=True):
        parameter.grad = g.clone()
    nn.utils.clip_grad_norm_(parameters, max_norm)
    return [parameter.grad for parameter in parameters]


def newton(X, y, beta):
    p = torch.sigmoid(X @ beta)
    hessian = sum(weight * torch.outer(row, row) for row, weight in zip(X, p * (1 - p), strict=True))
    return beta - torch.linalg.inv(hessian) @ (X.T @ (p - y))


def reweighted_least_squares(X, y, beta):
    """The same step as statisticians write it."""
    p = torch.sigmoid(X @ beta)
    root = (p * (1 - p)).sqrt()[:, None]
    goal = (X @ beta + (y - p) / (p * (1 - p)))[:, None]
    return torch.linalg.lstsq(root * X, root * goal).solution[:, 0]


def newton_by_autograd(X, y, beta):
    def loss(at):
        return F.binary_cross_entropy_with_logits(X @ at, y)

    return beta - torch.linalg.solve(torch.func.hessian(loss)(beta), torch.func.grad(loss)(beta))


def agree(answers, truth):
    return (answers == (truth == 1)).double().mean()


def on_standardised(model, x, y, rows, kept):
    """As fit_network of the chapter does, whose model was trained on standardised rows."""
    std, mean = torch.std_mean(x[rows], dim=0)
    return agree(model((x[kept] - mean) / std)[:, 0] > 0, y[kept])


def digits_lost(X):
    return torch.linalg.cond(X / X.norm(dim=0)).log10()


def residuals(x, y, w, b):
    w, b = Fraction(w), Fraction(b)
    return [Fraction(q) - (w * Fraction(p) + b) for p, q in zip(x, y, strict=True)]


def merge(R1, q1, R2, q2):
    R, q = torch.cat([R1, R2]), torch.cat([q1, q2])
    return torch.linalg.pinv(R) @ q


def whole(gradients, rows):
    counts = torch.tensor(rows).double()
    return counts @ gradients / sum(rows)


def resume(state, model, optimizer, epochs):
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return range(state["epoch"] + 1, epochs + 1)


# Wrong answers: (answer, edits of its text in pairs, words that its hint must contain).
WRONG = {
    "network_size": [
        (lambda sizes: sum(a * b for a, b in zip(sizes, sizes[1:], strict=False)), "biases are missing"),
        (lambda sizes: sum(a * b for a, b in zip(sizes, sizes[1:], strict=False)) + len(sizes) - 1, "not one"),
        (lambda sizes: sizes[0] + check.network_size.solution(sizes), "inputs have no bias"),
        (lambda sizes: sum(list(sizes)), "counted the units"),
        (lambda sizes: (sizes[0] + 1) * sum(sizes[1:]), "outputs of the layer before"),
        (lambda sizes: torch.tensor(sizes).prod(), "add the layers up"),
        (lambda sizes: (sizes[0] + 1) * sizes[1], "inside it"),
        (lambda sizes: sum((sizes[i] + 1) * sizes[i + 1] for i, _ in enumerate(sizes)), "beyond the list"),
        (lambda sizes: (sizes[0] + 1) * sizes[1] + (sizes[1] + 1) * sizes[2], "counts on three sizes"),
    ],
    "deeper_network": [
        (Deep, "torch.tanh(self.second(x))", "self.second(x)", "one affine map"),
        (Deep, "torch.tanh(self.first(x))", "self.first(x)", "collapse into one"),
        (Deep, "torch.tanh", "", "straight line"),
        (Deep, "self.output(h)", "torch.tanh(self.output(h))", "between -1 and 1"),
        (lambda width: nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, 1)), "one hidden layer"),
        (Deep, "torch.tanh", "torch.relu", "asks for tanh"),
        (Deep, "torch.tanh", "torch.sigmoid", "sigmoid units"),
        (lambda width: nn.Sequential(nn.Linear(1, width), nn.Tanh, nn.Linear(width, 1)), "is the class"),
        (lambda width: nn.Sequential(nn.Linear(1, width), torch.tanh, nn.Linear(width, 1)), "is a function"),
        (Deep, "(width, width)", "(1, width)", "width inputs"),
        (Deep, "torch.tanh", "F.elu", "no other bend"),
        (Deep, "self.output(h)", "self.output(F.dropout(h))", "no dropout"),
        (lambda width: Deep(2 * width), "wrong, extra"),
        (lambda width: Deep(13), "one size"),
        (Deep, "nn.Linear(1, width)", "[nn.Linear(1, width)]", "self.first(x)", "self.first[0](x)", "in a list"),
    ],
    "error_on_new_rows": [
        (lambda model, u, c, rows, kept: ((model(u[rows, None])[:, 0] - c[rows]) ** 2).mean(), "trained on"),
        (lambda model, u, c, rows, kept: nn.MSELoss()(model(u[:, None]), c[:, None]), "flatter"),
        (lambda model, u, c, rows, kept: ((model(u[kept, None]) - c[kept]) ** 2).mean(), "every target"),
        (lambda model, u, c, rows, kept: ((model(u[kept]) - c[kept]) ** 2).mean(), "one row per reading"),
        (lambda model, u, c, rows, kept: mse(model(u[kept, None]), c[kept]), "refuses to pair"),
        (lambda model, u, c, rows, kept: (model(u[kept, None])[:, 0] - c[kept]).square().mean() ** 0.5, "root"),
        (lambda model, u, c, rows, kept: nn.MSELoss(model(u[kept, None]), c[kept, None]), "make the loss first"),
        (lambda model, u, c, rows, kept: mse(model(0.1 * u[kept, None]), c[kept, None]), "scale already"),
    ],
    "judged_error": [
        (lambda chooser, judge: min(chooser), "because it was chosen"),
        (lambda chooser, judge: judge.sort().values[0], "chosen the epoch for itself"),
        (lambda chooser, judge: judge.flip(0)[0], "nothing was stopped"),
        (lambda chooser, judge: chooser[judge == judge.min()].squeeze(), "swapped"),
        (lambda chooser, judge: torch.stack([chooser, judge]).mean(dim=0).min(), "nobody is left"),
        (lambda chooser, judge: judge[torch.argmin(judge + chooser)], "together"),
        (lambda chooser, judge: chooser.tolist().index(min(chooser)), "That is the epoch"),
        (lambda chooser, judge: judge[chooser.min()], "argmin()"),
        (lambda chooser, judge: next(judge[i] for i in range(9) if chooser[i + 1] > chooser[i]), "may fall lower"),
        (lambda chooser, judge: judge[chooser[:-1].argmin()], "over which epochs"),
        (lambda chooser, judge: judge[1 + chooser[1:].argmin()], "over which epochs"),
    ],
    "decayed_step": [
        (lambda w, g, rate, decay: w.sub(g, alpha=rate), "without decay"),
        (lambda w, g, rate, decay: (1 - decay) * w - rate * g, "rate multiplies it"),
        (lambda w, g, rate, decay: (1 + decay) * w - rate * g, "into brackets"),
        (lambda w, g, rate, decay: (1 + rate * decay) * w - rate * g, "turned"),
        (lambda w, g, rate, decay: (1 + rate * decay) * w + rate * g, "against the gradient"),
        (lambda w, g, rate, decay: (1 - 2 * rate * decay) * w - rate * g, "one half"),
        (lambda w, g, rate, decay: (1 - rate * decay / 2) * w - rate * g, "as strong as it should be"),
        (lambda w, g, rate, decay: (stepped := w - rate * g) - rate * decay * stepped, "old ones"),
        (lambda w, g, rate, decay: w - rate * g - rate * decay / 2 * w.norm() ** 2, "penalty itself"),
        (lambda w, g, rate, decay: w - rate * g - rate * decay * w.square() / 2, "needs its derivative"),
        (lambda w, g, rate, decay: w - rate * g - rate * decay, "in proportion"),
        (lambda w, g, rate, decay: w - rate * (g + decay * torch.sign(w)), "equally hard"),
        (lambda w, g, rate, decay: rate * g + rate * decay * w, "step alone"),
    ],
    "kept_epoch": [
        (lambda losses, patience: losses.index(min(losses)), "after the halt"),
        (kept_epoch, "return best", "return epoch", "That is the epoch"),
        (kept_epoch, "break", "return epoch", "Where it halts"),
        (kept_epoch, "return best", "return best + 1", "from 0"),
        (kept_epoch, "patience\n", "1\n", "isn't used"),
        (kept_epoch, "patience\n", "2\n", "how many passed since"),
        (kept_epoch, "patience\n", "patience + 1\n", "too many"),
        (kept_epoch, "best, waited = -1", "best, waited = 0", "best < 0 or ", "", "Epoch 0 is counted"),
        (kept_epoch, "patience\n", "patience - 1\n", "too early"),
        (kept_epoch, "\n    return best", "", "break", "return best", "nothing comes back"),
        (kept_epoch, "epoch, patience", "epoch, waited + 1", "in a row"),
        (kept_epoch, "losses[best]", "losses[epoch - 1]", "the one before"),
        (kept_epoch, "loss <", "loss <=", "equal loss"),
        (kept_epoch, "return best", "return losses[best]", "That is the loss"),
        (lambda losses, patience: min(losses), "smallest loss of all"),
    ],
    "one_hidden": [
        (Network, "= nn", "= lambda x: nn", "hidden)\n", "hidden)(x)\n", ", 1)", ", 1)(x)", "made in forward"),
        (Network, "super().__init__()", "pass", "before the layers"),
        (Network, "return ", "", "needs a return"),
        (Network, "nn.Linear", "torch.randn", "n)\n", "n).__rmatmul__\n", ", 1)", ", 1).__rmatmul__", "plain tensor"),
        (Network, "hidden_linear", "first", "output_linear", "second", "other names"),
        (Network, "torch.tanh", "nn.Tanh", "nn.Tanh is a class"),
        (Network, "torch.tanh(self.hidden_linear(x))", "torch.tanh(x)", "wrong width"),
        (Network, "torch.tanh", "", "one straight line"),
        (Network, "(x)))", "(x))).tanh()", "was bent, too"),
        (lambda hidden: object(), "no module"),
        (Network, "()\n", "(); self.scale = nn.Buffer(torch.ones(1))\n", "more than their four"),
        (Network, "torch.tanh", "torch.sigmoid", "another bend"),
        (lambda hidden: Network(13), "one size"),
        (lambda hidden: Network(4), "one size"),
    ],
    "with_dropout": [
        (Dropping, ", self.training", "", "training=self.training"),
        (Dropping, "F.dropout(values, self.p, self.training)", "nn.Dropout(self.p)(values)", "made in forward"),
        (Dropping, "self.training", "False", "not even in training"),
        (Dropping, "self.drop(", "(", "not even in training"),
        (Dropping, "self.training", "not self.training", "turned around"),
        (Dropping, "self.p, ", "training=", "p=self.p"),
        (Dropping, ", self.p, self.training", "", "goes on after eval()"),
        (Dropping, "F.dropout(values, self.p, self.training)", "nn.Dropout()(values)", "give nn.Dropout p, in"),
        (Dropping, "self.p, self.training", "p=0.2, training=self.training", "one fifth"),
        (Dropping, "self.training", "self.eval", "turn the switch"),
        (Dropping, "F.dropout(values, self.p, self.training)", "nn.Dropout(values, p=self.p)", "made with p"),
        (Dropping, "self.p, ", "1 - self.p, ", "not to be kept"),
        (Dropping, "self.drop(", "(", "(x))))", "(self.drop(x)))))", "not the hidden units"),
        (
            Dropping,
            "self.drop(",
            "(",
            "return self.o",
            "return self.drop(self.o",
            "(x))))",
            "(x)))))",
            "not the hidden",
        ),
        (Dropping, "return self.o", "return self.drop(self.o", "(x))))", "(x)))))", "drop twice"),
        (Dropping, "F.dropout(values", "values * F.dropout(torch.ones(len(values), 1)", "dropped together"),
        (Dropping, "F.dropout(values", "values * F.dropout(torch.ones(values.shape[1])", "all readings"),
        (Dropping, "self.drop(torch.tanh(", "torch.tanh(self.drop(", "drop behind it"),
        (Dropping, "F.dropout(v", "(lambda v, p, on: v * (torch.rand(v.shape) > p * on))(v", "divided by 1 - p"),
        (lambda hidden, p: Dropping(13, p), "as the stub makes them"),
        (Dropping, "hidden_linear", "first", "as the stub makes them"),
    ],
    "load_renamed": [
        (load, "(new)", "(state)", "exactly the model's"),
        (load, "    for", "    for", "        new[", "        new = {}\n        new[", "all of them"),
        (load, "(new)", "(state, strict=False)", "Nothing was loaded"),
        (load, "names[part]", REPLACED, "exactly the model's"),
        (load, "names[part]", REPLACED, "(new)", "(new, strict=False)", "not replaced as a whole"),
        (load, "new[", "new[list(model.state_dict())[len(new)]] = state[name]  #", "by position"),
        (load, "model.load_state_dict(new)\n    return model", "return model.load_state_dict(new)", "return the model"),
    ],
    "back_to_degrees": [
        (Back, "nn.Buffer", "", "plain attribute"),
        (Back, "nn.Buffer", "nn.Parameter", "they are trained"),
        (Back, "nn.Buffer", "(lambda value: nn.Parameter(value, requires_grad=False))", "a constant is a buffer"),
        (Back, "nn.Buffer", "(lambda value: nn.Buffer(value, persistent=False))", "leave it out"),
        (Back, "self.mean", "self.m", "self.std", "self.s", "other names"),
        (
            Back,
            "()\n",
            "(); self.m, self.s = mean, std\n",
            "self.std +",
            "self.s +",
            "+ self.mean",
            "+ self.m",
            "behind",
        ),
        (Back, "(mean)", "(mean[None])", "(std)", "(std[None])", "with shape ()"),
        (Back, "return z * self.std + self.mean", "return z.mul_(self.std).add_(self.mean)", "z was changed"),
        (Back, "z * self.std + self.mean", "(z - self.mean) / self.std", "once more"),
        (Back, "z * self.std + self.mean", "(z + self.mean) * self.std", "multiplied, too"),
    ],
    "line_in_units": [
        (in_units, "spread(y) / spread(x)", "spread(x) / spread(y)", "upside down"),
        (in_units, " * spread(y)", "", "spread of y is missing"),
        (in_units, "b * spread(y)", "b", "adds b to minutes"),
        (in_units, " - slope * x.mean()", "", "0 at the mean of x"),
        (in_units, "y.mean() + b * spread(y)", "b * spread(y)", "mean of y was"),
        (in_units, "spread", "torch.std", "divides by n - 1"),
        (lambda *task: in_units(*task)[::-1], "swapped"),
    ],
    "line_errors": [
        (by_fold, " - {*fold.tolist()}", "", "part of its own fit"),
        (by_fold, "{*range(len(x))} - ", "", "folds themselves"),
        (lambda x, y, folds: by_fold(x, y, torch.arange(len(x)).split(1)), "one row at a time"),
        (lambda x, y, folds: by_fold(x, y, folds)[torch.cat(tuple(folds))], "order of the folds"),
        (lambda x, y, folds: by_fold(x, y, folds).neg(), "sign is turned"),
        (lambda x, y, folds: by_fold(x, y, folds).square(), "errors themselves"),
        (lambda x, y, folds: by_fold(x, y, folds).square().mean().item(), "one error for each row"),
        (lambda x, y, folds: [by_fold(x, y, folds)[fold] for fold in folds], "parts differ in shape"),
        (by_fold, "    return", "        return", "inside the loop"),
        (by_fold, "torch.zeros_like(y)", "torch.zeros(len(y))", "is float32"),
    ],
    "standard_errors_apart": [
        (lambda line, network: apart(network**2 - line**2), "sign is turned"),
        (lambda line, network: welch(line.square(), network.square()), "subtract row by row"),
        (lambda line, network: apart(line**2 - network**2) / len(line) ** 0.5, "divided by the standard deviation"),
        (lambda line, network: apart(line**2 - network**2) / len(line) ** 0.5 * 11**0.5, "needn't be eleven"),
        (lambda line, network: (line**2).mean() - (network**2).mean(), "mean difference itself"),
        (lambda line, network: apart(line.abs() - network.abs()), "absolute errors"),
        (lambda line, network: apart(line**2 - network**2, correction=0), "n - 1"),
        (lambda line, network: line**2 - network**2, "row by row: return"),
        (lambda line, network: apart(line**2 - network**2) / len(line), "needs brackets"),
        (lambda line, network: apart((line**2).mean() - (network**2).mean()), "has no spread"),
        (lambda line, network: apart(line**2 - network**2).abs(), "its mean divided by"),
    ],
    "mean_over_rows": [
        (lambda losses, sizes: np.mean(losses), "counts alike"),
        (lambda losses, sizes: sum(losses) / sum(sizes), "added means"),
        (lambda losses, sizes: np.dot(losses, sizes), "sum over all rows"),
        (lambda losses, sizes: sum(losses * sizes) / sum(sizes), "vectors in R"),
        (lambda losses, sizes: np.dot(losses, sizes) / len(sizes), "number of batches"),
        (lambda losses, sizes: np.average(losses[:-1], weights=sizes[:-1]), "last batch is missing"),
        (lambda losses, sizes: losses[0] * sizes[0] / sum(sizes), "inside the loop"),
        (lambda losses, sizes: losses[0] * sizes[0] / sizes[0], "mean of the first batch"),
    ],
    "measured_in_passing": [
        (look, ".eval()", "", "call eval() first"),
        (look, "model.train(mode)", "pass", "left in evaluation mode"),
        (look, "train(mode)", "train()", "goes away in training mode"),
        (look, "train(mode)", "train(not mode)", "turned around"),
        (look, "@torch.no_grad()\n", "", "has a graph"),
        (look, "model.train(mode)", "model.training = mode", "one alone"),
        (look, "eval()", "train()", "measured in training mode"),
        (look, "@torch.no_grad()\n", "", "eval()(x)", "eval().requires_grad_(False)(x)", "under no_grad"),
        (look, ", y)\n    f", ", y) ** 0.5\n    f", "That is the root"),
    ],
    "moved": [
        (lambda batch, device: batch, "Nothing has moved"),
        (move, "type(batch)([move(part, device) for part in batch])", "(move(p, device) for p in batch)", "generator"),
        (move, "batch, dict", "batch, set", "its moved value"),
        (move, "(list, tuple)", "list", "a batch is often a pair"),
        (move, "(list, tuple)", "tuple", "Tensors in lists"),
        (move, "move(part, device)", "part.to(device)", "a list has none"),
        (lambda batch, device: batch.to(device) if isinstance(batch, torch.Tensor) else batch, "built anew"),
        (move, "move(part, device)", "part.to(device) if isinstance(part, torch.Tensor) else part", "itself"),
        (move, "type(batch)(", "list(", "leave a list a list"),
        (move, "type(batch)(", "tuple(", "a list from a list"),
        (lambda batch, to: [t.to(to) for t in torch.utils._pytree.tree_leaves(batch) if hasattr(t, "to")], "flat list"),
        (move, "    return batch\n", "    if isinstance(batch, str): return batch\n", "the rest stays"),
    ],
    "clipped": [
        (clip, "/ length", "/ g.norm().item()", "turns the direction: take"),
        (lambda gradients, limit: [g.clip(min=-limit, max=limit) for g in gradients], "cuts single numbers"),
        (clip, "min(1.0, limit / length)", "limit / length", "made longer"),
        (clip, "math.sqrt(sum((g**2).sum()", "(sum(g.norm()", "Lengths don't add up"),
        (clip, "math.sqrt", "", "its root is the length"),
        (clip, "(g**2).sum()", "torch.linalg.norm(g, 2) ** 2", "root of the sum of all squares"),
        (clip, "math.sqrt(sum((g**2).sum()", "(max(g.abs().max()", "largest single number"),
        (lambda gradients, limit: [g.clone() for g in gradients], "Nothing was shortened"),
        (lambda gradients, limit: torch.cat([g.flatten() for g in clip(gradients, limit)]), "One tensor came"),
        (lambda gradients, limit: clip(gradients, limit)[0], "One tensor came"),
        (lambda gradients, limit: clip(gradients, limit)[:1], "inside the loop"),
        (clip, "math.sqrt(sum((g**2).sum() for g in gradients))", "torch.cat(gradients).norm()", "flatten each"),
        (clip, "return [", "if length > limit: return [", "nothing comes back"),
        (clip, "in gradients]", "in gradients if length > limit]", "an empty list"),
        (clip_in_place, "rules clip_grad_norm_ out"),
    ],
    "stable_log_loss": [
        (lambda z, y: -(y * z.sigmoid().log() + (1 - y) * (1 - z.sigmoid()).log()).mean(), "isn't finite"),
        (lambda z, y: (torch.log(1 + torch.exp(z)) - y * z).mean(), "isn't finite"),
        (lambda z, y: -torch.where(y == 1, z.sigmoid().log(), (1 - z.sigmoid()).log()).mean(), "isn't finite"),
        (lambda z, y: nn.BCELoss()(1 / (1 + torch.exp(-z)), y), "cuts the loss off"),
        (lambda z, y: nn.BCEWithLogitsLoss()(z.sigmoid(), y), "twice"),
        (lambda z, y: F.softplus(torch.where(y == 1, z, -z)).mean(), "swapped"),
        (lambda z, y: nn.BCEWithLogitsLoss(reduction="sum")(z, y), "That is the sum"),
        (lambda z, y: 2 * sum(F.softplus(z) - y * z), "deviance"),
        (lambda z, y: (y * z - F.softplus(z)).mean(), "sign is turned"),
        (lambda z, y: (F.softplus(z) - y * z).mean() / math.log(2), "base 2"),
        (lambda z, y: -F.logsigmoid(z).mean(), "rows with y = 1"),
        (lambda z, y: torch.logaddexp(z, torch.zeros_like(z)).mean(), "rows with y = 0"),
    ],
    "newton_step": [
        (newton, "p * (1 - p)", "p**0", "one of least squares"),
        (newton, "p * (1 - p)", "p", "not p"),
        (newton, "p * (1 - p)", "(p - p**2).sqrt()", "roots belong"),
        (newton, "p * (1 - p)", "(p - p**2) ** 2", "both factors"),
        (newton, "beta - ", "beta + ", "sign is turned"),
        (newton, "return beta - ", "return -", "add it to beta"),
        (newton, "return beta - ", "return ", "subtract it from beta"),
        (newton, "X @ beta", "torch.sigmoid(X @ beta)", "sigmoid twice"),
        (newton, "torch.sigmoid", "", "logits: the probabilities"),
        (newton, "hessian = ", "hessian = X.T @ (p * (1 - p) * X) #", "n numbers met p"),
        (newton, "X @ beta", "X * beta", "p numbers met n: products of matrices want @"),
        (newton, "hessian = ", "hessian = X.T @ (X * (p * (1 - p))) #", "shape (n, 1)"),
        (newton, "torch.linalg.inv(hessian) @ ", "", "plain descent"),
        (newton, "torch.linalg.inv(hessian) @", "1 / hessian.diagonal() *", "Only the diagonal"),
        (newton, "torch.linalg.inv(hessian)", "hessian", "multiplied by the Hessian"),
        (newton, "torch.linalg.inv(hessian) @ (X.T @ (p - y))", "(X.T @ (p - y)) / hessian", "number by number"),
        (newton, "p * (1 - p)", "len(p) * (p - p**2)", "Hessian a sum"),
        (newton, "p * (1 - p)", "(p - p**2) / len(p)", "Hessian a mean"),
        (lambda X, y, beta: beta.copy_(newton(X, y, beta)), "new tensor"),
    ],
    "unseen_accuracy": [
        (lambda model, x, y, rows, kept: ((model(x[rows])[:, 0] > 0) == (y[rows] > 0)).double().mean(), "trained on"),
        (lambda model, x, y, rows, kept: ((model(x)[:, 0] > 0) == (y > 0)).double().mean(), "flatter"),
        (lambda model, x, y, rows, kept: agree(model(x[kept])[:, 0] > 0.5, y[kept]), "logit of 0"),
        (lambda model, x, y, rows, kept: agree(model(x[kept]).sigmoid()[:, 0] > 0, y[kept]), "always says yes"),
        (lambda model, x, y, rows, kept: agree(model(x[kept])[:, 0].sigmoid().sigmoid() > 0.5, y[kept]), "always says"),
        (lambda model, x, y, rows, kept: agree(model(x[kept]) > 0, y[kept]), "every truth"),
        (lambda model, x, y, rows, kept: agree(torch.argmax(model(x[kept]), dim=-1), y[kept]), "always says no"),
        (lambda model, x, y, rows, kept: sum((model(x)[kept, 0] > 0) == (y[kept] == 1)) / len(x), "by all rows"),
        (lambda model, x, y, rows, kept: ((model(x[kept])[:, 0] > 0) == y[kept]).mean(), "no truth values"),
        (lambda model, x, y, rows, kept: agree(model(x[kept])[:, 0] > 0, y), "y has all rows"),
        (lambda model, x, y, rows, kept: 1 - agree(model(x[kept])[:, 0] > 0, y[kept]), "mistakes"),
        (lambda model, x, y, rows, kept: sum((model(x[kept])[:, 0] > 0) == (y[kept] == 1)), "how many are right"),
        (lambda model, x, y, rows, kept: nn.BCEWithLogitsLoss()(model(x[kept]), y[kept, None]), "log-loss"),
        (lambda model, x, y, rows, kept: (model(x[kept]) > 0).double().mean(), "how often it says yes"),
        (lambda model, x, y, rows, kept: on_standardised(model, x, y, rows, kept), "takes the rows as they are"),
        (lambda model, x, y, rows, kept: agree(model(x[kept])[0] > 0, y[kept]), "to shape (n,)"),
        (lambda model, x, y, rows, kept: (model(x[kept])[:, 0].int() == y[kept]).double().mean(), "to shape (n,)"),
    ],
    "softmax_loss": [
        (lambda z, labels: nn.CrossEntropyLoss()(z.softmax(dim=1), labels), "twice"),
        (lambda z, labels: F.nll_loss((z.exp() / z.exp().sum(dim=1, keepdim=True)).log(), labels), "isn't finite"),
        (lambda z, labels: nn.CrossEntropyLoss(reduction="sum")(z, labels), "That is the sum"),
        (lambda z, labels: F.log_softmax(z, dim=1).gather(1, labels[:, None]).mean(), "sign is turned"),
        (lambda z, labels: -z.gather(1, labels[:, None]).mean(), "denominator"),
        (lambda z, labels: z.logsumexp(dim=0).mean() - z.gather(1, labels[:, None]).mean(), "down the columns"),
        (lambda z, labels: (z.logsumexp(dim=1, keepdim=True) - z).mean(), "All classes"),
        (lambda z, labels: (z.logsumexp(dim=0) - z[range(len(z)), labels]).mean(), "so dim=1"),
        (lambda z, labels: -F.log_softmax(z, dim=0)[range(len(z)), labels].mean(), "add up to 1"),
        (lambda z, labels: (z.logsumexp(dim=1) - z).mean(), "met whole rows"),
        (lambda z, labels: F.log_softmax(z, dim=1)[:, labels].mean().neg(), "one element of each row"),
        (lambda z, labels: (z.logsumexp(dim=1) - z.max(dim=1).values).mean(), "likes best"),
        (lambda z, labels: (z.max(dim=1).indices == labels).float().mean(), "accuracy"),
    ],
    "digits_left": [
        (lambda X: (16 - torch.linalg.cond(X).log10(), 16 - torch.linalg.cond(X).log10() * 2), "its own length"),
        (lambda X: (digits_lost(X), 2 * digits_lost(X)), "digits lost"),
        (lambda X: [16 - 2 * digits_lost(X), 16 - digits_lost(X)], "swapped"),
        (lambda X: (16 - digits_lost(X), 8 - digits_lost(X) / 2), "halved"),
        (lambda X: (16 - digits_lost(X), 16 - digits_lost(X) ** 2), "not its logarithm"),
        (lambda X: (16 - digits_lost(X) * math.log(10), 16 - 2 * digits_lost(X) * math.log(10)), "natural"),
        (lambda X: 16 - digits_lost(X), "2 parts"),
        (lambda X: (round(16 - digits_lost(X).item()), round(16 - 2 * digits_lost(X).item())), "Don't round"),
        (lambda X: (int(16 - digits_lost(X)), math.floor(16 - 2 * digits_lost(X))), "up or down"),
        (lambda X: (16 - digits_lost(X.float()), 16 - 2 * digits_lost(X.float())), "stay in float64"),
        (lambda X: (16 - digits_lost(X), 16 - torch.linalg.cond((S := X / X.norm(dim=0)).T @ S).log10()), "of X"),
        (lambda X: (16 - torch.linalg.cond((X - X.mean(0)) / X.std(0, correction=0)).log10(), 0), "no spread"),
        (lambda X: (16 - digits_lost(X), 16 - 2 * digits_lost(X), X.div_(X.norm(dim=0)))[:2], "handed in"),
    ],
    "exact_residuals": [
        (residuals, "Fraction", "float", "float()"),
        (residuals, "Fraction(", "(lambda text: Fraction(float(text)))(", "before it became a fraction"),
        (residuals, "Fraction(q) - (w * Fraction(p) + b)", "w * Fraction(p) + b - Fraction(q)", "sign is turned"),
        (residuals, " + b)", ")", "intercept is missing"),
        (residuals, " + b)", " - b)", "wrong sign"),
        (residuals, "w, b =", "b, w =", "swapped"),
        (residuals, "(w)", "(float(w))", "(b)", "(float(b))", "Slope and intercept were"),
        (residuals, "(w)", "(float(w))", "slope was"),
        (residuals, "Fraction(q)", "Fraction(float(q))", "Fraction(p)", "Fraction(float(p))", "readings were"),
        (residuals, "Fraction(w), Fraction(b)", "w, b", "multiplied by text"),
        (residuals, "w * Fraction(p)", "w * p", "multiplied by text"),
        (residuals, "(b)", "(float(b))", "intercept was"),
        (residuals, "Fraction(w)", "float(w)", "float()"),
        (lambda *task: [float(residual) for residual in residuals(*task)], "float()"),
        (residuals, "Fraction", "__import__('decimal').Decimal", "a Decimal among"),
    ],
    "refined_once": [
        (lambda R, X, y, beta: beta - (R.T @ R).inverse() @ X.T @ (y - X @ beta), "sign is turned"),
        (lambda R, X, y, beta: (R.T @ R).inverse() @ X.T @ (y - X @ beta), "step alone"),
        (lambda R, X, y, beta: beta + R.inverse() @ X.T @ (y - X @ beta), "before R"),
        (lambda R, X, y, beta: beta + R.T.inverse() @ X.T @ (y - X @ beta), "undo R as well"),
        (lambda R, X, y, beta: beta + (R @ R).inverse() @ X.T @ (y - X @ beta), "undone twice"),
        (lambda R, X, y, beta: beta + R.inverse() @ (X.T @ (y - X @ beta) / R.diagonal()), "its lower half"),
        (lambda R, X, y, beta: torch.linalg.solve_triangular(R.T, X.T @ y, upper=False), "as a column"),
        (lambda R, X, y, beta: beta + (R @ R.T).inverse() @ X.T @ (y - X @ beta), "wrong order"),
        (lambda R, X, y, beta: beta + X.T @ (y - X @ beta), "plain descent"),
        (lambda R, X, y, beta: torch.linalg.pinv(X) @ y, "R that is given"),
        (lambda R, X, y, beta: beta + (R.T @ R).inverse() @ (2 / len(y) * X.T @ (y - X @ beta)), "2/n"),
        (lambda R, X, y, beta: beta + (R.T @ R).inverse() @ (X.T @ (y - X @ beta) / len(y)), "1/n"),
        (lambda R, X, y, beta: beta + 2 * (R.T @ R).inverse() @ X.T @ (y - X @ beta), "A factor 2 of"),
        (lambda R, X, y, beta: beta.add_((R.T @ R).inverse() @ X.T @ (y - X @ beta)), "handed in"),
        (lambda R, X, y, beta: beta.float() + ((R.T @ R).inverse() @ X.T @ (y - X @ beta)).float(), "Stay in float64"),
        (lambda R, X, y, beta: beta + (R.T @ R).inverse() @ (X.T.float() @ (y - X @ beta).float()).double(), "float32"),
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
        (lambda R1, q1, R2, q2: (R1.inverse() @ q1 + R2.inverse() @ q2) / 2, "average of two answers"),
        (lambda R1, q1, R2, q2: torch.linalg.solve(R1 + R2, q1 + q2), "cannot be added"),
        (lambda R1, q1, R2, q2: torch.linalg.inv(R1) @ q1, "first side alone"),
        (lambda R1, q1, R2, q2: torch.linalg.inv(R2) @ q2, "second side alone"),
        (merge, "[q1, q2]", "[q2, q1]", "same order"),
        (merge, "pinv(R) @ q", "solve(torch.linalg.qr(R).R, q1 + q2)", "new R is right"),
        (merge, "torch.linalg.pinv(R) @ q", "R", "shape (2,)"),
        (merge, "pinv(R) @ q", "solve_triangular(torch.linalg.qr(R).R, q[:, None], upper=True)", "in between"),
        (merge, "(R) @ q", "(R.float()) @ q.float()", "float32 has few"),
        (merge, "pinv(R) @ q", "solve(R.T @ R, R.T @ q)", "normal equations"),
        (merge, "torch.linalg.pinv(R)", "(R.T @ R).inverse() @ R.T", "normal equations"),
        (merge, "linalg.pinv(R) @ q", "cholesky_solve(R.T @ q[:, None], (R.T @ R).cholesky()).squeeze(1)", "normal"),
    ],
    "gradient_of_the_whole": [
        (lambda gradients, rows: gradients.mean(0), "plain averaging"),
        (lambda gradients, rows: sum(gradients), "grows with the number"),
        (whole, " / sum(rows)", "", "sum over all rows"),
        (whole, "sum(rows)", "sum(rows) * len(rows)", "number of processes"),
        (whole, "double()", "double() ** -1", "sum(rows)", "counts.sum()", "upside down"),
        (lambda gradients, rows: (gradients * rows).sum(0) / sum(rows), "list is no column"),
        (whole, "counts @ gradients", "sum(counts * gradients)", "counts meets the columns"),
        (whole, ".double()", "", "one dtype on both sides"),
        (whole, ".double()", ".float()", "float32 met"),
        (whole, "torch.tensor(rows).double()", "rows / sum(rows)", "divided as a vector"),
        (lambda gradients, rows: whole(gradients, rows).squeeze(), "squeeze takes the last"),
        (lambda gradients, rows: whole(gradients, rows)[None], "one gradient"),
        (lambda gradients, rows: rows[0] * gradients[0] / sum(rows), "inside the loop"),
        (lambda gradients, rows: gradients[0], "first process alone"),
        (whole, "sum(rows)", "len(rows)", "by the number of processes"),
    ],
    "resumed": [
        (resume, "optimizer.load_state_dict", "len", "that was handed in has no state"),
        (resume, "model.load_state_dict", "len", "first param"),
        (resume, '(state["model"])', "(state)", "its own state"),
        (lambda *task: resume(*task)[:1] or None, "inside the loop"),
        (resume, "model.load_state_dict", "len", "optimizer.load_state_dict", "len", "Neither model"),
        (resume, '["epoch"] + 1', '["epoch"]', "done already"),
        (resume, "epochs + 1", "epochs", "last epoch is missing"),
        (resume, 'state["epoch"] + 1', "1", "begins at 1"),
        (resume, " + 1", "", "one too low"),
        (lambda *task: len(resume(*task)), "not how many"),
        (lambda *task: (resume(*task), task[0]["epoch"] + 1)[1], "not only the first"),
        (lambda *task: (resume(*task), task[0]["epoch"])[1], "shape (3,)"),
    ],
}

# Right answers in another style than the check's.
RIGHT = {
    "network_size": [lambda sizes: np.sum((np.array(sizes[:-1]) + 1) * sizes[1:])],
    "deeper_network": [
        Deep,
        lambda n: nn.Sequential(nn.Linear(1, n), nn.Tanh(), nn.Identity(), nn.Linear(n, n), nn.Tanh(), nn.Linear(n, 1)),
    ],
    "error_on_new_rows": [lambda model, u, c, rows, kept: F.mse_loss(model(u[kept, None]).flatten(), c[kept]).item()],
    "judged_error": [lambda chooser, judge: judge.tolist()[int(np.argmin(chooser))]],
    "decayed_step": [sgd_step],
    "kept_epoch": [kept_epoch],
    "one_hidden": [Network, WithModules, lambda hidden: Network(hidden).double()],
    "with_dropout": [
        Dropping,
        WithModules,
        lambda hidden, p: Dropping(hidden, p).double(),
        (Dropping, "self.output_linear(self", "self.output_linear.forward(self"),
        (
            Dropping,
            "(hidden, 1)",
            "(hidden, 1); self.all = nn.Sequential(self.hidden_linear, nn.Tanh(), nn.Dropout(p), self.output_linear)",
            "self.output_linear(self.drop(torch.tanh(self.hidden_linear(x))))",
            "self.all(x)",
        ),
        (
            Dropping,
            "n self.output_linear(",
            "n (lambda h: F.linear(h, self.output_linear.weight, self.output_linear.bias))(",
        ),
        (Dropping, "n self.output_linear(", "n (lambda h: h @ self.output_linear.weight.T + self.output_linear.bias)("),
    ],
    "load_renamed": [load],
    "back_to_degrees": [Back, (Back, "(mean)", "(1 * mean)", "(std)", "(1 * std)")],
    "line_in_units": [lambda *task: np.array(in_units(*task))],
    "line_errors": [lambda *task: by_fold(*task).tolist()],
    "standard_errors_apart": [
        lambda line, network: apart(line**2 - network**2).item(),
        lambda line, network: (gain := (line**2 - network**2).numpy()).mean() / (gain.std(ddof=1) / len(gain) ** 0.5),
        lambda line, network: apart((line.float() - network.float()) * (line.float() + network.float())),
    ],
    "mean_over_rows": [
        lambda losses, sizes: np.average(losses, weights=sizes),
        lambda losses, sizes: torch.tensor(losses) @ torch.tensor(sizes).float() / sum(sizes),
    ],
    "measured_in_passing": [
        lambda *task: look(*task).item(),
        lambda model, x, y: evaluate(model, F.mse_loss, x, y),
        lambda model, x, y: F.mse_loss(copy.deepcopy(model).eval()(x), y).detach(),
    ],
    "moved": [
        lambda batch, device: torch.utils._pytree.tree_map_only(torch.Tensor, lambda t: t.to(device), batch),
        lambda batch, device: move(batch, torch.device(device)),
    ],
    "clipped": [
        lambda gradients, limit: tuple(clip(gradients, limit)),
        lambda gradients, limit: (g.numpy() for g in clip(gradients, limit)),
        (clip, "return [", "return gradients if length <= limit else ["),
        lambda gradients, limit: clip([g.float() for g in gradients], limit - 1e-6),
    ],
    "stable_log_loss": [
        lambda z, y: F.softplus(torch.where(y == 1, -z, z)).mean(),
        lambda z, y: (F.softplus(z) - y * z).sum() / len(y),
        lambda z, y: np.logaddexp(0, np.where(y, -z, z)).mean(),
        lambda z, y: nn.BCEWithLogitsLoss()(z.float(), y.float()),
        lambda z, y: sum(max(v, 0) - v * t + math.log1p(math.exp(-abs(v))) for v, t in zip(z, y, strict=True)) / len(z),
    ],
    "newton_step": [newton, reweighted_least_squares, newton_by_autograd],
    "unseen_accuracy": [
        lambda model, x, y, rows, kept: agree(model(x[kept])[:, 0] > 0, y[kept]),
        lambda model, x, y, rows, kept: agree(model(x[kept]).squeeze().sigmoid() > 0.5, y[kept]).item(),
        lambda model, x, y, rows, kept: np.mean([(model(x[i : i + 1]).item() > 0) == (y[i] == 1) for i in kept]),
        lambda model, x, y, rows, kept: (model(x)[kept].sigmoid().round() == y[kept, None]).float().mean(),
    ],
    "softmax_loss": [
        lambda z, labels: (torch.logsumexp(z, dim=1) - z[torch.arange(len(z)), labels]).mean(),
        lambda z, labels: -F.log_softmax(z, dim=1).gather(1, labels[:, None]).mean(),
        lambda z, labels: sum(row.logsumexp(dim=0) - row[k] for row, k in zip(z, labels, strict=True)) / len(z),
        lambda z, labels: nn.CrossEntropyLoss()(z.float(), labels),
    ],
    "digits_left": [
        lambda X: np.array([16 - digits_lost(X), 16 - 2 * digits_lost(X)]),
        lambda X: (16 - k * digits_lost(X) for k in (1, 2)),
        lambda X: [max(0, 16 - k * digits_lost(X)) for k in (1, 2)],
    ],
    "exact_residuals": [
        lambda *task: (residual for residual in residuals(*task)),
        lambda *task: np.array(residuals(*task)),
        lambda *task: pd.Series(residuals(*task)),
    ],
    "refined_once": [lambda R, X, y, beta: beta + torch.linalg.solve(R.T @ R, X.T @ (y - X @ beta))],
    "with_scaled_columns": [
        lambda solve, X, y: [b / column.norm() for b, column in zip(solve(X / X.norm(dim=0), y), X.T, strict=True)]
    ],
    "steps_per_epoch": [
        lambda n, b, drop_last: len(DataLoader(range(n), b, drop_last=drop_last)),
        lambda n, b, drop_last: np.floor(n / b) if drop_last else np.ceil(n / b),
    ],
    "merged_coefficients": [
        merge,
        lambda R1, q1, R2, q2: np.linalg.lstsq(np.vstack([R1, R2]), np.hstack([q1, q2]))[0],
        (merge, "pinv(R) @ q", "solve(torch.linalg.qr(R).R, torch.linalg.qr(R).Q.T @ q)"),
    ],
    "gradient_of_the_whole": [whole, lambda gradients, rows: np.average(gradients, axis=0, weights=rows)],
    "resumed": [
        resume,
        (resume, "range", "np.arange"),
        (resume, "range", "torch.arange"),
        lambda *task: (epoch for epoch in resume(*task)),
    ],
}
