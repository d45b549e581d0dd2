"""The exposures of the dashboards, written from the files that describe the pages.

    python -m ingest.docs.dashboards.exposures

writes `models/dashboards.yml` again after `dbt compile`. A test compares the two.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from ingest.build import PROJECT
from ingest.docs.dashboards.cubes import marts_of, widest
from ingest.docs.dashboards.spec import Dashboard, dashboards
from ingest.metrics import Metrics

FILE = PROJECT / "models/dashboards.yml"
_HEAD = "# Written by `python -m ingest.docs.dashboards.exposures` from the dashboards' files.\n"


def exposures(target: Path, pages: Sequence[Dashboard]) -> str:
    """The text of the file.

    Args:
        target: dbt's folder, with its manifests.
        pages: the dashboards.
    """
    metrics = Metrics((target / "semantic_manifest.json").read_text())
    manifest = json.loads((target / "manifest.json").read_text())
    reads = {
        node["name"]: {one.split(".")[-1] for one in node["depends_on"]["nodes"]}
        for node in manifest["nodes"].values()
        if node["resource_type"] == "analysis"
    }
    entries = [_entry(page, metrics, reads) for page in pages]
    text = yaml.safe_dump({"exposures": entries}, sort_keys=False, allow_unicode=True, width=110)
    return _HEAD + _spaced(text)


def _entry(page: Dashboard, metrics: Metrics, reads: dict[str, set[str]]) -> dict[str, Any]:
    marts: set[str] = set()
    for data in page.data.values():
        marts |= set(marts_of(widest(metrics, data))) if data.metrics else reads[data.query]
    return {
        "name": f"{page.name}_dashboard",
        "label": f"{page.label} dashboard",
        "type": "dashboard",
        "maturity": "high",
        "description": " ".join(page.description.split()),
        "owner": dict(page.owner),
        "depends_on": [f"ref('{mart}')" for mart in sorted(marts)],
    }


def _spaced(text: str) -> str:
    """YAML as the project writes it: lists indented, and a blank line between entries."""
    head, *lines = text.splitlines()
    indented = [f"  {line}" if line.startswith(("- ", "  ")) else line for line in lines]
    return (
        "\n".join([head, *indented])
        .replace("\n  - name:", "\n\n  - name:")
        .replace(":\n\n", ":\n")
        .replace("\n    - ref", "\n      - ref")
        + "\n"
    )


if __name__ == "__main__":
    found = exposures(PROJECT / os.environ.get("DBT_TARGET_PATH", "target"), dashboards())
    FILE.write_text(found, encoding="utf-8")
