"""Checks of chapter 00."""

import torch

from helpers.check.engine import Exercise

double = Exercise(
    lambda x: 2 * x,
    "Exercises with a check work like this one: fill in the stub, run the check.",
    lambda x: x**2,
    "Squaring 3 gives 9; doubling gives 6.",
    lambda x: x + 2,
    "Adding 2 to 3 gives 5; doubling gives 6.",
    cases=lambda: [(3,), (-1.5,), (torch.tensor([1.0, 2.0]),)],
    hint="Return twice what comes in: double(3) is 6.",
)
