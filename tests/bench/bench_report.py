"""What bench.py measured, as a page, as lines for other pages, and as a plot. The same results give the same bytes."""

from __future__ import annotations

import io
import math
import re

import matplotlib
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.ticker import LogFormatterSciNotation

from helpers.plots.style import PALETTE, new_figure

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
NAMES = {"lm": "`lm()`", "lm.fit": "`lm.fit`", "qr": "QR", "tsqr": "TSQR"}


def with_section(page: str, section: str) -> str:
    """The page with the section between its two markers. Raises ValueError unless each marker stands there once."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"the page needs one {BEGIN} and, after it, one {END}: the bench writes between them")
    return page.split(BEGIN)[0] + f"{BEGIN}\n{section.strip()}\n{END}" + page.split(END)[1]


def quoted(results: dict) -> dict[str, str]:
    """What a complete run says on other pages: path of the page, and the text between its markers."""
    loops = {row["name"]: row for row in results["peers"]["rows"]}
    large = largest(results["solvers"])[-1]
    r, tsqr = large["methods"]["lm"], large["methods"]["tsqr"]
    chapters = [row for row in results["notebooks"] if "/" not in row["name"]]
    first, *_, second, heaviest = sorted(chapters, key=lambda row: row["megabytes"])
    slowest = math.ceil(max(row["seconds"] for row in chapters if row is not heaviest))  # "at most" rounds up
    readme = [
        f"* `train()` takes {ratio(loops['`train()`']['ratio'])} times as long as the same loop written out; "
        f"Lightning {ratio(loops['Lightning']['ratio'])} times, Keras {ratio(loops['Keras']['ratio'])} times.",
        f"* {large['rows']:,} rows by {large['columns']} columns: `lm()` takes {number(r['seconds'])} s and "
        f"{number(r['megabytes'])} MB, TSQR in blocks {number(tsqr['seconds'])} s and {number(tsqr['megabytes'])} MB.",
        f"* A chapter runs from top to bottom in at most {slowest:.0f} s and {second['megabytes']:.0f} MB of memory; "
        f"chapter {heaviest['name'][:2]}, with the processes that it starts, in {heaviest['seconds']:.0f} s and "
        f"{heaviest['megabytes']:,.0f} MB.",
    ]
    teachers = (
        f"Measured with `make bench` on {results['date']}, chapter by chapter in [its page](../tests/bench/README.md): "
        f"JupyterLab's server holds {results['lab']['megabytes']:.0f} MB, the kernel of a chapter that has run to "
        f"its end {first['megabytes']:.0f} to {second['megabytes']:.0f} MB at its peak, and that of "
        f"{heaviest['name']}, with the processes that it starts, {heaviest['megabytes']:,.0f} MB. Running all of it "
        f"takes {heaviest['seconds']:.0f} s, of any other chapter at most {slowest:.0f} s."
    )
    return {"README.md": "\n".join(readme), "notebooks/for_teachers.md": teachers}


def number(value: float | None, digits: int = 2) -> str:
    """A number to so many significant digits, without an exponent; a dash for what was not measured."""
    if value is None:
        return "-"
    text = f"{value:#.{digits}g}"
    if "e+" in text:
        return f"{float(text):,.0f}"
    if "e-" in text:
        return f"{float(text):.12f}".rstrip("0")
    return text.removesuffix(".")


def ratio(value: float | None) -> str:
    """A ratio: two decimals between 0.1 and 10, two digits elsewhere, and no digit lost above 100."""
    if value is None or value < 0.0995:
        return number(value)
    return f"{value:.2f}" if value < 9.995 else f"{value:,.0f}"


def spread(row: dict) -> str:
    return f"{ratio(row['low'])} to {ratio(row['high'])}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column is text, the others are aligned to the right unless their head ends in ..."""
    line = ["---"] + ["---" if name.endswith("...") else "---:" for name in head[1:]]
    named = [name.removesuffix("...") for name in head]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [named, line, *rows])


