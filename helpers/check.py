"""Exercise self-checks: check.<exercise>(answer) prints one line, whatever the answer is.

Not answered yet, right (with a sentence on why it matters), or a hint for the misconception that the answer shows.
An exercise knows a misconception by what it computes: beside the right function stands the wrong one, and an answer
that gives the wrong one's results gets its hint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from helpers import data, loss


@dataclass(frozen=True)
class Mistake:
    """A misconception: the answer that it leads to (a value or a function), and the hint that names it."""

    answer: Any
    hint: str


@dataclass(frozen=True)
class Exercise:
    """A self-check, called with the learner's answer.

    chapter: where the exercise stands, such as "01".
    solution: the right value, or the right function where cases are given.
    why: one sentence on why it matters, printed beside the tick.
    mistakes: known misconceptions.
    hint: what to look at when the answer is wrong in a way that is not among them.
    cases: for functions, what to call it with; makes new arguments each time, since an answer may change them.
    tolerance: largest error, relative to the size of the right answer, that still counts as right; float32 passes.
    """

    chapter: str
    solution: Any
    why: str
    mistakes: Sequence[Mistake]
    hint: str
    cases: Callable[[], Sequence[tuple]] | None = None
    tolerance: float = 1e-5

    def __call__(self, answer: Any) -> None:
        """Print one line about the answer; never a traceback, never the solution."""
        print(self.verdict(answer))

    def verdict(self, answer: Any) -> str:
        """The line that is printed."""
        if unanswered(answer):
            return "… not answered yet"
        if self.cases is not None and not callable(answer):
            return f"✗ Give the function itself, not {describe(answer)}: write its name without brackets behind it."
        try:
            given = self.results(answer)
        except Exception as problem:
            return f"✗ Your function stopped with {type(problem).__name__}: {first_line(problem)}"
        if any(unanswered(result) for result in given):
            return "… not answered yet"
        wanted = self.results(self.solution)
        if all(same(g, w, self.tolerance) for g, w in zip(given, wanted, strict=True)):
            return f"✓ Right. {self.why}"
        for mistake in self.mistakes:
            expected = self.results(mistake.answer)
            if all(same(g, e, self.tolerance) for g, e in zip(given, expected, strict=True)):
                return f"✗ Not yet. {mistake.hint}"
        return f"✗ Not yet. {form(given[0], wanted[0]) or self.hint}"

    def results(self, answer: Any) -> list:
        """The answer itself, or what the answer returns for each case."""
        return [answer] if self.cases is None else [answer(*arguments) for arguments in self.cases()]


def unanswered(answer: Any) -> bool:
    """Whether it is what a stub leaves: None or ..."""
    return answer is None or answer is Ellipsis


def numbers(value: Any) -> Tensor:
    """A number, tensor, array, DataFrame or (nested) sequence of such as one float64 tensor, outside any graph.

    Raises TypeError or ValueError for anything else.
    """
    if isinstance(value, Tensor):
        return value.detach().to(torch.float64)
    if isinstance(value, (tuple, list)):
        return torch.stack([numbers(part) for part in value]) if value else torch.empty(0, dtype=torch.float64)
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    return torch.as_tensor(value, dtype=torch.float64)


def same(given: Any, wanted: Any, tolerance: float) -> bool:
    """Whether two results agree: words and truth values exactly, numbers in shape and within the tolerance."""
    if isinstance(wanted, (str, bool)) or isinstance(given, (str, bool)):
        clean = [v.strip().lower() if isinstance(v, str) else v for v in (given, wanted)]
        return type(clean[0]) is type(clean[1]) and clean[0] == clean[1]
    try:
        given, wanted = numbers(given), numbers(wanted)
    except (TypeError, ValueError, RuntimeError):
        return False
    if given.shape != wanted.shape:
        return False
    return torch.allclose(given, wanted, rtol=tolerance, atol=tolerance * float(wanted.abs().max() if len(wanted.shape) else 0))


def form(given: Any, wanted: Any) -> str:
    """A hint about the form of an answer, or "" where its form is right."""
    if isinstance(wanted, str):
        return "" if isinstance(given, str) else f"The answer is a word in quotes, yours is {describe(given)}."
    if isinstance(wanted, bool):
        return "" if isinstance(given, bool) else f"The answer is True or False, yours is {describe(given)}."
    try:
        given = numbers(given)
    except (TypeError, ValueError, RuntimeError):
        return f"The answer is made of numbers, yours is {describe(given)}."
    wanted = numbers(wanted)
    if given.shape != wanted.shape:
        return f"The answer has shape {tuple(wanted.shape)}, yours has {tuple(given.shape)}."
    if not given.isfinite().all():
        return "Your answer contains numbers that are not finite: look for a division by zero or a step that is too long."
    return ""


def describe(value: Any) -> str:
    """A short phrase for an answer of an unexpected kind."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    text = repr(value)
    if callable(value):
        return "a function: call it and give its result"
    if " at 0x" in text or len(text) > 40:
        return f"of type {type(value).__name__}"
    return f"{text} ({type(value).__name__})"


