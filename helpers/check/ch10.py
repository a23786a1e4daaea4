"""Checks of chapter 10."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from helpers import data, loss
from helpers.check.engine import (
    Exercise,
    all_pairs,
    module_probe,
    of_fixed_size,
    readings,
    require_same_shape,
    same,
)


def pairs_of(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Each layer's number of inputs and outputs, from the sizes in between."""
    return list(zip(sizes[:-1], sizes[1:], strict=True))


network_size = Exercise(
    lambda sizes: sum(n_in * n_out + n_out for n_in, n_out in pairs_of(sizes)),
    "Now you know before the training how many numbers will be fitted to how many readings.",
    lambda sizes: sum(n_in * n_out for n_in, n_out in pairs_of(sizes)),
    "The biases are missing: every unit behind the input has one.",
    lambda sizes: sum(n_in * n_out + 1 for n_in, n_out in pairs_of(sizes)),
    "Each layer has as many biases as outputs, not one.",
    lambda sizes: sum(n_in * n_out for n_in, n_out in pairs_of(sizes)) + sum(sizes),
    "The inputs have no bias: they are given, not computed.",
    lambda sizes: sum(sizes),
    "You counted the units: each has a weight for every input, and a bias.",
    lambda sizes: math.prod(sizes),
    "Multiply within a layer, and add the layers up.",
    lambda sizes: sum(sizes[0] * n_out + n_out for n_out in sizes[1:]),
    "A layer's inputs are the outputs of the layer before it, not the inputs of the network.",
    lambda sizes: sizes[0] * sizes[1] + sizes[1],
    "Only the first layer is counted. If you have a loop: does return stand inside it?",
    lambda sizes: sum(sizes[i] * sizes[i + 1] + sizes[i + 1] for i in range(len(sizes))),
    "An index reaches beyond the list: between its sizes there is one layer fewer than there are sizes.",
    lambda sizes: sizes[0] * sizes[1] + sizes[1] + sizes[1] * sizes[2] + sizes[2],
    "It counts on three sizes, and there may be two, or four: go through the layers, however many there are.",
    cases=lambda: [([1, 13, 1],), ([2, 30, 20, 1],), ([3, 5, 2],), ([4, 1],)],
    hint="A layer with a inputs and b outputs has a * b weights and b biases; add up the layers.",
)


def probe_network(module: nn.Module, width: int) -> list:
    """How many numbers the module would train, and its outputs once these numbers are known ones."""
    own = next(module.parameters(), torch.empty(0))  # not module.double(), which would miss layers in a plain list
    inputs = torch.tensor([[-2.0], [-0.5], [0.25], [1.0], [3.0]], dtype=own.dtype)
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    layers.sort(key=lambda layer: (layer.in_features != 1, layer.out_features == 1))  # whichever was made first
    of_layers = [parameter for layer in layers for parameter in layer.parameters()]
    ordered = dict.fromkeys([*of_layers, *module.parameters()])
    with torch.no_grad():
        for number, parameter in enumerate(ordered):
            count = torch.arange(parameter.numel(), dtype=torch.float64)
            parameter.copy_(torch.sin(1 + number + 0.7 * count).reshape(parameter.shape))
        outputs = module(inputs)
    require_same_shape(outputs, inputs, "the network")
    return [float(sum(parameter.numel() for parameter in module.parameters())), *outputs.flatten()]


def other_than_two_hidden(given: list, wanted: list) -> str:
    """The hint for modules of a fixed size, of another size, or with something else between the right layers."""
    trained, expected = int(given[0][0]), int(wanted[0][0])
    if same(given, wanted, 1e-5):
        return ""
    if trained != expected:
        return of_fixed_size(given, wanted) or (
            f"It trains {trained} numbers, and 1-3-3-1 has {expected}: is a layer missing, wrong, extra, or in a list?"
        )
    return "The layers have the right sizes. Between them belong two tanh, and nothing else: no other bend, no dropout."


