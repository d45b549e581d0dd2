"""What the warehouse knows of its batches and files, and taking a batch out again."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from ingest import catalog
from ingest.load.target import Stamp
from ingest.load.values import literal, quoted
from ingest.load.warehouse import name_of, temp_table

# The vendors' own clocks, by which a batch without a date in its name is dated.
_CLOCKS = {
    "salesforce": 'coalesce("SystemModstamp", "CreatedDate")',
    "stripe": 'try(make_timestamp("created" * 1000000))',
    "segment": 'coalesce("receivedAt", "timestamp")',
}

# The vendors' own ids of their records.
_IDS = {"salesforce": "Id", "stripe": "id", "segment": "messageId"}

# What is kept of each batch beside its row in `batches` and its files.
_DETAILS = (
    "landed_objects",
    "rejected_records",
    "schema_changes",
    "fields",
    "erased_records",
)

# Id, as-of day, files, records read, landed and rejected.
LandedBatch = tuple[str, date, int, int, int, int]

_FILE_COLUMNS = {
    "source_file": "VARCHAR",
    "source_system": "VARCHAR",
    "object_name": "VARCHAR",
    "sha256": "VARCHAR",
    "bytes": "BIGINT",
    "encoding": "VARCHAR",
    "dialect": "VARCHAR",
    "status": "VARCHAR",
    "rows_read": "BIGINT",
    "rows_landed": "BIGINT",
    "rows_rejected": "BIGINT",
    "note": "VARCHAR",
}


@dataclass(slots=True)
class FileAudit:
    """One file of a batch: what it is and what became of it.

    `status` is landed, duplicate (the same bytes landed before), ignored or empty; `rows` counts
    its records `read`, `landed` and `rejected`.
    """

    source_file: str
    sha256: str
    size: int
    status: str
    source: str = ""
    object_name: str = ""
    encoding: str = ""
    dialect: str = ""
    note: str = ""
    rows: Counter[str] = field(default_factory=Counter)


def load_instant(connection: duckdb.DuckDBPyConnection) -> datetime:
    """Now, UTC, or just after the last load if a clock was set back: it names the load."""
    now = datetime.now(UTC).replace(tzinfo=None)
    row = connection.execute("select max(loaded_at) from raw_audit.batches").fetchone()
    return max(now, row[0] + timedelta(microseconds=1)) if row and row[0] else now


def known_files(
    connection: duckdb.DuckDBPyConnection, batch_id: str
) -> dict[str, tuple[str, str]] | None:
    """Checksum and status of a landed batch's files by name; None if it has not landed."""
    if not connection.execute(
        "select 1 from raw_audit.batches where batch_id = ?", [batch_id]
    ).fetchone():
        return None
    rows = connection.execute(
        "select source_file, sha256, status from raw_audit.files where batch_id = ?", [batch_id]
    ).fetchall()
    return {name: (sha256, status) for name, sha256, status in rows}


def landed_checksums(
    connection: duckdb.DuckDBPyConnection, *, but: str | None = None
) -> dict[str, str]:
    """Where each landed content is, as `batch/file` by checksum, but for one batch."""
    rows = connection.execute(
        """
        select sha256, batch_id || '/' || source_file
        from raw_audit.files
        where status = 'landed' and batch_id is distinct from ?
        """,
        [but],
    ).fetchall()
    return dict(rows)


def take_out(connection: duckdb.DuckDBPyConnection, batch_id: str) -> None:
    """Remove everything of a batch, for a corrected one to take its place."""
    for table in catalog.tables():
        connection.execute(f"delete from {name_of(table)} where _batch_id = ?", [batch_id])
    for name in ("batches", "files", *_DETAILS):
        connection.execute(f"delete from raw_audit.{name} where batch_id = ?", [batch_id])


def newest_clock(connection: duckdb.DuckDBPyConnection, batch_id: str) -> datetime | None:
    """The latest instant at which a vendor's server touched a record of the batch."""
    newest = []
    for table in catalog.tables():
        clock = _CLOCKS[table.source]
        if all(name in table.names for name in clock.split('"')[1::2]):
            row = connection.execute(
                f"select max({clock}) from {name_of(table)} where _batch_id = ?", [batch_id]
            ).fetchone()
            newest += [row[0]] if row and row[0] else []
    return max(newest, default=None)


def stamp_again(connection: duckdb.DuckDBPyConnection, stamp: Stamp) -> None:
    """Set when a batch was extracted, for one that only its records could date."""
    for table in catalog.tables():
        connection.execute(
            f"update {name_of(table)} set _extracted_at = ? where _batch_id = ?",
            [stamp.extracted_at, stamp.batch_id],
        )


