"""The warehouse file: opening it, its raw schemas, and small tables out of Python rows."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from ingest import catalog
from ingest.load.errors import WarehouseError
from ingest.load.values import literal, quoted

_MEMORY_LIMIT = 3 << 30
_OBJECT_BYTES = 16 << 20
_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.*?) \(PID (?P<pid>\d+)\)")
# A block that is not what was written, or is not there; and what comes of reading such a block.
_SIGNS_OF_DAMAGE = (
    "Corrupt database file",
    "Could not read enough bytes",
    "Failed to deserialize",
    "not a valid DuckDB database",
)

_AUDIT_TABLES = {
    "batches": """
        batch_id varchar, batch_date date, extracted_at timestamp, loaded_at timestamp,
        files bigint, rows_read bigint, rows_landed bigint, rows_rejected bigint
    """,
    "files": """
        batch_id varchar, source_file varchar, source_system varchar, object_name varchar,
        sha256 varchar, bytes bigint, encoding varchar, dialect varchar, status varchar,
        rows_read bigint, rows_landed bigint, rows_rejected bigint, loaded_at timestamp,
        note varchar
    """,
    # What each file brought to each raw table, as it was when the batch landed.
    "landed_objects": """
        batch_id varchar, source_file varchar, source_system varchar, object_name varchar,
        rows_landed bigint, id_checksum decimal(38, 0)
    """,
    "rejected_records": """
        batch_id varchar, source_file varchar, source_row bigint, field varchar, reason varchar,
        record varchar
    """,
    "schema_changes": """
        batch_id varchar, source_system varchar, object_name varchar, field varchar,
        change varchar, old_type varchar, new_type varchar
    """,
    # The fields that each batch had, to compare the next one with.
    "fields": """
        batch_id varchar, source_system varchar, object_name varchar, field varchar,
        field_type varchar
    """,
    # Every run's tests, written by dbt when the run ends.
    "test_results": """
        invocation_id varchar, invoked_at timestamp, test_id varchar, test_name varchar,
        test_type varchar, tested_node varchar, column_name varchar, severity varchar,
        status varchar, failures bigint, duration_seconds double, message varchar,
        failures_relation varchar
    """,
    # What was erased because a person asked for it, in rows of each batch; and by what their
    # records would be known again.
    "erased_records": """
        batch_id varchar, source_system varchar, object_name varchar, rows_erased bigint,
        rows_redacted bigint, id_checksum decimal(38, 0), is_scrubbed boolean
    """,
    "erased_identifiers": "kind varchar, sha256 varchar",
    # What a build has done, so that the next goes on from there.
    "build_steps": "step varchar, key varchar",
}


@contextmanager
def opened(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that thinks in UTC and stays within a few gigabytes.

    Raises:
        WarehouseError: another process holds the file, or it is not DuckDB's.
    """
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = f"{min(_MEMORY_LIMIT, physical * 6 // 10) >> 20}MiB"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file made with this format compresses repeated texts to half of what the first one does.
        connection = duckdb.connect(
            str(path),
            read_only=read_only,
            config={
                "memory_limit": limit,
                # Else each block is given back to the system and had anew, page by page.
                "block_allocator_memory": limit,
                # JSON of a few thousand characters would lie in the file as it is.
                "zstd_min_string_length": 1024,
                "storage_compatibility_version": "v1.3.0",
            },
        )
    except (duckdb.Error, OSError) as error:
        raise WarehouseError(failure(path, str(error))) from error
    try:
        connection.execute("set TimeZone = 'UTC'")
        # A progress bar of ours is the only one.
        connection.execute("set enable_progress_bar = false")
        # One checkpoint when the file is closed; one a batch would merge the same rows each time.
        connection.execute("set checkpoint_threshold = '1TB'")
        # Files of text are taken for small ones, so tables of a few rows would be looked up in
        # them, on one core, rather than their lines in the tables.
        connection.execute("set disabled_optimizers = 'join_order, build_side_probe_side'")
        yield connection
    except duckdb.Error as error:
        if is_damage(str(error)):
            raise WarehouseError(failure(path, str(error))) from error
        raise
    finally:
        connection.close()


def is_in_use(message: str) -> bool:
    """Whether DuckDB's message says that another process has the file."""
    return "lock on file" in message


def is_damage(message: str) -> bool:
    """Whether DuckDB's, or dbt's, message says that the file itself is broken."""
    return any(sign in message for sign in _SIGNS_OF_DAMAGE)


def failure(path: Path, message: str) -> str:
    """Why a warehouse cannot be used, and what to do, from DuckDB's message."""
    if holder := _HOLDER.search(message):
        return (
            f"{path} is in use by process {holder['pid']} ({holder['program']}); "
            "end it, or wait until it is done"
        )
    if is_in_use(message):
        return f"{path} is in use by another process; end it, or wait until it is done"
    if "not a valid DuckDB database" in message:
        return (
            f"{path} is not a DuckDB file; name another file for the warehouse, "
            "or bring the last backup back with `make restore`"
        )
    if is_damage(message):
        return (
            f"{path} is damaged ({message.splitlines()[0]}); "
            "bring the last backup back with `make restore`"
        )
    return f"cannot open {path}: {message.splitlines()[0]}"


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Every raw and audit table, empty; those that exist are left alone."""
    connection.begin()
    for source in (*catalog.SOURCES, "audit"):
        connection.execute(f"create schema if not exists raw_{source}")
    for table in catalog.tables():
        columns = ", ".join(
            f"{quoted(column.name)} {column.sql_type}"
            for column in (*table.columns, *catalog.METADATA)
        )
        connection.execute(f"create table if not exists {name_of(table)} ({columns})")
    for name, columns in _AUDIT_TABLES.items():
        connection.execute(f"create table if not exists raw_audit.{name} ({columns})")
    connection.commit()


def has_tables(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether something was ever loaded."""
    found = connection.execute(
        "select count(*) from duckdb_tables() "
        "where schema_name = 'raw_audit' and table_name = 'batches'"
    ).fetchone()
    return found is not None and found[0] > 0


def name_of(table: catalog.Table) -> str:
    """A raw table's name as SQL has it."""
    return f"{table.schema}.{quoted(table.name)}"


def temp_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: dict[str, str],
    rows: Iterable[Sequence[Any]],
    spool: Path,
) -> None:
    """A temporary table of Python rows; by way of a file, which is far faster than by value.

    Args:
        connection: an open warehouse.
        name: of the table; one that exists is replaced.
        columns: SQL type by name.
        rows: values in the order of the columns.
        spool: a path for the rows on their way.
    """
    longest = 0
    with spool.open("w", encoding="ascii") as out:
        for row in rows:
            line = json.dumps(dict(zip(columns, row, strict=True)))
            longest = max(longest, len(line))
            out.write(line + "\n")
    types = ", ".join(f"{quoted(column)}: {literal(kind)}" for column, kind in columns.items())
    connection.execute(
        f"""
        create or replace temp table {quoted(name)} as
        select * from read_json(
            {literal(str(spool))}, format = 'newline_delimited', columns = {{{types}}},
            maximum_object_size = {max(_OBJECT_BYTES, longest + 1)}
        )
        """
    )
    spool.unlink()
