"""Keeps settings that the user has for other work out of the course's JupyterLab, its kernels and its tests."""

import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

from helpers.authoring import COLLECT_AFTER

# How the names of foreign variables begin. The Makefile drops them, too, before the first Python starts; R's are the
# business of helpers.r.
FOREIGN = ("PYTHON", "JUPYTER", "MPL", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")


def settle(folder: Path, environ: MutableMapping[str, str] = os.environ) -> None:
    """Change an environment so that nothing of the user's own configuration is read.

    folder: where Jupyter, IPython and matplotlib look instead and keep what they remember, such as the layout of the
        window. One that can't be written is replaced by a temporary one.
    environ: changed in place; what is started afterwards inherits it.
    """
    for name in [name for name in environ if name.startswith(FOREIGN)]:
        del environ[name]
    try:
        write_settings(folder)
    except OSError:
        write_settings(folder := Path(tempfile.mkdtemp(prefix="course-")))
    environ["MATPLOTLIBRC"] = str(folder / "matplotlibrc")
    environ["MPLCONFIGDIR"] = str(folder / "matplotlib")  # its cache of fonts
    environ["IPYTHONDIR"] = str(folder / "ipython")
    environ["JUPYTER_CONFIG_DIR"] = str(folder / "jupyter")
    environ["JUPYTER_DATA_DIR"] = str(folder / "data")
    # The environment's own kernel comes first, also where the environment belongs to somebody else.
    environ["JUPYTER_PREFER_ENV_PATH"] = "1"


def write_settings(folder: Path) -> None:
    """Write the files that are read in place of the user's: all is as by default, but that kernels start faster."""
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (folder / "matplotlibrc").write_text("", encoding="utf-8")
    kernels_first = f"import gc\n\ngc.set_threshold({COLLECT_AFTER})\n"  # as helpers.authoring does, and why
    (profile / "ipython_kernel_config.py").write_text(kernels_first, encoding="utf-8")
