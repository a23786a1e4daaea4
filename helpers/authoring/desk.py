"""The learner's desk: the chapters without outputs and without the teacher's notes, to work in.

    python -m helpers.authoring.desk lab [OPTIONS]    lay out desk/ and open it in JupyterLab (make lab)
    python -m helpers.authoring.desk fresh 03         lay a fresh copy of a chapter beside it (make desk CHAPTER=03)
    python -m helpers.authoring.desk handout          pack a desk without solutions for a class (make handout)

What the learner has changed is never overwritten. A file that is as it was laid out follows the course, and keeps the
outputs of those cells that stay the same; beside any other the new version is laid, once.
"""

import hashlib
import json
import posixpath
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

from helpers.authoring.notebooks import LINK, OUTSIDE, ROOT, as_text, code_cells, slide_type
from helpers.progress import MARK, write_whole

DESK, HANDOUT = ROOT / "desk", ROOT / "_build" / "handout"
COLLAPSED = "jp-MarkdownHeadingCollapsed"
SIDE_PATH = re.compile(r"#{1,6} +Side path\b")


def for_learners(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A chapter as learners get it: no outputs, no notes, no metadata but collapsed side paths."""
    from nbconvert.preprocessors import ClearOutputPreprocessor  # slow to import, and seldom needed

    notebook.cells = [cell for cell in notebook.cells if slide_type(cell) != "notes"]
    notebook, _ = ClearOutputPreprocessor().preprocess(notebook, {})
    notebook.metadata.pop("rise", None)
    for cell in notebook.cells:
        side_path = cell.cell_type == "markdown" and SIDE_PATH.match(cell.source)
        cell.metadata = nbformat.from_dict({COLLAPSED: True} if side_path else {})
    return notebook


def contents(root: Path, solutions: bool = True) -> dict[str, Path]:
    """What a desk holds: the path of each file in it, and where the course keeps that file."""
    patterns = ["notebooks/[0-9][0-9]_*.ipynb", "notebooks/symbols.md", "images/*.*", "README.md"]
    patterns += ["notebooks/solutions/*.ipynb"] if solutions else []
    return {path.relative_to(root).as_posix(): path for pattern in patterns for path in sorted(root.glob(pattern))}


def prepared(name: str, source: Path, names: set[str]) -> bytes:
    """A file of the course as the desk gets it; its links lead to files of these names, or become plain words."""

    def link_or_words(link: re.Match) -> str:
        to = link[2].partition("#")[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(name), to))
        return link[0] if not to or OUTSIDE.match(to) or there in names else link[1]

    if source.suffix == ".md":
        return LINK.sub(link_or_words, source.read_text(encoding="utf-8")).encode()
    if source.suffix != ".ipynb":
        return source.read_bytes()
    notebook = nbformat.read(source, as_version=4)
    if source.parent.name != "solutions":
        notebook = for_learners(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(link_or_words, cell.source)
    return as_text(notebook).encode()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def written(name: str, content: bytes) -> str:
    """A digest of what somebody wrote in a file: of a notebook, what its cells say, and not what came of running them.

    A notebook that can't be read counts as it is.
    """
    if name.endswith(".ipynb"):
        try:
            cells = nbformat.reads(content.decode(), as_version=4).cells
            said = [(cell.cell_type, cell.source, cell.get("attachments")) for cell in cells]
            return digest(json.dumps(said, sort_keys=True).encode())
        except Exception:  # whatever a broken file makes nbformat raise
            pass
    return digest(content)


def with_outputs(new: bytes, old: bytes) -> bytes:
    """The new notebook with the old one's outputs in those cells that are the same in both and have none."""
    notebook, former = (nbformat.reads(content.decode(), as_version=4) for content in (new, old))
    ran = {(cell.get("id"), cell.source): cell for cell in code_cells(former)}
    for cell in code_cells(notebook):
        was = ran.get((cell.id, cell.source))
        if was and not cell.outputs:
            cell.outputs, cell.execution_count = was.outputs, was.execution_count
    return as_text(notebook).encode()


def beside(path: Path, content: bytes) -> Path:
    """Write it under the first free name beside a file: 03_autograd.new.ipynb, 03_autograd.new2.ipynb and so on."""
    count = 1
    while (new := path.with_suffix(f".new{count if count > 1 else ''}{path.suffix}")).exists():
        if new.read_bytes() == content:
            return new
        count += 1
    write_whole(new, content)
    return new


def read_record(desk: Path) -> dict[str, list[str]]:
    """What was laid out: for each file the digests of the course's version and of what is written in it.

    Where that can't be read, nothing is known to be untouched.
    """
    try:
        record = json.loads((desk / MARK).read_bytes())
        return {name: [str(part) for part in pair] for name, pair in record.items() if len(pair) == 2}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def lay_out(desk: Path, root: Path = ROOT, solutions: bool = True) -> list[str]:
    """Bring a desk up to date with the course. Returns a line for each file of the learner's that was left alone.

    Raises OSError where the desk can't be written.
    """
    files, record, said = contents(root, solutions), read_record(desk), []
    recipe = Path(__file__).read_bytes() + "\n".join(files).encode()
    former = {name: record[name] for name in record.keys() - files.keys()}
    record = {name: record[name] for name in record.keys() & files.keys()}
    for name, source in files.items():
        path, version = desk / name, digest(source.read_bytes() + recipe)
        was_version, was_written = record.get(name, ("", ""))
        if path.exists() and was_version == version:
            continue
        content = prepared(name, source, set(files))
        new = written(name, content)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_whole(path, content)
        elif written(name, old := path.read_bytes()) in (new, was_written):
            write_whole(path, with_outputs(content, old) if path.suffix == ".ipynb" else content)
        elif new != was_written:
            other = beside(path, content)
            said.append(f"{name} is yours and stays as it is; the course's version now is beside it: {other.name}")
        record[name] = [version, new]
    for name, (_, was_written) in former.items():
        path = desk / name
        if not path.exists():
            continue
        content = path.read_bytes()
        if written(name, content) == was_written and b'"output_type"' not in content:
            path.unlink(missing_ok=True)
        else:
            said.append(f"{name} is no longer in the course; yours stays")
    text = json.dumps(record, indent=1, sort_keys=True).encode()
    if not (desk / MARK).exists() or (desk / MARK).read_bytes() != text:
        write_whole(desk / MARK, text)
    return said


def fresh(chapter: str, desk: Path, root: Path = ROOT) -> Path:
    """Lay a fresh copy of a chapter beside the old, whatever became of that. Raises LookupError, OSError."""
    files = contents(root)
    found = [name for name in files if re.match(rf"notebooks/0?{re.escape(chapter)}_", name)]
    if not found:
        raise LookupError(f"there is no chapter {chapter!r}: say for example make desk CHAPTER=03")
    lay_out(desk, root)
    return beside(desk / found[0], prepared(found[0], files[found[0]], set(files)))


def handout(target: Path = HANDOUT, root: Path = ROOT) -> Path:
    """Pack a new desk without solutions. Returns the archive. Raises OSError."""
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder) / "desk", root, solutions=False)
        target.mkdir(parents=True, exist_ok=True)
        return Path(shutil.make_archive(str(target / "desk"), "zip", folder, "desk"))


def main(command: str, *arguments: str) -> None:
    try:
        if command == "handout":
            print(f"the chapters without outputs, notes and solutions: {handout()}")
        elif command == "fresh":
            print(f"a fresh copy: {fresh(' '.join(arguments), DESK)}")
        else:
            for line in lay_out(DESK):
                print(f"desk: {line}", flush=True)  # before the server says anything, through a pipe, too
    except (LookupError, OSError) as problem:
        if command != "lab" or not (DESK / "notebooks" / "00_start_here.ipynb").exists():
            sys.exit(f"desk: {problem}. `make teach` opens the course itself")
        print(f"desk: it can't be written and is opened as it is ({problem})", flush=True)
    if command == "lab":
        from helpers.authoring import lab  # JupyterLab, which the other commands don't need

        lab.main(list(arguments), DESK)


if __name__ == "__main__":
    main(*sys.argv[1:])
