"""Reading notebooks for the tests: cells, texts, links, and the numbers that prose quotes."""

import json
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from bs4 import Comment as Remark
from nbconvert.filters import markdown2html
from pygments.lexers import PythonLexer, SLexer
from pygments.token import Comment

from helpers.authoring.notebooks import (  # noqa: F401 (tests take them here)
    CHAPTERS,
    ROOT,
    SOLUTIONS,
    code_cells,
    slide_type,
)

HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t#]*$", re.MULTILINE)


@cache
def page(markdown: str) -> BeautifulSoup:
    """A markdown source as a page shows it; to be read, not changed."""
    soup = BeautifulSoup(markdown2html(markdown), "html.parser")
    for link in soup.select("a.anchor-link"):  # the mark behind each heading
        link.decompose()
    return soup


@dataclass(frozen=True, eq=False)
class Notebook:
    """A notebook file and its cells; every source and every text output is one string."""

    path: Path
    raw: dict

    @classmethod
    def read(cls, path: Path) -> "Notebook":
        """The notebook as it stands on disk now; parsed once per version of the file."""
        return parse(cls, path, path.stat().st_mtime_ns)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def number(self) -> str:
        return self.name[:2]

    @property
    def is_solution(self) -> bool:
        return self.path.parent.name == "solutions"

    @property
    def twin(self) -> Path:
        """The solutions of a chapter, the chapter of its solutions."""
        folder = self.path.parent
        return (folder.parent if self.is_solution else folder / "solutions") / self.path.name

    @cached_property
    def cells(self) -> list[nbformat.NotebookNode]:
        return nbformat.v4.to_notebook(self.raw).cells

    @property
    def code(self) -> list[nbformat.NotebookNode]:
        return code_cells(self)

    @property
    def markdown(self) -> list[nbformat.NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "markdown"]

    @property
    def opening(self) -> str:
        """All markdown before the first code cell."""
        sources = []
        for cell in self.cells:
            if cell.cell_type == "code":
                break
            sources.append(cell.source)
        return "\n\n".join(sources)

    @property
    def title(self) -> str:
        """The first heading, without its hash: `01 Least squares`."""
        match = HEADING.search(self.opening)
        return match[2] if match else ""

    @cached_property
    def places(self) -> list[str]:
        """Where each cell stands: on the "road", on a "side path", or among the "exercises"."""
        found, side, place = [], 0, "road"
        for cell in self.cells:
            heading = HEADING.match(cell.source.lstrip()) if cell.cell_type == "markdown" else None
            if heading and place != "exercises":
                level = len(heading[1])
                if heading[2] == "Exercises":
                    place = "exercises"
                elif heading[2].startswith("Side path"):
                    side, place = level, "side path"
                elif level <= side:
                    side, place = 0, "road"
            found.append(place)
        return found

    def minutes(self, place: str) -> int:
        """What reading takes: 150 words a minute, 8 s for a line of code, 10 s more for its cell; up to the next 5."""
        seconds = 0.0
        for cell, where in zip(self.cells, self.places, strict=True):
            if where == place and cell.cell_type == "code":
                seconds += 10 + 8 * sum(bool(line.strip()) for line in cell.source.splitlines())
            elif where == place and slide_type(cell) != "notes":
                seconds += len(cell.source.split()) / 150 * 60
        return 5 * math.ceil(seconds / 300)


@cache
def parse(kind: type[Notebook], path: Path, modified: int) -> Notebook:
    return kind(path, json.loads(path.read_text(encoding="utf-8")))


def stream(text: str, name: str = "stdout") -> nbformat.NotebookNode:
    """What a cell prints, as its output."""
    return nbformat.v4.new_output("stream", name=name, text=text)


def save(path: Path, cells: list, **metadata) -> Path:
    """Write a notebook of these cells as they are, valid or not; returns the path."""
    file = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(file), encoding="utf-8")
    return path


def neighbours(cells: list) -> Iterator[tuple]:
    """Each cell with the one before it and the one after it, or None."""
    yield from zip([None, *cells], cells, [*cells[1:], None], strict=False)


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def label(number: int) -> str:
    """The name of the code cell with this position, counted from 1, as JupyterLab shows it."""
    return f"In [{number}]"


