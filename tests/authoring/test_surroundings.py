"""Settings that the user has for other work reach neither the course's Python, nor its kernels, nor its plots."""

import json
import os
import shlex
import subprocess
import sys
import tempfile

import pytest
from notebook_tools import ROOT

from helpers.authoring.surroundings import FOREIGN, settle

SOME_FOREIGN = {f"{beginning}_X" for beginning in FOREIGN}
OF_THIS_RUN = (*FOREIGN, "PYTEST", "MAKE", "MFLAGS", "IPYTHON", "R_SESSION_TMPDIR")
OUTSIDE_MAKE = {name: value for name, value in os.environ.items() if not name.startswith(OF_THIS_RUN)}
# What a kernel says about itself, asked as make lab and the tests start it.
ASK = """
from pathlib import Path
import sys
from helpers.authoring.surroundings import settle
settle(Path(sys.argv[1]))
from jupyter_client.manager import run_kernel
with run_kernel(kernel_name="python3") as client:
    client.execute_interactive('''
import gc, json, os, sys, helpers, matplotlib, tqdm
found = [sys.executable, helpers.__file__, matplotlib.get_backend(), matplotlib.rcParams["text.usetex"]]
print(json.dumps([*found, "mine" in dir(), sys.flags.dev_mode, hasattr(tqdm, "trange"), gc.get_threshold()[0]]))
''')
"""


def test_nothing_of_the_users_reaches_a_kernel_and_the_course_s_own_settings_do(tmp_path):
    home = tmp_path / "home's $HOME"
    files = {
        ".ipython/profile_default/startup/00.py": "mine = 1",
        ".ipython/profile_default/ipython_kernel_config.py": "raise SystemExit('not here')",
        ".config/matplotlib/matplotlibrc": "text.usetex: True",
        ".local/share/jupyter/kernels/python3/kernel.json": json.dumps({"argv": ["false"], "display_name": "own"}),
        "own/share/kernels/python3/kernel.json": json.dumps({"argv": ["false"], "display_name": "own"}),
        "own/python/helpers.py": "raise SystemExit('another helpers')",
        "own/python/tqdm.py": "",
        "own/matplotlibrc": "text.usetex: True",
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    own = {"PYTHONPATH": "own/python", "JUPYTER_PATH": "own/share", "MATPLOTLIBRC": "own/matplotlibrc"}
    environment = OUTSIDE_MAKE | {name: str(home / path) for name, path in own.items()}
    environment |= {
        "HOME": str(home),
        "MPLBACKEND": "pdf",
        "MPLCONFIGDIR": "/dev/null",
        "JUPYTER_RUNTIME_DIR": "/dev/null",
        "JUPYTER_PREFER_ENV_PATH": "0",
        "PYTHONSTARTUP": "none.py",
        "PYTHONDEVMODE": "1",
        "PYTEST_ADDOPTS": "--no-such",
    }
    (tmp_path / "ask.py").write_text(ASK, encoding="utf-8")
    recipe = f"\t@$(COURSE_PYTHON) {shlex.quote(str(tmp_path / 'ask.py'))} {shlex.quote(str(tmp_path / 'settings'))}\n"
    (tmp_path / "Makefile").write_text(f"include Makefile\nask:\n{recipe.replace('$', '$$').replace('$$(', '$(')}")
    (tmp_path / "settings").mkdir()
    python = f"COURSE_PYTHON=exec {shlex.quote(sys.executable).replace('$', '$$')}"
    command = ["make", "-f", str(tmp_path / "Makefile"), python, "ask"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "Matplotlib" not in done.stderr, done.stderr
    backend = "module://matplotlib_inline.backend_inline"
    executable, helpers, *rest = json.loads(done.stdout.splitlines()[-1])
    assert [executable, helpers] == [sys.executable, str(ROOT / "helpers" / "__init__.py")]
    assert rest[0] in (backend, "inline") and rest[1:] == [False, False, False, True, 20_000]


# Within R there are libraries of R's, which must not take the place of Python's.
@pytest.mark.parametrize("own", [{}, {"R_SESSION_TMPDIR": "/tmp"}], ids=["in a shell", "in a terminal within R"])
def test_the_makefile_drops_them_before_the_first_python_starts(tmp_path, own):
    (tmp_path / "Makefile").write_text("include Makefile\nsay:\n\t@env\n")
    command = ["make", "-f", str(tmp_path / "Makefile"), "say"]
    dropped = {*SOME_FOREIGN, "MATPLOTLIBRC"}
    environment = OUTSIDE_MAKE | own | dict.fromkeys((*dropped, "LD_LIBRARY_PATH", "PIP_INDEX_URL"), "")
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    left = {line.partition("=")[0] for line in done.stdout.splitlines()} & environment.keys()
    assert environment.keys() - left == dropped | ({"LD_LIBRARY_PATH"} if own else set())


def test_a_folder_that_cannot_be_written_is_replaced(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    environment = {"HOME": str(tmp_path / "no such home")} | dict.fromkeys(SOME_FOREIGN, "")
    settle(tmp_path / "file" / "settings", environment)
    assert not environment.keys() & SOME_FOREIGN and environment["MPLCONFIGDIR"]
    assert os.path.getsize(environment["MATPLOTLIBRC"]) == 0
    assert environment["IPYTHONDIR"].startswith(str(temporary))


def test_neither_jupyterlab_nor_pytest_waits_for_a_grammar_that_nothing_needs():
    assert sys.modules["rfc3987_syntax"] is None, "this process of pytest"
    code = "import sys, helpers.authoring, jsonschema; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
