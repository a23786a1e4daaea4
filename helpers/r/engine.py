"""What R is asked and how it answers: arguments and data that R can hold exactly, and R's reply as plain Python."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from helpers.r import session, wire

if TYPE_CHECKING:
    import pandas as pd

VECTORS = {"terms", "table", "columns", "interval", "residuals", "fitted", "warnings"}  # in a reply; the rest is single
FAMILIES = ("binomial", "poisson", "gaussian", "Gamma")
SETTINGS = {
    "tol": ("a number", (int, float), "1e-12"),
    "epsilon": ("a number", (int, float), "1e-14"),
    "maxit": ("a whole number", int, "100"),
}
SMALLEST, LARGEST = -(2**31) + 1, 2**31 - 1  # of R's integers; the one below is its NA
LARGEST_FLOAT = sys.float_info.max


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
            raise TypeError(f"a formula can only name columns whose names are text; got the column {name!r}. {remedy}")
    if not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()][0]
        raise ValueError(f"two columns are named {twice!r}, and the formula cannot tell them apart")
    for name, value in settings.items():
        if name == "family" and value not in FAMILIES:
            raise ValueError(f"family is one of {', '.join(map(repr, FAMILIES))}; got {value!r:.60}")
        if name == "family" or value is None:
            continue
        kind, types, example = SETTINGS[name]
        if isinstance(value, bool) or not isinstance(value, types):
            raise TypeError(f"{name} is {kind}, or None for R's own; got {type(value).__name__} {value!r:.60}")
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} is {kind}, positive, such as {example}; got {value}")


def check_text(text: str, what: str) -> None:
    """Raise ValueError for text that R cannot hold."""
    if "\0" in text:
        raise ValueError(f"{what} {text!r:.80} holds a null character, where R would stop reading")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"{what} {text!r:.80} holds half a character (a lone surrogate), which R has not") from None


def encoded(name: str, column: pd.Series) -> str:
    """The column for R: numbers, integers, logical values, text, or a category, each value as it is.

    Raises TypeError for a type, and ValueError for a value, that R does not have, naming the column.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = [None if code < 0 else code + 1 for code in column.cat.codes.tolist()]
        levels = encoded_levels(name, column.cat.categories)
        return wire.vector([wire.integers(codes), levels, wire.integers([column.cat.ordered], logical=True)])
    values = [None if gone else value for value, gone in zip(column.tolist(), column.isna().tolist(), strict=True)]
    return encoded_values(name, values, pd.api.types.infer_dtype(column, skipna=True))


def encoded_levels(name: str, categories: pd.Index) -> str:
    """What the categories are, for R, which names them by its own rules: 3.0 is "3", and True is "TRUE"."""
    import pandas as pd

    kinds = {type(category) for category in categories.tolist()}
    if kinds <= {int, float} or kinds in ({str}, {bool}):
        return encoded_values(name, categories.tolist(), pd.api.types.infer_dtype(categories))
    if len(kinds) > 1:
        found = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(f"column {name!r} has categories of several types ({found}), which R has not: give them one")
    return encoded_values(name, [str(category) for category in categories], "string")


def encoded_values(name: str, values: list[Any], kind: str) -> str:
    """A list of values, None where one is missing, whose kind pandas has found out."""
    present = [value for value in values if value is not None]
    if kind == "string":
        for value in set(present):
            check_text(value, f"column {name!r}: the text")
        return wire.texts(values)
    if kind == "boolean":
        return wire.integers(values, logical=True)
    if kind not in ("integer", "floating", "mixed-integer-float", "integer-na", "empty"):
        raise TypeError(
            f"column {name!r} holds {kind} values, which R is not given; it takes floats, integers, booleans, "
            "strings and categories"
        )
    if kind.startswith("integer") and within_integers(present):
        return wire.integers(values)
    check_numbers(present, f"column {name!r}")
    return wire.reals(math.nan if value is None else float(value) for value in values)


def within_integers(numbers: Iterable[int]) -> bool:
    """Whether R's integers reach to all of these."""
    return all(SMALLEST <= number <= LARGEST for number in numbers)


def check_numbers(numbers: Iterable[float], what: str) -> None:
    """Raise ValueError for a number that is no float of 64 bits."""
    for number in numbers:
        if abs(number) != math.inf and not (abs(number) <= LARGEST_FLOAT and float(number) == number):
            raise ValueError(
                f"{what} holds {number}, which R cannot hold exactly: its numbers are floats of 64 bits. "
                "Subtract a constant first, or round"
            )


def columns_needed(names: list[str], texts: list[str], data: pd.DataFrame) -> dict[str, str]:
    """The columns that a formula uses, encoded, in the data's order; all of them if it holds a lone dot.

    A text in the formula may name a column, too, as in get("u"), or be a value: there, a column that R cannot hold is
    left out.
    """
    columns = {}
    for name in data.columns:
        needed = name in names or "." in names
        if needed or name in texts:
            try:
                check_text(name, "the column name")
                columns[name] = encoded(name, data[name])
            except (TypeError, ValueError):
                if needed:
                    raise
    return columns


def fit(function: str, formula: str, data: pd.DataFrame, **settings: object) -> dict[str, Any]:
    """Fit in R with "lm" or "glm".

    Returns what the result is made of, and R's "warnings"; or why R refuses, as "refusal". Raises RUnavailable.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    with session.lock:
        r = session.referee()
        try:
            reply = r.ask(wire.texts(["names"]), wire.texts([formula]))
            if reply["kind"][0] == "names":
                columns = columns_needed(reply["names"], reply["texts"], data)
                values = [wire.texts([v]) if isinstance(v, str) else wire.reals([float(v)]) for v in given.values()]
                reply = r.ask(
                    wire.texts([function]),
                    wire.texts([formula]),
                    wire.integers([len(data)]),
                    wire.texts(columns),
                    wire.vector(columns.values()),
                    wire.texts(given),
                    wire.vector(values),
                )
        except session.Ended as problem:
            reply = {"kind": ["error"], "message": [str(problem)], "warnings": []}
    kind = reply.pop("kind")[0]
    if kind != "fit":
        return {"refusal": refusal(function, kind, reply["message"][0], formula, data, reply["warnings"])}
    index = data.index.take([row - 1 for row in reply.pop("rows")])
    single = {name: value[0] for name, value in reply.items() if name not in VECTORS}
    return {**reply, **single, "index": index, "r_version": r.version}


def refusal(function: str, kind: str, words: str, formula: str, data: pd.DataFrame, heard: list[str]) -> str:
    """What an RError says: R's words, and what to look at."""
    if kind == "not a formula":
        reason = f". R: {words}" if words else ""
        return f'not a formula: {formula!r}. Write a response, a tilde and the predictors, such as "c ~ u"{reason}'
    if kind == "no response":
        return f'{formula!r} has no response: write one on the left of the tilde, such as "c ~ u"'
    message = f"R's {function}() refuses {formula!r}: {words}"
    if heard:
        message += f" (after the warning: {'; '.join(heard)})"
    if "not found" in words:
        names = ", ".join(repr(name) for name in data.columns)
        message += f". The data's columns are {names}" if names else ". The data have no columns"
    if "0 (non-NA) cases" in words:
        message += ". The data have no rows" if data.empty else ". No row has a value in every column of the formula"
    return message
