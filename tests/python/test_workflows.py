"""What workflows may do, where their actions come from, and how the schedule raises an alert."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from harness import PROJECT

_PATHS = sorted((PROJECT / ".github/workflows").glob("*.yml"))
_TEXTS = {path.name: path.read_text() for path in _PATHS}
_TARGETS = set(re.findall(r"^([a-z-]+):.*##", (PROJECT / "Makefile").read_text(), re.MULTILINE))
# Beside make: what only a runner has, GitHub's own outputs, its summary and its `gh`.
_RUNNER_ONLY = r"\{ echo |issue=\$\(gh issue |.* >> \"\$GITHUB_(OUTPUT|STEP_SUMMARY)\"$"
# What may be written, by which job alone.
_WRITES = {
    ("pull_request.yml", "comment"): {"pull-requests"},
    ("main.yml", "publish"): {"pages", "id-token"},
    ("scheduled.yml", "alert"): {"issues"},
}


def _workflow(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(_TEXTS[name])
    return found


_JOBS = [
    pytest.param(name, job, described, id=f"{name}:{job}")
    for name in _TEXTS
    for job, described in _workflow(name)["jobs"].items()
]


@pytest.mark.parametrize("name", _TEXTS)
def test_actions_are_pinned_by_commit_and_one_commit_each(name: str) -> None:
    pins: dict[str, set[str]] = {}
    for text in _TEXTS.values():
        for action, pin in re.findall(r"uses: ([\w-]+/[\w-]+)[\w/-]*(.*)", text):
            pins.setdefault(action, set()).add(pin)
    for action in re.findall(r"uses: (.*)", _TEXTS[name]):
        assert re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    assert all(len(found) == 1 for found in pins.values()), pins


@pytest.mark.parametrize("name", _TEXTS)
def test_a_workflow_may_do_nothing_but_what_its_jobs_ask_for(name: str) -> None:
    assert _workflow(name)["permissions"] == {}
    assert "pull_request_target" not in _TEXTS[name]
    assert not re.search(r"secrets\s*[.\[:]", _TEXTS[name])


@pytest.mark.parametrize(("name", "job", "described"), _JOBS)
def test_a_job_has_an_end_and_writes_only_what_is_its_own(
    name: str, job: str, described: dict[str, Any]
) -> None:
    assert described["timeout-minutes"] <= 60
    writes = {what for what, how in described["permissions"].items() if how != "read"}
    assert writes == _WRITES.get((name, job), set())
    steps = described["steps"]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
    # A token that writes never meets the project's code.
    assert not (writes and checkouts)


@pytest.mark.parametrize(("name", "job", "described"), _JOBS)
def test_a_job_runs_what_a_person_runs(name: str, job: str, described: dict[str, Any]) -> None:
    for step in described["steps"]:
        command = step.get("run", "make help")
        if made := re.fullmatch(r"make ([a-z-]+)", command):
            assert made[1] in _TARGETS, command
        else:
            assert re.match(_RUNNER_ONLY, command), command
        assert "${{" not in command


# What leaves a runner: copies without personal data, and what describes the project.
_MAY_LEAVE = {
    "data/diff/base-*",
    "data/diff/report.md",
    "data/marts.duckdb",
    "data/report",
    "target/catalog.json",
    "target/manifest.json",
    "target/run_results.json",
    "target/screenshots",
    "target/site",
    "target/sources.json",
}


@pytest.mark.parametrize(("name", "job", "described"), _JOBS)
def test_no_cache_and_no_artifact_holds_personal_data(
    name: str, job: str, described: dict[str, Any]
) -> None:
    """Forks can read both, and no one can erase a person from them."""
    for step in described["steps"]:
        if re.match(r"actions/(cache|upload-)", step.get("uses", "")):
            left = set(step["with"]["path"].split())
            assert left <= _MAY_LEAVE, (name, job, left - _MAY_LEAVE)
    if any("make load" in step.get("run", "") for step in described["steps"]):
        # Masked whatever the settings say, and none of its own extracts in messages.
        assert described["env"]["MARTS_PERSONAL_DATA"] == ""
        assert "run_results" not in _TEXTS[name]


def test_the_schedule_is_every_two_hours() -> None:
    # YAML reads the key `on` as true.
    (schedule,) = _workflow("scheduled.yml")[True]["schedule"]
    assert re.fullmatch(r"\d+ \*/2 \* \* \*", schedule["cron"])


@pytest.mark.parametrize(
    ("result", "issue", "asked"),
    [
        ("success", "", []),
        ("success", "12", ["issue close 12"]),
        ("failure", "", ["issue create --title The scheduled build fails"]),
        ("failure", "12", ["issue comment 12"]),
    ],
)
def test_an_alert_is_one_issue_as_long_as_it_fails(
    tmp_path: Path, result: str, issue: str, asked: list[str]
) -> None:
    gh = tmp_path / "gh"
    answers = f'case "$2" in list) echo "{issue}" ;; *) echo "$*" >> "{tmp_path}/asked" ;; esac'
    gh.write_text(f"#!/bin/sh\n{answers}\n")
    gh.chmod(0o755)
    (tmp_path / "asked").touch()
    (step,) = _workflow("scheduled.yml")["jobs"]["alert"]["steps"]
    settings = {"RESULT": result, "RUN": "a link", "TITLE": step["env"]["TITLE"]}
    subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        env={**settings, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=True,
    )
    said = (tmp_path / "asked").read_text().splitlines()
    assert [line[: len(start)] for line, start in zip(said, asked, strict=True)] == asked


@pytest.mark.parametrize(
    ("found", "asked"), [("", "pr comment"), ("7", "comments/7 --method PATCH")]
)
def test_a_report_replaces_the_comment_with_its_marker(
    tmp_path: Path, found: str, asked: str
) -> None:
    gh = tmp_path / "gh"
    answers = f'case "$*" in *paginate*) echo "{found}" ;; *) echo "$*" >> asked ;; esac'
    gh.write_text(f"#!/bin/sh\n{answers}\n")
    gh.chmod(0o755)
    (tmp_path / "report.md").write_text("The report.\n")
    *_, step = _workflow("pull_request.yml")["jobs"]["comment"]["steps"]
    settings = {"MARKER": step["env"]["MARKER"], "NUMBER": "3", "GH_REPO": "a/b"}
    subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=tmp_path,
        env={**settings, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=True,
    )
    (line,) = (tmp_path / "asked").read_text().splitlines()
    assert asked in line
    body = (tmp_path / "comment.md").read_text()
    assert body == f"{step['env']['MARKER']}\nThe report.\n"
    assert body.startswith("<!--")


def test_a_copy_of_the_project_refreshes_nothing_on_its_own() -> None:
    jobs = _workflow("scheduled.yml")["jobs"]
    assert jobs["refresh"]["if"] == "${{ vars.EXTRACTS_PATH != '' }}"
    assert "needs.refresh.result != 'skipped'" in jobs["alert"]["if"]


@pytest.mark.parametrize("name", ["main.yml", "pull_request.yml"])
def test_tests_run_on_the_systems_and_versions_that_are_promised(name: str) -> None:
    matrix = _workflow(name)["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    assert matrix["include"] == [{"system": "macos-latest", "python": "3.13"}]
