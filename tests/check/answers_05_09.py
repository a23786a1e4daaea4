"""Answers to the exercises of chapters 05 to 09, written as a learner would write them."""

import math
from copy import deepcopy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers.loss import mse

# Wrong answers: (answer, words that its hint must contain).
WRONG = {
    "hold_out_error": [
        (lambda u, c, order, n: mse_elsewhere(u[order[:-n]], c[:-n], u[order[-n:]], c[-n:]), "u was shuffled and c"),
        (lambda u, c, order, n: mse_elsewhere(u[:-n], c[order[:-n]], u[-n:], c[order[-n:]]), "c was shuffled and u"),
        (lambda u, c, order, n: mse_elsewhere(u, c, u[order[-n:]], c[order[-n:]]), "has seen the rows"),
        (lambda u, c, order, n: mse_elsewhere(*(t[order[:-n]] for t in (u, c, u, c))), "training loss"),
        (lambda u, c, order, n: mse_elsewhere(u[order[n:]], c[order[n:]], u[order[:n]], c[order[:n]]), "the last ones"),
        (lambda u, c, order, n: mse_elsewhere(u[:-n], c[:-n], u[-n:], c[-n:]), "as they stand"),
        (
            lambda u, c, order, n: mse_elsewhere(*(t[p] for p in order.split([len(u) - n, n]) for t in (u, c))) ** 0.5,
            "root",
        ),
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
        (lambda *task: epoch_measured_late(*task), "Both losses are measured after"),
        (lambda *task: epoch_by_hand(*task, empty=False), "old gradients"),
        (lambda *task: epoch_by_hand(*task, step=False), "where they were"),
        (lambda *task: [epoch_by_hand(*task)[i] for i in (1, 0, 2, 3)], "swapped"),
        (lambda *task: epoch_by_hand(*task)[:2], "4 parts"),
        (lambda *task: epoch_unrecorded(*task), "backward found no record"),
        (lambda *task: epoch_by_hand(*task, backward_on="both"), "for the training loss alone"),
    ],
    "leave_one_out_of_the_mean": [
        (lambda c: c.var(correction=0), "in the mean that predicts it"),
        (lambda c: ((c - c.mean()) ** 2).sum() / (len(c) - 1), "One factor"),
        (lambda c: c.var(correction=0) * ((len(c) - 1) / len(c)) ** 2, "not nearer"),
        (lambda c: mean_without(c).sub(c).abs().square().mean() ** 0.5, "square root"),
        (lambda c: ((c - mean_without(c)) ** 2).sum(), "sum of the squares"),
        (lambda c: (c.mean(), c.var()), "2 came back"),
    ],
    "standardise_validation": [
        (lambda training, validation: (validation - validation.mean()) / validation.std(correction=0), "own mean"),
        (lambda training, validation: standardise(torch.cat([training, validation]))[len(training) :], "A leak"),
        (lambda training, validation: (validation - training.mean()) / training.std(), "divides by n - 1"),
        (lambda training, validation: validation - training.mean(), "scale is missing"),
        (
            lambda training, validation: (validation - training.mean()) / validation.std(correction=0),
            "deviation is not",
        ),
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
        (
            lambda x, W0, b0, W1, b1: rows_through(torch.tanh(rows_through(x, W0, b0)), W1, b1).squeeze(),
            "shape (4, 1), yours has (4,)",
        ),
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
        (lambda x, w, b: ((w * (x + 1e-3) + b).tanh() - (w * (x - 1e-3) + b).tanh()) / 2e-3, "nudging"),
    ],
    "leaky_relu": [
        (lambda x, slope: torch.minimum(x, slope * x), "wrong side"),
        (lambda x, slope: torch.relu(x) + slope * torch.relu(-x), "come out positive"),
        (lambda x, slope: x * (x > 0), "That is ReLU"),
        (lambda x, slope: x * slope, "straight line"),
        (lambda x, slope: torch.relu(x) - slope * (x <= 0), "a constant has slope 0"),
        (lambda x, slope: torch.relu(x) + slope * (x <= 0), "slope itself"),
        (lambda x, slope: slope * x if x <= 0 else x, "torch.where"),
        (lambda x, slope: max(x, slope * x), "torch.where"),
        (lambda x, slope: nn.LeakyReLU(slope)(x), "without"),
        (lambda x, slope: F.leaky_relu(x, slope), "without"),
        (lambda x, slope: torch.prelu(x, x.new_tensor([slope])), "without"),
        (lambda x, slope: F.relu(x) - slope * F.relu(-x), "without"),
    ],
    "silu_slope": [
        (lambda x: (s := torch.sigmoid(x)) - s**2, "two derivatives"),
        (lambda x: x * (s := 1 / (1 + torch.exp(-x))) * (1 - s), "factor x has the derivative 1"),
        (lambda x: 1 / (1 + torch.exp(-x)), "factor sigmoid(x) has a derivative"),
        (lambda x: (s := torch.sigmoid(x)) * (2 - s), "factor x is missing"),
        (lambda x: 1 + (s := torch.sigmoid(x)) * (1 - s), "added the two derivatives"),
        (lambda x: (s := torch.sigmoid(x)) - x * s * (1 - s), "sign between"),
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
        (lambda x: x.clamp(min=0) + torch.log(1 + torch.exp(-abs(x))), "rounded to 1"),
        (lambda x: x + torch.log(1 + torch.exp(-x)), "Keep this form for positive x"),
        (lambda x: torch.exp(-abs(x)).log1p(), "max(x, 0)"),
        (lambda x: torch.minimum(x, torch.tensor(20.0)).exp().log1p(), "cut x off"),
        (lambda x: x.clamp(min=0), "rounded corner"),
        (lambda x: F.softplus(x), "softplus did it"),
        (lambda x: nn.Softplus()(x), "softplus did it"),
        (F.softplus, "softplus did it"),
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
        (lambda x, left, right, k: torch.tanh(k * (x - left)) + torch.tanh(k * (right - x)) - 1, "needs no shift"),
        (lambda x, left, right, k: (torch.tanh(k * x - k * left) + torch.tanh(-k * x - k * right)) / 2, "wrong place"),
        (lambda x, left, right, k: (torch.tanh(x - left) + torch.tanh(right - x)) / 2, "not used"),
        (lambda x, left, right, k: (torch.tanh((x - left) / k) + torch.tanh((right - x) / k)) / 2, "You divided"),
        (lambda x, left, right, k: (torch.tanh(k * x + left) + torch.tanh(-k * x + right)) / 2, "what is b"),
    ],
    "breaks_convexity": [
        (lambda loss, a, b: loss((a + b) / 2) < (loss(a) + loss(b)) / 2, "turned around"),
        (lambda loss, a, b: loss((a + b) / 2) <= (loss(a) + loss(b)) / 2, "turned around"),
        (lambda loss, a, b: loss((a + b) / 2) > loss(a) and loss((a + b) / 2) > loss(b), "higher end"),
        (lambda loss, a, b: loss((a + b) / 2) > loss(a) or loss((a + b) / 2) > loss(b), "lower end"),
        (lambda loss, a, b: loss(0.5 * a + 0.5 * b) > loss(a) + loss(b), "sum of the two"),
        (lambda loss, a, b: 2 * loss((a + b) / 2) >= loss(a) + loss(b), "straight line is convex"),
        (lambda loss, a, b: loss((a + b) / 2) > (loss(a) + loss(b)) / 2, "Rounding"),
        (lambda loss, a, b: loss((a + b) / 2) - (loss(a) + loss(b)) / 2 > 0.01, "too much"),
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
        (lambda predictions, targets: mse(predictions, targets), "one shape"),
        (lambda predictions, targets: mse(predictions, targets.expand_as(predictions)), "averaged over the networks"),
    ],
    "chain": [
        (lambda parts: Chain(parts), "plain list"),
        (lambda parts: Chain(tuple(parts)), "plain list"),
        (lambda parts: Chain(dict(enumerate(parts))), "plain list"),
        (lambda parts: Chain(nn.ModuleList(parts), call=lambda part, x: part.forward(x)), "part.forward(x)"),
        (lambda parts: Chain(parts, call=lambda part, x: part.forward(x)), "Two things"),
        (lambda parts: Chain(nn.ModuleList(deepcopy(parts))), "not of copies"),
        (lambda parts: Chain(nn.ModuleList(parts[::-1])), "in reverse"),
        (lambda parts: Last(parts), "output of the one before"),
        (lambda parts: Added(parts), "like Total"),
        (lambda parts: NotReady(parts), "super().__init__()"),
        (lambda parts: NotReadyChain(parts, keep=list), "Two things are missing"),
        (lambda parts: Chain(nn.ModuleList(parts), whole=True), "only keeps its parts"),
        (lambda parts: Chain(parts, whole=True), "A list can't be called"),
        (lambda parts: ChainWithoutParent(), "no module"),
        (lambda parts: Chain(nn.Sequential(*parts), whole=True), "nn.Sequential did it"),
        (lambda parts: nn.Sequential(*parts), "nn.Sequential did it"),
        (lambda parts: Hasty(parts), "inside the loop"),
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
        (lambda images: images.swapaxes(3, 1), "on their side"),
        (lambda images: torch.movedim(images, 3, 0), "before the batch"),
        (lambda images: images.clone(), "still last"),
        (lambda images: images.permute(2, 0, 1), "a batch has four"),
        (lambda images: images.permute((2, 0, 1)), "a batch has four"),
    ],
}

