"""Execute notebooks from clean kernels, store their outputs, and print what moved.

    python -m helpers.authoring.refresh                                   every chapter and every solutions notebook
    python -m helpers.authoring.refresh notebooks/01_least_squares.ipynb  this one

The kernel is this interpreter, in the notebook's folder. A notebook is written only after all of its cells ran. What is
written depends on the code alone: streams are merged, timestamps, widget views, notes inside PNG files and the metadata
of editors are dropped, ids and tags stay. A second run changes no byte. The output of a cell tagged
`nbval-ignore-output` varies: while only its digits and pictures change, the stored one stays, until it is cleared.
"""

import asyncio
import base64
import contextlib
import copy
import io
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbconvert.preprocessors import ClearOutputPreprocessor
from nbdime import diff_notebooks
from nbdime.prettyprint import PrettyPrintConfig, pretty_print_diff
from PIL import Image

from helpers.authoring.notebooks import CHAPTERS, ROOT, SOLUTIONS, WIDGET_VIEW, as_text, code_cells
from helpers.authoring.surroundings import settle

SECONDS_PER_CELL = 120
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}
KEPT_NOTEBOOK_METADATA = ("title",)
KEPT_CELL_METADATA = ("jupyter", "slideshow", "tags")
VARIES = "nbval-ignore-output"
DIGITS = re.compile(r"[-+\d.,\s]+(?:e[-+]\d+\s*)?")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookProblem(Exception):
    """A notebook that can't be read or doesn't run; the message is one line for the reader."""


class ThisInterpreter(AsyncKernelManager):
    """A kernel manager whose python3 is the running interpreter, whatever kernels the machine has registered."""

    transport_encryption = "auto"  # other users of this machine can't read along; the kernel warns without it

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(**get_kernel_dict())


def read(path: Path) -> nbformat.NotebookNode:
    """The notebook at `path` in format 4.5, every cell with an id of its own. Raises NotebookProblem."""
    try:
        _, notebook = nbformat.validator.normalize(nbformat.read(path, as_version=4))
        nbformat.validate(notebook)
    except FileNotFoundError:
        raise NotebookProblem("no such file") from None
    except (OSError, ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise NotebookProblem(f"not a valid notebook: {str(error).splitlines()[0]}") from None
    return notebook


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


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run every code cell in a clean kernel, in place. Raises NotebookProblem at the first cell that fails."""
    ClearOutputPreprocessor().preprocess(notebook, {})
    client = NotebookClient(
        notebook, kernel_name="python3", kernel_manager_class=ThisInterpreter, timeout=SECONDS_PER_CELL,
        coalesce_streams=True, shutdown_kernel="immediate", on_notebook_start=let_ctrl_c_stop_the_run,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    try:
        client.execute(env=kernel_environment())
    except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
        number = max((cell.execution_count or 0 for cell in code_cells(notebook)), default=0)
        (*_, words) = ANSI.sub("", getattr(error, "evalue", str(error))).strip().splitlines() or [""]
        raise NotebookProblem(f"In [{number}]: {getattr(error, 'ename', type(error).__name__)}: {words}") from None


def let_ctrl_c_stop_the_run(notebook) -> None:
    """Undo nbclient's own handler, which would take Ctrl-C for a dead kernel. nbclient ends the kernel at exit."""
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)


def kernel_environment() -> dict[str, str]:
    """This process's environment, without what would make a learner's outputs differ from a clean machine's.

    PYTEST_CURRENT_TEST makes the kernel overlook output written below Python's own print.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    settle(ROOT / "_build" / "settings", environment)
    return environment


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Drop whatever depends on the machine, the hour or the editor."""
    kept = {name: notebook.metadata[name] for name in KEPT_NOTEBOOK_METADATA if name in notebook.metadata}
    notebook.metadata = nbformat.from_dict({**kept, "kernelspec": KERNELSPEC, "language_info": LANGUAGE})
    notebook.nbformat_minor = 5
    for cell in notebook.cells:
        kept = {name: cell.metadata[name] for name in KEPT_CELL_METADATA if cell.metadata.get(name)}
        cell.metadata = nbformat.from_dict(kept)
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if "data" in output:
                output.data.pop(WIDGET_VIEW, None)  # its model id is random, and without a kernel it shows nothing
                if "image/png" in output.data:
                    output.data["image/png"] = fewer_colours(output.data["image/png"])
                output.metadata = nbformat.from_dict({k: v for k, v in output.metadata.items() if k in output.data})
        cell.outputs = [output for output in cell.outputs if output.get("data", True)]


