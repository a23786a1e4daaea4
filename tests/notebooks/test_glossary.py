"""The glossary of chapter 13: in order, one sentence each, linked to the chapter where the term is introduced."""

import re
from functools import cache

import pytest
from notebook_tools import CHAPTERS, Notebook, page

BY_NAME = {path.name: path for path in CHAPTERS}
WALK = BY_NAME["13_the_whole_walk.ipynb"]
ROW = re.compile(r"^\| \*\*(.+?)\*\* \| (.+?) \| \[(\d\d)\]\((.+?)\) \|$", re.MULTILINE)

# Terms that their chapter introduces in another form than the glossary's.
VARIANTS = {"dead unit": "dead", "hidden unit": "hidden"}
# Chapters in which a term stands in bold with a meaning other than the glossary's.
OTHER_MEANING = {"bias": "04_optimizers.ipynb"}


def glossary() -> list[tuple[str, str, str, str]]:
    """The rows of the glossary: term, sentence, number and file of the chapter."""
    text = "\n".join(cell.source for cell in Notebook.read(WALK).markdown)
    (part,) = re.findall(r"^## Glossary$(.*)", text, re.MULTILINE | re.DOTALL)
    return ROW.findall(part)


ROWS = glossary()


def singular(text: str) -> str:
    """One spelling of a term: small letters, single blanks, no s at the end."""
    return " ".join(text.casefold().split()).removesuffix("s")


@cache
def introduced(name: str) -> dict[str, set[str]]:
    """What the markdown of a chapter sets in bold, what in italics, and the code names that it quotes."""
    found = {"strong": set(), "em": set(), "code": set()}
    for cell in Notebook.read(BY_NAME[name]).markdown:
        if "In the sources" not in cell.source:
            for tag in page(cell.source).select("strong, em, :not(pre) > code"):
                found[tag.name].add(tag.text if tag.name == "code" else singular(tag.text))
    return found


def first_chapter(term: str) -> str | None:
    """The first chapter with the term in bold (failing that, in italics) or with the code name; None without one."""
    kinds, wanted = ("strong", "em"), singular(VARIANTS.get(term, term))
    if term.startswith("`"):
        kinds, wanted = ("code",), term.strip("`")
    chapters = [name for name in BY_NAME if name not in (WALK.name, OTHER_MEANING.get(term))]
    return next((name for kind in kinds for name in chapters if wanted in introduced(name)[kind]), None)


def test_the_glossary_is_found_whole():
    text = "\n".join(cell.source for cell in Notebook.read(WALK).markdown)
    lines = [line for line in text.split("## Glossary")[1].splitlines() if line.startswith("|")]
    assert len(ROWS) == len(lines) - 2 >= 45


def test_terms_are_in_alphabetical_order_and_occur_once():
    terms = [term.strip("`").casefold() for term, *_ in ROWS]
    assert terms == sorted(terms)
    assert len(set(terms)) == len(terms)


@pytest.mark.parametrize("term, sentence, number, target", ROWS, ids=[row[0] for row in ROWS])
def test_a_term_has_one_sentence_and_is_introduced_where_its_link_leads(term, sentence, number, target):
    assert target in BY_NAME and target.startswith(f"{number}_")
    assert first_chapter(term) == target
    assert sentence[0].isupper() or sentence.startswith("PyTorch")
    assert sentence.endswith(".") and ". " not in sentence and len(sentence) < 160


@pytest.mark.parametrize("term", VARIANTS)
def test_no_variant_is_needless(term):
    assert singular(term) not in introduced(first_chapter(term))["strong"]


@pytest.mark.parametrize("term, chapter", OTHER_MEANING.items())
def test_no_other_meaning_is_needless(term, chapter):
    assert singular(term) in introduced(chapter)["strong"] and chapter < first_chapter(term)
