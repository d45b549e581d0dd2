"""What runs the project every day: commands and targets that exist, and the same warehouse.

`make test-dagster` runs all of it. The rest of the tests have no Dagster, and check its commands.
"""

import ast
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness import PROJECT, differences, opened, rows
from ingest.cli import cli
from warehouses import NAME, seed_parsed

_GUIDE = (PROJECT / "docs/orchestration.md").read_text()
_MAKEFILE = (PROJECT / "Makefile").read_text()
_TARGETS = set(re.findall(r"^([a-z-]+):.*##", _MAKEFILE, re.MULTILINE))
_DAGSTER = os.environ.get("DAGSTER_PYTHON", "")
_AIRFLOW = os.environ.get("AIRFLOW_PYTHON", "")
_needs_dagster = pytest.mark.skipif(not _DAGSTER, reason="`make test-dagster` runs it")


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


@pytest.fixture(scope="module")
def pipeline(
    tiny_extracts: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The tiny company through Dagster: the warehouse, and what happened."""
    folder = tmp_path_factory.mktemp("dagster")
    warehouse = folder / NAME
    (folder / "extracts").mkdir()
    (folder / "home").mkdir()
    text = (PROJECT / "orchestration/dagster.yaml").read_text()
    (folder / "home/dagster.yaml").write_text(text)
    seed_parsed(folder / "target", warehouse)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (PROJECT, PROJECT / "scripts"))),
        "DAGSTER_HOME": str(folder / "home"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "EXTRACTS_PATH": str(folder / "extracts"),
        "WAREHOUSE_PATH": str(warehouse),
        "RETRY_SECONDS": "1",
    }
    dbt = Path(_DAGSTER).with_name("dbt")
    subprocess.run([dbt, "--quiet", "parse"], cwd=PROJECT, env=environment, check=True)
    script = Path(__file__).with_name("orchestration_run.py")
    done = subprocess.run(
        [_DAGSTER, script, tiny_extracts, folder / "extracts"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return warehouse, json.loads(done.stdout.splitlines()[-1])


@_needs_dagster
def test_the_sensor_finds_complete_batches_once(pipeline: tuple[Path, dict[str, Any]]) -> None:
    _, report = pipeline
    assert report["first"] == sorted(report["first"])
    assert len(report["first"]) == 5
    assert report["incomplete"] == []
    assert len(report["new"]) == 1
    assert report["again"] == []
    assert len(report["loaded"]) == 3
    assert all(report["loaded"].values())


@_needs_dagster
def test_a_locked_warehouse_is_tried_again(pipeline: tuple[Path, dict[str, Any]]) -> None:
    warehouse, report = pipeline
    assert re.search(r"warehouse.duckdb is in use by process \d+", report["in_use"])
    assert report["retries"] == 1
    (last,) = report["new"]
    landed = rows(
        warehouse,
        "select source_system, sum(rows_landed) from raw_audit.files where batch_id = ? group by 1",
        last,
    )
    for source, count in landed:
        if source:
            assert report["records"][f"raw/{source}"]["dagster/partition_row_count"] == count


@_needs_dagster
def test_a_failure_has_the_message_of_the_command_line(
    pipeline: tuple[Path, dict[str, Any]],
) -> None:
    _, report = pipeline
    assert report["unknown"]["success"] is False
    (message,) = report["unknown"]["messages"]
    assert message.endswith("has no batch 2020-01-31")


@_needs_dagster
def test_models_tests_reports_and_marts_are_shown(pipeline: tuple[Path, dict[str, Any]]) -> None:
    warehouse, report = pipeline
    build = report["build"]
    assert build["success"], build["messages"]
    manifest = json.loads((warehouse.parent / "target/manifest.json").read_text())
    kinds = [node["resource_type"] for node in manifest["nodes"].values()]
    tests = [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and node["depends_on"]["nodes"]
    ]
    published = {"quality_report", "docs_and_dashboards", "published_marts"}
    assert published <= set(build["assets"])
    models = sum(kind in {"model", "seed", "snapshot"} for kind in kinds)
    assert len(build["assets"]) == models + len(published)
    # Two of each source by the quality marts.
    assert build["checks"] == len(tests) + 6
    assert build["errors"] == []
    # The sample company ended long ago.
    assert {"salesforce_is_fresh", "stripe_is_fresh"} <= set(build["warnings"])
    assert "stripe_has_usual_volume" not in build["warnings"]
    assert report["idle"] == {"success": True, "assets": 0}
    for name in ("marts.duckdb", "report/report.html", "docs/index.html"):
        assert (warehouse.parent / name).is_file(), name


@_needs_dagster
def test_the_warehouse_is_that_of_make_build(
    pipeline: tuple[Path, dict[str, Any]], tiny_warehouse: Path
) -> None:
    warehouse, _ = pipeline
    assert differences(tiny_warehouse, warehouse) == {}
    with opened(tiny_warehouse) as connection:
        connection.execute(f"attach '{warehouse}' as other (read_only)")
        names = connection.execute(
            "select table_name from information_schema.tables"
            " where table_catalog = 'warehouse' and table_schema = 'snapshots' order by all"
        ).fetchall()
        assert len(names) == 6
        for (name,) in names:
            columns = connection.execute(f"describe snapshots.{name}").fetchall()
            # But when it was loaded.
            chosen = ", ".join(f'"{one[0]}"' for one in columns if one[0] != "_loaded_at")
            here, there = (f"select {chosen} from {db}snapshots.{name}" for db in ("", "other."))
            apart = connection.execute(
                f"({here} except all {there}) union all ({there} except all {here})"
            ).fetchall()
            assert apart == [], name