def report(results: dict) -> str:
    """The whole page, with a part for everything that was measured."""
    writers = {
        "peers": peers, "overhead": overhead, "batches": batches, "solvers": solvers, "map": memory_map,
        "glm": logistic, "networks": networks, "notebooks": notebooks, "lab": lab, "tests": tests, "skipped": skipped,
    }  # fmt: skip
    parts = [write(results[name]) for name, write in writers.items() if results.get(name)]
    if "solvers" in results:
        parts.append(f"## How the cost grows\n\n![{alt_text(results)}](growth.svg)\n\n{reading(results['solvers'])}")
    return "\n\n".join(["# How fast, and with how much memory", opening(results), *parts]) + "\n"


def opening(results: dict) -> str:
    box = results["machine"]
    return (
        f"Measured by `make bench` on {results['date']}, in {results['minutes']:g} minutes, on one machine: "
        f"{box['processor']}, {box['cores']} cores, {box['gigabytes']} GB of memory, {box['system']}; "
        f"Python {box['python']}, PyTorch {box['torch']}, R {box['r']} with {box['blas']}.\n"
        "What is compared took turns in one run, on one thread. A ratio is the median over the rounds, each of which "
        "compares runs that followed one another; seconds are medians, too, and hold for this machine only."
    )


def peers(found: dict) -> str:
    slope, intercept = found["answer"]
    rows = [
        [row["name"], ratio(row["ratio"]), spread(row), number(row["seconds"]), " ".join(row["configured"].split())]
        for row in found["rows"]
    ]
    return (
        f"## Training loops\n\nThe eleven readings, a line, SGD on all rows at once, {found['epochs']:,} epochs from "
        f"slope 1 and intercept 0 (u divided by ten): all arrive at {slope:.3f} and {intercept:.3f}, where gradient "
        "descent has to be by then on its way to `lm()`'s line; asserted to five digits. "
        f"{found['rounds']} rounds; {', '.join(found['versions'])}. The loss is `nn.MSELoss` for all but Keras, which "
        "has its own. With so little arithmetic in an epoch this is the cost of the loop itself; a larger model hides "
        "it.\n\n"
    ) + table(["loop", "time / bare loop", "lowest to highest", "seconds", "configured as..."], rows)


def overhead(found: list[dict]) -> str:
    rows = [[row["name"], ratio(row["ratio"]), spread(row), ratio(row["bound"])] for row in found]
    return (
        "## What the course adds\n\nFor its looks at loss and gradient `train()` pays by clearing gradients without "
        "the entry for a profiler that torch's `zero_grad()` makes.\n\n"
    ) + table(["compared", "ratio", "lowest to highest", "bound"], rows)


def batches(found: list[dict]) -> str:
    rows = [[str(row["size"]), number(row["seconds"]), ratio(row["ratio"]), spread(row)] for row in found]
    return (
        f"An epoch over {found[0]['rows']:,} rows from a shuffled DataLoader, a 1-13-1 network and SGD, by `train()` "
        "and by the loop written out:\n\n"
    ) + table(["rows a step", "seconds", "`train()` / the loop written out", "lowest to highest"], rows)


def solvers(found: list[dict]) -> str:
    rows = [
        [f"{row['rows']:,}", str(row["columns"]), number(row["methods"]["lm"]["seconds"])]
        + [ratio(row["methods"][name]["ratio"]) for name in NAMES if name != "lm"]
        + [number(row["methods"][name]["megabytes"]) for name in NAMES]
        for row in found
    ]
    ratios = [f"{text} / {NAMES['lm']}" for name, text in NAMES.items() if name != "lm"]
    head = ["rows", "columns", f"{NAMES['lm']}, seconds", *ratios, *(f"{text}, MB" for text in NAMES.values())]
    return (
        "## Least squares\n\nR's `lm()` and `lm.fit` against PyTorch's QR of the whole matrix and TSQR in blocks of "
        "10,000 rows, all in float64; the same coefficients to nine digits, asserted. `lm()` and `lm.fit` also keep "
        "residuals, fitted values and the decomposition, which QR and TSQR do not. Memory is the peak beyond the data, "
        "in a process of its own.\n\n" + table(head, rows)
    )


def largest(found: list[dict]) -> list[dict]:
    """The rows of the most columns, by their number of rows."""
    most = max(row["columns"] for row in found)
    return sorted((row for row in found if row["columns"] == most), key=lambda row: row["rows"])


