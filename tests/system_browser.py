"""The system's browser: where it is; and, run as a script by `make browser`, its installation where there is none."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

MAC_APPS = ["/Applications", str(Path.home() / "Applications")]
BY_HAND = "Install Chromium or Google Chrome and run make browser again"


def find_browser() -> str | None:
    """The path of a Chromium or Chrome on this machine, or None."""
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    for folder in MAC_APPS if sys.platform == "darwin" else []:
        names += [f"{folder}/{name}.app/Contents/MacOS/{name}" for name in ("Google Chrome", "Chromium")]
    return next(filter(None, map(shutil.which, names)), None)


def package() -> str:
    """What apt-get calls the browser: Ubuntu has another name for it than Debian."""
    try:
        return "chromium-browser" if platform.freedesktop_os_release()["ID"] == "ubuntu" else "chromium"
    except OSError:
        return "chromium"


def install() -> None:
    """Install a browser with the system's package manager, saying so first. Raises SystemExit where that fails."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    apt_get = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if shutil.which("apt-get"):
        commands = [[*apt_get, "update"], [*apt_get, "install", "--yes", package()]]
    elif shutil.which("brew"):
        commands = [["brew", "install", "--cask", "google-chrome"]]
    else:
        sys.exit(f"browser: none found, and neither apt-get nor Homebrew to install one. {BY_HAND}")
    for command in commands:
        print("browser: none found; running:", *command, flush=True)
        try:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            sys.exit(f"browser: {' '.join(command)} failed. {BY_HAND}")
    if find_browser() is None:
        sys.exit(f"browser: one was installed but is not on PATH. {BY_HAND}")


if __name__ == "__main__":
    if find_browser() is None:
        install()
