"""make browser: which browser it finds, how it installs one, and what it says. Nothing is installed here."""

import os
import subprocess

import pytest
import system_browser


class Machine:
    """What is on PATH, what has been run, and which command fails."""

    def __init__(self):
        self.there, self.ran, self.brings, self.fails = set(), [], "", ""

    def which(self, name: str) -> str | None:
        return f"/bin/{name}" if name in self.there else None

    def run(self, command: list[str], **options: object) -> None:
        self.ran.append(" ".join(command))
        if options.get("check") and self.fails and self.fails in command:
            raise subprocess.CalledProcessError(100, command)
        if "install" in command:
            self.there.add(self.brings)


@pytest.fixture
def machine(monkeypatch):
    made = Machine()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(system_browser, "MAC_APPS", [])
    monkeypatch.setattr(system_browser, "package", lambda: "chromium")
    monkeypatch.setattr("shutil.which", made.which)
    monkeypatch.setattr("subprocess.run", made.run)
    return made


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
def test_a_browser_that_is_there_is_found(machine, name):
    assert system_browser.find_browser() is None
    machine.there.add(name)
    assert system_browser.find_browser() == f"/bin/{name}"


@pytest.mark.parametrize("user, sudo", [(0, ""), (1000, "sudo ")])
def test_apt_get_installs_it_and_it_says_so_first(machine, monkeypatch, capsys, user, sudo):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    machine.there, machine.brings = {"apt-get", "sudo"}, "chromium"
    system_browser.install()
    quiet = f"{sudo}env DEBIAN_FRONTEND=noninteractive apt-get"
    assert machine.ran == [f"{quiet} update", f"{quiet} install --yes chromium"]
    assert capsys.readouterr().out.splitlines() == [f"browser: none found; running: {call}" for call in machine.ran]


@pytest.mark.parametrize(
    "tool, fails, words",
    [
        ("apt-get", "update", "apt-get update failed. Install Chromium"),
        ("apt-get", "", "one was installed but is not on PATH"),
        ("brew", "", "one was installed but is not on PATH"),
        ("other", "", "neither apt-get nor Homebrew"),
    ],
)
def test_each_failure_is_one_line(machine, tool, fails, words):
    machine.there, machine.fails = {tool}, fails
    with pytest.raises(SystemExit, match=words) as stopped:
        system_browser.install()
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize("system, package", [("debian", "chromium"), ("ubuntu", "chromium-browser")])
def test_the_package_has_another_name_on_ubuntu(monkeypatch, system, package):
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": system})
    assert system_browser.package() == package