def output_text(cell) -> str:
    """The text that a cell's stored outputs show, tables in their plain form."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            parts.append(output.text)
        elif "data" in output:
            data = output.data
            parts += [data[kind] for kind in ("text/plain", "text/markdown", "text/latex") if kind in data]
            table = BeautifulSoup(data.get("text/html", ""), "html.parser")
            for style in table("style"):
                style.decompose()
            parts.append(table.get_text(" "))
    return "\n".join(parts)


def has_picture(cell) -> bool:
    return any(kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {}))


@cache
def split_comments(source: str) -> tuple[str, str]:
    """The code and the comments of a cell in Python, or in R (`%%R`)."""
    code, comments = [], []
    for kind, text in (SLexer() if source.startswith("%%R") else PythonLexer()).get_tokens(source):
        (comments if kind in Comment else code).append(text)
    return "".join(code), "\n".join(text.lstrip("#") for text in comments)


def images(markdown: str) -> list[tuple[str, str]]:
    """Alternative text and path of every picture in a markdown source."""
    return [(tag.get("alt", ""), tag["src"]) for tag in page(markdown)("img")]


def links(markdown: str) -> list[tuple[str, str]]:
    """Text and target of every link in a markdown source."""
    return [(tag.get_text(), tag["href"]) for tag in page(markdown)("a", href=True)]


# Numbers in prose

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
COUNTED = r"(?:epochs?|steps?|times|iterations?|evaluations?|updates?|samples?|runs?|seeds?|points?|rows?|numbers?)"
QUOTED = re.compile(
    r"""
    (?P<sign>(?<![\w)\]}.])-)?
    (?<![\w.])
    (?:
        10\s?(?:\^|\*\*)\s?\{?(?P<power>[+-]?\d+)\}?
      | (?P<digits>\d{1,3}(?:[ ,]\d{3})+(?!\d)(?:\.\d+)? | \d+(?:\.\d+)? | \.\d+)
        (?:(?:[eE]|\s*x\s*10\^\{?)(?P<exponent>[+-]?\d+)\}?)?
        (?P<percent>\s*(?:%|per\s?cent\b))?
    )
    """,
    re.VERBOSE,
)
YEAR = re.compile(r"(?:19|20)\d\d")
IN_SOURCE = re.compile(
    r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
)
NO_QUOTES = re.compile(
    r"""
    https?://\S+
    | (?:\d+\s*(?:-|–|to)\s*)?\b\d+[ ]min(?:ute)?s?\b       # 25 to 50 minutes
    | ^\s*\d{1,2}\.\d{1,2}(?:\ Open\.?)?(?=:?\s+[A-Z])      # the exercise 1.2
    """,
    re.VERBOSE | re.MULTILINE,
)


def prose(markdown: str) -> str:
    """A markdown source reduced to its sentences, with numbers written one way: -3.4 x 10^{-4}, 33 599, 95 %."""
    soup = copy(page(markdown))
    for hidden in [*soup("pre"), *soup(string=lambda text: isinstance(text, Remark))]:
        hidden.extract()
    for picture in soup("img"):
        picture.replace_with(f" {picture.get('alt', '')} ")
    text = NO_QUOTES.sub(" ", one_way(soup.get_text()))
    if "In the sources" in text:
        text = re.sub(r"\b6\.\d(?:\.\d)?\b", " ", text)
    return text


def one_way(text: str) -> str:
    """A text with its numbers written one way."""
    text = text.replace("−", "-").replace("×", " x ").replace(r"\%", "%")
    text = re.sub(r"\\(?:times|cdot)\b", " x ", text)
    text = re.sub(r"\\[,;:!]|\{,\}|~|[\u00a0\u2009\u202f]", " ", text)
    return re.sub(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda power: "^{" + power[0].translate(SUPERSCRIPTS) + "}", text)


def quoted_numbers(text: str) -> list[re.Match]:
    """The numbers of a text made by `prose` that need a source: all but small integers and years."""
    return [match for match in QUOTED.finditer(text) if not needs_no_source(match, text)]


def needs_no_source(match: re.Match, text: str) -> bool:
    digits = match["digits"]
    if digits is None or match["exponent"] or match["percent"] or not digits.isdecimal():
        return False
    if YEAR.fullmatch(digits) and not match["sign"]:
        return not re.match(rf"\s+(?:\w+\s+)?{COUNTED}\b", text[match.end() :])
    return int(digits) <= 20


class Sources:
    """The numbers of a notebook's outputs and code, ready to be asked for a quoted number."""

    def __init__(self, text: str):
        found = (number.replace("_", "") for number in IN_SOURCE.findall(text.replace("−", "-")))
        self.values = sorted({value for number in found for value in readings(number)})

    def have(self, match: re.Match) -> bool:
        """True if some number, rounded to as many digits as the quoted one shows, equals it.

        A quoted number without a sign may be the size of a negative one ("falls by 0.5"); one with a minus sign may
        not be positive. A percentage may be printed as a share. A bare power of ten stands for its order of magnitude.
        """
        if match["power"]:
            size = 10.0 ** int(match["power"])
            return self.holds(size / 10**0.5, size * 10**0.5, bool(match["sign"]))
        digits, exponent = re.sub(r"[ ,]", "", match["digits"]), int(match["exponent"] or 0)
        decimals = len(digits.partition(".")[2])
        for shift in (exponent, exponent - 2) if match["percent"] else (exponent,):
            value, half = float(f"{digits}e{shift}"), 0.5 * 10.0 ** (shift - decimals) * (1 + 1e-9)
            if self.holds(value - half, value + half, bool(match["sign"])):
                return True
        return False

    def holds(self, low: float, high: float, negative: bool) -> bool:
        return self.between(-high, -low) or (not negative and self.between(low, high))

    def between(self, low: float, high: float) -> bool:
        return bisect_left(self.values, low) < bisect_right(self.values, high)


def readings(found: str) -> list[float]:
    """The values of a number found in code or output: `33,599` is one number or two."""
    parts = found.split(",")
    return [float(found.replace(",", "")), *(map(float, parts) if len(parts) > 1 else ())]


def sources_of(notebook: Notebook) -> Sources:
    parts = []
    for cell in notebook.code:
        parts += [split_comments(cell.source)[0], output_text(cell)]
    return Sources("\n".join(parts))


def unsupported_numbers(notebook: Notebook) -> list[tuple[str, str]]:
    """Each number that markdown or a comment quotes and neither code nor output has, with the words around it."""
    sources, found = sources_of(notebook), []
    texts = [prose(cell.source) for cell in notebook.markdown]
    texts += [one_way(split_comments(cell.source)[1]) for cell in notebook.code]
    for text in texts:
        for match in quoted_numbers(text):
            if not sources.have(match):
                around = " ".join(text[max(0, match.start() - 40) : match.end() + 30].split())
                found.append((" ".join(match[0].split()), around))
    return found
