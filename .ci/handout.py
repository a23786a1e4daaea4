"""Write what learners get: the chapters with outputs cleared, without solutions and without the teacher's notes.

    python .ci/handout.py            into _build/handout
    python .ci/handout.py FOLDER     into that folder, which must be empty or a former handout

The folder holds `notebooks/`, `images/` and a README that says how to run them: in an environment in which the course
is installed, since the chapters import `helpers`. That package knows the answers, because it checks them; nothing in
the folder does. Before the folder is written, every file is searched for the code of the solutions.
"""

import ast
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "_build" / "handout"
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
OUTSIDE = re.compile(r"[a-z]+:", re.IGNORECASE)
KEPT_CELL_METADATA = ("jupyter", "slideshow", "tags")
MARK = ".course-handout"
DEFINITION = ast.FunctionDef | ast.ClassDef
CHECKED = re.compile(r"\bcheck\.\w+\(\s*(\w+)")
OPEN = ("'", '"', "...", "pass", "super().__init__(")
# A shorter solution, such as `return 2 * x`, may stand in a chapter by chance; its stub is looked at all the same.
SHORTEST_SECRET = 25
# Answers that repeat what the chapter itself has defined under another name, before it asks.
TAUGHT = {"10_a_neural_network": ("deeper_network",)}

README = """# The course, to work through

Open `notebooks/00_start_here.ipynb` in JupyterLab and take the chapters in order. They run wherever the course is
installed: on your class's server, or in the environment that its set-up made. Run each cell yourself; outputs appear as
you go. Exercises check themselves.

If a cell says `No module named 'helpers'`, the environment is another one: ask whoever gave you this folder.
"""


class SolutionFound(Exception):
    """Code of a solution stands in the handout; the message says where."""


def slide_type(cell: nbformat.NotebookNode) -> str:
    return cell.metadata.get("slideshow", {}).get("slide_type") or "-"


# Making the chapters


def handed_out(notebook: nbformat.NotebookNode, files: set[str]) -> nbformat.NotebookNode:
    """A chapter as learners get it; `files` are the paths, seen from its folder, that its links may lead to."""
    notebook.cells = [cell for cell in notebook.cells if slide_type(cell) != "notes"]
    for cell in notebook.cells:
        kept = {name: cell.metadata[name] for name in KEPT_CELL_METADATA if name in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
        elif cell.cell_type == "markdown":
            cell.source = only_links_to(cell.source, files)
    return notebook


def only_links_to(source: str, files: set[str]) -> str:
    """A markdown source in which a link to anything but those files, or the web, has become its words."""

    def keep_or_drop(link: re.Match) -> str:
        name = link[2].partition("#")[0]
        return link[0] if not name or OUTSIDE.match(name) or name in files else link[1]

    return LINK.sub(keep_or_drop, source)


def build(target: Path, root: Path = ROOT) -> list[Path]:
    """Write the handout of the course at `root` into `target`. Returns the notebooks.

    Raises SolutionFound if a solution's code would be in it, and FileExistsError if `target` holds anything else;
    what was there stays then.
    """
    if target.exists() and any(target.iterdir()) and not (target / MARK).exists():
        raise FileExistsError(f"{target} holds something else. Name an empty folder.")
    sources = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    files = {path.name for path in sources} | {f"../images/{path.name}" for path in (root / "images").iterdir()}
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".handout-", dir=target.parent) as temporary:
        folder = Path(temporary) / "handout"
        (folder / "notebooks").mkdir(parents=True)
        for path in sources:
            notebook = handed_out(nbformat.read(path, as_version=4), files)
            text = nbformat.writes(notebook, indent=1).rstrip("\n") + "\n"
            (folder / "notebooks" / path.name).write_text(text, encoding="utf-8", newline="\n")
        shutil.copytree(root / "images", folder / "images")
        (folder / "README.md").write_text(README, encoding="utf-8")
        (folder / MARK).write_text("make handout writes this folder anew and deletes what is in it\n", encoding="utf-8")
        found = solutions_in(folder, root / "notebooks" / "solutions")
        if found:
            raise SolutionFound("\n".join(found))
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    return [target / "notebooks" / path.name for path in sources]


