"""`%%R` cells: R inside this process, through rpy2, in which a cell's errors, warnings and stops are R's own."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.util
import logging
import os
import signal
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers.r import engine, session
from helpers.r.session import INSTALL, RUnavailable

SETUP = Path(__file__).with_name("cells.R")
# While R and the R programs that rpy2 runs start: no start-up file, R's own packages, no locale (cells.R sets one), and
# nothing else that the shell says to R but where it is and where packages are.
START = {"LC_ALL": "C", **dict.fromkeys(("R_PROFILE", "R_PROFILE_USER", "R_ENVIRON", "R_ENVIRON_USER"), os.devnull)}
# R's start changes where libraries are looked for, and programs that this process starts later would load R's.
UNDONE = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")


class RCellError(RuntimeError):
    """A cell ended with an error. The message, R's own where R ended it, is all that IPython shows."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class RStopped(KeyboardInterrupt):
    """A cell in R was stopped."""

    _render_traceback_ = RCellError._render_traceback_


@functools.cache
def start_r() -> list[Any]:
    """The two functions of cells.R, in an R within this process that the first call starts, without start-up files.

    Raises RUnavailable with the reason and the fix, and a later call tries again; RuntimeError outside the main thread,
    where R within Python would end the whole process.
    """
    if (here := threading.current_thread()) is not threading.main_thread():
        raise RuntimeError(f"R cells run in the main thread only, and this call came from the thread {here.name!r}")
    session.find_r()
    if not (importlib.util.find_spec("rpy2") and importlib.util.find_spec("rpy2.robjects")):
        raise RUnavailable(f"rpy2, which connects Python to R, is not installed in this Python. {INSTALL}")
    loaded = set(sys.modules)
    if not importlib.util.find_spec("_rinterface_cffi_api"):
        os.environ.setdefault("RPY2_CFFI_MODE", "ABI")
    os.environ["LANGUAGE"] = "en"  # R's messages and printouts in the language of the course
    try:
        with undisturbed_start():
            from rpy2.rinterface_lib import embedded

            if not embedded.isinitialized():
                embedded.set_initoptions(("rpy2", "--quiet", "--vanilla"))
            from rpy2 import rinterface

            rinterface.initr(_c_stack_limit=0)  # R's own limit, where rpy2 has none: endless recursion is an error
            importlib.import_module("rpy2.robjects")
            return list(rinterface.evalr(SETUP.read_text(encoding="ascii")))
    except Exception as problem:
        for name in set(sys.modules) - loaded:
            if name.split(".")[0] in ("rpy2", "_rinterface_cffi_abi", "_rinterface_cffi_api"):
                del sys.modules[name]
        raise RUnavailable(why_not_started(problem)) from problem


@contextlib.contextmanager
def undisturbed_start() -> Iterator[None]:
    """The environment of a start of R, without rpy2's log of its search on the screen.

    An interrupt (Ctrl-C, the stop button) waits for the end of the block: half a start of R cannot be mended.
    """
    pending: list[tuple] = []
    usual = signal.signal(signal.SIGINT, lambda *details: pending.append(details))
    foreign = [name for name in os.environ if name.startswith("R_") and not name.startswith(("R_HOME", "R_LIBS"))]
    # R takes $TMPDIR even where it is full, Python looks further.
    changed = {**dict.fromkeys(foreign), **START, "TMPDIR": tempfile.gettempdir()}
    before = {name: os.environ.get(name) for name in (*changed, *UNDONE)}
    set_variables(changed)
    logger = logging.getLogger("rpy2")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
        set_variables(before)
        signal.signal(signal.SIGINT, usual or signal.SIG_DFL)
        if pending and callable(usual):
            usual(*pending[0])


def set_variables(values: dict[str, str | None]) -> None:
    """Give environment variables these values; None removes one."""
    for name in values:
        os.environ.pop(name, None)
    os.environ.update({name: value for name, value in values.items() if value is not None})


def why_not_started(problem: Exception) -> str:
    """The message for an rpy2 that is there and fails to load R."""
    words = " ".join(str(problem).split())
    if "symbol" in words.lower():
        return (
            f"rpy2 does not fit this R: rpy2-rinterface {importlib.metadata.version('rpy2-rinterface')} asks for "
            f"something that this R does not have ({words}). rpy2-rinterface 3.6.6 and later need R 4.5 or later; "
            f"3.6.5 also fits R 4.2 to 4.4. {INSTALL}"
        )
    if isinstance(problem, StopIteration):
        words = f"R could not write a file into {tempfile.gettempdir()}: is that folder full?"
    return f"rpy2 is installed but could not start R ({type(problem).__name__}: {words}). {INSTALL}"


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let an interrupt reach R within the block, at the next place where R looks for one, and raise RStopped then.

    Python notices a signal only between its own steps, and there are none while R runs. But the signal's number is
    written to a pipe at once, and a thread at the other end tells R; and sends the signal again, which ends a sleep.
    """
    from rpy2.rinterface_lib.openrlib import rlib

    stopped, over = threading.Event(), threading.Event()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def tell_r() -> None:
        while signal.SIGINT not in os.read(reading, 1) and not over.is_set():
            pass
        while not over.wait(0.05):
            stopped.set()
            rlib.R_interrupts_pending = 1
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=tell_r, daemon=True)
    usual = signal.signal(signal.SIGINT, lambda *details: stopped.set())
    outer = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    thread.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(outer)
        os.write(writing, b"\0")
        thread.join()
        rlib.R_interrupts_pending = 0
        signal.signal(signal.SIGINT, usual or signal.SIG_DFL)
        os.close(reading)
        os.close(writing)
    if stopped.is_set():
        raise RStopped("R was stopped")


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext helpers.r`: make `%%R` cells work, or say what is missing where there is no R."""
    try:
        functions = start_r()
    except RUnavailable as problem:
        reason = textwrap.fill(f"This cell is written in R and was not run. {problem}", width=100)
        ipython.register_magic_function(lambda line, cell=None: print(reason), magic_kind="line_cell", magic_name="R")
    else:
        ipython.register_magics(make_magics(*functions)(ipython, converter=make_converter()))


