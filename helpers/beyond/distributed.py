"""The course's `train()` in several processes that torchrun starts, and a training run that survives their death.

What passes between the processes is torch.distributed's business; this module only deals out rows, calls `train`, and
keeps checkpoints. Taught in chapter 17, which calls `launch`. In a shell, from the course's folder,
`TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 torchrun --standalone --nproc-per-node=2 --max-restarts=1
-m helpers.beyond.distributed FOLDER` does the same; without its first word the second start usually fails (see
`environment`).
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.utils.data import DistributedSampler

from helpers.loss import mse
from helpers.model import network
from helpers.training import train

ROOT = Path(__file__).resolve().parents[2]
MEETING = "COURSE_MEETING"  # the environment variable that names the folder where the processes of one machine meet
PATIENCE = timedelta(seconds=60)  # a process that waits longer than this for another one gives up
EPOCHS, EPOCHS_BETWEEN_CHECKPOINTS = 30, 10


def my_rows(n: int, rank: int, workers: int) -> Tensor:
    """The row numbers of one of several processes: n rows in a row, the first processes one more if need be.

    rank: which process, counted from 0. The shares of all processes together hold each row once.
    """
    return torch.arange(n).tensor_split(workers)[rank]


def share_weight(rows: int, n: int, workers: int) -> float:
    """What a process with so many of the n rows multiplies its mean loss by, so that the workers' average is the whole.

    The average of `rows * workers / n` times the mean over each process's rows is the mean over all n rows.
    """
    return rows * workers / n


def weighted_mse(weight: float) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of a process whose mean squared error is multiplied by a weight. Taught in chapter 17."""

    def loss(prediction: Tensor, target: Tensor) -> Tensor:
        return weight * mse(prediction, target)

    return loss


def fit_line(x: Tensor, c: Tensor, rows: Sequence[int] | Tensor, weight: float = 1.0) -> tuple[float, float]:
    """Fit a line in step with the other processes, by `train` on this process's rows; return slope and intercept.

    x, c: all rows, shape (n, 1), with x standardised; rows: the row numbers of this process.
    weight: what this process's mean squared error is multiplied by.
    Taught in chapter 17.
    """
    model = DistributedDataParallel(nn.Linear(1, 1).double())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.4)
    train(model, optimizer, x[rows], c[rows], epochs=60, loss=weighted_mse(weight))
    return model.module.weight.item(), model.module.bias.item()


def train_on_batches(
    model: nn.Module,
    optimizer: Optimizer,
    generator: torch.Generator,
    x: Tensor,
    c: Tensor,
    epoch: int,
    *,
    rank: int = 0,
    workers: int = 1,
    before_step: Callable[[int, int], None] = lambda epoch, step: None,
) -> None:
    """Train for one epoch on shuffled batches of 128 rows, of which each process takes a share, weighted by its size.

    The shares may be unequal, but each process needs a row of each batch: `train` refuses an empty share.
    generator: draws the order of the rows, the same one in every process.
    before_step: called with the numbers of epoch and step before each step.
    """
    order = torch.randperm(len(x), generator=generator)
    for step, batch in enumerate(order.split(128), start=1):
        before_step(epoch, step)
        mine = batch.tensor_split(workers)[rank]
        loss = weighted_mse(share_weight(len(mine), len(batch), workers))
        train(model, optimizer, x[mine], c[mine], epochs=1, loss=loss)


def save_checkpoint(path: Path, epoch: int, model: nn.Module, optimizer: Optimizer, generator: torch.Generator) -> None:
    """Write all that training needs to go on after this epoch; whoever reads `path` finds it whole, or the one before.

    Taught in chapter 17.
    """
    state = {
        "epoch": epoch,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "generator": generator.get_state(),
    }
    save_whole(state, path)


def save_whole(state: object, path: Path) -> None:
    """Write a file with torch.save; whoever reads `path` finds all of it, or what was there before.

    Taught in chapter 17.
    """
    unfinished = path.with_suffix(".unfinished")
    with open(unfinished, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def load_checkpoint(path: Path, model: nn.Module, optimizer: Optimizer, generator: torch.Generator) -> int:
    """Put model, optimizer and generator into the state that was saved; return how many epochs are done.

    Without a file at `path` nothing changes, and 0 epochs are done. Taught in chapter 17.
    """
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    generator.set_state(state["generator"])
    return state["epoch"]


def run_line(folder: Path, rank: int, workers: int) -> None:
    """Fit lines to the readings in `readings.pt`, their rows dealt out in three ways; write them to `lines.pt`."""
    lines = {}
    for name, (x, c) in torch.load(folder / "readings.pt", weights_only=True).items():
        n = len(x)
        rows = my_rows(n, rank, workers)
        padded = list(DistributedSampler(range(n), workers, rank, shuffle=False))
        lines[name, "as dealt"] = fit_line(x, c, rows)
        lines[name, "padded"] = fit_line(x, c, padded)
        lines[name, "weighted"] = fit_line(x, c, rows, weight=share_weight(len(rows), n, workers))
    if rank == 0:
        save_whole(lines, folder / "lines.pt")


def run_network(
    folder: Path, rank: int, workers: int, before_step: Callable[[int, int], None], report: Callable[[str], None]
) -> None:
    """Train a network on the logger's readings in `readings.pt`, from the last checkpoint on; write `network.pt`."""
    x, c = torch.load(folder / "readings.pt", weights_only=True)["logger"]
    checkpoint = folder / "checkpoint.pt"
    model, optimizer, generator = fresh_network()
    done = load_checkpoint(checkpoint, model, optimizer, generator)
    report(f"training goes on after epoch {done}" if done else "training begins")
    parallel = DistributedDataParallel(model)
    for epoch in range(done + 1, EPOCHS + 1):
        train_on_batches(
            parallel, optimizer, generator, x, c, epoch, rank=rank, workers=workers, before_step=before_step
        )
        if epoch % EPOCHS_BETWEEN_CHECKPOINTS == 0 and rank == 0:
            save_checkpoint(checkpoint, epoch, model, optimizer, generator)
            report(f"checkpoint after epoch {epoch}")
    if rank == 0:
        save_whole(model.state_dict(), folder / "network.pt")


def fresh_network() -> tuple[nn.Module, Optimizer, torch.Generator]:
    """A network of 13 hidden units, an optimizer with momentum, and the generator of the row order, seeded."""
    torch.manual_seed(14)
    model = network(13)
    return model, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), torch.Generator().manual_seed(14)


