"""Dashboards: pages of charts, each described by one YAML file in `dashboards/`."""

from ingest.docs.dashboards.page import marts, write

__all__ = ["marts", "write"]
