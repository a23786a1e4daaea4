"""What the authors' tools and the tests ask about notebooks: which there are, what a cell is, how a file is written."""

import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = tuple(sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")))
SOLUTIONS = tuple(sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb")))
# A link of Markdown, not a picture: its words and where it leads.
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(\s*<?([^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)")
OUTSIDE = re.compile(r"(?:https?|wss?|ftp):|//|mailto:")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def slide_type(cell: nbformat.NotebookNode) -> str:
    """What JupyterLab's cell inspector says: slide, subslide, fragment, notes, skip, or - for no step of its own."""
    return cell.metadata.get("slideshow", {}).get("slide_type") or "-"


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook, in order: the first is In [1]."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def as_text(notebook: nbformat.NotebookNode) -> str:
    """A notebook as it stands in its file: one blank of indentation, sorted keys, a newline at the end."""
    return nbformat.writes(notebook, indent=1).rstrip("\n") + "\n"
