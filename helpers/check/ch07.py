"""Checks of chapter 07."""

import math

import torch
from torch import Tensor

from helpers.check.engine import AUTOGRAD, RETURN_IN_LOOP, Exercise, float64, nudged


def signed_inputs() -> Tensor:
    return float64([-4.0, -1.5, -0.25, 0.0, 0.05, 0.5, 1.0, 3.0])


leaky_relu = Exercise(
    lambda x, slope: torch.where(x > 0, x, slope * x),
    "A unit with this activation passes on some gradient wherever its input lies.",
    lambda x, slope: torch.where(x > 0, slope * x, x),
    "The small slope is on the wrong side: it belongs to the negative inputs.",
    lambda x, slope: torch.where(x > 0, x, -slope * x),
    "Negative inputs come out positive, so the curve falls on the left: slope * x keeps their sign.",
    lambda x, slope: torch.relu(x),
    "That is ReLU: negative inputs become 0, and their slope with them.",
    lambda x, slope: slope * x,
    "That is a straight line: positive inputs must come out as they went in.",
    lambda x, slope: torch.where(x > 0, x, -slope),
    "You return a constant on the left, and a constant has slope 0: multiply x by the slope.",
    lambda x, slope: torch.where(x > 0, x, slope),
    "The slope itself comes out on the left, a constant, whose slope is 0: multiply x by it.",
    lambda x, slope: torch.where(x > slope, x, slope * x),
    "The border is 0, whatever the slope is: compare x with 0.",
    lambda x, slope: torch.where(x < 0, slope, x),
    "For negative inputs the slope itself comes out, a constant, whose slope is 0: multiply x by it.",
    lambda x, slope: torch.max(x, 0) + slope * torch.min(x, 0),
    "You multiply a list or a tuple. torch.max(x, 0) gives a tuple, since it takes 0 for a dimension: use torch.where.",
    lambda x, slope: x if x > 0 else slope * x,
    "x > 0 has an answer for each entry, where if and Python's own max want one: choose entrywise, with torch.where.",
    cases=lambda: [(signed_inputs(), 0.1), (signed_inputs(), 0.3)],
    forbidden={
        "torch.nn": "It calls torch.nn: write it without, with torch.where for example.",
        **dict.fromkeys(("leaky_relu", "prelu"), "PyTorch's own LeakyReLU did it for you: write it without."),
    },
    hint="With slope 0.1, inputs of 2 and 0.05 come out as they are, an input of -2 as -0.2.",
)


