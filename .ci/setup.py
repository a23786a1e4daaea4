"""Makes the environment the course runs in. `make` calls it before everything else.

    python3 .ci/setup.py               make or repair the environment; one line, "ready", when there is nothing to do
    python3 .ci/setup.py --without-r   the same without R (or COURSE_WITHOUT_R=1)
    python3 .ci/setup.py --python      print the path of the environment's Python
    python3 .ci/setup.py --lock        write constraints.txt anew

Inside an active conda environment made from environment.yml there is nothing to install. Elsewhere it makes .venv with
the exact versions of pyproject.toml and constraints.txt, finds or installs R, and picks the rpy2-rinterface that fits
that R. On Linux it takes PyTorch's CPU build, where its index can be reached; COURSE_TORCH=default leaves the choice to
pip. .venv/.course-ready is written last: without it, nothing in .venv is trusted and .venv is made again.

Standard library only, in a Python old enough to start anywhere and say what is missing.
"""

import ast
import contextlib
import errno
import glob
import hashlib
import json
import locale
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST_PYTHON = (3, 11)
FIRST_UNTRIED_PYTHON = (3, 15)
PYTHON_NAMES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"]
PYTHONS = "Python 3.11, 3.12, 3.13 or 3.14"
OLDEST_R = (4, 2)
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"  # CPU builds; pip's own index has those with CUDA on Linux
SECONDS_FOR_TORCH_INDEX = 3
BUILD_TOOLS = ["pip", "setuptools", "wheel", "flit_core"]
STRAYS = ("target", "prefix", "root", "python", "require-hashes", "dry-run", "no-deps")  # lead pip out of .venv
SECONDS_BETWEEN_LINES = 5
COURSE = "lm-to-neural-networks"
CONDA_ADVICE = "conda env create --file environment.yml && conda activate " + COURSE
WITHOUT_R_ADVICE = "or go on without R: write COURSE_WITHOUT_R=1 before the command"
NETWORK_TROUBLE = (
    "temporary failure in name resolution", "temporary failure resolving", "name or service not known",
    "failed to establish a new connection", "network is unreachable", "nodename nor servname", "could not resolve",
    "getaddrinfo failed", "max retries exceeded", "read timed out", "connection refused", "connection reset",
    "connection broken", "connecttimeout", "failed to fetch",
)  # fmt: skip


class SetupError(Exception):
    """What stopped the set-up, in one line that names the way out."""


class DiskFull(SetupError):
    """There is no room. What was half made is removed again, to give the room back."""


def tell(text, stream):
    """Print a line, even where the stream can't show a letter of a path."""
    print(text.encode(stream.encoding or "ascii", "backslashreplace").decode(stream.encoding or "ascii"), file=stream)
    stream.flush()


class Output:
    """Where the set-up speaks: progress on one stream, and everything the tools said kept for the log."""

    def __init__(self, stream=None):
        self.stream = stream
        self.lines = []

    def say(self, text):
        tell("set-up: " + text, self.stream or sys.stdout)
        self.lines.append("set-up: " + text)


# ---- what there is: Python, R, conda, the stamp ---------------------------------------------------------------------


def version_text(version):
    return ".".join(str(part) for part in version)


def answer(command, env=None):
    """The standard output of a command that ends at once, or None if it can't be run or fails."""
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
        )
        out = process.communicate()[0]
    except OSError:
        return None
    return out.decode("utf-8", "replace") if process.returncode == 0 else None