def two_hidden(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))


deeper_network = Exercise(
    two_hidden,
    "An activation between any two layers, none behind the last: the output can reach any temperature.",
    ("nn.Tanh(), nn.Linear(width, 1)", "nn.Linear(width, 1)"),
    "No activation between the second hidden layer and the output: these two are one affine map (chapter 06).",
    ("nn.Tanh(), nn.Linear(width, width)", "nn.Linear(width, width)"),
    "No activation between the two hidden layers: they collapse into one.",
    ("nn.Tanh(), ", ""),
    "No activation at all: however many layers, this is a straight line.",
    ("nn.Linear(width, 1)", "nn.Linear(width, 1), nn.Tanh()"),
    "The last activation holds the output between -1 and 1: end with the linear layer.",
    ("nn.Linear(width, width), nn.Tanh(), ", ""),
    "That is one hidden layer; a second one goes from width to width.",
    ("Tanh", "ReLU"),
    "ReLU would do as well, but the task asks for tanh.",
    ("Tanh", "Sigmoid"),
    "These are sigmoid units, and tanh units are asked for.",
    ("nn.Tanh()", "nn.Tanh"),
    "nn.Tanh is the class, and a chain takes modules: make one with nn.Tanh().",
    ("nn.Tanh()", "torch.tanh"),
    "torch.tanh is a function, and a chain takes modules: torch.nn has tanh as a module, too.",
    ("nn.Linear(width, width)", "nn.Linear(1, width)"),
    "A layer with one input stands behind the first: it gets all outputs of the one before, so it needs width inputs.",
    cases=lambda: [(3,), (5,)],
    observe=module_probe(probe_network),
    remark=other_than_two_hidden,
    hint="Write down the shape after each linear layer; it should go from (n, 1) over (n, width), twice, to (n, 1).",
)


def small_network(seed: int) -> nn.Module:
    """A network 1-4-1 with weights from a generator of its own."""
    generator = torch.Generator().manual_seed(seed)
    module = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return module


def validation_error(model: nn.Module, u: Tensor, c: Tensor, training: Tensor, validation: Tensor) -> Tensor:
    return loss.mse(model(u[validation].unsqueeze(1)).squeeze(1), c[validation])


error_on_new_rows = Exercise(
    validation_error,
    "Only rows that the training never saw can tell how the network does on new ones.",
    ("[validation]", "[training]"),
    "Those are the rows it was trained on: a large network can get them right, whatever it does elsewhere.",
    ("[validation]", ""),
    "All rows includes those it was trained on, and they flatter it: take the validation rows only.",
    lambda model, u, c, training, validation: all_pairs(model(u[validation].unsqueeze(1)), c[validation]),
    "Every prediction was compared with every target: (n, 1) against (n,) broadcasts to n x n.",
    (".unsqueeze(1)", ""),
    "The network wants one row per reading: to it, shape (n,) is one reading with n inputs. Use unsqueeze(1).",
    (".squeeze(1)", ""),
    "The predictions have shape (n, 1), the targets (n,), and mse refuses to pair everyone with everyone.",
    lambda *task: validation_error(*task).sqrt(),
    "That is the root, in degrees: the question was for the mean of the squares.",
    ("loss.mse", "nn.MSELoss"),
    "nn.MSELoss is a class: make the loss first, nn.MSELoss(), then call that with prediction and target.",
    ("u[validation]", "(u[validation] / 10)"),
    "You divided u by 10, as the chapter does with raw readings: this u has the network's scale already.",
    cases=lambda: [
        (small_network(0), readings()[0] / 10, readings()[1], *data.split(11, 0)),
        (small_network(1), readings()[0] / 50, readings()[1], *data.split(11, 3, 0.4)),
    ],
    hint="Pick the validation rows of u and c, bring u to shape (n, 1), call the model, average the squared errors.",
)
