"""Stripe's and Segment's records, from a spool of JSON lines into their raw tables.

Two passes of DuckDB over a spool do it: one sees which kind each record is and which fields there
are, one parses each record into its declared columns. Only lines that hold no record of a known
kind, or several, come to Python.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ingest import catalog
from ingest.load import documents, profile, staging
from ingest.load.profile import KIND_KEYS, ODD_KINDS, Kind
from ingest.load.spool import Spool
from ingest.load.staging import Records
from ingest.load.target import Reject, Target
from ingest.load.values import MISSING, literal, quoted
from ingest.load.warehouse import name_of, temp_table

SOURCES = ("stripe", "segment")
UNWRAP: Mapping[str, documents.Unwrap] = {
    "stripe": documents.stripe_records,
    "segment": documents.segment_records,
}
# Stripe's files hold one kind of object each. A spool of few of them has few tables to land in.
SPOOL_FILE_BYTES = {"stripe": 16 << 20, "segment": 1 << 40}

_NAMES = ", ".join(literal(name) for name in catalog.segment.TYPES)
_RULES: Mapping[str, Mapping[str, str]] = {
    "stripe": {},
    "segment": {
        f"type|none of {', '.join(catalog.segment.TYPES)}": f'"type" not in ({_NAMES})',
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


def land_spool(target: Target, lines: Spool) -> tuple[Counter[str], Counter[str]]:
    """Land one spool.

    Args:
        target: where to.
        lines: the spool.

    Returns:
        How many records were read, and how many of them were rejected, by file.
    """
    source = lines.source
    read = Counter(lines.records)
    rejects = list(lines.rejects)
    read.update(reject.source_file for reject in rejects)
    files = {"file": "INTEGER", "source_file": "VARCHAR"}
    scratch = target.scratch / "files"
    temp_table(target.connection, "spool_files", files, list(lines.names.items()), scratch)
    kinds = profile.gather(target.connection, lines, target.fields)
    rejected = Counter(reject.source_file for reject in rejects)
    for table, chosen in _tables(source, kinds):
        if _land_table(target, lines, table, chosen):
            rejected += staging.reject_from(target, "from unfit")
    rejected += staging.reject_from(target, profile.NOT_JSON)
    parts = Spool(source, lines.path.with_suffix(".parts"))
    containers = profile.containers(target.connection, source)
    read.subtract(lines.names[file] for file, _, _ in containers)
    hopeless = _take_apart(containers, lines, parts)
    read.update(reject.source_file for reject in hopeless)
    rejected.update(reject.source_file for reject in hopeless)
    staging.reject(target, [*rejects, *hopeless])
    if parts.records:
        parts_read, parts_rejected = land_spool(target, parts.closed())
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


def _land_table(target: Target, lines: Spool, table: catalog.Table, kinds: Sequence[Kind]) -> int:
    """Land the lines of a spool that are records of a table; count those that did not land.

    A line that is not JSON is both left out and never parsed: DuckDB may ask for a value before it
    leaves a line out.
    """
    is_chosen = f"kind in ({', '.join(literal(kind.name) for kind in kinds)})"
    if table.source == "segment":
        is_chosen = "line_kinds.file is null"
    extra = "cast(null as json)"
    if any(kind.keys - table.names for kind in kinds):
        # Merging a null under each declared key leaves the others as they are.
        nulls = literal(json.dumps(dict.fromkeys(sorted(table.names))))
        extra = f"cast(nullif(cast(json_merge_patch(line, {nulls}) as varchar), '{{}}') as json)"

    def of(columns: Sequence[catalog.Column], chosen: str = "true") -> Records:
        kept_as = {c.name: "JSON" if c.kind == "json" else "VARCHAR" for c in columns}
        return Records(
            table,
            source=f"""(
                select
                    spool_files.source_file, lines.row as source_row, lines.line,
                    json_transform(line, {literal(json.dumps(kept_as))}) as record
                from (
                    select sent.file, sent.row, case when {is_chosen} then sent.line end as line
                    from {lines.sql} as sent
                    left join line_kinds
                        on sent.file = line_kinds.file and sent.row = line_kinds.row
                    where {is_chosen} and {chosen}
                ) as lines
                inner join spool_files on lines.file = spool_files.file
            )""",
            texts={name: f"record.{quoted(name)}" for name in kept_as},
            extra=extra,
            record="line",
            rules=_RULES[table.source],
        )

    def suspects() -> Iterator[Records]:
        checked = [c for c in table.columns if c.kind != "json" or c.name in table.required]
        numbers = ", ".join(map(str, _short_files(target, lines, table)))
        if numbers:
            yield of(checked, f"sent.file in ({numbers})")
        yield of(checked)

    expected = sum(kind.records for kind in kinds)
    return staging.land(target, of(table.columns), expected, suspects)


def _short_files(target: Target, lines: Spool, table: catalog.Table) -> list[int]:
    """The numbers of the files that have fewer rows in a table than records in the spool.

    Those that the spool holds a part of may have rows of other spools, and not be among them.
    """
    landed = dict(
        target.connection.execute(
            f"""
            select _source_file, count(*)
            from {name_of(table)}
            where _batch_id = $batch_id
            group by _source_file
            """,
            {"batch_id": target.stamp.batch_id},
        ).fetchall()
    )
    return [
        number for number, name in lines.names.items() if landed.get(name, 0) < lines.records[name]
    ]


def _take_apart(
    containers: Sequence[tuple[int, int, str]], lines: Spool, parts: Spool
) -> list[Reject]:
    """Spool the records in pages, arrays and wrappers that lie among plain lines.

    They all keep the row of the line that they came in. Returns what holds no record.
    """
    rejects = []
    source, key = lines.source, KIND_KEYS[lines.source]
    for file, row, line in containers:
        try:
            records = list(UNWRAP[source](line))
        except RecursionError:
            rejects.append(Reject(lines.names[file], row, "", "nested too deep", line))
            continue
        for record in records:
            value = json.loads(record)
            kind = value.get(key) if isinstance(value, dict) else None
            if kind and kind not in ODD_KINDS[source]:
                # Records of one line share its row, so each counts as a file: both name a line.
                parts.add(len(parts.names), lines.names[file], [row], [record.encode()])
            elif isinstance(value, dict):
                field = "data" if kind else key
                rejects.append(Reject(lines.names[file], row, field, MISSING, record))
            else:
                rejects.append(Reject(lines.names[file], row, "", "not a JSON object", record))
    return rejects