def python_version(command):
    """(major, minor, micro) of a Python, or None if the command doesn't run."""
    text = answer([command, "-I", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"])
    found = re.match(r"(\d+)\.(\d+)\.(\d+)\s*$", text or "")
    return tuple(int(part) for part in found.groups()) if found else None


def is_supported(version):
    return version is not None and OLDEST_PYTHON <= version[:2] < FIRST_UNTRIED_PYTHON


def choose_python(names=PYTHON_NAMES):
    """The first Python on PATH that the course supports: (path, version)."""
    seen = []
    for name in names:
        path = shutil.which(name)
        version = python_version(path) if path else None
        if is_supported(version):
            return path, version
        if version:
            seen.append("Python {} at {}".format(version_text(version), path))
    raise SetupError(
        "the course needs {} and found {}. Install one of them, or use conda: {}".format(
            PYTHONS, " and ".join(seen) or "no Python", CONDA_ADVICE
        )
    )


def parse_r_version(text):
    """(4, 2, 2) from what `R --version` prints, or None."""
    found = re.search(r"R version (\d+)\.(\d+)\.(\d+)", text or "")
    return tuple(int(part) for part in found.groups()) if found else None


def find_r(environ=os.environ):
    """R's version, or None where there is no R. rpy2 looks at R_HOME first, then at PATH; so do we."""
    home = environ.get("R_HOME")
    if home:
        version = parse_r_version(answer([os.path.join(home, "bin", "R"), "--version"]))
        if version is None or not os.path.isdir(os.path.join(home, "library", "base")):
            raise SetupError("R_HOME is set to {}, no home of R. Unset it, or set it to what R RHOME says".format(home))
        return version
    path = shutil.which("R")
    if path is None:
        return None
    version = parse_r_version(answer([path, "--version"]))
    if version is None:
        raise SetupError("{} does not say its version. Reinstall R, {}".format(path, WITHOUT_R_ADVICE))
    return version


def choose_rinterface(r_version):
    """The rpy2-rinterface that fits an R: from 3.6.6 on it needs R 4.5, and R 4.6 needs 3.6.7."""
    if r_version[:2] < OLDEST_R:
        raise SetupError(
            "R {} is too old: rpy2 needs R {} or later. Install a newer R, use conda ({}), {}".format(
                version_text(r_version), version_text(OLDEST_R), CONDA_ADVICE, WITHOUT_R_ADVICE
            )
        )
    if r_version[:2] < (4, 5):
        return "3.6.5"
    if r_version[:2] < (4, 6):
        return "3.6.6"
    return "3.6.7"


def course_conda(environ=os.environ):
    """The prefix of the active conda environment if it is one made from environment.yml, else None.

    Its name says so, or the course's package in it; with R and PyTorch alone it is somebody's own.
    """
    prefix = environ.get("CONDA_PREFIX")
    if not prefix or environ.get("CONDA_DEFAULT_ENV") == "base":
        return None
    try:
        packages = os.listdir(os.path.join(prefix, "conda-meta"))
    except OSError:
        return None
    holds = all(any(package.startswith(name) for package in packages) for name in ("r-base-", "pytorch-"))
    library = os.path.join(prefix, "lib", "python*", "site-packages", COURSE.replace("-", "_") + "-*.dist-info")
    return prefix if holds and (os.path.basename(prefix) == COURSE or glob.glob(library)) else None


def python_in(prefix):
    if os.name == "nt":
        scripts = os.path.join(prefix, "Scripts", "python.exe")
        return scripts if os.path.exists(scripts) else os.path.join(prefix, "python.exe")
    return os.path.join(prefix, "bin", "python")


class Venv:
    """The folder .venv, and the two files that say what may be believed about it."""

    def __init__(self, root=ROOT):
        self.root = root
        self.path = os.path.join(root, ".venv")
        self.begun = os.path.join(self.path, ".course-begun")
        self.ready = os.path.join(self.path, ".course-ready")
        self.python = python_in(self.path)

    def key(self, python, r):
        """A fingerprint of all that the environment depends on; r is R's version, or None without R."""
        digest = hashlib.sha256()
        for name in ("pyproject.toml", "constraints.txt", os.path.join(".ci", "setup.py")):
            with open(os.path.join(self.root, name), "rb") as file:
                digest.update(file.read() + b"\0")
        digest.update(repr((self.root, python, r)).encode())
        return digest.hexdigest()

    def state(self, r):
        """One of ready, stale (complete, but something it depends on has changed) and absent (not to be trusted)."""
        try:
            with open(self.ready) as file:
                stamp = json.load(file)
            key, root, python = stamp["key"], stamp["root"], tuple(stamp["python"])
        except (OSError, ValueError, KeyError, TypeError):
            return "absent"
        version = python_version(self.python)
        if root != self.root or not is_supported(version) or version[:2] != python[:2]:
            return "absent"
        return "ready" if key == self.key(version, r) else "stale"

    def distrust(self):
        if os.path.lexists(self.ready):
            os.remove(self.ready)

    def trust(self, r):
        version = python_version(self.python)
        stamp = {"key": self.key(version, r), "root": self.root, "python": version, "r": r}
        with open(self.ready + ".new", "w") as file:
            json.dump(stamp, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.ready + ".new", self.ready)

    def clear(self):
        """Leave an empty .venv that says the set-up made it. The mark goes last and comes first."""
        if os.path.isdir(self.path):
            entries = os.listdir(self.path)
            ours = os.path.exists(self.begun) or os.path.exists(self.ready)
            if entries and (not ours or os.path.islink(self.path)):  # a link leads to another's
                raise SetupError("the set-up did not make {}. Move it away and run the command again".format(self.path))
            self.mark()
            for entry in entries:
                path = os.path.join(self.path, entry)
                if path == self.begun:
                    continue
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path)
                else:
                    os.remove(path)
        else:
            os.mkdir(self.path)
            self.mark()

    def give_back(self):
        """Remove what is half made; what is complete stays."""
        if os.path.exists(self.begun) and not os.path.exists(self.ready):
            with contextlib.suppress(OSError):
                self.clear()

    def mark(self):
        with open(self.begun, "w") as file:
            file.write("Made by .ci/setup.py. Delete the folder .venv whenever you like.\n")


# ---- running things ------------------------------------------------------------------------------------------------


def progress_of(line, state):
    """What a line of pip's or apt's output says about where it is."""
    found = re.match(r"Progress (\d+) of (\d+)", line)
    if found:
        done, total = (int(part) / 1e6 for part in found.groups())
        return "{}, {:.0f} of {:.0f} MB".format(state.split(",")[0], done, total)
    found = re.match(r"\s*(Downloading|Collecting|Installing collected packages|Building|Preparing)\b", line)
    if found:
        if line.lstrip().startswith("Installing"):
            return "unpacking {} packages".format(line.count(",") + 1)
        return " ".join(line.split()[:2])
    found = re.match(r"Get:\d+ \S+ \S+ \S+ (\S+)", line)
    if found:
        return "Downloading " + found.group(1)
    found = re.match(r"(Unpacking|Setting up) (\S+)", line)
    return found.group(0) if found else state


def run(command, output, env=None, keep_open=(), folder=None):
    """Run a command that may take long; returns (exit code, its lines). A line of progress every few seconds."""
    output.lines.append("$ " + " ".join(command))
    options = {"pass_fds": tuple(keep_open)} if keep_open else {}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=folder,
            **options,
        )
    except OSError as trouble:
        return 127, [str(trouble)]
    incoming = queue.Queue()

    def read():
        for raw in process.stdout:
            incoming.put(raw.decode("utf-8", "replace").rstrip())
        incoming.put(None)

    threading.Thread(target=read, daemon=True).start()
    begun = last = time.time()
    lines, state = [], "working"
    while True:
        try:
            line = incoming.get(timeout=min(1, SECONDS_BETWEEN_LINES))
        except queue.Empty:
            line = ""
        if line is None:
            break
        if line:
            state = progress_of(line, state)
            if not line.startswith("Progress "):
                lines.append(line)
                output.lines.append(line)
        if time.time() - last >= SECONDS_BETWEEN_LINES:
            last = time.time()
            tell("set-up:   {} ({:.0f} s)".format(state, last - begun), output.stream or sys.stdout)
    return process.wait(), lines


