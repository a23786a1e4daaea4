"""Where the seconds of a chapter go: imports, R's start, drawing. Its kernel imports this before the first cell."""

from __future__ import annotations

import builtins
import functools
import sys
import time
from collections.abc import Callable

seconds = {"imports": 0.0, "r": 0.0, "drawing": 0.0}
running: list[str] = []
WHERE = {  # module, class (or none), function: what it is that takes time there
    ("helpers.r.session", "Referee", "__init__"): "r",  # the R that lm() and glm() ask
    ("helpers.r.cells", None, "start_r"): "r",  # the R within the kernel
    ("matplotlib.figure", "Figure", "draw"): "drawing",
    ("matplotlib.backend_bases", "FigureCanvasBase", "print_figure"): "drawing",
}


def timed(share: str, function: Callable) -> Callable:
    """The function, whose time counts for a share unless it runs within another that is counted."""

    @functools.wraps(function)
    def call(*given, **named):
        if running:
            return function(*given, **named)
        running.append(share)
        began = time.perf_counter()
        try:
            return function(*given, **named)
        finally:
            seconds[share] += time.perf_counter() - began
            running.clear()
            watch_what_came()

    return call


def watch_what_came() -> None:
    """Wrap the functions of WHERE whose modules are loaded by now."""
    for (module, kind, name), share in list(WHERE.items()):
        owner = sys.modules.get(module)
        owner = getattr(owner, kind, None) if kind else owner
        if owner is not None and hasattr(owner, name):
            setattr(owner, name, timed(share, getattr(owner, name)))
            del WHERE[module, kind, name]


builtins.__import__ = timed("imports", builtins.__import__)
