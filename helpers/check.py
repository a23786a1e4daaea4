"""Exercise self-checks: check.<exercise>(answer) prints one line, whatever the answer is.

Not answered yet, right (with a sentence on why it matters), or a hint for the misconception that the answer shows.
An exercise knows a misconception by what it computes: beside the right function stands the wrong one, and an answer
that gives the wrong one's results gets its hint.
"""

from __future__ import annotations

import contextlib
import dis
import io
import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from helpers import data, loss
from helpers.model import line
from helpers.training import train


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
        """The line that is printed. Python's warnings stay unsaid: a hint says it better."""
        with warnings.catch_warnings(action="ignore"):
            return self.judgement(answer)

    def judgement(self, answer: Any) -> str:
        """The verdict, found by running the answer and, where it is not right, the mistakes."""
        if unanswered(answer):
            return "… not answered yet"
        if self.cases is not None and not callable(answer):
            return f"✗ Give the function itself, not {describe(answer)}: write its name without brackets behind it."
        try:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                given = self.results(answer)
        except Exception as problem:
            alike = [mistake.hint for mistake in self.mistakes if self.stop(mistake.answer) == describe_stop(problem)]
            return f"✗ Not yet. {alike[0]}" if alike else f"✗ Your function stopped with {describe_stop(problem)}"
        nothing = any(unanswered(result) for result in given)
        if nothing and is_stub(answer) and not printed.getvalue():
            return "… not answered yet"
        wanted = self.results(self.solution)
        if all(same(g, w, self.tolerance) for g, w in zip(given, wanted, strict=True)):
            return f"✓ Right. {self.why}"
        for mistake in self.mistakes:
            if self.stop(mistake.answer):
                continue
            expected = self.results(mistake.answer)
            if all(same(g, e, self.tolerance) for g, e in zip(given, expected, strict=True)):
                return f"✗ Not yet. {mistake.hint}"
        if nothing:
            did = "printed something but returned" if printed.getvalue() else "returned"
            what = "forward" if isinstance(answer, type) else "function"
            return f"✗ Your {what} {did} nothing: hand the result back with return."
        return f"✗ Not yet. {form(given[0], wanted[0]) or self.hint}"

    def results(self, answer: Any) -> list:
        """The answer itself, or what the answer returns for each case."""
        return [answer] if self.cases is None else [answer(*arguments) for arguments in self.cases()]

    def stop(self, answer: Any) -> str:
        """The exception that the answer stops with, or "" where it gives results."""
        try:
            self.results(answer)
        except Exception as problem:
            return describe_stop(problem)
        return ""


def unanswered(answer: Any) -> bool:
    """Whether it is what a stub leaves: None or ..."""
    return answer is None or answer is Ellipsis


def is_stub(answer: Any) -> bool:
    """Whether the body of a function, or of a module class's forward, does no more than return a constant."""
    code = getattr(getattr(answer, "forward", answer), "__code__", None)
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
    return code is None or {instruction.opname for instruction in dis.get_instructions(code)} <= idle


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
    if unanswered(given) or unanswered(wanted):
        return given is wanted
    if isinstance(wanted, (str, bool)) or isinstance(given, (str, bool)):
        clean = [v.strip().lower() if isinstance(v, str) else v for v in (given, wanted)]
        return type(clean[0]) is type(clean[1]) and clean[0] == clean[1]
    try:
        given, wanted = numbers(given), numbers(wanted)
    except (TypeError, ValueError, RuntimeError):
        return False
    if given.shape != wanted.shape:
        return False
    largest = float(wanted.abs().max()) if wanted.ndim and wanted.numel() else 0
    return torch.allclose(given, wanted, rtol=tolerance, atol=tolerance * largest)


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
    if isinstance(wanted, tuple) and given.shape[:1] != (len(wanted),):
        return f"The answer has {len(wanted)} parts: return all of them, separated by commas."
    wanted = numbers(wanted)
    if given.shape != wanted.shape:
        return f"The answer has shape {tuple(wanted.shape)}, yours has {tuple(given.shape)}."
    if not given.isfinite().all():
        return (
            "Your answer contains numbers that are not finite: look for a division by zero or a step that is too long."
        )
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


def describe_stop(problem: Exception) -> str:
    """The kind of an exception and the first line of its message."""
    return f"{type(problem).__name__}: {first_line(problem)}"


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


def parabola_matrix(u: Tensor) -> Tensor:
    return torch.stack([torch.ones_like(u), u, u**2], dim=1)


design_matrix = Exercise(
    chapter="01",
    solution=parabola_matrix,
    cases=lambda: [(readings()[0],), (torch.tensor([2.0, 3.0, 5.0], dtype=torch.float64),)],
    why="A curve that is a sum of known columns, each times a coefficient, is still a linear model to lm().",
    mistakes=[
        Mistake(
            lambda u: parabola_matrix(u)[:, 1:],
            "The intercept has no column: without ones, every curve goes through the origin.",
        ),
        Mistake(lambda u: parabola_matrix(u)[:, :2], "That is the line's design matrix: the parabola has one more."),
        Mistake(
            lambda u: parabola_matrix(u).flip(1),
            "The order is reversed: the formula, like R, begins with the intercept.",
        ),
        Mistake(
            lambda u: parabola_matrix(u).T,
            "It lies on its side: one row per reading, one column per coefficient.",
        ),
    ],
    hint="Each term of the formula gives one column: what is its coefficient multiplied by, reading by reading?",
)


def through_origin(u: Tensor, c: Tensor) -> Tensor:
    return (u * c).sum() / (u * u).sum()


slope_through_origin = Exercise(
    chapter="01",
    solution=through_origin,
    cases=lambda: [readings(), tuple(torch.tensor([[1.0, 2.0, 4.0], [3.0, 1.0, 5.0]], dtype=torch.float64))],
    why='R agrees: lm("c ~ 0 + u", df) fits the same line through the origin.',
    mistakes=[
        Mistake(
            lambda u, c: c.mean() / u.mean(),
            "That line passes through the point of means; it does not minimise the squares.",
        ),
        Mistake(
            lambda u, c: (c / u).mean(),
            "The mean of the ratios weighs a reading near u = 0 far too much; minimise the squares.",
        ),
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
    hint="Try it on paper: residuals 3, -3 and 0 with p = 1 have a residual standard error of 3.",
)


def interval(estimate: float, standard_error: float, quantile: float) -> tuple[float, float]:
    return estimate - quantile * standard_error, estimate + quantile * standard_error


confidence_interval = Exercise(
    chapter="01",
    solution=interval,
    cases=lambda: [(10.0, 2.0, 2.5), (-17.0, 1.5, 2.262)],
    why="Estimate plus or minus quantile times standard error: the recipe behind confint() in R.",
    mistakes=[
        Mistake(
            lambda e, s, q: (e - s, e + s),
            "One standard error each way covers about two thirds: multiply it by the quantile.",
        ),
        Mistake(
            lambda e, s, q: (e - 1.96 * s, e + 1.96 * s),
            "1.96 belongs to a known variance; use the quantile you are given.",
        ),
        Mistake(lambda e, s, q: (e + q * s, e - q * s), "The ends are swapped: the lower one comes first."),
        Mistake(
            lambda e, s, q: (e - q * s / 2, e + q * s / 2),
            "You halved the width: the quantile counts from the middle to one end.",
        ),
    ],
    hint="Try it on paper: for an estimate of 10, a standard error of 2 and a quantile of 3 it runs from 4 to 16.",
)


# ---- chapter 02 ----------------------------------------------------------------------------------------------------


def forward_slopes(f: Callable[[float, float], float], w: float, b: float, delta: float) -> tuple[float, float]:
    return (f(w + delta, b) - f(w, b)) / delta, (f(w, b + delta) - f(w, b)) / delta


forward_difference = Exercise(
    chapter="02",
    solution=forward_slopes,
    cases=lambda: [(lambda w, b: w**3 + w * b, 2.0, -1.0, 0.5), (lambda w, b: w - 2 * b * b, -1.0, 3.0, 0.25)],
    why="Three losses instead of four; the price is an error in proportion to delta, not to its square.",
    mistakes=[
        Mistake(
            lambda f, w, b, delta: tuple(slope / 2 for slope in forward_slopes(f, w, b, delta)),
            "You divided by 2 * delta, but the two points are only delta apart.",
        ),
        Mistake(
            lambda f, w, b, delta: (
                (f(w + delta, b) - f(w - delta, b)) / (2 * delta),
                (f(w, b + delta) - f(w, b - delta)) / (2 * delta),
            ),
            "That is the central difference: the forward difference uses the point itself and one ahead.",
        ),
        Mistake(
            lambda f, w, b, delta: tuple(-slope for slope in forward_slopes(f, w, b, delta)),
            "The sign is turned: where the loss rises, the slope must be positive.",
        ),
        Mistake(
            lambda f, w, b, delta: 2 * ((f(w + delta, b + delta) - f(w, b)) / delta,),
            "You nudged both parameters at once: each slope needs a nudge of its own, the other parameter staying put.",
        ),
        Mistake(
            lambda f, w, b, delta: (f(w + delta, b) - f(w, b) / delta, f(w, b + delta) - f(w, b) / delta),
            "A bracket is missing: the whole difference is divided by delta, not its last term only.",
        ),
        Mistake(
            lambda f, w, b, delta: tuple(slope * delta for slope in forward_slopes(f, w, b, delta)),
            "That is the rise; a slope is rise divided by run.",
        ),
    ],
    hint="Nudge w alone for the first slope and b alone for the second; each time rise over run.",
)


gradient_through_origin = Exercise(
    chapter="02",
    solution=lambda u, c, w: 2 * ((w * u - c) * u).mean(),
    cases=lambda: [(*readings(), 1.0), (*readings(), -0.5)],
    why="Residual times inner derivative: the same product returns in every layer of a network.",
    mistakes=[
        Mistake(
            lambda u, c, w: ((w * u - c) * u).mean(), "The factor 2 is missing: the derivative of r squared is 2 r."
        ),
        Mistake(
            lambda u, c, w: 2 * ((c - w * u) * u).mean(),
            "The sign is turned: the residual is prediction minus target, w u - c.",
        ),
        Mistake(
            lambda u, c, w: 2 * (w * u - c).mean(),
            "The inner derivative is missing: w u changes by u when w changes by 1.",
        ),
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
        Mistake(
            lambda u, c, w, b, rate: loss.mse_gradient(u, c, w, b),
            "That is the gradient; the step subtracts a part of it from (w, b).",
        ),
    ],
    hint="Try a learning rate of 0: nothing may move. Twice the learning rate moves both parameters twice as far.",
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
        Mistake(
            lambda u: 1 / curvatures(u)[-1],
            "At 1 / curvature a step lands on the valley floor; overshooting is allowed up to twice that.",
        ),
        Mistake(lambda u: 2 / curvatures(u)[0], "You took the gentlest curvature; the sharpest one sets the limit."),
        Mistake(
            lambda u: 4 / curvatures(u)[-1],
            "The factor 2 of the loss is missing in the curvature: it is 2 / n times X' X.",
        ),
        Mistake(lambda u: 2 / (curvatures(u)[-1] * len(u)), "The loss is a mean: divide X' X by n."),
        Mistake(lambda u: curvatures(u)[-1], "That is the curvature; the limit is 2 divided by it."),
    ],
    hint="At the limit, each epoch multiplies the distance along the sharpest direction by exactly -1.",
)


# ---- chapter 03 ----------------------------------------------------------------------------------------------------


def leaf(value: float | list[float], old_gradient: float | None = None) -> Tensor:
    """A float64 tensor that requires a gradient, and may hold one from before."""
    tensor = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    if old_gradient is not None:
        tensor.grad = torch.full_like(tensor, old_gradient)
    return tensor


