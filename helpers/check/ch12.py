"""Checks of chapter 12."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.check.engine import Exercise, module_probe, of_fixed_size, require_same_shape, unanswered


def fixed_weights(hidden: int) -> dict[str, Tensor]:
    """Weights by name for a layer of hidden units and an output, no two alike."""
    ramp = torch.linspace(-1, 1, hidden + 1)
    return {
        "hidden_linear.weight": 1.3 * ramp[1:, None],
        "hidden_linear.bias": ramp[:-1] + 0.2,
        "output_linear.weight": 0.4 - 1.7 * ramp[None, 1:],
        "output_linear.bias": torch.tensor([0.3]),
    }


def shapes_of(state: dict[str, Tensor]) -> dict[str, tuple]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def inputs_for(module: nn.Module) -> Tensor:
    """Three inputs, shape (3, 1), in the dtype of the module's parameters, if it has any."""
    inputs = torch.tensor([[-1.0], [0.5], [2.0]])
    return inputs.to(next(module.parameters(), inputs).dtype)


def probe_hidden_units(module: nn.Module, hidden: int) -> list | None:
    """What is registered, whether two calls agree, and the outputs with fixed weights (-1 where these find no place).

    Registered: how many trained numbers, and whether the saved tensors are those of the two layers and no others.
    """
    if not vars(module):
        return None
    if "_parameters" not in vars(module):
        raise ValueError("super().__init__() has not run, so the module can register nothing")
    inputs, weights = inputs_for(module), fixed_weights(hidden)
    registered = float(sum(parameter.numel() for parameter in module.parameters()))
    shapes = shapes_of(module.state_dict())
    first, second = module(inputs), module(inputs)
    if unanswered(first):
        raise ValueError("forward handed nothing back")
    require_same_shape(first, inputs)
    outputs = [-1.0] * len(inputs)
    if shapes_of(weights).items() <= shapes.items():
        module.load_state_dict(weights, strict=False)
        outputs = module(inputs).flatten().tolist()
    return [registered, float(set(shapes) == set(weights)), float(torch.equal(first, second)), *outputs]