# Right answers in another style than the check's.
RIGHT = {
    "leave_one_out_of_the_mean": [lambda c: np.mean([(np.delete(c, i).mean() - c[i]) ** 2 for i in range(len(c))])],
    "standardise_validation": [
        lambda training, validation: [(v - training.mean()) / training.std(correction=0) for v in validation]
    ],
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
    "chain": [lambda parts: Chain(nn.ModuleList(parts))],
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


def epoch_unrecorded(w, b, optimizer, training, validation):
    with torch.no_grad():
        losses = [((w * u + b - c) ** 2).mean() for u, c in (training, validation)]
    optimizer.zero_grad()
    losses[0].backward()


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


class Hasty(Last):
    def forward(self, x):
        for part in self.parts:
            x = part(x)
            return x


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


def mse_elsewhere(u, c, u_new, c_new, order=1):
    """Mean squared error, on new readings, of a line fitted by another road than the check's: lstsq.

    order: -1 swaps the two coefficients before they predict.
    """
    X, X_new = (torch.stack([torch.ones_like(t), t], dim=1) for t in (u, u_new))
    coefficients = torch.linalg.lstsq(X, c[:, None]).solution
    return (X_new @ (coefficients if order == 1 else coefficients.flip(0)) - c_new[:, None]).square().mean()


def epoch_measured_late(w, b, optimizer, training, validation):
    """One epoch with both losses measured after the step."""
    optimizer.zero_grad()
    mse(w * training[0] + b, training[1]).backward()
    optimizer.step()
    with torch.no_grad():
        return *(mse(w * pair[0] + b, pair[1]).item() for pair in (training, validation)), w, b


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
