"""One straight line trained by several libraries, taking turns in one process; prints the result as JSON.

    python tests/bench/bench_peers.py ROUNDS      run by bench.py with the Python of _build/peers

All start from slope 1 and intercept 0, see the same eleven readings in float32, and take the same number of steps of
SGD on all rows at once. What is timed is the call that trains; models, optimizers and trainers are built before it.
Libraries that are not installed are left out and named.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
import warnings

import torch
from bench_measure import EPOCHS_OF_PEERS, LEARNING_RATE, SCALE, seconds, take_turns
from torch import nn
from torch.utils.data import DataLoader

from helpers.data import tensors
from helpers.training import train

Run = tuple[float, float, float]  # seconds, slope, intercept
u, c = (values.unsqueeze(1) for values in tensors())
u = u * SCALE


class Line(nn.Module):
    """w * u + b from w = 1, b = 0."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1)
        nn.init.ones_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.linear(inputs)


def answer(model: Line) -> tuple[float, float]:
    return model.linear.weight.item(), model.linear.bias.item()


def bare_loop() -> Run:
    """forward, loss, zero_grad, backward, step, written out"""
    model, loss = Line(), nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)

    def fit() -> None:
        for _ in range(EPOCHS_OF_PEERS):
            value = loss(model(u), c)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()

    return seconds(fit), *answer(model)


def course() -> Run:
    """the course's loop: keeps every epoch's loss, watches for a loss that is not finite"""
    model = Line()
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    return seconds(lambda: train(model, optimizer, u, c, EPOCHS_OF_PEERS, loss=nn.MSELoss())), *answer(model)


def ignite() -> Run:
    """`create_supervised_trainer`, run on a list of one batch, no handlers"""
    from ignite.engine import create_supervised_trainer

    model = Line()
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    trainer = create_supervised_trainer(model, optimizer, nn.MSELoss())
    return seconds(lambda: trainer.run([(u, c)], max_epochs=EPOCHS_OF_PEERS)), *answer(model)


def skorch() -> Run:
    """`NeuralNetRegressor`, `batch_size=-1`, no validation split, nothing printed"""
    from skorch import NeuralNetRegressor

    sgd = {"optimizer": torch.optim.SGD, "lr": LEARNING_RATE, "max_epochs": EPOCHS_OF_PEERS}
    net = NeuralNetRegressor(Line, batch_size=-1, train_split=None, callbacks__print_log=None, verbose=0, **sgd)
    return seconds(lambda: net.fit(u, c)), *answer(net.module_)


def lightning_with(**options: object) -> Run:
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.line, self.loss = Line(), nn.MSELoss()

        def training_step(self, batch, number):
            return self.loss(self.line(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=LEARNING_RATE)

    module, loader = Module(), DataLoader([(u, c)], batch_size=None)
    trainer = lightning.Trainer(accelerator="cpu", max_epochs=EPOCHS_OF_PEERS, **options)
    return seconds(lambda: trainer.fit(module, loader)), *answer(module.line)


def lightning() -> Run:
    """`Trainer` on a DataLoader of one batch; logger, checkpoints, progress bar and summary off"""
    names = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    return lightning_with(**dict.fromkeys(names, False))


def lightning_barebones() -> Run:
    """the same with `barebones=True`, its mode for measuring overhead"""
    return lightning_with(barebones=True)


def keras() -> Run:
    """torch backend, one `Dense(1)`, `fit` with one batch an epoch, `verbose=0`"""
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([torch.ones(1, 1).numpy(), torch.zeros(1).numpy()])
    model.compile(optimizer=keras.optimizers.SGD(LEARNING_RATE), loss="mse")
    options = {"batch_size": len(u), "epochs": EPOCHS_OF_PEERS, "shuffle": False, "verbose": 0}
    took = seconds(lambda: model.fit(u.numpy(), c.numpy(), **options))
    weight, bias = model.get_weights()
    return took, weight.item(), bias.item()


# What the table calls it, the package it needs, and the function; the docstring says how it is configured.
LOOPS = [
    ("bare loop", "torch", bare_loop),
    ("`train()`", "torch", course),
    ("Ignite", "ignite", ignite),
    ("skorch", "skorch", skorch),
    ("Lightning", "lightning", lightning),
    ("Lightning, barebones", "lightning", lightning_barebones),
    ("Keras", "keras", keras),
]


def main(rounds: int) -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    present = {name: loop for name, package, loop in LOOPS if importlib.util.find_spec(package)}
    answers: dict[str, list[tuple[float, float]]] = {name: [] for name in present}

    def timed(name: str) -> float:
        took, slope, intercept = present[name]()
        answers[name].append((slope, intercept))
        return took

    found = take_turns({name: lambda name=name: timed(name) for name in present}, rounds)
    loops = {
        name: {"configured": loop.__doc__, "seconds": found[name], "answers": answers[name]}
        for name, loop in present.items()
    }
    missing = sorted({package for _, package, _ in LOOPS if not importlib.util.find_spec(package)})
    print("\n" + json.dumps({"loops": loops, "missing": missing}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
