"""Two built warehouses held against each other: models, contracts, metrics, rows, tests, times."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from ingest.diff.metrics import METRICS, Metric, read
from ingest.diff.rows import MartDiff, compare_rows
from ingest.load import warehouse

_DATA = {"model", "seed", "snapshot", "source"}
_TESTS = {"test", "unit_test"}
_GOOD = {"success", "pass", "warn"}


@dataclass(frozen=True, slots=True)
class Side:
    """One built project: its warehouse, dbt's manifest, and the results of its last runs by id."""

    warehouse: Path
    manifest: dict[str, Any]
    results: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, warehouse_path: Path, target: Path) -> "Side":
        """What is in a warehouse and dbt's target folder; no results if nothing ran."""
        return cls(
            warehouse_path,
            json.loads((target / "manifest.json").read_text()),
            {
                result["unique_id"]: result
                for path in target.glob("*_results.json")
                for result in json.loads(path.read_text())["results"]
                # Exposures that depend on what was built: nothing of theirs ran.
                if result["status"] != "no-op"
            },
        )

    @property
    def nodes(self) -> dict[str, dict[str, Any]]:
        """Everything that has an id in the manifest, macros apart."""
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
        """The columns that a test holds to be unique together; none if no test does."""
        for node in self.manifest["nodes"].values():
            test = node.get("test_metadata") or {}
            if node.get("attached_node") != mart_id or node["config"].get("where"):
                continue
            if test.get("name") in ("unique", "unique_by_digest"):
                return [str(node["column_name"])]
            if test.get("name") == "unique_combination_of_columns":
                return [str(name) for name in test["kwargs"]["combination_of_columns"]]
        return []


@dataclass(frozen=True, slots=True)
class Change:
    """A model, seed, snapshot or source that was added, changed or removed, and in what."""

    name: str
    kind: str
    how: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric on both sides.

    Attributes:
        metric: what was asked.
        before: the headline of the base.
        after: that of the working tree.
        moved: the periods that differ with both values, the largest difference first.
        periods: how many periods there are.
        paths: from each change that it depends on to its mart, names of models.
    """

    metric: Metric
    before: float | None
    after: float | None
    moved: list[tuple[str, float | None, float | None]]
    periods: int
    paths: list[list[str]]

    @property
    def is_moved(self) -> bool:
        """Whether it differs, now or at any time."""
        return self.before != self.after or bool(self.moved)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A node that failed or warned, and what it said."""

    name: str
    status: str
    message: str


@dataclass(slots=True)
class Comparison:
    """All that a report says.

    Attributes:
        changes: of data: models, seeds, snapshots and sources.
        tests: names of tests by added, changed and removed.
        contracts: column changes, by mart.
        figures: every metric.
        marts: those that may differ.
        statuses: how many of what was run in the working tree ended how.
        outcomes: what failed or warned.
        slowest: models by seconds, after and before.
        is_loader_changed: whether all was loaded and built anew.
        is_complete: whether the build ended as it should.
    """

    changes: list[Change]
    tests: dict[str, list[str]]
    contracts: dict[str, list[str]]
    figures: list[Figure]
    marts: list[MartDiff]
    statuses: dict[str, int]
    outcomes: list[Outcome]
    slowest: list[tuple[str, float, float | None]]
    is_loader_changed: bool
    is_complete: bool

    @property
    def is_sound(self) -> bool:
        """Whether all was built and no test failed."""
        return self.is_complete and all(one.status in _GOOD for one in self.outcomes)


def compare(
    before: Side,
    after: Side,
    changed: set[str],
    *,
    is_loader_changed: bool = False,
    is_complete: bool = True,
) -> Comparison:
    """Hold two built projects against each other.

    Args:
        before: the base.
        after: the working tree.
        changed: ids of what dbt finds modified, new ones among them.
        is_loader_changed: everything was built anew, so every mart may differ.
        is_complete: the build of the working tree ended as it should.
    """
    causes = _Causes(before, after, changed)
    marts = _marts(before, after, is_loader_changed=is_loader_changed)
    with warehouse.opened(Path(":memory:")) as connection:
        for alias, side in (("before", before), ("after", after)):
            warehouse.attach(connection, side.warehouse, alias)
        figures = [_figure(connection, metric, causes) for metric in METRICS]
        for mart_id, mart in marts.items():
            compare_rows(connection, mart, before.key(mart_id), after.key(mart_id))
            mart.causes = [path[0] for path in causes.paths(mart.name.split(".")[1])]
    return Comparison(
        changes=causes.changes(),
        tests=causes.tests(),
        contracts=_contracts(before, after),
        figures=figures,
        marts=list(marts.values()),
        statuses=_statuses(after),
        outcomes=_outcomes(after),
        slowest=_slowest(before, after),
        is_loader_changed=is_loader_changed,
        is_complete=is_complete,
    )