def make_converter() -> Any:
    """rpy2's conversion of what a cell is handed and hands out, without what rpy2 alters in silence.

    In: see prepared(); tensors are arrays. Out: rpy2 makes -2147483648 of an integer's NA; here integers with NA become
    floats with NaN, and logical values with NA an array of True, False and None. NULL and None are each other.
    """
    import numpy as np
    import pandas as pd
    from rpy2 import rinterface
    from rpy2.ipython import rmagic
    from rpy2.robjects import conversion

    def integers(values: Any) -> Any:
        array = np.array(values)
        missing = array == -(2**31)
        return np.where(missing, np.nan, array) if missing.any() else array

    def logicals(values: Any) -> Any:
        return np.array([None if value is rinterface.NA_Logical else bool(value) for value in values])

    usual = rmagic.default.converter
    ours = conversion.Converter("missing values", template=usual)
    ours.py2rpy.register(  # tensors, among others, of which rpy2 makes arrays that it then doesn't know
        object, lambda value: ours.py2rpy(np.asarray(value)) if hasattr(value, "__array__") else usual.py2rpy(value)
    )
    for kind in (int, str, np.integer, np.generic, np.ndarray, pd.Series, pd.Index, pd.Categorical, pd.DataFrame):
        ours.py2rpy.register(kind, lambda value: usual.py2rpy(prepared(value)))
    factors = ours.rpy2py_nc_map[rinterface.IntSexpVector]
    ours.rpy2py_nc_map[rinterface.IntSexpVector] = conversion.NameClassMap(integers, dict(factors._map))
    ours.rpy2py.register(rinterface.BoolSexpVector, logicals)
    ours.rpy2py.register(type(rinterface.NULL), lambda value: None)
    return ours


def prepared(value: Any, what: str = "the value") -> Any:
    """A value as rpy2 hands it to R unaltered: integers that R has only as floats are floats.

    Raises ValueError for what rpy2 would alter: text or a number that R cannot hold, and two columns of one name.
    """
    import numpy as np
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        if not value.columns.is_unique:
            raise ValueError(f"two columns are named {value.columns[value.columns.duplicated()][0]!r}")
        value = value.copy(deep=False)
        for place, name in enumerate(value):
            engine.check_text(str(name), "the column name")
            value.isetitem(place, prepared(value.iloc[:, place], f"column {name!r}"))
        return value
    if np.ma.is_masked(value):
        raise ValueError(f"{what} is masked in places: fill them first, as with numpy.ma.filled")
    if isinstance(value, (np.generic, np.ndarray)) and not value.ndim:
        value = value.item()
    kind = getattr(value, "dtype", None)
    if kind in ("float64", "float32", "float16") or getattr(kind, "names", None):  # a record's parts come in turn
        return value
    try:
        code = engine.encoded(what, pd.Series(value.ravel() if isinstance(value, np.ndarray) else value))
    except TypeError:  # it may be a kind that lm() is not given, and that rpy2 knows
        return value
    number = {"13": "Int32", "14": "Float64"}.get(code[:2])
    if number and kind:
        return value.astype(number if isinstance(value, pd.Series) else number.lower())
    return float(value) if number == "Float64" else value


def make_magics(run: Any, show: Any) -> Any:
    """rpy2's R magics, with cells that the functions of cells.R run and show."""
    from rpy2 import rinterface
    from rpy2.ipython import rmagic
    from rpy2.rinterface_lib import callbacks

    def in_r(function: Any, argument: Any) -> Any:
        """What a function of R's makes of its argument, with what it writes and says shown at once."""
        write = functools.partial(print, end="", file=sys.stderr, flush=True)
        with callbacks.replace_in_module(callbacks, "consolewrite_warnerror", write), stoppable():
            ending, *made = function(argument)
        if ending[0]:
            raise RStopped("R was stopped") if ending[0] == "stopped" else RCellError(str(ending[0]))
        return made

    class Magics(rmagic.RMagics):
        def _import_name_into_r(self, argument: str, environment: Any, names: dict) -> None:
            name, found = argument.partition("=")[0], {}
            try:
                super()._import_name_into_r(argument, found, names)  # it finds nothing where Python has None
                environment[name] = found.get(name, rinterface.NULL)
            except Exception as problem:
                raise RCellError(f"Error: R cannot be given {argument}: {problem}") from problem

        @functools.wraps(rmagic.RMagics.R)
        def R(self, line: str, cell: str | None = None, local_ns: dict | None = None) -> Any:
            try:
                return super().R(line, cell, local_ns)
            except KeyError as problem:  # of a name after -o
                raise RCellError(f"Error: R has nothing to hand out: {problem.args[0]}") from problem

        def eval(self, code: str) -> tuple[str, Any, bool]:
            """The text that is left to print (none), the value of the code, and whether R would show it."""
            value, visible = in_r(run, rinterface.StrSexpVector([code]))
            return "", value, visible[0]

    rmagic.CELL_DISPLAY_DEFAULT = lambda value, arguments: in_r(show, value)
    return Magics
