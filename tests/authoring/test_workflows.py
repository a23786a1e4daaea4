"""The GitHub workflows fit the public schema and run the course's own commands."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import check_jsonschema
import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEST = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))


def commands(job: str) -> list[str]:
    return [step["run"] for step in TEST["jobs"][job]["steps"] if "run" in step]


def test_workflows_fit_the_schema():
    schema = ["--builtin-schema", "vendor.github-workflows"]
    assert check_jsonschema.main([*schema, *map(str, WORKFLOWS)], standalone_mode=False) == 0


def test_it_runs_on_push_on_pull_requests_and_weekly():
    events = TEST[True]  # YAML reads the key `on` as true
    assert {"push", "pull_request", "schedule"} <= events.keys()
    minute, hour, day, month, weekday = events["schedule"][0]["cron"].split()
    assert (day, month) == ("*", "*") and weekday.isdigit(), "a cron line that is weekly"


@pytest.mark.parametrize("job", ["pip", "conda"])
def test_both_routes_run_the_test_command_on_linux_and_macos(job):
    assert TEST["jobs"][job]["strategy"]["matrix"]["os"] == ["ubuntu-latest", "macos-latest"]
    assert "bash .ci/run" in commands(job)
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_one_job_has_no_r():
    assert TEST["jobs"]["without-r"]["env"]["COURSE_WITHOUT_R"] == "1"
    assert "COURSE_WITHOUT_R" not in str(TEST["jobs"]["pip"]) + str(TEST["jobs"]["conda"]), "CI would not miss R there"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_to_a_major_version(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    for step in [step for job in jobs for step in job["steps"] if "uses" in step]:
        name, _, version = step["uses"].partition("@")
        assert version.startswith("v") and version[1:].isdigit(), step["uses"]


def test_the_site_is_built_by_the_courses_own_command_and_published_from_its_folder():
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text())["jobs"]["publish"]["steps"]
    assert "make site" in [step.get("run") for step in steps]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    folders = [step["with"]["path"] for step in steps if "upload-pages-artifact" in step.get("uses", "")]
    assert folders == re.findall(r"^SITE = (.+)$", makefile, re.MULTILINE)


def test_the_development_container_sets_the_course_up_on_debian_with_a_python_of_the_courses():
    """No package of ours brings the schema of this format along, so these three fields are all that it may have."""
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container.keys() == {"name", "image", "postCreateCommand"}
    assert container["postCreateCommand"] == "make setup"
    version = re.fullmatch(r"python:(3\.\d+)-(bookworm|trixie)", container["image"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert version and Version(version[1]) in SpecifierSet(project["requires-python"])


@pytest.mark.parametrize("failing", ["", "test", "browser"])
def test_ci_runs_the_tests_and_the_browser_and_fails_if_either_does(tmp_path, failing):
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "$*" >> "{tmp_path}/log"\n[ "$1" != "{failing}" ]\n')
    make.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", str(ROOT / ".ci" / "run")], env=environment)
    assert (tmp_path / "log").read_text().split() == ["test", "browser"]
    assert (done.returncode == 0) == (failing == "")
