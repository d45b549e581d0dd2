"""Salesforce's CSV records, from cells of text into their raw tables."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import catalog
from ingest.load import csvfile, staging
from ingest.load.errors import RefusedError
from ingest.load.recognise import Recognised
from ingest.load.staging import Records
from ingest.load.target import Reject, Rejects, Target
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
    counter = Counter[str]()
    rejects = Rejects()

    def reject(row: int, reason: str, record: str, in_field: str = "") -> None:
        counter.update(rejected=1)
        rejects.add(Reject(name, row, in_field, reason, record))
        if rejects.are_many:
            staging.reject(target, rejects.taken())

    cells = csvfile.read(connection, path, taken_for, spool, reject)
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
    if unfit:
        originals = csvfile.raw_records(spool, taken_for.delimiter)
        for row, in_field, reason in staging.unfit(target):
            reject(row, reason, next(text for number, text in originals if number == row), in_field)
    staging.reject(target, rejects.taken())
    spool.unlink()
    landed = cells.records - unfit
    counter.update(read=landed + counter["rejected"], landed=landed)
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
