"""Chapter 14: its loop, as its cells have it, runs on another device, keeps its modes, and resumes from checkpoints."""

import copy

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch
from notebook_tools import ROOT, Notebook
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from helpers.loss import mse

matplotlib.use("Agg")
CELLS = [cell.source for cell in Notebook.read(ROOT / "notebooks" / "14_in_batches_on_any_device.ipynb").code]


def until(words: str) -> str:
    """The cells from the first one to the only one with these words, fit for a quick run."""
    (end,) = [number for number, source in enumerate(CELLS) if words in source]
    source = "\n\n".join(CELLS[: end + 1])
    for slow, quick in (("range(EPOCHS)", "range(1)"), ("range(15)", "range(1)"), ("batch_size=8)", "batch_size=100)")):
        source = source.replace(slow, quick)
    return source


def run(source: str, old: str = "", new: str = "") -> dict:
    """The names that the source defines, with one piece of it replaced."""
    assert old in source
    names = {}
    exec(source.replace(old, new) if old else source, names)
    return names


@pytest.fixture
def elsewhere(monkeypatch):
    """The accelerator is the device meta, whose tensors have no numbers; whoever asks for one gets 1."""
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: torch.device("meta"))
    monkeypatch.setattr(Tensor, "item", lambda tensor: 1.0)
    monkeypatch.setattr(torch, "equal", lambda one, other: False)
    monkeypatch.setattr(plt, "show", lambda: None)
    yield
    plt.close("all")


LOOP = until("running_mean.clone()")


def test_the_loop_runs_on_another_device_and_the_table_stays_at_home(elsewhere):
    names = run(LOOP)
    assert {parameter.device.type for parameter in names["by_hand"].parameters()} == {"meta"}
    assert names["training"].x.device.type == "cpu"


def test_the_loop_keeps_its_modes_and_counts_rows():
    """What is measured is the model in use, without a trace in it, and the next epoch trains it again."""
    names = run(until("def new_run"))
    torch.manual_seed(0)
    x, y = torch.randn(12, 2), torch.randn(12, 1)
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
    loader = DataLoader(TensorDataset(x, y), batch_size=5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    names["train_epoch"](model, loader, optimizer, "cpu")
    wanted = mse(copy.deepcopy(model).eval()(x), y).item()
    assert names["evaluate"](model, loader, "cpu") == pytest.approx(wanted, rel=1e-5)
    assert model[1].num_batches_tracked == 3, "how many batches BatchNorm has taken into its means"
    names["train_epoch"](model, loader, optimizer, "cpu")
    assert model[1].num_batches_tracked == 6


(SAVE,) = [number for number, source in enumerate(CELLS) if "def save_checkpoint" in source]
RESUMING = until("by_hand, optimizer") + "\n\n" + "\n\n".join(CELLS[SAVE : SAVE + 3])
RESUMING = RESUMING.replace('("model", "optimizer", "schedule", "generator")', "()")
FORGOTTEN = [
    ('"model": model, ', ""),
    ('"optimizer": optimizer, ', ""),
    (', "schedule": schedule', ""),
    ('loader.generator.set_state(saved["generator"])', "pass"),
]


def test_a_checkpoint_resumes_the_same_run():
    run(RESUMING)


@pytest.mark.parametrize("slip", FORGOTTEN)
def test_a_part_that_the_checkpoint_lacks_is_noticed(slip):
    with pytest.raises(AssertionError):
        run(RESUMING, *slip)
