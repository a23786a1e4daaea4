"""Whether a drawing is the one of a stored file.

The matplotlib of pyproject.toml, as built for PyPI, is the reference: with it they must agree byte for byte. Another
version, or conda's build with its own FreeType, may place a letter a fraction of a point differently: then the
elements, their order, styles and texts must agree, and every coordinate to half a point.
"""

import re
import tomllib
from pathlib import Path

import matplotlib
import pytest
from matplotlib import ft2font
from notebook_tools import ROOT

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def is_reference() -> bool:
    """Whether this matplotlib is the one the stored files were drawn with."""
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["course"]
    return f"matplotlib=={matplotlib.__version__}" in pins and ft2font.__freetype_build_type__ == "local"


def numbers(svg: str) -> list[float]:
    return [float(found) for found in NUMBER.findall(svg)]


def assert_stored(drawn: str, path: Path) -> None:
    """Fail unless the SVG text is that of the file."""
    stored = path.read_text(encoding="utf-8")
    assert NUMBER.sub("#", drawn) == NUMBER.sub("#", stored)
    # Within a text the unit is a hundredth of the type size, so that there the tolerance is far smaller.
    assert numbers(drawn) == pytest.approx(numbers(stored), abs=0.5)
    if is_reference():
        assert drawn == stored, f"{path.name} has changed: look at what is drawn, then store it (make figures or bench)"
