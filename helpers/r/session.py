"""R inside this process, through rpy2: finding it, starting it once and quietly, and saying what is missing."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.util
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from helpers.r.engine import Engine

INSTALL = (
    "Run `make lab` in the course's folder: it finds or installs R and an rpy2 that fits it. With conda, "
    "`conda env create -f environment.yml` brings both. Then restart the kernel."
)


class RUnavailable(RuntimeError):
    """R cannot be reached from this Python. The message says why and what to do."""


def check_thread() -> None:
    """Raise RuntimeError outside the main thread: R in another thread ends the whole process."""
    here = threading.current_thread()
    if here is not threading.main_thread():
        raise RuntimeError(
            f"R runs in the main thread only, and this call came from the thread {here.name!r}. "
            "Call lm() in a notebook cell or in the program itself, and hand its result to the thread."
        )


def start_r() -> Engine:
    """R in this process, started by the first call.

    Raises RUnavailable with the reason and the fix, and a later call tries again; RuntimeError outside the main thread.
    """
    check_thread()
    return start_once()


@functools.cache
def start_once() -> Engine:
    """Start R in this process. Raises RUnavailable."""
    look_for_r()
    loaded = set(sys.modules)
    if not importlib.util.find_spec("_rinterface_cffi_api"):
        os.environ.setdefault("RPY2_CFFI_MODE", "ABI")
    os.environ.setdefault("LANGUAGE", "en")  # R's messages and printouts in the language of the course
    try:
        with interrupt_later(), quiet_start(), same_search_paths():
            load_rpy2()
            return Engine()
    except Exception as problem:
        for name in set(sys.modules) - loaded:
            if name.split(".")[0] in ("rpy2", "_rinterface_cffi_abi", "_rinterface_cffi_api"):
                del sys.modules[name]
        raise RUnavailable(why_not_started(problem)) from problem


def load_rpy2() -> None:
    """Import rpy2, which starts R. R ignores the user's .Rprofile and any saved workspace in the current folder."""
    from rpy2.rinterface_lib import embedded

    if not embedded.isinitialized():
        embedded.set_initoptions(("rpy2", "--quiet", "--no-save", "--no-restore", "--no-init-file"))
    import rpy2.robjects  # noqa: F401


@contextlib.contextmanager
def interrupt_later() -> Iterator[None]:
    """Let an interrupt (Ctrl-C, the stop button) wait for the end of the block: half a start of R cannot be mended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[tuple] = []
    usual = signal.signal(signal.SIGINT, lambda *details: pending.append(details))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual or signal.SIG_DFL)
        if pending and callable(usual):
            usual(*pending[0])


@contextlib.contextmanager
def same_search_paths() -> Iterator[None]:
    """Undo what R's start does to the paths of shared libraries in the environment.

    R has its libraries by then. Programs that this process starts later, such as another Python, would load the
    system's libraries instead of their own, and fail.
    """
    names = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keep off the screen what rpy2 logs about its search for R, and what R says of locales before rpy2 listens to it.

    Both write past sys.stdout, so the file descriptors 1 and 2 lead nowhere within the block. If the start fails, its
    exception has the reason.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    saved = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    logger = logging.getLogger("rpy2")
    handler, propagate = logging.NullHandler(), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        for descriptor, _ in saved:
            os.dup2(nowhere, descriptor)
        yield
    finally:
        for descriptor, copy in saved:
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(nowhere)
        logger.propagate = propagate
        logger.removeHandler(handler)


def switched_off() -> bool:
    """Whether there is to be no R, on purpose: COURSE_WITHOUT_R is anything but unset, empty or "0"."""
    return os.environ.get("COURSE_WITHOUT_R", "") not in ("", "0")


def look_for_r() -> None:
    """Raise RUnavailable if R cannot be there. A wrong R_HOME is found here: R itself would end the process over it."""
    if switched_off():
        raise RUnavailable(
            "R is switched off here: the environment variable COURSE_WITHOUT_R is "
            f"{os.environ['COURSE_WITHOUT_R']}. Unset it and restart the kernel."
        )
    if not (importlib.util.find_spec("rpy2") and importlib.util.find_spec("rpy2.robjects")):
        raise RUnavailable(f"rpy2, which connects Python to R, is not installed in this Python. {INSTALL}")
    home = os.environ.get("R_HOME")
    if home:
        programs = ("bin/R", "bin/R.exe", "bin/x64/R.exe")
        if not any((Path(home) / program).is_file() for program in programs):
            raise RUnavailable(
                f"R_HOME is set to {home!r}, and there is no R in that folder. Unset R_HOME, or set it to what "
                "`R RHOME` prints in a terminal, and restart the kernel."
            )
    elif os.name != "nt" and not shutil.which("R"):
        raise RUnavailable(f"R is not installed, or not on the PATH. {INSTALL}")


def why_not_started(problem: Exception) -> str:
    """The message for an rpy2 that is there and fails to load R."""
    words = " ".join(str(problem).split())
    if "symbol" in words.lower():
        return (
            f"rpy2 does not fit this R: rpy2-rinterface {package_version('rpy2-rinterface')} asks for something that "
            f"this R does not have ({words}). rpy2-rinterface 3.6.6 and later need R 4.5 or later; 3.6.5 also fits "
            f"R 4.2 to 4.4. {INSTALL}"
        )
    return f"rpy2 is installed but could not start R ({type(problem).__name__}: {words}). {INSTALL}"


def package_version(name: str) -> str:
    """The installed version of a Python package, or "of unknown version"."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"
