"""make browser: which browser it finds, how it installs one, what it says, and that CI runs it. The tools are stubs."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from notebook_tools import ROOT

sys.path.append(str(ROOT / ".ci"))
import browser  # noqa: E402 (it stands in .ci)

APT = """#!/bin/sh
echo "apt-get $*" >> "$STUB_LOG"
[ -z "$STUB_SAYS" ] || { echo "$STUB_SAYS"; exit 100; }
[ "$1" != install ] || printf '#!/bin/sh\\necho Chromium 150\\n' > "$STUB_BIN/chromium"
chmod +x "$STUB_BIN/chromium"
"""
SUDO = '#!/bin/sh\necho "sudo $*" >> "$STUB_LOG"\n[ -z "$STUB_SUDO_REFUSES" ] || exit 1\n[ "$1" = -v ] || exec "$@"\n'
BREW = '#!/bin/sh\necho "brew $*" >> "$STUB_LOG"\n[ -z "$STUB_SAYS" ] || { echo "$STUB_SAYS"; exit 1; }\n'


class Machine:
    """A PATH with nothing on it but stubs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture):
        self.bin, self.log, self.capfd = folder / "bin", folder / "log", capfd
        self.bin.mkdir()
        self.log.touch()
        for name, value in {"PATH": self.bin, "STUB_BIN": self.bin, "STUB_LOG": self.log}.items():
            monkeypatch.setenv(name, str(value))
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(browser, "MAC_FOLDERS", [])
        monkeypatch.setattr(browser, "debian_package", lambda: "chromium")
        for name in ("env", "chmod"):
            self.add(name, f'#!/bin/sh\nexec {"/usr/bin/env" if name == "env" else "/bin/chmod"} "$@"\n')

    def add(self, name: str, text: str) -> Path:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def run(self) -> SimpleNamespace:
        """Look for a browser, installing one; returns what was said and what the stubs were called with."""
        self.capfd.readouterr()
        try:
            browser.have_browser(browser.setup.Output())
            trouble = ""
        except browser.setup.SetupError as problem:
            trouble = str(problem)
        return SimpleNamespace(trouble=trouble, out=self.capfd.readouterr().out, calls=self.log.read_text())


@pytest.fixture
def machine(tmp_path, monkeypatch, capfd):
    return Machine(tmp_path, monkeypatch, capfd)


@pytest.mark.parametrize("name", browser.NAMES)
def test_a_browser_that_is_there_is_used(machine, name):
    path = machine.add(name, "#!/bin/sh\necho Chromium 150.0\n")
    assert browser.find_browser() == str(path)
    ran = machine.run()
    assert (ran.trouble, ran.calls) == ("", "")
    assert ran.out == "set-up: browser ready (Chromium 150.0)\n"


def test_debian_installs_it_and_says_so_first(machine):
    machine.add("apt-get", APT)
    ran = machine.run()
    assert ran.trouble == ""
    said = ran.out.splitlines()
    assert said[0].startswith("set-up: no browser found; running: apt-get install --yes") and said[0].endswith(
        "chromium"
    )
    assert said[-1] == "set-up: browser ready (Chromium 150)"
    assert ran.calls.count("apt-get install") == 1