def explain(what, code, lines):
    """The error for a command that failed, from what it printed."""
    text = "\n".join(lines).lower()
    if "no space left on device" in text or "not enough free space" in text or "don't have enough free space" in text:
        return DiskFull("the disk is full: {} failed. Free a few GB, also for temporary files".format(what))
    if any(sign in text for sign in NETWORK_TROUBLE):
        return SetupError("no network: {} failed. Connect this machine and run the command again".format(what))
    missing = re.search(r"no matching distribution found for (\S+)", text)
    if missing:
        return SetupError("{} failed: there is no {} for this Python and machine".format(what, missing.group(1)))
    if "dpkg" in text and "lock" in text:
        return SetupError("{} failed: another installation is running. Run the command again after it".format(what))
    # pip's last line may be empty of content ("ERROR: ResolutionImpossible: for help visit ..."); its reason is above.
    lines = [line for line in lines if line.strip() and not re.search("for help visit|^hint:|^note:", line.strip())]
    troubles = [line for line in lines if re.match(r"\s*(error|e):.*\S", line, re.I)] or lines or ["it printed nothing"]
    return SetupError("{} failed (exit code {}): {}".format(what, code, troubles[-1].strip()[:200]))


def clean_environment(environ=os.environ):
    """The environment for pip: the user's index settings stay, what would lead pip out of .venv goes."""
    env = dict(environ)
    for name in ["PYTHONHOME", "PYTHONPATH"] + [pip_variable(setting) for setting in STRAYS]:
        env.pop(name, None)
    env.update(PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONUNBUFFERED="1")
    # The interface between Python and R is built without a C compiler, so it is the same on every machine.
    env.setdefault("RPY2_CFFI_MODE", "ABI")
    env.setdefault("RPY2_API_FORCE", "True")
    return env


