"""Execute notebooks from clean kernels, store their outputs, and print what moved.

    python .ci/refresh.py                                   every chapter and every solutions notebook
    python .ci/refresh.py notebooks/01_least_squares.ipynb  this one
    python .ci/refresh.py --check                           write nothing; exit 1 if anything would move

A notebook is written only after all of its cells ran; a cell that raises leaves the file as it was. The kernel is the
interpreter that runs this script, its folder is the notebook's folder, as in `pytest --nbval --nbval-current-env`.
Cells are named by the number JupyterLab shows beside them: In [4] is the fourth code cell.

What is written depends on the code alone: streams are merged, timestamps, widget views, notes inside PNG files and the
metadata of editors are dropped, ids and tags stay. A second run changes no byte. The output of a cell tagged
`nbval-ignore-output` varies by nature: while nothing but its digits and pictures change, the stored output stays,
unless --renew asks for the new one.
"""

import argparse
import asyncio
import base64
import contextlib
import copy
import difflib
import hashlib
import io
import json
import os
import re
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
SECONDS_PER_CELL = 120
DIFF_LINES = 16
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
KEPT_NOTEBOOK_METADATA = ("title", "rise")
KEPT_CELL_METADATA = ("jupyter", "slideshow", "tags")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
VARIES = "nbval-ignore-output"
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookProblem(Exception):
    """A notebook that can't be read or doesn't run; the message is one line for the reader."""


class ThisInterpreter(AsyncKernelManager):
    """A kernel manager whose python3 is the running interpreter, whatever kernels the machine has registered."""

    transport_encryption = "auto"  # other users of this machine can't read along; the kernel warns without it

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(**get_kernel_dict())


# Reading and writing


def read(path: Path) -> nbformat.NotebookNode:
    """The notebook at `path` in format 4.5, every cell with a valid id of its own; existing ids stay."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotebookProblem("no such file") from None
    except (OSError, ValueError) as error:
        raise NotebookProblem(f"not readable as JSON: {error}") from None
    if not isinstance(raw, dict) or raw.get("nbformat") != 4 or not isinstance(raw.get("cells"), list):
        raise NotebookProblem("not a notebook of format 4; open it in JupyterLab and save it once")
    raw["nbformat_minor"] = max(5, raw.get("nbformat_minor", 0))
    raw.setdefault("metadata", {})["kernelspec"] = KERNELSPEC
    give_ids(raw["cells"])
    for cell in raw["cells"]:
        cell.setdefault("metadata", {})
        if cell.get("cell_type") == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)
    try:
        notebook = nbformat.reads(json.dumps(raw), as_version=4)
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise NotebookProblem(f"not a valid notebook: {str(error).splitlines()[0]}") from None
    return notebook


def give_ids(cells: list[dict]) -> None:
    """Give each cell without an id, or with one that is invalid or taken, an id made from its text."""
    taken = set()
    for cell in cells:
        identity = cell.get("id")
        if isinstance(identity, str) and CELL_ID.fullmatch(identity) and identity not in taken:
            taken.add(identity)
            continue
        attempt = 0
        while True:
            seed = f"{attempt} {''.join(cell.get('source', ''))}"
            identity = hashlib.sha256(seed.encode()).hexdigest()[:8]
            if identity not in taken and identity not in {other.get("id") for other in cells}:
                break
            attempt += 1
        cell["id"] = identity
        taken.add(identity)


def as_text(notebook: nbformat.NotebookNode) -> str:
    """The notebook as it stands in its file: one blank of indentation, sorted keys, a newline at the end."""
    return nbformat.writes(notebook, indent=1).rstrip("\n") + "\n"


def write(path: Path, text: str) -> None:
    """Replace the file in one step: a full disk or an interrupt leaves the old one."""
    temporary = path.with_name(f".{path.stem}.refreshed")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.chmod(path.stat().st_mode)
        temporary.replace(path)
    except OSError as error:
        raise NotebookProblem(f"not written: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)


# Executing


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run every code cell in a clean kernel, in place. Raises NotebookProblem at the first cell that fails."""
    number = 0

    def count(cell, cell_index):
        nonlocal number
        number += cell.cell_type == "code"

    for cell in code_cells(notebook):
        cell.outputs = []
        cell.execution_count = None
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=ThisInterpreter,
        resources={"metadata": {"path": str(folder)}},
        timeout=SECONDS_PER_CELL,
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        shutdown_kernel="immediate",
        on_notebook_start=let_ctrl_c_stop_the_run,
        on_cell_start=count,
    )
    try:
        with tempfile.TemporaryDirectory(prefix="ipython-") as ipython_folder:
            client.execute(env=kernel_environment(ipython_folder))
    except CellTimeoutError:
        raise NotebookProblem(f"In [{number}]: still running after {SECONDS_PER_CELL} s") from None
    except CellExecutionError as error:
        value = ANSI.sub("", error.evalue).strip()
        last_line = value.splitlines()[-1] if value else ""
        raise NotebookProblem(f"In [{number}]: {error.ename}: {last_line}") from None
    except DeadKernelError:
        raise NotebookProblem(f"In [{number}]: the kernel died (out of memory, or stopped from outside)") from None
    except RuntimeError as error:
        raise NotebookProblem(f"the kernel did not start: {error}") from None


