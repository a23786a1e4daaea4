"""Checks of chapter 08."""

from collections.abc import Callable

import torch
from torch import Tensor

from helpers import loss
from helpers.check.engine import Exercise, arguments_untouched, describe, float64, numbers, unanswered


def hump_of(x: Tensor, left: float, right: float, steepness: float) -> Tensor:
    return (torch.tanh(steepness * (x - left)) - torch.tanh(steepness * (x - right))) / 2


hump = Exercise(
    hump_of,
    "Narrow humps side by side, each as high as the curve there, can follow any continuous curve on an interval.",
    lambda x, left, right, k: 2 * hump_of(x, left, right, k),
    "Its height is 2: a step of tanh goes from -1 to 1.",
    lambda x, left, right, k: -hump_of(x, left, right, k),
    "It is a hole: rise at left, fall at right.",
    lambda x, left, right, k: (torch.tanh(k * (x - left)) + torch.tanh(k * (x - right))) / 2,
    "As you combine them, both steps rise, which makes a staircase: one has to fall.",
    lambda x, left, right, k: hump_of(x, -left, -right, k),
    "The steps are mirrored: a neuron that switches at x = left has the argument x - left, not x + left.",
    lambda x, left, right, k: (torch.tanh(k * x - left) - torch.tanh(k * x - right)) / 2,
    "The shift is not multiplied by the steepness: k x - left is zero at x = left / k.",
    lambda x, left, right, k: 2 * hump_of(x, left, right, k) - 1,
    "It goes from -1 up to 1: rise and fall together already make 0 outside; their sum needs no shift, only a half.",
    lambda x, left, right, k: (torch.tanh(k * (x - left)) - torch.tanh(k * (x + right))) / 2,
    "It falls in the wrong place: with weight -steepness, the bias that switches at right is steepness * right.",
    lambda x, left, right, k: hump_of(x, left, right, 1.0),
    "The steepness is not used: it multiplies x - left and x - right.",
    lambda x, left, right, k: hump_of(x, left, right, 1 / k),
    "You divided by the steepness: it is the weight, so it multiplies x - left and x - right.",
    cases=lambda: [(torch.linspace(-4, 6, 21).double(), *rest) for rest in ((-1.0, 2.0, 3.0), (0.5, 4.0, 1.5))],
    hint="Add a rising step and a falling one, and halve the sum. The first is to have w x + b = 0 at x = left, the "
    "other at x = right: what is b, if w is steepness or -steepness?",
)


def is_above_chord(loss: Callable[[float], float], first: float, second: float) -> bool:
    middle, ends = loss((first + second) / 2), (loss(first) + loss(second)) / 2
    return bool(middle > ends + 1e-12)


breaks_convexity = Exercise(
    is_above_chord,
    "One such pair proves that a loss isn't convex, though not that it has a second valley; a thousand pairs without "
    "one prove nothing.",
    lambda *task: not is_above_chord(*task),
    "The comparison is turned around: convexity breaks where the middle lies above the mean of the ends.",
    ("> ends + 1e-12", "<= ends"),
    "The comparison is turned around: a middle no higher than the mean of the ends is what a convex loss has.",
    ("> ends + 1e-12", "< ends"),
    "The comparison is turned around: a middle below the mean of the ends is what a convex loss should have.",
    ("> ends + 1e-12", ">= ends"),
    "A straight line is convex: a middle as high as the mean is no violation. What you allow for rounding goes on top.",
    ("> ends + 1e-12", "> ends"),
    "Rounding misled you: on a straight line, which is convex, the middle can come out a last digit above the mean. "
    "Ask for more than that, say 1e-12.",
    ("1e-12", "1e-3"),
    "You allow too much: a middle that lies 0.0001 above the mean of the ends is no rounding. Allow about 1e-12.",
    ("ends + 1e-12", "max(loss(first), loss(second))"),
    "You compared with the higher end: convexity already breaks above the mean of the two.",
    ("ends + 1e-12", "min(loss(first), loss(second))"),
    "You compared with the lower end: a convex loss may rise above that; compare with the mean of the two.",
    ("ends + 1e-12", "2 * ends"),
    "You compared with the sum of the two losses, or halved only one of them, without brackets: halve the whole sum.",
    lambda *task: is_above_chord(*task) or None,
    "Where the middle is no higher, nothing comes back: return False there.",
    cases=lambda: [
        (lambda w: w * w, -1.0, 3.0),
        (lambda w: w**4 - 8 * w * w, -2.0, 2.0),
        (lambda w: w**4 - 8 * w * w, 2.0, 4.0),
        (lambda w: (w * w - 1) ** 2 + w, -1.0, 1.2),
        (lambda w: -w * w, 1.0, 3.0),
        (lambda w: 5 - w * w, -1.0, 1.0),
        (lambda w: 5 - 1e-4 * w * w, -1.0, 1.0),
        (lambda w: 1.0 / w, 0.5, 2.0),
        (lambda w: 7 - 2 * w, 0.0, 3.0),  # exactly on the chord, in floating point too; its middle is no whole number
        (lambda w: 0.1 * w + 0.7, 0.7, 2.3),  # above it, by rounding
    ],
    hint="Compare the loss at (first + second) / 2 with the mean of the losses at first and second.",
)


