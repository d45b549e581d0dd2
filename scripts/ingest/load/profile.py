"""Which fields a batch's records have and of what type, and what changed since the batch before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from ingest.load.spool import Spool
from ingest.load.target import Fields, Target
from ingest.load.values import literal
from ingest.load.warehouse import temp_table

# The types of values; a null has none.
_TYPES = {
    "UBIGINT": "number",
    "BIGINT": "number",
    "DOUBLE": "number",
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "OBJECT": "object",
    "ARRAY": "array",
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

# A query of the lines that are not JSON, after `gather`.
NOT_JSON = """
    select
        source_file, line_kinds.row as source_row, '' as field, 'not JSON' as reason,
        line as record
    from line_kinds
    inner join spool_files on line_kinds.file = spool_files.file
    where line_kinds.kind is null
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """The records of a spool that are of one kind.

    Attributes:
        name: what the records say they are.
        records: how many.
        keys: every top-level key that any of them has.
    """

    name: str
    records: int
    keys: frozenset[str]


def gather(connection: duckdb.DuckDBPyConnection, spool: Spool, fields: Fields) -> list[Kind]:
    """See which kinds of record a spool has, and add their fields to `fields`.

    Writes the temporary table `line_kinds`: file, row and `kind` of each line but Segment's
    messages, which are all of one kind. The kind is empty for a record that does not say what it
    is, and null for a line that is not JSON; only lines of these odd kinds have their text. A
    temporary table takes memory until the batch has landed, so it does not hold the other lines.

    Every top-level key of every record is seen. Types, and the keys in a Segment message's
    properties and traits, are read from one record of each set of keys and up to about
    `_SAMPLE` others of the spool: reading all would cost as much as landing them.

    Args:
        connection: an open warehouse.
        spool: the lines.
        fields: where to add.

    Returns:
        The kinds of record that have a table to land in.
    """
    source = spool.source
    every = max(1, spool.records.total() // _SAMPLE)
    is_odd = _is_odd(source)
    kind, is_named = "case when list_contains(keys, 'type') then 'message' else '' end", is_odd
    if source == "stripe":
        is_named = "true"
        kind = f"coalesce(json_extract_string(record, '$.{KIND_KEYS[source]}'), '')"
    # Not `try(…)`: around a JSON function it corrupts memory where the text is not JSON.
    connection.execute(
        f"""
        create or replace temp table samples as
        with
        readable as (
            select *, case when json_valid(line) then line end as record from {spool.sql}
        ),
        keyed as (select *, json_keys(record) as keys from readable),
        typed as (select *, case when record is not null then {kind} end as kind from keyed)
        select
            kind, count(*) as records,
            arg_min(record, file * cast({1 << 40} as bigint) + row) as first_record,
            list(record) filter (where row % {every} = 0) as others,
            list({{file: file, row: row, line: case when {is_odd} then line end}})
                filter (where {is_named}) as places
        from typed
        group by kind, hash(keys)
        """
    )
    connection.execute(
        """
        create or replace temp table line_kinds as
        select kind, unnest(places, recursive := true) from samples
        """
    )
    nested = [
        f"""
        union all
        select
            kind,
            '{key}.' || unnest(json_keys(record, '$.{key}')),
            unnest(json_extract(record, '$.{key}.*'))
        from sampled
        """
        for key in _NESTED[source]
    ]
    for name, field, type_ in connection.execute(
        f"""
        with
        sampled as (
            select kind, unnest(list_append(others, first_record)) as record
            from samples
            where not ({is_odd})
        ),
        members as (
            select
                kind,
                unnest(json_keys(record)) as field,
                unnest(json_extract(record, '$.*')) as value
            from sampled
            {"".join(nested)}
        )
        select distinct kind, field, json_type(value) from members
        """
    ).fetchall():
        fields[source, name, field].update({_TYPES[type_]} if type_ in _TYPES else set())
    rows = connection.execute(
        f"""
        select kind, sum(records), list_distinct(flatten(list(json_keys(first_record))))
        from samples
        where not ({is_odd})
        group by kind
        order by kind
        """
    ).fetchall()
    return [Kind(name, int(records), frozenset(keys)) for name, records, keys in rows]


def containers(connection: duckdb.DuckDBPyConnection, source: str) -> list[tuple[int, int, str]]:
    """File number, row and text of the JSON lines that are of an odd kind, one kind at a time."""
    return connection.execute(
        f"""
        select file, row, line
        from line_kinds
        where kind is not null and ({_is_odd(source)})
        order by kind, file, row
        """
    ).fetchall()


def _is_odd(source: str) -> str:
    names = ", ".join(literal(name) for name in ODD_KINDS[source] if name is not None)
    return f"kind is null or kind in ({names})"


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