def fewer_colours(picture: str) -> str:
    """A base64 PNG with a palette of at most 256 colours and no notes: a third of the bytes, and all a plot needs."""
    image = Image.open(io.BytesIO(base64.b64decode(picture)))
    if image.mode == "P":
        return picture
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A") if "A" in image.getbands() else None)
    packed = io.BytesIO()
    paper.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode("ascii")


def keep_what_varies(old: nbformat.NotebookNode, new: nbformat.NotebookNode) -> list[str]:
    """Put stored outputs back where they vary by nature and moved in nothing but digits and pictures."""
    notes = []
    for number, (was, now) in enumerate(zip(code_cells(old), code_cells(new), strict=True), start=1):
        varies = VARIES in now.metadata.get("tags", []) and was.outputs != now.outputs
        if varies and without_digits(was.outputs) == without_digits(now.outputs):
            now.outputs = was.outputs
            for output in now.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = now.execution_count
            notes.append(f"In [{number}]: varies by nature, the stored output is kept")
    return notes


def without_digits(outputs: list[nbformat.NotebookNode]) -> str:
    """Outputs as text, each run of digits as one #, of a picture only that there is one."""
    text = re.sub(r'("image/(?:png|jpeg)": ")[^"]*', r"\1", json.dumps(outputs, sort_keys=True))
    return DIGITS.sub("#", re.sub(r'"execution_count": \d+', "", text))


def what_moved(old: nbformat.NotebookNode, new: nbformat.NotebookNode) -> str:
    """The differences of two notebooks in nbdime's words, in which /cells/3 is the fourth cell."""
    said = io.StringIO()
    without_counts = SimpleNamespace(details=False)
    style = PrettyPrintConfig(out=said, include=without_counts, use_color=False, use_git=False, use_diff=False)
    pretty_print_diff(old, diff_notebooks(old, new), "", style)
    return said.getvalue().strip() or "outputs as before; counts or ids tidied"


def refresh(path: Path) -> tuple[bool, str]:
    """Execute one notebook and write it back. Returns whether its file moved, and what moved.

    Raises NotebookProblem if it can't be read or a cell fails; the file is then untouched.
    """
    notebook = read(path)
    old = copy.deepcopy(notebook)
    execute(notebook, path.resolve().parent)
    tidy(notebook)
    stored = copy.deepcopy(old)
    tidy(stored)
    notes = keep_what_varies(stored, notebook)
    text = as_text(notebook)
    moved = text != path.read_text(encoding="utf-8")
    if moved:
        write(path, text)
    return moved, "\n".join([what_moved(old, notebook) if moved else "nothing moved", *notes])


def main(arguments: list[str]) -> int:
    """Refresh the notebooks at these paths, or the whole course; returns the exit code, 1 if one of them failed."""
    failed = []
    for path in map(Path, arguments or [*CHAPTERS, *SOLUTIONS]):
        name, start = os.path.relpath(path), time.perf_counter()
        print(f"{name} ...", end=" ", flush=True)
        try:
            moved, words = refresh(path)
        except NotebookProblem as problem:
            failed.append(name)
            print(f"FAILED, file left as it was\n  {name}, {problem}", flush=True)
        else:
            print(f"{time.perf_counter() - start:.1f} s", words, sep="\n" if moved else ", ", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nstopped; the notebook that was running is as it was")
