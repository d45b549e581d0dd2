"""What is written about the project is so: README, pins, workflows and make targets."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from jinja2 import Environment

import lock
from harness import PROJECT

_TRACKED = subprocess.run(
    ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
).stdout.splitlines()
_README = (PROJECT / "README.md").read_text()
_TARGETS = set(re.findall(r"^([a-z-]+):.*##", (PROJECT / "Makefile").read_text(), re.MULTILINE))


def _make(*arguments: str) -> str:
    """What make would do, without doing it."""
    done = subprocess.run(
        ["make", "--dry-run", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_readme_is_short() -> None:
    assert len(_README.splitlines()) < 170


def test_layout_in_readme_is_the_layout_on_disk() -> None:
    block = _README.split("## Layout")[1].split("```")[1]
    named = {line.split()[0].rstrip("/") for line in block.strip().splitlines()}
    for name in named:
        assert (PROJECT / name).exists(), name
    folders = {path.split("/")[0] for path in _TRACKED if "/" in path and path[0] != "."}
    assert folders == {name.split("/")[0] for name in named if (PROJECT / name).is_dir()}


def test_readme_names_targets_and_files_that_exist() -> None:
    commands = set(re.findall(r"\bmake ([a-z-]+)\b", "\n".join(re.findall(r"`([^`]+)`", _README))))
    assert commands - {"and"} <= _TARGETS
    for link in re.findall(r"\]\((?!https:|\.\./\.\./actions/)([^)#]+)\)", _README):
        assert (PROJECT / link).exists(), link


def test_every_mart_in_readme_is_a_model() -> None:
    for schema, name in re.findall(r"`([a-z]+)\.((?:dim|fct|bridge)_[a-z_]+)`", _README):
        assert (PROJECT / f"models/marts/{schema}/{name}.sql").exists(), f"{schema}.{name}"


@pytest.mark.parametrize("path", lock.files(), ids=lambda path: str(path.name))
def test_every_requirement_is_pinned_and_its_hashes_are_locked(path: Path) -> None:
    assert lock.pins(path)
    assert lock.out_of_date(path) == "", "run `make lock`"
    locked = lock.lock_of(path).read_text()
    assert "://" not in locked
    for package in re.split(r"\n(?=\w)", locked)[1:]:
        assert re.fullmatch(r"\S+==\S+( ;.*)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n*", package)


def test_every_direct_requirement_is_argued_for() -> None:
    decisions = (PROJECT / "docs/decisions/dependencies.md").read_text()
    for path in lock.files():
        direct = path.read_text().split("# What those need in turn.")[0]
        for package in re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==", direct, re.MULTILINE):
            assert package in decisions, package


@pytest.mark.parametrize(
    ("failing", "ran"),
    [
        ("", ["test", "analyse-spark"]),
        ("test", ["test"]),
        ("analyse-spark", ["test", "analyse-spark"]),
    ],
)
def test_ci_fails_with_each_part_of_it(tmp_path: Path, failing: str, ran: list[str]) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    log = tmp_path / "ran"
    for name, body in {
        "make": f'echo "$1" >> "{log}"; [ "$1" != "{failing}" ]',
        "java": "",
        "id": "echo 1000",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([PROJECT / ".ci/run"], env=environment, check=False)
    assert log.read_text().split() == ran
    assert (done.returncode == 0) == (not failing)


def test_no_file_names_a_machine_or_a_package_index() -> None:
    hosts = r"files\.python" + r"hosted|pypi\." + r"org/simple|registry\.npm" + r"js"
    pattern = re.compile(rf"{hosts}|(?<![\w.])/(?:home|Users)/\w")
    for name in _TRACKED:
        path = PROJECT / name
        if path.is_file() and path.stat().st_size < 1_000_000:
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not pattern.search(text), name


def test_own_extracts_are_never_generated_over() -> None:
    assert "ingest generate" not in _make("build", "EXTRACTS_PATH=my exports")


def test_a_pull_comes_before_the_build() -> None:
    """With what it needs, which nothing else installs."""
    steps = _make("build", "PULL=1")
    assert re.search(r"requirements-pull.txt.*ingest pull; fi.*ingest build", steps, re.DOTALL)
    assert "requirements-pull.txt" not in _make("build")


def test_paths_reach_the_commands_with_spaces_and_quotes() -> None:
    rule = 'shown: ; @printf "%s" "$$EXTRACTS_PATH"'
    shown = subprocess.run(
        ["make", "--no-print-directory", "--eval", rule, "shown", "EXTRACTS_PATH=it's my exports"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "it's my exports"


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "macros/engine").glob("*.sql")), ids=lambda p: p.stem
)
def test_an_engine_macro_is_in_the_file_of_its_name(path: Path) -> None:
    assert f"adapter.dispatch('{path.stem}')" in path.read_text()


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_a_dispatched_macro_has_a_form_for_each_engine_in_its_file(engine: str) -> None:
    for path in sorted((PROJECT / "macros").rglob("*.sql")):
        text = path.read_text()
        macros = set(re.findall(r"{% macro (\w+)\(", text))
        for name in re.findall(r"adapter\.dispatch\('(\w+)'\)", text):
            assert {f"{engine}__{name}", f"default__{name}"} & macros, f"{path.name}: {name}"


@pytest.mark.parametrize(
    ("schema", "expected"), [("main", "finance"), ("default", "finance"), ("dev", "dev_finance")]
)
def test_a_target_with_a_schema_of_its_own_prefixes_all_others(schema: str, expected: str) -> None:
    source = (PROJECT / "macros/generate_schema_name.sql").read_text()
    template = Environment(autoescape=False).from_string(source, {"target": {"schema": schema}})
    macro = vars(template.module)["generate_schema_name"]
    assert macro("finance", None).strip() == expected
    assert macro(None, None).strip() == schema
