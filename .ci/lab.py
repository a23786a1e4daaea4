"""Opens the course in JupyterLab, on this machine only. `make lab` calls it with the environment's Python.

Options given here go to JupyterLab as they are: python .ci/lab.py --no-browser --ServerApp.port=8899
"""

import os
import secrets
import sys
from pathlib import Path

from jupyterlab.labapp import LabApp

ROOT = Path(__file__).resolve().parent.parent

OPTIONS = [
    "--ServerApp.ip=127.0.0.1",
    f"--ServerApp.root_dir={ROOT}",
    "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb",
    # No calls to the outside: neither news nor a look for updates.
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]


def main(arguments: list[str]) -> None:
    # `!pip` in a notebook is then the environment's own.
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    server = LabApp.initialize_server(argv=OPTIONS + as_root + arguments)
    provider = server.identity_provider
    if not provider.auth_enabled:
        # A configuration file of the user's may switch the token off for every server; the course keeps one.
        provider.token = secrets.token_hex(24)
        provider.token_generated = True
    server.start()


if __name__ == "__main__":
    main(sys.argv[1:])
