"""Dashboards: pages of charts, each described by one YAML file in `dashboards/`."""

from ingest.docs.dashboards.page import write

__all__ = ["write"]
