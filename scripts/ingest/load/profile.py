"""Which fields a batch's records have and of what type, and what changed since the batch before."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    "JSON": "object",
}
_SAMPLE = 2_000

# The key of a record that says what it is.
KIND_KEYS: Mapping[str, str] = {"stripe": "object", "segment": "type"}
_NESTED: Mapping[str, tuple[str, ...]] = {"stripe": (), "segment": ("properties", "traits")}


# The kinds of line that hold other than one record that says what it is; None is no JSON.
ODD_KINDS: Mapping[str, frozenset[str | None]] = {
    "stripe": frozenset({None, "", "list"}),
    "segment": frozenset({None, ""}),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """The lines of a spool that are of one kind.

    Attributes:
        name: what the records say they are; empty when they do not, None for lines that are not
            JSON.
        records: how many lines.
        keys: every top-level key that any of them has.
        odd: file number, row and text of the lines, if the kind is an odd one.
    """

    name: str | None
    records: int
    keys: frozenset[str]
    odd: list[tuple[int, int, str]]


def kind_of(source: str, record: str, keys: str) -> str:
    """The expression of a record's kind: empty when it does not say, null when it is null.

    All Segment messages are of one kind, since they go to one table.

    Args:
        source: stripe or segment.
        record: the expression of the record.
        keys: the expression of its keys.
    """
    if source == "segment":
        return f"""
            case
                when list_contains({keys}, 'type') then 'message'
                when {record} is not null then ''
            end
        """
    kind = f"json_extract_string({record}, '$.{KIND_KEYS[source]}')"
    return f"case when {record} is not null then coalesce({kind}, '') end"


def gather(connection: duckdb.DuckDBPyConnection, spool: Spool, fields: Fields) -> list[Kind]:
    """See which kinds of record a spool has, and add their fields to `fields`.

    Every top-level key of every record is seen. Types, and the keys in a Segment message's
    properties and traits, are read from one record of each set of keys and up to about
    `_SAMPLE` others of the spool: reading all would cost as much as landing them.

    Args:
        connection: an open warehouse.
        spool: the lines.
        fields: where to add.
    """
    source = spool.source
    every = max(1, spool.records.total() // _SAMPLE)
    odd = ", ".join(literal(name) for name in ODD_KINDS[source] if name is not None)
    # Not `try(…)`: around a JSON function it corrupts memory where the text is not JSON.
    connection.execute(
        f"""
        create or replace temp table shapes as
        with
        readable as (
            select *, case when json_valid(line) then line end as record from {spool.sql}
        ),
        keyed as (select *, json_keys(record) as keys from readable),
        typed as (select *, {kind_of(source, "record", "keys")} as kind from keyed)
        select
            kind, keys, count(*) as records,
            list_append(
                list(record) filter (where row % {every} = 0),
                arg_min(record, file * cast({1 << 40} as bigint) + row)
            ) as samples,
            list({{file: file, row: row, line: line}})
                filter (where kind is null or kind in ({odd})) as odd
        from typed
        group by all
        """
    )
    for kind, structure in connection.execute(
        """
        with sampled as (select kind, unnest(samples) as record from shapes where kind <> '')
        select distinct kind, json_structure(record) from sampled
        """
    ).fetchall():
        if kind != "list":
            for field, type_ in _types(_shallow(structure), _NESTED[source]):
                fields[source, kind, field].update(type_)
    rows = connection.execute(
        """
        select
            kind, sum(records), list_distinct(flatten(list(keys))),
            list_sort(flatten(list(odd) filter (where odd is not null)))
        from shapes
        group by kind
        order by kind
        """
    ).fetchall()
    return [
        Kind(
            kind,
            int(records),
            frozenset(keys or []),
            [(line["file"], line["row"], line["line"]) for line in lines or []],
        )
        for kind, records, keys, lines in rows
    ]


def _shallow(structure: str) -> object:
    """A structure; None if it is nested too deeply for Python, so its types are unknown."""
    try:
        return json.loads(structure)
    except RecursionError:
        return None


def _types(structure: object, nested: Sequence[str]) -> Iterator[tuple[str, set[str]]]:
    """Field and type, none for a null, of a record's members and of those of some of them.

    DuckDB gives the structure of an object as an object, of a list as a list, else a type's name;
    an empty object it calls JSON.
    """
    members = structure if isinstance(structure, dict) else {}
    for name, kind in members.items():
        if isinstance(kind, str):
            yield name, {_TYPES[kind]} if kind in _TYPES else set()
        else:
            yield name, {"object" if isinstance(kind, dict) else "array"}
        if name in nested:
            yield from ((f"{name}.{field}", types) for field, types in _types(kind, ()))


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
