"""How values travel to R and back: in R's own serialization, as text, in which each float is exact."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

HEADER = "A\n2\n262146\n131840\n"  # as text, version 2 of the format
ASCII, UTF8 = 262153, 32777  # how a text is marked


def vector(items: Iterable[str]) -> str:
    """An R list of parts that are encoded already."""
    items = list(items)
    return f"19\n{len(items)}\n{''.join(items)}"


def reals(values: Iterable[float]) -> str:
    """A numeric vector. NaN is NaN, which R leaves out as it does NA."""
    words = [value.hex() for value in values]
    return "\n".join(["14", str(len(words)), *words, ""])


def integers(values: Iterable[int | None], logical: bool = False) -> str:
    """An integer vector, or a logical one; None is NA."""
    words = ["NA" if value is None else str(int(value)) for value in values]
    return "\n".join(["10" if logical else "13", str(len(words)), *words, ""])


def texts(values: Iterable[str | None]) -> str:
    """A character vector, in UTF-8; None is NA."""
    return vector("9\n-1\n" if value is None else characters(value) for value in values).replace("19", "16", 1)


def characters(text: str) -> str:
    """One text of a character vector."""
    data = text.encode("utf-8")
    words = "".join(chr(byte) if 32 < byte < 127 and byte != 92 else f"\\{byte:03o}" for byte in data)
    return f"{ASCII if text.isascii() else UTF8}\n{len(data)}\n{words}\n"


def read(lines: Iterator[bytes]) -> Any:
    """The next value: None for NULL, else a list of floats (NA is NaN), integers, booleans or texts (NA is None)."""
    kind = int(next(lines)) & 255
    if kind == 254:
        return None
    count = int(next(lines))
    if kind == 9:
        if count < 0:
            return None
        escaped = next(lines)[:-1].replace(rb"\?", b"?")  # an escape of R's that Python doesn't know
        return escaped.decode("unicode_escape").encode("latin-1").decode("utf-8", errors="replace")
    if kind in (16, 19):
        return [read(lines) for _ in range(count)]
    words = [next(lines).strip().decode() for _ in range(count)]
    if kind == 14:
        return [math.nan if word == "NA" else float.fromhex(word) for word in words]
    return [None if word == "NA" else bool(int(word)) if kind == 10 else int(word) for word in words]
