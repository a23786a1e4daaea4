"""Checks of chapter 16."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import torch
from torch import Tensor

from helpers.check.engine import Exercise, arguments_untouched, float64, least_squares, nearly_right


def digits_after(X: Tensor) -> tuple[Tensor, Tensor]:
    scaled = X / X.norm(dim=0)
    lost = torch.log10(torch.linalg.cond(scaled))
    return 16 - lost, 16 - 2 * lost


def hard_matrices() -> list[tuple]:
    """Three design matrices whose columns have different lengths and nearly depend on each other."""
    x = torch.arange(1, 9, dtype=torch.float64)
    like_filip = torch.linspace(-8.78, -3.14, 82, dtype=torch.float64).unsqueeze(1) ** torch.arange(9)
    return [(torch.stack([torch.ones_like(x), 1000 + x], dim=1),), (x.unsqueeze(1) ** torch.arange(5),), (like_filip,)]


def standardised(X: Tensor) -> Tensor:
    """All columns less their means, over their standard deviations: the column of ones comes out as NaN."""
    return (X - X.mean(dim=0)) / X.std(dim=0)


digits_left = Exercise(
    digits_after,
    "One line before a fit tells you how many digits its columns leave; noise and small coefficients may cost more.",
    ("X / X.norm(dim=0)", "X"),
    "The columns don't have length 1 yet: divide each by its own length, since neither method minds their units.",
    ("log10", "log"),
    "Those are natural logarithms: decimal digits are counted by log10.",
    lambda X: digits_after(X)[::-1],
    "The two are swapped: QR first, then the normal equations.",
    ("16 - ", ""),
    "Those are the digits lost: subtract them from the sixteen that float64 has.",
    ("16 - 2 * lost", "(16 - lost) / 2"),
    "Not what is left is halved: the normal equations lose twice as many digits.",
    ("2 * lost", "lost**2"),
    "Square the condition number, not its logarithm: the digits lost are doubled.",
    lambda X: [left.round() for left in digits_after(X)],
    "Don't round to whole digits: return the numbers as they are.",
    lambda X: [left.floor() for left in digits_after(X)],
    "Don't round to whole digits, up or down: return the numbers as they are.",
    lambda X: digits_after(X.float()),
    "float32 has too few digits to see such a condition number: stay in float64.",
    ("2 * lost", "torch.log10(torch.linalg.cond(scaled.T @ scaled))"),
    "Square the condition number of X: X'X in float64 is rounded, and its own comes out too small.",
    ("X / X.norm(dim=0)", "standardised(X)"),
    "The column of ones has no spread to divide by: divide each column by its length, and subtract nothing.",
    ("X / X.norm(dim=0)", "X.div_(X.norm(dim=0))"),
    "You changed the X that was handed in: scale a copy, as X / lengths does.",
    cases=hard_matrices,
    observe=arguments_untouched,
    hint="Is each column's sum of squares 1? Then a condition number of 10^3 leaves QR 13 digits, normal equations 10.",
)


def rounded(text: str) -> Fraction:
    """The fraction of the float64 nearest to a decimal."""
    return Fraction(float(text))


def line_residuals(x: Sequence, y: Sequence, w: str, b: str) -> list[Fraction]:
    w, b = Fraction(w), Fraction(b)
    return [Fraction(target) - (w * Fraction(value) + b) for value, target in zip(x, y, strict=True)]


def other_than_fractions(given: list, wanted: list) -> str:
    """The hint for numbers of another type than Fraction."""
    kinds = {type(value).__name__ for result in given for value in result} - {"Fraction"}
    if "float" in kinds:
        return "float() rounds, and so does a sum with a float in it: use nothing but fractions."
    return f"There is a {min(kinds)} among the residuals: use nothing but fractions." if kinds else ""


exact_residuals = Exercise(
    line_residuals,
    "Small differences of large numbers keep all their digits: this is what the exact gradient is made of.",
    ("Fraction(", "float("),
    "float() has rounded the decimals, and the subtraction shows it: read the text with Fraction.",
    ("Fraction(", "rounded("),
    "The decimal was a float before it became a fraction: give Fraction the text itself.",
    lambda *task: [-residual for residual in line_residuals(*task)],
    "The sign is turned: the reading minus the line.",
    (" + b)", ")"),
    "The intercept is missing: the line is w x + b.",
    (" + b)", " - b)"),
    "The intercept has the wrong sign: y - (w x + b) is y - w x - b.",
    ("w, b =", "b, w ="),
    "Slope and intercept are swapped: the slope comes first, and multiplies x.",
    ("Fraction(w), Fraction(b)", "rounded(w), rounded(b)"),
    "Slope and intercept were floats before becoming a fraction: give Fraction the text.",
    ("Fraction(target)", "rounded(target)", "Fraction(value)", "rounded(value)"),
    "The readings were floats before becoming fractions: give Fraction the text.",
    ("w, b = Fraction(w), Fraction(b)", "pass"),
    "A fraction was multiplied by text, or by a whole list: make a fraction of every text, and take pair by pair.",
    ("Fraction(w)", "rounded(w)"),
    "The slope was a float before becoming a fraction: give Fraction the text.",
    ("Fraction(b)", "rounded(b)"),
    "The intercept was a float before becoming a fraction: give Fraction the text.",
    cases=lambda: [
        (["0.1", "0.7"], ["0.30000000000000000004", "2.1"], "3", "0"),
        (["35.7", "55.9"], ["0.5", "14.0"], "0.5367719", "-17.3047855"),
        (["3", "7"], ["0.60000000000000000004", "1"], "0.1", "0.30000000000000000004"),
    ],
    remark=other_than_fractions,
    hint='Fraction("0.1") is one tenth, Fraction(float("0.1")) is not; from there on +, - and * round nothing.',
)


def refined(R: Tensor, X: Tensor, y: Tensor, beta: Tensor) -> Tensor:
    goal = (X.T @ (y - X @ beta)).unsqueeze(1)
    half = torch.linalg.solve_triangular(R.T, goal, upper=False)
    step = torch.linalg.solve_triangular(R, half, upper=True)
    return beta + step.squeeze(1)


def rough_factors() -> list[tuple]:
    """A triangular factor that is a little off, X, y, and coefficients to start from."""
    x = float64([1.0, 2.0, 4.0, 7.0, 11.0])
    X = x.unsqueeze(1) ** torch.arange(3)
    y = float64([2.0, 1.0, 5.0, 3.0, 8.0])
    rough = torch.linalg.qr(X).R * float64([1.01, 0.99, 1.02])
    return [(rough, X, y, float64([1.1, -2.3, 0.57])), (rough, X, y, torch.zeros_like(X[0]))]


refined_once = Exercise(
    refined,
    "Repeated with an exact X'(y - Xb), this step is the whole solver.",
    ("beta + step", "beta - step"),
    "The sign is turned: with y - X beta the step is added.",
    ("beta + step", "step"),
    "That is the step alone: add it to the coefficients.",
    ("(R, half", "(R, goal"),
    "One solve is missing: X'X is R'R, so R' has to be undone before R.",
    ("step.squeeze", "half.squeeze"),
    "One solve is missing: after R', undo R as well.",
    ("(R.T, goal, upper=False)", "(R, goal, upper=True)"),
    "R was undone twice: X'X is R'R, so one of the solves takes the transpose.",
    ("upper=False", "upper=True"),
    "solve_triangular looks at one half alone: the first solve wants R' and its lower half, with upper=False.",
    (".unsqueeze(1)", ""),
    "solve_triangular wants its right side as a column: unsqueeze(1) before, squeeze(1) after.",
    ("(R.T, goal, upper=False)", "(R, goal, upper=True)", "(R, half, upper=True)", "(R.T, half, upper=False)"),
    "The two solves are in the wrong order: first with the transpose of R, then with R.",
    ("step.squeeze", "goal.squeeze"),
    "That is a step of plain descent: R has to divide it, twice.",
    lambda R, X, y, beta: refined(torch.linalg.qr(X).R, X, y, beta),
    "That is the least-squares solution. One step with the R that is given, a rough one, doesn't get there.",
    ("beta + step", "beta + 2 / len(y) * step"),
    "A factor 2/n of the gradient is left. The Hessian has it too, and it cancels: leave it out.",
    ("beta + step", "beta + 1 / len(y) * step"),
    "A factor 1/n of the gradient is left. The Hessian has it too, and it cancels: leave it out.",
    ("beta + step", "beta + 2 * step"),
    "A factor 2 of the gradient is left. The Hessian has it too, and it cancels: leave it out.",
    ("beta + step.squeeze(1)", "beta.add_(step.squeeze(1))"),
    "You changed the beta that was handed in: return beta + step, which makes a new tensor.",
    cases=rough_factors,
    remark=nearly_right("Nearly right: somewhere a number went through float32. Stay in float64."),
    tolerance=1e-8,
    observe=arguments_untouched,
    hint="Residuals, then X.T times the residuals, then two triangular solves, then the sum with beta.",
)


def in_scale(solve: Callable, X: Tensor, y: Tensor, lengths: Tensor, back: float = -1) -> Tensor:
    """The solver on columns divided by `lengths`, its answer multiplied by a power of them."""
    return solve(X / lengths, y) * lengths**back


with_scaled_columns = Exercise(
    lambda solve, X, y: in_scale(solve, X, y, X.norm(dim=0)),
    "Metres or millimetres: the answer should not depend on the unit, and now it doesn't.",
    lambda solve, X, y: solve(X, y),
    "The columns were not scaled: this solver gives another answer when they are.",
    lambda solve, X, y: in_scale(solve, X, y, X.norm(dim=0), back=0),
    "Those coefficients belong to the scaled columns: bring them back, with the lengths that X had before.",
    lambda solve, X, y: in_scale(solve, X, y, X.norm(dim=0), back=1),
    "The way back is turned: a column that was divided by 10 has a coefficient ten times too large.",
    lambda solve, X, y: in_scale(solve, X, y, X.abs().amax(dim=0)),
    "That makes the largest entry 1: the length is the root of the sum of squares.",
    lambda solve, X, y: in_scale(solve, X, y / y.norm(), X.norm(dim=0)),
    "y was scaled, too, and not brought back: scale the columns of X alone.",
    lambda solve, X, y: solve(standardised(X), y) / X.std(dim=0),
    "The column of ones has no spread to divide by: divide each column by its length, and subtract nothing.",
    lambda solve, X, y: solve(X.div_(X.norm(dim=0)), y),
    "You changed the X that was handed in: scale a copy, as X / lengths does.",
    cases=lambda: [(solve, *rough_factors()[0][1:3]) for solve in (least_squares, lambda X, y: X.T @ y)],
    observe=arguments_untouched,
    hint="X.norm(dim=0) has the lengths. The product of column and coefficient must stay what it is.",
)
