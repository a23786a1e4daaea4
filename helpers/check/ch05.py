"""Checks of chapter 05."""

from typing import Any

import torch
from torch import Tensor

from helpers import data, loss
from helpers.check.engine import Exercise, float64, leaf, readings, same
from helpers.model import line


def fitted_line(u: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and intercept of the least-squares line."""
    w = ((u - u.mean()) * (c - c.mean())).sum() / ((u - u.mean()) ** 2).sum()
    return w, c.mean() - w * u.mean()


def held_out(u: Tensor, c: Tensor, order: Tensor, n: int) -> Tensor:
    rows, kept = order[:-n], order[-n:]
    w, b = fitted_line(u[rows], c[rows])
    return loss.mse(line(u[kept], w, b), c[kept])


hold_out_error = Exercise(
    held_out,
    "The same row numbers pick from u and from c, and no row stands on both sides.",
    ("c[rows]", "c[:-n]", "c[kept]", "c[-n:]"),
    "u was shuffled and c was not, so the readings have lost their partners: index both with the same rows.",
    ("u[rows]", "u[:-n]", "u[kept]", "u[-n:]"),
    "c was shuffled and u was not, so the readings have lost their partners: index both with the same rows.",
    ("order[:-n]", "order"),
    "The line has seen the rows that you measure it on: fit it without them.",
    ("order[-n:]", "order[:-n]"),
    "That is the training loss: measure on the rows that were kept back.",
    ("order[:-n], order[-n:]", "order[n:], order[:n]"),
    "You kept the first rows of the order back: the last ones are wanted.",
    ("order[", "torch.arange(len(order))["),
    "You split the rows as they stand in the table: pick them in the shuffled order.",
    lambda *task: held_out(*task).sqrt(),
    "That is its square root: the mean squared error is wanted.",
    ("w, b)", "b, w)"),
    "Slope and intercept are swapped: fit_line returns the slope first, and line takes it first.",
    cases=lambda: [
        (*readings(), torch.tensor([4, 9, 0, 7, 2, 10, 1, 6, 3, 8, 5]), 2),
        (*readings(), torch.tensor([10, 3, 8, 1, 6, 0, 5, 7, 2, 9, 4]), 4),
    ],
    hint="Fit the line to all rows of order but the last n_validation, take the mean squared error on those last rows.",
)


def epoch_case(slope: float, intercept: float, rate: float, seed: int) -> tuple:
    """What an epoch needs. The parameters come with old gradients.

    The validation pair are tensors that autograd refuses to save, so that a recorded validation pass shows.
    """
    u, c = readings()
    rows, kept = data.split(11, seed)
    w, b = leaf(slope, 3.0), leaf(intercept, -2.0)
    with torch.inference_mode():
        validation = u[kept] / 10, c[kept].clone()
    return w, b, torch.optim.SGD([w, b], lr=rate), (u[rows] / 10, c[rows]), validation


def epoch(w: Tensor, b: Tensor, optimizer: Any, training: tuple, validation: tuple) -> tuple:
    def measure(u: Tensor, c: Tensor) -> Tensor:
        return loss.mse(line(u, w, b), c)

    training_loss = measure(*training)
    with torch.no_grad():
        validation_loss = measure(*validation)
    optimizer.zero_grad()
    training_loss.backward()
    optimizer.step()
    return training_loss, validation_loss, w.detach().clone(), b.detach().clone()


def recorded_validation(given: list, wanted: list) -> str:
    """The hint for an epoch that is right but for a recorded validation loss."""
    results = [result for result in given if isinstance(result, list | tuple)]  # of one tensor nobody can tell
    recorded = same(given, wanted, 1e-5) and any(getattr(result[1], "requires_grad", False) for result in results)
    return epoch_with_validation.mistakes[0][1] if recorded else ""


epoch_with_validation = Exercise(
    epoch,
    "Both losses belong to the parameters before the step, and only the training loss has moved them.",
    ("with torch.no_grad():", "if True:"),
    "The validation pass was recorded: compute it under torch.no_grad(), and call backward on the training loss only.",
    ("*validation", "*training"),
    "Your validation loss is measured on the training pair: use the validation pair.",
    ("step()", "step(); validation_loss = torch.no_grad()(measure)(*validation)"),
    "Your validation loss is measured after the step, the training loss before it: measure both before.",
    (
        "step()",
        "step()\n    with torch.no_grad(): training_loss, validation_loss = measure(*training), measure(*validation)",
    ),
    "Both losses are measured after the step: measure them before it, as the losses of the parameters that came in.",
    ("optimizer.zero_grad()", "pass"),
    "The parameters came with old gradients, and yours were added to them: call zero_grad before backward.",
    ("optimizer.step()", "pass"),
    "w and b came back as they were: call step() with backward's gradients there, then return the two that came in.",
    ("return training_loss, validation_loss", "return validation_loss, training_loss"),
    "The losses are swapped: the training loss comes first.",
    ("training_loss =", "with torch.no_grad(): training_loss ="),
    "backward found no record: it is for the training loss alone, and only the validation pass goes under no_grad.",
    ("*training", "training[0][training], training[1]"),
    "Here training and validation are pairs (u, c) of readings, not row numbers as in the chapter: unpack them.",
    cases=lambda: [epoch_case(1.0, 0.0, 0.01, 0), epoch_case(5.0, -15.0, 0.001, 5)],
    remark=recorded_validation,
    hint="Both losses, validation under no_grad; zero_grad, backward, step; return the four in the order asked for.",
)

leave_one_out_of_the_mean = Exercise(
    lambda c: ((c - c.mean()) * len(c) / (len(c) - 1)).square().mean(),
    "It exceeds the MSE of the mean by the factor (n / (n - 1)) squared, whatever the readings are.",
    lambda c: (c - c.mean()).square().mean(),
    "Each reading is in the mean that predicts it: leave it out.",
    lambda c: ((c.sum() - c) / len(c) - c).square().mean(),
    "The others are one fewer than all the readings: divide their sum by their own number.",
    lambda c: c.var(),
    "One factor 1 - 1/n is missing: the residuals are divided by it, not their squares, and the mean is over all n.",
    lambda c: ((c - c.mean()) * (1 - 1 / len(c))).square().mean(),
    "Without its own reading the mean is further off, not nearer: divide where you multiplied.",
    lambda c: ((c - c.mean()) * len(c) / (len(c) - 1)).square().mean().sqrt(),
    "That is its square root: the mean squared error is wanted.",
    lambda c: ((c - c.mean()) * len(c) / (len(c) - 1)).square().sum(),
    "That is the sum of the squares: take their mean.",
    lambda c: torch.stack([c[c != value].mean() - value for value in c]).square().mean(),
    "Readings of equal value were left out together: leave out one at a time, by its place and not by its value.",
    cases=lambda: [(readings()[1],), (float64([1.0, 5.0, 2.0, 5.0]),)],
    hint="For each reading: the mean of the others, minus the reading, squared; then the mean of these squares.",
)


def scaled_like(u: Tensor, reference: Tensor, correction: int = 0) -> Tensor:
    return (u - reference.mean()) / reference.std(correction=correction)


standardise_validation = Exercise(
    lambda u_training, u_validation: scaled_like(u_validation, u_training),
    "A reading that arrives next week is scaled like this as well, when there is nothing else to scale it by.",
    lambda u_training, u_validation: scaled_like(u_validation, u_validation),
    "Scaled by its own mean, a warm validation set looks like a cold one: use the training set's numbers.",
    lambda u_training, u_validation: scaled_like(u_validation, torch.cat([u_training, u_validation])),
    "A leak: the validation readings take part in the mean and the standard deviation.",
    lambda u_training, u_validation: scaled_like(u_validation, u_training, correction=1),
    "That divides by n - 1 in the standard deviation: std(correction=0) divides by n.",
    lambda u_training, u_validation: u_validation - u_training.mean(),
    "The scale is missing: divide by the training set's standard deviation.",
    lambda u_training, u_validation: (u_validation - u_training.mean()) / u_validation.std(correction=0),
    "The mean is the training set's, the standard deviation is not: take both from the training set.",
    lambda u_training, u_validation: (u_validation - u_validation.mean()) / u_training.std(correction=0),
    "The standard deviation is the training set's, the mean is not: take both from the training set.",
    lambda u_training, u_validation: scaled_like(u_training, u_training),
    "That is the training part: return the validation part.",
    cases=lambda: [
        (readings()[0][:8], readings()[0][8:]),
        (float64([1.0, 4.0, 2.0, 9.0]), float64([3.0, 20.0])),
    ],
    hint="Mean and standard deviation from u_training, subtraction and division on u_validation.",
)
