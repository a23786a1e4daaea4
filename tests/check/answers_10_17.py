"""Answers to the exercises of chapters 10 to 17, written as a learner would write them."""

import copy
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

from helpers import check
from helpers.check.ch16 import line_residuals
from helpers.loss import mse
from helpers.training import evaluate

# Wrong answers: (answer, words that its hint must contain).
WRONG = {
    "network_size": [
        (lambda sizes: sum(a * b for a, b in zip(sizes, sizes[1:], strict=False)), "biases are missing"),
        (lambda sizes: sum(a * b for a, b in zip(sizes, sizes[1:], strict=False)) + len(sizes) - 1, "not one"),
        (lambda sizes: sizes[0] + check.network_size.solution(sizes), "inputs have no bias"),
        (lambda sizes: sum(list(sizes)), "counted the units"),
        (lambda sizes: torch.tensor(sizes).prod(), "add the layers up"),
        (lambda sizes: (sizes[0] + 1) * sizes[1], "inside the loop"),
    ],
    "deeper_network": [
        (lambda width: stack_of(width, "tanh", ""), "one affine map"),
        (lambda width: stack_of(width, "", "tanh"), "collapse into one"),
        (lambda width: stack_of(width, "", ""), "straight line"),
        (lambda width: nn.Sequential(stack_of(width, "tanh", "tanh"), nn.Tanh()), "between -1 and 1"),
        (lambda width: nn.Sequential(*stack_of(width, "tanh", "")[:2], nn.Linear(width, 1)), "one hidden layer"),
        (lambda width: two_hidden(width, nn.Sigmoid), "sigmoid units"),
        (lambda width: two_hidden(width, nn.ELU), "no other bend"),
        (lambda width: two_hidden(width, nn.Tanh, nn.Dropout(0.5)), "no dropout"),
        (lambda width: two_hidden(2 * width, nn.Tanh), "another size"),
        (lambda width: two_hidden(13, nn.Tanh), "one size"),
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
        (lambda chooser, judge: judge[torch.min(chooser)], "argmin()"),
    ],
    "decayed_step": [
        (lambda w, g, rate, decay: w.sub(g, alpha=rate), "without decay"),
        (lambda w, g, rate, decay: (1 - decay) * w - rate * g, "rate multiplies it"),
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
        (lambda losses, patience: stops(losses, patience)[1], "That is the epoch"),
        (lambda losses, patience: halts(losses, patience), "Where it halts"),
        (lambda losses, patience: stops(losses, patience)[0] + 1, "from 0"),
        (lambda losses, patience: stops(losses, 1)[0], "isn't used"),
        (lambda losses, patience: stops(losses, patience + 1)[0], "too many"),
        (lambda losses, patience: stops(losses, patience, in_a_row=False)[0], "in a row"),
        (lambda losses, patience: falls(losses, patience), "the one before"),
        (lambda losses, patience: stops(losses, patience, ties=True)[0], "equal loss"),
        (lambda losses, patience: losses[stops(losses, patience)[0]], "That is the loss"),
        (lambda losses, patience: min(losses), "smallest loss of all"),
    ],
    "one_hidden": [
        (lambda hidden: NetworkWithout(hidden, "init"), "made in forward"),
        (lambda hidden: LayersAssignedInForward(hidden), "made in forward"),
        (lambda hidden: NetworkWithout(hidden, "super"), "before the layers"),
        (lambda hidden: NetworkWithout(hidden, "return"), "needs a return"),
        (lambda hidden: NetworkWithout(hidden, "parameters"), "plain tensor"),
        (lambda hidden: NetworkWithout(hidden, "names"), "other names"),
        (lambda hidden: NetworkWithout(hidden, "activation"), "one straight line"),
        (lambda hidden: NetworkWithout(hidden, "linear output"), "was bent, too"),
        (lambda hidden: object(), "no module"),
        (lambda hidden: WithBuffer(hidden), "more than their four"),
        (lambda hidden: NetworkWithout(hidden, "tanh"), "another bend"),
        (lambda hidden: NetworkWithout(13, "nothing"), "one size"),
        (lambda hidden: NetworkWithout(4, "nothing"), "one size"),
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
        (lambda hidden, p: Dropping(13, p), "as the stub makes them"),
        (lambda hidden, p: NetworkWithout(hidden, "names"), "as the stub makes them"),
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
        (lambda x, y, folds: by_shortcut(torch.stack([x, torch.ones_like(x)], dim=1), y), "one row at a time"),
        (lambda x, y, folds: by_fold(x, y, folds)[torch.cat(tuple(folds))], "order of the folds"),
        (lambda x, y, folds: by_fold(x, y, folds).neg(), "sign is turned"),
        (lambda x, y, folds: by_fold(x, y, folds).square(), "errors themselves"),
        (lambda x, y, folds: by_fold(x, y, folds).square().mean().item(), "one error for each row"),
        (lambda x, y, folds: by_fold(x, y, folds[:1]), "inside the loop"),
    ],
    "standard_errors_apart": [
        (lambda line, network: apart(network**2 - line**2), "sign is turned"),
        (lambda line, network: welch(line.square(), network.square()), "subtract row by row"),
        (lambda line, network: apart(line**2 - network**2) / len(line) ** 0.5, "divided by the standard deviation"),
        (lambda line, network: apart(line**2 - network**2) / len(line) ** 0.5 * 11**0.5, "needn't be eleven"),
        (lambda line, network: (line**2).mean() - (network**2).mean(), "mean difference itself"),
        (lambda line, network: apart(line.abs() - network.abs()), "absolute errors"),
        (lambda line, network: apart(line**2 - network**2, correction=0), "n - 1"),
        (lambda line, network: 6.6, "its mean divided by"),
    ],
    "mean_over_rows": [
        (lambda losses, sizes: np.mean(losses), "counts alike"),
        (lambda losses, sizes: torch.tensor(losses).mean(), "counts alike"),
        (lambda losses, sizes: sum(losses) / sum(sizes), "added means"),
        (lambda losses, sizes: np.dot(losses, sizes), "sum over all rows"),
        (lambda losses, sizes: np.dot(losses, sizes) / len(sizes), "number of batches"),
        (lambda losses, sizes: np.average(losses[:-1], weights=sizes[:-1]), "last batch is missing"),
        (lambda losses, sizes: losses[0] * sizes[0] / sum(sizes), "inside the loop"),
    ],
    "measured_in_passing": [
        (lambda model, x, y: look_at(model, x, y, "no_grad"), "call eval() first"),
        (lambda model, x, y: look_at(model, x, y, "eval no_grad"), "left in evaluation mode"),
        (lambda model, x, y: look_at(model, x, y, "eval no_grad train"), "goes away in training mode"),
        (lambda model, x, y: look_at(model, x, y, "eval no_grad turned"), "turned around"),
        (lambda model, x, y: look_at(model, x, y, "eval kept"), "has a graph"),
        (lambda model, x, y: look_and_set_the_flag(model, x, y), "outer flag"),
        (lambda model, x, y: look_at(model, x, y, "train no_grad kept"), "measured in training mode"),
        (lambda model, x, y: look_at(model, x, y, "eval no_grad kept") ** 0.5, "That is the root"),
    ],
    "moved": [
        (lambda batch, device: batch, "Nothing has moved"),
        (lambda batch, device: move_some(batch, device, (list, tuple)), "go through batch.items()"),
        (lambda batch, device: move_some(batch, device, (list, dict)), "a batch is often a pair"),
        (lambda batch, device: move_some(batch, device, (tuple, dict)), "Tensors in lists"),
        (lambda batch, device: batch.to(device) if isinstance(batch, torch.Tensor) else batch, "part by part"),
        (lambda batch, device: move_once(batch, device), "call the function itself"),
        (lambda batch, device: into_lists(batch, device), "leave a list a list"),
    ],
    "clipped": [
        (lambda gradients, m: [g / max(1, (g.norm() / m).item()) for g in gradients], "turns the direction: take"),
        (lambda gradients, m: [g.clip(min=-m, max=m) for g in gradients], "cuts single numbers"),
        (lambda gradients, m: [g * m / total_norm(gradients) for g in gradients], "made longer"),
        (lambda gradients, m: scaled(gradients, m / sum(g.norm() for g in gradients)), "Lengths don't add up"),
        (lambda gradients, m: scaled(gradients, m / sum((g**2).sum() for g in gradients)), "its root is the length"),
        (lambda gradients, m: scaled(gradients, m / max(g.abs().max() for g in gradients)), "largest single number"),
        (lambda gradients, m: [g.clone() for g in gradients], "Nothing was shortened"),
        (lambda gradients, m: clip_in_place(gradients, m), "rules clip_grad_norm_ out"),
    ],
    "stable_log_loss": [
        (lambda z, y: -(y * z.sigmoid().log() + (1 - y) * (1 - z.sigmoid()).log()).mean(), "rounded to 0 or 1"),
        (lambda z, y: -torch.where(y == 1, z.sigmoid().log(), (1 - z.sigmoid()).log()).mean(), "rounded to 0 or 1"),
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
        (lambda X, y, beta: newton_by_hand(X, y, beta, lambda p: 1), "one of least squares"),
        (lambda X, y, beta: newton_by_hand(X, y, beta, lambda p: p), "not p"),
        (lambda X, y, beta: newton_by_hand(X, y, beta, lambda p: (p - p**2).sqrt()), "roots belong"),
        (lambda X, y, beta: newton_by_hand(X, y, beta, lambda p: (p - p**2) ** 2), "both factors"),
        (lambda X, y, beta: 2 * beta - newton_by_hand(X, y, beta, lambda p: p - p**2), "sign is turned"),
        (lambda X, y, beta: newton_by_hand(X, y, beta, lambda p: p - p**2) - beta, "add it to beta"),
        (lambda X, y, beta: newton_by_hand(X, y, beta, lambda p: p - p**2, torch.sigmoid), "sigmoid twice"),
        (lambda X, y, beta: beta - newton_by_hand(X, y, beta, lambda p: p - p**2), "subtract it from beta"),
        (lambda X, y, beta: beta + X.T @ (y - (X @ beta).sigmoid()), "plain descent"),
        (lambda X, y, beta: beta - downhill(X, y, beta) / curves(X, beta).diagonal(), "Only the diagonal"),
        (lambda X, y, beta: beta - curves(X, beta) @ downhill(X, y, beta), "multiplied by the Hessian"),
        (lambda X, y, beta: newton_by_hand(X, y, beta, lambda p: len(p) * (p - p**2)), "Hessian a sum"),
        (lambda X, y, beta: newton_by_hand(X, y, beta, lambda p: (p - p**2) / len(p)), "Hessian a mean"),
        (lambda X, y, beta: beta.copy_(newton_by_hand(X, y, beta, lambda p: p - p**2)), "new tensor"),
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
        (lambda model, x, y, rows, kept: 1 - agree(model(x[kept])[:, 0] > 0, y[kept]), "mistakes"),
        (lambda model, x, y, rows, kept: sum((model(x[kept])[:, 0] > 0) == (y[kept] == 1)), "how many are right"),
        (lambda model, x, y, rows, kept: nn.BCEWithLogitsLoss()(model(x[kept]), y[kept, None]), "log-loss"),
        (lambda model, x, y, rows, kept: (model(x[kept]) > 0).double().mean(), "how often it says yes"),
        (lambda model, x, y, rows, kept: on_standardised(model, x, y, rows, kept), "takes the rows as they are"),
    ],
    "softmax_loss": [
        (lambda z, labels: nn.CrossEntropyLoss()(z.softmax(dim=1), labels), "twice"),
        (lambda z, labels: F.nll_loss((z.exp() / z.exp().sum(dim=1, keepdim=True)).log(), labels), "isn't finite"),
        (lambda z, labels: nn.CrossEntropyLoss(reduction="sum")(z, labels), "That is the sum"),
        (lambda z, labels: F.log_softmax(z, dim=1).gather(1, labels[:, None]).mean(), "sign is turned"),
        (lambda z, labels: -z.gather(1, labels[:, None]).mean(), "denominator"),
        (lambda z, labels: z.logsumexp(dim=0).mean() - z.gather(1, labels[:, None]).mean(), "down the columns"),
        (lambda z, labels: (z.logsumexp(dim=1, keepdim=True) - z).mean(), "All classes"),
        (lambda z, labels: F.log_softmax(z, dim=1)[:, labels].mean().neg(), "one element of each row"),
        (lambda z, labels: (z.logsumexp(dim=1) - z.max(dim=1).values).mean(), "likes best"),
        (lambda z, labels: (z.max(dim=1).indices == labels).float().mean(), "accuracy"),
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
        (lambda x, y, w, b: [float(r) for r in line_residuals(x, y, w, b)], "float()"),
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
            "float32 has few",
        ),
        (lambda R1, q1, R2, q2: torch.linalg.solve(R1.T @ R1 + R2.T @ R2, R1.T @ q1 + R2.T @ q2), "normal equations"),
        (lambda R1, q1, R2, q2: (R1.T @ R1 + R2.T @ R2).inverse() @ (R1.T @ q1 + R2.T @ q2), "normal equations"),
        (
            lambda R1, q1, R2, q2: torch.cholesky_solve(
                (R1.T @ q1 + R2.T @ q2)[:, None], torch.linalg.cholesky(R1.T @ R1 + R2.T @ R2)
            )[:, 0],
            "normal equations",
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
        (lambda gradients, rows: rows[0] * gradients[0] / sum(rows), "inside the loop"),
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

# Right answers in another style than the check's.
RIGHT = {
    "network_size": [lambda sizes: np.sum((np.array(sizes[:-1]) + 1) * sizes[1:])],
    "deeper_network": [
        lambda width: two_hidden(width, nn.Tanh),
        lambda width: two_hidden(width, nn.Tanh, nn.Identity()),
        lambda width: MadeFromTheEnd(width),
    ],
    "error_on_new_rows": [lambda model, u, c, rows, kept: F.mse_loss(model(u[kept, None]).flatten(), c[kept]).item()],
    "judged_error": [lambda chooser, judge: judge.tolist()[int(np.argmin(chooser))]],
    "decayed_step": [lambda w, g, rate, decay: sgd_step(w, g, rate, decay)],
    "kept_epoch": [lambda losses, patience: stops(losses, patience)[0]],
    "line_in_units": [lambda w, b, x, y: np.array(units(w * spread(y) / spread(x), b * spread(y), x, y))],
    "line_errors": [lambda x, y, folds: by_fold(x, y, folds).tolist()],
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
        lambda model, x, y: look_at(model, x, y, "eval no_grad kept").item(),
        lambda model, x, y: evaluate(model, F.mse_loss, x, y),
        lambda model, x, y: F.mse_loss(copy.deepcopy(model).eval()(x), y).detach(),
    ],
    "moved": [
        lambda batch, device: torch.utils._pytree.tree_map_only(torch.Tensor, lambda t: t.to(device), batch),
        lambda batch, device: move_some(batch, torch.device(device), (list, tuple, dict)),
    ],
    "clipped": [
        lambda gradients, m: scaled(gradients, m / torch.cat([g.flatten() for g in gradients]).norm()),
        lambda gradients, m: tuple(g / max(1.0, total_norm(gradients) / m) for g in gradients),
        lambda gradients, m: gradients if total_norm(gradients) <= m else scaled(gradients, m / total_norm(gradients)),
        lambda gradients, m: scaled([g.float() for g in gradients], m / (total_norm(gradients) + 1e-6)),
    ],
    "stable_log_loss": [
        lambda z, y: F.softplus(torch.where(y == 1, -z, z)).mean(),
        lambda z, y: (F.softplus(z) - y * z).sum() / len(y),
        lambda z, y: np.logaddexp(0, np.where(y, -z, z)).mean(),
        lambda z, y: nn.BCEWithLogitsLoss()(z.float(), y.float()),
        lambda z, y: sum(max(v, 0) - v * t + math.log1p(math.exp(-abs(v))) for v, t in zip(z, y, strict=True)) / len(z),
    ],
    "newton_step": [
        lambda X, y, beta: newton_by_hand(X, y, beta, lambda p: p - p**2),
        lambda X, y, beta: reweighted_least_squares(X, y, beta),
        lambda X, y, beta: beta - torch.linalg.solve(*map(torch.stack, sums_by_row(X, y, beta))),
    ],
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
    ],
    "exact_residuals": [
        lambda x, y, w, b: (Fraction(q) - Fraction(w) * Fraction(p) - Fraction(b) for p, q in zip(x, y, strict=True))
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
        lambda R1, q1, R2, q2: torch.linalg.pinv(torch.cat([R1, R2])) @ torch.cat([q1, q2]),
        lambda R1, q1, R2, q2: np.linalg.lstsq(np.vstack([R1, R2]), np.hstack([q1, q2]))[0],
        lambda R1, q1, R2, q2: solved_by_qr(torch.cat([R1, R2]), torch.cat([q1, q2])),
    ],
    "gradient_of_the_whole": [lambda gradients, rows: np.average(gradients, axis=0, weights=rows)],
    "resumed": [
        lambda *task: restore(*task[:3]) or range(task[0]["epoch"] + 1, task[3] + 1),
        lambda *task: restore(*task[:3]) or np.arange(task[0]["epoch"] + 1, task[3] + 1),
        lambda *task: restore(*task[:3]) or torch.arange(task[0]["epoch"] + 1, task[3] + 1),
        lambda *task: restore(*task[:3]) or (epoch for epoch in range(task[0]["epoch"] + 1, task[3] + 1)),
    ],
}


