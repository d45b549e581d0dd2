"""Salesforce's CSV records, from cells of text into their raw tables."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest import catalog
from ingest.load import csvfile, staging
from ingest.load.errors import RefusedError
from ingest.load.recognise import Recognised
from ingest.load.staging import Records
from ingest.load.target import Reject, Target
from ingest.load.values import literal

# How the labels of Salesforce's standard fields end.
_LABEL = re.compile(r" (ID|Name|Owner|Type|Date|Stage|Source|Modified By|Modified Date)$")
# How the Data Export service writes a lookup that points nowhere.
_NULL_IDS = "'000000000000000AAA', '000000000000000'"


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of a file: its records `read`, `landed` and `rejected`, its encoding, a note."""

    counter: Counter[str]
    encoding: str
    note: str


def _without(name: str, missing: Sequence[str], header: Sequence[str]) -> str:
    """Why a file without required columns is refused, and what to do."""
    reason = f"{name}: the header has no column {', '.join(missing)}"
    # Not any text with a space: without a header, the first line is a person's record.
    labels = [f'"{label}"' for label in header if _LABEL.search(label)]
    if not labels:
        return reason
    return (
        f"{reason}; it has labels such as {', '.join(labels[:2])}, as a Salesforce report does."
        " Export the object with the names of its fields: docs/exports.md shows how"
    )


def land_file(target: Target, path: Path, name: str, taken_for: Recognised) -> Landed:
    """Land one CSV.

    Args:
        target: where to.
        path: the file.
        name: its path relative to the batch.
        taken_for: its object, header and dialect.

    Raises:
        RefusedError: a required column is missing, or the file cannot be decompressed whole.
    """
    connection = target.connection
    spool = target.scratch / "csv"
    table = next(t for t in catalog.tables_of("salesforce") if t.name == taken_for.object_name)
    declared = {column.name.lower(): column for column in table.columns}
    header = [name_sent.lower() for name_sent in taken_for.header]
    if missing := [name for name in table.required if name.lower() not in header]:
        raise RefusedError(_without(name, missing, taken_for.header))
    absent = [name for name in table.wanted if name.lower() not in header]
    note = f"has no {', '.join(absent)}" if absent else ""
    cells = csvfile.read(connection, path, taken_for, spool)
    texts = {
        declared[sent].name: _text(declared[sent], f"c{index}")
        for index, sent in reversed(list(enumerate(header)))
        if sent in declared
    }
    undeclared = {
        sent: f"c{index}"
        for index, sent in enumerate(taken_for.header)
        if sent.lower() not in declared
    }
    for sent in taken_for.header:
        column = declared.get(sent.lower())
        target.fields["salesforce", table.name, column.name if column else sent].add("text")
    records = Records(
        table,
        source=f"(select *, {literal(name)} as source_file, n as source_row from {cells.sql})",
        texts=texts,
        extra=_extra(undeclared),
        record="''",
        rules={},
    )
    unfit = staging.land(target, records, cells.records)
    rejects = [Reject(name, row, "", reason, record) for row, reason, record in cells.rejects]
    if unfit:
        wanted = {reject.source_row for reject in unfit}
        sent_as = csvfile.raw_records(spool, taken_for.delimiter, wanted)
        rejects += [replace(reject, record=sent_as[reject.source_row]) for reject in unfit]
    staging.reject(target, rejects)
    spool.unlink()
    rejected = len(rejects)
    landed = cells.records - len(unfit)
    counter = Counter(read=landed + rejected, landed=landed, rejected=rejected)
    return Landed(counter, cells.encoding, note)


def _text(column: catalog.Column, cell: str) -> str:
    if column.kind != "text":
        return f"nullif(trim({cell}), '')"
    if column.name.endswith("Id"):
        return f"case when {cell} not in ('', {_NULL_IDS}) then {cell} end"
    return f"nullif({cell}, '')"


def _extra(cells: dict[str, str]) -> str:
    """The undeclared columns that hold something, as JSON by header name."""
    if not cells:
        return "cast(null as json)"
    members = ", ".join(f"{literal(name)}, nullif({cell}, '')" for name, cell in cells.items())
    kept = f"cast(json_merge_patch('{{}}', json_object({members})) as varchar)"
    return f"cast(nullif({kept}, '{{}}') as json)"