def pip_variable(setting):
    """The variable that tells pip the same as this setting in its files."""
    return "PIP_" + setting.upper().replace("-", "_")


def pip_environment(python):
    """The same, where pip's files may lead it astray, too: then they aren't read, and their other settings stay."""
    env = clean_environment()
    lines = (answer([python, "-m", "pip", "config", "list"], env) or "").splitlines()
    found = [match.groups() for match in map(re.compile(r"(global|install)\.([\w-]+)=(.*)").match, lines) if match]
    if any(setting in STRAYS for _, setting, _ in found):
        env["PIP_CONFIG_FILE"] = os.devnull
        for _, setting, value in sorted(found, reverse=True):  # [install] comes before [global]
            if setting not in STRAYS:
                env.setdefault(pip_variable(setting), ast.literal_eval(value))
    return env


def sudo():
    """What goes before a command that needs root: nothing for root, sudo for others, None where there is no sudo."""
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    return ["sudo"]


def apt_install(packages, why, output):
    prefix = sudo()
    names = " ".join(packages)
    ways_out = "use conda ({})".format(CONDA_ADVICE) + (", " + WITHOUT_R_ADVICE if packages == ["r-base-core"] else "")
    if prefix is None:
        raise SetupError(
            "{} and installing it needs root: run apt-get install {} as root, {}".format(why, names, ways_out)
        )
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"] + packages
    output.say("{}; running: {}".format(why, " ".join(prefix + install)))
    if prefix and subprocess.call(["sudo", "-v"]) != 0:
        raise SetupError("{} and sudo refused. Ask for: apt-get install {}, {}".format(why, names, ways_out))
    quiet = prefix + ["env", "DEBIAN_FRONTEND=noninteractive"]
    code, lines = run(quiet + install, output)
    if code != 0 and not re.search("no space left|enough free space", "\n".join(lines).lower()):
        output.say("the list of Debian packages may be old; running: " + " ".join(prefix + ["apt-get", "update"]))
        update_lines = run(quiet + ["apt-get", "update"], output)[1]
        code, lines = run(quiet + install, output)
        if "unable to locate" in "\n".join(lines).lower():
            lines = update_lines + lines
    if code != 0:
        raise explain("apt-get install " + names, code, lines)


def brew_install_r(output):
    output.say("R is missing; running: brew install r")
    code, lines = run(["brew", "install", "r"], output)
    if code != 0:
        raise explain("brew install r", code, lines)


