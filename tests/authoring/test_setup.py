"""The set-up: what it chooses, what it trusts, and that each failure ends in one line. The tools are stubs."""

import ast
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.requirements import Requirement

from helpers import setup_check
from helpers.r import RUnavailable

ROOT = Path(__file__).resolve().parent.parent.parent

# A Python that notes how it was called, can be told which version to be, and fails at the step it is told to.
PYTHON = """#!/bin/sh
echo "python $*" >> "$STUB_LOG"
fail() { echo "$STUB_SAYS"; exit 1; }
case "$*" in *"${STUB_FAILS_AT:-no such step}"*) fail;; esac
case "$*" in
  *version_info*) echo "${STUB_PYTHON:-3.12.1}";;
  *find_spec*) echo "$STUB_LACKS";;
  *"import ensurepip"*) test -z "$STUB_NO_VENV" || test -e "$STUB_LOG.venv";;
  *"-m venv"*) for last; do :; done; /bin/mkdir -p "$last/bin"; /bin/cp "$0" "$last/bin/python";;
esac
"""
R = '#!/bin/sh\necho "R version ${STUB_R:-4.2.2} (2022-10-31)"\n'
# apt-get knows its packages only after an update, and then brings the R stub.
APT = """#!/bin/sh
echo "apt-get $*" >> "$STUB_LOG"
case "$1" in
  update) [ -z "$STUB_APT_SAYS" ] || { echo "$STUB_APT_SAYS"; exit 100; }; : > "$STUB_LOG.updated";;
  install) [ -e "$STUB_LOG.updated" ] || { echo "E: Unable to locate package r-base-core"; exit 100; }
    /bin/cp "${0%/*}/../R" "${0%/*}/R"; : > "$STUB_LOG.venv";;
esac
"""
SUDO = '#!/bin/sh\necho "sudo $*" >> "$STUB_LOG"\n[ -z "$STUB_SUDO_REFUSES" ] || exit 1\n[ "$1" = -v ] || exec "$@"\n'
BREW = '#!/bin/sh\necho "brew $*" >> "$STUB_LOG"\n/bin/cp "${0%/*}/../R" "${0%/*}/R"\n'
TOOLS = {"R": R, "apt-get": APT, "sudo": SUDO, "brew": BREW}