def derivative_by_autograd(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return torch.autograd.grad(f(x), x)[0]


def derivative_accumulated(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    f(x).backward()
    return x.grad


def derivative_of_a_clone(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor | None:
    x = x.clone().requires_grad_()
    f(x).backward()
    return x.grad


def derivative_by_nudging(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    nudges = 1e-4 * torch.eye(x.numel(), dtype=x.dtype).reshape(-1, *x.shape)
    with torch.no_grad():
        return torch.stack([(f(x + nudge) - f(x - nudge)) / 2e-4 for nudge in nudges]).reshape(x.shape)


def zeroing_what_may_be_none(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    x.grad.zero_()
    f(x).backward()
    return x.grad


derivative = Exercise(
    chapter="03",
    solution=derivative_by_autograd,
    cases=lambda: [
        (lambda x: x**3, leaf(2.0, 5.0)),
        (lambda x: (x**2).sum(), leaf([1.0, -2.0, 4.0], 0.5)),
        (lambda x: x**2 * x.detach(), leaf(3.0)),  # the part that is detached counts as a constant
    ],
    why="Whatever f computes, with however many numbers in x, one backward pass gives all its derivatives.",
    mistakes=[
        Mistake(
            derivative_accumulated,
            "x came with the gradient of an earlier backward, and yours was added to it: empty x.grad first.",
        ),
        Mistake(
            lambda f, x: torch.zeros_like(x),
            "All zero: x.grad was emptied after backward, together with the answer. Empty it before.",
        ),
        Mistake(lambda f, x: f(x), "That is the value of f; its derivative is in x.grad after backward."),
        Mistake(lambda f, x: x.grad, "That is the gradient x came with: compute f(x) and call backward on the result."),
        Mistake(
            derivative_of_a_clone,
            "None came back. backward() itself returns nothing, and where x is recorded already, a clone of it is no "
            "leaf: the derivative goes to x.grad of the x that came in.",
        ),
        Mistake(
            zeroing_what_may_be_none,
            "A fresh x has no gradient yet, its .grad is None, which has no zero_(): set x.grad to None instead.",
        ),
        Mistake(
            derivative_by_nudging,
            "That is the slope by nudging. Autograd is wanted, which also knows what f has detached from the record.",
        ),
    ],
    hint="Try it on paper: for f(x) = x * x at x = 3 the answer is 6, whatever x.grad held before.",
    tolerance=1e-6,
)


def descent_by_autograd(u: Tensor, c: Tensor, w: Tensor, b: Tensor, rate: float, epochs: int) -> tuple[Tensor, Tensor]:
    for _ in range(epochs):
        w.grad = b.grad = None
        loss.mse(line(u, w, b), c).backward()
        with torch.no_grad():
            w -= rate * w.grad
            b -= rate * b.grad
    return w, b


def descent_uphill(u: Tensor, c: Tensor, w: Tensor, b: Tensor, rate: float, epochs: int) -> tuple[Tensor, Tensor]:
    return descent_by_autograd(u, c, w, b, -rate, epochs)


def descent_accumulating(u: Tensor, c: Tensor, w: Tensor, b: Tensor, rate: float, epochs: int) -> tuple[Tensor, Tensor]:
    for _ in range(epochs):
        loss.mse(line(u, w, b), c).backward()
        with torch.no_grad():
            w -= rate * w.grad
            b -= rate * b.grad
    return w, b


def descent_tracked(u: Tensor, c: Tensor, w: Tensor, b: Tensor, rate: float, epochs: int) -> tuple[Tensor, Tensor]:
    loss.mse(line(u, w, b), c).backward()
    w -= rate * w.grad
    return w, b


def descent_replacing(
    u: Tensor, c: Tensor, w: Tensor, b: Tensor, rate: float, epochs: int, recorded: bool = False
) -> tuple[Tensor, Tensor]:
    for _ in range(epochs):
        loss.mse(line(u, w, b), c).backward()
        with torch.set_grad_enabled(recorded):
            w, b = w - rate * w.grad, b - rate * b.grad
    return w, b


def descent_of_copies(u: Tensor, c: Tensor, w: Tensor, b: Tensor, rate: float, epochs: int) -> tuple[Tensor, Tensor]:
    return descent_by_autograd(u, c, leaf(w.item()), leaf(b.item()), rate, epochs)


def descent_by_formula(u: Tensor, c: Tensor, w: Tensor, b: Tensor, rate: float, epochs: int) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        for _ in range(epochs):
            slope_w, slope_b = loss.mse_gradient(u, c, w, b)
            w -= rate * slope_w
            b -= rate * slope_b
    return w, b


def descent_by_train(u: Tensor, c: Tensor, w: Tensor, b: Tensor, rate: float, epochs: int) -> tuple[Tensor, Tensor]:
    train(lambda inputs: line(inputs, w, b), torch.optim.SGD([w, b], lr=rate), u, c, epochs)
    return w, b


@dataclass(frozen=True)
class DescentExercise(Exercise):
    """A self-check of a function (u, c, w, b, ...) that moves the tensors w and b, and moves them by autograd."""

    def results(self, answer: Any) -> list:
        """For each case what is returned, where the given w and b are now, and, if moved, whether autograd met them."""
        found = []
        for arguments in self.cases():
            w, b = arguments[2:4]
            before, met = (w.item(), b.item()), []
            handles = [parameter.register_hook(lambda gradient, met=met: met.append(1)) for parameter in (w, b)]
            result = answer(*arguments)
            honest = bool(met) or (w.item(), b.item()) == before
            found += [result, (w, b, float(w.is_leaf and b.is_leaf), float(honest))]
            for handle in handles:
                handle.remove()
        return found


autograd_descent = DescentExercise(
    chapter="03",
    solution=descent_by_autograd,
    cases=lambda: [
        (readings()[0] / 10, readings()[1], leaf(1.0), leaf(0.0), 0.01, 3),
        (*readings(), leaf(0.5), leaf(-10.0), 0.0001, 2),
        (*readings(), leaf(0.5), leaf(-10.0), 0.0001, 0),  # no epoch, no step; train() refuses
    ],
    why="These are the lines that every training loop in PyTorch runs, whatever the size of its model.",
    mistakes=[
        Mistake(
            descent_accumulating,
            "From the second epoch on, a step contains the gradients of the epochs before: empty .grad every time.",
        ),
        Mistake(descent_uphill, "The loss grows: subtract the gradient, do not add it."),
        Mistake(
            descent_tracked,
            "PyTorch refuses to change a leaf in place while it records: put the update under torch.no_grad().",
        ),
        Mistake(
            descent_replacing,
            "A tensor made under no_grad requires no gradient, so backward has nowhere to go: change w and b in place.",
        ),
        Mistake(
            lambda *task: descent_replacing(*task, recorded=True),
            "A .grad is None. Either backward has not run, or w is a new tensor, made by w = w - ...: the derivative "
            "goes to the old one. Change w and b in place.",
        ),
        Mistake(
            descent_of_copies,
            "The numbers are right, but the tensors w and b that came in have not moved: change these, in place.",
        ),
        Mistake(
            descent_by_formula,
            "The numbers are right, but autograd took no part: compute the loss and let backward() find the gradient.",
        ),
        Mistake(descent_by_train, "train() goes round the loop for you: write the loop itself."),
    ],
    hint="On u / 10, from (1, 0) at learning rate 0.01, the first epoch ends at w = 1.7761 and b = 0.1064. Does yours?",
)


tanh_rule = Exercise(
    chapter="03",
    solution=lambda x: (math.tanh(x), 1 - math.tanh(x) ** 2),
    cases=lambda: [(0.5,), (-1.2,)],
    why="The slope of tanh follows from its output alone, which forward has computed already; PyTorch saves that.",
    mistakes=[
        Mistake(lambda x: (math.tanh(x), 1 - x**2), "You put the input into 1 - y squared: y is the output, tanh(x)."),
        Mistake(
            lambda x: (math.tanh(x), 1 - math.tanh(math.tanh(x)) ** 2),
            "You took tanh twice: that is the slope at tanh(x), and the slope at x is wanted.",
        ),
        Mistake(lambda x: (math.tanh(x), 1 - math.tanh(x)), "The square is missing: the slope is 1 - y squared."),
        Mistake(lambda x: (1 - math.tanh(x) ** 2, math.tanh(x)), "The value comes first, then the local derivative."),
    ],
    hint="Two numbers to compare with: at x = 0 the pair is (0, 1), at x = 1 it is about (0.762, 0.420).",
)


overwritten_derivative = Exercise(
    chapter="03",
    solution=3.0,
    why="Each new contribution replaces the one before, and the last to arrive, from x * x, is all that is left.",
    mistakes=[
        Mistake(7.0, "That is the derivative, 2 x + 1, which += finds; with = the contributions are not added."),
        Mistake(6.0, "The two uses of x in x * x are two contributions: they, too, overwrite each other."),
        Mistake(1.0, "The 1 of the added x comes first, while x * x still waits; what comes later replaces it."),
    ],
    hint="Write down what each of the three uses of x contributes, in the order in which derivatives() meets them.",
)


# ---- chapter 04 ----------------------------------------------------------------------------------------------------


def momentum_step_right(parameter: float, gradient: float, buffer: float, rate: float, momentum: float) -> tuple:
    buffer = momentum * buffer + gradient
    return parameter - rate * buffer, buffer


def rate_in_the_buffer(parameter: float, gradient: float, buffer: float, rate: float, momentum: float) -> tuple:
    buffer = momentum * buffer + rate * gradient
    return parameter - buffer, buffer


def averaging_buffer(parameter: float, gradient: float, buffer: float, rate: float, momentum: float) -> tuple:
    buffer = momentum * buffer + (1 - momentum) * gradient
    return parameter - rate * buffer, buffer


def fading_gradient(parameter: float, gradient: float, buffer: float, rate: float, momentum: float) -> tuple:
    buffer = buffer + momentum * gradient
    return parameter - rate * buffer, buffer


momentum_step = Exercise(
    chapter="04",
    solution=momentum_step_right,
    cases=lambda: [(1.0, 4.0, 10.0, 0.01, 0.9), (-2.0, 3.0, -5.0, 0.1, 0.5)],
    why="The buffer holds gradients and the rate comes last, so a schedule slows all that is in the buffer at once.",
    mistakes=[
        Mistake(
            rate_in_the_buffer,
            "The learning rate is inside the buffer: PyTorch keeps gradients in it, and the rate multiplies it later.",
        ),
        Mistake(
            averaging_buffer,
            "That buffer is a running mean, as in Adam: momentum in SGD adds the whole gradient, without 1 - momentum.",
        ),
        Mistake(
            lambda p, g, v, rate, momentum: (p + rate * (momentum * v + g), momentum * v + g),
            "The parameter went uphill: subtract the learning rate times the buffer.",
        ),
        Mistake(
            lambda p, g, v, rate, momentum: (p - rate * v, momentum * v + g),
            "You stepped with the old buffer: put the new gradient in first, then step.",
        ),
        Mistake(
            lambda p, g, v, rate, momentum: (p - rate * g, momentum * v + g),
            "You stepped with the gradient alone: the step is learning rate times the new buffer.",
        ),
        Mistake(
            lambda p, g, v, rate, momentum: (p - rate * (momentum * v + g), v),
            "The parameter is right, but the buffer came back unchanged: the next step needs the new one.",
        ),
        Mistake(fading_gradient, "Momentum multiplies the old buffer, which fades, and not the new gradient."),
        Mistake(
            lambda p, g, v, rate, momentum: (momentum * v + g, p - rate * (momentum * v + g)),
            "Both numbers are right, their order is not: the new parameter comes first.",
        ),
        Mistake(
            lambda p, g, v, rate, momentum: (p + (momentum * v - rate * g), momentum * v - rate * g),
            "Your buffer holds steps, with minus and rate inside: PyTorch's holds gradients, and both come later.",
        ),
    ],
    hint="Try it on paper: parameter 1, gradient 2, buffer 3, rate 0.1 and momentum 0.5 give 0.65 and 3.5.",
)


def cycle_in_order(order: str) -> Callable:
    """Training whose epochs do what the letters say, in this order: l(oss), z(ero_grad), b(ackward), s(tep)."""

    def trained(u: Tensor, c: Tensor, w: Tensor, b: Tensor, optimizer: torch.optim.Optimizer, epochs: int) -> tuple:
        for _ in range(epochs):
            for action in order:
                if action == "l":
                    value = loss.mse(line(u, w, b), c)
                elif action == "z":
                    optimizer.zero_grad()
                elif action == "b":
                    value.backward()
                else:
                    optimizer.step()
        return w, b

    return trained


def loss_before_the_loop(u: Tensor, c: Tensor, w: Tensor, b: Tensor, optimizer: Any, epochs: int) -> tuple:
    value = loss.mse(line(u, w, b), c)
    for _ in range(epochs):
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return w, b


def trained_by_train(u: Tensor, c: Tensor, w: Tensor, b: Tensor, optimizer: Any, epochs: int = 1) -> tuple:
    train(lambda inputs: line(inputs, w, b), optimizer, u, c, epochs)
    return w, b


def line_and_optimizer(kind: type[torch.optim.Optimizer], **settings: Any) -> tuple:
    """The readings on u / 10, fresh parameters at (1, 0), and an optimizer that holds them."""
    u, c = readings()
    w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (1.0, 0.0))
    return u / 10, c, w, b, kind([w, b], **settings)


training_cycle = Exercise(
    chapter="04",
    solution=cycle_in_order("lzbs"),
    cases=lambda: [
        (*line_and_optimizer(torch.optim.SGD, lr=0.01), 12),
        (*line_and_optimizer(torch.optim.Adam, lr=0.1), 7),
        (*line_and_optimizer(torch.optim.Adam, lr=0.1), 0),  # no epoch, no step; train() refuses
    ],
    why="These lines train every model of the course, whatever the model and whatever the optimizer.",
    mistakes=[
        Mistake(cycle_in_order("lbs"), "zero_grad is missing: each gradient is added to those of all epochs before."),
        Mistake(
            cycle_in_order("lzsb"),
            "The parameters are where they started: there was no gradient when step() ran, or it never ran. "
            "The order is zero_grad(), backward(), step().",
        ),
        Mistake(
            cycle_in_order("lszb"),
            "step() came before backward(): every step takes the gradient of the epoch before.",
        ),
        Mistake(
            cycle_in_order("lsb"),
            "step() came before backward(), and zero_grad is missing, so that old gradients add up.",
        ),
        Mistake(
            lambda u, c, w, b, optimizer, epochs: cycle_in_order("lzbs")(u, c, w, b, optimizer, 1),
            "You went round once: repeat the cycle as often as epochs says.",
        ),
        Mistake(
            loss_before_the_loop,
            "The loss was computed once, before the loop, and its graph is used up: compute it anew in every epoch.",
        ),
        Mistake(trained_by_train, "train() goes round the cycle for you: write the cycle itself."),
    ],
    hint="On u / 10, from (1, 0) with SGD at rate 0.01, the first epoch ends at w = 1.7761 and b = 0.1064. Does yours?",
)


def closure_that(*, clears: bool = True, differentiates: bool = True, returns: bool = True) -> Callable:
    """One step of LBFGS, with a closure that leaves out what is False."""

    def stepped(u: Tensor, c: Tensor, w: Tensor, b: Tensor, optimizer: torch.optim.Optimizer) -> tuple:
        def closure() -> Tensor | None:
            if clears:
                optimizer.zero_grad()
            value = loss.mse(line(u, w, b), c)
            if differentiates:
                value.backward()
            return value if returns else None

        optimizer.step(closure)
        return w, b

    return stepped


def one_gradient_for_all(u: Tensor, c: Tensor, w: Tensor, b: Tensor, optimizer: torch.optim.Optimizer) -> tuple:
    value = loss.mse(line(u, w, b), c)
    optimizer.zero_grad()
    value.backward()
    optimizer.step(lambda: value)
    return w, b


def called_closure(u: Tensor, c: Tensor, w: Tensor, b: Tensor, optimizer: torch.optim.Optimizer) -> tuple:
    value = loss.mse(line(u, w, b), c)
    value.backward()
    optimizer.step(value)
    return w, b


lbfgs_step = Exercise(
    chapter="04",
    solution=closure_that(),
    cases=lambda: [
        line_and_optimizer(torch.optim.LBFGS),
        line_and_optimizer(torch.optim.LBFGS, max_iter=3),
        (torch.arange(11), *line_and_optimizer(torch.optim.LBFGS, max_iter=3)[1:]),  # train() refuses whole numbers
    ],
    why="Every optimizer accepts a closure; LBFGS needs it, because it asks for several gradients in one step.",
    mistakes=[
        Mistake(
            closure_that(clears=False),
            "zero_grad is missing in the closure: gradients of different points add up and spoil the curvature.",
        ),
        Mistake(
            closure_that(differentiates=False),
            "The parameters are where they started: LBFGS found no gradient. The closure has to call backward(), and "
            "zero_grad() before it, not after.",
        ),
        Mistake(closure_that(returns=False), "The closure returns nothing: LBFGS needs the loss from it."),
        Mistake(
            one_gradient_for_all,
            "Every call gave the same gradient: compute loss and gradient inside the closure, anew at each call.",
        ),
        Mistake(
            called_closure,
            "You gave step() the loss: give it the closure itself, its name without brackets behind it.",
        ),
        Mistake(trained_by_train, "train() writes the closure for you: write it yourself."),
        Mistake(
            lambda *task: closure_that()(*task) and closure_that()(*task),
            "You called the optimizer's step() more than once: one call computes as many gradients as it needs.",
        ),
    ],
    hint="At each call, which gradients does .grad hold, at which parameters was the loss computed, and who gets it?",
    tolerance=1e-5,
)


momentum_limit = Exercise(
    chapter="04",
    solution=lambda u, momentum: 2 * (1 + momentum) / curvatures(u)[-1],
    cases=lambda: [(readings()[0], 0.9), (readings()[0] / 10, 0.5)],
    why="So momentum allows a rate up to twice as large, and can gain far more than that along the valley.",
    mistakes=[
        Mistake(
            lambda u, momentum: 2 / curvatures(u)[-1],
            "That is the limit without momentum: with it, larger rates are stable.",
        ),
        Mistake(
            lambda u, momentum: 4 / curvatures(u)[-1],
            "That is the limit for momentum 1: with less momentum it is lower.",
        ),
        Mistake(
            lambda u, momentum: 2 * (1 - momentum) / curvatures(u)[-1],
            "With momentum 1 that would be 0: the limit grows with the momentum.",
        ),
        Mistake(
            lambda u, momentum: 2 / ((1 - momentum) * curvatures(u)[-1]),
            "1 / (1 - momentum) is for a gradient that stays the same; at the limit its sign alternates.",
        ),
        Mistake(
            lambda u, momentum: 2 * (1 + momentum) / curvatures(u)[0],
            "You took the gentlest curvature: the sharpest one sets the limit.",
        ),
        Mistake(
            lambda u, momentum: (1 + momentum) / (u**2).mean(),
            "The factor is right. The curvature is that along w alone, and across the valley it is a little sharper.",
        ),
        Mistake(
            lambda u, momentum: (1 + momentum) / curvatures(u)[-1],
            "Half of the limit: without momentum it is 2 / curvature, not 1 / curvature.",
        ),
        Mistake(
            lambda u, momentum: 4 * (1 + momentum) / curvatures(u)[-1],
            "Twice the limit: the second derivative of a square brings a factor 2 into the Hessian.",
        ),
        Mistake(
            lambda u, momentum: 2 * (1 + momentum) / (len(u) * curvatures(u)[-1]),
            "Too small by the number of readings: the loss is a mean, so divide X' X by n.",
        ),
    ],
    hint="Start from 2 / curvature and find the factor that is 1 for momentum 0 and 2 for momentum 1.",
)


# ---- chapter 05 ----------------------------------------------------------------------------------------------------


def fitted_line(u: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and intercept of the least-squares line."""
    w = ((u - u.mean()) * (c - c.mean())).sum() / ((u - u.mean()) ** 2).sum()
    return w, c.mean() - w * u.mean()


def error_of_fit(u: Tensor, c: Tensor, u_new: Tensor, c_new: Tensor) -> Tensor:
    """Mean squared error, on the new readings, of the line fitted to the others."""
    return loss.mse(line(u_new, *fitted_line(u, c)), c_new)


def held_out(u: Tensor, c: Tensor, order: Tensor, n: int) -> Tensor:
    return error_of_fit(u[order[:-n]], c[order[:-n]], u[order[-n:]], c[order[-n:]])


hold_out_error = Exercise(
    chapter="05",
    solution=held_out,
    cases=lambda: [
        (*readings(), torch.tensor([4, 9, 0, 7, 2, 10, 1, 6, 3, 8, 5]), 2),
        (*readings(), torch.tensor([10, 3, 8, 1, 6, 0, 5, 7, 2, 9, 4]), 4),
    ],
    why="The same row numbers pick from u and from c, and no row stands on both sides.",
    mistakes=[
        Mistake(
            lambda u, c, order, n: held_out(u[order], c, torch.arange(len(u)), n),
            "u was shuffled and c was not, so the readings have lost their partners: index both with the same rows.",
        ),
        Mistake(
            lambda u, c, order, n: held_out(u, c[order], torch.arange(len(u)), n),
            "c was shuffled and u was not, so the readings have lost their partners: index both with the same rows.",
        ),
        Mistake(
            lambda u, c, order, n: error_of_fit(u, c, u[order[-n:]], c[order[-n:]]),
            "The line has seen the rows that you measure it on: fit it without them.",
        ),
        Mistake(
            lambda u, c, order, n: error_of_fit(u[order[:-n]], c[order[:-n]], u[order[:-n]], c[order[:-n]]),
            "That is the training loss: measure on the rows that were kept back.",
        ),
        Mistake(
            lambda u, c, order, n: held_out(u, c, order.flip(0), n),
            "You kept the first rows of the order back: the last ones are wanted.",
        ),
        Mistake(
            lambda u, c, order, n: held_out(u, c, torch.arange(len(u)), n),
            "You split the rows as they stand in the table: pick them in the shuffled order.",
        ),
        Mistake(
            lambda u, c, order, n: loss.mse(
                line(u[order[-n:]], *fitted_line(u[order[:-n]], c[order[:-n]])[::-1]), c[order[-n:]]
            ),
            "Slope and intercept are swapped: fit_line returns the slope first, and line takes it first.",
        ),
    ],
    hint="Cut order into two parts, fit a line to the rows of the first, take the mean squared error on the second.",
)


def inference_pair(u: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """The same values as tensors that autograd refuses to save, so that a recorded validation pass shows."""
    with torch.inference_mode():
        return u.clone(), c.clone()


def epoch_case(slope: float, intercept: float, rate: float, seed: int) -> tuple:
    """What an epoch needs. The parameters come with old gradients."""
    u, c = readings()
    rows, kept = data.split(11, seed)
    w, b = leaf(slope, 3.0), leaf(intercept, -2.0)
    validation = inference_pair(u[kept] / 10, c[kept])
    return w, b, torch.optim.SGD([w, b], lr=rate), (u[rows] / 10, c[rows]), validation


def epoch_in_order(w: Tensor, b: Tensor, optimizer: Any, pair: tuple, kept: tuple, order: str) -> tuple:
    """One epoch with its actions in this order."""

    def measure(readings: tuple) -> Tensor:
        return loss.mse(line(readings[0], w, b), readings[1])

    training_loss = validation_loss = measure(pair)
    for action in order.split():
        if action == "validation":
            with torch.no_grad():
                validation_loss = measure(kept)
        elif action == "tracked":
            validation_loss = measure(kept)
        elif action == "zero":
            optimizer.zero_grad()
        elif action == "backward":
            training_loss.backward()
        else:
            optimizer.step()
    return training_loss, validation_loss, w.detach().clone(), b.detach().clone()


@dataclass(frozen=True)
class EpochExercise(Exercise):
    """A self-check of one epoch. An answer that is right but for a recorded validation loss gets the first hint."""

    def judgement(self, answer: Any) -> str:
        verdict = super().judgement(answer)
        if not verdict.startswith("✓"):
            return verdict
        recorded = any(getattr(result[1], "requires_grad", False) for result in self.results(answer))
        return f"✗ Not yet. {self.mistakes[0].hint}" if recorded else verdict


epoch_with_validation = EpochExercise(
    chapter="05",
    solution=lambda *task: epoch_in_order(*task, "validation zero backward step"),
    cases=lambda: [epoch_case(1.0, 0.0, 0.01, 0), epoch_case(5.0, -15.0, 0.001, 5)],
    why="Both losses belong to the parameters before the step, and only the training loss has moved them.",
    mistakes=[
        Mistake(
            lambda *task: epoch_in_order(*task, "tracked zero backward step"),
            "PyTorch was recording the validation pass, and what is recorded can be trained on: compute it under "
            "torch.no_grad(), and call backward on the training loss only.",
        ),
        Mistake(
            lambda *task: epoch_in_order(*task, "zero backward step"),
            "Your validation loss is measured on the training pair: use the validation pair.",
        ),
        Mistake(
            lambda *task: epoch_in_order(*task, "zero backward step validation"),
            "Your validation loss is measured after the step, the training loss before it: measure both before.",
        ),
        Mistake(
            lambda *task: epoch_in_order(*task, "validation backward step"),
            "The parameters came with old gradients, and yours were added to them: call zero_grad before backward.",
        ),
        Mistake(
            lambda *task: epoch_in_order(*task, "validation zero backward"),
            "w and b are where they were: after backward, with its gradients still there, call optimizer.step().",
        ),
        Mistake(
            lambda *task: [epoch_in_order(*task, "validation zero backward step")[i] for i in (1, 0, 2, 3)],
            "The losses are swapped: the training loss comes first.",
        ),
    ],
    hint="Both losses, the validation loss under no_grad; then zero_grad, backward, step; return all four numbers.",
)


leave_one_out_of_the_mean = Exercise(
    chapter="05",
    solution=lambda c: ((c - c.mean()) * len(c) / (len(c) - 1)).square().mean(),
    cases=lambda: [(readings()[1],), (torch.tensor([1.0, 5.0, 2.0, 4.0], dtype=torch.float64),)],
    why="It exceeds the MSE of the mean by the factor (n / (n - 1)) squared, whatever the readings are.",
    mistakes=[
        Mistake(
            lambda c: (c - c.mean()).square().mean(),
            "Each reading is in the mean that predicts it: leave it out.",
        ),
        Mistake(
            lambda c: c.var(),
            "One factor 1 - 1/n is missing: divide the residuals by it before you square them.",
        ),
        Mistake(
            lambda c: ((c - c.mean()) * (1 - 1 / len(c))).square().mean(),
            "Without its own reading the mean is further off, not nearer: divide where you multiplied.",
        ),
        Mistake(
            lambda c: ((c - c.mean()) * len(c) / (len(c) - 1)).square().mean().sqrt(),
            "That is its square root: the mean squared error is wanted.",
        ),
        Mistake(
            lambda c: ((c - c.mean()) * len(c) / (len(c) - 1)).square().sum(),
            "That is the sum of the squares: take their mean.",
        ),
    ],
    hint="For each reading: the mean of the others, minus the reading, squared; then the mean of these squares.",
)


def scaled_like(u: Tensor, reference: Tensor, correction: int = 0) -> Tensor:
    return (u - reference.mean()) / reference.std(correction=correction)


standardise_validation = Exercise(
    chapter="05",
    solution=lambda u_training, u_validation: scaled_like(u_validation, u_training),
    cases=lambda: [
        (readings()[0][:8], readings()[0][8:]),
        (torch.tensor([1.0, 4.0, 2.0, 9.0], dtype=torch.float64), torch.tensor([3.0, 20.0], dtype=torch.float64)),
    ],
    why="A reading that arrives next week is scaled like this as well, when there is nothing else to scale it by.",
    mistakes=[
        Mistake(
            lambda u_training, u_validation: scaled_like(u_validation, u_validation),
            "Scaled by its own mean, a warm validation set looks like a cold one: use the training set's numbers.",
        ),
        Mistake(
            lambda u_training, u_validation: scaled_like(u_validation, torch.cat([u_training, u_validation])),
            "A leak: the validation readings take part in the mean and the standard deviation.",
        ),
        Mistake(
            lambda u_training, u_validation: scaled_like(u_validation, u_training, correction=1),
            "That divides by n - 1 in the standard deviation: std(correction=0) divides by n.",
        ),
        Mistake(
            lambda u_training, u_validation: u_validation - u_training.mean(),
            "The scale is missing: divide by the training set's standard deviation.",
        ),
        Mistake(
            lambda u_training, u_validation: scaled_like(u_training, u_training),
            "That is the training part: return the validation part.",
        ),
    ],
    hint="Mean and standard deviation from u_training, subtraction and division on u_validation.",
)


# ---- chapter 06 ----------------------------------------------------------------------------------------------------


def affine(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return x @ W.T + b


def neuron_cases() -> Sequence[tuple]:
    """A batch, weights and a bias; once with as many rows as inputs."""
    x = torch.tensor([[2.0, -1.0, 0.5], [0.5, 1.0, -1.5], [-0.25, 0.75, 1.0], [1.0, 0.0, 0.5]], dtype=torch.float64)
    w = torch.tensor([0.5, 1.5, -0.75], dtype=torch.float64)
    return [(x, w, torch.tensor(0.25, dtype=torch.float64)), (x[:3], -w, torch.tensor(-0.5, dtype=torch.float64))]


one_neuron = Exercise(
    chapter="06",
    solution=lambda x, w, b: torch.tanh(x @ w + b),
    cases=neuron_cases,
    why="First everything is added up, then bent once: that is a neuron, however many inputs it has.",
    mistakes=[
        Mistake(
            lambda x, w, b: torch.tanh(x @ w) + b,
            "The bias came after tanh, where it lifts the curve: it belongs inside, where it shifts the step.",
        ),
        Mistake(lambda x, w, b: x @ w + b, "The activation is missing: without tanh it is a linear model."),
        Mistake(
            lambda x, w, b: torch.tanh(x * w).sum(dim=1) + b,
            "You bent each product before adding: add up the products and the bias first, then apply tanh once.",
        ),
        Mistake(
            lambda x, w, b: torch.tanh(x * w + b).sum(dim=1),
            "That is a sum of neurons with one input each: add up the products first, and the bias once.",
        ),
        Mistake(
            lambda x, w, b: torch.tanh((x + b) @ w),
            "The bias was multiplied by the weights: it is added to the products, once.",
        ),
        Mistake(
            lambda x, w, b: torch.tanh(w @ x + b),
            "The shapes don't fit: a batch has its inputs in rows, and the weights multiply it from the right, x @ w.",
        ),
        Mistake(
            lambda x, w, b: torch.tanh(torch.dot(w, x) + b),
            "torch.dot takes two vectors, and x is a whole batch of them: x @ w does it for every row.",
        ),
    ],
    hint="Each row times the weights, added up; plus the bias; then tanh of the result.",
)


def network_cases() -> Sequence[tuple]:
    """A batch and the parameters of two layers; in the second case the first weight matrix is square."""
    generator = torch.Generator().manual_seed(6)

    def case(inputs: int, hidden: int, outputs: int) -> tuple:
        shapes = ((4, inputs), (hidden, inputs), (hidden,), (outputs, hidden), (outputs,))
        return tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)

    return [case(3, 3, 2), case(2, 3, 1)]


hidden_layer_network = Exercise(
    chapter="06",
    solution=lambda x, W0, b0, W1, b1: affine(torch.tanh(affine(x, W0, b0)), W1, b1),
    cases=network_cases,
    why="The bend stands between the layers, and the output layer may give any number.",
    mistakes=[
        Mistake(
            lambda x, W0, b0, W1, b1: torch.tanh(affine(affine(x, W0, b0), W1, b1)),
            "tanh came after both layers: then the two collapse into one before it. It belongs between them.",
        ),
        Mistake(
            lambda x, W0, b0, W1, b1: torch.tanh(affine(torch.tanh(affine(x, W0, b0)), W1, b1)),
            "tanh after the output layer keeps every output between -1 and 1: leave the second one out.",
        ),
        Mistake(
            lambda x, W0, b0, W1, b1: affine(affine(x, W0, b0), W1, b1),
            "The activation is missing: without it two layers are one.",
        ),
        Mistake(
            lambda x, W0, b0, W1, b1: affine(torch.tanh(x @ W0.T) + b0, W1, b1),
            "The first bias came after tanh: it belongs inside.",
        ),
        Mistake(
            lambda x, W0, b0, W1, b1: affine(torch.tanh(x @ W0 + b0), W1, b1),
            "The first weight matrix is not transposed. Where it is square, that gives other numbers and no error.",
        ),
        Mistake(
            lambda x, W0, b0, W1, b1: torch.tanh(x @ W0 + b0) @ W1 + b1,
            "The shapes don't fit: the weight matrices have a row per neuron, so a batch of rows needs W.T.",
        ),
    ],
    hint="First layer: the batch times W0 transposed, plus b0, then tanh. Second layer: likewise, without tanh.",
)


def collapse_cases() -> Sequence[tuple]:
    """Biases and later weight matrices of three layers: twice with square matrices, once with a smaller first layer."""
    generator = torch.Generator().manual_seed(7)

    def case(first: int, later: int) -> tuple:
        shapes = ((first,), (later, first), (later,), (later, later), (later,))
        return tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)

    return [case(3, 3), case(2, 2), case(2, 3)]


collapsed_bias = Exercise(
    chapter="06",
    solution=lambda b0, W1, b1, W2, b2: W2 @ (W1 @ b0 + b1) + b2,
    cases=collapse_cases,
    why="Depth alone buys nothing: what makes a network more than one layer is the bend between its layers.",
    mistakes=[
        Mistake(
            lambda b0, W1, b1, W2, b2: W1 @ W2 @ b0 + W2 @ b1 + b2,
            "The matrices are in the wrong order: b0 meets W1 first, so W1 stands next to it.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: W1 @ (W2 @ b0) + W2 @ b1 + b2,
            "The layers are in the wrong order: b0 goes through W1 first, and W2 takes what comes out.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: b0 + b1 + b2,
            "You added the biases as they are: each of them still goes through the layers after it.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: b2 + b1 + b0,
            "You added the biases as they are, and they need not even be of one length: each still goes through the "
            "layers after it.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: W2.T @ (W1.T @ b0 + b1) + b2,
            "W1 is transposed, which fits only where it is square: one vector goes through a layer as W @ b.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: W2.T @ (W1 @ b0 + b1) + b2,
            "W2 is transposed: one vector goes through a layer as W @ b; W.T is for a batch of rows.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: (b0 @ W1 + b1) @ W2 + b2,
            "b0 @ W1 is the transposed W1 times b0: write the matrix on the left, W1 @ b0.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: W2.T @ W1.T @ b0 + W2.T @ b1 + b2,
            "Both matrices are transposed: one vector goes through a layer as W @ b, as it is.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: W2 @ b1 + b2,
            "The first bias is missing: b0 goes through both later layers.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: W2 @ W1 @ b0 + b1 + b2,
            "One bracket is missing: b1 goes through the last layer, too.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: W2 @ W1 @ b0,
            "Only the first bias has arrived: b1 and b2 are added on the way.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: W1 @ b0 + b1,
            "That is the bias of the first two layers: it still goes through the third.",
        ),
        Mistake(
            lambda b0, W1, b1, W2, b2: b2,
            "Only the last bias is left: those of the earlier layers go through the layers after them.",
        ),
    ],
    hint="Insert the first layer into the second, multiply out, and insert the result into the third.",
)


def slope_of_tanh(z: Tensor) -> Tensor:
    return 1 - torch.tanh(z) ** 2


sensitivity = Exercise(
    chapter="06",
    solution=lambda x, w, b: w * slope_of_tanh(w * x + b),
    cases=lambda: [
        (torch.tensor([-2.0, -0.5, 0.0, 0.75, 3.0], dtype=torch.float64), 1.5, 0.5),
        (torch.tensor([-1.0, 0.25, 2.0], dtype=torch.float64), -0.75, -1.0),
    ],
    why="A large weight makes a neuron more sensitive at its step, and saturated all the sooner away from it.",
    mistakes=[
        Mistake(
            lambda x, w, b: slope_of_tanh(w * x + b),
            "The inner derivative is missing: z = w x + b changes w times as fast as x.",
        ),
        Mistake(
            lambda x, w, b: w * slope_of_tanh(x),
            "You took the slope of tanh at x: take it at z = w x + b.",
        ),
        Mistake(
            lambda x, w, b: w * (1 - torch.tanh(w * x + b)),
            "The square is missing: the slope of tanh is 1 - o squared.",
        ),
        Mistake(
            lambda x, w, b: x * slope_of_tanh(w * x + b),
            "That is the derivative with respect to w, which training needs: x is asked for.",
        ),
        Mistake(
            lambda x, w, b: torch.tanh(w * x + b),
            "That is the output itself: return its derivative.",
        ),
    ],
    hint="The chain rule: the slope of tanh at z = w x + b, times the slope of z.",
)


# ---- chapter 07 ----------------------------------------------------------------------------------------------------


def leaky(x: Tensor, slope: float) -> Tensor:
    return torch.where(x > 0, x, slope * x)


def signed_inputs() -> Tensor:
    return torch.tensor([-4.0, -1.5, -0.25, 0.0, 0.5, 1.0, 3.0], dtype=torch.float64)


leaky_relu = Exercise(
    chapter="07",
    solution=leaky,
    cases=lambda: [(signed_inputs(), 0.1), (signed_inputs(), 0.3)],
    why="A unit with this activation passes on some gradient wherever its input lies.",
    mistakes=[
        Mistake(
            lambda x, slope: torch.where(x > 0, slope * x, x),
            "The small slope is on the wrong side: it belongs to the negative inputs.",
        ),
        Mistake(
            lambda x, slope: torch.where(x > 0, x, -slope * x),
            "Negative inputs come out positive, so the curve falls on the left: slope * x keeps their sign.",
        ),
        Mistake(
            lambda x, slope: torch.relu(x),
            "That is ReLU: negative inputs become 0, and their slope with them.",
        ),
        Mistake(
            lambda x, slope: slope * x,
            "That is a straight line: positive inputs come out as they went in.",
        ),
        Mistake(
            lambda x, slope: torch.where(x > 0, x, -slope),
            "You return a constant on the left, and a constant has slope 0: multiply x by the slope.",
        ),
        Mistake(
            lambda x, slope: x if x > 0 else slope * x,
            "x > 0 has one answer for each entry, and neither if nor Python's own max can choose by several at once: "
            "choose for each entry, with torch.where.",
        ),
    ],
    hint="With slope 0.1, an input of 2 comes out as 2, an input of -2 as -0.2.",
)


def slope_of_silu(x: Tensor) -> Tensor:
    return torch.sigmoid(x) + x * slope_of_sigmoid(x)


def slope_of_sigmoid(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * (1 - torch.sigmoid(x))


silu_slope = Exercise(
    chapter="07",
    solution=slope_of_silu,
    cases=lambda: [(signed_inputs(),), (torch.tensor([-2.0, 0.75, 6.0], dtype=torch.float64),)],
    why="SiLU takes a value in its dip twice, with two slopes, so PyTorch keeps the input for the way back.",
    mistakes=[
        Mistake(
            slope_of_sigmoid,
            "You multiplied the two derivatives: the product rule adds two terms, each with one factor left as it is.",
        ),
        Mistake(
            lambda x: x * slope_of_sigmoid(x),
            "One term of the product rule is missing: the factor x has the derivative 1, which leaves sigmoid(x).",
        ),
        Mistake(
            torch.sigmoid,
            "One term of the product rule is missing: the factor sigmoid(x) has a derivative, too, times x.",
        ),
        Mistake(
            lambda x: torch.sigmoid(x) + slope_of_sigmoid(x),
            "In the second term the factor x is missing: x times the sigmoid's slope.",
        ),
        Mistake(
            lambda x: torch.sigmoid(x) - x * slope_of_sigmoid(x),
            "The sign between the two terms is turned: the product rule adds.",
        ),
        Mistake(
            lambda x: torch.sigmoid(x) + x * (1 - torch.sigmoid(x) ** 2),
            "1 - y^2 is the rule of tanh: the sigmoid has another one.",
        ),
        Mistake(lambda x: x * torch.sigmoid(x), "That is SiLU's value: its slope is wanted."),
    ],
    hint="At x = 0 the slope is 1/2; far to the left it goes to 0, far to the right to 1.",
)


def one_number(value: float) -> tuple[Tensor]:
    return (torch.tensor([value], dtype=torch.float64),)


stable_softplus = Exercise(
    chapter="07",
    solution=lambda x: torch.relu(x) + torch.log1p(torch.exp(-x.abs())),
    cases=lambda: [(signed_inputs(),), one_number(1000.0), one_number(-40.0), one_number(-1000.0)],
    why="The values hold from one end to the other; whether the slopes do is another question, see the solutions.",
    mistakes=[
        Mistake(
            lambda x: torch.log(1 + torch.exp(x)),
            "exp(1000) is inf, and so is your answer: take the large part out before you call exp.",
        ),
        Mistake(
            lambda x: torch.log1p(torch.exp(x)),
            "log1p mends the small end only: at x = 1000 exp is inf, and so is your answer.",
        ),
        Mistake(
            lambda x: torch.relu(x) + torch.log(1 + torch.exp(-x.abs())),
            "The large end is right; at x = -40 you lose everything when 1 + exp(-40) is rounded to 1: see log1p.",
        ),
        Mistake(
            lambda x: x + torch.log1p(torch.exp(-x)),
            "The large end is right; on the left exp(-x) is huge: at -40 the sum rounds to 0, at -1000 it is inf. Keep "
            "this form for positive x.",
        ),
        Mistake(
            lambda x: torch.log1p(torch.exp(-x.abs())),
            "Far out on the right yours falls to 0, where softplus rises like x: the part max(x, 0) is missing.",
        ),
        Mistake(
            lambda x: torch.log1p(torch.exp(x.clamp(max=20))),
            "You cut x off at 20, so that 1000 comes out as 20, and with slope 0: keep x.",
        ),
        Mistake(torch.relu, "That is ReLU, and nearly right far out; the rounded corner is missing."),
    ],
    hint="Softplus lies above max(x, 0), by the same amount at x and at -x: find that amount.",
)


def silent(x: Tensor, W: Tensor, b: Tensor | float) -> Tensor:
    """Where the units of a ReLU layer give zero, shape (n, units)."""
    return x @ W.T + b <= 0


def relu_layer() -> tuple[Tensor, Tensor, Tensor]:
    """Four inputs of two numbers each, and five units: weights (5, 2), biases (5,). Two units are dead."""
    x = torch.tensor([[1.0, 0.5], [-1.0, 2.0], [0.5, -1.5], [2.0, 1.0]], dtype=torch.float64)
    W = torch.tensor([[1.0, 1.0], [-1.0, 0.5], [0.5, 0.5], [0.25, -1.0], [2.0, 1.0]], dtype=torch.float64)
    return x, W, torch.tensor([0.5, -3.0, -2.0, -0.5, 4.0], dtype=torch.float64)


def relu_layer_with_zeros() -> tuple[Tensor, Tensor, Tensor]:
    """Four inputs of one number, the first two silenced by all of the five units, of which four are dead.

    One of the dead ones reaches z = 0 at the last input, another one has z = 0 throughout.
    """
    x = torch.tensor([[-1.0], [-0.5], [1.0], [2.0]], dtype=torch.float64)
    W = torch.tensor([[1.0], [1.0], [0.0], [-1.0], [0.5]], dtype=torch.float64)
    return x, W, torch.tensor([0.5, -2.0, 0.0, -3.0, -1.5], dtype=torch.float64)


dead_units = Exercise(
    chapter="07",
    solution=lambda x, W, b: int(silent(x, W, b).all(dim=0).sum()),
    cases=lambda: [relu_layer(), (relu_layer()[0][:2], *relu_layer()[1:]), relu_layer_with_zeros()],
    why="Dead is a property of a unit together with the data: other inputs may wake it up.",
    mistakes=[
        Mistake(
            lambda x, W, b: int(silent(x, W, b).any(dim=0).sum()),
            "You counted the units that are zero for some reading; dead means zero for every one.",
        ),
        Mistake(
            lambda x, W, b: int(silent(x, W, b).all(dim=1).sum()),
            "You counted readings for which every unit is zero: look along the other dimension.",
        ),
        Mistake(lambda x, W, b: int(silent(x, W, b).sum()), "You counted single zeros: a unit has one per reading."),
        Mistake(
            lambda x, W, b: int((~silent(x, W, b).all(dim=0)).sum()),
            "You counted the units that are alive.",
        ),
        Mistake(lambda x, W, b: int(silent(x, W, 0.0).all(dim=0).sum()), "The bias is missing in the layer."),
        Mistake(
            lambda x, W, b: int((x @ W.T + b == 0).all(dim=0).sum()),
            "You asked where z is zero: the ReLU is missing, which makes zero of every negative z, too.",
        ),
        Mistake(
            lambda x, W, b: int((x @ W.T + b < 0).all(dim=0).sum()),
            "A unit with z exactly 0 says 0 as well: ask for outputs of zero, or for z <= 0.",
        ),
        Mistake(
            lambda x, W, b: float(silent(x, W, b).all(dim=0).double().mean()),
            "That is the share of dead units: their number is wanted.",
        ),
    ],
    hint="The layer's output has one row per reading, one column per unit: which columns are zero all the way down?",
)


# ---- chapter 08 ----------------------------------------------------------------------------------------------------


def hump_of(x: Tensor, left: float, right: float, steepness: float) -> Tensor:
    return (torch.tanh(steepness * (x - left)) - torch.tanh(steepness * (x - right))) / 2


hump = Exercise(
    chapter="08",
    solution=hump_of,
    cases=lambda: [
        (torch.linspace(-4, 6, 21, dtype=torch.float64), -1.0, 2.0, 3.0),
        (torch.linspace(-4, 6, 21, dtype=torch.float64), 0.5, 4.0, 1.5),
    ],
    why="With humps narrow enough, side by side, a network can follow any continuous curve on an interval.",
    mistakes=[
        Mistake(
            lambda x, left, right, k: 2 * hump_of(x, left, right, k),
            "Its height is 2: a step of tanh goes from -1 to 1.",
        ),
        Mistake(lambda x, left, right, k: -hump_of(x, left, right, k), "It is a hole: rise at left, fall at right."),
        Mistake(
            lambda x, left, right, k: (torch.tanh(k * (x - left)) + torch.tanh(k * (x - right))) / 2,
            "Both neurons rise, which makes a staircase: one of them has to fall.",
        ),
        Mistake(
            lambda x, left, right, k: hump_of(x, -left, -right, k),
            "The steps are mirrored: a neuron that switches at x = left has the argument x - left, not x + left.",
        ),
        Mistake(
            lambda x, left, right, k: (torch.tanh(k * x - left) - torch.tanh(k * x - right)) / 2,
            "The shift is not multiplied by the steepness: k x - left is zero at x = left / k.",
        ),
    ],
    hint="A rising step at left plus a falling step at right is 2 between them and 0 outside.",
)


def is_above_chord(loss: Callable[[float], float], first: float, second: float) -> bool:
    return bool(loss((first + second) / 2) > (loss(first) + loss(second)) / 2)


breaks_convexity = Exercise(
    chapter="08",
    solution=is_above_chord,
    cases=lambda: [
        (lambda w: w * w, -1.0, 3.0),
        (lambda w: w**4 - 8 * w * w, -2.0, 2.0),
        (lambda w: w**4 - 8 * w * w, 2.0, 4.0),
        (lambda w: (w * w - 1) ** 2 + w, -1.0, 1.2),
        (lambda w: -w * w, 1.0, 3.0),
        (lambda w: 5 - w * w, -1.0, 1.0),
        (lambda w: 1.0 / w, 0.5, 2.0),
        (lambda w: 2 * w + 1, -1.0, 3.0),  # exactly on the chord, in floating point too
    ],
    why="One such pair proves that a loss has no single bowl; a thousand pairs without one prove nothing.",
    mistakes=[
        Mistake(
            lambda loss, a, b: not is_above_chord(loss, a, b),
            "The comparison is turned around: convexity breaks where the middle lies above the mean of the ends.",
        ),
        Mistake(
            lambda loss, a, b: bool(loss((a + b) / 2) < (loss(a) + loss(b)) / 2),
            "The comparison is turned around: a middle below the mean of the ends is what a convex loss should have.",
        ),
        Mistake(
            lambda loss, a, b: bool(loss((a + b) / 2) >= (loss(a) + loss(b)) / 2),
            "A straight line is convex, and its middle is as high as the mean of the ends: equal is no violation.",
        ),
        Mistake(
            lambda loss, a, b: bool(loss((a + b) / 2) > max(loss(a), loss(b))),
            "You compared with the higher end: convexity already breaks above the mean of the two.",
        ),
        Mistake(
            lambda loss, a, b: bool(loss((a + b) / 2) > min(loss(a), loss(b))),
            "You compared with the lower end: a convex loss may rise above that; compare with the mean of the two.",
        ),
        Mistake(
            lambda loss, a, b: bool(loss((a + b) / 2) > loss(a) + loss(b)),
            "You compared with the sum of the two losses: halve it to get their mean.",
        ),
    ],
    hint="Compare the loss at (first + second) / 2 with the mean of the losses at first and second.",
)


@dataclass(frozen=True)
class HandsOffExercise(Exercise):
    """A self-check of a function that has to leave the tensors that it is given as they are."""

    def results(self, answer: Any) -> list:
        """What the answer returns for each case. Raises ValueError if it changed a tensor."""
        found = []
        for arguments, untouched in zip(self.cases(), self.cases(), strict=True):
            found.append(answer(*arguments))
            pairs = [pair for pair in zip(arguments, untouched, strict=True) if isinstance(pair[1], Tensor)]
            if not all(same(given, before, 0) for given, before in pairs):
                raise ValueError("it changed the tensors that it was given")
        return found


def with_flipped_unit(
    weight: Tensor, bias: Tensor, output_weight: Tensor, k: int, which: Sequence[int] = (0, 1, 2)
) -> list[Tensor]:
    """The three vectors, with entry k of those numbered in `which` turned."""
    vectors = [weight.clone(), bias.clone(), output_weight.clone()]
    for number in which:
        vectors[number][k] *= -1
    return vectors


def tanh_units() -> tuple[Tensor, Tensor, Tensor]:
    """Weights, biases and output weights of four hidden units, no two of them alike."""
    return tuple(
        torch.tensor([[1.5, -2.0, 0.5, 3.0], [0.25, 1.0, -0.75, 2.0], [-1.0, 0.5, 2.5, -0.5]], dtype=torch.float64)
    )


def flipped_in_place(weight: Tensor, bias: Tensor, output_weight: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    for vector in (weight, bias, output_weight):
        vector[k] *= -1
    return weight, bias, output_weight


flip_unit = HandsOffExercise(
    chapter="08",
    solution=with_flipped_unit,
    cases=lambda: [(*tanh_units(), 0), (*tanh_units(), 2)],
    why="Different parameters, the same function: for a tanh network no single setting can be the one right answer.",
    mistakes=[
        Mistake(
            lambda w, b, v, k: with_flipped_unit(w, b, v, k, (0, 2)),
            "The bias kept its sign: tanh(-z) = -tanh(z) needs the whole z = w x + b turned.",
        ),
        Mistake(
            lambda w, b, v, k: with_flipped_unit(w, b, v, k, (0, 1)),
            "The output weight kept its sign, so the unit now counts with the opposite sign in the sum.",
        ),
        Mistake(
            lambda w, b, v, k: with_flipped_unit(w, b, v, k, (0,)),
            "Only the weight was turned: the bias and the output weight have to follow.",
        ),
        Mistake(
            lambda w, b, v, k: (-w, -b, -v),
            "You flipped every unit. That, too, leaves the function as it is, but only unit k was asked for.",
        ),
        Mistake(
            flipped_in_place,
            "You changed the vectors that were handed in, and with them the network they belong to: change clones.",
        ),
    ],
    hint="Unit k has three numbers, its weight, bias and output weight: turn the signs of all three, and of no others.",
)


def stack_of_predictions() -> tuple[Tensor, Tensor]:
    """Predictions of three networks for four readings, and the readings' targets."""
    predictions = torch.tensor(
        [[1.0, 2.0, 0.5, -1.0], [0.0, 1.5, 2.5, 3.0], [-0.5, 0.25, 1.0, 4.0]], dtype=torch.float64
    )
    return predictions.unsqueeze(2), torch.tensor([[0.5], [1.0], [-1.0], [2.0]], dtype=torch.float64)


@dataclass(frozen=True)
class GradientExercise(Exercise):
    """A self-check of a loss: its value, and the gradient that it hands back to the first argument."""

    def results(self, answer: Any) -> list:
        """For each case the value and the gradient, which is 0 where the value does not depend on the argument."""
        found = []
        for first, *others in self.cases():
            first.requires_grad_()
            value = answer(first, *others)
            found.append(None if unanswered(value) else value_and_gradient(value, first))
        return found


def value_and_gradient(value: Any, argument: Tensor) -> Tensor:
    """A scalar and the gradient of the argument in one row, outside any graph. Raises ValueError for other shapes."""
    value = value if isinstance(value, Tensor) else numbers(value)
    if value.numel() != 1 or value.dim() > 0:
        raise ValueError(f"a scalar is asked for, and {describe(value)} came back")
    gradient = torch.zeros_like(argument)
    if value.requires_grad:
        gradient = torch.autograd.grad(value, argument)[0]
    return torch.cat([value.detach().reshape(1), gradient.flatten()])


stack_loss = GradientExercise(
    chapter="08",
    solution=lambda predictions, targets: ((predictions - targets) ** 2).mean(dim=(1, 2)).sum(),
    cases=lambda: [stack_of_predictions(), (stack_of_predictions()[0][:2], stack_of_predictions()[1])],
    why="Each network's parameters occur in one term of the sum, so the others drop out of its gradient.",
    mistakes=[
        Mistake(
            lambda predictions, targets: ((predictions - targets) ** 2).mean(),
            "You averaged over the networks too: that divides every gradient by their number.",
        ),
        Mistake(
            lambda predictions, targets: ((predictions - targets) ** 2).sum(),
            "You summed over the readings too: a network's loss is the mean over its readings.",
        ),
        Mistake(
            lambda predictions, targets: ((predictions - targets) ** 2).mean(dim=(1, 2)),
            "That is one loss per network; backward needs one number, their sum.",
        ),
        Mistake(
            lambda predictions, targets: ((predictions.mean(dim=0) - targets) ** 2).mean(),
            "You averaged the predictions first, which trains all networks as one model; each has a loss of its own.",
        ),
        Mistake(
            lambda predictions, targets: ((predictions - targets) ** 2).mean(dim=(1, 2)).sum().detach(),
            "The number is right, but it has lost its graph, so backward reaches no network: leave out .detach(), "
            ".item() and torch.no_grad().",
        ),
    ],
    hint="First one loss per network, the mean over its readings; then add these up.",
)


# ---- chapter 09 ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ModuleExercise(Exercise):
    """A self-check of a class or function that returns a module.

    probe: called with the module and the arguments that made it; returns the numbers to compare, or None for a stub.
    """

    probe: Callable[..., Any] | None = None

    def results(self, answer: Any) -> list:
        """What the probe finds, for each case."""
        found = []
        for arguments in self.cases():
            module = answer(*arguments)
            if not unanswered(module) and not isinstance(module, nn.Module):
                raise TypeError("no module came back")
            found.append(None if unanswered(module) else self.probe(module, *arguments))
        return found


class PartsInOrder(nn.Module):
    """Parts one after the other, with the ways to get it wrong as options."""

    def __init__(self, parts: list, keep: Callable = nn.ModuleList, way: str = "call", ready: bool = True) -> None:
        if ready:
            super().__init__()
        self.parts = keep(parts)
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        if self.way in ("sum", "last"):
            outputs = [part(x) for part in self.parts]
            return sum(outputs) if self.way == "sum" else outputs[-1]
        if self.way == "whole":
            return self.parts(x)
        for part in reversed(self.parts) if self.way == "reversed" else self.parts:
            x = part.forward(x) if self.way == "forward" else part(x)
        return x


class Chain(PartsInOrder):
    """The same under the exercise's name, which stands in some of Python's messages."""


def parts_with(*pairs: tuple[float, float]) -> list[nn.Module]:
    """Linear layers of one input and output, with these weights and biases, and a tanh behind the first."""
    layers = [nn.Linear(1, 1, dtype=torch.float64) for _ in pairs]
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, pairs, strict=True):
            layer.weight.fill_(weight)
            layer.bias.fill_(bias)
    return [layers[0], nn.Tanh(), *layers[1:]]


def probe_parts(module: nn.Module, parts: list[nn.Module]) -> list | None:
    """How many numbers the module would train, how often hooks on its parts fire, and its outputs."""
    fired = []
    handles = [part.register_forward_hook(lambda part, inputs, output: fired.append(part)) for part in parts]
    inputs = torch.tensor([[-1.0], [0.5], [2.0]], dtype=torch.float64)
    output = module(inputs)
    for handle in handles:
        handle.remove()
    if unanswered(output):
        return None
    if not isinstance(output, Tensor) or output.shape != inputs.shape:
        raise ValueError(f"forward got a tensor of shape (3, 1) and returned {describe(output)}")
    trained = sum(parameter.numel() for parameter in module.parameters())
    return [float(trained), float(len(fired)), *output.flatten()]


chain = ModuleExercise(
    chapter="09",
    solution=PartsInOrder,
    cases=lambda: [(parts_with((2.0, -1.0), (-3.0, 0.5)),), (parts_with((0.5, 1.0), (4.0, 2.0), (-1.5, 3.0)),)],
    probe=probe_parts,
    why="An optimizer gets every parameter of every part, and hooks on the parts fire.",
    mistakes=[
        Mistake(
            lambda parts: PartsInOrder(parts, keep=list),
            "The outputs are right, but parameters() finds nothing: parts in a plain list are invisible. Keep them in "
            "an nn.ModuleList.",
        ),
        Mistake(
            lambda parts: PartsInOrder(parts, way="forward"),
            "The outputs are right, but the hooks on the parts stayed silent: call part(x), not part.forward(x).",
        ),
        Mistake(
            lambda parts: PartsInOrder(parts, list, "forward"),
            "The outputs are right. Two things are not: parameters() finds nothing, and hooks on the parts stay "
            "silent. Use an nn.ModuleList, and call the parts themselves.",
        ),
        Mistake(
            lambda parts: PartsInOrder(parts, way="last"),
            "Each part got the input itself, and only the last one counts: hand on the output of the one before.",
        ),
        Mistake(
            lambda parts: PartsInOrder(parts, way="sum"),
            "That adds the outputs up, like Total: hand each part the output of the one before.",
        ),
        Mistake(lambda parts: PartsInOrder(parts, way="reversed"), "The parts ran in reverse: begin with the first."),
        Mistake(
            lambda parts: PartsInOrder(parts, ready=False),
            "nn.Module has not set up its records yet: call super().__init__() first.",
        ),
        Mistake(
            lambda parts: Chain(parts, keep=list, ready=False),
            "Two things are missing: super().__init__(), which sets up the module's records, and an nn.ModuleList for "
            "the parts.",
        ),
        Mistake(
            lambda parts: PartsInOrder(parts, way="whole"),
            "An nn.ModuleList only keeps its parts, it can't be called: go through them in a loop.",
        ),
        Mistake(
            lambda parts: PartsInOrder(parts, keep=list, way="whole"),
            "A list can't be called: keep the parts in an nn.ModuleList, and go through them in a loop.",
        ),
        Mistake(lambda parts: parts, "What comes back is no module: give a class that inherits from nn.Module."),
    ],
    hint="With two parts a and b, the module computes b(a(x)), and the optimizer needs the parameters of both.",
)


def corrected_line(weight: float, bias: float, correction: float) -> nn.Module:
    """A layer with one input and one output, and with a hook that adds the correction."""
    layer = parts_with((weight, bias))[0]
    layer.register_forward_hook(lambda module, inputs, output: output + correction)
    return layer


def all_pairs(prediction: Tensor, target: Tensor) -> Tensor:
    return ((prediction.reshape(-1, 1) - target.reshape(1, -1)) ** 2).mean()


@dataclass(frozen=True)
class TrackedExercise(Exercise):
    """A self-check of a function whose result must be a tensor that autograd can go back from."""

    def results(self, answer: Any) -> list:
        """What the answer returns for each case, each followed by whether it requires a gradient."""
        found = []
        for arguments in self.cases():
            value = answer(*arguments)
            found += [value, isinstance(value, Tensor) and value.requires_grad]
        return found


module_loss = TrackedExercise(
    chapter="09",
    solution=lambda model, u, c: loss.mse(model(u.unsqueeze(1)), c.unsqueeze(1)),
    cases=lambda: [
        (corrected_line(0.5, -15.0, 1.25), *readings()),
        (corrected_line(-2.0, 1.0, -0.5), *torch.tensor([[1.0, 3.0, 4.0], [2.0, -5.0, 1.0]], dtype=torch.float64)),
    ],
    why="Each prediction met its own target, and the hook was not skipped.",
    mistakes=[
        Mistake(
            lambda model, u, c: all_pairs(model(u.unsqueeze(1)), c),
            "Every prediction was compared with every target: (n, 1) against (n,) broadcasts to n x n. Give the target "
            "the shape of the prediction.",
        ),
        Mistake(
            lambda model, u, c: loss.mse(model.forward(u.unsqueeze(1)), c.unsqueeze(1)),
            "The hook's correction is missing: call model(...), not model.forward(...).",
        ),
        Mistake(
            lambda model, u, c: all_pairs(model.forward(u.unsqueeze(1)), c),
            "Two things at once: (n, 1) against (n,) compares every prediction with every target, and forward skips "
            "the hook.",
        ),
        Mistake(
            lambda model, u, c: model(u),
            "The layer took your tensor for one sample with n numbers: rows are samples, so use unsqueeze(1).",
        ),
        Mistake(
            lambda model, u, c: loss.mse(model(u.unsqueeze(1)), c),
            "The target still has shape (n,), and mse refuses to pair everyone with everyone: unsqueeze it as well.",
        ),
        Mistake(
            lambda model, u, c: ((model(u.unsqueeze(1)) - c.unsqueeze(1)) ** 2).sum(),
            "That is the sum of the squares: take their mean.",
        ),
        Mistake(
            lambda model, u, c: loss.mse(model(u.unsqueeze(1)), c.unsqueeze(1)).item(),
            "The number is right, but it has lost its graph, so that backward can't start from it: return the tensor, "
            "without item(), detach() or no_grad().",
        ),
    ],
    hint="Bring u and c to shape (n, 1), call the module on u, and average the squared differences.",
)


parameter_count = Exercise(
    chapter="09",
    solution=lambda n_in, n_out: n_in * n_out + n_out,
    cases=lambda: [(1, 1), (3, 2), (2, 3), (1, 13), (784, 10)],
    why="Expect a number, count, compare: that finds parameters that the optimizer would never see.",
    mistakes=[
        Mistake(lambda n_in, n_out: n_in * n_out, "Those are the weights: the biases are trained as well."),
        Mistake(lambda n_in, n_out: n_in * n_out + 1, "One bias is too few: each output has its own."),
        Mistake(lambda n_in, n_out: n_in * n_out + n_in, "The biases belong to the outputs, not to the inputs."),
        Mistake(lambda n_in, n_out: n_in + n_out, "Each output has a weight for each input: multiply, don't add."),
        Mistake(lambda n_in, n_out: 2, "Weight and bias are two tensors: count the numbers in them."),
    ],
    hint="nn.Linear(3, 2) has a weight of shape (2, 3) and a bias of shape (2,).",
)


channels_first = Exercise(
    chapter="09",
    solution=lambda images: images.permute(0, 3, 1, 2),
    cases=lambda: [(torch.arange(120.0).reshape(2, 4, 5, 3),), (torch.arange(96.0).reshape(2, 4, 4, 3),)],
    why="The numbers of each plane stay together, in the order that PyTorch's image layers expect.",
    mistakes=[
        Mistake(
            lambda images: images.reshape(len(images), images.shape[3], images.shape[1], images.shape[2]),
            "The shape is right, the pixels are scrambled: reshape cuts the numbers up anew; permute moves dimensions.",
        ),
        Mistake(
            lambda images: images.transpose(1, 3),
            "Rows and columns are swapped: this is B x C x W x H, images lying on their side.",
        ),
        Mistake(
            lambda images: images.permute(3, 0, 1, 2),
            "The channels come before the batch: the images stay at place 0.",
        ),
        Mistake(lambda images: images, "The colours are still last."),
    ],
    hint="permute lists, for each place of the new order, the place where that dimension was before.",
)


# ---- chapter 10 ----------------------------------------------------------------------------------------------------


def pairs_of(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Each layer's number of inputs and outputs, from the sizes in between."""
    return list(zip(sizes[:-1], sizes[1:], strict=True))


network_size = Exercise(
    chapter="10",
    solution=lambda sizes: sum(n_in * n_out + n_out for n_in, n_out in pairs_of(sizes)),
    cases=lambda: [([1, 13, 1],), ([1, 30, 30, 1],), ([3, 5, 2],), ([4, 1],)],
    why="Now you know before the training how many numbers will be fitted to how many readings.",
    mistakes=[
        Mistake(
            lambda sizes: sum(n_in * n_out for n_in, n_out in pairs_of(sizes)),
            "The biases are missing: every unit behind the input has one.",
        ),
        Mistake(
            lambda sizes: sum(n_in * n_out + 1 for n_in, n_out in pairs_of(sizes)),
            "Each layer has as many biases as outputs, not one.",
        ),
        Mistake(
            lambda sizes: sum(n_in * n_out for n_in, n_out in pairs_of(sizes)) + sum(sizes),
            "The inputs have no bias: they are given, not computed.",
        ),
        Mistake(lambda sizes: sum(sizes), "You counted the units: each has a weight for every input, and a bias."),
        Mistake(lambda sizes: math.prod(sizes), "Multiply within a layer, and add the layers up."),
        Mistake(
            lambda sizes: sum(sizes[0] * n_out + n_out for n_out in sizes[1:]),
            "A layer's inputs are the outputs of the layer before it, not the inputs of the network.",
        ),
    ],
    hint="A layer with a inputs and b outputs has a * b weights and b biases; add up the layers.",
)


def probe_network(module: nn.Module, width: int) -> list:
    """How many numbers the module would train, and its outputs once these numbers are known ones."""
    module = module.double()
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters()):
            count = torch.arange(parameter.numel(), dtype=torch.float64)
            parameter.copy_(torch.sin(1 + number + 0.7 * count).reshape(parameter.shape))
        outputs = module(torch.tensor([[-2.0], [-0.5], [0.25], [1.0], [3.0]], dtype=torch.float64))
    if outputs.shape != (5, 1):
        raise ValueError(f"the network got a tensor of shape (5, 1) and returned {describe(outputs)}")
    return [float(sum(parameter.numel() for parameter in module.parameters())), *outputs.flatten()]


deeper_network = ModuleExercise(
    chapter="10",
    solution=lambda width: nn.Sequential(
        nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)
    ),
    cases=lambda: [(3,), (5,)],
    probe=probe_network,
    why="An activation between any two layers, none behind the last: the output can reach any temperature.",
    mistakes=[
        Mistake(
            lambda width: nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Linear(width, 1)),
            "No activation between the second hidden layer and the output: these two are one affine map (chapter 06).",
        ),
        Mistake(
            lambda width: nn.Sequential(nn.Linear(1, width), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)),
            "No activation between the two hidden layers: they collapse into one.",
        ),
        Mistake(
            lambda width: nn.Sequential(nn.Linear(1, width), nn.Linear(width, width), nn.Linear(width, 1)),
            "No activation at all: however many layers, this is a straight line.",
        ),
        Mistake(
            lambda width: nn.Sequential(
                nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1), nn.Tanh()
            ),
            "The last activation holds the output between -1 and 1: end with the linear layer.",
        ),
        Mistake(
            lambda width: nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, 1)),
            "That is one hidden layer; a second one goes from width to width.",
        ),
        Mistake(
            lambda width: nn.Sequential(
                nn.Linear(1, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
            ),
            "ReLU would do as well, but the task asks for tanh.",
        ),
    ],
    hint="Write down the shape after each module; it should go from (n, 1) over (n, width), twice, to (n, 1).",
)