def two_hidden(width, kind, *others):
    return nn.Sequential(nn.Linear(1, width), kind(), *others, nn.Linear(width, width), kind(), nn.Linear(width, 1))


def apart(gain, correction=1):
    return gain.mean() / (gain.std(correction=correction) / len(gain) ** 0.5)


def welch(first, second):
    return (first.mean() - second.mean()) / ((first.var() + second.var()) / len(first)).sqrt()


def solved_by_qr(X, y):
    Q, R = torch.linalg.qr(X)
    return torch.linalg.solve(R, Q.T @ y)


def digits_lost(X):
    return torch.linalg.cond(X / X.norm(dim=0)).log10()


def restore(state, model, optimizer):
    """Both parts of a checkpoint, and None."""
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])


def look_at(model, x, y, steps):
    """The loss after these steps: eval or train, no_grad, and what happens to the mode at the end."""
    mode = model.training
    if "eval" in steps or steps.startswith("train"):
        model.train(steps.startswith("train"))
    with torch.set_grad_enabled("no_grad" not in steps):
        loss = mse(model(x), y)
    if (last := steps.split()[-1]) in ("kept", "turned", "train"):
        model.train({"kept": mode, "turned": not mode, "train": True}[last])
    return loss


def look_and_set_the_flag(model, x, y):
    """The loss of the model in use; afterwards its own flag is what it was, and those of its layers are not."""
    model.training, loss = model.training, look_at(model, x, y, "eval no_grad")
    return loss


