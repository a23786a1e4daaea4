"""Opens the folder in which it is started in JupyterLab, on this machine only. `make teach` calls it, and
`make lab`, by way of desk.py, with the learner's desk.

Options go to JupyterLab as they are: python -m helpers.authoring.lab --no-browser --ServerApp.port=8899
"""

import os
import secrets
import shutil
import sys
from pathlib import Path

from jupyter_core import paths

from helpers.authoring.surroundings import settle

SETTINGS = Path(__file__).parent / "lab_settings"
OPTIONS = [
    "--ServerApp.ip=127.0.0.1",
    "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb",
    # No calls to the outside: neither news nor a look for updates.
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    # What the course sets otherwise than JupyterLab does; a user's choices in its settings still win.
    f"--LabApp.app_settings_dir={SETTINGS}",
]
# Buttons that come with the authors' tools and tell a learner nothing.
HIDDEN_EXTENSIONS = ["nbdime-jupyterlab"]


def without_hidden(handler, config: dict) -> dict:
    """The page's settings, with those extensions switched off, too."""
    return config | {"disabledExtensions": [*config.get("disabledExtensions", []), *HIDDEN_EXTENSIONS]}


def lay_out(workspaces: Path) -> None:
    """At the first start the list of contents is open, beside a list of files that shows whole names."""
    workspaces.mkdir(parents=True, exist_ok=True)
    for workspace in SETTINGS.glob("*.jupyterlab-workspace"):
        if not (workspaces / workspace.name).exists():
            shutil.copyfile(workspace, workspaces / workspace.name)


def main(arguments: list[str], folder: Path | None = None) -> None:
    """Serve a folder, by default the one that this was started in, until it is stopped."""
    settle(Path.cwd() / "_build" / "settings")
    from jupyterlab.labapp import LabApp  # at its import it looks for its folders: now the course's

    paths.SYSTEM_CONFIG_PATH.clear()  # what is set for all of a machine's servers, as by a hub
    # `!pip` in a notebook is then the environment's own.
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    root = f"--ServerApp.root_dir={folder or Path.cwd()}"
    lay_out(Path(os.environ["JUPYTER_CONFIG_DIR"]) / "lab" / "workspaces")
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
