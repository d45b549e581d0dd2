"""Metrics by name."""

from ingest.metrics.layer import Definition, Metrics, Result

__all__ = ["Definition", "Metrics", "Result"]
