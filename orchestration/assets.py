"""Batches, models with their tests, and checks of the sources, as Dagster's assets."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
import dagster_dbt as dd
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from orchestration.commands import RETRIES, WAREHOUSE, failure, ingest, rows, run

from ingest.build import PROJECT
from ingest.docs.report import by_the_clock
from ingest.errors import IngestError
from ingest.load import warehouse

SOURCES = ("salesforce", "stripe", "segment")
# What a batch lands in. `ingest predict` writes the one other source.
LANDED = [dg.AssetKey(["raw", name]) for name in (*SOURCES, "audit")]
# dbt's events as lines of JSON.
EVENTS = {"DBT_LOG_LEVEL": "info", "DBT_LOG_FORMAT": "json", "DBT_LOG_FORMAT_FILE": "debug"}

batches = dg.DynamicPartitionsDefinition(name="batch")
project = dd.DbtProject(
    PROJECT, profiles_dir=PROJECT, target_path=os.environ.get("DBT_TARGET_PATH", "target")
)


class BatchConfig(dg.Config):
    """What the Launchpad offers for a batch."""

    replace: bool = False


@dg.multi_asset(
    specs=[dg.AssetSpec(key, group_name="raw", kinds={"python", "duckdb"}) for key in LANDED],
    partitions_def=batches,
    retry_policy=RETRIES,
)
def landed(context: dg.AssetExecutionContext, config: BatchConfig) -> Iterator[Any]:
    """Loads a batch and takes its snapshot. With `replace`, changed files replace what landed."""
    batch_id = context.partition_key
    if config.replace:
        run("load", "--quiet", "--replace", "--batch", batch_id)
    run("build", "--batch", batch_id)
    found = rows(
        "select source_system, count(*), sum(rows_read), sum(rows_landed), sum(rows_rejected)"
        " from raw_audit.files where batch_id = ? group by grouping sets (source_system, ())",
        batch_id,
    )
    counts = {source or "audit": rest for source, *rest in found}
    names = ("files", "records_read", "dagster/partition_row_count", "records_rejected")
    for key in LANDED:
        values = zip(names, counts.get(key.path[-1], [0] * len(names)), strict=True)
        metadata = {name: int(value or 0) for name, value in values}
        yield dg.MaterializeResult(asset_key=key, metadata=metadata)


class Translator(dd.DagsterDbtTranslator):
    """Groups models by schema, and takes all raw tables of a source for one asset."""

    def get_asset_key(self, dbt_resource_props: Any) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey(["raw", dbt_resource_props["source_name"]])
        return super().get_asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        return str(dbt_resource_props["schema"])


def with_checks(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest of dbt, with each test across models attached to the one that is built last."""
    order = list(TopologicalSorter(manifest["parent_map"]).static_order())
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and not node.get("attached_node"):
            parents = node["depends_on"]["nodes"]
            node["attached_node"] = max(parents, key=order.index, default=None)
    return manifest


manifest = with_checks(json.loads(project.manifest_path.read_bytes()))
translator = Translator(
    dd.DagsterDbtTranslatorSettings(
        enable_source_tests_as_checks=True, enable_duplicate_source_asset_keys=True
    )
)


@dd.dbt_assets(
    manifest=manifest,
    project=project,
    dagster_dbt_translator=translator,
    retry_policy=RETRIES,
)
def models(context: dg.AssetExecutionContext, dbt: dd.DbtCliResource) -> Iterator[Any]:
    """Builds and tests what has landed. A part of the models is built by dbt alone."""
    if context.is_subset:
        try:
            with warehouse.reserved(WAREHOUSE):
                command = ["build", "--exclude-resource-type", "unit_test"]
                yield from dbt.cli(command, context=context).stream()
        except (IngestError, dd.errors.DagsterDbtCliRuntimeError) as error:
            raise failure(str(error)) from error
        return
    seen = set()
    for line in ingest("build", "--step", "models", **EVENTS):
        if not line.startswith("{"):
            continue
        event = DbtCoreCliEventMessage(json.loads(line), {})
        print(event)
        node = event.raw_event["data"].get("node_info", {}).get("unique_id")
        # A missing snapshot builds models before the build itself does. The project may have new
        # nodes since the definitions were loaded.
        if event.is_result_event and node in manifest["nodes"] and node not in seen:
            seen.add(node)
            yield from event.to_default_asset_events(manifest, translator, context, project=project)


CHECKS = {
    "is_fresh": dg.AssetKey(["quality", "dq_source_freshness"]),
    "has_usual_volume": dg.AssetKey(["quality", "dq_volume_anomalies"]),
}
SPECS = [
    dg.AssetCheckSpec(f"{source}_{name}", asset=key)
    for name, key in CHECKS.items()
    for source in SOURCES
]


def checked(source: str, name: str, *, passed: bool, **known: object) -> dg.AssetCheckResult:
    """The result of a check, which warns if it fails and blocks nothing."""
    return dg.AssetCheckResult(
        passed=passed,
        asset_key=CHECKS[name],
        check_name=f"{source}_{name}",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={key: value for key, value in known.items() if value is not None},
    )


@dg.multi_asset_check(specs=SPECS, retry_policy=RETRIES)
def quality() -> Iterator[dg.AssetCheckResult]:
    """Freshness and volume of each source, by the quality marts."""
    for source, status, promised, newest, age in rows(
        "select source_system, freshness_status, promised_days, cast(newest_extract_at as string),"
        f" extract_age_days from {by_the_clock(datetime.now(UTC))}"
    ):
        passed = status in {"absent", "fresh"}
        days = {"age_days": age, "promised_days": promised, "newest_extract_at": newest}
        yield checked(source, "is_fresh", passed=passed, status=status, **days)
    odd = rows(
        "select case metric when 'rows' then split_part(series_name, '.', 1)"
        " when 'events' then 'segment' else 'stripe' end, concat_ws(' ', volume_date, metric,"
        " series_name, anomaly_type, volume, 'instead of', round(expected_volume))"
        " from quality.dq_volume_anomalies cross join intermediate.int_as_of"
        " where volume_date >= as_of_date - 7 order by all"
    )
    for source in SOURCES:
        days_out = [text for name, text in odd if name == source]
        listed = "; ".join(days_out) or "none"
        yield checked(source, "has_usual_volume", passed=not days_out, out_of_band=listed)