def first_line(problem: Exception) -> str:
    """The first line of an exception's message, cut to a readable length."""
    text = (str(problem).splitlines() or ["no message"])[0]
    return text if len(text) < 160 else text[:157] + "..."


# ---- chapter 00 ----------------------------------------------------------------------------------------------------

double = Exercise(
    chapter="00",
    solution=lambda x: 2 * x,
    cases=lambda: [(3,), (-1.5,), (torch.tensor([1.0, 2.0]),)],
    why="Every exercise of the course works like this one: fill in the stub, run the check.",
    mistakes=[
        Mistake(lambda x: x**2, "Squaring 3 gives 9; doubling gives 6."),
        Mistake(lambda x: x + 2, "Adding 2 to 3 gives 5; doubling gives 6."),
    ],
    hint="Return twice what comes in: double(3) is 6.",
)


# ---- chapter 01 ----------------------------------------------------------------------------------------------------


def readings() -> tuple[Tensor, Tensor]:
    """The readings u, c in float64, and another three that fit no other formula by accident."""
    return data.tensors(torch.float64)


design_matrix = Exercise(
    chapter="01",
    solution=lambda u: torch.stack([torch.ones_like(u), u], dim=1),
    cases=lambda: [(readings()[0],), (torch.tensor([2.0, 3.0, 5.0], dtype=torch.float64),)],
    why="With a column of ones, the intercept is a coefficient like any other, and X @ beta is the whole model.",
    mistakes=[
        Mistake(lambda u: u.unsqueeze(1), "The intercept has no column: without ones, every line goes through the origin."),
        Mistake(lambda u: u, "One column is missing, the ones for the intercept; and a matrix has two dimensions."),
        Mistake(
            lambda u: torch.stack([u, torch.ones_like(u)], dim=1),
            "The columns are swapped: R puts the intercept first, and X @ [intercept, slope] must be the model.",
        ),
        Mistake(
            lambda u: torch.stack([torch.ones_like(u), u]),
            "It lies on its side: one row per reading, one column per coefficient. Stack along dim=1.",
        ),
    ],
    hint="Stack two columns of the same length: ones for the intercept, u for the slope.",
)


def through_origin(u: Tensor, c: Tensor) -> Tensor:
    return (u * c).sum() / (u * u).sum()


slope_through_origin = Exercise(
    chapter="01",
    solution=through_origin,
    cases=lambda: [readings(), tuple(torch.tensor([[1.0, 2.0, 4.0], [3.0, 1.0, 5.0]], dtype=torch.float64))],
    why='R agrees: lm("c ~ 0 + u", df) fits the same line through the origin.',
    mistakes=[
        Mistake(lambda u, c: c.mean() / u.mean(), "That line passes through the point of means; it does not minimise the squares."),
        Mistake(lambda u, c: (c / u).mean(), "The mean of the ratios weighs a reading near u = 0 far too much; minimise the squares."),
        Mistake(
            lambda u, c: ((u - u.mean()) * (c - c.mean())).sum() / ((u - u.mean()) ** 2).sum(),
            "That is the slope of the line with an intercept: leave the means out, this line has no intercept.",
        ),
    ],
    hint="Set the derivative of sum((w u - c)^2) with respect to w to zero and solve for w.",
)


