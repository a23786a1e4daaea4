"""R's recorded answers to the course's own fits, for machines without R. `helpers.authoring.records` writes them."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.r.session import RUnavailable

if TYPE_CHECKING:
    import pandas as pd

FILE = Path(__file__).parents[1] / "datasets" / "recorded_r.json"
SPACES = re.compile(r"""(`[^`]*`|"[^"]*"|'[^']*')|\s+""")  # those outside quotes and backticks mean nothing to R
NAME = re.compile(r"`((?:[^`\\]|\\.)+)`|((?:[^\W\d_]|\.)[\w.]*)")


def key_and_order(function: str, formula: str, data: pd.DataFrame, **settings: Any) -> tuple[str, list[int]]:
    """The name of a fit among the recorded ones, and the order of rows in which it is kept.

    The name tells the function, the formula, settings that are not R's own and, as a hash, each value of the columns
    it uses, to the last bit. The order of rows and columns does not count, but for a dot's columns; nor does the index.
    """
    names = {quoted or plain for quoted, plain in NAME.findall(formula)}
    used = list(data.columns) if "." in names else sorted(names.intersection(data.columns))

    def exact(value: object) -> str:  # an integer may be beyond every float
        return float(value).hex() if isinstance(value, (int, float)) and abs(value) < 2**1024 else repr(value)

    rows = [tuple(exact(value) for value in row) for row in zip(*(data[name].tolist() for name in used), strict=True)]
    order = sorted(range(len(rows)), key=rows.__getitem__)
    contents = json.dumps([used, [rows[i] for i in order]])
    spaceless = SPACES.sub(lambda match: match[1] or "", formula)
    call = f"{spaceless} on {hashlib.sha256(contents.encode()).hexdigest()[:16]}"
    given = ", ".join(f"{name}={value!r}" for name, value in settings.items() if value is not None)
    return ("" if function == "lm" else f"{function} ") + call + (f" with {given}" if given else ""), order


def recorded_answer(problem: RUnavailable, function: str, formula: str, data: pd.DataFrame, **settings: Any) -> dict:
    """The recorded answer to this call as `engine.fit` has it, announced in a printed line. Raises RUnavailable."""
    records = json.loads(FILE.read_text(encoding="utf-8"))
    key, order = key_and_order(function, formula, data, **settings)
    if (fit := records["fits"].get(key)) is None:
        raise RUnavailable(
            f"{problem} Without R, {function}() knows only the course's own fits, and {formula!r} on these data is not "
            "one of them."
        ) from problem.__cause__
    origin = f"{records['r']}, {records['date']}"
    print(f"R is not available here: this is its recorded answer to {formula!r} ({origin}).")
    place = sorted(range(len(order)), key=order.__getitem__)
    by_row = {name: [fit[name][i] for i in place] for name in ("residuals", "fitted") if name in fit}
    return {**fit, **by_row, "index": data.index, "r_version": f"recorded, {origin}"}
