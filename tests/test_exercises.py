"""Exercise self-checks: solutions get a tick, stubs a polite line, known wrong answers their own hint."""

from __future__ import annotations

import pytest
import torch

from helpers import check

NOT_YET = "✗ Not yet. "


# Wrong answers, written as a learner would write them: (answer, words that its hint must contain).
WRONG = {
    "double": [
        (lambda x: x * x, "Squaring"),
        (lambda x: x + 2, "Adding"),
    ],
    "design_matrix": [
        (lambda u: u.reshape(-1, 1), "intercept has no column"),
        (lambda u: torch.stack((u, u**0), dim=1), "columns are swapped"),
        (lambda u: torch.vstack([torch.ones(len(u), dtype=u.dtype), u]), "on its side"),
    ],
    "slope_through_origin": [
        (lambda u, c: c.sum() / u.sum(), "point of means"),
        (lambda u, c: torch.cov(torch.stack([u, c]))[0, 1] / u.var(), "with an intercept"),
        (lambda u, c: torch.mean(c / u), "mean of the ratios"),
    ],
    "residual_standard_error": [
        (lambda residuals, p: torch.sqrt((residuals * residuals).mean()), "divided by n:"),
        (lambda residuals, p: torch.sqrt((residuals**2).sum() / (len(residuals) - 1)), "divided by n - 1"),
        (lambda residuals, p: (residuals @ residuals) / (len(residuals) - p), "square root"),
        (lambda residuals, p: residuals.std(), "subtracts the mean"),
    ],
    "confidence_interval": [
        (lambda e, s, q: [e - s, e + s], "two thirds"),
        (lambda e, s, q: (e - 1.96 * s, e + 1.96 * s), "known variance"),
        (lambda e, s, q: (e + s * q, e - s * q), "swapped"),
    ],
    "forward_difference": [
        (lambda f, x, delta: (f(x + delta) - f(x)) / 2 / delta, "only delta apart"),
        (lambda f, x, delta: (f(x + delta) - f(x - delta)) / (2 * delta), "central difference"),
        (lambda f, x, delta: (f(x) - f(x + delta)) / delta, "sign is turned"),
    ],
    "gradient_through_origin": [
        (lambda u, c, w: torch.mean((u * w - c) * u), "factor 2"),
        (lambda u, c, w: -2 * torch.mean((u * w - c) * u), "sign is turned"),
        (lambda u, c, w: 2 * torch.mean(u * w - c), "inner derivative"),
    ],
    "one_step": [
        (lambda u, c, w, b, rate: (w + rate * 2 * ((w * u + b - c) * u).mean(), b + rate * 2 * (w * u + b - c).mean()), "grows"),
        (
            lambda u, c, w, b, rate: (
                w1 := w - rate * 2 * ((w * u + b - c) * u).mean(),
                b - rate * 2 * (w1 * u + b - c).mean(),
            ),
            "after w had moved",
        ),
    ],
    "largest_stable_rate": [
        (lambda u: 1 / largest_curvature(u), "twice that"),
        (lambda u: 4 / largest_curvature(u), "factor 2"),
        (lambda u: 2 / (len(u) * largest_curvature(u)), "divide X' X by n"),
    ],
}


def largest_curvature(u):
    """The largest eigenvalue of the Hessian, by another road than the check's: the trace and the determinant."""
    a, d, e = 2 * (u * u).mean(), 2 * u.mean(), 2.0
    return ((a + e) + ((a - e) ** 2 + 4 * d**2) ** 0.5) / 2


CASES = [pytest.param(name, *case, id=f"{name}-{case[1]}") for name, cases in WRONG.items() for case in cases]


@pytest.mark.parametrize("name, answer, words", CASES)
def test_a_wrong_answer_gets_its_own_hint(name, answer, words):
    line = check.EXERCISES[name].verdict(answer)
    assert line.startswith(NOT_YET) and words in line


@pytest.mark.parametrize("name", check.EXERCISES)
def test_two_wrong_answers_at_least_are_tried(name):
    assert len({words for _, words in WRONG.get(name, [])}) >= 2


@pytest.mark.parametrize("name", check.EXERCISES)
def test_every_named_mistake_gets_its_own_hint(name):
    exercise = check.EXERCISES[name]
    for mistake in exercise.mistakes:
        assert exercise.verdict(mistake.answer) == NOT_YET + mistake.hint
    assert len({mistake.hint for mistake in exercise.mistakes}) == len(exercise.mistakes) >= 2


@pytest.mark.parametrize("name", check.EXERCISES)
def test_the_solution_is_right(name):
    exercise = check.EXERCISES[name]
    assert exercise.verdict(exercise.solution) == f"✓ Right. {exercise.why}"


@pytest.mark.parametrize("name", check.EXERCISES)
@pytest.mark.parametrize("stub", [None, ..., lambda *arguments: None, lambda *arguments: ...])
def test_a_stub_is_met_politely(name, stub, capsys):
    exercise = check.EXERCISES[name]
    if exercise.cases is None and callable(stub):
        pytest.skip("its answer is a value, not a function")
    assert exercise(stub) is None
    assert capsys.readouterr().out == "… not answered yet\n"


def raises(*arguments):
    raise RuntimeError("out of luck\nsecond line")


@pytest.mark.parametrize("name", check.EXERCISES)
@pytest.mark.parametrize(
    "answer",
    ["a string", 3.5, torch.zeros(2, 3), object(), raises, lambda: 1, lambda *arguments: "text", lambda *arguments: torch.zeros(7)],
    ids=["string", "number", "tensor", "object", "raises", "arity", "text", "shape"],
)
def test_any_answer_gets_one_line_and_never_the_solution(name, answer, capsys):
    exercise = check.EXERCISES[name]
    assert exercise(answer) is None
    printed = capsys.readouterr().out
    assert printed.startswith("✗ ") and printed.count("\n") == 1 and "Traceback" not in printed
    assert " at 0x" not in printed


def test_what_an_answer_raises_is_named():
    assert check.one_step.verdict(raises) == "✗ Your function stopped with RuntimeError: out of luck"


def test_an_answer_may_change_its_arguments():
    def doubles_in_place(x):
        x *= 2
        return x

    check.double.verdict(lambda x: x.mul_(3) if isinstance(x, torch.Tensor) else 3 * x)
    assert check.double.verdict(doubles_in_place).startswith("✓")


def test_an_answer_that_tracks_gradients_or_is_float32_is_accepted():
    def answer(residuals, p):
        tracked = residuals.float().requires_grad_()
        return ((tracked**2).sum() / (len(tracked) - p)).sqrt()

    assert check.residual_standard_error.verdict(answer).startswith("✓")


def test_an_answer_that_is_almost_right_is_not_right():
    def answer(residuals, p):
        return check.residual_standard_error.solution(residuals, p) * 1.0001

    assert check.residual_standard_error.verdict(answer) == NOT_YET + check.residual_standard_error.hint
