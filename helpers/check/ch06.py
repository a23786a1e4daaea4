"""Checks of chapter 06."""

import torch
from torch import Tensor

from helpers.check.engine import Exercise, float64, nudged


def neuron_cases() -> list[tuple]:
    """A batch, weights and a bias; once with as many rows as inputs."""
    x = float64([[2.0, -1.0, 0.5], [0.5, 1.0, -1.5], [-0.25, 0.75, 1.0], [1.0, 0.0, 0.5]])
    w = float64([0.5, 1.5, -0.75])
    return [(x, w, float64(0.25)), (x[:3], -w, float64(-0.5))]


def random_cases(seed: int, *cases: tuple) -> list[tuple]:
    """For each case random tensors of these shapes."""
    generator = torch.Generator().manual_seed(seed)
    return [tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in case) for case in cases]


def network(x: Tensor, W0: Tensor, b0: Tensor, W1: Tensor, b1: Tensor) -> Tensor:
    hidden = torch.tanh(x @ W0.T + b0)
    return hidden @ W1.T + b1


one_neuron = Exercise(
    lambda x, w, b: torch.tanh(x @ w + b),
    "First everything is added up, then bent once: that is a neuron, however many inputs it has.",
    lambda x, w, b: torch.tanh(x @ w) + b,
    "The bias came after tanh, where it lifts the curve: it belongs inside, where it shifts the step.",
    lambda x, w, b: x @ w + b,
    "The activation is missing: without tanh it is a linear model.",
    lambda x, w, b: torch.tanh(x * w).sum(dim=1) + b,
    "You bent each product before adding: add up the products and the bias first, then apply tanh once.",
    lambda x, w, b: torch.tanh(x * w + b).sum(dim=1),
    "That is a sum of neurons with one input each: add up the products first, and the bias once.",
    lambda x, w, b: torch.tanh((x + b) @ w),
    "The bias was multiplied by the weights: it is added to the products, once.",
    lambda x, w, b: torch.tanh(w @ x + b),
    "The shapes don't fit: a batch has its inputs in rows, and the weights multiply it from the right, x @ w.",
    lambda x, w, b: torch.tanh(torch.dot(w, x) + b),
    "torch.dot takes two vectors, and x is a whole batch of them: x @ w does it for every row.",
    lambda x, w, b: torch.tanh(torch.dot(x, w) + b),
    "torch.dot takes one vector on each side, and x is a batch of them: @ takes the batch as it is.",
    lambda x, w, b: torch.tanh((x @ w).cumsum(dim=0) + b),
    "Each row went on where the one before ended. Did += change b itself, or was the sum never begun anew?",
    cases=neuron_cases,
    hint="Each row times the weights, added up; plus the bias; then tanh of the result.",
)

hidden_layer_network = Exercise(
    network,
    "The bend stands between the layers, and no tanh limits what the output layer gives.",
    ("torch.tanh(x @ W0.T + b0)", "x @ W0.T + b0", "hidden @ W1.T + b1", "torch.tanh(hidden @ W1.T + b1)"),
    "tanh came after both layers: then the two collapse into one before it. It belongs between them.",
    ("hidden @ W1.T + b1", "torch.tanh(hidden @ W1.T + b1)"),
    "tanh after the output layer keeps every output between -1 and 1: leave the second one out.",
    ("torch.tanh", ""),
    "The activation is missing: without it two layers are one.",
    (" + b1", ""),
    "The second bias is missing: b1 is added after the second product.",
    (" + b0", ""),
    "The first bias is missing: b0 is added before tanh.",
    (" + b0)", ") + b0"),
    "The first bias came after tanh: it belongs inside.",
    ("W0.T", "W0"),
    "The first weight matrix is not transposed. Where it is square, that gives other numbers and no error.",
    lambda x, W0, b0, W1, b1: torch.tanh(x @ W0 + b0) @ W1 + b1,
    "The shapes don't fit: the weight matrices have a row per neuron, so a batch of rows needs W.T.",
    lambda x, W0, b0, W1, b1: W1 @ torch.tanh(W0 @ x + b0) + b1,
    "The matrices stand on the left, as for one vector: a batch of rows stands there itself, x @ W0.T.",
    lambda x, W0, b0, W1, b1: torch.tanh(W0 @ x.T + b0),
    "With x.T the readings lie in columns, where the biases don't fit: keep them in rows, x @ W0.T + b0.",
    cases=lambda: random_cases(6, ((4, 3), (3, 3), (3,), (2, 3), (2,)), ((4, 2), (3, 2), (3,), (1, 3), (1,))),
    hint="First layer: the batch times W0 transposed, plus b0, then tanh. Second layer: likewise, without tanh.",
)

