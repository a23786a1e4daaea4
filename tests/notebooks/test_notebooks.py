"""What is true of every notebook as it is stored. Nothing is executed here: nbval does that."""

import copy
import dis
import inspect
import re
import statistics
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from notebook_tools import (
    CHAPTERS,
    ROOT,
    SOLUTIONS,
    Notebook,
    Sources,
    has_picture,
    images,
    label,
    links,
    neighbours,
    output_text,
    page,
    prose,
    quoted_numbers,
    save,
    split_comments,
    stream,
    tags,
    unsupported_numbers,
)

from helpers.authoring.notebooks import slide_type
from helpers.authoring.refresh import KERNELSPEC, VARIES

# Numbers in prose that no output and no code of the notebook holds: {notebook: {number as quoted: reason}}.
ALLOWED_NUMBERS: dict[str, dict[str, str]] = {
    "01_least_squares": {"32": "the definition of degrees Fahrenheit, in a formula"},
    "16_how_right_is_r": {"18 000": "the thousand from which R leaves the parabola out, found by trying"},
}

FIT_SOMETHING = ("01", "02", "03", "04", "05", "10", "11", "13")

LARGEST_FILE = 500_000
LONGEST_CELL = 20
MEDIAN_BELOW = 6
MOST_VARYING_CELLS = 3
CHECK = "exercise-check"
EXERCISE_CALL = re.compile(r"\bcheck\.(\w+)\(")
UNANSWERED = "not answered yet"
TICK = re.compile("[✓✔]")
SAYS_IT_VARIES = re.compile(r"\b(?:var(?:y|ies)|differs?|depends? on (?:the|your) (?:machine|computer))\b")
LABELS = ("You will be able to", "You need", "Time", "In the sources")
ABSOLUTE_PATH = re.compile(
    r"(?<![\w./:-])/(?:home|root|tmp|work|mnt|opt|private|usr|var|Users)\b|\b[A-Za-z]:\\{1,2}(?:Users|Windows|Program|Temp)"
)
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")
RAW_REPR = re.compile(r"\bnp\.(?:float|int|uint|bool|str)\w*\(")
WARNING = re.compile(r"\b[A-Za-z]*Warning\b(?: message)?:")
LONGEST_ROAD = 50
TASK = re.compile(r"^(?:## |\*\*)(\d{1,2}\.\d\b(?: Open\b)?)", re.MULTILINE)
REFERENCE = ("[Symbols](symbols.md)", "[Glossary](13_the_whole_walk.ipynb#Glossary)")
FOLD = r"<details><summary>For the teacher</summary>\n\n{}\n\n</details>"
NOTE = re.compile(FOLD.format(r"\*\*(\d+) minutes\.\*\* (.+?)"), re.DOTALL)
NOTE_WORDS = range(60, 121)
RULES = {}


def rule(function):
    RULES[function.__name__] = function
    return function


def numbered(notebook: Notebook):
    return enumerate(notebook.code, start=1)


def without_notes(notebook: Notebook) -> list:
    """The cells but for those for the teacher, of which a lone reader sees one closed line."""
    return [cell for cell in notebook.cells if slide_type(cell) != "notes"]


# The file


@rule
def valid_format(notebook):
    """Format 4.5, valid, each cell with an id of its own."""
    raw = notebook.raw
    if (raw.get("nbformat"), raw.get("nbformat_minor")) != (4, 5):
        yield f"format {raw.get('nbformat')}.{raw.get('nbformat_minor')}, not 4.5"
    identities = [cell.get("id") for cell in raw["cells"]]
    if len(set(identities)) < len(identities):
        yield "a cell id occurs more than once"
    for error in nbformat.validator.iter_validate(raw):
        yield error.message[:200]


@rule
def python3_kernel(notebook):
    if notebook.raw["metadata"].get("kernelspec") != KERNELSPEC:
        yield f"kernelspec is {notebook.raw['metadata'].get('kernelspec')}; run make refresh"


@rule
def small_file(notebook):
    size = notebook.path.stat().st_size
    if size >= LARGEST_FILE:
        yield f"{size} bytes, not under {LARGEST_FILE}"


@rule
def executed_in_order(notebook):
    """Counts run 1 to N: nbval compares nothing in a cell without a count."""
    counts = [cell.execution_count for cell in notebook.code]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}; run make refresh"
    for number, cell in numbered(notebook):
        if not cell.source.strip():
            yield f"{label(number)} is empty"