residual_standard_error = Exercise(
    chapter="01",
    solution=lambda residuals, p: ((residuals**2).sum() / (len(residuals) - p)).sqrt(),
    cases=lambda: [
        (torch.tensor([1.0, -2.0, 2.0, -1.0, 3.0], dtype=torch.float64), 2),
        (torch.tensor([0.5, 0.25, -0.75, 1.0], dtype=torch.float64), 1),
    ],
    why="Dividing by n - p corrects for the p coefficients that were chosen to make these residuals small.",
    mistakes=[
        Mistake(
            lambda residuals, p: (residuals**2).mean().sqrt(),
            "You divided by n: a fit with p coefficients leaves n - p degrees of freedom.",
        ),
        Mistake(
            lambda residuals, p: ((residuals**2).sum() / (len(residuals) - 1)).sqrt(),
            "You divided by n - 1: that is right for one estimated mean; here p coefficients were estimated.",
        ),
        Mistake(
            lambda residuals, p: (residuals**2).sum() / (len(residuals) - p),
            "That is the variance, in squared degrees: take the square root.",
        ),
        Mistake(
            lambda residuals, p: residuals.std(),
            "std subtracts the mean and divides by n - 1: square the residuals themselves, divide by n - p.",
        ),
    ],
    hint="Sum the squared residuals, divide by the degrees of freedom n - p, take the square root.",
)


def interval(estimate: float, standard_error: float, quantile: float) -> tuple[float, float]:
    return estimate - quantile * standard_error, estimate + quantile * standard_error


confidence_interval = Exercise(
    chapter="01",
    solution=interval,
    cases=lambda: [(10.0, 2.0, 2.5), (-17.0, 1.5, 2.262)],
    why="Estimate plus or minus quantile times standard error: the recipe behind confint() in R.",
    mistakes=[
        Mistake(lambda e, s, q: (e - s, e + s), "One standard error each way covers about two thirds: multiply it by the quantile."),
        Mistake(lambda e, s, q: (e - 1.96 * s, e + 1.96 * s), "1.96 belongs to a known variance; use the quantile you are given."),
        Mistake(lambda e, s, q: (e + q * s, e - q * s), "The ends are swapped: the lower one comes first."),
        Mistake(lambda e, s, q: (e - q * s / 2, e + q * s / 2), "You halved the width: the quantile counts from the middle to one end."),
    ],
    hint="Return a pair, the lower end first: the estimate minus, then plus, quantile times standard error.",
)


# ---- chapter 02 ----------------------------------------------------------------------------------------------------


forward_difference = Exercise(
    chapter="02",
    solution=lambda f, x, delta: (f(x + delta) - f(x)) / delta,
    cases=lambda: [(lambda x: x**3, 2.0, 0.5), (lambda x: x * x - x, -1.0, 0.25)],
    why="One more call of f than the loss itself; the central difference costs two, and errs by delta squared, not delta.",
    mistakes=[
        Mistake(
            lambda f, x, delta: (f(x + delta) - f(x)) / (2 * delta),
            "You divided by 2 * delta, but the two points are only delta apart.",
        ),
        Mistake(
            lambda f, x, delta: (f(x + delta) - f(x - delta)) / (2 * delta),
            "That is the central difference: the forward difference uses x itself and one point ahead.",
        ),
        Mistake(
            lambda f, x, delta: (f(x) - f(x + delta)) / delta,
            "The sign is turned: a function that rises must have a positive slope.",
        ),
        Mistake(lambda f, x, delta: f(x + delta) - f(x), "That is the rise; a slope is rise divided by run."),
    ],
    hint="Rise over run, between x and x + delta.",
)


gradient_through_origin = Exercise(
    chapter="02",
    solution=lambda u, c, w: 2 * ((w * u - c) * u).mean(),
    cases=lambda: [(*readings(), 1.0), (*readings(), -0.5)],
    why="The same three factors, outer derivative, residual, inner derivative, return in every layer of a network.",
    mistakes=[
        Mistake(lambda u, c, w: ((w * u - c) * u).mean(), "The factor 2 is missing: the derivative of r squared is 2 r."),
        Mistake(lambda u, c, w: 2 * ((c - w * u) * u).mean(), "The sign is turned: the residual is prediction minus target, w u - c."),
        Mistake(lambda u, c, w: 2 * (w * u - c).mean(), "The inner derivative is missing: w u changes by u when w changes by 1."),
        Mistake(lambda u, c, w: 2 * ((w * u - c) * u).sum(), "You summed over the readings; the loss is a mean."),
        Mistake(lambda u, c, w: 2 * (w * u - c) * u, "That is one number per reading; the loss averages over them."),
    ],
    hint="Chain rule, reading by reading: outer derivative times inner derivative, then the mean.",
)