class _Causes:
    """What changed, and what depends on it by which way."""

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
        """What data is made of."""
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
        """Names of tests, data and unit, by what became of them."""
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
        """The shortest way from each change that a model depends on, the nearest change first."""
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
        if _columns(before) != _columns(after):
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


def _name(node: Mapping[str, Any]) -> str:
    if node["resource_type"] == "source":
        return f"{node['source_name']}.{node['name']}"
    return str(node["name"])


def _columns(node: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    """Type of each declared column in lower case without spaces, and whether it is never null."""
    return {
        name: (
            str(column.get("data_type") or "").lower().replace(" ", ""),
            any(rule.get("type") == "not_null" for rule in column.get("constraints") or []),
        )
        for name, column in (node.get("columns") or {}).items()
    }


def _contracts(before: Side, after: Side) -> dict[str, list[str]]:
    """What readers of a contracted mart could rely on, and no longer can, or now can."""
    found: dict[str, list[str]] = {}
    old, new = before.marts(), after.marts()
    for name in sorted(old.keys() - new.keys()):
        if _is_contracted(old[name]):
            found[old[name]["name"]] = ["removed, with all its columns"]
    for name in sorted(old.keys() & new.keys()):
        said = []
        was, now = _is_contracted(old[name]), _is_contracted(new[name])
        if was != now:
            said.append("contract added" if now else "contract removed")
        columns, others = _columns(old[name]), _columns(new[name])
        if was or now:
            said += [f"column `{one}` removed" for one in columns if one not in others]
            said += [
                f"column `{one}` added ({kind})"
                for one, (kind, _) in others.items()
                if one not in columns
            ]
            for one in (name for name in columns if name in others):
                (kind, filled), (other_kind, other_filled) = columns[one], others[one]
                if kind != other_kind:
                    said.append(f"column `{one}` was {kind}, is {other_kind}")
                if filled != other_filled:
                    said.append(f"column `{one}` {'is never' if other_filled else 'may be'} null")
        if said:
            found[new[name]["name"]] = said
    return found


def _is_contracted(node: Mapping[str, Any]) -> bool:
    return bool(node["config"].get("contract", {}).get("enforced"))


def _figure(connection: duckdb.DuckDBPyConnection, metric: Metric, causes: _Causes) -> Figure:
    """Asks both sides. A metric that moves in the past alone has moved."""
    before, after = (read(connection, metric, side) for side in ("before", "after"))
    moved = [
        (period, old, new)
        for period in sorted(before.run.keys() | after.run.keys(), reverse=True)
        if (old := before.run.get(period)) != (new := after.run.get(period))
    ]
    moved.sort(key=lambda one: abs((one[2] or 0) - (one[1] or 0)), reverse=True)
    figure = Figure(metric, before.headline, after.headline, moved, len(after.run), [])
    return replace(figure, paths=causes.paths(metric.mart)) if figure.is_moved else figure


def _marts(before: Side, after: Side, *, is_loader_changed: bool) -> dict[str, MartDiff]:
    """The marts that may differ, their rows not looked at yet."""
    found = {}
    old, new = before.marts(), after.marts()
    for name in sorted(old.keys() | new.keys()):
        node = new.get(name) or old[name]
        title = f"{node['schema']}.{node['alias']}"
        if name not in new:
            found[name] = MartDiff(title, "removed")
        elif name in after.results:
            status = after.results[name]["status"]
            how = "changed" if name in old else "added"
            found[name] = MartDiff(title, how if status == "success" else f"not built: {status}")
        elif is_loader_changed:
            found[name] = MartDiff(title, "not built")
    return found


def _statuses(side: Side) -> dict[str, int]:
    """How many models, tests and so on ended how, as `pass`: 12."""
    found: dict[str, int] = {}
    for result in side.results.values():
        found[result["status"]] = found.get(result["status"], 0) + 1
    return found


def _outcomes(side: Side) -> list[Outcome]:
    """What did not go well, the worst first."""
    order = {"error": 0, "fail": 1, "warn": 2}
    nodes = side.nodes
    found = [
        Outcome(
            str(nodes[name]["name"]) if name in nodes else name,
            result["status"],
            str(result["message"] or ""),
        )
        for name, result in side.results.items()
        if result["status"] not in {"success", "pass"}
    ]
    return sorted(found, key=lambda one: (order.get(one.status, 3), one.name))


def _slowest(before: Side, after: Side) -> list[tuple[str, float, float | None]]:
    """The ten models that took longest, with the seconds that they took in the base."""
    built = [
        (float(result["execution_time"]), name)
        for name, result in after.results.items()
        if name.startswith("model.") and result["status"] == "success"
    ]
    return [
        (
            name.split(".")[-1],
            seconds,
            float(before.results[name]["execution_time"]) if name in before.results else None,
        )
        for seconds, name in sorted(built, reverse=True)[:10]
    ]
