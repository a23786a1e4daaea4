"""Chapter 17's scripts, run by torchrun in two processes: the parameters of one, also when one is killed on the way."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import pytest
import torch
from notebook_tools import CHAPTERS, Notebook
from torch import nn

from helpers import data
from helpers.beyond import distributed
from helpers.beyond.tsqr import tsqr
from helpers.loss import mse
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


def scripts() -> dict[str, str]:
    """What the cells of chapter 17 write to files: {name: source}."""
    found = {}
    chapter = Notebook.read(next(path for path in CHAPTERS if path.stem.startswith("17_")))
    for cell in chapter.code:
        if match := re.match(r"%%writefile (-a )?(\S+)\n(.*)", cell.source, re.DOTALL):
            found[match[2]] = (found.get(match[2], "") if match[1] else "") + match[3] + "\n"
    return found


SCRIPTS = scripts()


def folder_with_scripts(tmp_path_factory, name: str) -> Path:
    folder = tmp_path_factory.mktemp(name)
    for script, source in SCRIPTS.items():
        (folder / script).write_text(source, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def survived(tmp_path_factory):
    """The chapter's network, trained by two processes, one of which is killed in epoch 25 and started again.

    Its folder has a name that a file's address would have to rewrite.
    """
    folder = folder_with_scripts(tmp_path_factory, "Läufe 100 % run")
    quakes = torch.tensor(data.quakes()[["lat", "long", "depth"]].to_numpy())
    quakes = (quakes - quakes.mean(dim=0)) / quakes.std(dim=0, correction=0)
    x, y = quakes[:800, :2].clone(), quakes[:800, 2:].clone()
    torch.save((x, y), folder / "quakes.pt")
    return folder, distributed.launch(folder / "network.py", restarts=1), (x, y)


def test_a_killed_run_goes_on_from_its_checkpoint(survived):
    _, lines, _ = survived
    assert lines == [
        "start 1: 2 processes, 0 epochs done",
        "checkpoint after epoch 10",
        "checkpoint after epoch 20",
        "process 1 is killed in epoch 25",
        "start 2: 2 processes, 20 epochs done",
        "checkpoint after epoch 30",
    ]


def test_it_ends_with_the_parameters_of_one_process_that_nothing_happened_to(survived):
    """A forgotten set_epoch deals the rows of every epoch alike; a checkpoint without momentum goes on elsewhere."""
    folder, _, (x, y) = survived
    torch.manual_seed(0)
    alone = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)).double()
    optimizer = torch.optim.SGD(alone.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(1, 31):
        for rows in torch.randperm(800, generator=torch.Generator().manual_seed(epoch)).split(32):
            optimizer.zero_grad()
            mse(alone(x[rows]), y[rows]).backward()
            optimizer.step()
    found = torch.load(folder / "checkpoint.pt", weights_only=True)
    assert found["epoch"] == 30
    for name, expected in alone.state_dict().items():
        # the sum over a batch is taken in two halves; 750 steps carry such roundings along
        torch.testing.assert_close(found["model"][f"module.{name}"], expected, rtol=1e-9, atol=1e-11)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The chapter's lines, fitted by two processes, of which one then waits for the other in vain."""
    folder = folder_with_scripts(tmp_path_factory, "lines")
    x, c = standardised(data.thermometers())
    torch.save((x, c), folder / "eleven.pt")
    return folder, distributed.launch(folder / "line.py"), (x, c)


def test_a_step_that_only_one_process_takes_is_waited_for_in_vain(fitted):
    _, lines, _ = fitted
    assert lines == [
        "rank 0 has written the lines",
        "process 0 gave up in step 6: nobody answered",
        "with Join, process 0 took all its 6 steps",
    ]


def test_lines_by_two_processes(fitted):
    folder, _, (x, c) = fitted
    lines = torch.load(folder / "lines.pt", weights_only=True)
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
        assert digits(lines[way], line) > 12, way
    assert digits(lines["as dealt"], expected["weighted"]) < 3
    assert digits(lines["padded"], expected["weighted"]) < 3


def test_all_processes_are_gone(survived, fitted):
    for folder in (survived[0], fitted[0]):
        assert processes_that_name(folder) == []


def test_a_process_that_dies_while_saving_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = SCRIPTS["network.py"]
    begins = source.index("def save_whole")
    rooms = {"os": os, "torch": torch}
    exec(source[begins : source.index("\n\n", begins)], rooms)  # only this function of the script
    rooms["save_whole"]({"epoch": 10}, "checkpoint.pt")

    def cut_short(state, file):
        file.write(b"half a checkpo")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", cut_short)
    with pytest.raises(KeyboardInterrupt):
        rooms["save_whole"]({"epoch": 20}, "checkpoint.pt")
    assert torch.load("checkpoint.pt", weights_only=True) == {"epoch": 10}


def test_the_processes_stay_on_this_machine_with_one_thread_each(tmp_path):
    outer = {"RANK": "7", "TORCHELASTIC_RESTART_COUNT": "3", "PET_NNODES": "2", "PATH": "p", "OMP_NUM_THREADS": "8"}
    ours = distributed.environment(outer)
    assert not [name for name in ours if name.startswith(("TORCHELASTIC", "PET"))]
    assert ours["PATH"] == "p" and ours["OMP_NUM_THREADS"] == "1"
    if sys.platform == "linux":
        assert ours["GLOO_SOCKET_IFNAME"] == "lo"
    options = distributed.torchrun(tmp_path, 2, 1)
    assert "--rdzv-conf=store_type=file" in options and "--local-addr=127.0.0.1" in options


def test_output_and_errors_of_a_command(tmp_path):
    program = "import os, sys; print('a'); print(os.environ['B']); print('why', file=sys.stderr); sys.exit({})"
    assert distributed.run([sys.executable, "-c", program.format(0)], {"B": "b"}, tmp_path, 30) == ["a", "b"]
    with pytest.raises(RuntimeError, match="exit code 3.*\nwhy"):
        distributed.run([sys.executable, "-c", program.format(3)], {"B": "b"}, tmp_path, 30)


def test_a_mistake_in_a_script_is_shown_and_not_torchruns_way_out(tmp_path):
    script = tmp_path / "mistaken.py"
    script.write_text("import a_module_that_nobody_has\n")
    with pytest.raises(RuntimeError, match="No module named 'a_module_that_nobody_has'") as error:
        distributed.launch(script, workers=1)
    assert "ChildFailedError" not in str(error.value)


def test_a_command_that_takes_too_long_is_ended(tmp_path):
    began = time.monotonic()
    program = "import os, time; os.write(2, b'waiting for another'); time.sleep(60)"
    with pytest.raises(TimeoutError, match="after 2 s.*\nwaiting for another"):
        distributed.run([sys.executable, "-S", "-c", program, str(tmp_path)], os.environ, tmp_path, 2)
    assert time.monotonic() - began < 20
    assert processes_that_name(tmp_path) == []
