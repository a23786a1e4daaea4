"""The small network of helpers.model, and chapter 10's guard against measuring another model than the one trained."""

import pytest
import torch
from notebook_tools import ROOT, Notebook

from helpers.data import split, tensors
from helpers.loss import mse
from helpers.model import network
from helpers.training import train

NOTEBOOK = ROOT / "notebooks" / "10_a_neural_network.ipynb"
GUARDED = ("network_training, network_validation = losses_of(model, history)",)


@pytest.fixture(scope="module")
def chapter() -> dict:
    """What the chapter's cells define up to the guard, with a training of 1000 epochs in the place of 5000."""
    names = {}
    for cell in Notebook.read(NOTEBOOK).code:
        if "plots." not in cell.source:
            exec(cell.source.replace("5000", "1000"), names)
        if "def losses_of" in cell.source:
            return names
    raise AssertionError("no losses_of in the chapter")


def test_shapes_names_and_type():
    found = {name: (tuple(p.shape), p.dtype) for name, p in network().named_parameters()}
    assert found == {
        "hidden_linear.weight": ((13, 1), torch.float64),
        "hidden_linear.bias": ((13,), torch.float64),
        "output_linear.weight": ((1, 13), torch.float64),
        "output_linear.bias": ((1,), torch.float64),
    }
    assert network()(torch.zeros(7, 1, dtype=torch.float64)).shape == (7, 1)


@pytest.mark.parametrize("hidden", [1, 13, 1000])
def test_it_has_as_many_parameters_as_its_docstring_says(hidden):
    assert sum(p.numel() for p in network(hidden).parameters()) == 3 * hidden + 1


def test_it_computes_what_chapter_06_defines():
    model = network(4)
    x = torch.linspace(-3, 3, 5, dtype=torch.float64).unsqueeze(1)
    W0, b0, W1, b1 = model.parameters()
    by_hand = [sum(W1[0, k] * torch.tanh(W0[k, 0] * value + b0[k]) for k in range(4)) + b1[0] for value in x[:, 0]]
    assert torch.allclose(model(x)[:, 0], torch.stack(by_hand), rtol=1e-13)


def test_a_layer_without_units_is_refused():
    with pytest.raises(ValueError, match="hidden is 0"):
        network(0)


def test_the_helper_is_the_chapter_s_own(chapter):
    torch.manual_seed(5)
    ours = network(3)
    torch.manual_seed(5)
    theirs = chapter["network"](3)
    assert repr(ours) == repr(theirs)
    for (name, p), (other, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert name == other and torch.equal(p, q)


def test_the_model_that_was_trained_is_measured(chapter):
    history, x, y = chapter["history"], chapter["x"], chapter["y"]
    losses = chapter["losses_of"](chapter["model"], history)
    for part, measured in zip((chapter["training"], chapter["validation"]), losses, strict=True):
        assert measured == pytest.approx(mse(chapter["model"](x[part]), y[part]).item())


def test_another_model_is_caught(chapter):
    with pytest.raises(ValueError, match="trained to"):
        chapter["losses_of"](chapter["unnamed"], chapter["history"])


def test_another_model_that_was_trained_as_long_is_caught(chapter):
    u, c = tensors(torch.float64)
    x, y = (u / 10).unsqueeze(1), c.unsqueeze(1)
    torch.manual_seed(4)
    other = network()
    rows, kept_back = split(11, 14322024)
    train(other, torch.optim.SGD(other.parameters(), lr=1e-3), x[rows], y[rows], 1000)
    with pytest.raises(ValueError, match="trained to"):
        chapter["losses_of"](other, chapter["history"])


def test_the_chapter_measures_through_the_guard():
    sources = "\n".join(cell.source for cell in Notebook.read(NOTEBOOK).code)
    assert all(sources.count(line) == 1 for line in GUARDED)
