"""The training loop: the numbers of a loop written out, a history of every epoch, clear words for bad input."""

import inspect

import pytest
import torch

from helpers import training
from helpers.data import tensors
from helpers.loss import mse, mse_gradient
from helpers.model import line
from helpers.training import train

RATE = 1e-2


def scaled(dtype=torch.float64):
    u, c = tensors(dtype)
    return u * 0.1, c


def straight_line(dtype=torch.float64):
    """A line from (1, 0): its function, and its parameters."""
    w = torch.tensor(1.0, dtype=dtype, requires_grad=True)
    b = torch.tensor(0.0, dtype=dtype, requires_grad=True)
    return (lambda u: line(u, w, b)), [w, b]


def by_hand(epochs, u, c, rate=RATE):
    """Losses before each step and the parameters after the last, from the gradient by hand."""
    w, b, losses = 1.0, 0.0, []
    for _ in range(epochs):
        losses.append(mse(line(u, w, b), c).item())
        slope_w, slope_b = (slope.item() for slope in mse_gradient(u, c, w, b))
        w, b = w - rate * slope_w, b - rate * slope_b
    return losses, [w, b]


def test_training_is_the_loop_by_hand():
    model, parameters = straight_line()
    parameters[0].grad = torch.tensor(1e6, dtype=torch.float64)  # left behind by somebody else
    history = train(model, torch.optim.SGD(parameters, lr=RATE), *scaled(), 50)
    losses, trained = by_hand(50, *scaled())
    assert history.loss.tolist() == pytest.approx(losses, rel=1e-12)
    assert [p.item() for p in parameters] == pytest.approx(trained, rel=1e-12)
    assert history.loss.dtype == torch.float64 and history.loss.shape == (50,)
    assert history.validation_loss is None and history.stopped is None and history.evaluations == 50


def test_lbfgs_reaches_the_bottom_and_counts_its_evaluations():
    model, parameters = straight_line()
    u, c = tensors(torch.float64)
    optimizer = torch.optim.LBFGS(parameters, lr=1, max_iter=20, line_search_fn="strong_wolfe", tolerance_change=0)
    history = train(model, optimizer, u, c, 3)
    assert history.loss[0].item() == pytest.approx(1763.884545454546, rel=1e-12)
    assert history.loss[2].item() == pytest.approx(2.92764557089564, rel=1e-12)
    assert [p.item() for p in parameters] == pytest.approx([0.5367719, -17.3047855], rel=1e-7)
    assert 3 <= history.evaluations <= 75


def test_divergence_stops_and_says_where(capsys):
    u, c = tensors(torch.float32)
    model, parameters = straight_line(torch.float32)
    history = train(model, torch.optim.SGD(parameters, lr=RATE), u, c, 100)
    assert len(history.loss) == 11 and history.loss[10] == torch.inf and history.loss[:10].isfinite().all()
    assert history.stopped.startswith("stopped at epoch 11: the loss is inf.") and "0.01" in history.stopped
    assert history.evaluations == 10
    assert capsys.readouterr().out == history.stopped + "\n"
    assert all(p.isfinite() for p in parameters)  # the step of the last epoch was not taken


@pytest.mark.parametrize("where", ["model", "validation"])
def test_an_interrupt_returns_the_history_so_far(where, capsys):
    calls = []

    def model(u):
        calls.append(len(u))
        if calls.count(9 if where == "model" else 2) == 6:
            raise KeyboardInterrupt
        return line(u, w, b)

    _, (w, b) = straight_line()
    u, c = scaled()
    optimizer = torch.optim.SGD([w, b], lr=RATE)
    history = train(model, optimizer, u[:9], c[:9], 100, validation=(u[9:], c[9:]))
    assert len(history.loss) == len(history.validation_loss) > 0
    assert "interrupted" in history.stopped and "interrupted" in capsys.readouterr().out
    assert history.loss.tolist() == pytest.approx(by_hand(len(history.loss), u[:9], c[:9])[0], rel=1e-12)


def test_progress_shows_a_bar(capfd):
    model, parameters = straight_line()
    train(model, torch.optim.SGD(parameters, lr=RATE), *scaled(), 3, progress=True)
    assert "3/3" in capfd.readouterr().err


def test_the_loop_fits_on_a_screen():
    body = inspect.getsource(train).split('"""')[2].strip().splitlines()
    assert len(body) <= 55


def test_public_names_have_docstrings():
    for name, value in vars(training).items():
        if inspect.isfunction(value) and value.__module__ == training.__name__:
            assert value.__doc__, name
