"""From extracts to marts: loads batches in turn, keeps their history and builds every model."""

from ingest.build.dbt import PROJECT, BuildError, Dbt
from ingest.build.run import build

__all__ = ["PROJECT", "BuildError", "Dbt", "build"]