def install_system_packages(python, version, without_r, output):
    """R and, on Debian, Python's venv module, in one go. Returns R's version or None."""
    r = None if without_r else find_r()
    wanted, reasons = [], []
    if answer([python, "-I", "-c", "import ensurepip, venv"]) is None:
        reasons.append("Python's venv module is missing")
        wanted.append("python{}-venv".format(version_text(version[:2])))
        if shutil.which("apt-get") is None:
            raise SetupError("{} lacks venv or ensurepip: install them, or use conda: {}".format(python, CONDA_ADVICE))
    if r is None and not without_r:
        if shutil.which("apt-get"):
            reasons.append("R is missing")
            wanted.append("r-base-core")
        elif shutil.which("brew"):
            brew_install_r(output)
        else:
            raise SetupError(
                "R is missing and neither apt-get nor Homebrew is here to install it. Install R {} or later, use conda "
                "({}), {}".format(version_text(OLDEST_R), CONDA_ADVICE, WITHOUT_R_ADVICE)
            )
    if wanted:
        apt_install(wanted, " and ".join(reasons), output)
    if r is None and not without_r:
        r = find_r()
        if r is None:
            raise SetupError("R was installed but is not on PATH. Open a new terminal and run the command again")
    return r


def check_folder(root=ROOT):
    """A folder's name that the locale can't hold would keep Python from starting in .venv. Raises SetupError."""
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_CTYPE, "")
    encoding = locale.nl_langinfo(locale.CODESET) if hasattr(locale, "nl_langinfo") else "UTF-8"
    if any(ord(letter) > 127 for letter in root) and encoding.upper() not in ("UTF-8", "UTF8"):
        raise SetupError(
            "the folder {} has letters that the locale ({}) can't hold. Run export LC_ALL=C.UTF-8, "
            "or move the folder".format(root, encoding)
        )