def flipped(w: Tensor, b: Tensor, v: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    w, b, v = w.clone(), b.clone(), v.clone()
    for vector in (w, b, v):
        vector[k] *= -1
    return w, b, v


def tanh_units() -> tuple[Tensor, Tensor, Tensor]:
    """Weights, biases and output weights of four hidden units, no two of them alike."""
    return tuple(float64([[1.5, -2.0, 0.5, 3.0], [0.25, 1.0, -0.75, 2.0], [-1.0, 0.5, 2.5, -0.5]]))


flip_unit = Exercise(
    flipped,
    "Different parameters, the same function: for a tanh network no single setting can be the one right answer.",
    ("in (w, b, v)", "in (w, v)"),
    "The bias kept its sign: tanh(-z) = -tanh(z) needs the whole z = w x + b turned.",
    ("in (w, b, v)", "in (w, b)"),
    "The output weight kept its sign, so the unit now counts with the opposite sign in the sum.",
    ("in (w, b, v)", "in (w,)"),
    "Only the weight was turned: the bias and the output weight have to follow.",
    ("vector[k]", "vector"),
    "You flipped every unit. That, too, leaves the function as it is, but only unit k was asked for.",
    (".clone()", ""),
    "You changed the vectors that were handed in, and with them the network they belong to: change clones.",
    (".clone()", ".copy()"),
    "A tensor has no copy(), as an array has: take clone().",
    lambda w, b, v, k: (w.clone(), b.clone(), v.clone()),
    "All signs are as they were: if you changed clones, it is these that have to be returned.",
    cases=lambda: [(*tanh_units(), 0), (*tanh_units(), 2)],
    observe=arguments_untouched,
    hint="Unit k has three numbers, its weight, bias and output weight: turn the signs of all three, and of no others.",
)


def stack_of_predictions() -> tuple[Tensor, Tensor]:
    """Predictions of three networks for four readings, and the readings' targets."""
    predictions = float64([[1.0, 2.0, 0.5, -1.0], [0.0, 1.5, 2.5, 3.0], [-0.5, 0.25, 1.0, 4.0]])
    return predictions.unsqueeze(2), float64([[0.5], [1.0], [-1.0], [2.0]])


def value_and_gradient(answer: Callable, first: Tensor, *others: Tensor) -> list:
    """The value, a scalar, and its gradient by the first argument (0 where it doesn't depend on it), in one row.

    Raises ValueError for other shapes.
    """
    value = answer(first.requires_grad_(), *others)
    if unanswered(value):
        return [None]
    value = value if isinstance(value, Tensor) else numbers(value)
    if value.numel() != 1 or value.dim() > 0:
        raise ValueError(f"a scalar is asked for, and {describe(value)} came back")
    gradient = torch.zeros_like(first)
    if value.requires_grad:
        (gradient,) = torch.autograd.grad(value, first, allow_unused=True, materialize_grads=True)
    return [torch.cat([value.detach().reshape(1), gradient.flatten()])]


stack_loss = Exercise(
    lambda predictions, targets: ((predictions - targets) ** 2).mean(dim=(1, 2)).sum(),
    "Each network's parameters occur in one term of the sum, so the others drop out of its gradient.",
    lambda predictions, targets: ((predictions - targets) ** 2).mean(),
    "You averaged over the networks too: that divides every gradient by their number.",
    lambda predictions, targets: ((predictions - targets) ** 2).sum(),
    "You summed over the readings too: a network's loss is the mean over its readings.",
    lambda predictions, targets: ((predictions - targets) ** 2).mean(dim=(1, 2)),
    "That is one number per network; backward needs a single one, the sum of their mean squared errors.",
    lambda predictions, targets: ((predictions - targets) ** 2).mean(dim=1),
    "That is one number per network, in a column; backward needs a single one, the sum of their mean squared errors.",
    lambda predictions, targets: sum(loss.mse(predictions[k], targets[k]) for k in range(len(predictions))),
    "You took one row of the targets: all networks have the same ones, so give them without any index.",
    lambda predictions, targets: loss.mse(predictions[0], targets),
    "Only the first network counts: by an index 0, or since return stands inside the loop and ends its first round.",
    lambda predictions, targets: (total := ((predictions - targets) ** 2).sum()).backward() or total,
    "You called backward yourself, which used up the graph: return the number, and leave backward to the caller.",
    lambda predictions, targets: ((predictions.mean(dim=0) - targets) ** 2).mean(),
    "You averaged the predictions first, which trains all networks as one model; each has a loss of its own.",
    lambda predictions, targets: ((predictions - targets) ** 2).mean(dim=(1, 2)).sum().detach(),
    "The number is right, but it has lost its graph: torch.tensor, .item(), .detach() or torch.no_grad() cut it off.",
    loss.mse,
    "mse wants two tensors of one shape: call it for each network, predictions[k] and targets, and add the results.",
    cases=lambda: [stack_of_predictions(), (stack_of_predictions()[0][:2], stack_of_predictions()[1])],
    observe=value_and_gradient,
    hint="First one loss per network, the mean over its readings; then add these up.",
)