def alt_text(results: dict) -> str:
    panels = ", ".join(f"{quantity} by {what}" for what, quantity, _ in curves(results))
    return f"Plots on logarithmic scales: {panels}. The tables above have the numbers."


def reading(found: list[dict]) -> str:
    """The sentence after the plot: how much time grows from the smallest to the largest number of rows."""
    first, last = largest(found)[0], largest(found)[-1]
    grown = {name: last["methods"][name]["seconds"] / first["methods"][name]["seconds"] for name in last["methods"]}
    times = ", ".join(f"{number(value)} ({NAMES[name]})" for name, value in grown.items())
    more = f"{last['rows'] / first['rows']:g}"
    return (
        f"With {last['columns']} columns and {more} times the rows, time grows {times} times. Memory grows with the "
        "rows except for TSQR, which holds one block, whatever their number."
    )


def memory_map(found: dict) -> str:
    more = f" Solved again, it takes {number(found['megabytes'])} MB more memory" if found["megabytes"] else ""
    more += f" (bound: {found['bound']} MB)." if more else ""
    return (
        f"## Data left in a file\n\nTSQR over {found['rows']:,} rows by {found['columns']} columns, a file of "
        f"{found['file']:.0f} MB read through a memory map: {number(found['seconds'])} s, "
        f"{ratio(found['ratio'])} times a mere reading of the file.{more}"
    )


def logistic(found: dict) -> str:
    glm, irls = found["methods"]["glm"], found["methods"]["irls"]
    return (
        f"## Yes or no\n\nA logistic model of {found['columns']} coefficients on {found['rows']:,} rows: `glm()` "
        f"{number(glm['seconds'])} s and {number(glm['megabytes'])} MB; Newton's method in six lines of torch, with "
        f"the rule by which `glm()` stops, {ratio(irls['ratio'])} of that time ({spread(irls)}) and "
        f"{number(irls['megabytes'])} MB; the same coefficients to six digits, asserted. `glm()` also keeps residuals, "
        "fitted values and the decomposition."
    )


WAYS = {"vmap": "`vmap`", "matrices": "stack of matrices", "last": "number last"}


def networks(found: list[dict]) -> str:
    rows = [
        [f"{row['count']:,}", row["dtype"]]
        + [f"{ratio(way['ratio'])} ({spread(way)})" for way in (row["ways"][name] for name in WAYS)]
        + [number(row["ways"]["last"]["ratio"] / row["count"]), f"{row['tanh']:.0%}"]
        for row in found
    ]
    return (
        "## Networks at once\n\nAn epoch of many 1-13-1 networks, against an epoch of one with the same numbers: by "
        "`vmap`; as the stack of chapter 08, in which each network has its small matrix products; and with the number "
        "of the network as the last dimension, where the same sums run along memory, tanh overwrites its input and one "
        "product with a column of ones gives the gradients of weights and biases. The last column is the share of tanh "
        "and its derivative in that third way: what no other order of the numbers saves. Few networks cost what the "
        "calls cost; many, what passes through memory: there float32 gains.\n\n"
    ) + table(["networks", "numbers", *WAYS.values(), "number last, per network", "tanh"], rows)


SHARES = {"kernel": "kernel", "imports": "imports", "r": "R's start", "drawing": "drawing"}


def notebooks(found: list[dict]) -> str:
    by_name, rows = {row["name"]: row for row in found}, []
    for name in [name for name in by_name if "/" not in name]:
        row, solved = by_name[name], by_name.get(f"solutions/{name}", {})
        parts = [row.get(share) for share in SHARES]
        rest = None if None in parts else row["seconds"] - sum(parts)
        times = [row.get("first"), row["seconds"], *parts, rest, solved.get("seconds")]
        memory = [number(row["megabytes"], 3), number(solved.get("megabytes"), 3)]
        rows.append([name, *map(seconds, times), *memory])
    head = ["chapter", "first cell", "all", *SHARES.values(), "the rest", "its solutions", "MB", "its solutions, MB"]
    return (
        "## Where users feel it\n\nEach notebook from a clean kernel, once, one after the other: "
        f"{sum(row['seconds'] for row in found):.0f} s in all. Seconds until the first cell has run and until all "
        "have, and what the latter go to: the kernel's start, imports, R's start, the drawing of figures; the rest is "
        "training, R's answers, and the talk between kernel and client. Memory is the most that the kernel, with R in "
        "it, and the processes that it starts hold.\n\n"
    ) + table(head, rows)


def seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def lab(found: dict) -> str:
    return (
        f"`make lab`, when all is installed: {seconds(found.get('setup'))} s until it knows, then "
        f"{seconds(found.get('server'))} s until JupyterLab's page is served, which the browser then draws; a "
        f"chapter's kernel starts as above. The server holds {found['megabytes']:.0f} MB beside the kernels."
    )


def tests(found: dict) -> str:
    shares = ", ".join(f"{name} {share:.0%}" for name, share in found["shares"].items() if share >= 0.02)
    failed = f" ({found['failures']} failed)" if found["failures"] else ""
    took = f"`make test` takes {found['seconds']:.0f} s{failed}."
    return f"{took} The work of its two workers, in the notebooks and in the folders of tests: {shares}."


def skipped(found: list[str]) -> str:
    return f"Not measured: {'; '.join(found)}."


# ---- the plot -------------------------------------------------------------------------------------------------------

# Blue is R's, as in the chapters, grey the others', purple networks; each line has its own marker and dash.
LINES = {"lm": ("lm", "-o", "R: lm()"), "lm.fit": ("lm", "--s", "R: lm.fit")}
LINES |= {"qr": ("guess", ":^", "torch: QR"), "tsqr": ("guess", "-.D", "torch: TSQR")}
OF_NETWORKS = {"vmap": "-o", "matrices": "--s", "last": ":^"}

Curve = tuple[str, str, str, pd.Series, pd.Series]  # colour, marker and dash, label, x, y


def curves(results: dict) -> list[tuple[str, str, list[Curve]]]:
    """Of each panel: what is on its horizontal axis, what on its vertical axis, and its curves."""
    solved, panels = pd.json_normalize(results["solvers"]), []
    for what, other, unit, key in (
        ("rows", "columns", "seconds", "seconds"),
        ("rows", "columns", "MB", "megabytes"),
        ("columns", "rows", "seconds", "seconds"),
    ):
        found = solved[solved[other] == solved[other].max()]
        lines = [(*look, found[what], found[f"methods.{name}.{key}"]) for name, look in LINES.items()]
        panels.append((what, f"{unit}, {solved[other].max():,} {other}", lines))
    if results.get("networks"):
        found = pd.json_normalize(results["networks"]).query("dtype == 'float64'")
        lines = [
            ("network", dash, WAYS[way].strip("`"), found["count"], found[f"ways.{way}.ratio"])
            for way, dash in OF_NETWORKS.items()
        ]
        panels.append(("networks at once", "epochs of one network", lines))
    if results.get("batches"):
        found = pd.DataFrame(results["batches"])
        lines = [("network", "-o", "train()", found["size"], found["seconds"])]
        panels.append(("rows a step", f"seconds for {found['rows'][0]:,} rows", lines))
    return panels


def growth(results: dict) -> str | None:
    """The plot as the text of an SVG file, undated; None where no solver was measured."""
    if not results.get("solvers"):
        return None
    with matplotlib.rc_context({"svg.hashsalt": "the course's bench", "svg.fonttype": "path"}):
        figure, grid = new_figure(3, rows=2, width=13, height=8)
        panels = curves(results)
        for axes, (what, quantity, lines) in zip(grid.flat, panels, strict=False):
            for colour, dash, label, x, y in lines:
                axes.plot(x, y, dash, color=PALETTE[colour], ms=7, label=label)
            axes.set(xscale="log", yscale="log", xlabel=what, ylabel=quantity)
            axes.set_xticks(lines[0][3], [f"{value:,}" for value in lines[0][3]])
            axes.xaxis.minorticks_off()
            axes.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(1.2, 0.5)))
            axes.legend()
        for axes in grid.flat[len(panels) :]:
            axes.remove()
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Title": alt_text(results)})
        plt.close(figure)
    return re.sub(r"[ \t]+\n", "\n", buffer.getvalue())
