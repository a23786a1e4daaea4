"""How torchrun is started and ended in chapter 17, which itself compares what its scripts find with one process."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import pytest
import torch
from notebook_tools import CHAPTERS, Notebook

from helpers.beyond import distributed


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


# In the place of network.py, which the chapter runs and compares with one process: no more than to meet.
SUM_OF_RANKS = """
import os

import torch
import torch.distributed as dist
from meet import meet

rank, workers = meet()
start = int(os.environ["TORCHELASTIC_RESTART_COUNT"]) + 1
if start == 1 and rank == 1:
    os.kill(os.getpid(), 9)
total = torch.tensor([rank + 1])
dist.all_reduce(total)
# In one piece: torchrun's processes write at once, and a line's end would be a second piece.
print(f"start {start}: process {rank} of {workers} knows the sum {total.item()}\\n", end="", flush=True)
dist.destroy_process_group()
"""


def test_processes_meet_again_after_one_was_killed_and_are_gone_at_the_end(tmp_path):
    folder = tmp_path / "Läufe 100 % run"  # a name that a file's address would have to rewrite
    folder.mkdir()
    for name, source in {**SCRIPTS, "sum.py": SUM_OF_RANKS}.items():
        (folder / name).write_text(source, encoding="utf-8")
    lines = distributed.launch(folder / "sum.py", restarts=1)
    assert sorted(lines) == [f"start 2: process {rank} of 2 knows the sum 3" for rank in (0, 1)]
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
    with pytest.raises(TimeoutError, match="after 1 s.*\nwaiting for another"):
        distributed.run([sys.executable, "-S", "-c", program, str(tmp_path)], os.environ, tmp_path, 1)
    assert time.monotonic() - began < 20
    assert processes_that_name(tmp_path) == []
