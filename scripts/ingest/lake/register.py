"""Registers the lake's tables with Spark, with the columns of the loader's catalog.

A table reads every folder below its own, so a batch that is exported later needs no registration.
"""

import os
import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from jinja2 import Template
from pyspark.sql import SparkSession

from ingest.lake import tables


def session() -> SparkSession:
    """A session with the settings of the target `spark` in profiles.yml."""
    text = Template(Path("profiles.yml").read_text()).render(
        env_var=lambda name, default=None: os.environ.get(name, default)
    )
    target: dict[str, Any] = yaml.safe_load(text)["saas_warehouse"]["outputs"]["spark"]
    builder = SparkSession.builder.enableHiveSupport()
    for name, value in target["server_side_parameters"].items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def register(lake: str) -> None:
    """Create the tables of the loader, of the audit and of history that do not exist.

    Args:
        lake: the folder or the address of the lake.
    """
    spark = session()
    root = lake.rstrip("/") if "://" in lake else str(Path(lake).resolve())
    for (schema, name), columns in tables.raw_tables().items():
        # dbt appends the results of its tests, which is no part of the lake.
        location = "" if name == tables.TEST_RESULTS else f"location '{root}/{schema}/{name}'"
        _create(spark, schema, name, columns, location)
    if "://" not in lake:
        for folder in sorted(Path(root, tables.HISTORY).glob("*")):
            found = spark.read.option("recursiveFileLookup", "true").parquet(str(folder)).schema
            columns = ", ".join(f"`{f.name}` {f.dataType.simpleString()}" for f in found.fields)
            _create(spark, tables.HISTORY, folder.name, columns, f"location '{folder}'")
    spark.stop()


def _create(spark: SparkSession, schema: str, name: str, columns: str, location: str) -> None:
    if "location" in location and "://" not in location:
        Path(location.split("'")[1]).mkdir(parents=True, exist_ok=True)
    spark.sql(f"create database if not exists {schema}")
    spark.sql(
        f"create table if not exists {schema}.`{name}` ({columns}) using parquet "
        f"options (recursiveFileLookup 'true') {location}"
    )


if __name__ == "__main__":
    register(sys.argv[1])
