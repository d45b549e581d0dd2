"""Which fields a batch's records have and of what type, and what changed since the batch before."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import duckdb

from ingest.load.values import literal

# By object and field (`properties.plan` for a nested one): the JSON types seen.
Fields = defaultdict[tuple[str, str, str], set[str]]

_TYPES = {
    "UBIGINT": "number",
    "BIGINT": "number",
    "HUGEINT": "number",
    "DOUBLE": "number",
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "OBJECT": "object",
    "ARRAY": "array",
}
_SAMPLE_EVERY = 101


def new_fields() -> Fields:
    """An empty gathering."""
    return defaultdict(set)


def gather(
    connection: duckdb.DuckDBPyConnection, source: str, nested: Sequence[str], fields: Fields
) -> dict[str, set[str]]:
    """Add the fields of the view `records (n, line, kind)`; give the top-level keys by kind.

    Every key is seen. Types are read from one record of each distinct set of keys and one in a
    hundred of the rest, since reading all of them would cost as much as landing them.
    """
    keys_by_kind: dict[str, set[str]] = defaultdict(set)
    for parent in ("", *nested):
        path = f"$.{parent}" if parent else "$"
        connection.execute(
            f"""
            create or replace temp table shapes as
            select kind, json_keys(line, {literal(path)}) as keys, min(n) as n
            from records
            where kind <> ''
            group by all
            """
        )
        rows = connection.execute(
            f"""
            with
            picked as (
                select kind, line from records
                where n in (select n from shapes) or (n % {_SAMPLE_EVERY} = 0 and kind <> '')
            ),
            keyed as (
                select kind, line, unnest(json_keys(line, {literal(path)})) as key from picked
            )
            select
                kind, key,
                json_type(line, {literal("/" + parent if parent else "")} || '/'
                    || replace(replace(key, '~', '~0'), '/', '~1')) as type
            from keyed
            group by all
            """
        ).fetchall()
        for kind, key, type_name in rows:
            if not parent:
                keys_by_kind[kind].add(key)
            object_name = "message" if source == "segment" else kind
            field = f"{parent}.{key}" if parent else key
            seen = fields[source, object_name, field]
            if type_name in _TYPES:
                seen.add(_TYPES[type_name])
    return keys_by_kind


def record(connection: duckdb.DuckDBPyConnection, batch_id: str, fields: Fields) -> int:
    """Write the batch's fields and their changes against the batch before; count the changes.

    Each object is compared with the last batch before this one that had it.
    """
    changes = []
    for source, object_name in sorted({(source, name) for source, name, _ in fields}):
        now = {
            field: ", ".join(sorted(types))
            for (of, name, field), types in fields.items()
            if (of, name) == (source, object_name)
        }
        before = _before(connection, batch_id, source, object_name)
        connection.executemany(
            "insert into raw_audit.fields values (?, ?, ?, ?, ?)",
            [(batch_id, source, object_name, field, now[field]) for field in sorted(now)],
        )
        if before:
            changes += [
                (batch_id, source, object_name, *change) for change in _changes(before, now)
            ]
    if changes:
        connection.executemany(
            "insert into raw_audit.schema_changes values (?, ?, ?, ?, ?, ?, ?)", changes
        )
    return len(changes)


def _before(
    connection: duckdb.DuckDBPyConnection, batch_id: str, source: str, object_name: str
) -> dict[str, str]:
    return dict(
        connection.execute(
            """
            select field, field_type
            from raw_audit.fields
            where source_system = $source and object_name = $object_name and batch_id < $batch_id
            qualify batch_id = max(batch_id) over ()
            """,
            {"source": source, "object_name": object_name, "batch_id": batch_id},
        ).fetchall()
    )


def _changes(
    before: dict[str, str], now: dict[str, str]
) -> Iterable[tuple[str, str, str | None, str | None]]:
    for field in sorted(before.keys() | now.keys()):
        old, new = before.get(field), now.get(field)
        if old is None:
            yield field, "appeared", None, new
        elif new is None:
            yield field, "vanished", old, None
        elif old and set(new.split(", ")) - {"", *old.split(", ")}:
            yield field, "retyped", old, new