# ---- the two routes ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def only_one(output):
    """Wait until no other set-up of this project runs; yields the open file that holds the lock.

    The lock is on this very file and is inherited by pip: it ends with the last process that works on .venv.
    """
    with open(os.path.abspath(__file__), "rb") as file:
        try:
            import fcntl
        except ImportError:
            yield ()
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as trouble:
            if trouble.errno in (errno.EWOULDBLOCK, errno.EACCES):
                output.say("another set-up of this folder is running; waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
        yield (file.fileno(),)


CHECK = """
import importlib
for name in "torch jupyterlab matplotlib pandas ipywidgets tqdm nbval".split(): importlib.import_module(name)
"""
# R starts as the course starts it, without the user's profile; its reason comes as one line.
CHECK_R = """
from helpers.r import RUnavailable, probe
try:
    probe()
except RUnavailable as trouble:
    raise SystemExit(" ".join(str(trouble).split()))
"""


def pip(venv, arguments, what, output, keep_open):
    command = [venv.python, "-m", "pip"] + arguments
    code, lines = run(command, output, env=pip_environment(venv.python), keep_open=keep_open, folder=venv.root)
    if code != 0:
        raise explain(what, code, lines)


def check(venv, code, what, output):
    status, lines = run([venv.python, "-c", code], output, env=clean_environment(), folder=venv.root)
    if status != 0:
        raise SetupError("{}: {}".format(what, (lines or ["exit code {}".format(status)])[-1].strip()[:200]))


def cpu_index(environ=os.environ):
    """The index of PyTorch's CPU builds, if this is Linux and the index answers within three seconds; else None."""
    wish = environ.get("COURSE_TORCH", "")
    if wish not in ("", "default"):
        raise SetupError("COURSE_TORCH is {}. Set it to default (pip chooses) or to nothing (CPU build)".format(wish))
    if wish or not sys.platform.startswith("linux"):
        return None
    answers = queue.Queue()

    def ask():
        try:
            with urllib.request.urlopen(TORCH_INDEX + "/torch/", timeout=SECONDS_FOR_TORCH_INDEX) as page:
                answers.put(bool(page.read(1)))
        except Exception:  # whatever went wrong, pip has PyTorch elsewhere
            answers.put(False)

    # In a thread that nobody waits for: looking up a name takes as long as it likes.
    threading.Thread(target=ask, daemon=True).start()
    try:
        return TORCH_INDEX if answers.get(timeout=SECONDS_FOR_TORCH_INDEX) else None
    except queue.Empty:
        return None


def install_torch(venv, install, output, keep_open):
    """PyTorch's CPU build, a tenth of what pip finds by itself on Linux; left to pip where it can't be had."""
    index = cpu_index()
    if index is None:
        output.say("installing PyTorch as pip finds it")
        return
    with open(os.path.join(venv.root, "pyproject.toml"), encoding="utf-8") as file:
        pin = re.search(r'"(torch==[^"]+)"', file.read()).group(1)
    output.say("installing PyTorch's CPU build")
    command = [venv.python, "-m", "pip"] + install + ["--no-deps", "--index-url", index, pin]
    if run(command, output, env=pip_environment(venv.python), keep_open=keep_open, folder=venv.root)[0] != 0:
        output.say("the index of CPU builds has none for this machine; installing PyTorch as pip finds it")


def set_up_venv(without_r, output, venv=None):
    """Make .venv ready; returns its Python."""
    venv = venv or Venv()
    # Looked at before the lock is taken: this is all that happens on most days.
    if ready(venv, without_r, output):
        return venv.python
    with only_one(output) as keep_open:
        if ready(venv, without_r, output):
            return venv.python
        r = None if without_r else find_r()
        state = venv.state(r)
        if state == "absent":
            python, version = choose_python()
        else:
            python, version = venv.python, python_version(venv.python)
        output.say(
            "making .venv with Python {} (a few minutes the first time)".format(version_text(version))
            if state == "absent"
            else "bringing .venv up to date"
        )
        r = install_system_packages(python, version, without_r, output)
        if without_r:
            output.say("without R, as asked: lm() will give recorded answers only")
        rinterface = "rpy2-rinterface==" + choose_rinterface(r) if r else None
        venv.distrust()
        if state == "absent":
            venv.clear()
            for command in (
                [python, "-m", "venv", "--without-pip", venv.path],
                [venv.python, "-m", "ensurepip", "--upgrade", "--default-pip"],
            ):
                code, lines = run(command, output, env=clean_environment(), keep_open=keep_open)
                if code != 0:
                    raise explain("making .venv", code, lines)
        constraints = ["--constraint", os.path.join(venv.root, "constraints.txt")]
        output.say("installing pip and the build tools")
        pip(venv, ["install"] + constraints + BUILD_TOOLS + ["cffi"], "installing pip", output, keep_open)
        with_bars = ["install", "--progress-bar", "raw", "--no-build-isolation"] + constraints
        if rinterface:
            output.say("installing {} to fit R {}".format(rinterface, version_text(r)))
            fresh = ["--no-binary", "rpy2-rinterface", "--no-cache-dir", "--no-deps"]
            pip(venv, with_bars + fresh + [rinterface], "installing " + rinterface, output, keep_open)
        install_torch(venv, with_bars, output, keep_open)
        output.say("installing JupyterLab and the rest")
        extras = ["course"] + (["r"] if rinterface else []) + ["test", "slides", "site", "browser"]
        wanted = ["--editable", ".[{}]".format(",".join(extras))] + ([rinterface] if rinterface else [])
        pip(venv, with_bars + wanted, "installing the course's packages", output, keep_open)
        output.say("checking that everything starts")
        check(venv, CHECK, "the packages are installed but do not start", output)
        if rinterface:
            check(venv, CHECK_R, "R {} does not answer from Python".format(version_text(r)), output)
        venv.trust(r)
    if not ready(venv, without_r, output):
        raise SetupError("something changed while the set-up ran. Run the command again")
    return venv.python


def ready(venv, without_r, output):
    """Say so and return True if .venv is complete. One that has R serves those who ask for none, too."""
    r = None if without_r else find_r()
    complete = venv.state(r) == "ready" if (r or without_r) else False
    if without_r and not complete:
        complete = venv.state(parse_r_version(answer(["R", "--version"]))) == "ready"
    if complete:
        with_r = "R {}".format(version_text(r)) if r else "without R, as asked"
        output.say("ready (.venv, Python {}, {})".format(version_text(python_version(venv.python)), with_r))
    return complete


def set_up_conda(prefix, output):
    """Nothing to install: see that the environment holds what the course needs."""
    python = python_in(prefix)
    names = ["torch", "rpy2", "jupyterlab", "matplotlib", "pandas", "ipywidgets", "tqdm", "nbval", "pytest", "helpers"]
    names += ["jupyterlab_slideshow", "jupyter_server_mathjax", "sphinx_revealjs", "sphinx_book_theme", "playwright"]
    code = "import importlib.util as u; print(*[n for n in {!r} if u.find_spec(n) is None])".format(names)
    missing = answer([python, "-c", code])
    if missing is None:
        raise SetupError("the conda environment {} has no working Python. Make it anew".format(prefix))
    if missing.strip():
        raise SetupError(
            "the conda environment {} lacks {}: run conda env update --file environment.yml".format(
                prefix, ", ".join(missing.split())
            )
        )
    output.say("ready (conda environment {})".format(os.path.basename(prefix)))
    return python


# ---- the lock file -------------------------------------------------------------------------------------------------

LOCK_HEADER = """\
# Exact versions of everything the course installs with pip, for Python 3.11 to 3.14 on Linux, macOS and Windows.
# Written by `make lock` from pyproject.toml; do not edit. rpy2-rinterface is not here: .ci/setup.py picks it to fit R.
# The nvidia and cuda lines matter only where pip takes PyTorch's CUDA build.
"""


def lock(output):
    """Write constraints.txt anew from pyproject.toml, with the newest versions that fit it."""
    python, version = choose_python()
    folder = tempfile.mkdtemp(prefix="course-lock-")
    try:
        output.say("resolving every version anew (needs the network)")
        tools = os.path.join(folder, "tools.in")
        with open(tools, "w") as file:
            file.write("\n".join(BUILD_TOOLS))
        result = os.path.join(folder, "constraints.txt")
        environment = Venv(folder)
        resolve = [environment.python, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--all-extras"]
        resolve += ["--fork-strategy", "fewest", "--python-version", version_text(OLDEST_PYTHON)]
        resolve += ["--no-header", "--no-annotate", "--no-emit-package", "rpy2-rinterface", "--output-file", result]
        for command in (
            [python, "-m", "venv", environment.path],
            [environment.python, "-m", "pip", "install", "uv"],
            resolve + [os.path.join(ROOT, "pyproject.toml"), tools],
        ):
            code, lines = run(command, output, env=clean_environment())
            if code != 0:
                raise explain("make lock", code, lines)
        with open(result) as file:
            pins = file.read()
        with open(os.path.join(ROOT, "constraints.txt"), "w") as file:
            file.write(LOCK_HEADER + pins)
        output.say("wrote constraints.txt ({} versions)".format(pins.count("==")))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---- the command ---------------------------------------------------------------------------------------------------


def write_log(output, venv):
    """Keep what the tools said; returns where, or None if no tool ran or there is no room for it."""
    if not any(line.startswith("$ ") for line in output.lines):
        return None
    for folder in (venv.path, tempfile.gettempdir()):
        if os.path.isdir(folder):
            path = os.path.join(folder, "course-setup-{}.log".format(os.getpid()))
            try:
                with open(path, "x", encoding="utf-8", errors="replace") as file:
                    file.write("\n".join(output.lines[-2000:]) + "\n")
                return path
            except OSError:
                with contextlib.suppress(OSError):
                    if os.path.getsize(path) == 0:
                        os.remove(path)
    return None


def main(arguments, environ=os.environ):
    unknown = set(arguments) - {"--without-r", "--python", "--lock"}
    if unknown:
        print("set-up: unknown option {}".format(" ".join(sorted(unknown))), file=sys.stderr)
        return 2
    without_r = "--without-r" in arguments or environ.get("COURSE_WITHOUT_R", "") not in ("", "0")
    output = Output()
    prefix = course_conda(environ)
    if "--python" in arguments:
        os.write(1, os.fsencode(python_in(prefix or Venv().path) + "\n"))
        return 0
    try:
        if "--lock" in arguments:
            lock(output)
        elif prefix:
            set_up_conda(prefix, output)
        else:
            check_folder()
            set_up_venv(without_r, output)
        return 0
    except SetupError as trouble:
        problem = trouble
    except OSError as trouble:
        problem = explain("writing", trouble.errno, [str(trouble)])
    except KeyboardInterrupt:
        print("set-up: stopped. Run the command again to go on", file=sys.stderr)
        return 130
    if isinstance(problem, DiskFull):
        Venv().give_back()
    log = write_log(output, Venv())
    tell("set-up: {}{}".format(problem, " (log: {})".format(log) if log else ""), sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