def small_network(seed: int) -> nn.Module:
    """A network 1-4-1 with weights from a generator of its own."""
    generator = torch.Generator().manual_seed(seed)
    module = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return module


def error_on(model: nn.Module, u: Tensor, c: Tensor) -> Tensor:
    return loss.mse(model(u.unsqueeze(1)).squeeze(1), c)


error_on_new_rows = Exercise(
    chapter="10",
    solution=lambda model, u, c, training, validation: error_on(model, u[validation], c[validation]),
    cases=lambda: [
        (small_network(0), readings()[0] / 10, readings()[1], *data.split(11, 0)),
        (small_network(1), readings()[0] / 50, readings()[1], *data.split(11, 3, 0.4)),
    ],
    why="Only rows that the training never saw can tell how the network does on new ones.",
    mistakes=[
        Mistake(
            lambda model, u, c, training, validation: error_on(model, u[training], c[training]),
            "Those are the rows it was trained on: a network with enough parameters gets them right whatever it does "
            "elsewhere.",
        ),
        Mistake(
            lambda model, u, c, training, validation: error_on(model, u, c),
            "All rows includes those it was trained on, and they flatter it: take the validation rows only.",
        ),
        Mistake(
            lambda model, u, c, training, validation: all_pairs(model(u[validation].unsqueeze(1)), c[validation]),
            "Every prediction was compared with every target: (n, 1) against (n,) broadcasts to n x n.",
        ),
        Mistake(
            lambda model, u, c, training, validation: model(u[validation]),
            "The network wants one row per reading: to it, shape (n,) is one reading with n inputs. Use unsqueeze(1).",
        ),
        Mistake(
            lambda model, u, c, training, validation: loss.mse(model(u[validation].unsqueeze(1)), c[validation]),
            "The predictions have shape (n, 1), the targets (n,), and mse refuses to pair everyone with everyone.",
        ),
        Mistake(
            lambda model, u, c, training, validation: error_on(model, u[validation], c[validation]).sqrt(),
            "That is the root, in degrees: the question was for the mean of the squares.",
        ),
    ],
    hint="Pick the validation rows of u and c, bring u to shape (n, 1), call the model, average the squared errors.",
)


