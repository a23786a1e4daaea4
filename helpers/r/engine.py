"""What R is asked and how it answers: arguments and data that R can hold exactly, and R's reply as plain Python."""

from __future__ import annotations

import contextlib
import math
import sys
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from helpers.r import session, wire

if TYPE_CHECKING:
    import pandas as pd

VECTORS = {"terms", "table", "columns", "interval", "residuals", "fitted", "warnings"}  # in a reply; the rest is single
FAMILIES = ("binomial", "poisson", "gaussian", "Gamma")
SMALLEST, LARGEST = -(2**31) + 1, 2**31 - 1  # of R's integers; the one below is its NA


def check_arguments(formula: object, data: object, **settings: object) -> None:
    """Raise TypeError or ValueError, naming the value, for what can be seen to be wrong without R."""
    import pandas as pd

    if not isinstance(formula, str):
        raise TypeError(f'the formula is text, such as "c ~ u"; got {type(formula).__name__} {formula!r:.60}')
    check_text(formula, "the formula")
    if not isinstance(data, pd.DataFrame):
        raise TypeError(f"data is a pandas DataFrame with one row for each observation; got {type(data).__name__}")
    for name in data.columns:
        if not isinstance(name, str) or not name:
            remedy = "Rename it: data.rename(columns={" + f"{name!r}: 'a_name'" + "})"
            if isinstance(data.columns, pd.MultiIndex):
                remedy = "Give each a name of one part: data.columns = ['_'.join(map(str, name)) for name in data]"
            raise TypeError(f"a formula names columns by text that is not empty; got the column {name!r}. {remedy}")
    if not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()][0]
        raise ValueError(f"two columns are named {twice!r}, and the formula cannot tell them apart")
    for name, value in settings.items():
        if name == "family":
            if value not in FAMILIES:
                raise ValueError(f"family is one of {', '.join(map(repr, FAMILIES))}; got {value!r:.60}")
        elif value is not None:
            kind, words, example = (Integral, "a whole number", 100) if name == "maxit" else (Real, "a number", 1e-12)
            if isinstance(value, bool) or not isinstance(value, kind):
                raise TypeError(f"{name} is {words}, or None for R's own; got {type(value).__name__} {value!r:.60}")
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {words}, positive, such as {example}; got {value}")


def check_text(text: str, what: str) -> None:
    """Raise ValueError for text that R cannot hold."""
    if "\0" in text:
        raise ValueError(f"{what} {text!r:.80} holds a null character, where R would stop reading")
    if text.encode("utf-8", errors="ignore").decode("utf-8") != text:
        raise ValueError(f"{what} {text!r:.80} holds half a character (a lone surrogate), which R has not")


def encoded(what: str, column: pd.Series) -> str:
    """The column for R: numbers, integers, logical values, text, or a category, each value as it is.

    A category is its codes, its levels and whether these are in order. R names levels by its own rules: 3.0 is "3", and
    True is "TRUE". Raises TypeError for a type, and ValueError for a value, that R does not have; `what` is the column.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = column.cat.categories.tolist()
        kinds = {type(level).__name__ for level in levels}
        if len(kinds) > 1 and kinds != {"int", "float"}:
            raise TypeError(f"{what} has categories of several types ({', '.join(sorted(kinds))}): give them one")
        if not kinds <= {"int", "float", "bool", "str"}:
            levels = [str(level) for level in levels]
        codes = [None if code < 0 else code + 1 for code in column.cat.codes.tolist()]
        levels = encoded_values(what, levels, pd.api.types.infer_dtype(levels))
        return wire.vector([wire.integers(codes), levels, wire.integers([column.cat.ordered], logical=True)])
    values = [None if gone else value for value, gone in zip(column.tolist(), column.isna().tolist(), strict=True)]
    values = [value.item() if hasattr(value, "item") else value for value in values]  # NumPy's, in a column of objects
    return encoded_values(what, values, pd.api.types.infer_dtype(column, skipna=True))


def encoded_values(what: str, values: list[Any], kind: str) -> str:
    """A list of values, None where one is missing, whose kind pandas has found out."""
    present = [value for value in values if value is not None]
    if kind == "string":
        for value in set(present):
            check_text(value, f"{what}: the text")
        return wire.texts(values)
    if kind == "boolean":
        return wire.integers(values, logical=True)
    if kind not in ("integer", "floating", "mixed-integer-float", "integer-na", "empty"):
        raise TypeError(f"{what} holds {kind} values; R is given floats, integers, booleans, strings and categories")
    if kind.startswith("integer") and all(SMALLEST <= value <= LARGEST for value in present):
        return wire.integers(values)
    for value in present:
        if abs(value) != math.inf and not (abs(value) <= sys.float_info.max and float(value) == value):
            raise ValueError(
                f"{what} holds {value}, which R cannot hold exactly: its numbers are floats of 64 bits. "
                "Subtract a constant first, or round"
            )
    return wire.reals(math.nan if value is None else float(value) for value in values)


def columns_needed(names: list[str], texts: list[str], data: pd.DataFrame) -> dict[str, str]:
    """The columns that a formula uses, encoded, in the data's order; all of them if it holds a lone dot.

    A text in the formula may name a column, too, as in get("u"), or be a value: one that R cannot hold is left out.
    """
    columns = {}
    for name in data.columns:
        needed = name in names or "." in names
        if needed or name in texts:
            with contextlib.nullcontext() if needed else contextlib.suppress(TypeError, ValueError):
                check_text(name, "the column name")
                columns[name] = encoded(f"column {name!r}", data[name])
    return columns


def fit(function: str, formula: str, data: pd.DataFrame, **settings: object) -> dict[str, Any]:
    """Fit in R with "lm" or "glm".

    Returns what the result is made of, and R's "warnings"; or why R refuses, as "refusal". Raises RUnavailable.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    with session.referee() as r:
        reply = r.ask(wire.texts(["names", formula]))
        if reply["kind"] == ["names"]:
            columns = columns_needed(reply["names"], reply["texts"], data)
            frame = [wire.integers([len(data)]), wire.texts(columns), wire.vector(columns.values())]
            values = [wire.texts([v]) if isinstance(v, str) else wire.reals([float(v)]) for v in given.values()]
            reply = r.ask(wire.texts([function, formula]), *frame, wire.texts(given), wire.vector(values))
    kind = reply.pop("kind")[0]
    if kind != "fit":
        return {"refusal": refusal(function, kind, reply["message"][0], formula, data, reply["warnings"])}
    index = data.index.take([row - 1 for row in reply.pop("rows")])
    single = {name: value[0] for name, value in reply.items() if name not in VECTORS}
    return {**reply, **single, "index": index, "r_version": r.version}


def refusal(function: str, kind: str, words: str, formula: str, data: pd.DataFrame, heard: list[str]) -> str:
    """What an RError says: R's words, and what to look at."""
    if kind == "no formula":
        return words.replace("{}", repr(formula), 1)
    message = f"{function}() refuses {formula!r}: {words}"
    if heard:
        message += f" (after the warning: {'; '.join(heard)})"
    if "not found" in words:
        names = ", ".join(repr(name) for name in data.columns)
        message += f". The data's columns are {names}" if names else ". The data have no columns"
    if "0 (non-NA) cases" in words:
        message += ". The data have no rows" if data.empty else ". No row has a value in every term of the formula"
    return message
