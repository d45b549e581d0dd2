"""Compares two built warehouses: models, contracts, metrics, rows, tests and times."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from ingest.diff.causes import Causes, Change, typed_columns
from ingest.diff.metrics import METRICS, Metric, read
from ingest.diff.rows import MartDiff, compare_rows
from ingest.diff.side import Side
from ingest.load import warehouse

_GOOD = {"success", "pass", "warn"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric on both sides.

    Attributes:
        metric: the metric.
        before: its headline value in the base.
        after: its headline value in the working tree.
        moved: the periods that differ, with both values, the largest difference first.
        periods: the number of all periods.
        paths: the models from each change that the metric depends on to its mart.
    """

    metric: Metric
    before: float | None
    after: float | None
    moved: list[tuple[str, float | None, float | None]]
    periods: int
    paths: list[list[str]]

    @property
    def is_moved(self) -> bool:
        """Whether it differs in any period."""
        return self.before != self.after or bool(self.moved)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A node that failed or warned, and its message."""

    name: str
    status: str
    message: str


@dataclass(slots=True)
class Comparison:
    """The content of a report.

    Attributes:
        changes: to models, seeds, snapshots and sources.
        tests: names of tests that were added, changed and removed.
        contracts: column changes, by mart.
        figures: every metric.
        marts: those that may differ.
        statuses: the number of results in the working tree, by status.
        outcomes: what failed or warned.
        slowest: models by seconds, after and before.
        is_loader_changed: whether everything was loaded and built again.
        is_complete: whether the build succeeded.
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
        """Whether everything was built and no test failed."""
        return self.is_complete and all(one.status in _GOOD for one in self.outcomes)


def compare(
    before: Side,
    after: Side,
    changed: set[str],
    *,
    is_loader_changed: bool = False,
    is_complete: bool = True,
) -> Comparison:
    """Compare two built projects.

    Args:
        before: the base.
        after: the working tree.
        changed: ids of the nodes that dbt reports as modified or new.
        is_loader_changed: everything was built again, so every mart may differ.
        is_complete: the build of the working tree succeeded.
    """
    causes = Causes(before, after, changed)
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


def _contracts(before: Side, after: Side) -> dict[str, list[str]]:
    """The changes to the contracts of marts, by mart."""
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
        columns, others = typed_columns(old[name]), typed_columns(new[name])
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


def _figure(connection: duckdb.DuckDBPyConnection, metric: Metric, causes: Causes) -> Figure:
    """A metric on both sides; a difference in a past period alone counts as moved."""
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
    """The marts that may differ; their rows are compared later."""
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
    """The number of models, tests and so on by status, such as `pass`: 12."""
    found: dict[str, int] = {}
    for result in side.results.values():
        found[result["status"]] = found.get(result["status"], 0) + 1
    return found


def _outcomes(side: Side) -> list[Outcome]:
    """What failed or warned, the worst first."""
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
    """The ten slowest models, with the seconds that they took in the base."""
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