def load(path: Path):
    spec = importlib.util.spec_from_file_location("course_setup", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


setup = load(ROOT / ".ci" / "setup.py")


class Machine:
    """A copy of the project's set-up, and a PATH with nothing on it but stubs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture):
        self.folder, self.monkeypatch, self.capfd = folder, monkeypatch, capfd
        self.project, self.bin, self.log = folder / "project", folder / "bin", folder / "log"
        self.home_of_r = folder / "home of R"
        self.stamp, self.python = self.project / ".venv" / ".course-ready", self.project / ".venv" / "bin" / "python"
        (self.project / ".ci").mkdir(parents=True)
        self.bin.mkdir()
        self.log.touch()
        for name in ("pyproject.toml", "constraints.txt", ".ci/setup.py"):
            shutil.copy(ROOT / name, self.project / name)
        self.setup = load(self.project / ".ci" / "setup.py")
        self.setup.TORCH_INDEX = "http://127.0.0.1:9"  # refused at once
        monkeypatch.setenv("no_proxy", "*")
        for name in ("CONDA_PREFIX", "CONDA_DEFAULT_ENV", "R_HOME", "COURSE_WITHOUT_R", "COURSE_TORCH"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PATH", str(self.bin))
        monkeypatch.setenv("STUB_LOG", str(self.log))
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(tempfile, "tempdir", str(folder))  # a log goes there if there is no .venv
        self.write(folder / "R", R)
        self.write(self.bin / "env", '#!/bin/sh\nexec /usr/bin/env "$@"\n')
        self.add("python3", PYTHON)

    def write(self, path: Path, text: str):
        path.write_text(text)
        path.chmod(0o755)

    def add(self, name: str, text: str):
        self.write(self.bin / name, text)

    def run(self, *arguments: str, **environment: str) -> SimpleNamespace:
        """Run the set-up; returns its exit code, its two streams and what the stubs were called with."""
        self.log.write_text("")
        self.capfd.readouterr()
        with self.monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            code = self.setup.main(list(arguments))
        out, err = self.capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err, calls=self.log.read_text())


@pytest.fixture
def machine(tmp_path, monkeypatch, capfd):
    return Machine(tmp_path, monkeypatch, capfd)


@pytest.fixture
def machine_with_r(machine):
    machine.add("R", R)
    return machine


def one_line(text: str) -> str:
    assert text.startswith("set-up: ") and text.count("\n") == 1 and text.endswith("\n"), text
    return text.strip()


# ---- what it chooses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("r, rinterface", [((4, 4, 3), "3.6.5"), ((4, 5, 0), "3.6.6"), ((4, 6, 0), "3.6.7")])
def test_rinterface_fits_r(r, rinterface):
    assert setup.choose_rinterface(r) == rinterface


@pytest.mark.parametrize(
    "says, chosen",
    [
        ({"python3": "3.11.9", "python3.13": "3.13.1"}, "python3"),
        ({"python3": "3.15.0", "python3.13": "no such version", "python3.12": "3.12.4"}, "python3.12"),
    ],
)
def test_the_first_python_that_is_supported_is_taken(machine, says, chosen):
    for name, version in says.items():
        machine.add(name, f"#!/bin/sh\necho {version}\n")
    version = tuple(map(int, says[chosen].split(".")))
    assert machine.setup.choose_python() == (str(machine.bin / chosen), version)


def test_the_set_up_starts_under_an_old_python():
    tree = ast.parse((ROOT / ".ci" / "setup.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)], "an f-string"
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    assert not imported & {"tomllib", "dataclasses", "importlib.metadata"}, "a module that an old Python lacks"


# ---- conda ---------------------------------------------------------------------------------------------------------


def conda(machine, *packages: str, name: str = "lm-to-neural-networks", with_course=False) -> dict[str, str]:
    prefix = machine.folder / name
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "bin").mkdir()
    if with_course:
        (prefix / "lib/python3.12/site-packages/lm_to_neural_networks-0.1.0.dist-info").mkdir(parents=True)
    for package in packages:
        (prefix / "conda-meta" / f"{package}.json").touch()
    machine.write(prefix / "bin" / "python", PYTHON)
    return {"CONDA_PREFIX": str(prefix), "CONDA_DEFAULT_ENV": name}


BOTH = ["r-base-4.5.1-h1", "pytorch-cpu-2.13.0-h2"]
# What the active environment holds, its name, whether the course is installed in it, and whether it is taken.
ENVIRONMENTS = [
    (BOTH, "lm-to-neural-networks", False, True),
    (BOTH, "mine", True, True),
    (BOTH, "somebody-s-own", False, False),
    (BOTH, "base", True, False),
    (BOTH[:1], "lm-to-neural-networks", True, False),
    (BOTH[1:], "lm-to-neural-networks", True, False),
]


@pytest.mark.parametrize("packages, name, with_course, taken", ENVIRONMENTS)
def test_the_courses_conda_environment_is_taken_and_others_are_left_alone(machine, packages, name, with_course, taken):
    environment = conda(machine, *packages, name=name, with_course=with_course)
    python = f"{environment['CONDA_PREFIX']}/bin/python" if taken else str(machine.python)
    assert machine.run("--python", **environment).out.strip() == python
    ran = machine.run(**environment)
    assert (ran.out == f"set-up: ready (conda environment {name})\n") == taken == (ran.code == 0)
    assert "-m pip" not in ran.calls and not (machine.project / ".venv").exists(), "there is no R for one of its own"


def test_an_incomplete_conda_environment_is_named(machine):
    ran = machine.run(**conda(machine, *BOTH), STUB_LACKS="nbval helpers")
    assert ran.code == 1 and "lacks nbval, helpers: run conda env update" in one_line(ran.err)


def test_no_conda(machine):
    assert machine.setup.course_conda({}) is None
    assert machine.setup.course_conda({"CONDA_PREFIX": "/no/such/place"}) is None


# ---- what it trusts ------------------------------------------------------------------------------------------------


def test_a_fresh_machine_then_nothing_to_do(machine_with_r):
    first = machine_with_r.run()
    assert first.code == 0, first.err
    main = next(line for line in first.calls.splitlines() if "--editable" in line)
    assert ".[course,r,test,slides,site,browser] rpy2-rinterface==3.6.5" in main and "--constraint" in main
    second = machine_with_r.run()
    assert (second.code, second.out) == (0, "set-up: ready (.venv, Python 3.12.1, R 4.2.2)\n")
    assert "pip" not in second.calls and "venv" not in second.calls


def test_an_upgraded_r_brings_another_rinterface_into_the_same_venv(machine_with_r):
    machine_with_r.run()
    ran = machine_with_r.run(STUB_R="4.10.1")
    assert ran.code == 0 and "rpy2-rinterface==3.6.7" in ran.calls and "-m venv" not in ran.calls
    assert machine_with_r.run(STUB_R="4.10.1").out.count("\n") == 1


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt", ".ci/setup.py"])
def test_changed_pins_bring_the_venv_up_to_date(machine_with_r, name):
    machine_with_r.run()
    with (machine_with_r.project / name).open("a") as file:
        file.write("# changed\n")
    ran = machine_with_r.run()
    assert "--editable" in ran.calls and "-m venv" not in ran.calls


def replace(path: Path, old: str, new: str):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


SPOILERS = {
    "a broken stamp": lambda machine: machine.stamp.write_text(machine.stamp.read_text()[:20]),
    "no stamp": lambda machine: machine.stamp.unlink(),
    "no Python": lambda machine: machine.python.unlink(),
    "another Python": lambda machine: replace(machine.python, "3.12.1", "3.13.0"),
    "another place": lambda machine: replace(machine.stamp, f'"root": "{machine.project}"', '"root": "/elsewhere"'),
}


@pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS)
def test_a_venv_that_cannot_be_trusted_is_made_again_from_nothing(machine_with_r, spoil):
    machine_with_r.run()
    left_over = machine_with_r.project / ".venv" / "half" / "written.py"
    left_over.parent.mkdir()
    left_over.touch()
    spoil(machine_with_r)
    ran = machine_with_r.run()
    assert ran.code == 0 and "-m venv" in ran.calls and not left_over.parent.exists()


STEPS = [
    "-m venv",
    "-m ensurepip",
    "setuptools wheel",
    "rpy2-rinterface==",
    "--editable",
    "import importlib",
    "helpers.r",
]


@pytest.mark.parametrize("step", STEPS)
def test_a_failure_at_any_step_leaves_nothing_that_the_next_run_trusts(machine_with_r, step):
    failed = machine_with_r.run(STUB_FAILS_AT=step, STUB_SAYS="ERROR: the stub was told to fail")
    assert failed.code == 1 and "the stub was told to fail" in one_line(failed.err)
    log = re.search(r"\(log: (.*)\)$", failed.err.strip())
    assert "the stub was told to fail" in Path(log[1]).read_text()
    assert not machine_with_r.stamp.exists()
    repaired = machine_with_r.run()
    assert repaired.code == 0 and "-m venv" in repaired.calls


@pytest.mark.parametrize("step", ["rpy2-rinterface==", "--editable"])
def test_a_failed_update_is_not_trusted_either(machine_with_r, step):
    machine_with_r.run()
    failed = machine_with_r.run(STUB_R="4.5.0", STUB_FAILS_AT=step, STUB_SAYS="ERROR: no")
    assert failed.code == 1 and not machine_with_r.stamp.exists()


def test_an_interrupt_ends_in_one_line(machine_with_r, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(machine_with_r.setup, "pip", interrupted)
    ran = machine_with_r.run()
    assert ran.code == 130 and "Run the command again" in one_line(ran.err) and not machine_with_r.stamp.exists()


def test_somebody_elses_venv_is_not_touched(machine_with_r):
    theirs = machine_with_r.project / ".venv" / "theirs"
    theirs.parent.mkdir()
    theirs.touch()
    ran = machine_with_r.run()
    assert ran.code == 1 and "Move it away" in one_line(ran.err)
    assert os.listdir(theirs.parent) == ["theirs"]


def test_a_venv_that_is_a_link_leads_to_anothers_and_is_not_emptied(machine_with_r):
    machine_with_r.run()
    (machine_with_r.project / ".venv").rename(machine_with_r.folder / "another's")
    (machine_with_r.project / ".venv").symlink_to(machine_with_r.folder / "another's")
    machine_with_r.stamp.write_text("of another folder")
    ran = machine_with_r.run()
    assert ran.code == 1 and "Move it away" in one_line(ran.err) and machine_with_r.python.exists()


def test_two_at_once_wait_for_each_other(machine_with_r):
    holder = (
        "import fcntl, sys, time\n"
        "file = open(sys.argv[1], 'rb'); fcntl.flock(file, fcntl.LOCK_EX); print('held', flush=True)\n"
        "time.sleep(0.5); open(sys.argv[2], 'w').close()"
    )
    released = machine_with_r.folder / "released"
    command = [sys.executable, "-c", holder, machine_with_r.project / ".ci" / "setup.py", released]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        ran = machine_with_r.run(STUB_FAILS_AT="-m venv", STUB_SAYS="ERROR: stop here")
        assert released.exists(), "the set-up did not wait"
    assert "waiting for it" in ran.out


# ---- failures, each in one line ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("OSError: [Errno 28] No space left on device: '/x'", "the disk is full"),
        (
            "WARNING: Temporary failure in name resolution\nERROR: No matching distribution found for torch",
            "no network",
        ),
        ("ERROR: No matching distribution found for torch==2.13.0", "there is no torch==2.13.0 for this Python"),
        ("noise\nERROR: something new\nmore noise", "failed (exit code 1): ERROR: something new"),
        (
            "ERROR: Cannot install a==1 because it conflicts\nERROR: ResolutionImpossible: for help visit somewhere",
            "failed (exit code 1): ERROR: Cannot install a==1 because it conflicts",
        ),
        ("error: metadata-generation-failed\nhint: See above for details.\n", "(exit code 1): error: metadata-gen"),
    ],
)
def test_what_pip_says_becomes_one_line(machine_with_r, said, words):
    ran = machine_with_r.run(STUB_FAILS_AT="--editable", STUB_SAYS=said)
    assert ran.code == 1 and words in one_line(ran.err)


def test_a_full_disk_gets_its_room_back(machine_with_r):
    machine_with_r.run(STUB_FAILS_AT="--editable", STUB_SAYS="No space left on device")
    left = {entry for entry in os.listdir(machine_with_r.project / ".venv") if not entry.endswith(".log")}
    assert left == {".course-begun"}


CONDA, WITHOUT_R = "conda env create --file environment.yml", "write COURSE_WITHOUT_R=1 before the command"
NO_HOME = ["R_HOME is set to {folder}/home of R", "Unset it"]
# What is on PATH, who asks, how; and the words that the one line has.
REFUSALS = {
    "Python 3.9": ({"R"}, "root", {"STUB_PYTHON": "3.9.6"}, ["found Python 3.9.6 at", CONDA]),
    "Python 3.10": ({"R"}, "root", {"STUB_PYTHON": "3.10.14"}, ["found Python 3.10.14 at", CONDA]),
    "Python 3.15": ({"R"}, "root", {"STUB_PYTHON": "3.15.0"}, ["found Python 3.15.0 at", CONDA]),
    "no Python": ({"R", "no python3"}, "root", {}, ["found no Python", CONDA]),
    "no R": (set(), "root", {}, ["R is missing", CONDA, WITHOUT_R]),
    "R of no version": ({"R"}, "root", {"STUB_R": "of today"}, ["does not say its version", WITHOUT_R]),
    "R 4.1": ({"R"}, "root", {"STUB_R": "4.1.2"}, ["R 4.1.2 is too old", "4.2", CONDA, WITHOUT_R]),
    "R_HOME without anything": ({"R"}, "root", {"R_HOME": "{folder}/home of R"}, NO_HOME),
    "R_HOME with R alone, as /usr": ({"R", "R at home"}, "root", {"R_HOME": "{folder}/home of R"}, NO_HOME),
    "a refusal by sudo": ({"apt-get", "sudo"}, "user", {"STUB_SUDO_REFUSES": "1"}, ["sudo refused", WITHOUT_R]),
    "no sudo": ({"apt-get"}, "user", {}, ["run apt-get install r-base-core as root", WITHOUT_R]),
    "no venv": (
        {"apt-get"},
        "user",
        {"STUB_NO_VENV": "1", "option": "--without-r"},
        ["python3.12-venv as root"],
    ),
    "no network for apt-get": (
        {"apt-get"},
        "root",
        {"STUB_APT_SAYS": "W: Failed to fetch a list  Temporary failure resolving 'somewhere'"},
        ["no network: apt-get install r-base-core failed"],
    ),
    "an unknown option": ({"R"}, "root", {"option": "--without-R"}, ["--without-R"]),
}


@pytest.mark.parametrize(("there", "who", "asked", "words"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_done_is_said_in_one_line_and_nothing_is_made(machine, monkeypatch, there, who, asked, words):
    monkeypatch.setattr(os, "geteuid", lambda: 0 if who == "root" else 1000)
    for name in there & TOOLS.keys():
        machine.add(name, TOOLS[name])
    if "no python3" in there:
        (machine.bin / "python3").unlink()
    (machine.home_of_r / "bin").mkdir(parents=True)
    if "R at home" in there:
        machine.write(machine.home_of_r / "bin" / "R", R)
    environment = {name: text.format(folder=machine.folder) for name, text in asked.items()}
    options = [environment.pop("option")] if "option" in environment else []
    ran = machine.run(*options, **environment)
    assert ran.code == (2 if options == ["--without-R"] else 1)
    assert [text for text in words if text.format(folder=machine.folder) not in one_line(ran.err)] == []
    assert ("COURSE_WITHOUT_R" in ran.err) <= (WITHOUT_R in words), "no way out where venv is missing"
    assert who == "root" or "apt-get install" not in ran.calls
    assert not (machine.project / ".venv").exists()


def test_r_home_is_believed_if_it_is_one(machine):
    (machine.home_of_r / "bin").mkdir(parents=True)
    machine.write(machine.home_of_r / "bin" / "R", R)
    (machine.home_of_r / "library" / "base").mkdir(parents=True)
    ran = machine.run(R_HOME=str(machine.home_of_r))
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    "user, tool, command",
    [
        (0, "apt-get", "apt-get install --yes"),
        (1000, "apt-get", "sudo apt-get install --yes"),
        (1000, "brew", "brew install r"),
    ],
)
def test_a_missing_r_is_installed_and_that_is_said_first(machine, monkeypatch, user, tool, command):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    for name in (tool, "sudo"):
        machine.add(name, TOOLS[name])
    ran = machine.run()
    assert ran.code == 0 and f"R is missing; running: {command}" in ran.out, ran.err
    for call in ("sudo -v", "sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes"):
        assert (call in ran.calls) == command.startswith("sudo")


def test_venv_and_r_come_in_one_installation(machine):
    machine.add("apt-get", APT)
    ran = machine.run(STUB_NO_VENV="1")
    assert ran.code == 0, ran.err
    assert ran.calls.count("python3.12-venv r-base-core") == 2, "tried, then again after apt-get update"


@pytest.mark.parametrize(("arguments", "environment"), [(["--without-r"], {}), ([], {"COURSE_WITHOUT_R": "1"})])
def test_without_r_as_asked(machine, arguments, environment):
    ran = machine.run(*arguments, **environment)
    assert ran.code == 0, ran.err
    assert "without R, as asked" in ran.out and "rpy2" not in ran.calls
    assert ".[course,test,slides,site,browser]" in ran.calls
    assert machine.run(*arguments, **environment).out == "set-up: ready (.venv, Python 3.12.1, without R, as asked)\n"
    assert machine.run().code == 1, "asked for R later, the set-up must look for it"


def test_an_environment_with_r_serves_those_who_ask_for_none(machine_with_r):
    machine_with_r.run()
    ran = machine_with_r.run("--without-r")
    assert ran.code == 0 and ran.out.count("\n") == 1 and "pip" not in ran.calls


@pytest.mark.parametrize("name, locale, fits", [("ü", "C", False), ("ü", "C.UTF-8", True), ("it's $x", "C", True)])
def test_a_folder_that_the_locale_cannot_name_is_refused_before_anything_is_made(machine, name, locale, fits):
    folder = machine.folder / name
    machine.project.rename(folder)
    machine.add("python3", f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    command = ["python3", "-I", ".ci/setup.py"]
    environment = {"PATH": str(machine.bin), "LC_ALL": locale, "STUB_LOG": str(machine.log)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 1 and not (folder / ".venv").exists()
    assert ("export LC_ALL=C.UTF-8" if not fits else "R is missing") in one_line(done.stderr.splitlines(True)[-1])


def test_pip_keeps_the_users_index_and_nothing_that_leads_it_astray():
    mine = {"PIP_EXTRA_INDEX_URL": "address", "PIP_USER": "1", "PIP_TARGET": "/x", "PYTHONPATH": "/y"}
    env = setup.clean_environment(mine)
    assert env["PIP_EXTRA_INDEX_URL"] == "address" and env["PIP_USER"] == "0"
    assert not {"PIP_TARGET", "PYTHONPATH"} & env.keys()


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        ("[global]|target = /x", {"PIP_CONFIG_FILE": os.devnull}),
        (
            "[global]|index-url = one|extra-index-url =|  two|  three|[install]|index-url = mine|require-hashes = 1",
            {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "mine", "PIP_EXTRA_INDEX_URL": "\ntwo\nthree"},
        ),
        ("[global]|index-url = one", {"PIP_INDEX_URL": None}),
    ],
)
def test_nor_do_the_users_files_for_pip(tmp_path, monkeypatch, lines, settings):
    file = tmp_path / "pip.conf"
    file.write_text(lines.replace("|", "\n"))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    env = setup.pip_environment(sys.executable)
    settings = {"PIP_CONFIG_FILE": str(file), **settings}
    assert {name: env.get(name) for name in settings} == settings
    assert not {"PIP_TARGET", "PIP_REQUIRE_HASHES"} & env.keys()


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("Progress 50000000 of 190000000", "Downloading torch-2.13.0.whl, 50 of 190 MB"),
        ("Collecting torch==2.13.0", "Collecting torch==2.13.0"),
        ("Installing collected packages: a, b, c", "unpacking 3 packages"),
        ("Get:12 http://mirror/debian bookworm/main amd64 r-base-core amd64 4.2.2 [50 MB]", "Downloading r-base-core"),
        ("Unpacking r-base-core (4.2.2) ...", "Unpacking r-base-core"),
        ("something else", "Downloading torch-2.13.0.whl"),
    ],
)
def test_progress(line, state):
    assert setup.progress_of(line, "Downloading torch-2.13.0.whl") == state


def test_a_silent_command_still_shows_progress(capfd, monkeypatch):
    monkeypatch.setattr(setup, "SECONDS_BETWEEN_LINES", 0.1)
    code, lines = setup.run([sys.executable, "-c", "import time; time.sleep(0.3); print('end')"], setup.Output())
    assert (code, lines) == (0, ["end"])
    assert "set-up:   working (0 s)" in capfd.readouterr().out


# ---- PyTorch: the CPU build where its index can be reached -----------------------------------------------------------


class Index:
    """The index of packages, which answers, or not, or takes too long. `asked` has the addresses."""

    def __init__(self, answer: str):
        self.answer, self.asked, self.closed, self.nobody_closed = answer, [], threading.Event(), False

    def urlopen(self, address: str, timeout: float) -> io.BytesIO:
        self.asked.append(address)
        if self.answer == "hangs":
            self.nobody_closed = not self.closed.wait(10)
        if self.answer != "answers":
            raise OSError(self.answer)
        return io.BytesIO(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    "answer, environment, platform, takes_it",
    [
        ("answers", {}, "linux", True),
        ("not found", {}, "linux", False),
        ("hangs", {}, "linux", False),
        ("answers", {"COURSE_TORCH": "default"}, "linux", False),
        ("answers", {}, "darwin", False),
    ],
)
def test_the_cpu_build_is_taken_where_its_index_answers(
    machine_with_r, monkeypatch, answer, environment, platform, takes_it
):
    index = Index(answer)
    monkeypatch.setattr("urllib.request.urlopen", index.urlopen)
    monkeypatch.setattr(machine_with_r.setup, "SECONDS_FOR_TORCH_INDEX", 0.2 if answer == "hangs" else 5)
    monkeypatch.setattr(sys, "platform", platform)
    ran = machine_with_r.run(**environment)
    index.closed.set()
    assert ran.code == 0, ran.err
    assert not index.nobody_closed, "the set-up waited for an index that hangs"
    assert ("PyTorch as pip finds it" in ran.out) != takes_it
    address = machine_with_r.setup.TORCH_INDEX
    assert index.asked == [f"{address}/torch/"] * (platform == "linux" and not environment)
    installs = [line for line in ran.calls.splitlines() if " install " in line]
    (pin,) = [pin for pin in PROJECT["optional-dependencies"]["course"] if pin.startswith("torch==")]
    own = [line for line in installs if line.endswith(f"--no-deps --index-url {address} {pin}")]
    assert own == installs[-2:-1] * takes_it, "before the rest, and only there from this index"


def test_an_index_without_a_build_for_this_machine_leaves_it_to_pip(machine_with_r, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", Index("answers").urlopen)
    ran = machine_with_r.run(STUB_FAILS_AT="--index-url", STUB_SAYS="ERROR: No matching distribution found")
    assert ran.code == 0 and "none for this machine" in ran.out and "--editable" in ran.calls


def test_an_unknown_wish_for_torch_is_named(machine_with_r):
    assert "COURSE_TORCH is cuda" in one_line(machine_with_r.run(COURSE_TORCH="cuda").err)


# ---- the files that pin --------------------------------------------------------------------------------------------

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
NAMES_IN_CONDA = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base"}
NAMES_IN_CONDA |= {"jupyter-client": "jupyter_client", "jupyter-core": "jupyter_core"}
# rpy2-robjects is part of conda's rpy2; the extras are pip's in conda, too.
EXTRAS_OF_PIP = ("browser", "site", "slides")
PIP_ONLY = {"rpy2-robjects"} | {
    pin.split("==")[0] for extra in EXTRAS_OF_PIP for pin in PROJECT["optional-dependencies"][extra]
}
IMPORTED_FROM = {"bs4": "beautifulsoup4", "IPython": "ipython", "PIL": "pillow", "yaml": "pyyaml"}
IMPORTED_FROM |= {"xdist": "pytest-xdist", "ignite": "pytorch-ignite"}
CONDA_ONLY = {"python", "pip", "make", "r-base"}


def pyproject_pins() -> dict[str, str]:
    return dict(pin.split("==") for extra in PROJECT["optional-dependencies"].values() for pin in extra)


def lines_of(lock: str) -> list[str]:
    return [line for line in (ROOT / lock).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def locked(lock: str = "constraints.txt") -> dict[str, str]:
    """Package name to exact version; where the version depends on the machine, the last one."""
    return dict(line.split(" ;")[0].split("==") for line in lines_of(lock))


def test_conda_and_pip_say_the_same():
    conda_pins = dict(pin.split("=") for pin in ENVIRONMENT["dependencies"] if isinstance(pin, str) and "=" in pin)
    pip_pins = {NAMES_IN_CONDA.get(name, name): version for name, version in pyproject_pins().items()}
    assert conda_pins.keys() - CONDA_ONLY == pip_pins.keys() - PIP_ONLY
    for name in conda_pins.keys() - CONDA_ONLY:
        assert pip_pins[name].split(".")[: conda_pins[name].count(".") + 1] == conda_pins[name].split("."), name


def test_conda_pins_an_r_and_a_python_that_the_set_up_supports():
    conda_pins = dict(pin.split("=") for pin in ENVIRONMENT["dependencies"] if isinstance(pin, str) and "=" in pin)
    python = tuple(int(part) for part in conda_pins["python"].split("."))
    assert setup.is_supported(python)
    r = tuple(int(part) for part in conda_pins["r-base"].split("."))
    assert conda_pins["rpy2"] == setup.choose_rinterface(r)
    assert "conda-forge" in ENVIRONMENT["channels"] and "defaults" not in ENVIRONMENT["channels"]
    assert ENVIRONMENT["name"] == PROJECT["name"] and ENVIRONMENT["name"] in setup.CONDA_ADVICE
    # The package itself has no dependencies, or pip would put its own builds over conda's.
    assert {"pip": [f"--editable .[{','.join(EXTRAS_OF_PIP)}]"]} in ENVIRONMENT["dependencies"]
    assert PROJECT["dependencies"] == []


def test_the_set_up_and_pyproject_support_the_same_pythons():
    oldest, untried = (setup.version_text(v) for v in (setup.OLDEST_PYTHON, setup.FIRST_UNTRIED_PYTHON))
    assert PROJECT["requires-python"] == f">={oldest},<{untried}"


def test_what_is_imported_is_declared():
    files = [path for folder in ("helpers", "tests", ".ci") for path in (ROOT / folder).rglob("*.py")]
    # One import a line, as ruff has it; also in programs that are kept in a string.
    line = re.compile(r"^ *(?:import (\w+)|from (\w+)[\w.]* import )", re.MULTILINE)
    found = [line.findall(path.read_text(encoding="utf-8")) for path in files]
    names = {plain or of_from for imports in found for plain, of_from in imports}
    names -= sys.stdlib_module_names | {path.stem for path in files} | {"helpers", "meet"}  # a script of chapter 17
    assert {"torch", "psutil", "yaml", "PIL"} <= names
    distributions = {name: IMPORTED_FROM.get(name, name.replace("_", "-")) for name in names}
    peers = {pin.split("==")[0] for pin in PYPROJECT["dependency-groups"]["peers"]}
    assert set(distributions.values()) <= pyproject_pins().keys() | peers


def test_everything_is_locked_exactly():
    for line in lines_of("constraints.txt"):
        assert re.fullmatch(r"[a-z0-9.-]+==[0-9][0-9a-z.]*( ; .+)?", line), line
    assert "rpy2-rinterface" not in locked(), "the set-up picks it"
    for name, version in pyproject_pins().items():
        assert locked()[name] == version
    assert set(setup.BUILD_TOOLS) - {"flit_core"} | {"flit-core"} <= locked().keys()


def test_the_benchs_peers_are_locked_run_on_the_courses_torch_and_stay_out_of_its_environment():
    peers = dict(pin.split("==") for pin in PYPROJECT["dependency-groups"]["peers"])
    assert peers.items() <= locked("tests/bench/peers.txt").items()
    assert peers.pop("torch") == pyproject_pins()["torch"]
    assert not peers.keys() & (pyproject_pins().keys() | locked().keys())


def brought_along(extras: set[str]) -> set[str]:
    """The names of all packages that the pins of these extras need here, and those pins' own."""
    found, waiting = set(), [Requirement(f"{PROJECT['name']}[{','.join(sorted(extras))}]")]
    while waiting:
        wish = waiting.pop()
        if (wish.name, str(wish.extras)) not in found:
            found.add((wish.name, str(wish.extras)))
            needs = map(Requirement, metadata.requires(wish.name) or ())
            extras = wish.extras or {""}
            waiting += [n for n in needs if not n.marker or any(n.marker.evaluate({"extra": e}) for e in extras)]
    return {re.sub("[-_.]+", "-", name).lower() for name, _ in found}


def test_what_is_installed_is_what_is_locked():
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("this is not the environment that the set-up makes with pip")
    made_without_r = json.loads((ROOT / ".venv" / ".course-ready").read_text())["r"] is None
    extras = PROJECT["optional-dependencies"].keys() - ({"r"} if made_without_r else set())
    names = brought_along(extras) - {"rpy2-rinterface", PROJECT["name"]}
    assert len(names) > 100
    assert {name: metadata.version(name).split("+")[0] for name in names} == {name: locked()[name] for name in names}


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split())
    # As at a prompt, though this test itself may run under make.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    said = subprocess.run(["make"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    listed = {line.split()[1] for line in said.splitlines()}
    assert listed == targets - {"setup"}
    assert all(len(line.split()) > 2 for line in said.splitlines()), "a line of explanation each"


