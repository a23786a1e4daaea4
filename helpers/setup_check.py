"""Is everything there? One row for each thing the course needs, with what to do where something is missing.

In a terminal: `python -m helpers.setup_check`, which ends with exit code 1 if something is missing. Chapter 00 shows
the same table. Scaffolding: no chapter teaches it.
"""

import re
import shutil
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["torch", "pandas", "matplotlib", "jupyterlab", "ipywidgets", "tqdm"]
OK = "OK"
INSTALL = "run `make lab`" if shutil.which("make") else 'run `pip install -e ".[course]" -c constraints.txt`'
REPAIR = f"{INSTALL} again; in conda: conda env update --file environment.yml"


def setup_report(versions: bool = True) -> pd.DataFrame:
    """What the course needs, found or not: the columns component, version and status, one row each.

    status is "OK", or what to do. versions: False leaves out the versions, which differ between machines.
    """
    rows = [python_row(), *(package_row(name) for name in PACKAGES), package_row("rpy2"), r_row()]
    report = pd.DataFrame(rows, columns=["component", "version", "status"])
    return report if versions else report.drop(columns="version")


def all_ok(report: pd.DataFrame | None = None) -> bool:
    """Whether every row of the report, or of a new one, is OK."""
    report = setup_report() if report is None else report
    return bool((report["status"] == OK).all())


def python_row() -> tuple[str, str, str]:
    version = sys.version_info
    supported = (3, 11) <= version[:2] < (3, 15)
    status = OK if supported else f"the course needs Python 3.11, 3.12, 3.13 or 3.14: install one, then {INSTALL}"
    return "Python", ".".join(map(str, version[:3])), status


def package_row(name: str) -> tuple[str, str, str]:
    """A package is OK if its version is the tested one up to the patch level, which conda may choose otherwise."""
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return name, "", f"not installed: {REPAIR}"
    tested = tested_versions()[name]
    if major_minor(version) != major_minor(tested):
        return name, version, f"the course was tested with {tested}: {REPAIR}"
    return name, version, OK


def r_row() -> tuple[str, str, str]:
    from helpers.r import RUnavailable, probe

    try:
        described = probe()
    except RUnavailable as problem:
        return "R", "", " ".join(str(problem).split())
    found = re.search(r"\d+\.\d+\.\d+", described)
    return "R", found.group() if found else described, OK


def tested_versions() -> dict[str, str]:
    """Package name to version, as pinned in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = [pin for extra in project["optional-dependencies"].values() for pin in extra]
    return dict(pin.split("==") for pin in pins)


def major_minor(version: str) -> list[str]:
    return version.split("+")[0].split(".")[:2]


def main() -> int:
    report = setup_report()
    width = report.drop(columns="status").map(len).max()
    for row in report.itertuples(index=False):
        print(f"{row.component:<{width.component}}  {row.version:<{width.version}}  {row.status}")
    return 0 if all_ok(report) else 1


if __name__ == "__main__":
    sys.exit(main())
