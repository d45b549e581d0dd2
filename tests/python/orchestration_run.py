"""Runs the pipeline in Dagster, in its own environment, and prints what happened as JSON.

`test_orchestration.py` calls it with the Python of `.venv-dagster`: the tests themselves run where
Dagster is not installed.

    python orchestration_run.py <folder of batches> <folder in which they arrive>
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from orchestration import commands, definitions

# Holds the warehouse as a SQL client does, until it reads a line.
_HOLDER = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


class Pipeline:
    """The definitions with an instance that keeps its storage in DAGSTER_HOME."""

    def __init__(self) -> None:
        self.instance = dg.DagsterInstance.get()
        self.repository = definitions.defs.get_repository_def()

    def found(self) -> list[str]:
        """Evaluates the sensor, and adds the partitions that it asks for."""
        with dg.build_sensor_context(self.instance, repository_def=self.repository) as context:
            result = definitions.new_batches(context)
        assert isinstance(result, dg.SensorResult), result
        for request in result.dynamic_partitions_requests or ():
            self.instance.add_dynamic_partitions("batch", list(request.partition_keys))
        return [str(request.partition_key) for request in result.run_requests or ()]

    def load(self, batch_id: str) -> dg.ExecuteInProcessResult:
        """Materialises the partition of a batch."""
        job = definitions.defs.resolve_job_def(definitions.load_batch.name)
        return job.execute_in_process(
            instance=self.instance, partition_key=batch_id, raise_on_error=False
        )

    def tick(self) -> dg.ExecuteInProcessResult:
        """Evaluates the schedule of the build, and runs what it asks for."""
        schedule = self.repository.get_schedule_def("build_marts_schedule")
        with dg.build_schedule_context(self.instance, repository_def=self.repository) as context:
            requested = schedule.evaluate_tick(context).run_requests
        assert requested is not None
        assert len(requested) == 1
        job = definitions.defs.resolve_job_def(schedule.job_name)
        return job.execute_in_process(instance=self.instance, raise_on_error=False)


def messages(result: dg.ExecuteInProcessResult) -> list[str]:
    """The descriptions of failed steps."""
    failures = [event.event_specific_data for event in result.all_events if event.is_step_failure]
    return [one.user_failure_data.description for one in failures if one.user_failure_data]


def keep_aside(folder: Path) -> None:
    """Keeps the report and the site of the project as they are: others go into a folder."""
    ingest = commands.ingest

    def aside(*arguments: str, **settings: str) -> Iterator[str]:
        is_page = arguments[0] in {"report", "docs"}
        out = ("--out", str(folder / arguments[0])) if is_page else ()
        return ingest(*arguments, *out, **settings)

    commands.ingest = aside


def main(given: Path, arriving: Path) -> dict[str, Any]:
    """Each part of the report is one assertion of the test."""
    keep_aside(arriving.parent)
    pipeline = Pipeline()
    report: dict[str, Any] = {}
    *earlier, last = sorted(path for path in given.iterdir() if path.name[0] not in "._")
    for path in earlier:
        (arriving / path.name).symlink_to(path)
    report["first"] = pipeline.found()
    # The last of them loads those before it; the first of them has nothing left to do.
    asked = (report["first"][-1], report["first"][0])
    loaded = {batch_id: pipeline.load(batch_id) for batch_id in asked}
    report["loaded"] = {batch_id: result.success for batch_id, result in loaded.items()}
    (arriving / last.name / "stripe").mkdir(parents=True)
    report["incomplete"] = pipeline.found()
    (arriving / last.name / "stripe").rmdir()
    (arriving / last.name).rmdir()
    (arriving / last.name).symlink_to(last)
    report["new"] = pipeline.found()
    report["again"] = pipeline.found()
    report["records"] = load_while_in_use(pipeline, last.name, report)
    pipeline.instance.add_dynamic_partitions("batch", ["2020-01-31"])
    unknown = pipeline.load("2020-01-31")
    report["unknown"] = {"success": unknown.success, "messages": messages(unknown)}
    built = pipeline.tick()
    checks = built.get_asset_check_evaluations()
    report["build"] = {
        "success": built.success,
        "messages": messages(built),
        "assets": sorted("/".join(m.asset_key.path) for m in materialised(built)),
        "checks": len(checks),
        "errors": [c.check_name for c in checks if not c.passed and c.severity.value == "ERROR"],
        "warnings": sorted(c.check_name for c in checks if not c.passed),
    }
    idle = pipeline.tick()
    report["idle"] = {"success": idle.success, "assets": len(materialised(idle))}
    return report


def materialised(result: dg.ExecuteInProcessResult) -> list[Any]:
    """What was materialised."""
    events = result.get_asset_materialization_events()
    return [event.step_materialization_data.materialization for event in events]


def load_while_in_use(pipeline: Pipeline, batch_id: str, report: dict[str, Any]) -> dict[str, Any]:
    """Loads a batch while another process has the warehouse, and gives it up at the first try."""
    command = [sys.executable, "-c", _HOLDER, os.fspath(commands.WAREHOUSE)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdout.readline()
        fail = commands.failure

        def let_go(message: str) -> dg.Failure:
            holder.communicate("\n")
            report["in_use"] = message
            return fail(message)

        commands.failure = let_go
        loaded = pipeline.load(batch_id)
        commands.failure = fail
    report["retries"] = sum(event.is_step_restarted for event in loaded.all_events)
    report["loaded"][batch_id] = loaded.success
    return {
        "/".join(one.asset_key.path): {name: v.value for name, v in one.metadata.items()}
        for one in materialised(loaded)
    }


if __name__ == "__main__":
    print(json.dumps(main(*map(Path, sys.argv[1:])), default=str))
