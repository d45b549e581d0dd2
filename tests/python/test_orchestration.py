"""What runs the project every day: commands and targets that exist.

Dagster is in an environment of its own, so its definitions are read without it.
"""

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest

from harness import PROJECT
from ingest.cli import cli

_GUIDE = (PROJECT / "docs/orchestration.md").read_text()
_MAKEFILE = (PROJECT / "Makefile").read_text()
_TARGETS = set(re.findall(r"^([a-z-]+):.*##", _MAKEFILE, re.MULTILINE))
_AIRFLOW = os.environ.get("AIRFLOW_PYTHON", "")


def _commands() -> list[list[str]]:
    """The commands that the definitions run, with a batch where they name one."""
    found = []
    for path in sorted((PROJECT / "orchestration").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"run", "ingest"}:
                words = [one for one in node.args if not isinstance(one, ast.Starred)]
                texts = [getattr(word, "value", "2026-01-31") for word in words]
                found += [texts] if texts else []
    return found


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_the_orchestrator_runs_commands_that_exist(command: list[str]) -> None:
    name, *options = command
    cli.commands[name].make_context(name, list(options))


def test_the_orchestrator_takes_every_step_of_a_build() -> None:
    said = {" ".join(command) for command in _commands()}
    steps = {"build --batch 2026-01-31", "build --step models", "build --step publish"}
    assert steps | {"report", "docs", "pull"} <= said


def test_the_dag_calls_targets_and_settings_that_exist() -> None:
    (text,) = re.findall(r"```python\n(.*?)```", _GUIDE, re.DOTALL)
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    made = [
        str(ast.literal_eval(call.args[1]))
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "make"
    ]
    assert len(made) == 6
    assert {target.split()[0] for target in made} <= _TARGETS
    exported = re.findall(r"BUILD_\w+", _MAKEFILE.partition("VENV :=")[0])
    assert set(re.findall(r"BUILD_\w+", text)) <= set(exported)
    assert [one.split("=")[1] for one in made if "=" in one] == ["batches", "models", "publish"]


@pytest.mark.skipif(not _AIRFLOW, reason="AIRFLOW_PYTHON names no Python with Airflow 3")
def test_airflow_parses_the_dag(tmp_path: Path) -> None:
    (text,) = re.findall(r"```python\n(.*?)```", _GUIDE, re.DOTALL)
    shown = "print([(task.task_id, sorted(task.downstream_task_ids)) for task in dag.tasks])"
    (tmp_path / "dag.py").write_text(f"{text}\n{shown}\n")
    done = subprocess.run(
        [_AIRFLOW, "dag.py"],
        cwd=tmp_path,
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = dict(ast.literal_eval(done.stdout.splitlines()[-1]))
    assert found["models"] == ["docs", "report"]
    assert found["docs"] == found["report"] == ["publish"]


def test_other_schedulers_call_targets_that_exist() -> None:
    (cron,) = re.findall(r"^0 \*/2 .*$", _GUIDE, re.MULTILINE)
    targets = re.findall(r"make ((?:[a-z-]+ )+)", cron)[0].split()
    assert {*targets, "dagster"} <= _TARGETS
    assert (PROJECT / ".github/workflows/scheduled.yml").is_file()
