"""Scaffolding of chapter 17: torchrun starts a script in several processes on this machine, and is over on return.

In a shell, `torchrun --standalone --nproc-per-node=2 --max-restarts=1 SCRIPT` does nearly the same; what `launch` adds
keeps the run to itself and to this machine (see `environment`).
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO


def launch(script: str | Path, *arguments: str, workers: int = 2, restarts: int = 0, seconds: float = 300) -> list[str]:
    """Let torchrun run a script in several processes on this machine, and wait for them.

    script: works in the folder in which it stands; torchrun writes there, too.
    arguments: further words for the script.
    restarts: how often torchrun starts all processes again after one has failed.
    seconds: how long it may take; after that all processes are stopped.

    torchrun keeps its own accounts in a file, and the processes may talk through the loopback interface alone. The
    script decides where they meet; in chapter 17 that is a file, too, so that no port is open to the network.
    Returns the lines that they printed. Raises RuntimeError, with the last words of their errors, if torchrun gives up,
    and TimeoutError, with the same, if it takes too long.
    """
    script = Path(script).resolve()
    meeting = Path(tempfile.mkdtemp(prefix="meeting-", dir=script.parent))
    command = [sys.executable, *torchrun(meeting, workers, restarts), str(script), *arguments]
    return run(command, environment(), script.parent, seconds)


def torchrun(meeting: Path, workers: int, restarts: int) -> list[str]:
    """The part of the command that is torchrun's."""
    fixed = "--rdzv-backend=c10d --rdzv-conf=store_type=file --local-addr=127.0.0.1 --shutdown-timeout=5".split()
    sizes = [f"--nproc-per-node={workers}", f"--max-restarts={restarts}"]
    places = [f"--rdzv-endpoint={meeting / 'torchrun'}", f"--rdzv-id={meeting.name}", f"--log-dir={meeting / 'log'}"]
    return ["-m", "torch.distributed.run", *sizes, *fixed, *places]


def environment(outer: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of the processes: one thread each, nothing of an outer torchrun, no port open to the network."""
    ours = {name: value for name, value in outer.items() if not name.startswith(("TORCHELASTIC_", "PET_"))}
    ours |= {
        "OMP_NUM_THREADS": "1",
        # torchrun would open a store to the network beside the file, and keep the addresses of dead processes in it
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
    }
    loopback = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
    if loopback:
        ours["GLOO_SOCKET_IFNAME"] = loopback[0]
    return ours


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float) -> list[str]:
    """Run a command to its end and return the lines of its output; whatever happens, it is over on return.

    Raises RuntimeError if it fails and TimeoutError if it takes longer than so many seconds.
    """
    with open(folder / "output.txt", "w+") as output, open(folder / "errors.txt", "w+") as errors:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,  # an interrupt of the notebook reaches it in order, through `stop`
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            stop(process)
            raise TimeoutError(
                f"still running after {seconds:g} s, so all processes were stopped. Their last words:\n{end_of(errors)}"
            ) from None
        finally:
            stop(process)
        if process.returncode != 0:
            raise RuntimeError(f"torchrun ended with exit code {process.returncode}. Its last words:\n{end_of(errors)}")
        output.seek(0)
        return output.read().splitlines()


def end_of(errors: TextIO) -> str:
    """The last thirty lines of a file, up to the line in which torchrun says that a process has failed.

    What stands below that line is torchrun's own way out, thirty lines or more; the script's traceback stands above.
    """
    errors.seek(0)
    lines = errors.read().splitlines()
    said = re.compile(r"E\d{4} .*torch/distributed/.*failed \(")
    failures = [number for number, line in enumerate(lines) if said.match(line)]
    return "\n".join(lines[: failures[-1] + 1 if failures else None][-30:])


def stop(process: subprocess.Popen) -> None:
    """End a process that still runs: torchrun ends its workers when it is asked to terminate."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
