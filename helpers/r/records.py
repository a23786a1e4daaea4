"""R's recorded answers to the course's own fits, for machines without R. `helpers.authoring.records` writes them."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.r.engine import columns_used
from helpers.r.session import RUnavailable

if TYPE_CHECKING:
    import pandas as pd

FILE = Path(__file__).parents[1] / "datasets" / "recorded_r.json"


def without_spaces(formula: str) -> str:
    """The formula without the spaces that mean nothing to R: those outside quotes and backticks."""
    return re.sub(r"""(`[^`]*`|"[^"]*"|'[^']*')|\s+""", lambda match: match[1] or "", formula)


def key_and_order(formula: str, data: pd.DataFrame, tol: float | None = None) -> tuple[str, list[int]]:
    """The name of a fit among the recorded ones, and the order of rows in which it is kept.

    The name tells the formula, the tolerance if it is not R's own and, as a hash, each value of the columns it uses, to
    the last bit. Neither the order of the rows nor their index counts.
    """
    used = columns_used(formula, data)

    def exact(value: object) -> str:
        return float(value).hex() if isinstance(value, (int, float)) else repr(value)

    rows = [tuple(exact(value) for value in row) for row in zip(*(data[name].tolist() for name in used), strict=True)]
    order = sorted(range(len(rows)), key=rows.__getitem__)
    contents = json.dumps([used, [rows[i] for i in order]])
    tolerance = "" if tol is None else f" with tol={float(tol)!r}"
    return f"{without_spaces(formula)} on {hashlib.sha256(contents.encode()).hexdigest()[:16]}{tolerance}", order


def recorded_answer(formula: str, data: pd.DataFrame, tol: float | None, problem: RUnavailable) -> dict[str, Any]:
    """The recorded answer to this call, announced in one printed line, as `Engine.fit` has it.

    Raises RUnavailable if there is none.
    """
    records = json.loads(FILE.read_text(encoding="utf-8"))
    key, order = key_and_order(formula, data, tol)
    fit = records["fits"].get(key)
    if fit is None:
        raise RUnavailable(
            f"{problem} Without R, lm() knows only the course's own fits, and {formula!r} on these data is not one of "
            "them."
        ) from problem.__cause__
    origin = f"recorded, {records['r']}, {records['date']}"
    print(f"R is not available here: this is its recorded answer to {formula!r} ({records['r']}, {records['date']}).")
    place = sorted(range(len(order)), key=order.__getitem__)
    by_row = {name: [fit[name][i] for i in place] for name in ("residuals", "fitted")}
    return {**fit, **by_row, "index": data.index, "r_version": origin, "warnings": []}
