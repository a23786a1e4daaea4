"""make browser: which browser it finds, how it installs one, and what it says. The tools are stubs."""

import os
from pathlib import Path

import pytest
import system_browser

APT = """#!/bin/sh
echo "apt-get $*" >> "$STUB_BIN/log"
[ -z "$STUB_FAILS" ] || exit 100
[ "$1" = install ] || exit 0
printf '#!/bin/sh\\n' > "$STUB_BIN/chromium"
chmod +x "$STUB_BIN/chromium"
"""
SUDO = '#!/bin/sh\necho "sudo $*" >> "$STUB_BIN/log"\nexec "$@"\n'
BREW = '#!/bin/sh\necho "brew $*" >> "$STUB_BIN/log"\n'


class Machine:
    """A PATH with nothing on it but stubs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        self.bin = folder
        for name in ("PATH", "STUB_BIN"):
            monkeypatch.setenv(name, str(folder))
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(system_browser, "MAC_APPS", [])
        monkeypatch.setattr(system_browser, "package", lambda: "chromium")
        for tool in ("/usr/bin/env", "/bin/chmod"):
            self.add(Path(tool).name, f'#!/bin/sh\nexec {tool} "$@"\n')

    def add(self, name: str, text: str = "#!/bin/sh\n") -> str:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    @property
    def calls(self) -> list[str]:
        return (self.bin / "log").read_text().splitlines()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
def test_a_browser_that_is_there_is_found(machine, name):
    assert system_browser.find_browser() is None
    path = machine.add(name)
    assert system_browser.find_browser() == path


@pytest.mark.parametrize("user, sudo", [(0, []), (1000, ["sudo"])])
def test_apt_get_installs_it_and_it_says_so_first(machine, monkeypatch, capfd, user, sudo):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    machine.add("apt-get", APT)
    machine.add("sudo", SUDO)
    system_browser.install()
    apt_get = ["apt-get update", "apt-get install --yes chromium"]
    through = [f"sudo env DEBIAN_FRONTEND=noninteractive {call}" for call in apt_get] if sudo else []
    assert sorted(machine.calls) == sorted(apt_get + through)
    said = " ".join(["browser: none found; running:", *sudo, "env DEBIAN_FRONTEND=noninteractive apt-get update"])
    assert capfd.readouterr().out.startswith(said)


@pytest.mark.parametrize(
    "tool, text, words",
    [
        ("apt-get", APT, "apt-get update failed. Install Chromium"),
        ("brew", BREW, "one was installed but is not on PATH"),
        ("other", "", "neither apt-get nor Homebrew"),
    ],
)
def test_each_failure_is_one_line(machine, monkeypatch, tool, text, words):
    monkeypatch.setenv("STUB_FAILS", "1")
    machine.add(tool, text)
    with pytest.raises(SystemExit, match=words) as stopped:
        system_browser.install()
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize("system, package", [("debian", "chromium"), ("ubuntu", "chromium-browser")])
def test_the_package_has_another_name_on_ubuntu(monkeypatch, system, package):
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": system})
    assert system_browser.package() == package