judged_error = Exercise(
    chapter="10",
    solution=lambda chooser, judge: judge[chooser.argmin()],
    cases=lambda: [
        torch.tensor([[9.0, 4.0, 0.5, 2.0, 6.0], [8.0, 3.0, 2.5, 1.5, 7.0]], dtype=torch.float64).unbind(),
        torch.tensor([[3.0, 0.2, 5.0, 4.0], [0.7, 1.9, 0.1, 2.2]], dtype=torch.float64).unbind(),
        torch.tensor([[9.0, 1.0, 3.0, 0.5, 6.0], [8.0, 0.2, 0.1, 5.0, 7.0]], dtype=torch.float64).unbind(),
    ],
    why="The reading that chose the epoch is used up by the choice; the other one has had no say in it.",
    mistakes=[
        Mistake(
            lambda chooser, judge: chooser.min(),
            "The smallest error of the reading that chose is small because it was chosen: ask the other reading.",
        ),
        Mistake(
            lambda chooser, judge: judge.min(),
            "Now the judge has chosen the epoch for itself: take the epoch at which the chooser is smallest.",
        ),
        Mistake(lambda chooser, judge: judge[-1], "That is the error after the last epoch: nothing was stopped early."),
        Mistake(lambda chooser, judge: chooser[judge.argmin()], "The two have swapped their tasks."),
        Mistake(
            lambda chooser, judge: (chooser + judge).min() / 2,
            "Their mean was made as small as possible: then both have chosen, and nobody is left to judge.",
        ),
        Mistake(
            lambda chooser, judge: judge[(chooser + judge).argmin()],
            "Both readings have chosen that epoch together: the choice belongs to the first one alone.",
        ),
        Mistake(lambda chooser, judge: chooser.argmin(), "That is the epoch: give the judge's error there."),
    ],
    hint="Which of the two may look for the smallest error, and over which epochs? The other one speaks only then.",
)


