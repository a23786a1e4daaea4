"""Finding R, and the referee: an R in a process of its own, which `lm()` and `glm()` ask."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers.r import wire

PROGRAM = Path(__file__).with_name("referee.R")
INSTALL = (
    "Run `make lab` in the course's folder: it finds or installs R and an rpy2 that fits it. With conda, "
    "`conda env create -f environment.yml` brings both. Then restart the kernel."
)


class RUnavailable(RuntimeError):
    """R cannot be reached from this Python. The message says why and what to do."""


def switched_off() -> bool:
    """Whether there is to be no R, on purpose: COURSE_WITHOUT_R is anything but unset, empty or "0"."""
    return os.environ.get("COURSE_WITHOUT_R", "") not in ("", "0")


def find_r() -> str:
    """The path of Rscript: that of R_HOME, else the first on the PATH. Raises RUnavailable."""
    if switched_off():
        raise RUnavailable(
            f"R is switched off here: the environment variable COURSE_WITHOUT_R is {os.environ['COURSE_WITHOUT_R']}. "
            "Unset it and restart the kernel."
        )
    home = os.environ.get("R_HOME")
    found = shutil.which("Rscript", path=f"{home}/bin{os.pathsep}{home}/bin/x64" if home else None)
    if home and not (found and Path(home, "library", "base").is_dir()):
        raise RUnavailable(
            f"R_HOME is set to {home!r}, and there is no R in that folder. Unset R_HOME, or set it to what "
            "`R RHOME` prints in a terminal, and restart the kernel."
        )
    if not found:
        raise RUnavailable(f"R is not installed, or not on the PATH. {INSTALL}")
    return found


class Referee:
    """R in a process of its own, for one question at a time."""

    def __init__(self) -> None:
        """Start R, without what would change it: its variables, and the shell's language, locale and time zone.

        Raises RUnavailable, with R's last words, if it does not answer.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("R_", "LC_"))}
        self.owner = os.getpid()
        program = find_r()
        self.folder = tempfile.mkdtemp(prefix="course-r-")  # R, when it is killed, leaves its files
        self.process = subprocess.Popen(
            [program, "--vanilla", str(PROGRAM)],
            env=kept | {"LANGUAGE": "en", "LC_ALL": "C", "TZ": "UTC", "TMPDIR": self.folder},  # C: sorted by code point
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a stop button's signal is for Python alone
        )
        hello = self.ask(wire.texts(["hello"]))
        if hello["kind"] == ["error"]:
            raise RUnavailable(f"R is installed but could not start ({hello['message'][0]}). {INSTALL}")
        self.version = hello["version"][0]

    def ask(self, *request: str) -> dict[str, Any]:
        """R's reply to a request whose parts are encoded already; if R ends instead, an error with its last words.

        A stop button's signal on the way stops R.
        """
        marker = f"{os.urandom(16).hex()}\n".encode("ascii")  # what a formula prints comes before it
        printed = deque(maxlen=3)
        lines = iter(self.process.stdout.readline, b"")
        try:
            with contextlib.suppress(OSError):  # if R has ended, it may have said why
                self.process.stdin.write(marker + f"{wire.HEADER}{wire.vector(request)}".encode("ascii"))
                self.process.stdin.flush()
            # In pieces: a line without an end, read whole, would never let a stop button's signal through.
            while (line := self.process.stdout.readline(2**16)) != marker:
                if not line:
                    raise StopIteration
                printed.append(line.decode(errors="replace"))
            for _ in wire.HEADER.splitlines():
                next(lines)
            names, values = wire.read(lines)
        except StopIteration:
            self.stop()
            words = " ".join("".join(["R ended. ", *printed]).split())
            return {"kind": ["error"], "message": [words], "warnings": []}
        except BaseException:
            self.stop()
            raise
        reply = dict(zip(names, values, strict=True))
        if reply.pop("spent")[0]:
            self.stop()
        return reply

    def stop(self) -> None:
        """End R's process, whatever it does at the moment. A process that was forked off leaves it alone."""
        if self.owner == os.getpid() and not self.process.stdout.closed:
            with contextlib.suppress(OSError), self.process:  # which closes its pipes, and waits
                self.process.kill()
            shutil.rmtree(self.folder, ignore_errors=True)


locks: dict[int, Any] = defaultdict(threading.RLock)  # by process: a fork would wait for a thread that it lacks
running: list[Referee] = []


@contextlib.contextmanager
def referee() -> Iterator[Referee]:
    """The referee of this process, for one thread at a time; started where none runs. Raises RUnavailable."""
    with locks[os.getpid()]:
        if not running or running[0].owner != os.getpid() or running[0].process.poll() is not None:
            stop_referee()
            running.append(Referee())
        yield running[0]


@atexit.register
def stop_referee() -> None:
    """End the referee. The next question starts another one."""
    while running:
        running.pop().stop()
