"""From extracts to marts: loads batches in turn, keeps their history and builds every model."""

from ingest.build.dbt import PROJECT, BuildError, Dbt
from ingest.build.run import STEPS, build

__all__ = ["PROJECT", "STEPS", "BuildError", "Dbt", "build"]