def step(u: Tensor, c: Tensor, w: float, b: float, learning_rate: float) -> tuple[Tensor, Tensor]:
    slope_w, slope_b = loss.mse_gradient(u, c, w, b)
    return w - learning_rate * slope_w, b - learning_rate * slope_b


def uphill_step(u: Tensor, c: Tensor, w: float, b: float, learning_rate: float) -> tuple[Tensor, Tensor]:
    return step(u, c, w, b, -learning_rate)


def sequential_step(u: Tensor, c: Tensor, w: float, b: float, learning_rate: float) -> tuple[Tensor, Tensor]:
    new_w = step(u, c, w, b, learning_rate)[0]
    return new_w, step(u, c, new_w, b, learning_rate)[1]


def swapped_step(u: Tensor, c: Tensor, w: float, b: float, learning_rate: float) -> tuple[Tensor, Tensor]:
    slope_w, slope_b = loss.mse_gradient(u, c, w, b)
    return w - learning_rate * slope_b, b - learning_rate * slope_w


one_step = Exercise(
    chapter="02",
    solution=step,
    cases=lambda: [(readings()[0] / 10, readings()[1], 1.0, 0.0, 0.01), (*readings(), 0.5, -10.0, 0.0001)],
    why="Both parameters move from the same point, so the step really goes down the gradient.",
    mistakes=[
        Mistake(uphill_step, "The loss grows: step against the gradient, with a minus."),
        Mistake(sequential_step, "b moved after w had moved: compute both derivatives first, then take both steps."),
        Mistake(swapped_step, "The derivatives are swapped: dL/dw moves w, dL/db moves b."),
        Mistake(lambda u, c, w, b, rate: loss.mse_gradient(u, c, w, b), "That is the gradient; the step subtracts a part of it from (w, b)."),
    ],
    hint="Take the gradient at (w, b), then subtract learning_rate times it from both.",
)


def curvatures(u: Tensor) -> Tensor:
    X = torch.stack([u, torch.ones_like(u)], dim=1)
    return torch.linalg.eigvalsh(2 * X.T @ X / len(u))


largest_stable_rate = Exercise(
    chapter="02",
    solution=lambda u: 2 / curvatures(u)[-1],
    cases=lambda: [(readings()[0],), (readings()[0] / 10,)],
    why="One division tells whether a run will blow up, before the run.",
    mistakes=[
        Mistake(lambda u: 1 / curvatures(u)[-1], "At 1 / curvature a step lands on the valley floor; overshooting is allowed up to twice that."),
        Mistake(lambda u: 2 / curvatures(u)[0], "You took the gentlest curvature; the sharpest one sets the limit."),
        Mistake(lambda u: 4 / curvatures(u)[-1], "The factor 2 of the loss is missing in the curvature: it is 2 / n times X' X."),
        Mistake(lambda u: 2 / (curvatures(u)[-1] * len(u)), "The loss is a mean: divide X' X by n."),
        Mistake(lambda u: curvatures(u)[-1], "That is the curvature; the limit is 2 divided by it."),
    ],
    hint="The limit is 2 divided by the largest eigenvalue of the Hessian 2 / n times X' X.",
)


# ---- chapter 03 ----------------------------------------------------------------------------------------------------


# ---- chapter 04 ----------------------------------------------------------------------------------------------------


# ---- chapter 05 ----------------------------------------------------------------------------------------------------


# ---- chapter 06 ----------------------------------------------------------------------------------------------------


# ---- chapter 07 ----------------------------------------------------------------------------------------------------


# ---- chapter 08 ----------------------------------------------------------------------------------------------------


# ---- chapter 09 ----------------------------------------------------------------------------------------------------


# ---- chapter 10 ----------------------------------------------------------------------------------------------------


# ---- chapter 11 ----------------------------------------------------------------------------------------------------


# ---- chapter 12 ----------------------------------------------------------------------------------------------------


EXERCISES = {name: value for name, value in list(globals().items()) if isinstance(value, Exercise)}