def test_others_than_root_go_through_sudo(machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.add("apt-get", APT)
    machine.add("sudo", SUDO)
    ran = machine.run()
    assert ran.trouble == "" and "running: sudo apt-get install" in ran.out
    assert "sudo env DEBIAN_FRONTEND=noninteractive apt-get install" in ran.calls


@pytest.mark.parametrize("with_sudo, words", [(False, "needs root: apt-get install chromium"), (True, "sudo refused")])
def test_without_rights_it_says_what_to_ask_for(machine, monkeypatch, with_sudo, words):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("STUB_SUDO_REFUSES", "1")
    machine.add("apt-get", APT)
    if with_sudo:
        machine.add("sudo", SUDO)
    ran = machine.run()
    assert words in ran.trouble and "apt-get install chromium" in ran.trouble
    assert "apt-get" not in ran.calls


@pytest.mark.parametrize(
    "tool, text, says, words",
    [
        ("apt-get", APT, "Temporary failure resolving 'deb'", "no network: apt-get install chromium failed"),
        ("apt-get", APT, "E: No space left on device", "the disk is full"),
        ("apt-get", APT, "E: Unable to locate package chromium", "Unable to locate"),
        ("brew", BREW, "curl: (6) Could not resolve host", "no network: brew install --cask google-chrome failed"),
        ("brew", BREW, "", "a browser was installed but is not on PATH"),
    ],
)
def test_each_failure_is_one_line(machine, monkeypatch, tool, text, says, words):
    monkeypatch.setenv("STUB_SAYS", says)
    machine.add(tool, text)
    ran = machine.run()
    assert words in ran.trouble and "\n" not in ran.trouble


def test_without_a_package_manager_it_says_what_to_install(machine, capfd):
    assert machine.run().trouble.startswith("no browser found, and neither apt-get nor Homebrew")
    assert browser.main([]) == 1
    assert capfd.readouterr().err.count("\n") == 1


def test_a_browser_that_does_not_start_is_named(machine):
    path = machine.add("chromium", "#!/bin/sh\nexit 1\n")
    assert f"{path} does not start" in machine.run().trouble


def test_the_package_has_another_name_on_ubuntu(tmp_path):
    release = tmp_path / "os-release"
    for text, package in (("ID=debian\n", "chromium"), ('NAME="Ubuntu"\nID=ubuntu\n', "chromium-browser")):
        release.write_text(text)
        assert browser.debian_package(str(release)) == package
    assert browser.debian_package(str(tmp_path / "none")) == "chromium"


def test_a_failure_counts_once_and_skips_are_counted():
    count = browser.Plugin()

    def report(name, when, outcome):
        kinds = {kind: outcome == kind for kind in ("failed", "skipped")}
        count.pytest_runtest_logreport(SimpleNamespace(nodeid=name, when=when, outcome=outcome, **kinds))

    for name, outcome in (("a", "passed"), ("b", "failed"), ("c", "passed")):
        report(name, "setup", "passed")
        report(name, "call", outcome)
        report(name, "teardown", "failed" if name == "c" else "passed")
    report("d", "setup", "skipped")
    assert str(count) == "4 tests in a browser: 1 passed, 2 failed, 1 skipped"


def test_only_files_with_such_tests_are_collected(tmp_path):
    (tmp_path / "test_pages.py").write_text("@pytest.mark.browser\ndef test_page(): ...\n")
    (tmp_path / "test_numbers.py").write_text("def test_number(): ...\n")
    (tmp_path / "browser_tools.py").write_text("# for what is marked mark.browser\n")
    assert browser.files_with_browser_tests(str(tmp_path)) == [str(tmp_path / "test_pages.py")]
    names = [Path(path).name for path in browser.files_with_browser_tests(str(ROOT / "tests"))]
    assert "test_browser.py" in names and "test_slides.py" in names and "test_exercises.py" not in names


def test_the_tests_of_a_chapter_stay_together_and_so_do_those_of_another_file():
    name = "tests/test_browser.py::test_run_all[01_least_squares]"
    assert browser.together(name) == browser.together(name.replace("run_all", "other")) == "01_least_squares"
    assert browser.together("tests/test_browser.py::test_one") != browser.together("tests/test_browser.py::test_two")
    assert browser.together("tests/test_slides.py::test_a[x]") == browser.together("tests/test_slides.py::test_b")
    talks = [browser.together(f"tests/test_slides.py::test_a[{chapter}]") for chapter in ("01_a", "02_b", "03_c")]
    assert talks[0] == talks[2] != talks[1]


# ---- who runs what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failing", ["", "test", "browser"])
def test_ci_runs_the_tests_and_the_browser_and_fails_if_either_does(tmp_path, failing):
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "$*" >> "{tmp_path}/log"\n[ "$1" != "{failing}" ]\n')
    make.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", str(ROOT / ".ci" / "run")], env=environment)
    assert (tmp_path / "log").read_text().split() == ["test", "browser"]
    assert (done.returncode == 0) == (failing == "")


@pytest.mark.browser  # it needs none, but it takes its time
def test_make_test_opens_one_page_and_skips_it_with_a_reason_where_there_is_no_browser(tmp_path):
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("WITHOUT_BROWSER"))
    marks = line.split("=", 1)[1].strip().strip("'")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rs", "-m", marks]
    environment = os.environ | {"PATH": str(tmp_path)}
    environment.pop("COURSE_NEEDS_R", None)
    done = subprocess.run(
        [*command, "tests/test_browser.py"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"^1 skipped, (\d+) deselected in", done.stdout, re.MULTILINE)
    assert found and int(found.group(1)) > 50
    assert "no browser found: make browser installs one" in done.stdout
