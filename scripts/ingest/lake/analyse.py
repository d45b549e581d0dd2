"""Analyses every model and snapshot on Spark against empty tables, without running one.

A pull request's check: a statement that only DuckDB understands fails here. The tables have the
types of the loader's catalog, of the seeds, and of what Spark makes of the models upstream, so a
column of another type than its contract's is reported too. With `--tests` data tests are analysed
as well.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from ingest.lake import register, tables

Node = dict[str, Any]
KINDS = ("seed", "model", "snapshot")
SNAPSHOT_COLUMNS = {
    "dbt_scd_id": "string",
    "dbt_updated_at": "timestamp",
    "dbt_valid_from": "timestamp",
    "dbt_valid_to": "timestamp",
}


def main() -> int:
    """Print what does not analyse; 1 if anything does not."""
    kinds = (*KINDS, "test") if "--tests" in sys.argv else KINDS
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ |= {"SPARK_CATALOG": "in-memory", "SPARK_PATH": folder}
        # dbt takes the session that there is, and stops if nothing is loaded.
        session = register.session()
        for (schema, name), columns in tables.raw_tables().items():
            _create(session, schema, name, columns)
        nodes = _compiled(Path(folder) / "target", kinds)
        failures = 0
        for failures, failure in enumerate(_failures(session, nodes), 1):  # noqa: B007
            print(failure, file=sys.stderr, flush=True)
        session.stop()
    count = sum(node["resource_type"] != "seed" for node in nodes.values())
    analysed = ", ".join(f"{kind}s" for kind in kinds[1:])
    print(f"{count} {analysed} analysed on Spark, {failures} failures")
    return int(bool(failures))


def _compiled(target: Path, kinds: tuple[str, ...]) -> dict[str, Node]:
    result = dbtRunner().invoke(
        [
            *("--quiet", "compile", "--target", "spark", "--target-path", str(target)),
            *("--select", *(f"resource_type:{kind}" for kind in kinds)),
            *("--indirect-selection", "empty"),
        ]
    )
    if not result.success:
        raise SystemExit(f"dbt compile failed: {result.exception or ''}")
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    return {key: node for key, node in nodes.items() if node["resource_type"] in kinds}


def _failures(session: SparkSession, nodes: dict[str, Node]) -> Iterator[str]:
    graph = {key: nodes.keys() & node["depends_on"].get("nodes", ()) for key, node in nodes.items()}
    for node in map(nodes.__getitem__, TopologicalSorter(graph).static_order()):
        if node["resource_type"] == "seed":
            columns = ", ".join(
                f"`{key}` {kind}" for key, kind in node["config"]["column_types"].items()
            )
            _create(session, node["schema"], node["name"], columns)
            continue
        if '"' in re.sub("--.*|'(?:[^']|'')*'", "", node["compiled_code"]):
            yield f"{node['name']}: a view reads a column in double quotes as text"
        try:
            found = session.sql(node["compiled_code"]).schema
            if node["resource_type"] != "test":
                _create(session, node["schema"], node["name"], _columns(node, found))
        except Exception as error:
            yield f"{node['name']}: {str(error).split('== SQL')[0].strip()}"
            continue
        if node["config"].get("contract", {}).get("enforced"):
            yield from _breaches(node, found)


def _columns(node: Node, found: StructType) -> str:
    columns = {field.name: field.dataType.simpleString() for field in found.fields}
    if node["resource_type"] == "snapshot":
        columns |= SNAPSHOT_COLUMNS
    return ", ".join(f"`{name}` {kind}" for name, kind in columns.items())


def _breaches(node: Node, found: StructType) -> Iterator[str]:
    types = {field.name: field.dataType.simpleString() for field in found.fields}
    for column in node["columns"].values():
        stated = column["data_type"].replace(" ", "").replace("integer", "int")
        if types.get(column["name"]) != stated:
            yield f"{node['name']}.{column['name']} is {types.get(column['name'])}, not {stated}"


def _create(session: SparkSession, schema: str, name: str, columns: str) -> None:
    session.sql(f"create database if not exists {schema}")
    session.sql(f"create table {schema}.`{name}` ({columns}) using parquet")


if __name__ == "__main__":
    sys.exit(main())