class OneHidden(nn.Module):
    """One layer of tanh units."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden_linear = nn.Linear(1, hidden)
        self.output_linear = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output_linear(torch.tanh(self.hidden_linear(x)))


one_hidden = Exercise(
    OneHidden,
    "Both layers are registered under the names that the saved files use, and every call uses the same weights.",
    (
        "nn.Linear(1, hidden)",
        "lambda x: nn.Linear(1, hidden)(x)",
        "nn.Linear(hidden, 1)",
        "nn.Linear(hidden, 1).forward",
    ),
    "The layers are made in forward, with new random weights at each call: make them in __init__.",
    ("super().__init__()", "pass"),
    "super().__init__() must come before the layers: without it the module has no records to write a layer into.",
    ("return ", ""),
    "forward hands nothing back: its last line needs a return.",
    ("nn.Linear(1, hidden)", "nn.Linear(1, hidden).forward", "nn.Linear(hidden, 1)", "nn.Linear(hidden, 1).forward"),
    "It computes, but parameters() finds nothing: plain tensors and lists don't register. Assign an nn.Linear itself.",
    ("hidden_linear", "first", "output_linear", "second"),
    "All parameters are there, but under other names: saved files know the layers as hidden_linear and output_linear.",
    ("super().__init__()", "super().__init__(); self.extra = nn.Buffer(torch.zeros(1))"),
    "The layers are right, but the module saves more than their four tensors: a file of these alone would not fit.",
    ("torch.tanh", "torch.sigmoid"),
    "These are units with another bend: a tanh unit makes 0 of 0, a sigmoid one half.",
    ("torch.tanh", "nn.Tanh"),
    "nn.Tanh is a class: empty brackets behind it make a module of it, and that takes the numbers.",
    ("torch.tanh(self.hidden_linear(x))", "x"),
    "A layer meets numbers of the wrong width: 1 goes into hidden_linear, hidden out of it and into output_linear.",
    ("torch.tanh", ""),
    "The activation is missing: two linear layers in a row are one straight line.",
    ("(x)))", "(x))).tanh()"),
    "The output was bent, too: temperatures go beyond -1 and 1. Leave the output layer linear.",
    ("(nn.Module)", ""),
    "What comes back is no module: the class must inherit from nn.Module.",
    cases=lambda: [(13,), (3,)],
    observe=module_probe(probe_hidden_units),
    remark=of_fixed_size,
    hint="Follow one number through forward: what does it meet, in which order? A tanh unit makes 0 of 0.",
)


class WithDropout(OneHidden):
    def __init__(self, hidden: int, p: float) -> None:
        super().__init__(hidden)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.hidden_linear(x))
        h = F.dropout(h, self.p, self.training)
        return self.output_linear(h)


def call_in_training(module: nn.Module, inputs: Tensor, weight: Tensor, bias: float) -> Tensor:
    """The output (n,) with these weights of the output layer, the same random numbers in every call."""
    torch.default_generator.manual_seed(1)
    with torch.no_grad():
        module.output_linear.weight.copy_(weight)
        module.output_linear.bias.fill_(bias)
        output = module(inputs)
    require_same_shape(output, inputs, "in training, forward")
    return output.squeeze(1)


def probe_dropout(module: nn.Module, hidden: int, p: float) -> list | None:
    """What dropout does in training and in use.

    In use: whether two calls agree, and the outputs with fixed weights (-1 if calls differ). In training: whether two
    calls differ, the share of hidden units that are zero, the factor on the others, whether most rows have both kinds,
    whether rows differ, and whether the output is the weighted sum of the hidden units. Only -1 for other layers.
    The hidden units are read off the outputs, with one weight 1 and the others 0, so it doesn't matter how forward
    uses the output layer.
    """
    inputs = inputs_for(module)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weights = fixed_weights(hidden)
        if not shapes_of(weights).items() <= shapes_of(module.state_dict()).items():
            return [-1.0]
        module.load_state_dict(weights, strict=False)
        module.eval()
        calls = [module(inputs) for _ in range(5)]
        if any(unanswered(call) for call in calls):
            if not unanswered(module.train()(inputs)):
                raise ValueError("in training forward hands the result back, after eval() it hands back nothing")
            return None
        require_same_shape(calls[0], inputs)
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


with_dropout = Exercise(
    WithDropout,
    "In training it drops a share p and makes up for it; after eval() every call gives the same answer.",
    (", self.training", ""),
    "After eval() it still drops: F.dropout needs training=self.training; an nn.Dropout made in forward always drops.",
    ("self.training", "False"),
    "Nothing is ever dropped, not even in training: is dropout switched on then, and do you use what it returns?",
    ("self.training", "not self.training"),
    "The switch is turned around: it drops in use, and not in training.",
    ("h, self.p", "h, 0.5"),
    "It drops one half, the default of F.dropout and of nn.Dropout: hand over p=self.p.",
    ("h, self.p, self.training", "h"),
    "It drops one half, and goes on after eval(): F.dropout needs p and the switch; give nn.Dropout p, in __init__.",
    ("h, self.p", "h, 0.2"),
    "It drops one fifth, as the networks of the chapter do: the share to drop is self.p.",
    ("self.training", "self.train"),
    "train and eval are methods that turn the switch: how it stands is in another attribute.",
    ("F.dropout(h, self.p, self.training)", "nn.Dropout(h, p=self.p)"),
    "nn.Dropout is a class, made with p in __init__: it gets the hidden units later, when the module is called.",
    ("h, self.p", "h, 1 - self.p"),
    "p is the probability to be dropped, not to be kept.",
    ("h = F.dropout(h", "_ = (h", "linear(x)", "linear(F.dropout(x, self.p, self.training))"),
    "Something is dropped, but not the hidden units: dropout belongs between the tanh and the output layer.",
    ("h = F", "_ = F", "self.output_linear(h)", "F.dropout(self.output_linear(h), self.p, self.training)"),
    "The output is dropped, not the hidden units: dropout belongs before the output layer.",
    ("self.output_linear(h)", "F.dropout(self.output_linear(h), self.p, self.training)"),
    "You drop twice: the hidden units, as asked, and then the output as well.",
    ("F.dropout(h", "h * F.dropout(torch.ones(len(h), 1)"),
    "All units of a reading are dropped together, or none: each unit needs a chance of its own.",
    ("F.dropout(h", "h * F.dropout(torch.ones(h.shape[1])"),
    "The same units are dropped for all readings: each reading needs chances of its own.",
    ("torch.tanh(", "(", "self.output_linear(h)", "self.output_linear(h.tanh())"),
    "You dropped before the tanh, so the factor 1 / (1 - p) gets bent with the rest: drop behind it.",
    ("F.dropout(h, self.p, self.training)", "h * (torch.rand(h.shape) >= self.p * self.training)"),
    "What is left must be divided by 1 - p, or the output layer meets larger sums in use than in training.",
    ("__init__(hidden)", "__init__(7)"),
    "hidden_linear goes from 1 to hidden, and output_linear from hidden to 1, as the stub makes them: leave them so.",
    cases=lambda: [(10, 0.2), (5, 0.6)],
    observe=module_probe(probe_dropout),
    hint="What reaches the output layer, in training and after eval()? Which numbers are 0, how have the others grown?",
)


def layers_of(names: Sequence[str], values: Sequence[float]) -> nn.ModuleDict:
    """Layers with one input and one output; their weights and biases in turn are the values."""
    model = nn.ModuleDict({name: nn.Linear(1, 1) for name in names})
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.fill_(value)
    return model


def loading_task(order: Sequence[str], names: dict[str, str]) -> tuple:
    """A model with layers of these names, in this order, its weights still zero; the weights to load; the names."""
    state = layers_of(("0", "1", "10"), (0.5, -1.0, 2.0, 0.25, -3.0, 4.0)).state_dict()
    return layers_of(order, [0.0] * 6), dict(state), names


def loaded(model: nn.Module, state: dict[str, Tensor], names: dict[str, str]) -> nn.Module:
    new = {}
    for name, tensor in state.items():
        part, kind = name.split(".")
        new[f"{names[part]}.{kind}"] = tensor
    model.load_state_dict(new)
    return model


load_renamed = Exercise(
    loaded,
    "Tensors found their places by name, so neither the order nor the number of parts matters.",
    ("(new)", "(state)"),
    "A load needs exactly the model's names, all of them at once: replace all before the dot, in 10 as in 1.",
    ("(new)", "(state, strict=False)"),
    "Nothing was loaded: call load_state_dict, with the model's own names; strict=False passes over all others.",
    ("names[part]", "part.replace('0', names['0']).replace('1', names['1'])", "(new)", "(new, strict=False)"),
    "Part 10 kept its old weights: its name was not replaced as a whole, and strict=False keeps quiet about it.",
    ("(new)", "(dict(zip(model.state_dict(), state.values(), strict=True)))"),
    "You matched the tensors by position: the parts may stand in another order here, only names can tell.",
    ("model.load", "return model.load"),
    "What came back is no module: load_state_dict changes the model and returns a report; return the model.",
    cases=lambda: [
        loading_task(("outer", "inner", "middle"), {"0": "inner", "1": "middle", "10": "outer"}),
        loading_task(("a", "b", "c"), {"0": "c", "10": "b", "1": "a"}),
    ],
    observe=module_probe(lambda module, *_: [tensor.item() for _, tensor in sorted(module.state_dict().items())]),
    hint='Make a new dictionary in which "10.weight" is called names["10"] + ".weight", load it, return the model.',
)


class BackToDegrees(nn.Module):
    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.mean, self.std = nn.Buffer(mean), nn.Buffer(std)

    def forward(self, z: Tensor) -> Tensor:
        return self.std * z + self.mean


def probe_constants(module: nn.Module, mean: Tensor, std: Tensor) -> list | None:
    """How many parameters, how many that train, buffers, saved tensors; outputs, and those with other constants.

    The other constants are loaded after a move to float64. That makes new tensors of the parameters and buffers, and
    leaves a plain attribute behind that shared its memory with one of them.
    """
    if None in vars(module).get("_buffers", {}).values():
        raise ValueError("a buffer is None: register_buffer enters the tensor and returns nothing to assign")
    z = inputs_for(module)
    output, saved = module(z), module.state_dict()
    if unanswered(output):
        if saved:
            raise ValueError("forward handed nothing back")
        return None
    require_same_shape(output, z)
    if any(tensor.dim() for name, tensor in saved.items() if name in ("mean", "std")):
        raise ValueError("mean and std came as scalars and are not kept as scalars")
    trained = [parameter.requires_grad for parameter in module.parameters()]
    counts = len(trained), sum(trained), len(list(module.buffers())), len(saved), set(saved) == {"mean", "std"}
    module.double().load_state_dict({"mean": torch.tensor(7.0), "std": torch.tensor(0.25)}, strict=False)
    return [*map(float, counts), *output.flatten().tolist(), *module(z).flatten().tolist()]


back_to_degrees = Exercise(
    BackToDegrees,
    "Whoever loads the file gets the constants with the weights, and no training moves them.",
    ("nn.Buffer", ""),
    "It computes, but state_dict() has neither number: a plain attribute is not saved. Use register_buffer.",
    ("nn.Buffer", "nn.Parameter"),
    "They are saved, and they are trained: an optimizer gets every nn.Parameter. Use register_buffer.",
    ("nn.Buffer", "(lambda constant: nn.Parameter(constant, requires_grad=False))"),
    "They don't train, but parameters() hands them out and counts them: a constant is a buffer.",
    (
        "        self.mean",
        "        self.a, self.b = mean, std\n        self.mean",
        "self.std * z + self.mean",
        "self.b * z + self.a",
    ),
    "forward takes plain attributes, which stay behind when the module moves: compute with the buffers.",
    ("nn.Buffer", "(lambda constant: nn.Buffer(constant, persistent=False))"),
    "persistent=False makes buffers that are not saved: leave it out.",
    ("(mean)", "(mean[None])", "(std)", "(std[None])"),
    "mean and std came with shape () and are kept with another: a file with scalars would not fit.",
    ("self.mean", "self.a", "self.std", "self.b"),
    "Both are buffers, under other names than mean and std, so a saved file would not fit.",
    ("return self.std * z + self.mean", "z *= self.std; z += self.mean; return z"),
    "The numbers are right, and z was changed, which the caller may still need: make a new tensor.",
    ("self.std * z + self.mean", "(z - self.mean) / self.std"),
    "That standardises once more: turn it around, times std, plus mean.",
    ("self.std * z + self.mean", "self.std * (z + self.mean)"),
    "The mean was multiplied, too: first times std, then plus mean.",
    cases=lambda: [(torch.tensor(10.5), torch.tensor(8.75)), (torch.tensor(-2.0), torch.tensor(0.5))],
    observe=module_probe(probe_constants),
    hint="What becomes of a z of 0, and of 1? Which of a module's records is saved, but goes to no optimizer?",
)