collapsed_bias = Exercise(
    lambda b0, W1, b1, W2, b2: W2 @ (W1 @ b0 + b1) + b2,
    "Depth alone adds no function: what makes a network more than one layer is the bend between its layers.",
    lambda b0, W1, b1, W2, b2: W1 @ W2 @ b0 + W2 @ b1 + b2,
    "The matrices are in the wrong order: they stand on the left of b0, W1 next to it, since b0 meets that one first.",
    lambda b0, W1, b1, W2, b2: W1 @ (W2 @ b0) + W2 @ b1 + b2,
    "W2 multiplies b0 itself: b0 goes through W1 first, and W2 takes what comes out.",
    lambda b0, W1, b1, W2, b2: b0 + b1 + b2,
    "You added the biases as they are: each of them still goes through the layers after it.",
    lambda b0, W1, b1, W2, b2: b2 + b1 + b0,
    "You added the biases as they are, and they need not fit: each still goes through the layers after it.",
    lambda b0, W1, b1, W2, b2: W2.T @ (W1.T @ b0 + b1) + b2,
    "W1 is transposed, which fits only where it is square: one vector goes through a layer as W @ b.",
    lambda b0, W1, b1, W2, b2: W2.T @ (W1 @ b0 + b1) + b2,
    "W2 is transposed: one vector goes through a layer as W @ b; W.T is for a batch of rows.",
    lambda b0, W1, b1, W2, b2: (b0 @ W1 + b1) @ W2 + b2,
    "b0 @ W1 is the transposed W1 times b0: write the matrix on the left, W1 @ b0.",
    lambda b0, W1, b1, W2, b2: W2.T @ W1.T @ b0 + W2.T @ b1 + b2,
    "A transposed matrix doesn't fit here: one vector goes through a layer as W @ b, with the matrix as it is.",
    lambda b0, W1, b1, W2, b2: W2 @ b1 + b2,
    "The first bias is missing: b0 goes through both later layers.",
    lambda b0, W1, b1, W2, b2: W1 @ b0 + W2 @ b1 + b2,
    "Half of b0's way is missing: behind W1 it goes through the last layer, too.",
    lambda b0, W1, b1, W2, b2: W2 @ W1 @ b0 + b2,
    "The middle bias is missing: b1 goes through the last layer.",
    lambda b0, W1, b1, W2, b2: W2 @ W1 @ b0 + W1 @ b1 + b2,
    "W1 multiplies b0 alone, and where it isn't square, nothing else fits: b1 and b2 are added behind it.",
    lambda b0, W1, b1, W2, b2: W2 @ W1 @ b0 + b1 + b2,
    "One bracket is missing: b1 goes through the last layer, too.",
    lambda b0, W1, b1, W2, b2: W2 @ W1 @ b0,
    "Only the first bias has arrived: b1 and b2 are added on the way.",
    lambda b0, W1, b1, W2, b2: W2 @ (W1 @ b0 + b1),
    "The last bias is missing: b2 is added at the end, as it is.",
    lambda b0, W1, b1, W2, b2: W1 @ b0 + b1,
    "That is the bias of the first two layers: it still goes through the third.",
    lambda b0, W1, b1, W2, b2: b2,
    "Only the last bias is left: those of the earlier layers go through the layers after them.",
    cases=lambda: random_cases(7, *(((m,), (k, m), (k,), (k, k), (k,)) for m, k in ((3, 3), (2, 2), (2, 3)))),
    hint="Insert the first layer into the second, multiply out, and insert the result into the third.",
)

sensitivity = Exercise(
    lambda x, w, b: w / torch.cosh(w * x + b) ** 2,
    "A large weight makes a neuron more sensitive at its step, and saturated all the sooner away from it.",
    lambda x, w, b: 1 / torch.cosh(w * x + b) ** 2,
    "The inner derivative is missing: z = w x + b changes w times as fast as x.",
    lambda x, w, b: w / torch.cosh(x) ** 2,
    "You took the slope of tanh at x: take it at z = w x + b.",
    lambda x, w, b: w * (1 - torch.tanh(w * x + b)),
    "The square is missing: the slope of tanh is 1 - o squared.",
    lambda x, w, b: w - torch.tanh(w * x + b) ** 2,
    "A bracket is missing: w multiplies all of 1 - o squared.",
    lambda x, w, b: w / torch.cosh(w * x) ** 2,
    "The bias is missing in z: it shifts the place where the slope is taken.",
    lambda x, w, b: x / torch.cosh(w * x + b) ** 2,
    "That is the derivative with respect to w, which training needs: x is asked for.",
    lambda x, w, b: torch.tanh(w * x + b),
    "That is the output itself: return its derivative.",
    lambda x, w, b: w / torch.cosh(w * x + b) ** 2 / len(x),
    "Too small by the number of rows: that is the gradient of the mean of the outputs. Take their sum instead.",
    lambda x, w, b: torch.tanh(w * x.requires_grad_() + b).backward(),
    "Autograd starts from one number. Each output depends on its own x alone, so the sum of the outputs will do.",
    lambda x, w, b: torch.tanh(w * x.requires_grad_() + b).sum().backward(),
    "None came back. Does return hand on the slopes? Autograd leaves them in x.grad alone, once backward() has run.",
    cases=lambda: [
        (float64([-2.0, -0.5, 0.0, 0.75, 3.0]), 1.5, 0.5),
        (float64([-1.0, 0.25, 2.0]), -0.75, -1.0),
        (torch.tensor([-1.0, 0.5, 2.0]), 0.5, 0.25),
    ],
    remark=nudged,
    hint="The chain rule: the slope of tanh at z = w x + b, times the slope of z.",
)