# ---- chapter 11 ----------------------------------------------------------------------------------------------------


class HiddenUnits(nn.Module):
    """One layer of tanh units, with the ways to get the class wrong as options."""

    def __init__(self, hidden: int, way: str = "", names: tuple = ("hidden_linear", "output_linear")) -> None:
        if way != "not ready":
            super().__init__()
        self.way, self.hidden, self.names = way, hidden, names
        if way == "tensors":
            self.layers = [torch.ones(hidden, 1), torch.zeros(hidden), torch.ones(1, hidden), torch.zeros(1)]
        elif way != "in forward":
            setattr(self, names[0], nn.Linear(1, hidden))
            setattr(self, names[1], nn.Linear(hidden, 1))
        if way == "one more":
            self.register_buffer("extra", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor | None:
        if self.way == "tensors":
            W0, b0, W1, b1 = self.layers
            return affine(torch.tanh(affine(x, W0, b0)), W1, b1)
        if self.way == "in forward":
            return nn.Linear(self.hidden, 1)(torch.tanh(nn.Linear(1, self.hidden)(x)))
        inner, outer = (getattr(self, name) for name in self.names)
        bend = {"no tanh": lambda sums: sums, "sigmoid": torch.sigmoid}.get(self.way, torch.tanh)
        output = outer(bend(inner(x)))
        if self.way == "no return":
            return None
        return torch.tanh(output) if self.way == "tanh at the end" else output


def fixed_weights(hidden: int) -> dict[str, Tensor]:
    """Weights by name for a layer of hidden units and an output, no two alike."""
    ramp = torch.linspace(-1, 1, hidden + 1)
    return {
        "hidden_linear.weight": 1.3 * ramp[1:, None],
        "hidden_linear.bias": ramp[:-1] + 0.2,
        "output_linear.weight": 0.4 - 1.7 * ramp[None, 1:],
        "output_linear.bias": torch.tensor([0.3]),
    }


def in_dtype_of(module: nn.Module, inputs: Tensor) -> Tensor:
    """The inputs in the dtype of the module's parameters, if it has any."""
    return inputs.to(next(module.parameters(), inputs).dtype)


def probe_hidden_units(module: nn.Module, hidden: int) -> list | None:
    """What is registered, whether two calls agree, and the outputs with fixed weights.

    Registered: how many trained numbers, and whether the saved tensors are those of the two layers and no others.
    The outputs are -1 where the fixed weights find no place.
    """
    if not vars(module):
        return None
    if "_parameters" not in vars(module):
        raise ValueError("super().__init__() has not run, so the module can register nothing")
    inputs = in_dtype_of(module, torch.tensor([[-1.0], [0.5], [2.0]]))
    registered = sum(parameter.numel() for parameter in module.parameters())
    shapes = {name: tensor.shape for name, tensor in module.state_dict().items()}
    first, second = module(inputs), module(inputs)
    if unanswered(first):
        raise ValueError("forward handed nothing back")
    if not isinstance(first, Tensor) or first.shape != inputs.shape:
        raise ValueError(f"forward got a tensor of shape (3, 1) and returned {describe(first)}")
    outputs = [-1.0] * len(inputs)
    weights = fixed_weights(hidden)
    if all(shapes.get(name) == tensor.shape for name, tensor in weights.items()):
        module.load_state_dict(weights, strict=False)
        outputs = module(inputs).flatten().tolist()
    return [float(registered), float(set(shapes) == set(weights)), float(torch.equal(first, second)), *outputs]


one_hidden = ModuleExercise(
    chapter="11",
    solution=HiddenUnits,
    cases=lambda: [(13,), (3,)],
    probe=probe_hidden_units,
    why="Both layers are registered under the names that the saved files use, and every call uses the same weights.",
    mistakes=[
        Mistake(
            lambda hidden: HiddenUnits(hidden, "in forward"),
            "The layers are made in forward: each call begins with new random weights, and parameters() finds none "
            "before. Make them in __init__.",
        ),
        Mistake(
            lambda hidden: HiddenUnits(hidden, "not ready"),
            "super().__init__() must come first: without it the module has no records to write a layer into.",
        ),
        Mistake(
            lambda hidden: HiddenUnits(hidden, "no return"),
            "forward hands nothing back: its last line needs a return.",
        ),
        Mistake(
            lambda hidden: HiddenUnits(hidden, "tensors"),
            "It computes, but parameters() finds nothing: a plain tensor is not registered. Use nn.Linear.",
        ),
        Mistake(
            lambda hidden: HiddenUnits(hidden, names=("hidden", "output")),
            "All parameters are there, but under other names: saved files know the layers as hidden_linear and "
            "output_linear.",
        ),
        Mistake(
            lambda hidden: HiddenUnits(hidden, "one more"),
            "The layers are right, but the module saves one tensor more than theirs: a file without it would not fit.",
        ),
        Mistake(
            lambda hidden: HiddenUnits(hidden, "sigmoid"),
            "These are units with another bend: a tanh unit makes 0 of 0, a sigmoid one half.",
        ),
        Mistake(
            lambda hidden: HiddenUnits(hidden, "no tanh"),
            "The activation is missing: two linear layers in a row are one straight line.",
        ),
        Mistake(
            lambda hidden: HiddenUnits(hidden, "tanh at the end"),
            "The output was bent, too: temperatures don't lie between -1 and 1. Leave the output layer linear.",
        ),
        Mistake(lambda hidden: hidden, "What comes back is no module: the class must inherit from nn.Module."),
    ],
    hint="Follow one number through forward: what does it meet, and in which order? A tanh unit makes 0 of 0, and its "
    "answers lie between -1 and 1.",
)


class DroppingUnits(HiddenUnits):
    """Tanh units with dropout; how the hidden units are computed, and what becomes of the output, are options."""

    def __init__(self, hidden: int, p: float, units: Callable, last: Callable) -> None:
        super().__init__(hidden)
        self.p, self.units, self.last = p, units, last

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self, self.output_linear(self.units(self, x)))


