"""Checks of chapter 11."""

from collections.abc import Sequence

import torch

from helpers.check.engine import Exercise, float64

judged_error = Exercise(
    lambda chooser, judge: judge[chooser.argmin()],
    "The reading that chose the epoch is used up by the choice; the other one has had no say in it.",
    lambda chooser, judge: chooser.min(),
    "The smallest error of the reading that chose is small because it was chosen: ask the other reading.",
    lambda chooser, judge: judge.min(),
    "Now the judge has chosen the epoch for itself: take the epoch at which the chooser is smallest.",
    lambda chooser, judge: judge[-1],
    "That is the error after the last epoch: nothing was stopped early.",
    lambda chooser, judge: chooser[judge.argmin()],
    "The two have swapped their tasks.",
    lambda chooser, judge: (chooser + judge).min() / 2,
    "Their mean was made as small as possible: then both have chosen, and nobody is left to judge.",
    lambda chooser, judge: judge[(chooser + judge).argmin()],
    "Both readings have chosen that epoch together: the choice belongs to the first one alone.",
    lambda chooser, judge: chooser.argmin(),
    "That is the epoch: give the judge's error there.",
    lambda chooser, judge: judge[(chooser.diff() > 0).int().argmax()],
    "That is the first epoch after which the chooser's error rises: it may fall lower later, so look at all epochs.",
    lambda chooser, judge: judge[chooser.min()],
    "You look up with an error, which is no place: argmin() says at which epoch the smallest one stands.",
    cases=lambda: [
        float64([[9.0, 4.0, 0.5, 2.0, 6.0], [8.0, 3.0, 2.5, 1.5, 7.0]]).unbind(),
        float64([[3.0, 0.2, 5.0, 4.0], [0.7, 1.9, 0.1, 2.2]]).unbind(),
        float64([[9.0, 1.0, 3.0, 0.5, 6.0], [0.05, 4.0, 0.1, 5.0, 7.0]]).unbind(),
        float64([[0.3, 4.0, 2.0], [1.5, 0.6, 3.0]]).unbind(),
        float64([[3.0, 0.9, 2.0, 0.6], [1.2, 0.8, 5.0, 2.5]]).unbind(),
    ],
    hint="Which of the two may look for the smallest error, and over which epochs? The other one speaks only then.",
)


decayed_step = Exercise(
    lambda w, gradient, rate, weight_decay: w - rate * (gradient + weight_decay * w),
    "Each step takes the same share of every parameter, and the loss has to earn it back.",
    lambda w, gradient, rate, weight_decay: w - rate * gradient,
    "That is a step without decay: the penalty's gradient is missing.",
    lambda w, gradient, rate, weight_decay: w - rate * gradient - weight_decay * w,
    "The decay is part of the gradient, so the rate multiplies it, too.",
    lambda w, gradient, rate, weight_decay: w - rate * gradient + weight_decay * w,
    "Only the loss's gradient is subtracted, times the rate: put both gradients into brackets.",
    lambda w, gradient, rate, weight_decay: w - rate * (gradient - weight_decay * w),
    "The sign of the decay is turned: this one drives the parameters away from zero.",
    lambda w, gradient, rate, weight_decay: w + rate * (gradient + weight_decay * w),
    "A step goes against the gradient: subtract it.",
    lambda w, gradient, rate, weight_decay: w - rate * (gradient + 2 * weight_decay * w),
    "Twice too strong: the penalty has a factor of one half, which the derivative of the square cancels.",
    lambda w, gradient, rate, weight_decay: w - rate * (gradient + weight_decay / 2 * w),
    "Half as strong as it should be: a square has the derivative 2w, and its 2 cancels the penalty's one half.",
    lambda w, gradient, rate, weight_decay: (1 - rate * weight_decay) * (w - rate * gradient),
    "The decay was taken from the stepped parameters: both parts of the gradient belong to the old ones.",
    lambda w, gradient, rate, weight_decay: w - rate * (gradient + weight_decay / 2 * (w**2).sum()),
    "You added the penalty itself; a gradient needs its derivative with respect to each parameter.",
    lambda w, gradient, rate, weight_decay: w - rate * (gradient + weight_decay / 2 * w**2),
    "You added each parameter's penalty itself; a gradient needs its derivative.",
    lambda w, gradient, rate, weight_decay: w - rate * (gradient + weight_decay),
    "The pull is in proportion to the parameter: multiply weight_decay by w.",
    lambda w, gradient, rate, weight_decay: w - rate * (gradient + weight_decay * w.sign()),
    "All are pulled equally hard here; the penalty of squares pulls large parameters harder.",
    lambda w, gradient, rate, weight_decay: rate * (gradient + weight_decay * w),
    "That is the step alone: subtract it from w.",
    cases=lambda: [
        (float64([2.0, -1.0, 0.5]), float64([0.3, -0.2, 0.1]), 0.1, 0.4),
        (float64([[1.5, -3.0], [0.0, 4.0]]), float64([[0.0, 1.0], [-2.0, 0.5]]), 0.05, 0.7),
    ],
    hint="Write the loss with its penalty, take the derivative for one parameter, and make a step of SGD with it.",
)


