"""How the helpers hang together: who imports whom, what an import costs, and what a wheel holds."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imports(root: Path, package: str) -> dict[str, set[str]]:
    """Each module of a package and the modules of the package that it imports: at its top, lazily, or for types alone.

    `from package import name` means the module of that name, where there is one. A module does not import the
    packages that it is in.
    """
    files = {path.relative_to(root).with_suffix("").parts: path for path in (root / package).rglob("*.py")}
    modules = {".".join(parts).removesuffix(".__init__"): path for parts, path in files.items()}
    found = {}
    for name, path in modules.items():
        here = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                above = here[: len(here) - node.level + 1] if node.level else []
                base = ".".join([*above, *filter(None, [node.module])])
                inner = [f"{base}.{alias.name}" for alias in node.names]
                targets = [one if one in modules else base for one in inner]
            else:
                continue
            found[name] |= {target for target in targets if target in modules and target != name}
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one circle, or none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def test_no_circle_of_imports():
    graph = imports(ROOT, "helpers")
    assert circle(graph) == []
    assert "helpers.r.session" in graph["helpers.r"] and "helpers.r" in graph["helpers.scoreboard"], "types count"
    r = {name for name in graph if name.split(".")[:2] == ["helpers", "r"]}
    assert set().union(*(graph[name] for name in r)) <= r, "r knows nothing of the rest"


@pytest.mark.parametrize(
    "line", ["import p.a", "from p import a", "from p.a import x", "def f():\n    from .a import x", "from . import a"]
)
def test_a_circle_would_be_seen(tmp_path, line):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "__init__.py").touch()
    (tmp_path / "p" / "a.py").write_text("if TYPE_CHECKING:\n    from p import b\n")
    (tmp_path / "p" / "b.py").write_text("import os\n")
    assert circle(imports(tmp_path, "p")) == []
    (tmp_path / "p" / "b.py").write_text(line + "\n")
    assert set(circle(imports(tmp_path, "p"))) == {"p.a", "p.b"}


def test_an_import_loads_only_what_it_needs():
    code = """
import sys
import helpers, helpers.r
print({"torch", "numpy", "pandas", "rpy2", "matplotlib", "ipywidgets"} & set(sys.modules))
import helpers.data
print({"pandas", "rpy2"} & set(sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("set()\nset()\n", "")


def test_a_wheel_holds_the_data(tmp_path):
    wheel = pytest.importorskip("flit_core.wheel")
    built = wheel.make_wheel_in(ROOT / "pyproject.toml", tmp_path).file
    packed = set(zipfile.ZipFile(built).namelist())
    ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / "helpers" / "datasets").rglob("*") if path.is_file()}
    assert len(ours) > 10 and ours <= packed