def slope_of_sigmoid(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * (1 - torch.sigmoid(x))


silu_slope = Exercise(
    lambda x: torch.sigmoid(x) + x * slope_of_sigmoid(x),
    "SiLU takes a value in its dip twice, with two slopes: its value alone doesn't tell the slope, as tanh's does.",
    slope_of_sigmoid,
    "That is the sigmoid's slope alone: the product rule adds two terms, each with one factor left as it is.",
    lambda x: x * slope_of_sigmoid(x),
    "One term of the product rule is missing: the factor x has the derivative 1, which leaves sigmoid(x).",
    torch.sigmoid,
    "One term of the product rule is missing: the factor sigmoid(x) has a derivative, too, times x.",
    lambda x: torch.sigmoid(x) + slope_of_sigmoid(x),
    "In the second term the factor x is missing: x times the sigmoid's slope.",
    lambda x: 1 + slope_of_sigmoid(x),
    "You added the two derivatives: in each term of the product rule, one factor stays as it is.",
    lambda x: torch.sigmoid(x) - x * slope_of_sigmoid(x),
    "The second term has the wrong sign: the product rule adds, and the sigmoid's slope is positive everywhere.",
    lambda x: torch.sigmoid(x) + x * (1 - torch.sigmoid(x) ** 2),
    "1 - y^2 is the rule of tanh: the sigmoid has another one.",
    lambda x: x * torch.sigmoid(x),
    "That comes to SiLU's value, and its slope is wanted. Or are the brackets of 1 - y missing?",
    cases=lambda: [(signed_inputs(),), (float64([-2.0, 0.75, 6.0]),), (signed_inputs().float(),)],
    forbidden=dict.fromkeys(AUTOGRAD, "Autograd is not allowed here: work out the formula."),
    remark=nudged,
    hint="At x = 0 the slope is 1/2; far to the left it goes to 0, far to the right to 1.",
)

stable_softplus = Exercise(
    lambda x: torch.relu(x) + torch.log1p(torch.exp(-x.abs())),
    "The values hold from one end to the other; whether the slopes do is another question, see the solutions.",
    lambda x: torch.log(1 + torch.exp(x)),
    "exp(1000) is inf, and so is your answer at x = 1000: take the large part out of the logarithm.",
    lambda x: torch.log1p(torch.exp(x)),
    "log1p mends the small end only: at x = 1000 exp is inf, and so is your answer.",
    lambda x: torch.relu(x) + torch.log(1 + torch.exp(-x.abs())),
    "The large end is right; at x = -40 yours is 0. Rounding 1 + exp(-40) loses the small part, where log1p keeps it.",
    lambda x: x + torch.log1p(torch.exp(-x)),
    "The large end is right; on the left exp(-x) is huge, and digits drown in it. Keep this form for positive x.",
    lambda x: torch.log1p(torch.exp(-x.abs())),
    "Far out on the right yours falls to 0, where softplus rises like x: the part max(x, 0) is missing.",
    lambda x: torch.log1p(torch.exp(x.clamp(max=20))),
    "You cut x off at 20, so that 1000 comes out as 20, and with slope 0: keep x.",
    lambda x: torch.relu(x) + torch.log1p(torch.exp(-x)),
    "Right for positive x; on the left exp(-x) grows without end. The part added to max(x, 0) is the same at x and -x.",
    lambda x: x if x > 20 else torch.log1p(torch.exp(x)),
    "x has many entries, where if and Python's own max want one answer: choose entrywise, as torch.where does.",
    lambda x: torch.max(x, 0) + torch.log1p(torch.exp(-x.abs())),
    "You add to a tuple. torch.max(x, 0) gives one, since it takes 0 for a dimension: cut off at 0 in another way.",
    lambda x: [math.log1p(math.exp(value)) for value in x],
    "exp(1000) is too large for Python's math: take the large part out of the logarithm.",
    torch.relu,
    "That is ReLU, and nearly right far out; the rounded corner is missing.",
    lambda x: x if (x > 20).any() else torch.log1p(torch.exp(x)),
    "One large entry decides for all the others: choose for each entry on its own, as torch.where does.",
    cases=lambda: [
        (signed_inputs(),),
        *((float64([x]),) for x in (1000.0, -40.0, -1000.0, -29.0, 800.0, -80.0)),
        (float64([1000.0, 0.5, -1000.0]),),  # large and small entries in one tensor
    ],
    forbidden={"softplus": "PyTorch's softplus did it for you: write it without."},
    hint="Softplus lies above max(x, 0), by the same amount at x and at -x: find that amount.",
)


def silent(x: Tensor, W: Tensor, b: Tensor | float) -> Tensor:
    """Where the units of a ReLU layer give zero, shape (n, units)."""
    return x @ W.T + b <= 0


def relu_layer() -> tuple[Tensor, Tensor, Tensor]:
    """Four inputs of two numbers each, and five units, two of them dead: weights (5, 2), biases (5,)."""
    x = float64([[1.0, 0.5], [-1.0, 2.0], [0.5, -1.5], [2.0, 1.0]])
    W = float64([[1.0, 1.0], [-1.0, 0.5], [0.5, 0.5], [0.25, -1.0], [2.0, 1.0]])
    return x, W, float64([0.5, -3.0, -2.0, -0.5, 4.0])


def relu_layer_with_zeros() -> tuple[Tensor, Tensor, Tensor]:
    """Inputs of one number, the two in the middle silenced by all units; four are dead, two of them reach z = 0."""
    x = float64([[2.0], [-1.0], [-0.5], [1.0]])
    W = float64([[1.0], [1.0], [0.0], [-1.0], [0.5]])
    return x, W, float64([0.5, -2.0, 0.0, -3.0, -1.5])


dead_units = Exercise(
    lambda x, W, b: int(silent(x, W, b).all(dim=0).sum()),
    "Dead is a property of a unit together with the data: other inputs may wake it up.",
    lambda x, W, b: int(silent(x, W, b).any(dim=0).sum()),
    "You counted the units that are zero for some reading; dead means zero for every one.",
    lambda x, W, b: int(silent(x, W, b).all(dim=1).sum()),
    "You counted readings for which every unit is zero: look along the other dimension.",
    lambda x, W, b: int(silent(x, W, b).sum()),
    "You counted single zeros: a dead unit has one per reading.",
    lambda x, W, b: int((~silent(x, W, b).all(dim=0)).sum()),
    "You counted the units that are alive.",
    lambda x, W, b: int(silent(x, W, 0.0).all(dim=0).sum()),
    "The bias is missing in the layer, or subtracted: it has to be added.",
    lambda x, W, b: int((x @ W.T + b == 0).all(dim=0).sum()),
    "Neither z nor the weights need be zero: ReLU makes zero of every negative z, too.",
    lambda x, W, b: int((x @ W.T + b < 0).all(dim=0).sum()),
    "A unit with z exactly 0 says 0 as well: ask for outputs of zero, or for z <= 0.",
    lambda x, W, b: float(silent(x, W, b).all(dim=0).double().mean()),
    "That is the share of dead units: their number is wanted.",
    lambda x, W, b: int((torch.relu(x @ W.T) + b == 0).all(dim=0).sum()),
    "The bias came after ReLU: it belongs to z, so add it first.",
    lambda x, W, b: int(silent(x, W[:1], b[:1]).all()),
    RETURN_IN_LOOP,
    lambda x, W, b: (torch.relu(x @ W.T + b).max(dim=0) == 0).sum(),
    "A comparison gave one bool, not one per unit: nn.ReLU(z) is a module, max(dim=0) two parts. Compare a tensor.",
    lambda x, W, b: x @ W,
    "x and W don't fit as they are: both have the inputs in their columns, so one has to be transposed.",
    cases=lambda: [
        relu_layer(),
        (relu_layer()[0][:2], *relu_layer()[1:]),
        relu_layer_with_zeros(),
        # The last one is alive, the second reaches z = 0.
        (float64([[1.0], [2.0]]), float64([[-1.0], [0.0], [-1.0], [2.0]]), float64([0.0, 0.0, 0.5, -1.0])),
    ],
    hint="The layer's output has one row per reading, one column per unit: which columns are zero all the way down?",
)