# ---- the report for chapter 00 and the shell -----------------------------------------------------------------------


@pytest.fixture
def r_answers(monkeypatch):
    monkeypatch.setattr("helpers.r.probe", lambda: "R version 4.2.2 Patched (2022-11-10 r83330)")


def r_is_missing():
    raise RUnavailable("R is not installed.\nInstall it.")


def status_of(report, component: str) -> str:
    return report.set_index("component")["status"][component]


def test_the_report_says_ok_for_each_component(r_answers, monkeypatch):
    monkeypatch.setattr(setup_check.metadata, "version", setup_check.tested_versions().__getitem__)
    report = setup_check.setup_report()
    assert list(report.columns) == ["component", "version", "status"]
    assert set(report["component"]) == {"Python", "rpy2", "R", *setup_check.PACKAGES}
    assert set(report["status"]) == {"OK"} and setup_check.all_ok(report) and setup_check.main() == 0
    assert report.set_index("component")["version"]["R"] == "4.2.2"


def test_the_report_without_versions_is_the_same_on_every_machine(r_answers):
    assert list(setup_check.setup_report(versions=False).columns) == ["component", "status"]


def test_a_missing_r_is_told_with_the_way_out(monkeypatch, capsys):
    monkeypatch.setattr("helpers.r.probe", r_is_missing)
    assert status_of(setup_check.setup_report(), "R") == "R is not installed. Install it."
    assert not setup_check.all_ok()
    assert setup_check.main() == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith("R is not installed. Install it.")


def test_a_missing_package_and_an_untested_version_are_told(r_answers, monkeypatch):
    pins = setup_check.tested_versions() | {"pandas": "2.2.3", "tqdm": "4.70.99"}

    def version(name):
        if name == "torch":
            raise metadata.PackageNotFoundError(name)
        return pins[name]

    monkeypatch.setattr(setup_check.metadata, "version", version)
    report = setup_check.setup_report()
    assert status_of(report, "torch").startswith("not installed: run `make lab` again")
    assert status_of(report, "pandas").startswith("the course was tested with 3.1.1")
    assert status_of(report, "tqdm") == "OK", "a patch level may differ"
    assert not setup_check.all_ok(report)