def drop(x: Tensor, p: float, training: bool) -> Tensor:
    return nn.functional.dropout(x, p, training)


def tanh_units_of(module: nn.Module, x: Tensor) -> Tensor:
    return torch.tanh(module.hidden_linear(x))


def dropped_units_of(module: nn.Module, x: Tensor) -> Tensor:
    return drop(tanh_units_of(module, x), module.p, module.training)


def mask_of(module: nn.Module, *shape: int) -> Tensor:
    """Factors for dropout: 0 with probability p, otherwise 1 / (1 - p); all 1 in use."""
    return drop(torch.ones(shape), module.p, module.training)


def dropping(units: Callable, last: Callable = lambda module, output: output) -> Callable:
    """A function that makes the module, as the class of an answer does."""
    return lambda hidden, p: DroppingUnits(hidden, p, units, last)


def call_in_training(module: nn.Module, inputs: Tensor, weight: Tensor, bias: float) -> Tensor:
    """The output (n,) with these weights of the output layer, the same random numbers in every call.

    Raises ValueError if the output is no tensor of shape (n, 1).
    """
    torch.default_generator.manual_seed(1)
    with torch.no_grad():
        module.output_linear.weight.copy_(weight)
        module.output_linear.bias.fill_(bias)
        output = module(inputs)
    if not isinstance(output, Tensor) or output.shape != inputs.shape:
        what = "nothing" if unanswered(output) else describe(output)
        raise ValueError(f"in training, forward got a tensor of shape {tuple(inputs.shape)} and returned {what}")
    return output.squeeze(1)