def let_ctrl_c_stop_the_run(notebook) -> None:
    """Undo nbclient's own handler, which would take Ctrl-C for a dead kernel. nbclient ends the kernel at exit."""
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)


def kernel_environment(ipython_folder: str) -> dict[str, str]:
    """This process's environment, without what would make a learner's outputs differ from a clean machine's.

    MPLBACKEND would take the place of the inline figures, PYTEST_CURRENT_TEST makes the kernel overlook output written
    below Python's own print, and a personal IPython profile may run start-up code.
    """
    environment = os.environ | {"IPYTHONDIR": ipython_folder}
    for name in ("MPLBACKEND", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    return environment


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# Dropping what varies


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Drop whatever depends on the machine, the hour or the editor."""
    kept = {name: notebook.metadata[name] for name in KEPT_NOTEBOOK_METADATA if name in notebook.metadata}
    notebook.metadata = nbformat.from_dict({**kept, "kernelspec": KERNELSPEC, "language_info": LANGUAGE})
    notebook.nbformat_minor = 5
    for cell in notebook.cells:
        cell.metadata = tidy_cell_metadata(cell.metadata)
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if "data" in output:
                tidy_data(output)
        cell.outputs = [output for output in cell.outputs if output.get("data", True)]


def tidy_cell_metadata(metadata: dict) -> nbformat.NotebookNode:
    kept = {name: metadata[name] for name in KEPT_CELL_METADATA if metadata.get(name)}
    if kept.get("slideshow", {}).get("slide_type") == "":
        del kept["slideshow"]
    return nbformat.from_dict(kept)


def tidy_data(output: nbformat.NotebookNode) -> None:
    output.data.pop(WIDGET_VIEW, None)  # its model id is random, and without a kernel it shows nothing
    if "image/png" in output.data:
        output.data["image/png"] = without_notes(fewer_colours(output.data["image/png"]))
    sizes = {kind: output.metadata[kind] for kind in output.data if kind in output.metadata}
    output.metadata = nbformat.from_dict(sizes)


def fewer_colours(picture: str) -> str:
    """A base64 PNG with a palette of at most 256 colours: a plot needs no more, and its file is a third as large."""
    image = Image.open(io.BytesIO(base64.b64decode(picture)))
    if image.mode == "P":
        return picture
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A") if "A" in image.getbands() else None)
    packed = io.BytesIO()
    paper.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode("ascii")


def without_notes(picture: str) -> str:
    """A base64 PNG without its text and time chunks, where matplotlib writes its own version."""
    png = base64.b64decode(picture)
    kept, position = [png[:8]], 8
    while position + 12 <= len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        chunk = png[position : position + 12 + length]
        if chunk[4:8] not in (b"tEXt", b"zTXt", b"iTXt", b"tIME"):
            kept.append(chunk)
        position += len(chunk)
    return base64.b64encode(b"".join(kept)).decode("ascii")


# Comparing


def texts(outputs: list) -> dict[str, str]:
    """The outputs' text by kind: what a reader sees under `shown`, then every kind that only a browser shows."""
    found = {"shown": ""}
    for output in outputs:
        if output.output_type == "stream":
            label = "" if output.name == "stdout" else f"{output.name}: "
            found["shown"] += label + output.text.rstrip("\n") + "\n"
        elif output.output_type == "error":
            found["shown"] += f"{output.ename}: {output.evalue}\n"
        else:
            for kind, value in output.data.items():
                if kind == "text/plain":
                    found["shown"] += value.rstrip("\n") + "\n"
                elif not is_picture(kind):
                    found[kind] = found.get(kind, "") + (value if isinstance(value, str) else json.dumps(value))
    return found


def pictures(outputs: list) -> list:
    return [
        output.data[kind] for output in outputs if "data" in output for kind in sorted(output.data) if is_picture(kind)
    ]


def is_picture(kind: str) -> bool:
    return kind.startswith("image/") and kind != "image/svg+xml"


def varies_only_in_digits(old: list, new: list) -> bool:
    """True if the two outputs have the same kinds in the same order and the same text around the digits."""

    def outline(outputs):
        kinds = [(output.output_type, *sorted(output.get("data", []))) for output in outputs]
        masked = {kind: re.sub(r"[-+\d.,\s]+(?:e[-+]\d+\s*)?", "#", text) for kind, text in texts(outputs).items()}
        return kinds, masked

    return bool(old) and outline(old) == outline(new)


def moves(old: nbformat.NotebookNode, new: nbformat.NotebookNode) -> list[str]:
    """One or more lines for each code cell whose output moved."""
    before, after = code_cells(old), code_cells(new)
    if not any(cell.outputs for cell in before):
        outputs = sum(bool(cell.outputs) for cell in after)
        figures = sum(len(pictures(cell.outputs)) for cell in after)
        return [f"first outputs: {outputs} of {len(after)} code cells, {figures} of them pictures"] if outputs else []
    lines = []
    for number, (was, now) in enumerate(zip(before, after, strict=True), start=1):
        old_texts, new_texts = texts(was.outputs), texts(now.outputs)
        if old_texts["shown"] != new_texts["shown"]:
            lines.append(f"In [{number}]:")
            lines += diff(old_texts["shown"], new_texts["shown"])
        elif old_texts != new_texts:
            kinds = sorted(kind for kind in old_texts | new_texts if old_texts.get(kind) != new_texts.get(kind))
            lines.append(f"In [{number}]: {', '.join(kinds)} changed, its plain text did not")
        if pictures(was.outputs) != pictures(now.outputs):
            lines.append(f"In [{number}]: picture changed")
    return lines


def diff(old: str, new: str) -> list[str]:
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm=""))[2:]
    lines = [line for line in lines if not line.startswith("@@")]
    if len(lines) > DIFF_LINES:
        lines[DIFF_LINES:] = [f"... {len(lines) - DIFF_LINES} more lines"]
    return [f"    {line}" for line in lines]


