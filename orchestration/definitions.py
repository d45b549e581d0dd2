"""The steps of `make build` as Dagster assets: batches, models with their tests, reports, marts.

Each runs a command of the product, with the same environment variables, and so leaves what `make
build` leaves. docs/orchestration.md explains the schedule, the sensor and how to repeat a batch.
"""

import os
import sys
import time
from itertools import takewhile
from pathlib import Path
from typing import Any

import dagster as dg
import dagster_dbt as dd
from orchestration.assets import LANDED, batches, landed, models, project, quality
from orchestration.commands import RETRIES, run

from ingest.build import PROJECT
from ingest.errors import IngestError
from ingest.load import Batch, discover
from ingest.load.batches import MANIFEST

EXTRACTS = PROJECT / (os.environ.get("EXTRACTS_PATH") or "data/extracts")
# A folder is complete if nothing in it has changed for so long.
SETTLED_SECONDS = float(os.environ.get("BATCH_SETTLED_SECONDS", "60"))
# Beside this Python, which need not be on the PATH.
DBT = str(Path(sys.executable).with_name("dbt"))
SCHEMAS = {"shared", "finance", "sales", "product", "quality"}
MARTS = [key for key in models.keys if key.path[0] in SCHEMAS]


@dg.asset(deps=MARTS, group_name="published", retry_policy=RETRIES)
def quality_report() -> dg.MaterializeResult[None]:
    """The data quality report, data/report/report.html."""
    return run("report")


@dg.asset(deps=MARTS, group_name="published", retry_policy=RETRIES)
def docs_and_dashboards() -> dg.MaterializeResult[None]:
    """The site with the dashboards, target/site/index.html."""
    return run("docs")


@dg.asset(deps=[quality_report, docs_and_dashboards], group_name="published", retry_policy=RETRIES)
def published_marts() -> dg.MaterializeResult[None]:
    """The copy of the marts for readers, marts.duckdb beside the warehouse."""
    return run("build", "--step", "publish")


@dg.op(retry_policy=RETRIES)
def pull() -> None:
    """Pulls what is new from the vendors into a batch, which the sensor then finds."""
    run("pull")


def is_complete(batch: Batch) -> bool:
    """Whether a batch has its manifest, which is written last, or has not changed for a while."""
    files = [path for _, path in batch.entries()]
    changed = max((path.lstat().st_ctime for path in [batch.path, *files]), default=0)
    return (batch.path / MANIFEST).is_file() or time.time() - changed >= SETTLED_SECONDS


load_batch = dg.define_asset_job("load_batch", dg.AssetSelection.assets(*LANDED))


@dg.sensor(
    job=load_batch,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def new_batches(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Adds a partition for each new folder, and loads it."""
    known = set(context.instance.get_dynamic_partitions("batch"))
    try:
        unknown = [batch for batch in discover(EXTRACTS) if batch.batch_id not in known]
        new = [batch.batch_id for batch in takewhile(is_complete, unknown)]
    except IngestError as error:
        return dg.SkipReason(str(error))
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=name, partition_key=name) for name in new],
        dynamic_partitions_requests=[batches.build_add_request(new)] if new else [],
    )


def every_two_hours(job: Any, minute: int, *, is_on: bool = True) -> dg.ScheduleDefinition:
    status = dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED
    cron = f"{minute} */2 * * *"
    return dg.ScheduleDefinition(
        job=job, cron_schedule=cron, execution_timezone="UTC", default_status=status
    )


PULLS = bool(os.environ.get("PULL"))
WHOLE = dg.AssetSelection.all() - dg.AssetSelection.groups("raw")
build_marts = dg.define_asset_job("build_marts", WHOLE)
check_sources = dg.define_asset_job("check_sources", dg.AssetSelection.checks(quality))
pull_vendors = dg.GraphDefinition(name="pull_vendors", node_defs=[pull]).to_job()

defs = dg.Definitions(
    assets=[landed, models, quality_report, docs_and_dashboards, published_marts],
    asset_checks=[quality],
    jobs=[load_batch, build_marts, check_sources, pull_vendors],
    schedules=[
        every_two_hours(pull_vendors, 45, is_on=PULLS),
        every_two_hours(build_marts, 0),
        every_two_hours(check_sources, 30),
    ],
    sensors=[new_batches],
    resources={"dbt": dd.DbtCliResource(project_dir=project, dbt_executable=DBT)},
    executor=dg.in_process_executor,
)
