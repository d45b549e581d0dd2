"""Which fields a batch's records have and of what type, and what changed since the batch before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from ingest.load.spool import Spool
from ingest.load.target import Fields, Target
from ingest.load.values import literal
from ingest.load.warehouse import temp_table

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
_SAMPLE = 5_000

# The key of a record that says what it is.
KIND_KEYS: Mapping[str, str] = {"stripe": "object", "segment": "type"}
_NESTED: Mapping[str, tuple[str, ...]] = {"stripe": (), "segment": ("properties", "traits")}


@dataclass(frozen=True, slots=True)
class Kind:
    """The lines of a spool that are of one kind.

    Attributes:
        name: what the records say they are; empty when they do not, None for lines that are not
            JSON.
        records: how many lines.
        keys: every top-level key that any of them has.
    """

    name: str | None
    records: int
    keys: frozenset[str]


def kind_of(source: str) -> str:
    """The expression of a line's kind: null when it is not JSON, empty when it does not say.

    All Segment messages are of one kind, since they go to one table.
    """
    kind = f"coalesce(json_extract_string(line, '$.{KIND_KEYS[source]}'), '')"
    if source == "segment":
        kind = "case when list_contains(json_keys(line), 'type') then 'message' else '' end"
    # Not `try(…)`: around a JSON function it corrupts memory where the text is not JSON.
    return f"case when json_valid(line) then {kind} end"


def gather(
    connection: duckdb.DuckDBPyConnection, source: str, spool: Spool, fields: Fields
) -> list[Kind]:
    """See which kinds of record a spool has, and add their fields to `fields`.

    Every top-level key of every record is seen. Types, and the keys in a Segment message's
    properties and traits, are read from one record of each set of keys and up to about
    `_SAMPLE` others of the spool: reading all would cost as much as landing them.

    Args:
        connection: an open warehouse.
        source: stripe or segment.
        spool: the lines.
        fields: where to add.
    """
    every = max(1, spool.records.total() // _SAMPLE)
    connection.execute(
        f"""
        create or replace temp table shapes as
        with
        told as (select *, {kind_of(source)} as kind from {spool.sql}),
        readable as (select *, case when kind is not null then line end as record from told),
        keyed as (select *, json_keys(record) as keys from readable)
        select
            kind, keys, count(*) as records,
            list_append(
                list(record) filter (where row % {every} = 0),
                arg_min(record, file * cast({1 << 40} as bigint) + row)
            ) as samples
        from keyed
        group by all
        """
    )
    keys: dict[str | None, set[str]] = defaultdict(set)
    for parent in ("", *_NESTED[source]):
        for kind, key, type_name in _types(connection, parent):
            if not parent:
                keys[kind].add(key)
            if kind and kind != "list":
                seen = fields[source, kind, f"{parent}.{key}" if parent else key]
                seen.update([_TYPES[type_name]] if type_name in _TYPES else [])
    counted = connection.execute(
        "select kind, sum(records) from shapes group by kind order by kind"
    ).fetchall()
    return [Kind(kind, int(records), frozenset(keys[kind])) for kind, records in counted]


def _types(connection: duckdb.DuckDBPyConnection, parent: str) -> list[tuple[str | None, str, str]]:
    """Kind, key and JSON type of the members of the sampled records, or of an object in them."""
    path = f"$.{parent}" if parent else "$"
    pointer = f"/{parent}/" if parent else "/"
    return connection.execute(
        f"""
        with
        sampled as (select kind, unnest(samples) as record from shapes),
        keyed as (
            select kind, record, unnest(json_keys(record, {literal(path)})) as key from sampled
        )
        select distinct
            kind, key,
            json_type(
                record,
                {literal(pointer)} || replace(replace(key, '~', '~0'), '/', '~1')
            ) as type
        from keyed
        """
    ).fetchall()


def record(target: Target) -> int:
    """Write the batch's fields and their changes against the batch before; count the changes.

    Each object is compared with the last batch before this one that had it.
    """
    now: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for (source, name, field), types in sorted(target.fields.items()):
        now[source, name][field] = ", ".join(sorted(types))
    fields = [(*of, field, type_) for of, has in now.items() for field, type_ in has.items()]
    before = _before(target)
    changes = [
        (*of, *change)
        for of, has in now.items()
        if of in before
        for change in _changes(before[of], has)
    ]
    _insert(target, "fields", fields, ["source", "object", "field", "type"])
    columns = ["source", "object", "field", "change", "old_type", "new_type"]
    _insert(target, "schema_changes", changes, columns)
    return len(changes)


def _insert(
    target: Target, table: str, rows: Sequence[Sequence[str | None]], columns: Sequence[str]
) -> None:
    types = dict.fromkeys(columns, "VARCHAR")
    temp_table(target.connection, "new_rows", types, rows, target.scratch / "rows")
    target.connection.execute(
        f"insert into raw_audit.{table} select {literal(target.stamp.batch_id)}, * from new_rows"
    )


def _before(target: Target) -> dict[tuple[str, str], dict[str, str]]:
    """Each object's fields and types in the last batch before this one that had it."""
    rows = target.connection.execute(
        f"""
        select source_system, object_name, field, field_type
        from raw_audit.fields
        where batch_id < {literal(target.stamp.batch_id)}
        qualify batch_id = max(batch_id) over (partition by source_system, object_name)
        """
    ).fetchall()
    before: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for source, name, field, type_ in rows:
        before[source, name][field] = type_
    return before


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
