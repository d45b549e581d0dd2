"""Stripe's and Segment's records, from a spool of JSON lines into their raw tables.

Two passes of DuckDB over a spool do it: one sees which kinds of record and which fields there are,
one parses each record into its declared columns. Only lines that hold no record of a known kind, or
several, come to Python.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ingest import catalog
from ingest.load import documents, profile, staging
from ingest.load.profile import KIND_KEYS, Kind, kind_of
from ingest.load.spool import Spool
from ingest.load.staging import Records
from ingest.load.target import Reject, Target
from ingest.load.values import MISSING, literal, quoted
from ingest.load.warehouse import temp_table

SOURCES = ("stripe", "segment")
UNWRAP: Mapping[str, documents.Unwrap] = {
    "stripe": documents.stripe_records,
    "segment": documents.segment_records,
}
# A spool of Stripe's is read once for each kind of object in it, so files are kept apart.
SPOOL_FILE_BYTES = {"stripe": 16 << 20, "segment": 1 << 40}

# The kinds of line that hold other than one record that says what it is.
_CONTAINERS = {"stripe": {"", "list"}, "segment": {""}}
_BROKEN = "\x00"
_NO_OBJECT = "not a JSON object"
_NAMES = ", ".join(literal(name) for name in catalog.SEGMENT_TYPES)
_RULES: Mapping[str, Mapping[str, str]] = {
    "stripe": {},
    "segment": {
        f"type|none of {', '.join(catalog.SEGMENT_TYPES)}": f'"type" not in ({_NAMES})',
        "userId|missing": """ "type" = 'alias' and coalesce("userId", '') = '' """,
        "previousId|missing, and anonymousId too": """
            "type" = 'alias' and coalesce("previousId", '') = ''
            and coalesce("anonymousId", '') = ''
        """,
        "userId|missing, and anonymousId too": """
            coalesce("userId", '') = '' and coalesce("anonymousId", '') = ''
        """,
        "groupId|missing": """ "type" = 'group' and coalesce("groupId", '') = '' """,
        "event|missing": """ "type" = 'track' and coalesce(trim("event"), '') = '' """,
    },
}


def land_spool(target: Target, source: str, lines: Spool) -> tuple[Counter[str], Counter[str]]:
    """Land one spool.

    Args:
        target: where to.
        source: stripe or segment.
        lines: the spool.

    Returns:
        How many records were read, and how many of them were rejected, by file.
    """
    read = Counter(lines.records)
    rejects = list(lines.rejects)
    read.update(reject.source_file for reject in rejects)
    files = {"file": "INTEGER", "source_file": "VARCHAR"}
    scratch = target.scratch / "files"
    temp_table(target.connection, "spool_files", files, list(lines.names.items()), scratch)
    kinds = profile.gather(target.connection, source, lines, target.fields)
    broken = [kind for kind in kinds if kind.name is None]
    odd = [kind for kind in kinds if kind.name in _CONTAINERS[source]]
    good = [kind for kind in kinds if kind not in broken and kind not in odd]
    for table, chosen in _tables(source, good):
        records = _records(source, lines, table, chosen, is_all=len(chosen) == len(kinds))
        rejects += staging.land(target, records, sum(kind.records for kind in chosen))
    if broken:
        found = _lines_of(target, source, lines, broken)
        rejects += [Reject(name, row, "", "not JSON", line) for name, row, line in found]
    parts = Spool(lines.path.with_suffix(".parts"))
    if odd:
        containers = _lines_of(target, source, lines, odd)
        read.subtract(name for name, _, _ in containers)
        hopeless = _take_apart(source, containers, parts)
        read.update(reject.source_file for reject in hopeless)
        rejects += hopeless
    staging.reject(target, rejects)
    rejected = Counter(reject.source_file for reject in rejects)
    if parts.records:
        parts_read, parts_rejected = land_spool(target, source, parts)
        read += parts_read
        rejected += parts_rejected
    return read, rejected


def _tables(source: str, kinds: Sequence[Kind]) -> Iterator[tuple[catalog.Table, list[Kind]]]:
    """The raw tables that kinds of record go to; Stripe's last table takes what is left."""
    left = list(kinds)
    for table in catalog.tables_of(source):
        takes_all = source == "segment" or not table.object_name
        chosen = [kind for kind in left if takes_all or kind.name == table.object_name]
        left = [kind for kind in left if kind not in chosen]
        if chosen:
            yield table, chosen


def _records(
    source: str, lines: Spool, table: catalog.Table, kinds: Sequence[Kind], *, is_all: bool
) -> Records:
    kept_as = {
        column.name: "JSON" if column.kind == "json" else "VARCHAR" for column in table.columns
    }
    extra = "cast(null as json)"
    if any(kind.keys - table.names for kind in kinds):
        # Merging a null under each declared key leaves the others as they are.
        nulls = literal(json.dumps(dict.fromkeys(kept_as)))
        extra = f"cast(nullif(cast(json_merge_patch(line, {nulls}) as varchar), '{{}}') as json)"
    names = ", ".join(literal(kind.name or "") for kind in kinds)
    wanted = "true" if is_all else f"{kind_of(source)} in ({names})"
    return Records(
        table,
        source=f"""(
            select
                spool_files.source_file, lines.row as source_row, lines.line,
                json_transform(lines.line, {literal(json.dumps(kept_as))}) as record
            from (select * from {lines.sql} where {wanted}) as lines
            inner join spool_files on lines.file = spool_files.file
        )""",
        texts={name: f"record.{quoted(name)}" for name in kept_as},
        extra=extra,
        record="line",
        rules=_RULES[source],
    )


def _lines_of(
    target: Target, source: str, lines: Spool, kinds: Sequence[Kind]
) -> list[tuple[str, int, str]]:
    """File, row and text of the lines of some kinds."""
    return target.connection.execute(
        f"""
        select spool_files.source_file, lines.row, lines.line
        from {lines.sql} as lines
        inner join spool_files on lines.file = spool_files.file
        where list_contains($kinds, coalesce({kind_of(source)}, $broken))
        order by lines.file, lines.row
        """,
        {
            "kinds": [_BROKEN if kind.name is None else kind.name for kind in kinds],
            "broken": _BROKEN,
        },
    ).fetchall()


def _take_apart(
    source: str, containers: Sequence[tuple[str, int, str]], parts: Spool
) -> list[Reject]:
    """Spool the records in pages, arrays and wrappers that lie among plain lines.

    They all keep the row of the line that they came in. Returns what holds no record.
    """
    rejects = []
    numbers: dict[str, int] = {}
    key = KIND_KEYS[source]
    for name, row, line in containers:
        for record in UNWRAP[source](line):
            value = json.loads(record)
            if isinstance(value, dict) and value.get(key):
                number = numbers.setdefault(name, len(numbers))
                parts.add(number, name, [row], [record.encode()])
            else:
                field, reason = (key, MISSING) if isinstance(value, dict) else ("", _NO_OBJECT)
                rejects.append(Reject(name, row, field, reason, record))
    parts.closed([])
    return rejects
