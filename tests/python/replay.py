"""Builds new warehouses with the statements that dbt executed for the first one of a test run.

In a warehouse without any model, dbt executes the same statements whatever the raw tables hold.
Only incremental models query data to write their SQL, and only where their table exists. Preparing
the statements takes dbt several times as long as DuckDB takes to execute them. `test_sources.py`
proves that replaying them gives the same relations as dbt does.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.contracts.graph.manifest import Manifest

from harness import PROJECT

# The SQL and the values of each statement, by the node that they build, in order.
Statements = dict[str, list[tuple[str, list[Any] | None]]]

_COMMENT = re.compile(r"^(\s*/\*.*?\*/|\s*--[^\n]*)*\s*", re.DOTALL)
_WRITES = ("alter", "copy", "create", "delete", "drop", "insert", "update")
_BUILT = ("model", "seed", "snapshot")


def is_new(warehouse: Path) -> bool:
    """Whether no model has been built yet."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            "select count(*) from information_schema.schemata where schema_name = 'staging'"
        ).fetchall()
    return found == [(0,)]


@contextmanager
def recorded(path: Path) -> Iterator[None]:
    """Writes the statements that dbt executes, of nodes and of schemas, to a file."""
    found: Statements = {"": []}
    add_query = DuckDBConnectionManager.add_query

    def record(self: DuckDBConnectionManager, sql: str, *arguments: Any, **rest: Any) -> Any:
        name = str(self.get_thread_connection().name)
        if _COMMENT.sub("", sql).lower().startswith(_WRITES):
            # The first of dbt's other parameters is whether to begin a transaction.
            values = rest.get("bindings", next(iter(arguments[1:]), None))
            found.setdefault(name if name.startswith(_BUILT) else "", []).append((sql, values))
        return add_query(self, sql, *arguments, **rest)

    with patch.object(DuckDBConnectionManager, "add_query", record):
        yield
    path.write_text(json.dumps(found))


def replay(path: Path, warehouse: Path, manifest: Manifest, selectors: Sequence[str] = ()) -> str:
    """Executes recorded statements in a warehouse that has no models yet.

    Args:
        path: What `recorded` wrote.
        warehouse: The loaded warehouse.
        manifest: The parsed project.
        selectors: What to build, in a subset of dbt's syntax; everything if nothing is named.

    Returns:
        What was built.
    """
    statements: Statements = json.loads(path.read_text())
    chosen = _selected(manifest, selectors) if selectors else set(statements)
    assert chosen <= set(statements), chosen - set(statements)
    # Seeds are copied from files of the project.
    with chdir(PROJECT), duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        # Small tables take more time on several threads than on one.
        connection.execute("set threads = 1")
        for name, executed in statements.items():
            if not name or name in chosen:
                for sql, values in executed:
                    connection.execute(sql, values)
    return f"{len(chosen)} nodes"


def _selected(manifest: Manifest, selectors: Sequence[str]) -> set[str]:
    """Ids of what dbt selects by `name`, `path:…` and `resource_type:…`, each with `+` or not."""
    nodes = manifest.nodes
    found: set[str] = set()
    for selector in selectors:
        method, _, value = selector.removeprefix("+").rpartition(":")
        matches = {
            name
            for name, node in nodes.items()
            # Tests in a folder are selected too, and with `+` whatever else they read.
            if (method == "path" and node.original_file_path.startswith(f"{value}/"))
            or (method == "resource_type" and node.resource_type.value == value)
            or (method == "" and node.name == value)
        }
        assert matches, f"nothing is selected by {selector}"
        pending = list(matches)
        while selector.startswith("+") and pending:
            parents = set(nodes[pending.pop()].depends_on_nodes) & nodes.keys()
            pending += parents - matches
            matches |= parents
        found |= matches
    return {name for name in found if nodes[name].resource_type.value in _BUILT}