# One notebook, all notebooks


def refresh(path: Path, *, check: bool = False, renew: bool = False) -> tuple[bool, list[str]]:
    """Execute one notebook and, unless `check`, write it back. Returns whether its file moved, and lines that say how.

    Raises NotebookProblem if it can't be read or a cell fails; the file is then untouched.
    """
    notebook = read(path)
    old = copy.deepcopy(notebook)
    execute(notebook, path.resolve().parent)
    tidy(notebook)
    notes = []
    if not renew:
        notes = keep_what_varies(old, notebook)
    text = as_text(notebook)
    if text == path.read_text(encoding="utf-8"):
        return False, ["nothing moved", *notes]
    lines = moves(old, notebook) or ["outputs as before; metadata, ids or counts tidied"]
    if not check:
        write(path, text)
    return True, [*lines, *notes]


def keep_what_varies(old: nbformat.NotebookNode, new: nbformat.NotebookNode) -> list[str]:
    """Put stored outputs back where they vary by nature and moved in nothing but digits and pictures."""
    stored = copy.deepcopy(old)
    tidy(stored)
    notes = []
    for number, (was, now) in enumerate(zip(code_cells(stored), code_cells(new), strict=True), start=1):
        if VARIES not in now.metadata.get("tags", []) or was.outputs == now.outputs:
            continue
        if varies_only_in_digits(was.outputs, now.outputs):
            now.outputs = was.outputs
            for output in now.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = now.execution_count
            notes.append(f"In [{number}]: varies by nature, stored output kept (--renew stores the new one)")
    return notes


def course_notebooks() -> list[Path]:
    folder = ROOT / "notebooks"
    return sorted(folder.glob("*.ipynb")) + sorted((folder / "solutions").glob("*.ipynb"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Execute notebooks from clean kernels and store their outputs.")
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks; by default the whole course")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything would move")
    parser.add_argument("--renew", action="store_true", help=f"store new outputs of cells tagged {VARIES}, too")
    options = parser.parse_args(arguments)
    paths = options.paths or course_notebooks()
    if not paths:
        print("no notebooks found in notebooks/", file=sys.stderr)
        return 1
    failed, moved = [], []
    for path in paths:
        name = os.path.relpath(path)
        print(f"{name} ...", end=" ", flush=True)
        start = time.perf_counter()
        try:
            changed, lines = refresh(path, check=options.check, renew=options.renew)
        except NotebookProblem as problem:
            failed.append(name)
            print(f"FAILED, file left as it was\n  {name}, {problem}", flush=True)
            continue
        seconds = f"{time.perf_counter() - start:.1f} s"
        if changed:
            moved.append(name)
            print(seconds, *lines, sep="\n  ", flush=True)
        else:
            print(seconds, "; ".join(lines), sep=", ", flush=True)
    if failed:
        print(f"{len(failed)} of {len(paths)} notebooks failed: {', '.join(failed)}", file=sys.stderr)
    if moved and options.check:
        print(f"{len(moved)} of {len(paths)} notebooks would move; run make refresh", file=sys.stderr)
    return 1 if failed or (moved and options.check) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nstopped; the notebook that was running is as it was")
