"""Checks of chapter 01."""

import torch
from torch import Tensor

from helpers.check.engine import NO_POWER, Exercise, float64, readings


def parabola_matrix(u: Tensor) -> Tensor:
    return torch.stack([torch.ones_like(u), u, u**2], dim=1)


design_matrix = Exercise(
    parabola_matrix,
    "A curve that is a sum of known columns, each times a coefficient, is still a linear model to lm().",
    lambda u: parabola_matrix(u)[:, 1:],
    "The intercept has no column: without ones, every curve goes through the origin.",
    lambda u: parabola_matrix(u)[:, :2],
    "That is the line's design matrix: the parabola has one more.",
    lambda u: parabola_matrix(u).flip(1),
    "The order is reversed: the formula, like R, begins with the intercept.",
    lambda u: parabola_matrix(u).T,
    "It lies on its side: one row per reading, one column per coefficient.",
    lambda u: parabola_matrix(u).T.reshape(-1, 3),
    "reshape and view deal the same numbers out in another pattern: stack the columns side by side, with dim=1.",
    lambda u: u ^ 2,
    NO_POWER,
    lambda u: torch.stack([1, u, u**2], dim=1),
    "A number alone is no column: the intercept needs a tensor of ones, one for each reading.",
    lambda u: torch.stack([torch.ones(11), u, u**2], dim=1),
    "Eleven ones fit eleven readings only, and the check has another u, too: make as many ones as u has numbers.",
    cases=lambda: [(readings()[0],), (float64([2.0, 3.0, 5.0]),)],
    hint="Each term gives one column, in the formula's order: what is its coefficient multiplied by, at each reading?",
)

slope_through_origin = Exercise(
    lambda u, c: (u * c).sum() / (u * u).sum(),
    'R agrees: lm("c ~ 0 + u", df) fits the same line through the origin.',
    lambda u, c: c.mean() / u.mean(),
    "That line passes through the point of means; it does not minimise the squares.",
    lambda u, c: (c / u).mean(),
    "The mean of the ratios weighs a reading near u = 0 far too much; minimise the squares.",
    lambda u, c: u ^ 2,
    NO_POWER,
    lambda u, c: ((u - u.mean()) * (c - c.mean())).sum() / ((u - u.mean()) ** 2).sum(),
    "That is the slope of the line with an intercept; this line has none: subtract no means, add no column of ones.",
    cases=lambda: [readings(), tuple(float64([[1.0, 2.0, 4.0], [3.0, 1.0, 5.0]]))],
    hint="Set d/dw of sum((w u - c)^2) to zero and solve for w; if you divide by a product, put it in brackets.",
)

residual_standard_error = Exercise(
    lambda residuals, p: ((residuals**2).sum() / (len(residuals) - p)).sqrt(),
    "Dividing by n - p corrects for the p coefficients that were chosen to make these residuals small.",
    lambda residuals, p: (residuals**2).mean().sqrt(),
    "You divided by n: a fit with p coefficients leaves n - p degrees of freedom.",
    lambda residuals, p: ((residuals**2).sum() / (len(residuals) - 1)).sqrt(),
    "You divided by n - 1: that is right for one estimated mean; here p coefficients were estimated.",
    lambda residuals, p: ((residuals**2).sum() / (len(residuals) - 2)).sqrt(),
    "You divided by n - 2: that is right for a line; here p coefficients were estimated.",
    lambda residuals, p: (residuals**2).sum() / (len(residuals) - p),
    "That is the variance, in squared degrees: take the square root.",
    lambda residuals, p: residuals.std(),
    "That subtracts the mean and divides by n - 1, as std does: square the residuals themselves, divide by n - p.",
    lambda residuals, p: residuals.std(correction=p),
    "That subtracts the mean first, as std does, and not every fit has residuals of mean 0: square them as they are.",
    lambda residuals, p: (residuals**2).sum() / (len(residuals) - p) / 2,
    "That is half the variance. Does it end in **1/2? Python takes ...**1 and halves it: put 1/2 in brackets.",
    lambda residuals, p: residuals ^ 2,
    NO_POWER,
    cases=lambda: [(float64([1.0, -2.0, 2.0, -1.0, 3.0]), 2), (float64([0.5, 0.25, -0.75, 1.0]), 1)],
    hint="Try it on paper: residuals 3, -2, 2, 1 and 0 with p = 3 have a residual standard error of 3.",
)

confidence_interval = Exercise(
    lambda e, s, q: (e - q * s, e + q * s),
    "Estimate plus or minus quantile times standard error: the recipe behind confint() in R.",
    lambda e, s, q: (e - s, e + s),
    "One standard error each way covers about two thirds: multiply it by the quantile.",
    lambda e, s, q: (e - 1.96 * s, e + 1.96 * s),
    "1.96 belongs to a known variance; use the quantile you are given.",
    lambda e, s, q: (e + q * s, e - q * s),
    "The ends are swapped: the lower one comes first.",
    lambda e, s, q: (e - q * s / 2, e + q * s / 2),
    "You halved the width: the quantile counts from the middle to one end.",
    lambda e, s, q: (round(e - q * s), round(e + q * s)),
    "You rounded to whole numbers: return the ends as they are.",
    cases=lambda: [(10.0, 2.0, 2.5), (-17.0, 1.5, 2.262)],
    hint="Try it on paper: estimate 3, standard error 0.25 and quantile 2.5 give the ends 2.375 and 3.625.",
)
