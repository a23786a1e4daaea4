"""Checks of chapter 15."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import data
from helpers.check.engine import Exercise, arguments_untouched, float64, numbers_or_none

log_loss = F.binary_cross_entropy_with_logits


def or_overflow(answer: Callable, *arguments: Any) -> list:
    """What is returned, and a number that no loss has in the place of an infinity or nan."""
    result = answer(*arguments)
    values = numbers_or_none(result)
    return [result if values is None or values.isfinite().all() else -1e30]


def in_two_steps(z: Tensor, y: Tensor) -> Tensor:
    """The log-loss as its definition has it, which overflows."""
    p = torch.sigmoid(z)
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


stable_log_loss = Exercise(
    log_loss,
    "A logit of 1000 that is wrong costs 1000, and not infinity.",
    in_two_steps,
    "With a logit of 1000 it isn't finite: e^1000 is too large, and 0 has no logarithm. F.softplus avoids both.",
    lambda z, y: F.binary_cross_entropy(torch.sigmoid(z), y),
    "Something cuts the loss off at 100, as nn.BCELoss does, which sees p alone: softplus of z itself needs no limit.",
    lambda z, y: log_loss(torch.sigmoid(z), y),
    "The sigmoid is taken twice, once inside the loss or softplus: these want the logits as they are.",
    lambda z, y: log_loss(z, 1 - y),
    "Yes and no are swapped: where y is 1, the loss falls as z grows.",
    lambda z, y: log_loss(z, y) * len(y),
    "That is the sum: the mean is asked for.",
    lambda z, y: log_loss(z, y) * len(y) * 2,
    "That is the deviance, twice the sum: the mean is asked for.",
    lambda z, y: -log_loss(z, y),
    "The sign is turned: a loss is minus the logarithm of the probability.",
    lambda z, y: log_loss(z, y) / math.log(2),
    "That is a logarithm to base 2: the natural one is meant.",
    lambda z, y: F.softplus(-z).mean(),
    "That is right for the rows with y = 1: where y is 0, the sign of z changes.",
    lambda z, y: F.softplus(z).mean(),
    "That is right for the rows with y = 0: where y is 1, the sign of z changes.",
    cases=lambda: [
        (float64([0.3, -1.2, 2.0, 0.7]), float64([1, 0, 0, 1])),
        (float64([2.5, -0.4, 1.5]), float64([0, 1, 1])),
        (float64([1000.0, -1000.0, 3.0, 1000.0]), float64([1, 0, 1, 0])),
    ],
    observe=or_overflow,
    hint="Row by row: softplus of -z where y is 1, softplus of z where y is 0. Then the mean.",
)


def newton(X: Tensor, y: Tensor, beta: Tensor) -> Tensor:
    p = torch.sigmoid(X @ beta)
    gradient = X.T @ (p - y)
    hessian = X.T @ ((p * (1 - p)).unsqueeze(1) * X)
    return beta - torch.linalg.solve(hessian, gradient)


def flowers() -> list[tuple]:
    """A design matrix, zeros and ones that no line separates, and coefficients to start from."""
    X = float64([[1, 0.5, 2.0], [1, 1.5, 1.0], [1, 2.0, 3.5], [1, 3.5, 2.5], [1, 4.0, 0.5], [1, 5.5, 3.0]])
    y = float64([0, 1, 0, 1, 0, 1])
    return [(X, y, float64([0.2, -0.1, 0.4])), (X, y, float64([-0.4, 0.3, -0.2]))]


newton_step = Exercise(
    newton,
    "Ten of them led to glm()'s coefficients in the chapter, with more digits than it gives by default.",
    ("beta -", "beta +"),
    "The sign is turned: with p - y in the gradient, the jump is subtracted.",
    ("beta - ", ""),
    "That is the jump alone: subtract it from beta.",
    ("return beta - ", "return -"),
    "That is the jump alone: add it to beta.",
    ("p * (1 - p)", "0 * p + 1"),
    "The weights p (1 - p) are missing from the Hessian: X'X alone is the one of least squares.",
    ("p * (1 - p)", "p"),
    "The weight of a row is p (1 - p), not p.",
    ("(p * (1 - p))", "((p * (1 - p)) ** 0.5)"),
    "The weights are p (1 - p) themselves: roots belong on both factors X, if anywhere.",
    ("(p * (1 - p))", "((p * (1 - p)) ** 2)"),
    "The weights were applied to both factors X: once is enough.",
    ("X @ beta", "torch.sigmoid(X @ beta)"),
    "The logits went through the sigmoid twice.",
    ("torch.sigmoid", ""),
    "X beta are logits: the probabilities are their sigmoid.",
    (".unsqueeze(1)", ""),
    "n numbers met p: products of matrices want @, and the weights, to multiply X, have to be a column: unsqueeze(1).",
    ("((p * (1 - p)).unsqueeze(1) * X)", "(X * (p * (1 - p)))"),
    "p numbers met n: products of matrices want @, and weights that multiply X by rows need the shape (n, 1).",
    ("torch.linalg.solve(hessian, gradient)", "gradient"),
    "That is a step of plain descent: the Hessian has to divide the gradient.",
    ("torch.linalg.solve(hessian, gradient)", "gradient / hessian.diagonal()"),
    "Only the diagonal of the Hessian was used: solve with the whole matrix.",
    ("torch.linalg.solve(hessian, gradient)", "gradient / hessian"),
    "/ divides number by number, here by each row of the Hessian: to undo a matrix, solve with it.",
    ("torch.linalg.solve(hessian, gradient)", "hessian @ gradient"),
    "The gradient was multiplied by the Hessian: it is the inverse that is wanted, so solve.",
    ("(p - y)", "(p - y) / len(y)"),
    "The gradient is a mean and the Hessian a sum: take both as sums, or both as means.",
    ("(hessian, ", "(hessian / len(y), "),
    "The gradient is a sum and the Hessian a mean: take both as sums, or both as means.",
    ("beta - torch.linalg.solve(hessian, gradient)", "beta.sub_(torch.linalg.solve(hessian, gradient))"),
    "You changed the beta that was handed in: return beta - jump, which makes a new tensor.",
    cases=flowers,
    observe=arguments_untouched,
    tolerance=1e-6,
    hint="p = sigmoid(X beta); gradient X'(p - y); Hessian X' diag(p (1 - p)) X; solve; subtract.",
)


def accuracy(model: nn.Module, x: Tensor, y: Tensor, training: Tensor, kept: Tensor) -> Tensor:
    z = model(x[kept]).squeeze(1)
    return ((z > 0) == (y[kept] == 1)).double().mean()


def judged() -> list[tuple]:
    """A network, places, zeros and ones, and row numbers of two parts on which it does differently."""
    cases = []
    for seed in (3, 4, 7):
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(40, 2, generator=generator, dtype=torch.float64) + float64([1.0, 0.0])
        model = nn.Linear(2, 1).double()
        with torch.no_grad():
            model.weight.copy_(float64([[1.0, -0.6]]))
            model.bias.fill_(-0.8)
        z = model(x).detach().squeeze(1)
        y = (z + 0.8 * torch.randn(40, generator=generator, dtype=torch.float64) > 0).double()
        cases.append((model, x, y, *data.split(40, seed, 0.3)))
    return cases


unseen_accuracy = Exercise(
    accuracy,
    "Counted on rows that nobody trained on, with the border where the probability is one half.",
    ("[kept]", "[training]"),
    "Those are the rows that it was trained on: count on the rows that were kept back.",
    ("[kept]", ""),
    "All rows include those that it was trained on, and they flatter it: count on the rows that were kept back.",
    ("z > 0", "z > 0.5"),
    "The model gives logits: a probability of one half is a logit of 0, not of 0.5.",
    ("z > 0", "torch.sigmoid(z) > 0"),
    "It always says yes: a sigmoid is above 0, two are above 1/2, softmax of one number is 1. Compare logits with 0.",
    (".squeeze(1)", ""),
    "Every answer was compared with every truth: (n, 1) against (n,) broadcasts to n x n.",
    ("(z > 0) == (y[kept] == 1)", "model(x[kept]).argmax(dim=1) == y[kept]"),
    "It always says no, as argmax over one column does, or int() of a probability: ask whether a logit is above 0.",
    ("mean()", "sum() / len(y)"),
    "You divided by all rows: divide by how many were kept back.",
    (".double().mean()", ".mean()"),
    "mean() takes no truth values: make numbers of them first, with .double() for example.",
    ("y[kept]", "y"),
    "The answers are those of the kept rows, y has all rows: pick the kept ones of y, too.",
    lambda *task: 1 - accuracy(*task),
    "That is the share of the mistakes.",
    ("mean()", "sum()"),
    "That is how many are right: divide by how many there are.",
    lambda model, x, y, training, kept: log_loss(model(x[kept]).squeeze(1), y[kept]),
    "That is the log-loss: count the right answers.",
    ("(z > 0) == (y[kept] == 1)", "z > 0"),
    "That is how often it says yes: compare its answers with y.",
    ("    z", "    x = (x - x[training].mean(dim=0)) / x[training].std(dim=0)\n    z"),
    "You standardised, but this model takes the rows as they are: give it x[kept].",
    cases=judged,
    hint="Pick the kept rows of x and y, bring the logits to shape (n,), and compare logits > 0 with y == 1.",
)


def true_ones(z: Tensor, labels: Tensor) -> Tensor:
    """From each row the element of its true class."""
    return z[torch.arange(len(z)), labels]


softmax_loss = Exercise(
    F.cross_entropy,
    "This is what CrossEntropyLoss does unless told otherwise: the softmax is inside, so it wants logits.",
    lambda z, labels: F.cross_entropy(torch.softmax(z, dim=1), labels),
    "The logits went through softmax twice.",
    lambda z, labels: -torch.log(true_ones(torch.softmax(z, dim=1), labels)).mean(),
    "With a logit of 1000 it isn't finite: e^1000 is too large, and 0 has no logarithm. Use logsumexp on the logits.",
    lambda z, labels: F.cross_entropy(z, labels, reduction="sum"),
    "That is the sum, n times the mean: divide by n. If you do, (n, 1) meets (n,) and makes n x n numbers.",
    lambda z, labels: -F.cross_entropy(z, labels),
    "The sign is turned: a loss is minus the logarithm of the probability.",
    lambda z, labels: -true_ones(z, labels).mean(),
    "The denominator of softmax is missing: add the logarithm of the sum of exponentials.",
    lambda z, labels: torch.logsumexp(z, dim=0).mean() - true_ones(z, labels).mean(),
    "The sums run down the columns: softmax is taken along each row, dim=1.",
    lambda z, labels: (torch.logsumexp(z, dim=0) - true_ones(z, labels)).mean(),
    "logsumexp runs down the columns with dim=0: one number for each row is wanted, so dim=1.",
    lambda z, labels: -true_ones(torch.log_softmax(z, dim=0), labels).mean(),
    "That softmax runs down the columns: the probabilities of each row add up to 1, with dim=1.",
    lambda z, labels: (torch.logsumexp(z, dim=1) - z[labels]).mean(),
    "One number for each row met whole rows of z: take the logit of the true class alone from each.",
    lambda z, labels: -torch.log_softmax(z, dim=1).mean(),
    "All classes were averaged: only the true one of each row counts.",
    lambda z, labels: -torch.log_softmax(z, dim=1)[:, labels].mean(),
    "z[:, labels] takes all those columns of every row: one element of each row is wanted.",
    lambda z, labels: -torch.log_softmax(z, dim=1).amax(dim=1).mean(),
    "That takes the class that the model likes best: the true one counts.",
    lambda z, labels: (z.argmax(dim=1) == labels).double().mean(),
    "That is the accuracy.",
    cases=lambda: [
        (float64([[2.0, 1.0, -1.0], [0.3, -0.2, 0.9], [0.0, 0.5, -0.5], [1.0, 1.5, 0.2]]), torch.tensor([0, 1, 2, 0])),
        (float64([[1.0, -0.5], [0.2, 0.4], [-1.0, 2.0]]), torch.tensor([1, 0, 1])),
        (float64([[1000.0, 0.0, 3.0], [0.5, 0.1, 2000.0]]), torch.tensor([1, 2])),
    ],
    observe=or_overflow,
    hint="For each row: logsumexp of its logits, minus the logit of its true class. Then the mean.",
)
