"""What differs between two projects, and which marts depend on it."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.diff.side import Side

_DATA = {"model", "seed", "snapshot", "source"}
_TESTS = {"test", "unit_test"}


@dataclass(frozen=True, slots=True)
class Change:
    """A model, seed, snapshot or source that was added, changed or removed, and what differs."""

    name: str
    kind: str
    how: str
    what: str = ""


class Causes:
    """The changes between two projects, and the paths from them to what depends on them."""

    def __init__(self, before: Side, after: Side, changed: set[str]) -> None:
        self._before = before.nodes
        self._after = after.nodes
        self._macros = (before.manifest["macros"], after.manifest["macros"])
        self._parents: dict[str, list[str]] = after.manifest["parent_map"]
        self._changed = {name for name in changed if name in self._after}
        self._removed = [
            name for name in self._before if name not in self._after and ".operation." not in name
        ]

    def changes(self) -> list[Change]:
        """The changes to models, seeds, snapshots and sources."""
        found = [
            Change(
                _name(node := self._after[name]),
                node["resource_type"],
                "changed" if name in self._before else "added",
                self._what(name) if name in self._before else "",
            )
            for name in self._changed
        ]
        found += [
            Change(_name(self._before[name]), self._before[name]["resource_type"], "removed")
            for name in self._removed
        ]
        return sorted(
            (one for one in found if one.kind in _DATA), key=lambda one: (one.how, one.name)
        )

    def tests(self) -> dict[str, list[str]]:
        """Names of data and unit tests that were added, changed and removed."""
        found: dict[str, list[str]] = {"added": [], "changed": [], "removed": []}
        for name in self._changed:
            if self._after[name]["resource_type"] in _TESTS:
                how = "changed" if name in self._before else "added"
                found[how].append(self._after[name]["name"])
        for name in self._removed:
            if self._before[name]["resource_type"] in _TESTS:
                found["removed"].append(self._before[name]["name"])
        return {how: sorted(names) for how, names in found.items() if names}

    def paths(self, model: str) -> list[list[str]]:
        """The shortest path from each change that a model depends on, the nearest change first."""
        start = next(
            (
                name
                for name, node in self._after.items()
                if node["resource_type"] == "model" and node["name"] == model
            ),
            None,
        )
        if start is None:
            return []
        ways = {start: [model]}
        waiting = deque([start])
        while waiting:
            name = waiting.popleft()
            for parent in self._parents.get(name, []):
                if parent not in ways and parent in self._after:
                    ways[parent] = [_name(self._after[parent]), *ways[name]]
                    waiting.append(parent)
        return [way for name, way in ways.items() if name in self._changed]

    def _what(self, name: str) -> str:
        """What differs in a node that both sides have."""
        before, after = self._before[name], self._after[name]
        found = []
        if before.get("checksum") != after.get("checksum"):
            found.append("rows" if after["resource_type"] == "seed" else "SQL")
        found += [f"macro {macro}" for macro in self._macros_changed(after)]
        if typed_columns(before) != typed_columns(after):
            found.append("columns")
        if before.get("unrendered_config") != after.get("unrendered_config"):
            found.append("configuration")
        return ", ".join(found) or "properties"

    def _macros_changed(self, node: Mapping[str, Any]) -> list[str]:
        before, after = self._macros
        waiting = list(node.get("depends_on", {}).get("macros", []))
        seen: set[str] = set()
        found = []
        while waiting:
            name = waiting.pop()
            if name in seen or name not in after:
                continue
            seen.add(name)
            if name in before and before[name]["macro_sql"] != after[name]["macro_sql"]:
                found.append(str(after[name]["name"]))
            waiting += after[name]["depends_on"]["macros"]
        return sorted(found)


def typed_columns(node: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    """Type of each declared column in lower case without spaces, and whether it is never null."""
    return {
        name: (
            str(column.get("data_type") or "").lower().replace(" ", ""),
            any(rule.get("type") == "not_null" for rule in column.get("constraints") or []),
        )
        for name, column in (node.get("columns") or {}).items()
    }


def _name(node: Mapping[str, Any]) -> str:
    if node["resource_type"] == "source":
        return f"{node['source_name']}.{node['name']}"
    return str(node["name"])