# Looking for solutions


def python_in(source: str) -> ast.Module | None:
    """A cell of Python without its magics, parsed; None for a cell in another language."""
    try:
        return ast.parse("\n".join(line for line in source.split("\n") if not line.lstrip().startswith(("%", "!"))))
    except SyntaxError:
        return None


def definitions(source: str) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """The functions and classes that a cell defines at its top level."""
    tree = None if source.startswith("%%") else python_in(source)
    yield from (node for node in tree.body if isinstance(node, DEFINITION)) if tree else ()


def answers(path: Path) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    """What a solutions notebook defines and hands to a check, by name."""
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    checked = {name for source in sources for name in CHECKED.findall(source)}
    return {node.name: node for source in sources for node in definitions(source) if node.name in checked}


def work(node: ast.AST) -> list[str]:
    """The statements of a definition but for docstrings, `...` and the call of super().__init__()."""
    found = []
    for statement in node.body:
        if isinstance(statement, DEFINITION):
            found += work(statement)
        elif not (isinstance(statement, ast.Expr | ast.Pass) and ast.unparse(statement).startswith(OPEN)):
            found.append(ast.unparse(statement))
    return found


def is_answered(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """True for a function that does something, and for a class without any `...`: part of a class may be given."""
    if isinstance(node, ast.FunctionDef):
        return bool(work(node))
    return not any(isinstance(part, ast.Constant) and part.value is Ellipsis for part in ast.walk(node))


def squeezed(text: str) -> str:
    """A text without blanks and with one kind of quotes, so that layout makes no difference."""
    return re.sub(r"\s+", "", text).replace("'", '"')


def texts(path: Path) -> Iterator[str]:
    """What a file of the handout says: a notebook cell by cell, another file whole, a picture not at all."""
    if path.suffix != ".ipynb":
        yield path.read_text(encoding="utf-8", errors="replace")
        return
    for cell in nbformat.read(path, as_version=4).cells:
        yield cell.source
        tree = python_in(cell.source) if cell.cell_type == "code" else None
        if tree is not None:
            yield ast.unparse(tree)


def solutions_in(folder: Path, solutions: Path) -> list[str]:
    """Every place in the folder that holds a solution: its code, or an answer of anybody's in the place of a stub."""
    found = []
    known = {path.stem: answers(path) for path in sorted(solutions.glob("*.ipynb"))}
    secrets = {}
    for chapter, nodes in known.items():
        for name, node in nodes.items():
            secret = squeezed("".join(work(node)))
            if len(secret) >= SHORTEST_SECRET and name not in TAUGHT.get(chapter, ()):
                secrets[f"{chapter}: {name}"] = secret
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = path.relative_to(folder).as_posix()
        if "solution" in place:
            found.append(f"{place} is called a solution")
        said = "\n".join(squeezed(text) for text in texts(path))
        found += [f"{place} holds the solution of {name}" for name, secret in secrets.items() if secret in said]
        if path.suffix == ".ipynb" and path.stem in known:
            for cell in nbformat.read(path, as_version=4).cells:
                for node in definitions(cell.source) if cell.cell_type == "code" else ():
                    if node.name in known[path.stem] and is_answered(node):
                        found.append(f"{place}: {node.name} is answered")
    return found


def main(arguments: list[str]) -> int:
    target = Path(arguments[0]).resolve() if arguments else TARGET
    try:
        notebooks = build(target)
    except (SolutionFound, FileExistsError) as problem:
        print(f"handout: nothing written. {problem}", file=sys.stderr)
        return 1
    print(f"{len(notebooks)} chapters without outputs and solutions: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