# Outputs


@rule
def no_errors_or_stderr(notebook):
    for number, cell in numbered(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{label(number)} stores the error {output.ename}"
            if output.output_type == "stream" and output.name == "stderr":
                yield f"{label(number)} stores stderr: {output.text[:80]!r}"


@rule
def no_absolute_paths(notebook):
    for position, cell in enumerate(notebook.cells):
        text = cell.source + "\n" + (output_text(cell) if cell.cell_type == "code" else "")
        for match in ABSOLUTE_PATH.finditer(text):
            yield f"cell {position} ({cell.cell_type}) has the absolute path {text[match.start() :][:40]!r}"


@rule
def no_raw_reprs_or_warnings(notebook):
    for number, cell in numbered(notebook):
        text = output_text(cell)
        for pattern, name in ((ADDRESS, "a memory address"), (RAW_REPR, "a raw repr"), (WARNING, "a warning")):
            if match := pattern.search(text):
                yield f"{label(number)} prints {name}: {text[max(0, match.start() - 30) : match.end() + 30]!r}"


@rule
def pictures_are_followed_by_words(notebook):
    for _, cell, following in neighbours(without_notes(notebook)):
        if cell.cell_type == "code" and has_picture(cell):
            if following is None or following.cell_type != "markdown":
                yield f"{label(notebook.code.index(cell) + 1)} draws a figure; the cell after it is no markdown"


# Markdown


@rule
def images_have_alt_text_and_exist(notebook):
    for cell in notebook.markdown:
        for alt, source in images(cell.source):
            if len(alt.split()) < 3:
                yield f"{source} has the alternative text {alt!r}; say what it shows"
            if ":" in source or not (notebook.path.parent / unquote(source)).is_file():
                yield f"picture {source} is no file of the repository"


@rule
def links_resolve(notebook):
    for cell in notebook.markdown:
        for _, target in links(cell.source):
            if re.match(r"(?:https?|mailto):", target):
                continue
            name, _, anchor = unquote(target).partition("#")
            path = notebook.path.parent / name if name else notebook.path
            if name.startswith("/") or not path.exists():
                yield f"link {target} leads nowhere"
            elif anchor and anchor not in anchors_of(path):
                yield f"link {target}: no such heading"


def anchors_of(path: Path) -> set[str]:
    """What `#...` may point at in a page: its headings, with hyphens for blanks."""
    if path.suffix == ".ipynb":
        sources = [cell.source for cell in Notebook.read(path).markdown]
    else:
        sources = [path.read_text(encoding="utf-8")]
    return {unquote(heading["id"]) for source in sources for heading in page(source)(id=True)}


@rule
def navigation(notebook):
    """The last markdown cell links to the chapters around, contents, symbols and glossary; a solution links back."""
    found = links(notebook.markdown[-1].source) if notebook.markdown else []
    if notebook.is_solution:
        if f"../{notebook.path.name}" not in [target for _, target in found]:
            yield f"the last markdown cell has no link to ../{notebook.path.name}"
        return
    chapters = sorted({*notebook.path.parent.glob("[0-9][0-9]_*.ipynb"), notebook.path})
    position = chapters.index(notebook.path)
    before = chapters[position - 1] if position else None
    after = chapters[position + 1] if position + 1 < len(chapters) else None
    lines = []
    for contents in ("00_start_here.ipynb", "../README.md") if position else ("../README.md",):
        parts = [f"[< {title_of(before)}]({before.name})"] if before else []
        parts.append(f"[Contents]({contents})")
        parts += [f"[{title_of(after)} >]({after.name})"] if after else []
        lines.append(" | ".join([*parts, *REFERENCE]))
    if not notebook.markdown or not set(lines) & set(notebook.markdown[-1].source.splitlines()):
        yield f"the last markdown cell lacks this line: {lines[0]}"


def title_of(path: Path) -> str:
    return Notebook.read(path).title


@rule
def opening_and_headings(notebook):
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not re.match(rf"# {notebook.number} \S", first.source):
        yield f"the first cell does not start with '# {notebook.number} Title'"
    if notebook.is_solution:
        return
    for text in LABELS:
        if not re.search(rf"\b{text}\b", notebook.opening):
            yield f"no {text!r} before the first code cell"
    headings = [tag.get_text() for cell in notebook.markdown for tag in page(cell.source)("h2")]
    needed = ["Recap", "Exercises"] + (["Scoreboard"] if notebook.number in FIT_SOMETHING else [])
    for text in needed:
        if text not in headings:
            yield f"no heading '## {text}'"


@rule
def times_are_computed(notebook):
    """The opening says what the main road takes, at most fifty minutes, and what the side paths take."""
    if notebook.is_solution:
        return
    road, side = notebook.minutes("road"), notebook.minutes("side path")
    said = f"{road} minutes" + (f", side paths {side} more" if side else "")
    if not re.search(rf"\*\*Time\*\*[ |]*{said}(?!, side)", notebook.opening):
        yield f"the opening doesn't say: **Time** | {said}"
    if road > LONGEST_ROAD:
        yield f"the main road takes {road} minutes, more than {LONGEST_ROAD}: what could be a side path?"


@rule
def side_paths_can_be_left_out(notebook):
    """A talk is the main road, and no name that a side path defines is needed after it, not in another one either."""
    defined, owed, own = set(), {}, set()
    for (number, cell), place in zip(enumerate(notebook.cells), notebook.places, strict=True):
        if place == "side path" and slide_type(cell) not in ("skip", "notes"):
            yield f"cell {number} of a side path is no slide: its slide type is skip"
        if cell.cell_type != "code":
            own = set() if re.match(r"#+ Side path", cell.source) else own
            continue
        stored, loaded = names_in(cell.source)
        own = own | stored if place == "side path" else set()
        for name in sorted(loaded & owed.keys() - defined - own):
            yield f"cell {number} needs {name}, which a side path defines"
        if place == "side path":
            owed |= {name: number for name in stored - defined}
        else:
            defined |= stored


def names_in(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell defines at its top level, and those that it reads and doesn't define itself."""
    try:
        codes = [compile(source, "cell", "exec")]
    except SyntaxError:  # a cell in R
        return set(re.findall(r"(?<=-o )\w+", source)), set(re.findall(r"(?<=-i )\w+", source))
    stored, loaded = [], set()
    for code in codes:  # the cell's, and that of each function and class in it
        codes += filter(inspect.iscode, code.co_consts)
        names = [(step.opname, step.argval) for step in dis.get_instructions(code)]
        stored.append({name for operation, name in names if operation == "STORE_NAME"})
        loaded |= {name for operation, name in names if operation in ("LOAD_NAME", "LOAD_GLOBAL")} - stored[-1]
    return stored[0], loaded - stored[0]


# Code


@rule
def one_idea_per_cell(notebook):
    lengths = []
    for number, cell in numbered(notebook):
        lines = cell.source.strip("\n").split("\n")
        lengths.append(sum(bool(line.strip()) for line in lines))
        if len(lines) > LONGEST_CELL:
            yield f"{label(number)} has {len(lines)} lines, more than {LONGEST_CELL}"
    if lengths and statistics.median(lengths) >= MEDIAN_BELOW:
        yield f"the median code cell has {statistics.median(lengths):g} lines, not under {MEDIAN_BELOW}"


@rule
def no_semicolon_at_the_end(notebook):
    """A semicolon hides an output from the learner and not from nbval."""
    for number, cell in numbered(notebook):
        if split_comments(cell.source)[0].rstrip().endswith(";"):
            yield f"{label(number)} ends in a semicolon; end a figure with plt.show()"


@rule
def words_before_code(notebook):
    for previous, cell, _ in neighbours(without_notes(notebook)):
        if cell.cell_type != "code" or CHECK in tags(cell):
            continue
        if previous is None or previous.cell_type != "markdown":
            yield f"{label(notebook.code.index(cell) + 1)} has no markdown cell before it"


@rule
def few_cells_vary_and_say_so(notebook):
    varying = 0
    for number, cell in numbered(notebook):
        for tag in tags(cell):
            if tag not in (VARIES, CHECK) and re.search(r"nbval|raises|skip|exercise|check", tag):
                yield f"{label(number)} has the tag {tag!r}; only {VARIES!r} and {CHECK!r} are used"
        if match := re.search(r"#\s*(?:NBVAL_\w+|PYTEST_VALIDATE_\w+)", cell.source):
            yield f"{label(number)} has the comment {match[0]!r}; use the tag {VARIES!r}"
        if VARIES not in tags(cell):
            continue
        varying += 1
        cells = without_notes(notebook)
        position = cells.index(cell)
        before = cells[position - 1].source if position else ""
        if not SAYS_IT_VARIES.search(before + "\n" + split_comments(cell.source)[1]):
            yield f"{label(number)} is tagged {VARIES}; neither the cell before it nor a comment says that it varies"
    if varying > MOST_VARYING_CELLS:
        yield f"{varying} cells are tagged {VARIES}, more than {MOST_VARYING_CELLS}"


# Speaker notes


@rule
def speaker_notes(notebook):
    """Folded, opening with their minutes, short; before the exercises the minutes add up to the chapter's time."""
    minutes, exercises = [], False
    for position, cell in enumerate(notebook.cells):
        exercises = exercises or (cell.cell_type == "markdown" and "## Exercises" in cell.source.splitlines())
        if slide_type(cell) != "notes":
            continue
        match = NOTE.fullmatch(cell.source)
        if match is None:
            yield f"cell {position}: a speaker note opens with its fold and with '**N minutes.** ', and closes the fold"
            continue
        words = len(match[2].split())
        if words not in NOTE_WORDS:
            yield f"cell {position}: a speaker note of {words} words, not {NOTE_WORDS[0]} to {NOTE_WORDS[-1]}"
        if not exercises:
            minutes.append(int(match[1]))
    time = re.search(r"\bTime\b\D*(\d+) minutes", notebook.opening)
    if minutes and time and sum(minutes) != int(time[1]):
        yield f"the notes before the exercises add up to {sum(minutes)} minutes, the opening says {time[1]}"


# Exercises


@rule
def exercises_are_checked_and_solved(notebook):
    """In a chapter each check is asked and unanswered, and its solutions notebook answers it."""
    if not notebook.twin.exists():
        yield f"{notebook.twin.parent.name}/{notebook.twin.name} does not exist"
    if notebook.is_solution:
        return
    solved = ticked_checks(Notebook.read(notebook.twin)) if notebook.twin.exists() else set()
    asked = set()
    for number, cell in numbered(notebook):
        calls = EXERCISE_CALL.findall(split_comments(cell.source)[0])
        if bool(calls) != (CHECK in tags(cell)):
            yield f"{label(number)}: a cell has the tag {CHECK!r} if, and only if, it calls check.<name>(...)"
        asked.update(calls)
        if calls and UNANSWERED not in output_text(cell).lower():
            yield f"{label(number)} does not print {UNANSWERED!r}"
    if not asked:
        yield "no exercise is checked"
    for place in (notebook, *([Notebook.read(notebook.twin)] if notebook.twin.exists() else [])):
        found = [task for cell in place.markdown for task in TASK.findall(cell.source)]
        wanted = [f"{int(notebook.number)}.{count}" for count in range(1, len(found) + 1)]
        if notebook.number != "00":
            wanted[-1:] = [f"{wanted[-1]} Open"] if wanted else ["an open task"]
        if found != wanted:
            yield f"{place.path.parent.name}/{place.name} has the exercises {found}, not {wanted}"
    for name in sorted(asked - solved):
        yield f"check.{name} has no tick in the solutions notebook"


def ticked_checks(notebook: Notebook) -> set[str]:
    """The checks whose every call in this notebook prints a tick."""
    ticked, missed = set(), set()
    for cell in notebook.code:
        calls = EXERCISE_CALL.findall(split_comments(cell.source)[0])
        (ticked if len(TICK.findall(output_text(cell))) >= len(calls) else missed).update(calls)
    return ticked - missed


@rule
def numbers_in_prose_are_computed(notebook):
    """Every number that a sentence quotes stands, rounded alike, in an output or in code of the same notebook."""
    allowed = ALLOWED_NUMBERS.get(notebook.name, {})
    for number, around in unsupported_numbers(notebook):
        if number not in allowed:
            yield f"{number} is in no output and no code: ... {around} ..."


# The rules, applied


def notebook_id(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}" if path.parent.name == "solutions" else path.stem


def problems_of(notebook: Notebook) -> dict[str, list[str]]:
    found = {name: list(check(notebook)) for name, check in RULES.items()}
    return {name: problems for name, problems in found.items() if problems}


@pytest.mark.parametrize("path", CHAPTERS + SOLUTIONS, ids=notebook_id)
def test_a_notebook_keeps_every_rule(path):
    broken = problems_of(Notebook.read(path))
    assert not broken, "\n".join(f"{name}: {problem}" for name, problems in broken.items() for problem in problems)


def test_the_chapters_are_numbered_without_a_gap_and_no_other_notebook_is_there():
    names = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    assert [name[:3] for name in names] == [f"{number:02d}_" for number in range(18)]


def test_contributors_read_the_bounds_that_the_rules_keep():
    page = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"at most {LONGEST_CELL} lines, the median cell fewer than {MEDIAN_BELOW}." in page
    assert f"have {NOTE_WORDS[0]} to {NOTE_WORDS[-1]} words" in page and f"under {LARGEST_FILE // 1000} kB" in page
    assert f"`{VARIES}`" in page and f"`{CHECK}`" in page and all(f"*{words}*" in page for words in LABELS)


@pytest.mark.parametrize("name", ALLOWED_NUMBERS)
def test_no_allowed_number_is_needless(name):
    paths = [path for path in CHAPTERS + SOLUTIONS if path.stem == name]
    needed = {number for path in paths for number, _ in unsupported_numbers(Notebook.read(path))}
    assert set(ALLOWED_NUMBERS[name]) - needed == set()
    assert all(len(reason.split()) >= 3 for reason in ALLOWED_NUMBERS[name].values())


# The rules can fail: a small chapter that keeps them all, and one change that breaks each

OPENING = """# 01 Small

**You will be able to** read. **You need** eyes. **Time** 5 minutes. **In the sources** A: Configuration; B: 6.1.3.
"""
NAVIGATION = "[< 00 Start](00_start_here.ipynb) | [Contents](00_start_here.ipynb) | [02 Next >](02_next.ipynb) | "
NAVIGATION += " | ".join(REFERENCE)
PNG = "iVBORw0KGgo="


def small_chapter() -> list:
    figure = new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure size 640x480 with 1 Axes>"})
    return [
        new_markdown_cell(OPENING),
        new_markdown_cell("## The slope\n\nPredict it. See [it](#Recap) or [the next](02_next.ipynb#A-heading)."),
        new_code_cell("print(f'{slope:.4f}')", outputs=[stream("0.5368\n")]),
        new_markdown_cell("It is 0.54: ![A line through eleven points](../images/line.svg)"),
        new_code_cell("plt.show()", outputs=[figure]),
        new_markdown_cell("The figure shows a line. The next output varies from run to run."),
        new_code_cell("seconds()", outputs=[stream("1.5 ms\n")], metadata={"tags": [VARIES]}),
        new_markdown_cell("## Scoreboard\n\n## Recap\n\n## Exercises\n\n**1.1** Find it.\n\n**1.2 Open.** Draw it."),
        new_code_cell("def answer():\n    return None"),
        new_code_cell("check.slope(answer)", outputs=[stream("not answered yet\n")], metadata={"tags": [CHECK]}),
        new_markdown_cell(NAVIGATION),
    ]


def small_solution() -> list:
    return [
        new_markdown_cell("# 01 Small: solutions"),
        new_code_cell("check.slope(answer)", outputs=[stream("✓ It is the slope.\n")]),
        new_markdown_cell("## 1.1 The slope\n\n## 1.2 Open: a drawing"),
        new_markdown_cell("[< Back to 01 Small](../01_small.ipynb)"),
    ]


@pytest.fixture
def course(tmp_path):
    """Writes a course of three chapters around one list of cells and returns that chapter as a Notebook."""

    def write(cells, solution=None, metadata=None) -> Notebook:
        (tmp_path / "images").mkdir()
        (tmp_path / "images" / "line.svg").write_text("<svg/>")
        folder = tmp_path / "notebooks"
        (folder / "solutions").mkdir(parents=True)
        (folder / "symbols.md").write_text("# Symbols")
        notebooks = {
            "00_start_here": [new_markdown_cell("# 00 Start")],
            "01_small": cells,
            "02_next": [new_markdown_cell("# 02 Next\n\n## A heading")],
            "13_the_whole_walk": [new_markdown_cell("# 13 The whole walk\n\n## Glossary")],
            "solutions/01_small": small_solution() if solution is None else solution,
        }
        for name, content in notebooks.items():
            code = [cell for cell in content if cell.cell_type == "code"]
            for count, cell in enumerate(code, start=1):
                cell.execution_count = count if cell.execution_count is None else cell.execution_count
            save(folder / f"{name}.ipynb", content, **(metadata or {"kernelspec": KERNELSPEC}))
        return Notebook.read(folder / "01_small.ipynb")

    return write


def test_a_good_chapter_and_its_solutions_keep_every_rule(course):
    notebook = course(small_chapter())
    assert problems_of(notebook) == {}
    assert problems_of(Notebook.read(notebook.twin)) == {}


def test_a_note_in_good_form_breaks_no_rule(course):
    cells = small_chapter()
    note("**4 minutes.** " + "word " * 60)(cells)
    note("**1 minutes.** " + "word " * 120, 5)(cells)
    note("**30 minutes.** " + "word " * 60, 10)(cells)  # the exercises have their own time
    assert problems_of(course(cells)) == {}


@pytest.mark.parametrize(
    ("inside", "after"), [("more = 1", "less = 1"), ("more = [u for u in slope]", "more = u = 2\nu + more")]
)
def test_a_side_path_that_can_be_left_out_breaks_no_rule(inside, after, course):
    cells = small_chapter()
    side_path("skip", inside, after)(cells)
    assert problems_of(course(cells)) == {}


def change(position, *, add="", **fields):
    """A function that sets fields of the cell at `position`, or adds to its source."""

    def apply(cells):
        cells[position].update(nbformat.from_dict(fields))
        cells[position].source += add

    return apply


def tagged(position, *names):
    return change(position, metadata={"tags": list(names)})


def prints(position, text, name="stdout"):
    return change(position, outputs=[stream(text, name)])


def drop(position):
    return lambda cells: cells.pop(position)


def many_varying(cells):
    cells[7:7] = [copy.deepcopy(cells[position]) for position in (5, 6) * 3]


def note(text, position=1):
    """Adds a speaker note before the cell at `position`."""

    def change(cells):
        folded = f"<details><summary>For the teacher</summary>\n\n{text}\n\n</details>"
        cells.insert(position, new_markdown_cell(folded, metadata={"slideshow": {"slide_type": "notes"}}))

    return change


def side_path(kind, inside, after):
    """Adds a side path of one cell of code behind the cell at position 3, and a cell of code after it."""

    def change(cells):
        metadata = {"slideshow": {"slide_type": kind}}
        path = [new_markdown_cell("### Side path: more", metadata=metadata), new_code_cell(inside, metadata=metadata)]
        cells[4:4] = [*path, new_markdown_cell("## Back"), new_code_cell(after), new_markdown_cell("On.")]
        cells[0].source = cells[0].source.replace("5 minutes", "5 minutes, side paths 5 more")

    return change


BREAKS = [
    ("valid_format", lambda cells: cells[1].update(id=cells[2].id)),
    ("valid_format", change(3, id="not valid!")),
    ("small_file", prints(2, "x" * LARGEST_FILE)),
    ("executed_in_order", change(4, execution_count=7)),
    ("executed_in_order", change(4, source=" \n")),
    ("no_errors_or_stderr", change(4, outputs=[new_output("error", ename="ValueError", evalue="no", traceback=[])])),
    ("no_errors_or_stderr", prints(4, "loading\n", "stderr")),
    ("no_absolute_paths", prints(4, "saved in /home/jo/model.pt\n")),
    ("no_absolute_paths", change(4, source="open('C:\\\\Users\\\\jo')")),
    ("no_absolute_paths", change(3, add=" It is in `/tmp`.")),
    ("no_raw_reprs_or_warnings", prints(4, "<function f at 0x7f3a>\n")),
    ("no_raw_reprs_or_warnings", prints(4, "(np.float64(1.5), 2)\n")),
    ("no_raw_reprs_or_warnings", prints(4, "UserWarning: sizes differ\n")),
    ("no_raw_reprs_or_warnings", prints(4, "Warning message:\nNAs\n")),
    ("pictures_are_followed_by_words", drop(5)),
    ("images_have_alt_text_and_exist", change(3, source="![a line](../images/line.svg)")),
    ("images_have_alt_text_and_exist", change(3, source="![A line through points](../images/lines.svg)")),
    ("links_resolve", change(3, add=" See [it](03_nowhere.ipynb).")),
    ("links_resolve", change(3, add=" See [it](#recap).")),
    ("links_resolve", change(3, add=" See [it](02_next.ipynb#No-heading).")),
    ("navigation", drop(10)),
    ("navigation", change(10, source=NAVIGATION.replace("02 Next", "02 Nest"))),
    ("navigation", change(10, source=NAVIGATION.replace("[< 00 Start](00_start_here.ipynb) | ", ""))),
    ("opening_and_headings", change(0, source=OPENING.replace("# 01", "# 02"))),
    ("opening_and_headings", change(0, source=OPENING.replace("You need", "Needed"))),
    ("opening_and_headings", change(7, source="## Scoreboard\n\n## Exercises")),
    ("opening_and_headings", change(7, source="## Recap\n\n## Exercises")),
    ("times_are_computed", change(0, source=OPENING.replace("5 minutes", "10 minutes"))),
    ("times_are_computed", change(0, source=OPENING.replace("5 minutes", "5 minutes, side paths 5 more"))),
    (
        "times_are_computed",
        lambda cells: [side_path("skip", "a = 1", "b = 1")(cells), change(0, source=OPENING)(cells)],
    ),
    ("times_are_computed", change(1, add=" word" * 51 * 150)),
    ("side_paths_can_be_left_out", side_path("skip", "more = 1", "less = more")),
    ("side_paths_can_be_left_out", side_path("fragment", "more = 1", "less = 1")),
    (
        "side_paths_can_be_left_out",
        lambda cells: [side_path("skip", text, "less = 1")(cells) for text in ("less = more", "more = 1")],
    ),
    ("one_idea_per_cell", change(4, add="\npass" * LONGEST_CELL)),
    ("one_idea_per_cell", lambda cells: [change(position, add="\na = b" * 6)(cells) for position in (2, 4, 6)]),
    ("no_semicolon_at_the_end", change(4, source="plt.show();  # draw")),
    ("words_before_code", drop(3)),
    ("words_before_code", lambda cells: cells.__delitem__(slice(2))),
    ("words_before_code", tagged(9)),
    ("few_cells_vary_and_say_so", many_varying),
    ("few_cells_vary_and_say_so", change(5, source="The figure shows a line.")),
    ("few_cells_vary_and_say_so", tagged(4, "nbval-ignore-outputs")),
    ("few_cells_vary_and_say_so", tagged(4, "raises-exception")),
    ("few_cells_vary_and_say_so", change(4, add="\n# NBVAL_SKIP")),
    ("pictures_are_followed_by_words", lambda cells: [drop(5)(cells), note("**5 minutes.** " + "w " * 60, 5)(cells)]),
    ("words_before_code", lambda cells: [drop(3)(cells), note("**5 minutes.** " + "w " * 60, 3)(cells)]),
    ("speaker_notes", note("**4 minutes.** " + "word " * 60)),
    ("speaker_notes", note("**5 minutes.** " + "word " * 59)),
    ("speaker_notes", note("**5 minutes.** " + "word " * 121)),
    ("speaker_notes", note("**5 minutes**: " + "word " * 60)),
    ("speaker_notes", change(1, metadata={"slideshow": {"slide_type": "notes"}})),
    ("exercises_are_checked_and_solved", tagged(9)),
    ("exercises_are_checked_and_solved", tagged(8, CHECK)),
    ("exercises_are_checked_and_solved", prints(9, "✓ It is the slope.\n")),
    ("exercises_are_checked_and_solved", change(9, source="check.intercept(answer)")),
    ("exercises_are_checked_and_solved", drop(9)),
    ("exercises_are_checked_and_solved", change(7, source="## Scoreboard\n\n## Recap\n\n## Exercises")),
    ("exercises_are_checked_and_solved", change(7, add="\n\n**1.2** Again.")),
    ("numbers_in_prose_are_computed", change(3, add=" It is 0.55.")),
    ("numbers_in_prose_are_computed", change(4, add="  # about 0.55")),
]


@pytest.mark.parametrize(("name", "change"), BREAKS, ids=[f"{i}-{name}" for i, (name, _) in enumerate(BREAKS)])
def test_a_rule_catches_what_breaks_it(name, change, course):
    cells = small_chapter()
    change(cells)
    assert name in problems_of(course(cells))


def test_the_kernel_and_the_solutions_are_caught_too(course, tmp_path):
    notebook = course(small_chapter(), metadata={"kernelspec": {**KERNELSPEC, "name": "my-env"}}, solution=[])
    assert {"python3_kernel", "exercises_are_checked_and_solved"} <= set(problems_of(notebook))
    assert {"navigation", "opening_and_headings"} <= set(problems_of(Notebook.read(notebook.twin)))
    notebook.twin.unlink()
    assert "exercises_are_checked_and_solved" in problems_of(notebook)


def test_every_rule_has_been_seen_to_fail():
    assert {name for name, _ in BREAKS} | {"python3_kernel"} == set(RULES)


# The matcher of quoted numbers

SOURCES = """
 -17.3047855  1.9272273 -8.97911 8.701879e-06  0.9620458  2.9276456  epochs = 20_000  5883.4  33,599  0.3821
 tensor(1763.8845)  1.94e10  4.4e-13  split(0.2)  0.1751  (4517.2964, 82.6000)  2.5e-16
"""


@pytest.mark.parametrize(
    "sentence",
    [
        "The error is 2.93.",
        "The error is 2.9276456, or 2.928.",
        "It is $-17.30$, which is 17.3 below zero, or −17.305.",
        "It takes 20 000 steps; 20,000 steps; $20\\,000$ steps; $20{,}000$ steps; 20\u202f000 steps.",
        "The p-value is $8.7 \\times 10^{-6}$, 8.70e-06, 8.7 × 10⁻⁶.",
        "It explains 96 % of the variance, $96.2\\,\\%$ to be precise.",
        "The condition number is 33 599 (33,599).",
        "It agrees to about $10^{-12}$; the numbers are near 10^10.",
        "At 38 per cent.",
        "A share of 20% is held out.",
        "Curvatures 5883.4–0.1751, that is 5883 - 0.18.",
        "Eleven points, 3 steps, 20 rows, x_{2}, `float32`, W34, in 1969 and since 2020.",
        "## 0.7 A heading\n\n**1.7** Write it.\n\n25. An item that takes 25 to 50 minutes.",
        "See [chapter 3](99_x.ipynb) and ![a picture](../images/99.svg) at https://example.org/99.",
        "```\n99.5\n```",
        "The gradient is (4517.2964, 82.6).",
        "Rounding leaves 2e-16 or 3e-16.",
    ],
)
def test_numbers_that_are_found(sentence):
    text = prose(sentence)
    sources = Sources(SOURCES)
    assert [match[0] for match in quoted_numbers(text) if not sources.have(match)] == []


@pytest.mark.parametrize(
    ("sentence", "number"),
    [
        ("The error is 2.92.", "2.92"),
        ("The error is 2.92765.", None),
        ("The error is 2.92764.", "2.92764"),
        ("The error is -2.93.", "-2.93"),
        ("It takes 21 000 steps.", "21 000"),
        ("It takes $21\\,000$ steps.", "21 000"),
        ("From 18 000 on.", "18 000"),
        ("It takes 2000 steps.", "2000"),
        ("It takes 2000 more steps.", "2000"),
        ("It takes 21 steps.", "21"),
        ("The p-value is $8.8 \\times 10^{-6}$.", "8.8 x 10^{-6}"),
        ("The p-value is $8.7 \\times 10^{-7}$.", "8.7 x 10^{-7}"),
        ("The p-value is 8.7e-05.", "8.7e-05"),
        ("It explains 97 %.", "97 %"),
        ("It explains 5 %.", "5 %"),
        ("It agrees to 10^{-9}.", "10^{-9}"),
        ("It agrees to 10⁻⁹.", "10^{-9}"),
        ("The curvature is `5884`.", "5884"),
        ("The size is 2^{24}.", "24"),
        ("![A curve that ends at 7.25](../images/x.svg)", "7.25"),
        ("**7.25**, (7.25), _7.25_", "7.25"),
        ("The line is $0.5368u - 17.3$.", "0.5368"),
        ("Exactly 7.0.", "7.0"),
    ],
)
def test_numbers_that_are_not_found(sentence, number):
    sources = Sources(SOURCES)
    text = prose(sentence)
    missing = {" ".join(match[0].split()) for match in quoted_numbers(text) if not sources.have(match)}
    assert missing == ({number} if number else set())


def test_comments_quote_numbers_and_strings_hold_them(course):
    cells = small_chapter()
    cells[3].source = "It is 0.54, not 0.77, and 33 % of it is blue."
    cells[4].source = "share, colour = 0.33, '#0072B2'  # 0.77\nplt.show()"
    found = unsupported_numbers(course(cells))
    assert [number for number, _ in found] == ["0.77", "0.77"]


def test_another_language_has_comments_too(course):
    cells = small_chapter()
    cells[4].source = "%%R -i df\nlm(c ~ u, df)$coef * 0.77  # 0.78\nit's"
    cells[3].source = "It is 0.77."
    assert [number for number, _ in unsupported_numbers(course(cells))] == ["0.78"]
