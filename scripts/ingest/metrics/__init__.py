"""Metrics by name."""

from ingest.metrics.definitions import Definition
from ingest.metrics.layer import Metrics, Result

__all__ = ["Definition", "Metrics", "Result"]
