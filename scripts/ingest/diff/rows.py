"""One mart on both sides: row counts, the rows that differ, and examples."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from ingest.load.values import quoted

_EXAMPLES = 5

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A row that differs: its key, and the values before and after of the columns that differ.

    `how` is added, changed or removed; for a row on one side only, the other values are None.
    """

    how: str
    key: Row
    values: list[tuple[str, Any, Any]]


@dataclass(slots=True)
class MartDiff:
    """The differences of a mart's rows.

    Attributes:
        name: `schema.table`.
        how: added, changed, removed, same, or why it was not built.
        before: rows of the base; None if it has no such mart.
        after: rows of the working tree.
        key: the columns that identify a row; empty if whole rows are compared.
        added: rows only after.
        removed: rows only before.
        changed: rows in which some value differs.
        columns: rows that differ in each column.
        examples: some of the rows that differ.
        causes: the changes it depends on, by name.
    """

    name: str
    how: str
    before: int | None = None
    after: int | None = None
    key: list[str] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)


def compare_rows(
    connection: duckdb.DuckDBPyConnection, mart: MartDiff, key: list[str], other_key: list[str]
) -> None:
    """Counts and compares a mart's rows on both sides; the result is written to it."""
    schema, table = mart.name.split(".")
    name = f"{quoted(schema)}.{quoted(table)}"
    if mart.how != "added":
        mart.before = _count(connection, f"before.{name}")
    if mart.how in {"added", "changed"}:
        mart.after = _count(connection, f"after.{name}")
    if mart.how != "changed" or mart.before is None or mart.after is None:
        return
    columns = _types(connection, f"before.{name}")
    others = _types(connection, f"after.{name}")
    # Another type is a change of contract; whether values moved is asked of what they look like.
    shared = {one: columns[one] == others[one] for one in others if one in columns}
    sides = tuple(
        f"select {', '.join(_shown(one, kept=kept) for one, kept in shared.items())}"
        f" from {side}.{name}"
        for side in ("before", "after")
    )
    is_key = key == other_key and set(key) <= shared.keys() and bool(key)
    if is_key and all(_is_unique(connection, side, key) for side in sides):
        _by_key(connection, mart, sides, key, [one for one in shared if one not in key])
    else:
        _by_row(connection, mart, sides, list(shared))
    if not (mart.added or mart.removed or mart.changed):
        mart.how = "same"


def _shown(column: str, *, kept: bool) -> str:
    return quoted(column) if kept else f"cast({quoted(column)} as varchar) as {quoted(column)}"


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int | None:
    try:
        return int(_first(connection, f"select count(*) from {table}")[0])
    except (duckdb.BinderException, duckdb.CatalogException):
        # A view names the database that it was built in, which has another name here.
        return None


def _types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    described = connection.execute(f"describe {table}").fetchall()
    return {str(name): str(kind) for name, kind, *_ in described}


def _is_unique(connection: duckdb.DuckDBPyConnection, rows: str, key: Iterable[str]) -> bool:
    listed = ", ".join(map(quoted, key))
    twice = f"select 1 from ({rows}) group by {listed} having count(*) > 1 limit 1"
    return connection.execute(twice).fetchone() is None


def _by_key(
    connection: duckdb.DuckDBPyConnection,
    mart: MartDiff,
    sides: Sequence[str],
    key: list[str],
    values: list[str],
) -> None:
    """Rows matched by their key, then value by value."""
    mart.key = key
    same = " and ".join(f"old.{quoted(one)} is not distinct from new.{quoted(one)}" for one in key)
    differ = {one: f"old.{quoted(one)} is distinct from new.{quoted(one)}" for one in values}
    both = "old.__row and new.__row"
    kinds = {
        "changed": f"{both} and ({' or '.join(differ.values()) or 'false'})",
        "added": "old.__row is null",
        "removed": "new.__row is null",
    }
    joined = (
        f"from (select true as __row, * from ({sides[0]})) as old"
        f" full join (select true as __row, * from ({sides[1]})) as new on {same}"
    )
    counted = ", ".join(
        f"count(*) filter (where {condition})"
        for condition in (*kinds.values(), *(f"{both} and {one}" for one in differ.values()))
    )
    mart.changed, mart.added, mart.removed, *by_column = map(
        int, _first(connection, f"select {counted} {joined}")
    )
    mart.columns = {one: count for one, count in zip(values, by_column, strict=True) if count}
    keys = [f"coalesce(new.{quoted(one)}, old.{quoted(one)})" for one in key]
    listed = ", ".join(
        [*keys, *(f"{side}.{quoted(one)}" for side in ("old", "new") for one in values)]
    )
    for how, condition in kinds.items():
        order = ", ".join(f"{one} desc" for one in keys)
        query = f"select {listed} {joined} where {condition} order by {order} limit {_EXAMPLES}"
        for row in connection.execute(query).fetchall():
            old, new = row[len(key) : len(key) + len(values)], row[len(key) + len(values) :]
            apart = [
                (one, was, now)
                for one, was, now in zip(values, old, new, strict=True)
                if was != now and one in (mart.columns if how == "changed" else values)
            ]
            mart.examples.append(Example(how, row[: len(key)], apart))


def _by_row(
    connection: duckdb.DuckDBPyConnection, mart: MartDiff, sides: Sequence[str], columns: list[str]
) -> None:
    """Whole rows that one side has, or has more often; without a key, none counts as changed."""
    for how, rows, others in (("added", sides[1], sides[0]), ("removed", sides[0], sides[1])):
        apart = f"{rows} except all {others}"
        count = int(_first(connection, f"select count(*) from ({apart})")[0])
        setattr(mart, how, count)
        query = f"select * from ({apart}) order by all limit {_EXAMPLES}"
        for row in connection.execute(query).fetchall():
            named = zip(columns, row, strict=True)
            mart.examples.append(
                Example(
                    how,
                    (),
                    [
                        (one, None, value) if how == "added" else (one, value, None)
                        for one, value in named
                    ],
                )
            )


def _first(connection: duckdb.DuckDBPyConnection, query: str) -> Row:
    row = connection.execute(query).fetchone()
    return row or ()
