"""`make lab` serves the course on this machine only, behind a token."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from helpers.authoring.lab import HIDDEN_EXTENSIONS
from helpers.authoring.notebooks import ROOT

SECONDS_TO_START = 60

# What somebody's own Jupyter settings may say, and the course must not follow: no token for any server.
OPEN_TO_ALL = {"IdentityProvider": {"token": ""}, "ServerApp": {"token": ""}}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port: int, path: str, token: str | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Authorization": f"token {token}"} if token else {})
    return connection.getresponse()


def wait_for_server(process: subprocess.Popen, runtime: Path, said: Path) -> dict:
    """What the server writes about itself once it listens: its pid, port and token."""
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                server = json.loads(file.read_text(encoding="utf-8"))
                ask(server["port"], "/api")
            except (ValueError, OSError):
                continue
            return server
        time.sleep(0.1)
    raise AssertionError("JupyterLab did not start:\n" + said.read_text(encoding="utf-8"))


@pytest.fixture
def server(tmp_path):
    folders = {name: tmp_path / name for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
    for folder in folders.values():
        folder.mkdir()
    (folders["CONFIG_DIR"] / "jupyter_server_config.json").write_text(json.dumps(OPEN_TO_ALL), encoding="utf-8")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "MAKE", "MFLAGS"))
    }
    environment |= {f"JUPYTER_{name}": str(folder) for name, folder in folders.items()}
    environment["IPYTHONDIR"] = str(tmp_path / "ipython")
    # The recipe of `make lab` as it is; -o setup, because the environment that runs this test is there already.
    command = ["make", "-o", "setup", "lab", f"COURSE_PYTHON={sys.executable}"]
    command += [f"LAB_ARGS=--no-browser --ServerApp.port={free_port()} --ServerApp.port_retries=0"]
    said = tmp_path / "said.txt"
    with said.open("w") as stream:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
        started = None
        try:
            started = wait_for_server(process, folders["RUNTIME_DIR"], said)
            yield started | {"said": said}
        finally:
            if started:
                os.kill(started["pid"], signal.SIGTERM)
            else:
                process.terminate()
            process.wait(timeout=20)
    assert not psutil.pid_exists(started["pid"]), "the server still runs"


def test_it_asks_for_its_token_and_listens_on_this_machine_only(server):
    port, token = server["port"], server["token"]
    assert len(token) >= 32
    assert ask(port, "/api/status", token).status == 200
    assert ask(port, "/api/status").status == 403
    assert ask(port, "/api/status", "0" * len(token)).status == 403
    listening = [c for c in psutil.Process(server["pid"]).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
    assert Path(server["root_dir"]) == ROOT
    # The address to open by hand is printed, token and first chapter included.
    assert f"/lab/tree/notebooks/00_start_here.ipynb?token={token}" in server["said"].read_text(encoding="utf-8")
    # The authors' extensions are installed; a learner's page does without them.
    page = ask(port, "/lab", token).read().decode()
    config = json.loads(re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    assert set(HIDDEN_EXTENSIONS) <= {extension["name"] for extension in config["federated_extensions"]}
    assert set(HIDDEN_EXTENSIONS) <= set(config["disabledExtensions"])