def halted(losses: Sequence[float], patience: int) -> int:
    best = waited = 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best]:
            best, waited = epoch, 0
        else:
            waited += 1
        if waited == patience:
            break
    return best


kept_epoch = Exercise(
    halted,
    "So it is done in practice: nobody knows at the halt whether a smaller loss would have come.",
    lambda losses, patience: int(torch.tensor(losses).argmin()),
    "That looks at all epochs, also at those after the halt, which were never run.",
    ("return best", "return epoch"),
    "That is the epoch of the halt; the parameters to keep are older.",
    ("break", "return epoch"),
    "Where it halts you return the epoch of the halt; the parameters to keep are older.",
    ("return best", "return best + 1"),
    "Count the epochs from 0.",
    ("== patience", "== 1"),
    "It halts at the first loss that is no smaller: the patience isn't used.",
    ("range(1, len(losses))", "range(len(losses))"),
    "Epoch 0 is counted among those that brought nothing: its loss is the first to be the smallest.",
    ("== patience", "== patience - 1"),
    "It halts one epoch too early: only those behind the best epoch count, and patience of them may pass.",
    ("\n    return best", "", "break", "return best"),
    "Where the losses end without a halt, nothing comes back: there is a best epoch then, too.",
    ("== patience", "> patience"),
    "It waits for one epoch too many: halt as soon as patience epochs have brought nothing.",
    ("best, waited = epoch, 0", "best = epoch"),
    "Each new smallest loss begins the waiting anew: only epochs in a row count.",
    ("losses[best]", "losses[epoch - 1]"),
    "Compare each loss with the smallest so far, not with the one before it.",
    ("<", "<="),
    "An equal loss is no smaller one: it brings nothing, and the waiting goes on.",
    ("return best", "return losses[best]"),
    "That is the loss: give the number of its epoch.",
    lambda losses, patience: min(losses),
    "That is the smallest loss of all: give the number of an epoch, and don't look behind the halt.",
    cases=lambda: [
        ([9.0, 7.0, 8.0, 6.0, 7.5, 5.0, 6.1, 6.6, 4.0], 2),
        ([5.0, 4.0, 4.5, 4.2, 3.0, 3.5, 3.6, 3.7, 1.0], 2),
        ([5.0, 4.0, 4.5, 3.9, 3.8, 4.1, 4.3], 3),
        ([8.0, 8.5, 7.0, 7.2, 7.1, 7.3, 2.0, 1.0], 3),
        ([5.0, 4.0, 4.0, 4.5, 3.0], 2),
        ([5.0, 6.0, 4.0, 4.5, 4.4, 3.0], 2),
        ([5.0, 4.0, 3.5, 3.6, 3.0], 2),
        ([5.0, 4.0, 4.2, 4.1, 3.0], 3),
    ],
    hint="Does the loop go on to the halt, or the end? Let it remember the best epoch and how many passed since.",
)
