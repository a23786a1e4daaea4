"""train() beside a loop written by hand: parameters, buffers, hidden state, losses and random numbers are the same."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

from helpers.loss import mse
from helpers.training import train

SEED = 3


def loop_by_hand(model, optimizer, x, y, epochs, *, validation=None, closure=False):
    """The loop of the chapters, with the two switches; the loss of a closure is that of its first call in a step."""
    losses, validation_losses = [], []
    for _ in range(epochs):
        if validation is not None:
            model.eval()
            with torch.no_grad():
                validation_losses.append(mse(model(validation[0]), validation[1]).item())
        model.train()
        values = []

        def gradient(values=values):
            optimizer.zero_grad()
            loss = mse(model(x), y)
            loss.backward()
            values.append(loss.item())
            return loss

        if closure:
            optimizer.step(gradient)
        else:
            gradient()
            optimizer.step()
        losses.append(values[0])
    return losses, validation_losses


class KeepsState(nn.Module):
    """A recurrent layer that goes on where its last call, measured or trained, has left off."""

    def __init__(self):
        super().__init__()
        self.recurrent, self.out = nn.GRU(1, 3), nn.Linear(3, 1)
        self.state = None

    def forward(self, x):
        outputs, state = self.recurrent(x, self.state)
        self.state = state.detach()
        return self.out(outputs)


class ChangesInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(1, 1)

    def forward(self, x):
        x.mul_(0.9)  # the caller's tensor: smaller at each call
        return self.out(x.clone())


class Checkpointed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.out = nn.Linear(1, 4), nn.Linear(4, 1)

    def forward(self, x):
        return checkpoint(self.out, self.first(x).tanh(), use_reentrant=True)


class WhollyCheckpointed(Checkpointed):
    """No parameter is in the graph that the loss hangs on, only an input that requires a gradient."""

    def forward(self, x):
        return checkpoint(lambda x: self.out(self.first(x).tanh()), x.clone().requires_grad_(), use_reentrant=True)


class Sharp(torch.optim.SGD):
    """Sharpness-aware: the gradient of a place uphill, for which the closure is called a second time."""

    def step(self, closure):
        loss = closure()
        parameters = [p for group in self.param_groups for p in group["params"]]
        with torch.no_grad():
            uphill = [0.05 * p.grad for p in parameters]
            for p, way in zip(parameters, uphill, strict=True):
                p.add_(way)
        with torch.enable_grad():
            closure()
        with torch.no_grad():
            for p, way in zip(parameters, uphill, strict=True):
                p.sub_(way)
        super().step()
        return loss


class Twice(torch.optim.SGD):
    """Asks for the gradient twice at one place, and takes the second."""

    def step(self, closure):
        with torch.enable_grad():
            loss, _ = closure(), closure()
        super().step()
        return loss


class Unfreezing(torch.optim.SGD):
    """Has parameters more from its third step on."""

    def step(self, closure=None):
        self.left -= 1
        if not self.left:
            self.add_param_group({"params": self.later})
        return super().step()


class Accumulating(torch.optim.SGD):
    """Clears the gradients before every second step only; the step between has the sum of two."""

    calls = 0

    def zero_grad(self, set_to_none=True):
        self.calls += 1
        if self.calls % 2:
            super().zero_grad(set_to_none)


def network(*middle, dtype=torch.float64):
    return nn.Sequential(nn.Linear(1, 4), *middle, nn.Linear(4, 1)).to(dtype)


def frozen():
    model = network(nn.Tanh())
    model[0].requires_grad_(False)
    return model


def sgd(model, lr=0.05):
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)


def unfreezing(model):
    optimizer = Unfreezing(model[0].parameters(), lr=0.05)
    optimizer.left, optimizer.later = 3, list(model[2].parameters())
    return optimizer


def accumulating(model):
    return Accumulating(model.parameters(), lr=0.05)


def two_groups(model):
    groups = [{"params": model[0].parameters(), "lr": 0.01}, {"params": model[2].parameters()}]
    return torch.optim.Adam(groups, lr=0.1)


def lbfgs(model):
    return torch.optim.LBFGS(model.parameters(), max_iter=5, line_search_fn="strong_wolfe")


def sharp(model):
    return Sharp(model.parameters(), lr=0.05)


def twice(model):
    return Twice(model.parameters(), lr=0.05)


CASES = {
    "BatchNorm": (lambda: network(nn.BatchNorm1d(4)), sgd),
    "frozen BatchNorm": (lambda: network(nn.BatchNorm1d(4).eval()), sgd),
    "Dropout": (lambda: network(nn.Dropout(0.5)), sgd),
    "Dropout, called several times a step": (lambda: network(nn.Dropout(0.5)), sharp),
    "Dropout, called twice at one place": (lambda: network(nn.Dropout(0.5)), twice),
    "keeps its state": (lambda: KeepsState().double(), sgd),
    "changes its inputs": (lambda: ChangesInputs().double(), sgd),
    "LBFGS": (lambda: network(nn.Tanh()), lbfgs),
    "LBFGS and BatchNorm": (lambda: network(nn.BatchNorm1d(4)), lbfgs),
    "sharpness-aware": (lambda: network(nn.Tanh()), sharp),
    "checkpointing": (lambda: Checkpointed().double(), sgd),
    "checkpointing from the inputs": (lambda: WhollyCheckpointed().double(), sgd),
    "float32": (lambda: network(nn.Tanh(), dtype=torch.float32), sgd),
    "bfloat16": (lambda: network(nn.Tanh(), dtype=torch.bfloat16), sgd),
    "frozen layer": (frozen, sgd),
    "a group that joins on the way": (lambda: network(nn.Tanh()), unfreezing),
    "clears gradients in its own way": (lambda: network(nn.Tanh()), accumulating),
    "two groups": (lambda: network(nn.Tanh()), two_groups),
}


def everything(model, optimizer, x):
    """All that training may move, as a list of tensors."""
    state = [value for one in optimizer.state_dict()["state"].values() for value in one.values()]
    moved = [*model.state_dict().values(), *state, getattr(model, "state", None), x, torch.get_rng_state()]
    return [value.clone() for value in moved if isinstance(value, torch.Tensor)]


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_train_leaves_what_the_loop_by_hand_leaves(name, validated):
    build, make_optimizer = CASES[name]
    results = {}
    for way in ("by hand", "train"):
        torch.manual_seed(SEED)
        model = build()
        modes = [module.training for module in model.modules()]
        optimizer = make_optimizer(model)
        dtype = next(model.parameters()).dtype
        x = torch.linspace(-1, 1, 12, dtype=dtype).unsqueeze(1)
        y = 3 * x + 0.5
        validation = (x[:5] + 2, y[:5] + 6) if validated else None
        if way == "train":
            history = train(model, optimizer, x, y, 6, validation=validation)
            losses = history.loss.tolist()
            validation_losses = history.validation_loss.tolist() if validated else []
            assert [module.training for module in model.modules()] == modes
        else:
            closure = isinstance(optimizer, (torch.optim.LBFGS, Sharp, Twice))
            losses, validation_losses = loop_by_hand(model, optimizer, x, y, 6, validation=validation, closure=closure)
        results[way] = losses, validation_losses, everything(model, optimizer, x)
    assert len(losses) == 6 and losses[-1] < losses[0]
    assert results["train"][:2] == results["by hand"][:2]
    assert len(results["train"][2]) == len(results["by hand"][2])
    for ours, theirs in zip(*(results[way][2] for way in ("train", "by hand")), strict=True):
        assert torch.equal(ours, theirs)


def test_a_compiled_model_is_trained_as_it_is():
    x = torch.linspace(-1, 1, 12, dtype=torch.float64).unsqueeze(1)
    torch.manual_seed(SEED)
    plain = network(nn.Tanh())
    compiled = torch.compile(copy.deepcopy(plain), backend="aot_eager")  # needs no C++ compiler
    losses = [train(model, sgd(model), x, 3 * x, 6).loss.tolist() for model in (plain, compiled)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-12)  # it may add up in another order


@pytest.mark.parametrize("loader", [False, True])
@pytest.mark.parametrize("size", [1, 5, 12, 100])
def test_batches_are_those_of_the_loop_by_hand(size, loader):
    x = torch.linspace(-1, 1, 12, dtype=torch.float64).unsqueeze(1)
    y = 3 * x + 0.5
    torch.manual_seed(SEED)
    ours = network(nn.Dropout(0.5))
    theirs = copy.deepcopy(ours)

    def dealt():
        """A loader's batches, or a size's, and the generator of their order."""
        generator = torch.Generator().manual_seed(7)
        if loader:
            return DataLoader(TensorDataset(x, y), size, shuffle=True, generator=generator), generator
        return size, generator

    torch.manual_seed(SEED)
    batches, generator = dealt()
    data = {"batches": batches} if loader else {"inputs": x, "targets": y, "batches": batches, "generator": generator}
    history = train(ours, sgd(ours, 0.005), epochs=4, **data)
    state = torch.get_rng_state()

    torch.manual_seed(SEED)
    batches, generator = dealt()
    optimizer, losses = sgd(theirs, 0.005), []
    for _ in range(4):
        total = 0.0
        if not loader:
            batches = [(x[rows], y[rows]) for rows in torch.randperm(12, generator=generator).split(size)]
        for x_part, y_part in batches:
            loss = mse(theirs(x_part), y_part)
            total += loss.item() * len(y_part)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(total / 12)
    assert history.loss.tolist() == pytest.approx(losses, rel=1e-13)
    assert history.evaluations == 4 * -(-12 // size)
    assert all(torch.equal(p, q) for p, q in zip(ours.parameters(), theirs.parameters(), strict=True))
    assert torch.equal(state, torch.get_rng_state())
