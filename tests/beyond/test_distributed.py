"""Two processes under torchrun: the same parameters as one, also when one of them is killed on the way."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
import torch

from helpers import data
from helpers.beyond import distributed
from helpers.beyond.tsqr import tsqr
from helpers.loss import mse
from helpers.model import network
from helpers.scoreboard import digits


def standardised(df):
    u, c = (torch.tensor(df[name].to_numpy()).unsqueeze(1) for name in ("u", "c"))
    return (u - u.mean()) / u.std(correction=0), c


def least_squares(x, c, weights=None):
    """Slope and intercept of the line, each row counted so many times."""
    root = torch.ones(len(x), 1, dtype=torch.float64) if weights is None else weights.sqrt().unsqueeze(1)
    intercept, slope = tsqr([(root * torch.cat([torch.ones_like(x), x], dim=1), (root * c).squeeze(1))]).coefficients()
    return slope.item(), intercept.item()


def processes_that_name(folder: Path) -> list[str]:
    """The command lines of running processes in which the folder occurs; none on a system without /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        found += [command] if str(folder) in command else []
    return found


@pytest.fixture(scope="module")
def survived(tmp_path_factory):
    """The chapter's run: two processes, one of which is killed in epoch 25 and started again.

    Its folder has a name that a file's address would have to rewrite.
    """
    folder = tmp_path_factory.mktemp("Läufe 100 % run")
    readings = {"eleven": standardised(data.thermometers()), "logger": standardised(data.logger())}
    torch.save(readings, folder / "readings.pt")
    return folder, distributed.launch(folder, "--kill", "1", "25"), readings


def test_a_killed_run_goes_on_from_its_checkpoint(survived):
    _, lines, _ = survived
    assert lines == [
        "start 1: 2 processes",
        "start 1: lines fitted",
        "start 1: training begins",
        "start 1: checkpoint after epoch 10",
        "start 1: checkpoint after epoch 20",
        "start 1: process 1 is killed in epoch 25",
        "start 2: 2 processes",
        "start 2: training goes on after epoch 20",
        "start 2: checkpoint after epoch 30",
        "start 2: network trained",
    ]


def test_it_ends_with_the_parameters_of_one_process_that_nothing_happened_to(survived):
    folder, _, readings = survived
    model, optimizer, generator = distributed.fresh_network()
    for epoch in range(1, distributed.EPOCHS + 1):
        distributed.train_on_batches(model, optimizer, generator, *readings["logger"], epoch)
    found = torch.load(folder / "network.pt", weights_only=True)
    for name, expected in model.state_dict().items():
        # the sum over a batch is taken in two halves; 240 steps carry such roundings along
        torch.testing.assert_close(found[name], expected, rtol=1e-10, atol=1e-12)


def test_lines_by_two_processes(survived):
    folder, _, readings = survived
    lines = torch.load(folder / "lines.pt", weights_only=True)
    x, c = readings["eleven"]
    ones = torch.ones(11, dtype=torch.float64)
    first_twice, second_share = ones.clone(), ones.clone()
    first_twice[0] = 2
    second_share[6:] = 6 / 5
    expected = {
        "as dealt": least_squares(x, c, second_share),
        "padded": least_squares(x, c, first_twice),
        "weighted": least_squares(x, c),
    }
    for way, line in expected.items():
        assert digits(lines["eleven", way], line) > 12, way
        assert digits(lines["logger", way], least_squares(*readings["logger"])) > 12, way
    assert digits(lines["eleven", "as dealt"], expected["weighted"]) < 3
    assert digits(lines["eleven", "padded"], expected["weighted"]) < 3


def test_all_processes_are_gone(survived):
    folder, _, _ = survived
    assert processes_that_name(folder) == []


@pytest.mark.parametrize(("n", "workers"), [(11, 2), (11, 3), (10, 2), (1, 1), (3, 5)])
def test_every_row_is_dealt_to_one_process(n, workers):
    shares = [distributed.my_rows(n, rank, workers) for rank in range(workers)]
    assert torch.cat(shares).tolist() == list(range(n))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_the_average_of_weighted_shares_is_the_whole():
    u, c = data.tensors(torch.float64)
    shares = [distributed.my_rows(11, rank, 3) for rank in range(3)]
    losses = [distributed.share_weight(len(rows), 11, 3) * mse(u[rows], c[rows]) for rows in shares]
    assert sum(losses).item() / 3 == pytest.approx(mse(u, c).item(), rel=1e-14)


