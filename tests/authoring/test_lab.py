"""`make teach` serves the course on this machine only, behind a token, as `make lab` does the desk."""

import contextlib
import json
import re
import shlex
import sys
from urllib.error import HTTPError

import psutil
import pytest
from browser_tools import Lab
from notebook_tools import ROOT

from helpers.authoring.lab import HIDDEN_EXTENSIONS

# What somebody's own settings for Jupyter may do, and the course must not follow: end every server, or open it to all.
OWN_CONFIGURATION = "raise SystemExit('my own server only')\n"
OPEN_TO_ALL = "--IdentityProvider.token= --ServerApp.token="
FOR_ALL = "from jupyter_core import paths\npaths.SYSTEM_CONFIG_PATH.append({!r})\n"
# The recipe of `make teach` as it is; -o setup, because the environment that runs this test is there already.
COMMAND = ["make", "-o", "setup", "teach"]


@pytest.fixture
def lab(tmp_path):
    running = Lab(tmp_path)
    (tmp_path / "config_dir").mkdir()
    for_all = tmp_path / "for all"
    for_all.mkdir()
    for folder in (tmp_path / "config_dir", for_all):
        (folder / "jupyter_server_config.py").write_text(OWN_CONFIGURATION, encoding="utf-8")
    (for_all / "sitecustomize.py").write_text(FOR_ALL.format(str(for_all)), encoding="utf-8")
    python = shlex.join(["env", f"PYTHONPATH={for_all}", sys.executable]).replace("$", "$$")
    try:
        running.start(
            [*COMMAND, f"COURSE_PYTHON=exec {python}", f"LAB_ARGS=--no-browser --ServerApp.port=0 {OPEN_TO_ALL}"], ROOT
        )
        processes = psutil.Process(running.process.pid).children(recursive=True)
        yield running
    finally:
        running.stop()
    assert not any(process.is_running() for process in processes), "the server still runs"


def test_it_asks_for_its_token_and_listens_on_this_machine_only(lab):
    assert len(lab.token) >= 32 and json.loads(lab.ask("api/status"))["kernels"] == 0
    assert "Makefile" in [entry["name"] for entry in json.loads(lab.ask("api/contents"))["content"]]
    # The address to open by hand is printed, token and first chapter included.
    said = lab.said.read_text(encoding="utf-8")
    assert f"/lab/tree/notebooks/00_start_here.ipynb?token={lab.token}" in said
    family = [psutil.Process(lab.process.pid), *psutil.Process(lab.process.pid).children(recursive=True)]
    connections = []
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # a child of a moment, such as the one that asks for a version
            connections += process.net_connections("inet")
    assert {place.laddr.ip for place in connections if place.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
    # The authors' extensions are installed; a learner's page does without them.
    config = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', lab.ask("lab").decode(), re.DOTALL)[1]
    assert set(HIDDEN_EXTENSIONS) <= {extension["name"] for extension in json.loads(config)["federated_extensions"]}
    assert set(HIDDEN_EXTENSIONS) <= set(json.loads(config)["disabledExtensions"])
    for token in ("", "0" * len(lab.token)):
        lab.token = token
        with pytest.raises(HTTPError, match="403"):
            lab.ask("api/status")
