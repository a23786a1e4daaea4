"""Write what learners get: the chapters with outputs cleared, without solutions and without the teacher's notes.

    python -m helpers.authoring.handout            into _build/handout
    python -m helpers.authoring.handout FOLDER     into that folder, which must be empty or a former handout

The chapters run where the course is installed: they import `helpers`, which checks the answers and so knows them.
"""

import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert.preprocessors import ClearOutputPreprocessor

from helpers.authoring.notebooks import LINK, OUTSIDE, ROOT, as_text, slide_type

TARGET = ROOT / "_build" / "handout"
MARK = ".course-handout"
README = """# The course, to work through

Open `notebooks/00_start_here.ipynb` in JupyterLab and take the chapters in order. Run each cell yourself: outputs come
as you go. Exercises check themselves. The chapters run where the course is installed: if a cell says
`No module named 'helpers'`, ask whoever gave you this folder.
"""


def for_learners(notebook: nbformat.NotebookNode, files: set[str]) -> nbformat.NotebookNode:
    """A chapter as learners get it; `files` are the paths, seen from its folder, that its links may lead to."""

    def link_or_words(link: re.Match) -> str:
        name = link[2].partition("#")[0]
        return link[0] if not name or OUTSIDE.match(name) or name in files else link[1]

    notebook, _ = ClearOutputPreprocessor().preprocess(notebook, {})
    notebook.cells = [cell for cell in notebook.cells if slide_type(cell) != "notes"]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(link_or_words, cell.source)
    return notebook


def build(target: Path, root: Path = ROOT) -> list[Path]:
    """Write the handout of the course at `root` into `target`, over a former one. Returns the notebooks.

    Raises FileExistsError if `target` holds anything else.
    """
    if target.exists() and any(target.iterdir()) and not (target / MARK).exists():
        raise FileExistsError(f"{target} holds something else. Name an empty folder.")
    chapters = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    files = {path.name for path in chapters} | {f"../images/{path.name}" for path in (root / "images").iterdir()}
    shutil.rmtree(target, ignore_errors=True)
    (target / "notebooks").mkdir(parents=True)
    (target / MARK).write_text("make handout writes this folder anew and deletes what is in it\n", encoding="utf-8")
    (target / "README.md").write_text(README, encoding="utf-8")
    shutil.copytree(root / "images", target / "images")
    for path in chapters:
        text = as_text(for_learners(nbformat.read(path, as_version=4), files))
        (target / "notebooks" / path.name).write_text(text, encoding="utf-8", newline="\n")
    return [target / "notebooks" / path.name for path in chapters]


def main(arguments: list[str]) -> None:
    target = Path(arguments[0]).resolve() if arguments else TARGET
    try:
        print(f"{len(build(target))} chapters without outputs and solutions: {target}")
    except FileExistsError as problem:
        sys.exit(f"handout: nothing written. {problem}")


if __name__ == "__main__":
    main(sys.argv[1:])
