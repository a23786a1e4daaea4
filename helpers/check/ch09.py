"""Checks of chapter 09."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from helpers import loss
from helpers.check.engine import (
    RETURN_IN_LOOP,
    Exercise,
    all_pairs,
    float64,
    module_probe,
    readings,
    require_same_shape,
    unanswered,
)


class Chain(nn.Module):
    """Parts one after the other."""

    def __init__(self, parts: list) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x


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
    inputs = float64([[-1.0], [0.5], [2.0]])
    output = module(inputs)
    for handle in handles:
        handle.remove()
    if unanswered(output):
        return None
    require_same_shape(output, inputs)
    trained = sum(parameter.numel() for parameter in module.parameters())
    return [float(trained), float(len(fired)), *output.flatten()]


chain = Exercise(
    Chain,
    "An optimizer gets every parameter of every part, and hooks on the parts fire.",
    ("nn.ModuleList(parts)", "parts"),
    "The outputs are right, but parameters() finds nothing in a plain list: keep the parts in an nn.ModuleList.",
    ("part(x)", "part.forward(x)"),
    "The outputs are right, but the hooks on the parts stayed silent: call part(x), not part.forward(x), of the parts "
    "themselves and not of copies.",
    ("nn.ModuleList(parts)", "parts", "part(x)", "part.forward(x)"),
    "The outputs are right. Two things are not: use an nn.ModuleList, for parameters(), and call the parts, for hooks.",
    ("x = part(x)", "y = part(x)", "return x", "return y"),
    "Each part got the input itself, and only the last one counts: hand on the output of the one before.",
    ("for part in self.parts:", "if True:", "part(x)", "sum(part(x) for part in self.parts)"),
    "That adds the outputs up, like Total: hand each part the output of the one before.",
    ("in self.parts", "in self.parts[::-1]"),
    "The parts ran in reverse: begin with the first.",
    ("super().__init__()", "pass"),
    "nn.Module has not set up its records yet: call super().__init__() first.",
    ("super().__init__()", "pass", "nn.ModuleList(parts)", "parts"),
    "Two things are missing: super().__init__(), for the module's records, and an nn.ModuleList for the parts.",
    ("for part in self.parts:", "if True:", "part(x)", "self.parts(x)"),
    "An nn.ModuleList only keeps its parts, it can't be called: go through them in a loop.",
    ("nn.ModuleList(parts)", "parts", "for part in self.parts:", "if True:", "part(x)", "self.parts(x)"),
    "A list can't be called: keep the parts in an nn.ModuleList, and go through them in a loop.",
    ("(nn.Module)", ""),
    "What comes back is no module: give a class that inherits from nn.Module.",
    ("        return", "            return"),
    RETURN_IN_LOOP,
    cases=lambda: [(parts_with((2.0, -1.0), (-3.0, 0.5)),), (parts_with((0.5, 1.0), (4.0, 2.0), (-1.5, 3.0)),)],
    observe=module_probe(probe_parts),
    forbidden={"torch.nn.modules.container.Sequential": "nn.Sequential did it for you: write the loop yourself."},
    hint="With three parts a, b, c it computes c(b(a(x))), with more it goes on; parameters() has to find all of them.",
)


def corrected_line(weight: float, bias: float, correction: float) -> nn.Module:
    """A layer with one input and one output, and with a hook that adds the correction."""
    layer = parts_with((weight, bias))[0]
    layer.register_forward_hook(lambda module, inputs, output: output + correction)
    return layer


def with_record(answer: Callable, *arguments: Any) -> list:
    """What is returned, and whether autograd can go back from it. Raises RuntimeError where it has already gone."""
    value = answer(*arguments)
    recorded = isinstance(value, Tensor) and value.grad_fn is not None
    if recorded:
        value.sum().backward()
    return [value, recorded]


module_loss = Exercise(
    lambda model, u, c: loss.mse(model(u.unsqueeze(1)), c.unsqueeze(1)),
    "Each prediction met its own target, and the hook was not skipped.",
    lambda model, u, c: all_pairs(model(u.unsqueeze(1)), c),
    "Every prediction met every target: (n, 1) against (n,) broadcasts to n x n. Give the target the same shape.",
    lambda model, u, c: loss.mse(model.forward(u.unsqueeze(1)), c.unsqueeze(1)),
    "The hook's correction is missing: only model(...) brings it, not model.forward(...), nor its weights by hand.",
    lambda model, u, c: all_pairs(model.forward(u.unsqueeze(1)), c),
    "Two things at once: (n, 1) against (n,) compares every prediction with every target, and forward skips the hook.",
    lambda model, u, c: model(u),
    "The layer took your tensor for one sample with n numbers: rows are samples, so give it what unsqueeze(1) returns.",
    lambda model, u, c: loss.mse(model(u.unsqueeze(1)), c),
    "The target still has shape (n,), and mse refuses to pair everyone with everyone: unsqueeze it as well.",
    lambda model, u, c: ((model(u.unsqueeze(1)) - c.unsqueeze(1)) ** 2).sum(),
    "That is the sum of the squares: take their mean.",
    lambda model, u, c: nn.MSELoss(model(u.unsqueeze(1)), c.unsqueeze(1)),
    "nn.MSELoss is a class: make the loss first, nn.MSELoss(), then call that with prediction and target.",
    lambda model, u, c: loss.mse(model(u.unsqueeze(1)), c.unsqueeze(1)).item(),
    "The number is right, but it has lost its graph: torch.tensor, item(), detach() or no_grad() cut it off.",
    lambda model, u, c: (value := loss.mse(model(u.unsqueeze(1)), c.unsqueeze(1))).backward() or value,
    "You called backward yourself, which used up the graph: return the loss, and leave backward to the caller.",
    cases=lambda: [
        (corrected_line(0.5, -15.0, 1.25), *readings()),
        (corrected_line(-2.0, 1.0, -0.5), *float64([[1.0, 3.0, 4.0], [2.0, -5.0, 1.0]])),
    ],
    observe=with_record,
    hint="Bring u and c to shape (n, 1), call the module on u, and average the squared differences.",
)

parameter_count = Exercise(
    lambda n_in, n_out: n_in * n_out + n_out,
    "Expect a number, count, compare: that finds parameters that the optimizer would never see.",
    lambda n_in, n_out: n_in * n_out,
    "Those are the weights: the biases are trained as well.",
    lambda n_in, n_out: n_in * n_out + 1,
    "One bias is too few: each output has its own.",
    lambda n_in, n_out: n_in * n_out + n_in,
    "The biases belong to the outputs, not to the inputs.",
    lambda n_in, n_out: n_in + n_out,
    "Each output has a weight for each input: multiply, don't add.",
    lambda n_in, n_out: 2,
    "Weight and bias are two tensors: count the numbers in them.",
    cases=lambda: [(1, 1), (3, 2), (2, 3), (1, 13), (784, 10)],
    forbidden={"torch.nn.modules.linear.Linear": "The layer was built and counted: write the formula instead."},
    hint="nn.Linear(3, 2) has a weight of shape (2, 3) and a bias of shape (2,).",
)

channels_first = Exercise(
    lambda images: images.permute(0, 3, 1, 2),
    "Each number has kept its image, row, column and colour, in the order that PyTorch's image layers expect.",
    lambda images: images.reshape(len(images), images.shape[3], images.shape[1], images.shape[2]),
    "The shape is right, the pixels are scrambled: reshape cuts the numbers up anew; permute moves dimensions.",
    lambda images: images.transpose(1, 3),
    "Rows and columns are swapped: this is B x C x W x H, images lying on their side.",
    lambda images: images.permute(3, 0, 1, 2),
    "The channels come before the batch: the images stay at place 0.",
    lambda images: images,
    "The colours are still last.",
    lambda images: images.permute(2, 0, 1),
    "A single image has three dimensions, a batch has four: list all of them, the batch at place 0.",
    lambda images: images.permute(0, 2, 3, 1),
    "That is the way back, from channels first to channels last: permute lists where each dimension came from.",
    lambda images: images.transpose(0, 3, 1, 2),
    "A tensor's transpose swaps two dimensions, unlike an array's: to put all four in a new order, take permute.",
    cases=lambda: [(torch.arange(120.0).reshape(2, 4, 5, 3),), (torch.arange(96.0).reshape(2, 4, 4, 3),)],
    hint="permute lists, for each place of the new order, the place where that dimension was before.",
)