def join() -> tuple[int, int]:
    """Join the other processes; return this process's rank and how many there are.

    torchrun says in environment variables who and where they are. With COURSE_MEETING they meet in a file instead.
    """
    rank, workers = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    folder = os.environ.get(MEETING)
    if folder:
        store = dist.FileStore(str(Path(folder) / f"start-{starts()}"), workers)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=workers, timeout=PATIENCE)
    else:
        dist.init_process_group("gloo", timeout=PATIENCE)
    return rank, workers


def starts() -> int:
    """How many times torchrun has started the processes, this time included."""
    return int(os.environ["TORCHELASTIC_RESTART_COUNT"]) + 1


def work(folder: Path, doomed: Sequence[int] | None) -> None:
    """One process's part: join the others, fit the lines, train the network.

    doomed: rank and epoch of the process that is killed, in the first start, before that epoch's fourth step; or None.
    """
    rank, workers = join()

    def report(text: str, always: bool = False) -> None:
        if rank == 0 or always:
            print(f"start {starts()}: {text}", flush=True)

    def die(epoch: int, step: int) -> None:
        if doomed and starts() == 1 and (rank, epoch, step) == (*doomed, 4):
            report(f"process {rank} is killed in epoch {epoch}", always=True)
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    report(f"{workers} processes")
    if not (folder / "lines.pt").exists():
        run_line(folder, rank, workers)
        report("lines fitted")
    run_network(folder, rank, workers, before_step=die, report=report)
    report("network trained")
    dist.destroy_process_group()


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m helpers.beyond.distributed FOLDER [--kill RANK EPOCH]`, as torchrun calls it in each process."""
    parser = argparse.ArgumentParser(description="Fit lines and train a network in step with other processes.")
    parser.add_argument("folder", type=Path, help="where readings.pt is, and where results and checkpoints go")
    parser.add_argument("--kill", type=int, nargs=2, metavar=("RANK", "EPOCH"), help="which process dies, and when")
    options = parser.parse_args(arguments)
    work(options.folder, options.kill)
    gc.freeze()  # spares Python the search for garbage among torch's modules on its way out


def launch(folder: str | Path, *arguments: str, workers: int = 2, restarts: int = 1, seconds: float = 300) -> list[str]:
    """Let torchrun start this module in several processes on this machine, and wait for them.

    folder: holds `readings.pt`; gets `lines.pt`, `network.pt` and what torchrun writes.
    arguments: further ones for `main`, such as "--kill", "1", "25".
    restarts: how often torchrun starts all processes again after one has failed.
    seconds: how long it may take; after that all processes are stopped.

    The processes meet in a file and talk through the loopback interface alone: no port is open to the network.
    Returns the lines that they printed. Raises RuntimeError, with the last words of their errors, if torchrun gives up,
    and TimeoutError, with the same, if it takes too long.
    """
    folder = Path(folder).resolve()
    meeting = Path(tempfile.mkdtemp(prefix="meeting-", dir=folder))
    command = [sys.executable, *torchrun(meeting, workers, restarts), "-m", __name__, str(folder), *arguments]
    return run(command, environment(meeting), folder, seconds)


def torchrun(meeting: Path, workers: int, restarts: int) -> list[str]:
    """The part of the command that is torchrun's."""
    fixed = "--rdzv-backend=c10d --rdzv-conf=store_type=file --local-addr=127.0.0.1 --shutdown-timeout=5".split()
    sizes = [f"--nproc-per-node={workers}", f"--max-restarts={restarts}"]
    places = [f"--rdzv-endpoint={meeting / 'torchrun'}", f"--rdzv-id={meeting.name}", f"--log-dir={meeting / 'log'}"]
    return ["-m", "torch.distributed.run", *sizes, *fixed, *places]


def environment(meeting: Path, outer: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of the processes: one thread each, this course's helpers, no port open to the network."""
    ours = {name: value for name, value in outer.items() if not name.startswith(("TORCHELASTIC_", "PET_"))}
    ours |= {
        MEETING: str(meeting),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), outer.get("PYTHONPATH")])),
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
    """The last thirty lines of a file."""
    errors.seek(0)
    return "\n".join(errors.read().splitlines()[-30:])


def stop(process: subprocess.Popen) -> None:
    """End a process that still runs: torchrun ends its workers when it is asked to terminate."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
