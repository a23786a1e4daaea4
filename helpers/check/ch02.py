"""Checks of chapter 02."""

from collections.abc import Callable

from torch import Tensor

from helpers import loss
from helpers.check.engine import AUTOGRAD, Exercise, curvatures, float64, nudged, readings


def rises(f: Callable[[float, float], float], w: float, b: float, ahead: float, behind: float = 0) -> Tensor:
    """By how much f rises from `behind` before (w, b) to `ahead` of it, along w and along b."""
    return float64([f(w + ahead, b) - f(w - behind, b), f(w, b + ahead) - f(w, b - behind)])


forward_difference = Exercise(
    lambda f, w, b, delta: tuple(rises(f, w, b, delta) / delta),
    "Three losses suffice instead of four; the price is an error in proportion to delta, not to its square.",
    lambda f, w, b, delta: rises(f, w, b, delta) / (2 * delta),
    "You divided by 2 * delta, but the two points are only delta apart.",
    lambda f, w, b, delta: rises(f, w, b, delta, delta) / (2 * delta),
    "That is the central difference: the forward difference uses the point itself and one ahead.",
    lambda f, w, b, delta: -rises(f, w, b, delta) / delta,
    "The sign is turned: where the loss rises, the slope must be positive.",
    lambda f, w, b, delta: 2 * ((f(w + delta, b + delta) - f(w, b)) / delta,),
    "You nudged both parameters at once: each slope needs a nudge of its own, the other parameter staying put.",
    lambda f, w, b, delta: (f(w + delta, b) - f(w, b) / delta, f(w, b + delta) - f(w, b) / delta),
    "A bracket is missing: the whole difference is divided by delta, not its last term only.",
    lambda f, w, b, delta: (rises(f, w, b, delta)[0] / delta, rises(f, w + delta, b, delta)[1] / delta),
    "w was still nudged when b was: take both slopes at the same point (w, b).",
    rises,
    "That is the rise; a slope is rise divided by run.",
    lambda f, w, b, delta: f(w + delta),
    "f takes two numbers, not one and not a pair: hand it w and b in every call, one nudged, the other staying put.",
    cases=lambda: [(lambda w, b: w**3 + w * b, 2.0, -1.0, 0.5), (lambda w, b: w - 2 * b * b, -1.0, 3.0, 0.25)],
    hint="From (w, b) go ahead along w alone for the first slope, along b for the second: rise of f over delta.",
)

gradient_through_origin = Exercise(
    lambda u, c, w: 2 * ((w * u - c) * u).mean(),
    "Residual times inner derivative: such products return in every layer of a network.",
    lambda u, c, w: ((w * u - c) * u).mean(),
    "The factor 2 is missing: the derivative of r squared is 2 r.",
    lambda u, c, w: 2 * ((c - w * u) * u).mean(),
    "The sign is turned: with the residual w u - c no minus is needed in front, with c - w u one is.",
    lambda u, c, w: 2 * (w * u - c).mean(),
    "The inner derivative is missing: w u changes by u when w changes by 1.",
    lambda u, c, w: 2 * ((w * u - c) * u).sum(),
    "You summed over the readings; the loss is a mean.",
    lambda u, c, w: 2 * (w * u - c) * u,
    "That is one number per reading; the loss averages over them.",
    cases=lambda: [(*readings(), 1.0), (*readings(), -0.5), (*readings(), 1e12)],
    forbidden=dict.fromkeys(AUTOGRAD, "Autograd found it for you: work out the derivative by the chain rule."),
    remark=nudged,
    hint="Chain rule, reading by reading: outer derivative times inner derivative, then the mean.",
)


def step(u: Tensor, c: Tensor, w: float, b: float, learning_rate: float) -> tuple[Tensor, Tensor]:
    slope_w, slope_b = loss.mse_gradient(u, c, w, b)
    return w - learning_rate * slope_w, b - learning_rate * slope_b


one_step = Exercise(
    step,
    "Both parameters move from the same point, so the step follows the gradient.",
    lambda u, c, w, b, rate: step(u, c, w, b, -rate),
    "The loss grows: subtract the slopes, and compute them with the residual prediction minus target.",
    lambda u, c, w, b, rate: (w_new := step(u, c, w, b, rate)[0], step(u, c, w_new, b, rate)[1]),
    "b moved after w had moved: compute both derivatives first, then take both steps.",
    lambda u, c, w, b, rate: (step(u, c, w, b_new := step(u, c, w, b, rate)[1], rate)[0], b_new),
    "w moved after b had moved: compute both derivatives first, then take both steps.",
    lambda u, c, w, b, rate: step(u, c, w, b, rate / 2),
    "The step is half as long as it should be: the derivative of a square has a factor 2.",
    lambda u, c, w, b, rate: (w + (s := step(u, c, w, b, rate))[1] - b, b + s[0] - w),
    "The derivatives are swapped: dL/dw moves w, dL/db moves b.",
    lambda u, c, w, b, rate: loss.mse_gradient(u, c, w, b),
    "That is the gradient; the step subtracts a part of it from (w, b).",
    lambda u, c, w, b, rate: rate * loss.mse_gradient(u, c, w, b),
    "A pair of slopes can't be multiplied by a rate: take the two apart first, and give each a name.",
    cases=lambda: [(readings()[0] / 10, readings()[1], 1.0, 0.0, 0.01), (*readings(), 0.5, -10.0, 0.0001)],
    hint="Try it on paper: u = (1, 2), c = (2, 3), w = 2, b = 1 and rate 0.1 give w = 1.5 and b = 0.7.",
)

largest_stable_rate = Exercise(
    lambda u: 2 / curvatures(u)[-1],
    "On a bowl, one division tells whether a run will blow up, before the run.",
    lambda u: 1 / curvatures(u)[-1],
    "At 1 / curvature a step lands on the valley floor; overshooting is allowed up to twice that.",
    lambda u: 2 / curvatures(u)[0],
    "You took the gentlest curvature; the sharpest one sets the limit.",
    lambda u: 4 / curvatures(u)[-1],
    "The factor 2 of the loss is missing in the curvature: it is 2 / n times X' X.",
    lambda u: 2 / (curvatures(u)[-1] * len(u)),
    "The loss is a mean: divide X' X by n.",
    lambda u: curvatures(u)[-1],
    "That is the curvature; the limit is 2 divided by it.",
    lambda u: 1 / (u**2).mean(),
    "That is the limit along w alone: across the valley, where b moves, too, the loss curves more sharply.",
    lambda u: 2 / curvatures(u).sum(),
    "You added the curvatures of two directions: the sharpest one alone sets the limit.",
    lambda u: 2 / (curvatures(u) ** 2).sum().sqrt(),
    "That norm puts all curvatures together: the sharpest one alone sets the limit.",
    cases=lambda: [(readings()[0],), (readings()[0] / 10,), (float64([0.0, 1.0, 3.0]),)],
    hint="At the limit, each epoch multiplies the distance along the sharpest direction by exactly -1.",
)