def record(
    connection: duckdb.DuckDBPyConnection,
    stamp: Stamp,
    batch_date: date,
    files: list[FileAudit],
    scratch: Path,
) -> None:
    """Write the batch, its files and what they brought; `declare` says if it is a full export."""
    rows = [
        (
            *(file.source_file, file.source, file.object_name, file.sha256, file.size),
            *(file.encoding, file.dialect, file.status),
            *(file.rows[count] for count in ("read", "landed", "rejected")),
            file.note,
        )
        for file in files
    ]
    temp_table(connection, "batch_files", _FILE_COLUMNS, rows, scratch)
    connection.execute(
        f"""
        insert into raw_audit.files by name
        select
            {literal(stamp.batch_id)} as batch_id, * replace (
                nullif(source_system, '') as source_system,
                nullif(object_name, '') as object_name, nullif(sha256, '') as sha256,
                nullif(encoding, '') as encoding, nullif(dialect, '') as dialect,
                nullif(note, '') as note
            ),
            cast($loaded_at as timestamp) as loaded_at
        from batch_files
        """,
        {"loaded_at": stamp.loaded_at},
    )
    _record_objects(connection, stamp.batch_id)
    connection.execute("delete from raw_audit.refused_batches where batch_id = ?", [stamp.batch_id])
    totals = sum((file.rows for file in files), Counter[str]())
    connection.execute(
        "insert into raw_audit.batches values (?, ?, ?, ?, ?, ?, ?, ?, null)",
        [
            stamp.batch_id,
            batch_date,
            stamp.extracted_at,
            stamp.loaded_at,
            len(files),
            *(totals[count] for count in ("read", "landed", "rejected")),
        ],
    )


def is_declared(
    connection: duckdb.DuckDBPyConnection, batch_id: str, is_full_export: bool | None
) -> bool:
    """Whether a landed batch has this declaration; no declaration leaves an earlier one alone."""
    return (
        is_full_export is None
        or connection.execute(
            "select 1 from raw_audit.batches where batch_id = ? and is_full_export = ?",
            [batch_id, is_full_export],
        ).fetchone()
        is not None
    )


def declare(
    connection: duckdb.DuckDBPyConnection, batch_id: str, is_full_export: bool | None
) -> None:
    """Declare that a landed batch is a full export, or that it is not."""
    connection.execute(
        "update raw_audit.batches set is_full_export = ? where batch_id = ?",
        [is_full_export, batch_id],
    )


def _record_objects(connection: duckdb.DuckDBPyConnection, batch_id: str) -> None:
    """Write how many records of each object each file brought, and a checksum of their ids.

    The checksum is the sum of the lower halves of the ids' MD5, so it does not depend on order, and
    a record that is lost, doubled or renamed afterwards changes it.
    """
    for table in catalog.tables():
        connection.execute(
            f"""
            insert into raw_audit.landed_objects
            select
                $batch_id, _source_file, $source, $object, count(*),
                coalesce(sum({id_checksum(table.source)}), 0)
            from {name_of(table)}
            where _batch_id = $batch_id
            group by _source_file
            """,
            {"batch_id": batch_id, "source": table.source, "object": table.name},
        )


def id_checksum(source: str) -> str:
    """The expression of what a record's id adds to the checksum; null when it has none."""
    return f"md5_number_lower(nullif({quoted(_IDS[source])}, ''))"


def catch_up(connection: duckdb.DuckDBPyConnection) -> None:
    """Write what batches brought that landed before this was written down."""
    missing = connection.execute(
        """
        select batch_id from raw_audit.batches
        where rows_landed > 0
            and batch_id not in (select batch_id from raw_audit.landed_objects)
        """
    ).fetchall()
    for (batch_id,) in missing:
        _record_objects(connection, batch_id)


def batches(connection: duckdb.DuckDBPyConnection) -> list[LandedBatch]:
    """What has landed, in load order."""
    return connection.execute(
        """
        select batch_id, batch_date, files, rows_read, rows_landed, rows_rejected
        from raw_audit.batches
        order by batch_id
        """
    ).fetchall()


def refuse(connection: duckdb.DuckDBPyConnection, batch_id: str, reason: str) -> None:
    """Write why a batch did not land; the next load of it replaces this."""
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.begin()
    connection.execute("delete from raw_audit.refused_batches where batch_id = ?", [batch_id])
    connection.execute(
        "insert into raw_audit.refused_batches values (?, ?, ?)", [batch_id, now, reason]
    )
    connection.commit()


def refused(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Why batches did not land at their last load, by batch."""
    return dict(
        connection.execute(
            "select batch_id, reason from raw_audit.refused_batches order by all"
        ).fetchall()
    )


def rejected(connection: duckdb.DuckDBPyConnection, batch_id: str) -> list[tuple[int, str, str]]:
    """Count of a batch's rejected records by object and reason, most frequent first."""
    return connection.execute(
        """
        select
            count(*), coalesce(object_name, source_system, 'unknown'),
            regexp_replace(
                concat(nullif(field, '') || ' is ', reason), ' at byte [0-9]+$', ''
            )
        from raw_audit.rejected_records
        left join raw_audit.files using (batch_id, source_file)
        where batch_id = ?
        group by all
        order by 1 desc, 2, 3
        """,
        [batch_id],
    ).fetchall()


def first_reject(connection: duckdb.DuckDBPyConnection, batch_id: str) -> str:
    """File, row, field and reason of a batch's first rejected record, as one text."""
    row = connection.execute(
        """
        select source_file, source_row, field, reason
        from raw_audit.rejected_records
        where batch_id = ?
        order by all
        limit 1
        """,
        [batch_id],
    ).fetchone()
    if row is None:
        return ""
    source_file, source_row, field_name, reason = row
    return f"{source_file}:{source_row}: {f'{field_name} is ' if field_name else ''}{reason}"
