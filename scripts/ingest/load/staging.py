"""From text to a raw table: typed values, undeclared fields, and the records that do not fit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ingest import catalog
from ingest.load import values
from ingest.load.profile import Fields
from ingest.load.values import quoted
from ingest.load.warehouse import name_of, temp_table


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every row of a batch carries about its loading; instants are UTC without a zone."""

    batch_id: str
    extracted_at: datetime
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """Where a batch lands.

    Attributes:
        connection: an open warehouse, in a transaction.
        stamp: what every row carries.
        fields: gathers the fields seen and their types.
        scratch: a folder for what is on its way.
    """

    connection: duckdb.DuckDBPyConnection
    stamp: Stamp
    fields: Fields
    scratch: Path


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that is kept aside, whole, with the reason; `field` is empty for the whole."""

    source_file: str
    source_row: int
    field: str
    reason: str
    record: str


def stage(
    connection: duckdb.DuckDBPyConnection,
    table: catalog.Table,
    *,
    source: str,
    texts: Mapping[str, str],
    extra: str,
    rules: Mapping[str, str] | None = None,
) -> None:
    """Make the temporary table `staged (n, <declared columns>, _extra, problem)`.

    Args:
        connection: an open warehouse.
        table: the raw table to fill.
        source: a table or query with `n`, the record's number.
        texts: for each declared column that was sent, the expression of its text in `source`.
        extra: the expression of the undeclared fields in `source`.
        rules: further reasons to reject a record: `field|reason`, and when, over the columns.
    """
    columns = [column for column in table.columns if column.name in texts]
    sent = [f"t{index}" for index in range(len(columns))]
    names = [quoted(column.name) for column in columns]
    texts_made = [
        f"{texts[column.name]} as {text}" for column, text in zip(columns, sent, strict=True)
    ]
    typed = [
        f"{values.typed(column.kind, text)} as {name}"
        for column, text, name in zip(columns, sent, names, strict=True)
    ]
    required = [name for name in table.required if name in texts]
    problem = values.problem(columns, sent, names, required, rules or {})
    connection.execute(
        f"""
        create or replace temp table staged as
        with
        texts as (select n, {", ".join(texts_made)}, {extra} as _extra from {source}),
        typed as (select *, {", ".join(typed)} from texts)
        select n, {", ".join(names)}, _extra, {problem} as problem from typed
        """
    )


def land(target: Target, table: catalog.Table) -> None:
    """Append the staged records without a problem to the raw table, in the order they were sent.

    Reads `staged`, and `places (n, source_file, source_row)` for where each record came from.
    """
    target.connection.execute(
        f"""
        insert into {name_of(table)} by name
        select
            staged.* exclude (n, problem),
            $batch_id as _batch_id,
            cast($extracted_at as timestamp) as _extracted_at,
            cast($loaded_at as timestamp) as _loaded_at,
            places.source_file as _source_file,
            places.source_row as _source_row
        from staged
        inner join places on staged.n = places.n
        where staged.problem is null
        """,
        {
            "batch_id": target.stamp.batch_id,
            "extracted_at": target.stamp.extracted_at,
            "loaded_at": target.stamp.loaded_at,
        },
    )


def counts(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int, int]]:
    """How many staged records of each file are good, and how many are not."""
    return connection.execute(
        """
        select
            places.source_file,
            count(*) filter (where staged.problem is null),
            count(*) filter (where staged.problem is not null)
        from staged
        inner join places on staged.n = places.n
        group by all
        """
    ).fetchall()


def reject(target: Target, rejects: Iterable[Reject]) -> None:
    """Keep records aside, whole, with the reason."""
    columns = {
        "source_file": "VARCHAR",
        "source_row": "BIGINT",
        "field": "VARCHAR",
        "reason": "VARCHAR",
        "record": "VARCHAR",
    }
    rows = ((r.source_file, r.source_row, r.field, r.reason, r.record) for r in rejects)
    scratch = target.scratch / "rejects"
    temp_table(target.connection, "rejects", columns, rows, scratch)
    target.connection.execute(
        "insert into raw_audit.rejected_records select $batch_id, * from rejects",
        {"batch_id": target.stamp.batch_id},
    )