def move_some(batch, device, kinds):
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if not isinstance(batch, kinds):
        return batch
    if isinstance(batch, dict):
        return {name: move_some(part, device, kinds) for name, part in batch.items()}
    return type(batch)([move_some(part, device, kinds) for part in batch])


def move_once(batch, device):
    """Tensors of the outer container only."""

    def move(part):
        return part.to(device) if isinstance(part, torch.Tensor) else part

    if isinstance(batch, dict):
        return {name: move(part) for name, part in batch.items()}
    return type(batch)(move(part) for part in batch) if isinstance(batch, list | tuple) else move(batch)


def into_lists(batch, device):
    """Everything moved, and every tuple made a list."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {name: into_lists(part, device) for name, part in batch.items()}
    return [into_lists(part, device) for part in batch] if isinstance(batch, list | tuple) else batch


def total_norm(gradients):
    return math.sqrt(sum((g**2).sum().item() for g in gradients))


def scaled(gradients, factor):
    return [g * min(1.0, float(factor)) for g in gradients]


def clip_in_place(gradients, max_norm):
    parameters = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for parameter, g in zip(parameters, gradients, strict=True):
        parameter.grad = g.clone()
    nn.utils.clip_grad_norm_(parameters, max_norm)
    return [parameter.grad for parameter in parameters]


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


def by_shortcut(X, y):
    """Errors of leave-one-out, by leverage as in the chapter."""
    Q, _ = torch.linalg.qr(X)
    return (Q @ (Q.T @ y) - y) / (1 - (Q**2).sum(dim=1))


def stops(losses: list[float], patience: int, in_a_row: bool = True, ties: bool = False) -> tuple[int, int]:
    """The epoch of the smallest loss up to the halt, and the epoch of the halt."""
    best, waited = 0, 0
    for epoch in range(1, len(losses)):
        better = losses[epoch] < losses[best] or (ties and losses[epoch] == losses[best])
        best = epoch if better else best
        waited = (0 if in_a_row else waited) if better else waited + 1
        if waited == patience:
            return best, epoch
    return best, len(losses) - 1


def halts(losses: list[float], patience: int) -> int:
    """As one writes it with a return inside the loop and another one behind it."""
    best, halt = stops(losses, patience)
    return halt if halt == best + patience else best


class MadeFromTheEnd(nn.Module):
    """Two hidden layers whose layers are registered in the opposite order of their use."""

    def __init__(self, width: int):
        super().__init__()
        self.output, self.second, self.first = nn.Linear(width, 1), nn.Linear(width, width), nn.Linear(1, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(torch.tanh(self.second(torch.tanh(self.first(x)))))


def falls(losses: list[float], patience: int) -> int:
    """The last epoch whose loss is smaller than the one before, up to a halt after `patience` that are not."""
    fallen, waited = 0, 0
    for epoch, (before, loss) in enumerate(zip(losses, losses[1:], strict=False), start=1):
        if loss < before:
            fallen, waited = epoch, 0
        else:
            waited += 1
        if waited >= patience:
            break
    return fallen


def sgd_step(w: torch.Tensor, gradient: torch.Tensor, rate: float, decay: float) -> torch.Tensor:
    parameter = nn.Parameter(w.clone())
    parameter.grad = gradient.clone()
    torch.optim.SGD([parameter], lr=rate, weight_decay=decay).step()
    return parameter.detach()


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


def newton_by_hand(X, y, beta, weights, before=lambda z: z):
    """Coefficients after one step, with the weights of the rows as a function of their probabilities."""
    p = torch.sigmoid(before(X @ beta))
    hessian = sum(w * torch.outer(row, row) for row, w in zip(X, weights(p) * torch.ones_like(p), strict=True))
    return beta - torch.linalg.inv(hessian) @ (X.T @ (p - y))


def downhill(X, y, beta):
    return X.T @ (torch.sigmoid(X @ beta) - y)


def curves(X, beta):
    p = torch.sigmoid(X @ beta)
    return X.T @ torch.diag(p - p**2) @ X


def reweighted_least_squares(X, y, beta):
    """The same step as statisticians write it."""
    p = torch.sigmoid(X @ beta)
    root = (p * (1 - p)).sqrt()[:, None]
    goal = (X @ beta + (y - p) / (p * (1 - p)))[:, None]
    return torch.linalg.lstsq(root * X, root * goal).solution[:, 0]


def sums_by_row(X, y, beta):
    """The rows of the Hessian and the elements of the gradient of the mean log-loss, from autograd."""
    at = beta.clone().requires_grad_()
    gradient = torch.autograd.grad(F.binary_cross_entropy_with_logits(X @ at, y), at, create_graph=True)[0]
    rows = [torch.autograd.grad(part, at, retain_graph=True)[0] for part in gradient]
    return rows, list(gradient.detach())


def agree(answers, truth):
    return (answers == (truth == 1)).double().mean()


def on_standardised(model, x, y, rows, kept):
    """As fit_network of the chapter does, whose model was trained on standardised rows."""
    std, mean = torch.std_mean(x[rows], dim=0)
    return agree(model((x[kept] - mean) / std)[:, 0] > 0, y[kept])