def trained(epochs):
    """A network after some epochs on the logger's first 256 readings."""
    x, c = (column[:256] for column in standardised(data.logger()))
    parts = distributed.fresh_network()
    for epoch in range(1, epochs + 1):
        distributed.train_on_batches(*parts, x, c, epoch)
    return parts, (x, c)


def test_a_checkpoint_holds_all_that_training_needs(tmp_path):
    parts, (x, c) = trained(epochs=3)
    distributed.save_checkpoint(tmp_path / "checkpoint.pt", 3, *parts)
    resumed = distributed.fresh_network()
    assert distributed.load_checkpoint(tmp_path / "checkpoint.pt", *resumed) == 3
    for each in (parts, resumed):
        distributed.train_on_batches(*each, x, c, 4)
    for one, other in zip(parts[0].parameters(), resumed[0].parameters(), strict=True):
        assert torch.equal(one, other)


def test_without_a_checkpoint_training_begins_at_the_beginning(tmp_path):
    parts = distributed.fresh_network()
    before = [parameter.clone() for parameter in parts[0].parameters()]
    assert distributed.load_checkpoint(tmp_path / "checkpoint.pt", *parts) == 0
    assert all(torch.equal(p, q) for p, q in zip(before, parts[0].parameters(), strict=True))


def test_a_process_that_dies_while_saving_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    parts = distributed.fresh_network()
    distributed.save_checkpoint(path, 10, *parts)

    def cut_short(state, file):
        file.write(b"half a checkpo")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", cut_short)
    with pytest.raises(KeyboardInterrupt):
        distributed.save_checkpoint(path, 20, *parts)
    assert distributed.load_checkpoint(path, *parts) == 10


def test_unequal_parts_of_a_batch_move_the_parameters_like_the_batch():
    x, c = (column[:128] for column in standardised(data.logger()))

    def after_one_step(rank, workers):
        model = distributed.fresh_network()[0]
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        generator = torch.Generator().manual_seed(0)
        distributed.train_on_batches(model, optimizer, generator, x, c, 1, rank=rank, workers=workers)
        return torch.nn.utils.parameters_to_vector(model.parameters()).detach()

    shares = torch.stack([after_one_step(rank, 3) for rank in range(3)])  # of 43, 43 and 42 rows
    torch.testing.assert_close(shares.mean(dim=0), after_one_step(0, 1), rtol=1e-12, atol=1e-14)


def test_equal_parts_of_a_batch_move_the_parameters_like_the_batch():
    x, c = standardised(data.logger())
    model = network(3)
    gradients = []
    for rows in (range(128), range(64), range(64, 128)):
        model.zero_grad()
        mse(model(x[list(rows)]), c[list(rows)]).backward()
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]))
    torch.testing.assert_close((gradients[1] + gradients[2]) / 2, gradients[0], rtol=1e-12, atol=1e-14)


def test_the_processes_stay_on_this_machine_with_one_thread_each(tmp_path):
    outer = {"RANK": "7", "TORCHELASTIC_RESTART_COUNT": "3", "PET_NNODES": "2", "PATH": "p", "OMP_NUM_THREADS": "8"}
    ours = distributed.environment(tmp_path, outer)
    assert not [name for name in ours if name.startswith(("TORCHELASTIC", "PET"))]
    assert ours["PATH"] == "p" and ours["OMP_NUM_THREADS"] == "1"
    assert ours["PYTHONPATH"] == str(distributed.ROOT)
    if sys.platform == "linux":
        assert ours["GLOO_SOCKET_IFNAME"] == "lo"
    options = distributed.torchrun(tmp_path, 2, 1)
    assert "--rdzv-conf=store_type=file" in options and "--local-addr=127.0.0.1" in options


def test_output_and_errors_of_a_command(tmp_path):
    program = "import os, sys; print('a'); print(os.environ['B']); print('why', file=sys.stderr); sys.exit({})"
    assert distributed.run([sys.executable, "-c", program.format(0)], {"B": "b"}, tmp_path, 30) == ["a", "b"]
    with pytest.raises(RuntimeError, match="exit code 3.*\nwhy"):
        distributed.run([sys.executable, "-c", program.format(3)], {"B": "b"}, tmp_path, 30)


def test_a_command_that_takes_too_long_is_ended(tmp_path):
    began = time.monotonic()
    program = "import os, time; os.write(2, b'waiting for another'); time.sleep(60)"
    with pytest.raises(TimeoutError, match="after 2 s.*\nwaiting for another"):
        distributed.run([sys.executable, "-S", "-c", program, str(tmp_path)], os.environ, tmp_path, 2)
    assert time.monotonic() - began < 20
    assert processes_that_name(tmp_path) == []
