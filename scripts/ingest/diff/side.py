"""One built project of a comparison."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Side:
    """One built project: its warehouse, dbt's manifest, and the results of its last runs by id."""

    warehouse: Path
    manifest: dict[str, Any]
    results: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, warehouse_path: Path, target: Path) -> "Side":
        """Reads a warehouse and dbt's target folder; there are no results if nothing ran."""
        return cls(
            warehouse_path,
            json.loads((target / "manifest.json").read_text()),
            {
                result["unique_id"]: result
                for path in target.glob("*_results.json")
                for result in json.loads(path.read_text())["results"]
                # Exposures depend on what was built; nothing runs for them.
                if result["status"] != "no-op"
            },
        )

    @property
    def nodes(self) -> dict[str, dict[str, Any]]:
        """Every node with an id in the manifest except macros."""
        kinds = ("nodes", "sources", "unit_tests", "exposures")
        return {name: node for kind in kinds for name, node in self.manifest.get(kind, {}).items()}

    def marts(self) -> dict[str, dict[str, Any]]:
        """The models under models/marts, by id."""
        return {
            name: node
            for name, node in self.manifest["nodes"].items()
            if node["resource_type"] == "model"
            and node["original_file_path"].startswith("models/marts/")
        }

    def key(self, mart_id: str) -> list[str]:
        """The columns whose combination a test checks to be unique; empty without such a test."""
        for node in self.manifest["nodes"].values():
            test = node.get("test_metadata") or {}
            if node.get("attached_node") != mart_id or node["config"].get("where"):
                continue
            if test.get("name") in ("unique", "unique_by_digest"):
                return [str(node["column_name"])]
            if test.get("name") == "unique_combination_of_columns":
                return [str(name) for name in test["kwargs"]["combination_of_columns"]]
        return []
