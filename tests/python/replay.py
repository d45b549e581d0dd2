"""Builds warehouses with the statements that dbt executed for the sample company of a test run.

dbt executes the same statements whatever the tables hold: no model queries data to write its SQL.
Only an incremental model or a snapshot has two kinds, one for its first run and one for later runs.
Preparing the statements takes dbt several times as long as DuckDB takes to execute them. That a
replay gives what dbt gives, of first runs and of later ones, `test_landing.py` proves.
"""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
from dbt import tracking
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.contracts.graph.manifest import Manifest

from harness import PROJECT

# The SQL and the values of each statement, by the node that they build, in order.
Statements = dict[str, list[tuple[str, list[Any] | None]]]

_COMMENT = re.compile(r"^(\s*/\*.*?\*/|\s*--[^\n]*)*\s*", re.DOTALL)
_WRITES = ("alter", "copy", "create", "delete", "drop", "insert", "update")
_BUILT = ("model", "seed", "snapshot")
_CONTINUED = {"incremental", "snapshot"}
# The schemas of raw data; a column that begins with `raw_` is followed by no dot.
_RAW = re.compile(r'"raw_(\w+"\.)')
# Small tables take more time on several threads than on one.
THREADS = 1
# When a run began, as macros/incremental.sql writes it.
STARTED, TIME_FORMAT = "{run started at}", "%Y-%m-%d %H:%M:%S.%f"


@dataclass(frozen=True)
class Recording:
    """The statements of every node, from as many runs of dbt as it takes.

    Attributes:
        first: The statements of each node's first run; those that create schemas have no name.
        later: Those of a run that found an incremental model or a snapshot there.
    """

    first: Statements = field(default_factory=lambda: {"": []})
    later: Statements = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Keeps the statements for other processes."""
        path.write_text(json.dumps(asdict(self)))

    @contextmanager
    def running(self, manifest: Manifest) -> Iterator[None]:
        """Adds what dbt executes meanwhile: a node's first run, and its first later one.

        Args:
            manifest: The parsed project.
        """
        found: Statements = {}
        add_query = DuckDBConnectionManager.add_query

        def record(self: DuckDBConnectionManager, sql: str, *arguments: Any, **rest: Any) -> Any:
            name = str(self.get_thread_connection().name)
            said = _COMMENT.sub("", sql).lower()
            is_node = name.startswith(_BUILT) and said.startswith(_WRITES)
            if is_node or said.startswith("create schema"):
                # The first of dbt's other parameters is whether to begin a transaction.
                values = rest.get("bindings", next(iter(arguments[1:]), None))
                assert tracking.active_user
                started = tracking.active_user.run_started_at.strftime(TIME_FORMAT)
                statement = (sql.replace(started, STARTED), values)
                found.setdefault(name if is_node else "", []).append(statement)
            return add_query(self, sql, *arguments, **rest)

        with patch.object(DuckDBConnectionManager, "add_query", record):
            yield
        self.first[""] += found.pop("", [])
        for name, statements in found.items():
            if name not in self.first:
                self.first[name] = statements
            elif _kinds(manifest, name)[1] in _CONTINUED:
                self.later.setdefault(name, statements)

    def missing(self, manifest: Manifest) -> list[str]:
        """Names of incremental models and snapshots of which no later run is recorded."""
        return [
            manifest.nodes[name].name
            for name in self.first
            if name and name not in self.later and _kinds(manifest, name)[1] in _CONTINUED
        ]


@cache
def recorded(path: Path) -> Recording:
    """What another process may have written to a file."""
    return Recording(**json.loads(path.read_text()))


def replay(
    recording: Recording,
    warehouse: Path,
    manifest: Manifest,
    selectors: Sequence[str] = (),
    *,
    but: Collection[str] = (),
    raw_schemas: str = "raw",
    full_refresh: bool = False,
) -> str:
    """Executes recorded statements in a warehouse.

    Args:
        recording: The statements.
        warehouse: The loaded warehouse.
        manifest: The parsed project.
        selectors: What to build, in a subset of dbt's syntax; everything if nothing is named.
        but: Resource types and materializations to leave out.
        raw_schemas: The prefix of the raw schemas' names.
        full_refresh: Rebuild incremental models.

    Returns:
        What was built.
    """
    initial, again = recording.first, recording.later
    chosen = _selected(manifest, selectors) if selectors else set(initial) - {""}
    chosen = {name for name in chosen if not {*_kinds(manifest, name)} & {*but}}
    assert chosen <= set(initial), chosen - set(initial)
    started = datetime.now(UTC).strftime(TIME_FORMAT)
    # Seeds are copied from files of the project.
    with chdir(PROJECT), duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"set threads = {THREADS}")
        kinds = dict(
            connection.execute(
                "select table_schema || '.' || table_name, replace(table_type, 'BASE ', '')"
                " from information_schema.tables where table_catalog = current_database()"
            ).fetchall()
        )
        connection.begin()
        for name, statements in initial.items():
            if name and name not in chosen:
                continue
            executed = statements
            node = manifest.nodes.get(name)
            kind = kinds.get(f"{node.schema}.{node.identifier}") if node else None
            if node and kind:
                if name in again and not (full_refresh and node.resource_type.value == "model"):
                    executed = again[name]
                else:
                    connection.execute(f"drop {kind} {node.schema}.{node.identifier}")
            for sql, values in executed:
                said = _RAW.sub(rf'"{raw_schemas}_\1', sql.replace(STARTED, started))
                connection.execute(said, values)
        connection.commit()
    return f"{len(chosen)} nodes"


def _kinds(manifest: Manifest, name: str) -> tuple[str, str]:
    node = manifest.nodes[name]
    return node.resource_type.value, str(node.config.materialized)


def _selected(manifest: Manifest, selectors: Sequence[str]) -> set[str]:
    """Ids of what dbt selects by `name`, `path:…` and `resource_type:…`, with `+` or `,` or not."""
    nodes = manifest.nodes
    parents = {name: set(node.depends_on_nodes) & nodes.keys() for name, node in nodes.items()}
    children: dict[str, set[str]] = {name: set() for name in nodes}
    for name, above in parents.items():
        for parent in above:
            children[parent].add(name)

    def reached(names: set[str], edges: dict[str, set[str]]) -> set[str]:
        found, pending = set(names), list(names)
        while pending:
            new = edges[pending.pop()] - found
            pending += new
            found |= new
        return found

    def matched(selector: str) -> set[str]:
        method, _, value = selector.strip("+").rpartition(":")
        matches = {
            name
            for name, node in nodes.items()
            # Tests in a folder are selected too, and with `+` whatever else they read.
            if (method == "path" and node.original_file_path.startswith(f"{value}/"))
            or (method == "resource_type" and node.resource_type.value == value)
            or (method == "" and node.name == value)
        }
        assert matches, f"nothing is selected by {selector}"
        below = reached(matches, children) if selector.endswith("+") else set()
        return below | (reached(matches, parents) if selector.startswith("+") else matches)

    found: set[str] = set()
    for selector in selectors:
        found |= set.intersection(*(matched(part) for part in selector.split(",")))
    return {name for name in found if nodes[name].resource_type.value in _BUILT}
