"""From extracts to marts: loads batches in turn, keeps their history and builds every model."""

from ingest.build.run import PROJECT, BuildError, Dbt, build

__all__ = ["PROJECT", "BuildError", "Dbt", "build"]
