"""The models of the course: the straight line, and the small network that chapter 10 sets beside it."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn


def line(u: Tensor, w: Tensor | float, b: Tensor | float) -> Tensor:
    """The straight line w * u + b.

    u: tensor of any shape, in the thermometer's unit (or rescaled); w: slope, in degrees Celsius per unit of u;
    b: intercept, in degrees Celsius; both scalars.
    Returns a tensor of u's shape, in degrees Celsius.
    Taught in chapter 02.
    """
    return w * u + b


def network(hidden: int = 13) -> nn.Sequential:
    """A network with one input, one hidden layer of tanh units and one output, in float64.

    hidden: how many units, at least 1; the network has 3 * hidden + 1 parameters.
    Returns a module from shape (n, 1) to shape (n, 1), with the layers hidden_linear, hidden_activation and
    output_linear. Its starting values come from PyTorch's global generator: call torch.manual_seed first.
    Raises ValueError for fewer than one unit.
    Taught in chapter 10.
    """
    if hidden < 1:
        raise ValueError(f"hidden is {hidden}: a hidden layer needs at least one unit")
    layers = OrderedDict(
        hidden_linear=nn.Linear(1, hidden),
        hidden_activation=nn.Tanh(),
        output_linear=nn.Linear(hidden, 1),
    )
    return nn.Sequential(layers).double()
