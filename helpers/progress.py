"""Which exercises are solved: the checks keep it in the learner's desk, chapter 00 shows it."""

import contextlib
import json
import os
import tempfile
from pathlib import Path

import pandas as pd

from helpers.check import CHAPTERS

# What marks a folder as a desk (helpers/authoring/desk.py lays it out), and the file there that keeps what is solved.
MARK, KEPT = ".desk.json", "progress.json"


def progress() -> pd.DataFrame:
    """How far you are: for each chapter, how many of its exercises are solved. Outside a desk none is."""
    solved = read_solved(find_desk())
    rows = [(chapter[2:], len(solved & set(names)), len(names)) for chapter, names in CHAPTERS.items()]
    return pd.DataFrame(rows, columns=["chapter", "solved", "of"]).set_index("chapter")


def note_solved(exercise: str) -> None:
    """Keep that an exercise, by its name, is solved; if that can't be written, nothing happens."""
    with contextlib.suppress(Exception):
        desk = find_desk()
        solved = read_solved(desk)
        if desk and exercise and exercise not in solved:
            write_whole(desk / KEPT, json.dumps({"solved": sorted(solved | {exercise})}, indent=1).encode())


def find_desk() -> Path | None:
    """The desk that the working folder is in, or None."""
    try:
        here = Path.cwd()
        return next((folder for folder in (here, *here.parents) if (folder / MARK).is_file()), None)
    except OSError:
        return None


def read_solved(desk: Path | None) -> set[str]:
    """The names of the exercises that are solved: none where the file is missing or isn't what was written."""
    with contextlib.suppress(Exception):
        return {name for name in json.loads((desk / KEPT).read_bytes())["solved"] if isinstance(name, str)}
    return set()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also when two write it at once. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
