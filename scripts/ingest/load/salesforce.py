"""Salesforce's CSV records, from cells of text into their raw tables."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest import catalog
from ingest.load import csvfile, staging
from ingest.load.errors import RefusedError
from ingest.load.recognise import Recognised
from ingest.load.staging import Reject, Target
from ingest.load.values import literal

# How the Data Export service writes a lookup that points nowhere.
_NULL_IDS = "'000000000000000AAA', '000000000000000'"


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of a file: its records `read`, `landed` and `rejected`, and its encoding."""

    counter: Counter[str]
    encoding: str


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
        raise RefusedError(f"{name}: the header has no column {', '.join(missing)}")
    cells = csvfile.read(connection, path, taken_for, spool)
    connection.execute(
        f"""
        create or replace temp table places as
        select n, {literal(name)} as source_file, n as source_row from cells
        """
    )
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
    staging.stage(connection, table, source="cells", texts=texts, extra=_extra(undeclared))
    staging.land(target, table)
    counter = Counter(read=len(cells.rejects), rejected=len(cells.rejects), landed=0)
    for _, good, bad in staging.counts(connection):
        counter.update(read=good + bad, landed=good, rejected=bad)
    rejects = [Reject(name, number, "", reason, record) for number, reason, record in cells.rejects]
    rejects += _unfit(connection, name, taken_for.delimiter, spool)
    if rejects:
        staging.reject(target, rejects)
    spool.unlink()
    return Landed(counter, cells.encoding)


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


def _unfit(
    connection: duckdb.DuckDBPyConnection, name: str, delimiter: str, spool: Path
) -> list[Reject]:
    problems = connection.execute(
        "select n, problem from staged where problem is not null order by n"
    ).fetchall()
    if not problems:
        return []
    records = csvfile.raw_records(spool, delimiter, {number for number, _ in problems})
    rejects = []
    for number, problem in problems:
        field, _, reason = problem.partition("|")
        rejects.append(Reject(name, number, field, reason, records[number]))
    return rejects
