"""Opens the folder in which it is started in JupyterLab, on this machine only. `make teach` calls it, and
`make lab`, by way of desk.py, with the learner's desk.

Options go to JupyterLab as they are: python -m helpers.authoring.lab --no-browser --ServerApp.port=8899
"""

import os
import secrets
import sys
from pathlib import Path

from jupyterlab.labapp import LabApp

from helpers.authoring.surroundings import settle

OPTIONS = [
    "--ServerApp.ip=127.0.0.1",
    "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb",
    # No calls to the outside: neither news nor a look for updates.
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
# Buttons that come with the authors' tools and tell a learner nothing.
HIDDEN_EXTENSIONS = ["nbdime-jupyterlab"]


def without_hidden(handler, config: dict) -> dict:
    """The page's settings, with those extensions switched off, too."""
    return config | {"disabledExtensions": [*config.get("disabledExtensions", []), *HIDDEN_EXTENSIONS]}


def main(arguments: list[str], folder: Path | None = None) -> None:
    """Serve a folder, by default the one that this was started in, until it is stopped."""
    settle(Path.cwd() / "_build" / "settings")
    # `!pip` in a notebook is then the environment's own.
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    root = f"--ServerApp.root_dir={folder or Path.cwd()}"
    server = LabApp.initialize_server(argv=[*OPTIONS, root, *as_root, *arguments])
    server.web_app.settings["page_config_hook"] = without_hidden
    provider = server.identity_provider
    if not provider.auth_enabled:
        # A configuration file of the user's may switch the token off for every server; the course keeps one.
        provider.token = secrets.token_hex(24)
        provider.token_generated = True
    server.start()


if __name__ == "__main__":
    main(sys.argv[1:])
