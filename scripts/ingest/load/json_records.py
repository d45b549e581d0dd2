"""Stripe's and Segment's records, from a spool of JSON lines into their raw tables.

One pass makes the lines a DuckDB table, one parse turns each into its declared columns; only the
lines that do not say what they are come to Python.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import duckdb

from ingest import catalog
from ingest.load import documents, profile, staging
from ingest.load.spool import MAX_LINE_BYTES, SEPARATOR, Spool
from ingest.load.staging import Reject, Target
from ingest.load.values import literal, quoted
from ingest.load.warehouse import first_rowid, temp_table

SOURCES = ("stripe", "segment")
UNWRAP: Mapping[str, documents.Unwrap] = {
    "stripe": documents.stripe_records,
    "segment": documents.segment_records,
}

_BUFFER_BYTES = 32 << 20
# The key that says what a record is.
_KIND_KEYS = {"stripe": "object", "segment": "type"}
_KEPT_AS = {"json": "JSON"}
_NESTED = {"stripe": (), "segment": ("properties", "traits")}
_NAMES = ", ".join(literal(name) for name in catalog.SEGMENT_TYPES)
_SEGMENT_RULES = {
    f"type|none of {', '.join(catalog.SEGMENT_TYPES)}": f'"type" not in ({_NAMES})',
    "userId|missing": """ "type" = 'alias' and coalesce("userId", '') = '' """,
    "previousId|missing, and anonymousId too": """
        "type" = 'alias' and coalesce("previousId", '') = '' and coalesce("anonymousId", '') = ''
    """,
    "userId|missing, and anonymousId too": """
        coalesce("userId", '') = '' and coalesce("anonymousId", '') = ''
    """,
    "groupId|missing": """ "type" = 'group' and coalesce("groupId", '') = '' """,
    "event|missing": """ "type" = 'track' and coalesce(trim("event"), '') = '' """,
}


def land_spool(target: Target, source: str, spool: Spool) -> dict[str, Counter[str]]:
    """Land one spool and count, by file, the records `read`, `landed` and `rejected`.

    Args:
        target: where to.
        source: stripe or segment.
        spool: the lines and their places.
    """
    connection = target.connection
    tally: dict[str, Counter[str]] = {}
    for place in spool.places:
        tally.setdefault(place.source_file, Counter())["read"] += place.count
    for reject in spool.rejects:
        tally.setdefault(reject.source_file, Counter()).update(("read", "rejected"))
    _read_lines(target, source, spool)
    rejects = [*spool.rejects, *_take_apart_odd_lines(target, source, tally)]
    _reject_broken_lines(target, tally)
    if rejects:
        staging.reject(target, rejects)
    shapes = profile.gather(connection, source, _NESTED[source], target.fields)
    for table, kinds in _tables(source, set(shapes)):
        undeclared = set().union(*(shapes[kind] for kind in kinds)) - table.names
        _stage_kinds(connection, table, kinds, has_extra=bool(undeclared))
        staging.land(target, table)
        _count_and_reject(target, tally)
    return tally


def _read_lines(target: Target, source: str, spool: Spool) -> None:
    """Make `lines`, `places` and the view `records (n, line, kind)`.

    `kind` is null for a line that is not JSON and empty for one that does not say what it is.
    """
    connection = target.connection
    connection.execute(
        f"""
        create or replace temp table lines as
        select line, {_kind(source)} as kind
        from read_csv(
            {literal(str(spool.path))}, columns = {{line: 'VARCHAR'}}, auto_detect = false,
            header = false, delim = {literal(SEPARATOR.decode())}, quote = '', escape = '',
            comment = '', new_line = '\\n',
            max_line_size = {MAX_LINE_BYTES + 1}, buffer_size = {_BUFFER_BYTES}
        )
        """
    )
    start = 0
    runs = []
    for place in spool.places:
        runs.append((start, place.source_file, place.row, place.count))
        start += place.count
    columns = {"n": "BIGINT", "source_file": "VARCHAR", "row": "BIGINT", "count": "BIGINT"}
    temp_table(connection, "runs", columns, runs, target.scratch / "runs")
    connection.execute(
        """
        create or replace temp table places as
        select n + step as n, source_file, row + step as source_row
        from (select *, unnest(range(count)) as step from runs)
        """
    )
    first = first_rowid(connection, "lines")
    connection.execute(
        "create or replace temp table children (n bigint, line varchar, kind varchar)"
    )
    connection.execute(
        f"""
        create or replace temp view records as
        select rowid - {first} as n, line, kind from lines
        union all
        select n, line, kind from children
        """
    )


def _kind(source: str) -> str:
    return (
        "case when json_valid(line) "
        f"then coalesce(json_extract_string(line, '$.{_KIND_KEYS[source]}'), '') end"
    )


def _take_apart_odd_lines(
    target: Target, source: str, tally: dict[str, Counter[str]]
) -> list[Reject]:
    """Turn pages, arrays and wrappers among plain lines into `children`; reject what is nothing."""
    connection = target.connection
    odd = connection.execute(
        """
        select records.line, places.source_file, places.source_row
        from records
        inner join places on records.n = places.n
        where records.kind = '' or ($source = 'stripe' and records.kind = 'list')
        order by records.n
        """,
        {"source": source},
    ).fetchall()
    if not odd:
        return []
    key = _KIND_KEYS[source]
    rejects: list[Reject] = []
    children: list[tuple[int, str, str, int]] = []
    (after_last,) = connection.execute("select count(*) from lines").fetchone() or (0,)
    for line, source_file, source_row in odd:
        counter = tally[source_file]
        counter["read"] -= 1
        for record in UNWRAP[source](line):
            counter["read"] += 1
            value = json.loads(record)
            if isinstance(value, dict) and isinstance(value.get(key), str) and value[key]:
                number = after_last + len(children)
                children.append((number, record, source_file, source_row))
                continue
            counter["rejected"] += 1
            field, reason = (key, "missing") if isinstance(value, dict) else ("", "not an object")
            rejects.append(Reject(source_file, source_row, field, reason, record))
    columns = {"n": "BIGINT", "line": "VARCHAR", "source_file": "VARCHAR", "source_row": "BIGINT"}
    temp_table(connection, "apart", columns, children, target.scratch / "apart")
    connection.execute(
        f"""
        insert into children select n, line, {_kind(source)} from apart;
        insert into places select n, source_file, source_row from apart;
        delete from lines where kind = '' or ({literal(source)} = 'stripe' and kind = 'list');
        """
    )
    return rejects


def _reject_broken_lines(target: Target, tally: dict[str, Counter[str]]) -> None:
    broken = target.connection.execute(
        """
        insert into raw_audit.rejected_records
        select $batch_id, places.source_file, places.source_row, '', 'not JSON', records.line
        from records
        inner join places on records.n = places.n
        where records.kind is null
        returning source_file
        """,
        {"batch_id": target.stamp.batch_id},
    ).fetchall()
    for (source_file,) in broken:
        tally[source_file]["rejected"] += 1


def _tables(source: str, kinds: set[str]) -> Iterator[tuple[catalog.Table, list[str]]]:
    """The raw tables that the kinds seen go to."""
    if source == "segment":
        yield catalog.tables_of("segment")[0], sorted(kinds)
        return
    left = set(kinds)
    for table in catalog.tables_of("stripe"):
        if table.object_name in left:
            left.remove(table.object_name)
            yield table, [table.object_name]
        elif not table.object_name and left:
            yield table, sorted(left)


def _stage_kinds(
    connection: duckdb.DuckDBPyConnection,
    table: catalog.Table,
    kinds: Iterable[str],
    *,
    has_extra: bool,
) -> None:
    kept_as = {column.name: _KEPT_AS.get(column.kind, "VARCHAR") for column in table.columns}
    extra = "cast(null as json)"
    if has_extra:
        # Merging a null under each declared key leaves the others as they are.
        nulls = literal(json.dumps(dict.fromkeys(kept_as)))
        extra = f"cast(nullif(cast(json_merge_patch(line, {nulls}) as varchar), '{{}}') as json)"
    staging.stage(
        connection,
        table,
        source=f"""(
            select n, line, json_transform(line, {literal(json.dumps(kept_as))}) as record
            from records
            where kind in ({", ".join(map(literal, kinds))})
        )""",
        texts={name: f"record.{quoted(name)}" for name in kept_as},
        extra=extra,
        rules=_SEGMENT_RULES if table.source == "segment" else {},
    )


def _count_and_reject(target: Target, tally: dict[str, Counter[str]]) -> None:
    connection = target.connection
    rejected = 0
    for source_file, good, bad in staging.counts(connection):
        tally[source_file].update(landed=good, rejected=bad)
        rejected += bad
    if rejected:
        connection.execute(
            """
            insert into raw_audit.rejected_records
            select
                $batch_id, places.source_file, places.source_row,
                split_part(staged.problem, '|', 1), split_part(staged.problem, '|', 2),
                records.line
            from staged
            inner join places on staged.n = places.n
            inner join records on staged.n = records.n
            where staged.problem is not null
            """,
            {"batch_id": target.stamp.batch_id},
        )