def probe_dropout(module: nn.Module, hidden: int, p: float) -> list | None:
    """What dropout does in training and in use.

    In use: whether two calls agree, and the outputs with fixed weights (-1 if calls differ). In training: whether two
    calls differ, the share of hidden units that are zero, the factor on the others, whether most rows have both kinds,
    whether rows differ, and whether the output is the weighted sum of the hidden units.
    The hidden units are read off the outputs, with one weight 1 and the others 0, so it doesn't matter how forward
    uses the output layer.
    """
    inputs = in_dtype_of(module, torch.tensor([[-1.0], [0.5], [2.0]]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module.load_state_dict(fixed_weights(hidden))
        module.eval()
        calls = [module(inputs) for _ in range(5)]
        if any(unanswered(call) for call in calls):
            return None
        if not isinstance(calls[0], Tensor) or calls[0].shape != inputs.shape:
            raise ValueError(f"forward got a tensor of shape (3, 1) and returned {describe(calls[0])}")
        steady = all(torch.equal(call, calls[0]) for call in calls)
        outputs = calls[0].flatten().tolist() if steady else [-1.0] * len(inputs)

        module.train()
        with torch.no_grad():  # every unit gets 0.25 * 1 + 0.25
            module.hidden_linear.weight.fill_(0.25)
            module.hidden_linear.bias.fill_(0.25)
        many = inputs.new_ones(1000, 1)
        units = torch.stack([call_in_training(module, many, one, 0.0) for one in torch.eye(hidden)], dim=1)
        total = call_in_training(module, many, torch.ones(hidden), 1.0)
        varies = not torch.equal(module(many), module(many))
    zero = units == 0
    share = round(zero.double().mean().item(), 1)
    factor = units.max().item() / math.tanh(0.5) if share else 1.0
    mixed = (zero.any(dim=1) & ~zero.all(dim=1)).double().mean() > 0.5
    rows_differ = (zero != zero[0]).any()
    summed = torch.allclose(total, units.sum(dim=1) + 1, atol=1e-4)
    return [float(steady), *outputs, float(varies), share, factor, float(mixed), float(rows_differ), float(summed)]


with_dropout = ModuleExercise(
    chapter="11",
    solution=dropping(dropped_units_of),
    cases=lambda: [(10, 0.2), (5, 0.6)],
    probe=probe_dropout,
    why="In training it drops a share p and makes up for it; after eval() every call gives the same answer.",
    mistakes=[
        Mistake(
            dropping(lambda module, x: drop(tanh_units_of(module, x), module.p, True)),
            "After eval() it still drops: F.dropout needs training=self.training, and an nn.Dropout made in forward "
            "is always new, hence in training.",
        ),
        Mistake(
            dropping(tanh_units_of),
            "Nothing is ever dropped, not even in training: F.dropout drops while its training is True.",
        ),
        Mistake(
            dropping(lambda module, x: drop(tanh_units_of(module, x), module.p, not module.training)),
            "The switch is turned around: it drops in use, and not in training.",
        ),
        Mistake(
            dropping(lambda module, x: drop(tanh_units_of(module, x), 0.5, module.training)),
            "It drops one half, F.dropout's default: hand over p=self.p.",
        ),
        Mistake(
            dropping(lambda module, x: drop(tanh_units_of(module, x), 1 - module.p, module.training)),
            "p is the probability to be dropped, not to be kept.",
        ),
        Mistake(
            dropping(lambda module, x: tanh_units_of(module, drop(x, module.p, module.training))),
            "Something is dropped, but not the hidden units: dropout belongs between the tanh and the output layer.",
        ),
        Mistake(
            dropping(tanh_units_of, lambda module, output: drop(output, module.p, module.training)),
            "The output is dropped, not the hidden units: dropout belongs before the output layer.",
        ),
        Mistake(
            dropping(dropped_units_of, lambda module, output: drop(output, module.p, module.training)),
            "You drop twice: the hidden units, as asked, and then the output as well.",
        ),
        Mistake(
            dropping(lambda module, x: tanh_units_of(module, x) * mask_of(module, len(x), 1)),
            "All units of a reading are dropped together, or none: each unit needs a chance of its own.",
        ),
        Mistake(
            dropping(lambda module, x: tanh_units_of(module, x) * mask_of(module, 1, module.hidden)),
            "The same units are dropped for all readings: each reading needs chances of its own.",
        ),
        Mistake(
            dropping(lambda module, x: torch.tanh(drop(module.hidden_linear(x), module.p, module.training))),
            "You dropped before the tanh, so the factor 1 / (1 - p) gets bent with the rest: drop behind it.",
        ),
        Mistake(
            dropping(
                lambda module, x: (
                    tanh_units_of(module, x) * (torch.rand(len(x), module.hidden) >= module.p * module.training)
                )
            ),
            "What is left must be divided by 1 - p, or the output layer meets larger sums in use than in training.",
        ),
    ],
    hint="Look at what reaches the output layer, in training and after eval(): which numbers are 0, and by what factor "
    "have the others grown?",
)


def sequential_state() -> dict[str, Tensor]:
    """Weights of parts 0, 1 and 10 of a Sequential, each a layer with one input and one output."""
    numbers_of = {"0": (0.5, -1.0), "1": (2.0, 0.25), "10": (-3.0, 4.0)}
    return {
        f"{place}.{kind}": torch.tensor(value).reshape((1, 1) if kind == "weight" else (1,))
        for place, pair in numbers_of.items()
        for kind, value in zip(("weight", "bias"), pair, strict=True)
    }


def loading_task(order: tuple, names: dict[str, str]) -> tuple:
    """A model with layers of these names, in this order, its weights still zero; the weights to load; the names."""
    model = nn.ModuleDict({name: nn.Linear(1, 1) for name in order})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    return model, sequential_state(), names


def with_new_names(state: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    """The state with the part before the first dot replaced as a whole."""
    renamed = {}
    for name, tensor in state.items():
        place, _, kind = name.partition(".")
        renamed[f"{names[place]}.{kind}"] = tensor
    return renamed


def with_replaced_letters(state: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    """The same by str.replace, which finds "1" in "10" as well."""
    renamed = {}
    for name, tensor in state.items():
        for old, new in names.items():
            name = name.replace(old, new)
        renamed[name] = tensor
    return renamed


def filled(model: nn.Module, state: dict[str, Tensor], strict: bool = True) -> nn.Module:
    model.load_state_dict(state, strict=strict)
    return model


load_renamed = ModuleExercise(
    chapter="11",
    solution=lambda model, state, names: filled(model, with_new_names(state, names)),
    cases=lambda: [
        loading_task(("outer", "inner", "middle"), {"0": "inner", "1": "middle", "10": "outer"}),
        loading_task(("a", "b", "c"), {"0": "c", "1": "a", "10": "b"}),
    ],
    probe=lambda module, *arguments: [tensor.item() for _, tensor in sorted(module.state_dict().items())],
    why="Tensors found their places by name, so neither the order nor the number of parts matters.",
    mistakes=[
        Mistake(
            lambda model, state, names: filled(model, state),
            "The names you load are not the model's: replace what stands before the first dot, as a whole (a 1 stands "
            "in 10, too).",
        ),
        Mistake(
            lambda model, state, names: filled(model, state, strict=False),
            "Nothing was loaded: with strict=False a name that doesn't fit is passed over. Rename the keys first.",
        ),
        Mistake(
            lambda model, state, names: filled(model, with_replaced_letters(state, names), strict=False),
            "Part 10 kept its old weights: replace finds a 1 in 10, too, and strict=False keeps quiet about it.",
        ),
        Mistake(
            lambda model, state, names: filled(model, dict(zip(model.state_dict(), state.values(), strict=True))),
            "You matched the tensors by position: the parts may stand in another order here, only names can tell.",
        ),
        Mistake(
            lambda model, state, names: model.load_state_dict(with_new_names(state, names)),
            "What came back is no module: load_state_dict changes the model and returns a report; return the model.",
        ),
    ],
    hint='Make a new dictionary in which "10.weight" is called names["10"] + ".weight", load it, return the model.',
)


class Degrees(nn.Module):
    """std * z + mean; how the constants are kept and what is computed are options."""

    def __init__(
        self,
        mean: Tensor,
        std: Tensor,
        keep: Callable = nn.Module.register_buffer,
        compute: Callable = lambda z, mean, std: std * z + mean,
        names: tuple = ("mean", "std"),
    ) -> None:
        super().__init__()
        self.compute, self.names = compute, names
        for name, value in zip(names, (mean, std), strict=True):
            keep(self, name, value)

    def forward(self, z: Tensor) -> Tensor:
        return self.compute(z, *(getattr(self, name) for name in self.names))


def probe_constants(module: nn.Module, mean: Tensor, std: Tensor) -> list | None:
    """How many parameters, how many that train, buffers, saved tensors; outputs, and those with other constants."""
    z = torch.tensor([[-1.0], [0.5], [2.0]])
    output = module(z)
    if unanswered(output):
        if list(module.state_dict()):
            raise ValueError("forward handed nothing back")
        return None
    if not isinstance(output, Tensor) or output.shape != z.shape:
        raise ValueError(f"forward got a tensor of shape (3, 1) and returned {describe(output)}")
    parameters, saved = list(module.parameters()), sorted(module.state_dict())
    if any(module.state_dict()[name].dim() for name in saved if name in ("mean", "std")):
        raise ValueError("mean and std came as scalars and are not kept as scalars")
    module.load_state_dict({"mean": torch.tensor(7.0), "std": torch.tensor(0.25)}, strict=False)
    return [
        float(len(parameters)),
        float(sum(parameter.requires_grad for parameter in parameters)),
        float(len(list(module.buffers()))),
        float(len(saved)),
        float(saved == ["mean", "std"]),
        *output.flatten().tolist(),
        *module(z).flatten().tolist(),
    ]


back_to_degrees = ModuleExercise(
    chapter="11",
    solution=Degrees,
    cases=lambda: [(torch.tensor(10.5), torch.tensor(8.75)), (torch.tensor(-2.0), torch.tensor(0.5))],
    probe=probe_constants,
    why="Whoever loads the file gets the constants with the weights, and no training moves them.",
    mistakes=[
        Mistake(
            lambda mean, std: Degrees(mean, std, keep=setattr),
            "It computes, but state_dict() has neither number: a plain attribute is not saved. Use register_buffer.",
        ),
        Mistake(
            lambda mean, std: Degrees(mean, std, keep=lambda m, name, value: setattr(m, name, nn.Parameter(value))),
            "They are saved, and they are trained: an optimizer gets every nn.Parameter. Use register_buffer.",
        ),
        Mistake(
            lambda mean, std: Degrees(
                mean, std, keep=lambda m, name, value: setattr(m, name, nn.Parameter(value, requires_grad=False))
            ),
            "They don't train, but parameters() hands them out and counts them: a constant is a buffer.",
        ),
        Mistake(
            lambda mean, std: Degrees(
                mean, std, keep=lambda m, name, value: m.register_buffer(name, value, persistent=False)
            ),
            "persistent=False makes buffers that are not saved: leave it out.",
        ),
        Mistake(
            lambda mean, std: Degrees(mean, std, keep=lambda m, name, value: m.register_buffer(name, value.reshape(1))),
            "mean and std came with shape () and are kept with another: a file with scalars would not fit.",
        ),
        Mistake(
            lambda mean, std: Degrees(mean, std, names=("shift", "scale")),
            "Both are buffers, under other names than mean and std, so a saved file would not fit.",
        ),
        Mistake(
            lambda mean, std: Degrees(mean, std, compute=lambda z, mean, std: (z - mean) / std),
            "That standardises once more: turn it around, times std, plus mean.",
        ),
        Mistake(
            lambda mean, std: Degrees(mean, std, compute=lambda z, mean, std: (z + mean) * std),
            "The mean was multiplied, too: first times std, then plus mean.",
        ),
    ],
    hint="What should a z of 0 become, and a z of 1? And which of a module's records is saved, but goes to no "
    "optimizer?",
)


# ---- chapter 12 ----------------------------------------------------------------------------------------------------


def geyser() -> tuple[Tensor, Tensor]:
    """Waiting times and lengths of R's 272 eruptions, in float64."""
    df = data.faithful()
    return torch.tensor(df["waiting"].to_numpy()), torch.tensor(df["eruptions"].to_numpy())


def five_points() -> tuple[Tensor, Tensor]:
    return tuple(torch.tensor([[1.0, 2.0, 4.0, 7.0, 11.0], [30.0, 20.0, 25.0, 10.0, 4.0]], dtype=torch.float64))


def scales(x: Tensor, y: Tensor, correction: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mean and standard deviation of x, then of y."""
    return x.mean(), x.std(correction=correction), y.mean(), y.std(correction=correction)


def back_to_units(w: float, b: float, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x_mean, x_spread, y_mean, y_spread = scales(x, y)
    slope = w * y_spread / x_spread
    return slope, y_mean + b * y_spread - slope * x_mean


def back_without(w: float, b: float, x: Tensor, y: Tensor, part: str) -> tuple[Tensor, Tensor]:
    """Slope and intercept in the data's units, with one part left out or turned around."""
    x_mean, x_spread, y_mean, y_spread = scales(x, y, correction=1 if part == "n" else 0)
    slope = {"y spread": w / x_spread, "upside down": w * x_spread / y_spread}.get(part, w * y_spread / x_spread)
    intercept = (0 if part == "y mean" else y_mean) + (b if part in ("b", "y spread") else b * y_spread)
    return slope, intercept - (0 if part == "x mean" else slope * x_mean)


line_in_units = Exercise(
    chapter="12",
    solution=back_to_units,
    cases=lambda: [(0.9, 0.05, *geyser()), (-0.75, -0.2, *five_points())],
    why="Train in the units that suit the optimizer, report in the units that suit the reader.",
    mistakes=[
        Mistake(
            lambda w, b, x, y: back_without(w, b, x, y, "upside down"),
            "The quotient is upside down: a slope is in units of y per unit of x.",
        ),
        Mistake(
            lambda w, b, x, y: back_without(w, b, x, y, "y spread"),
            "The spread of y is missing: w and b are in standard deviations of y.",
        ),
        Mistake(
            lambda w, b, x, y: back_without(w, b, x, y, "b"),
            "The slope is right. The intercept adds b to minutes: b is in standard deviations of y.",
        ),
        Mistake(
            lambda w, b, x, y: back_without(w, b, x, y, "x mean"),
            "The slope is right. The intercept belongs to x = 0, and standardised x is 0 at the mean of x.",
        ),
        Mistake(
            lambda w, b, x, y: back_without(w, b, x, y, "y mean"),
            "The slope is right. The mean of y was subtracted before training: add it to the intercept.",
        ),
        Mistake(
            lambda w, b, x, y: back_without(w, b, x, y, "n"),
            "std() divides by n - 1 unless told otherwise: use correction=0, as the training did.",
        ),
        Mistake(lambda w, b, x, y: back_to_units(w, b, x, y)[::-1], "The two are swapped: the slope comes first."),
    ],
    hint="Solve (y - mean of y) / spread of y = w * (x - mean of x) / spread of x + b for y, then read off the slope.",
)


def deal(n: int, folds: int) -> tuple[Tensor, ...]:
    """The row numbers 0 ... n-1, shuffled and dealt into folds."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(12)).tensor_split(folds)


def errors_by_fold(
    x: Tensor, y: Tensor, folds: Sequence[Tensor], fitted_to: str = "rest", in_order: bool = True
) -> Tensor:
    """Prediction minus value of each row, by a line that was fitted to the other folds (or to something else)."""
    X = torch.stack([torch.ones_like(x), x], dim=1)
    found = []
    for fold in folds:
        inside = torch.zeros(len(x), dtype=torch.bool)
        inside[fold] = True
        rows = {"rest": ~inside, "fold": inside, "all": torch.ones_like(inside)}[fitted_to]
        beta = torch.linalg.lstsq(X[rows], y[rows].unsqueeze(1)).solution.squeeze(1)
        found.append(X[fold] @ beta - y[fold])
    errors = torch.cat(found)
    return errors[torch.cat(tuple(folds)).argsort()] if in_order else errors


line_errors = Exercise(
    chapter="12",
    solution=errors_by_fold,
    cases=lambda: [(*geyser(), deal(272, 10)), (*readings(), deal(11, 4))],
    why="Line and network can now be compared row by row, each row predicted by fits that have not seen it.",
    mistakes=[
        Mistake(
            lambda x, y, folds: errors_by_fold(x, y, folds, "all"),
            "Every row was part of its own fit: fit without the fold, then predict the fold.",
        ),
        Mistake(
            lambda x, y, folds: errors_by_fold(x, y, folds, "fold"),
            "The lines were fitted to the folds themselves: fit to the other rows, predict the fold.",
        ),
        Mistake(
            lambda x, y, folds: errors_by_fold(x, y, folds, in_order=False),
            "The errors stand in the order of the folds: put each one at its row, errors[fold] = ...",
        ),
        Mistake(
            lambda x, y, folds: -errors_by_fold(x, y, folds),
            "The sign is turned: prediction minus value, as in the chapter.",
        ),
        Mistake(
            lambda x, y, folds: errors_by_fold(x, y, folds) ** 2,
            "Those are the squares: return the errors themselves.",
        ),
        Mistake(
            lambda x, y, folds: (errors_by_fold(x, y, folds) ** 2).mean(),
            "That is their mean square: return one error for each row.",
        ),
    ],
    hint="For each fold: a mask of the other rows, a line fitted to them, its predictions for the fold minus y there.",
)


standard_errors_apart = Exercise(
    chapter="12",
    solution=6.6,
    tolerance=0.1,
    why="More than six standard errors are no luck of the draw: this relation bends, and the network has found it.",
    mistakes=[
        Mistake(
            -6.6,
            "The sign is turned: the line's squared error minus the network's, so that positive means that the network "
            "is ahead.",
        ),
        Mistake(
            4.3,
            "You compared two means as if they came from different rows: take the difference row by row first, then "
            "its standard error.",
        ),
        Mistake(0.4, "You divided by the standard deviation: the standard error is that divided by the root of n."),
        Mistake(0.105, "That is the mean difference itself, in squared minutes: divide it by its standard error."),
    ],
    hint="gain = line_errors**2 - network_errors**2, one for each row; then its mean divided by its standard error.",
)


# ---- chapter 13 ----------------------------------------------------------------------------------------------------


def digits_after(X: Tensor, powers: tuple = (1, 2), scaled: bool = True, log: Callable = torch.log10) -> tuple:
    """16 less the logarithm of the condition number, once for each power of it."""
    condition = torch.linalg.cond(X / X.norm(dim=0) if scaled else X)
    return tuple(16 - power * log(condition) for power in powers)


def hard_matrices() -> list[tuple]:
    """Three design matrices whose columns have different lengths and nearly depend on each other."""
    x = torch.arange(1, 9, dtype=torch.float64)
    like_filip = torch.linspace(-8.78, -3.14, 82, dtype=torch.float64).unsqueeze(1) ** torch.arange(11)
    return [(torch.stack([torch.ones_like(x), 1000 + x], dim=1),), (x.unsqueeze(1) ** torch.arange(5),), (like_filip,)]


def standardised(X: Tensor) -> Tensor:
    """All columns less their means, over their standard deviations: the column of ones comes out as NaN."""
    return (X - X.mean(dim=0)) / X.std(dim=0)


digits_left = HandsOffExercise(
    chapter="13",
    solution=digits_after,
    cases=hard_matrices,
    why="One line before a fit tells you how many of its digits to believe.",
    mistakes=[
        Mistake(
            lambda X: digits_after(X, scaled=False),
            "Scale the columns to length 1 first: neither method minds their units.",
        ),
        Mistake(
            lambda X: digits_after(X, log=torch.log),
            "Those are natural logarithms: decimal digits are counted by log10.",
        ),
        Mistake(lambda X: digits_after(X, (2, 1)), "The two are swapped: QR first, then the normal equations."),
        Mistake(
            lambda X: tuple(16 - left for left in digits_after(X)),
            "Those are the digits lost: subtract them from the sixteen that float64 has.",
        ),
        Mistake(
            lambda X: (digits_after(X)[0], digits_after(X)[0] / 2),
            "Not what is left is halved: the normal equations lose twice as many digits.",
        ),
        Mistake(
            lambda X: (digits_after(X)[0], 16 - (16 - digits_after(X)[0]) ** 2),
            "Square the condition number, not its logarithm: the digits lost are doubled.",
        ),
        *[
            Mistake(
                lambda X, whole=whole: tuple(whole(left) for left in digits_after(X)),
                f"Don't round{where} to whole digits: return the numbers as they are.",
            )
            for whole, where in ((torch.round, ""), (torch.floor, " down"))
        ],
        Mistake(
            lambda X: digits_after(X.float()),
            "float32 has too few digits to see such a condition number: stay in float64.",
        ),
        Mistake(
            lambda X: (digits_after(X)[0], digits_after((X / X.norm(dim=0)).T @ (X / X.norm(dim=0)), (1,), False)[0]),
            "Square the condition number of X: X'X in float64 is rounded, and its own comes out too small.",
        ),
        Mistake(
            lambda X: digits_after(standardised(X), scaled=False),
            "The column of ones has no spread to divide by: divide each column by its length, and subtract nothing.",
        ),
        Mistake(
            lambda X: digits_after(X.div_(X.norm(dim=0))),
            "You changed the X that was handed in: scale a copy, as X / lengths does.",
        ),
    ],
    hint="Try it on paper: a condition number of 10^3 leaves 13 digits to QR and 10 to the normal equations.",
)


def line_residuals(
    x: Sequence, y: Sequence, slope: Any, intercept: Any, number: Callable = Fraction, sign: int = 1
) -> list:
    """Target minus line, with every number read by `number`."""
    w, b = number(slope), number(intercept)
    return [sign * (number(target) - (w * number(value) + b)) for value, target in zip(x, y, strict=True)]


@dataclass(frozen=True)
class FractionExercise(Exercise):
    """A self-check of a function that returns a list of fractions."""

    def judgement(self, answer: Any) -> str:
        """The verdict; where no other mistake shows, numbers of another type than Fraction get a hint of their own."""
        said = super().judgement(answer)
        if not (said.startswith("✓") or said.endswith(self.hint)):
            return said
        kinds = {type(value).__name__ for result in self.results(answer) for value in result}
        if kinds <= {"Fraction"}:
            return said
        if "float" in kinds:
            return "✗ Not yet. float() rounds, and so does a sum with a float in it: use nothing but fractions."
        return f"✗ Not yet. There is a {min(kinds - {'Fraction'})} among the residuals: use nothing but fractions."


def first_rounded(which: Sequence[int]) -> Callable:
    """line_residuals with the slope (0), the intercept (1) or both rounded to float64 before they become fractions."""

    def residuals(x: Sequence, y: Sequence, *line_of_text: str) -> list:
        return line_residuals(
            x, y, *[Fraction(float(text)) if place in which else text for place, text in enumerate(line_of_text)]
        )

    return residuals


exact_residuals = FractionExercise(
    chapter="13",
    solution=line_residuals,
    cases=lambda: [
        (["0.1", "0.7"], ["0.30000000000000000004", "2.1"], "3", "0"),
        (["35.7", "55.9"], ["0.5", "14.0"], "0.5367719", "-17.3047855"),
        (["3", "7"], ["0.60000000000000000004", "1"], "0.1", "0.30000000000000000004"),
    ],
    why="Small differences of large numbers keep all their digits: this is what the exact gradient is made of.",
    mistakes=[
        Mistake(
            lambda x, y, slope, intercept: line_residuals(x, y, slope, intercept, float),
            "float() has rounded the decimals, and the subtraction shows it: read the text with Fraction.",
        ),
        Mistake(
            lambda x, y, slope, intercept: line_residuals(x, y, slope, intercept, lambda text: Fraction(float(text))),
            "The decimal was a float before it became a fraction: give Fraction the text itself.",
        ),
        Mistake(
            lambda x, y, slope, intercept: line_residuals(x, y, slope, intercept, sign=-1),
            "The sign is turned: the reading minus the line.",
        ),
        Mistake(
            lambda x, y, slope, intercept: line_residuals(x, y, slope, "0"),
            "The intercept is missing: the line is w x + b.",
        ),
        Mistake(
            lambda x, y, slope, intercept: line_residuals(x, y, slope, -Fraction(intercept)),
            "The intercept has the wrong sign: y - (w x + b) is y - w x - b.",
        ),
        Mistake(
            lambda x, y, slope, intercept: line_residuals(x, y, intercept, slope),
            "Slope and intercept are swapped: the slope comes first, and multiplies x.",
        ),
        *[
            Mistake(
                first_rounded(which),
                f"{words} before becoming a fraction: give Fraction the text.",
            )
            for words, which in (
                ("Slope and intercept were floats", (0, 1)),
                ("The slope was a float", (0,)),
                ("The intercept was a float", (1,)),
            )
        ],
    ],
    hint='Fraction("0.1") is one tenth exactly; from there on +, - and * round nothing.',
)


def step_from(
    R: Tensor, X: Tensor, y: Tensor, beta: Tensor, first: bool = True, last: bool = True, swapped: bool = False
) -> Tensor:
    """R^-1 R^-T X'(y - X beta), or what is left of it without one of the two solves, or in the wrong order."""
    step = (X.T @ (y - X @ beta)).unsqueeze(1)
    solves = [(R.T, False)] * first + [(R, True)] * last
    for factor, upper in reversed(solves) if swapped else solves:
        step = torch.linalg.solve_triangular(factor, step, upper=upper)
    return step.squeeze(1)


def rough_factors() -> list[tuple]:
    """A triangular factor that is a little off, X, y, and coefficients to start from."""
    x = torch.tensor([1.0, 2.0, 4.0, 7.0, 11.0], dtype=torch.float64)
    X = x.unsqueeze(1) ** torch.arange(3)
    y = torch.tensor([2.0, 1.0, 5.0, 3.0, 8.0], dtype=torch.float64)
    rough = torch.linalg.qr(X).R * torch.tensor([1.01, 0.99, 1.02], dtype=torch.float64)
    return [(rough, X, y, torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)), (rough, X, y, torch.zeros_like(X[0]))]


refined_once = HandsOffExercise(
    chapter="13",
    solution=lambda R, X, y, beta: beta + step_from(R, X, y, beta),
    cases=rough_factors,
    why="Repeated with an exact X'(y - Xb), this step is the whole solver.",
    mistakes=[
        Mistake(
            lambda R, X, y, beta: beta - step_from(R, X, y, beta),
            "The sign is turned: with y - X beta the step is added.",
        ),
        Mistake(
            lambda R, X, y, beta: step_from(R, X, y, beta),
            "That is the step alone: add it to the coefficients.",
        ),
        Mistake(
            lambda R, X, y, beta: beta + step_from(R, X, y, beta, first=False),
            "One solve is missing: X'X is R'R, so R' has to be undone before R.",
        ),
        Mistake(
            lambda R, X, y, beta: beta + step_from(R, X, y, beta, last=False),
            "One solve is missing: after R', undo R as well.",
        ),
        Mistake(
            lambda R, X, y, beta: beta + step_from(R, X, y, beta, swapped=True),
            "The two solves are in the wrong order: first with the transpose of R, then with R.",
        ),
        Mistake(
            lambda R, X, y, beta: beta + X.T @ (y - X @ beta),
            "That is a step of plain descent: R has to divide it, twice.",
        ),
        Mistake(
            lambda R, X, y, beta: beta + step_from(torch.linalg.qr(X).R, X, y, beta),
            "You made a factor of your own: use the R that is given, rough as it is.",
        ),
        *[
            Mistake(
                lambda R, X, y, beta, two=two, n=n: beta + two / (len(y) if n else 1) * step_from(R, X, y, beta),
                f"A factor {words} of the gradient is left. The Hessian has it too, and it cancels: leave it out.",
            )
            for words, two, n in (("2/n", 2, True), ("1/n", 1, True), ("2", 2, False))
        ],
        Mistake(
            lambda R, X, y, beta: beta.add_(step_from(R, X, y, beta)),
            "You changed the beta that was handed in: return beta + step, which makes a new tensor.",
        ),
    ],
    hint="Residuals, then X.T times the residuals, then two triangular solves, then the sum with beta.",
)


def least_squares(X: Tensor, y: Tensor) -> Tensor:
    return torch.linalg.lstsq(X, y.unsqueeze(1)).solution.squeeze(1)


def in_scale(solve: Callable, X: Tensor, y: Tensor, lengths: Tensor, back: float = -1) -> Tensor:
    """The solver on columns divided by `lengths`, its answer multiplied by a power of them."""
    return solve(X / lengths, y) * lengths**back


with_scaled_columns = HandsOffExercise(
    chapter="13",
    solution=lambda solve, X, y: in_scale(solve, X, y, X.norm(dim=0)),
    cases=lambda: [(solve, *rough_factors()[0][1:3]) for solve in (least_squares, lambda X, y: X.T @ y)],
    why="Metres or millimetres: the answer should not depend on the unit, and now it doesn't.",
    mistakes=[
        Mistake(
            lambda solve, X, y: solve(X, y),
            "The columns were not scaled: this solver gives another answer when they are.",
        ),
        Mistake(
            lambda solve, X, y: in_scale(solve, X, y, X.norm(dim=0), back=0),
            "Those coefficients belong to the scaled columns: bring them back.",
        ),
        Mistake(
            lambda solve, X, y: in_scale(solve, X, y, X.norm(dim=0), back=1),
            "The way back is turned: a column that was divided by 10 has a coefficient ten times too large.",
        ),
        Mistake(
            lambda solve, X, y: in_scale(solve, X, y, X.abs().amax(dim=0)),
            "That makes the largest entry 1: the length is the root of the sum of squares.",
        ),
        Mistake(
            lambda solve, X, y: in_scale(solve, X, y / y.norm(), X.norm(dim=0)),
            "y was scaled, too, and not brought back: scale the columns of X alone.",
        ),
        Mistake(
            lambda solve, X, y: solve(standardised(X), y) / X.std(dim=0),
            "The column of ones has no spread to divide by: divide each column by its length, and subtract nothing.",
        ),
        Mistake(
            lambda solve, X, y: solve(X.div_(X.norm(dim=0)), y),
            "You changed the X that was handed in: scale a copy, as X / lengths does.",
        ),
    ],
    hint="X.norm(dim=0) has the lengths. The product of column and coefficient must stay what it is.",
)


# ---- chapter 14 ----------------------------------------------------------------------------------------------------


steps_per_epoch = Exercise(
    chapter="14",
    solution=lambda n, batch_size, drop_last: n // batch_size if drop_last else -(-n // batch_size),
    cases=lambda: (
        [(11, 4, False), (11, 4, True), (12, 4, False), (12, 4, True), (3, 8, False), (3, 8, True)]
        + [(rows, size, drop) for rows, size in ((9, 4), (1025, 128)) for drop in (False, True)]
    ),
    why="A schedule that is stepped once a step, and any comparison of runs, needs this number.",
    mistakes=[
        Mistake(
            lambda n, batch_size, drop_last: n // batch_size,
            "You always drop the last batch: unless drop_last is set, the rows that remain make a smaller one.",
        ),
        Mistake(
            lambda n, batch_size, drop_last: -(-n // batch_size),
            "You never drop the last batch: with drop_last, rows that don't fill a batch are left out.",
        ),
        Mistake(
            lambda n, batch_size, drop_last: n // batch_size + (not drop_last),
            "When the batches come out even there is no smaller one at the end.",
        ),
        Mistake(
            lambda n, batch_size, drop_last: n / batch_size,
            "A step is taken or not: the answer is a whole number.",
        ),
        Mistake(
            lambda n, batch_size, drop_last: -(-n // batch_size) if drop_last else n // batch_size,
            "The two cases are swapped: dropping makes fewer steps.",
        ),
        Mistake(
            lambda n, batch_size, drop_last: (n + (not drop_last) * (batch_size - 2)) // batch_size,
            "A single row that remains makes a batch, too: add batch_size - 1 to round up.",
        ),
    ],
    hint="Try it on paper: 11 rows in batches of 4 are 4, 4 and 3 rows; with drop_last the 3 are left out.",
)


def merged(left: tuple[Tensor, Tensor], right: tuple[Tensor, Tensor]) -> Tensor:
    """The coefficients of all rows behind two triangles, each given with its Q'y."""
    X, y = (torch.cat(both) for both in zip(left, right, strict=True))
    return least_squares(X, y)


def solved(R: Tensor, qty: Tensor) -> Tensor:
    return torch.linalg.solve_triangular(R, qty.unsqueeze(1), upper=True).squeeze(1)


def triangle_of(rows: slice) -> tuple[Tensor, Tensor]:
    """R and Q'y of some of the readings, for a line."""
    u, c = readings()
    Q, R = torch.linalg.qr(torch.stack([torch.ones_like(u), u], dim=1)[rows])
    return R, Q.T @ c[rows]


def two_triangles() -> list[tuple]:
    """R and Q'y of the first four readings and of the others, in both orders; then a pair with three columns."""
    first, second = triangle_of(slice(4)), triangle_of(slice(4, 11))
    upper = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0], [0.0, 0.0, 1.5]], dtype=torch.float64)
    lower = torch.tensor([[-1.0, 2.0, 0.0], [0.0, 1.0, -2.0], [0.0, 0.0, 2.5]], dtype=torch.float64)
    targets = torch.tensor([[1.0, -2.0, 4.0], [3.0, 0.5, -1.0]], dtype=torch.float64)
    return [(*first, *second), (*second, *first), (upper, targets[0], lower, targets[1])]


merged_coefficients = Exercise(
    chapter="14",
    solution=lambda R1, qty1, R2, qty2: merged((R1, qty1), (R2, qty2)),
    cases=two_triangles,
    why="Neither side has seen the other's rows, and the answer is that of all rows, to the last digits.",
    mistakes=[
        Mistake(
            lambda R1, qty1, R2, qty2: (solved(R1, qty1) + solved(R2, qty2)) / 2,
            "That is the average of two answers: each side weighs as much as the other, whatever its rows say.",
        ),
        Mistake(
            lambda R1, qty1, R2, qty2: solved(R1 + R2, qty1 + qty2),
            "Triangles cannot be added: the rows of one go below the rows of the other.",
        ),
        Mistake(lambda R1, qty1, R2, qty2: solved(R1, qty1), "That is the answer of the first side alone."),
        Mistake(lambda R1, qty1, R2, qty2: solved(R2, qty2), "That is the answer of the second side alone."),
        Mistake(
            lambda R1, qty1, R2, qty2: merged((R1, qty2), (R2, qty1)),
            "Each R keeps its own Q'y: stack both in the same order.",
        ),
        Mistake(
            lambda R1, qty1, R2, qty2: solved(torch.linalg.qr(torch.cat([R1, R2])).R, qty1 + qty2),
            "The new R is right. What belongs to it is the new Q, transposed, times qty1 over qty2.",
        ),
    ],
    hint="R1 over R2 is a design matrix, and qty1 over qty2 is its target: what did chapter 01 do then? If the numbers "
    "are nearly right, stay in float64.",
    tolerance=1e-9,
)


def average_by_rows(gradients: Tensor, rows: Sequence[int]) -> Tensor:
    share = torch.tensor(rows, dtype=gradients.dtype) / sum(rows)
    return share @ gradients


gradient_of_the_whole = Exercise(
    chapter="14",
    solution=average_by_rows,
    cases=lambda: [
        (torch.tensor([[1.0, 10.0], [4.0, -20.0]], dtype=torch.float64), [6, 5]),
        (torch.tensor([[3.0], [1.0], [-2.0]], dtype=torch.float64), [8, 8, 1]),
    ],
    why="The same weights, times the number of processes, repair the loss of a process whose share is small.",
    mistakes=[
        Mistake(
            lambda gradients, rows: gradients.mean(dim=0),
            "That is what plain averaging does: the rows of a small share count too much.",
        ),
        Mistake(
            lambda gradients, rows: gradients.sum(dim=0),
            "A sum grows with the number of processes: average them.",
        ),
        Mistake(
            lambda gradients, rows: average_by_rows(gradients, rows) * sum(rows),
            "That is the sum over all rows: the loss is their mean, so divide by their number.",
        ),
        Mistake(
            lambda gradients, rows: average_by_rows(gradients, rows) * len(rows),
            "Too long by the number of processes: that factor is for a loss whose gradients are averaged later.",
        ),
        Mistake(
            lambda gradients, rows: average_by_rows(gradients, [1 / n for n in rows]),
            "The weights are upside down: a process with more rows counts more.",
        ),
        Mistake(
            lambda gradients, rows: gradients * rows,
            "A list is no column: make rows a tensor of shape (processes, 1) before you multiply.",
        ),
        Mistake(
            lambda gradients, rows: (gradients * torch.tensor(rows)).sum(dim=0) / sum(rows),
            "A row of counts meets the columns of gradients: give the counts the shape (processes, 1).",
        ),
        Mistake(
            lambda gradients, rows: average_by_rows(gradients, rows).squeeze(),
            "With a single parameter, squeeze takes the last dimension too: keep the shape (parameters,).",
        ),
        Mistake(
            lambda gradients, rows: average_by_rows(gradients, rows).unsqueeze(0),
            "The right numbers in one row of a matrix: return one gradient, of shape (parameters,).",
        ),
    ],
    hint="Multiply each mean by its number of rows to get back a sum over rows; then average over all of them.",
)


def half_trained() -> list[tuple]:
    """Checkpoints after epochs with momentum, each with a fresh model and optimizer, and how many epochs are wanted."""
    u, c = (column.unsqueeze(1) for column in readings())

    def fresh() -> tuple[nn.Module, torch.optim.Optimizer]:
        model = nn.Linear(1, 1).double()
        nn.init.zeros_(model.weight)
        nn.init.zeros_(model.bias)
        return model, torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)

    def saved(epoch: int, lr: float) -> dict:
        model, optimizer = fresh()
        optimizer.param_groups[0]["lr"] = lr
        train(model, optimizer, u / 10, c, epochs=epoch)
        return {"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()}

    return [(saved(3, 0.001), *fresh(), 6), (saved(2, 0.0005), *fresh(), 5), (saved(3, 0.001), *fresh(), 3)]


def resumed_right(
    state: dict,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    parts: str = "model optimizer",
    skip: int = 1,
    end: int = 1,
) -> list[int]:
    """What is still to do, with only some parts restored, or with other ends."""
    if "model" in parts:
        model.load_state_dict(state["model"])
    if "optimizer" in parts:
        optimizer.load_state_dict(state["optimizer"])
    return list(range(state["epoch"] + skip, epochs + end))


@dataclass(frozen=True)
class ResumeExercise(Exercise):
    """A self-check of a function that puts a model and its optimizer into a saved state."""

    def results(self, answer: Any) -> list:
        """For each case the epochs that remain, then the parameters as they are, and after one more step."""
        found = []
        for state, model, optimizer, epochs in self.cases():
            remaining = answer(state, model, optimizer, epochs)
            found.append(list(remaining) if isinstance(remaining, Iterable) else remaining)
            before = nn.utils.parameters_to_vector(model.parameters()).detach()
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
            found.append(torch.stack([before, nn.utils.parameters_to_vector(model.parameters()).detach()]))
        return found


resumed = ResumeExercise(
    chapter="14",
    solution=resumed_right,
    cases=half_trained,
    why="The next step is the one that the run would have taken had nothing happened.",
    mistakes=[
        Mistake(
            lambda *task: resumed_right(*task, parts="model"),
            "The parameters are back, the optimizer is new: its momentum starts from nothing, and so the next step is "
            "another one.",
        ),
        Mistake(lambda *task: resumed_right(*task, parts="optimizer"), "The model still has its first parameters."),
        Mistake(lambda *task: resumed_right(*task, parts=""), "Neither model nor optimizer has been given its state."),
        Mistake(
            lambda *task: resumed_right(*task, skip=0),
            "state['epoch'] is done already: begin with the one after it.",
        ),
        Mistake(
            lambda *task: resumed_right(*task, end=0),
            "The last epoch is missing: range(a, b) ends before b.",
        ),
        Mistake(
            lambda *task: resumed_right(*task, skip=0, end=0),
            "range(a, b) begins with a and ends before b: both ends are one too low.",
        ),
        Mistake(
            lambda *task: len(resumed_right(*task)),
            "Return the numbers of the epochs, as a list, not how many there are.",
        ),
        Mistake(
            lambda *task: (resumed_right(*task), task[0]["epoch"] + 1)[1],
            "Return the numbers of all epochs that are still to do, as a list, not only the first.",
        ),
        Mistake(
            lambda *task: [*range(1, task[3] + 1)] if resumed_right(*task) is not None else [],
            "The state is back, and the count begins at 1 again: the epochs before state['epoch'] are done.",
        ),
    ],
    hint="Two calls of load_state_dict, then the numbers from the one after state['epoch'] to epochs, both included.",
)


EXERCISES = {name: value for name, value in list(globals().items()) if isinstance(value, Exercise)}
