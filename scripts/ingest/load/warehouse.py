"""The warehouse file: opening it, its raw schemas, and small tables out of Python rows."""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any, TextIO

import duckdb

from ingest import catalog
from ingest.errors import of_the_system
from ingest.load.errors import WarehouseError
from ingest.load.values import literal, quoted, typed

# It compresses repeated texts to half the size of the oldest version.
STORAGE_VERSION = "v1.3.0"
_MEMORY_LIMIT = 3 << 30
_OBJECT_BYTES = 16 << 20
_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.*?) \(PID (?P<pid>\d+)\)")
# Every DuckDB file has this at byte 8.
_MAGIC = b"DUCK"
# A block that was changed or cut off, and the errors that reading such a block causes.
_SIGNS_OF_DAMAGE = (
    "Corrupt database file",
    "Could not read enough bytes",
    "Failed to deserialize",
    "not a valid DuckDB database",
)

_AUDIT_TABLES = {
    "batches": """
        batch_id varchar, batch_date date, extracted_at timestamp, loaded_at timestamp,
        files bigint, rows_read bigint, rows_landed bigint, rows_rejected bigint,
        is_full_export boolean
    """,
    "files": """
        batch_id varchar, source_file varchar, source_system varchar, object_name varchar,
        sha256 varchar, bytes bigint, encoding varchar, dialect varchar, status varchar,
        rows_read bigint, rows_landed bigint, rows_rejected bigint, loaded_at timestamp,
        note varchar
    """,
    # What each file added to each raw table when its batch landed.
    "landed_objects": """
        batch_id varchar, source_file varchar, source_system varchar, object_name varchar,
        rows_landed bigint, id_checksum decimal(38, 0)
    """,
    # Records that a full export no longer held, and that a later batch held again.
    "absent_records": """
        batch_id varchar, object_name varchar, record_id varchar, dated_at timestamp,
        is_absent boolean
    """,
    "rejected_records": """
        batch_id varchar, source_file varchar, source_row bigint, field varchar, reason varchar,
        record varchar
    """,
    "schema_changes": """
        batch_id varchar, source_system varchar, object_name varchar, field varchar,
        change varchar, old_type varchar, new_type varchar
    """,
    # The fields of each batch, which those of the next batch are compared with.
    "fields": """
        batch_id varchar, source_system varchar, object_name varchar, field varchar,
        field_type varchar
    """,
    # Batches that did not land at their last load, and why.
    "refused_batches": "batch_id varchar, refused_at timestamp, reason varchar",
    # Every run's tests, written by dbt when the run ends.
    "test_results": """
        invocation_id varchar, invoked_at timestamp, test_id varchar, test_name varchar,
        test_type varchar, tested_node varchar, column_name varchar, severity varchar,
        status varchar, failures bigint, duration_seconds double, message varchar,
        failures_relation varchar
    """,
    # Rows erased on a person's request, by batch, and hashes of the identifiers by which their
    # later records are recognised.
    "erased_records": """
        batch_id varchar, source_system varchar, object_name varchar, rows_erased bigint,
        rows_redacted bigint, id_checksum decimal(38, 0), is_scrubbed boolean
    """,
    "erased_identifiers": "kind varchar, sha256 varchar, erasure_id bigint",
    # What was found, deleted and redacted of each person, by system, without what identifies them.
    "erasures": """
        erasure_id bigint, identifier_type varchar, requested_date date, erased_at timestamp,
        source_system varchar, rows_found bigint, rows_erased bigint, rows_redacted bigint
    """,
    # The finished steps of a build, so that the next one continues from there.
    "build_steps": "step varchar, key varchar",
}

# What `python -m ingest predict` writes; the staging model describes the columns.
CHURN_COEFFICIENTS = {
    "model_version": "VARCHAR",
    "origin_month": "DATE",
    "trained_through_month": "DATE",
    "account_group": "VARCHAR",
    "method": "VARCHAR",
    "example_count": "BIGINT",
    "churn_count": "BIGINT",
    "replicate_number": "BIGINT",
    "feature_name": "VARCHAR",
    "coefficient": "DOUBLE",
    "centre": "DOUBLE",
    "scale": "DOUBLE",
}


@contextmanager
def opened(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC that uses at most a few gigabytes of memory.

    Raises:
        WarehouseError: another process holds the file, it is damaged, or it is not a DuckDB file.
    """
    check_format(path)
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = f"{min(_MEMORY_LIMIT, physical * 6 // 10) >> 20}MiB"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(
            # DuckDB keeps its log beside the name that it is given, not beside the file.
            str(path.resolve()),
            read_only=read_only,
            config={
                "memory_limit": limit,
                # Without it each block is returned to the system and allocated again.
                "block_allocator_memory": limit,
                # By default JSON of a few thousand characters is stored uncompressed.
                "zstd_min_string_length": 1024,
                "storage_compatibility_version": STORAGE_VERSION,
            },
        )
    except OSError as error:
        raise WarehouseError(f"cannot open {path}: {of_the_system(error)}") from error
    except duckdb.Error as error:
        raise WarehouseError(failure(path, str(error))) from error
    try:
        connection.execute("set TimeZone = 'UTC'")
        # The loader shows its own progress bar.
        connection.execute("set enable_progress_bar = false")
        # One checkpoint when the file is closed: one per batch would merge the same rows again.
        connection.execute("set checkpoint_threshold = '1TB'")
        # DuckDB estimates text files as small and would build its hash tables from them, on one
        # core, instead of from the tables of a few rows that they are joined with.
        connection.execute("set disabled_optimizers = 'join_order, build_side_probe_side'")
        yield connection
    except duckdb.Error as error:
        if is_damage(str(error)):
            raise WarehouseError(failure(path, str(error))) from error
        raise
    finally:
        connection.close()


@contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Keeps a warehouse for a command that opens it several times, against others that do so too.

    Raises:
        WarehouseError: another process has it reserved.
    """
    path = path.resolve()
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _locked(lock)
    except OSError as error:
        raise WarehouseError(f"cannot open {path}: {of_the_system(error)}") from error
    with file:
        if not file.writable():
            holder = file.read() or "another process"
            raise WarehouseError(
                f"{path} is in use by {holder}; wait until it has finished, or end it"
            )
        file.write(f"process {os.getpid()} ({sys.executable})")
        file.flush()
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _locked(lock: Path) -> TextIO:
    """The lock's file, open for writing if it is ours now, and for reading if it is another's."""
    while True:
        file = lock.open("a")
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            file.close()
            with suppress(FileNotFoundError):
                return lock.open()
            continue
        # The one who had it may have removed it in the meantime.
        if lock.exists() and lock.stat().st_ino == os.fstat(file.fileno()).st_ino:
            file.truncate(0)
            return file
        file.close()


def check_format(path: Path) -> None:
    """Read the header of a file, if there is one.

    DuckDB itself opens other databases by an extension that it downloads, SQLite's for instance.

    Raises:
        WarehouseError: the file is not a DuckDB file, or cannot be read.
    """
    try:
        if not path.is_file():
            return
        with path.open("rb") as file:
            header = file.read(12)
    except OSError as error:
        raise WarehouseError(f"cannot open {path}: {of_the_system(error)}") from error
    if header[8:] != _MAGIC:
        raise WarehouseError(failure(path, "not a valid DuckDB database"))


def require(path: Path) -> None:
    """Check that there is a warehouse, before work that only reads it.

    Raises:
        WarehouseError: there is no file, or it is not a DuckDB file.
    """
    if not path.is_file():
        raise WarehouseError(f"there is no warehouse {path}; `make build` creates it")
    check_format(path)


def published(path: Path) -> Path:
    """Where a build publishes the marts of a warehouse unless another file is named."""
    return path.with_name("marts.duckdb")


def attach(connection: duckdb.DuckDBPyConnection, path: Path, alias: str) -> None:
    """Attach another warehouse, for reading only.

    Args:
        connection: an open warehouse.
        path: the file to attach.
        alias: the name of its database.

    Raises:
        WarehouseError: another process holds the file, it is damaged, or it is not a DuckDB file.
    """
    check_format(path)
    try:
        connection.execute(f"attach {literal(str(path))} as {quoted(alias)} (read_only)")
    except duckdb.Error as error:
        raise WarehouseError(failure(path, str(error))) from error


def is_in_use(message: str) -> bool:
    """Whether a message of DuckDB, of dbt or of ours reports that another process has the file."""
    return "lock on file" in message or " is in use by " in message


def is_damage(message: str) -> bool:
    """Whether a message of DuckDB or dbt reports that the file itself is damaged."""
    return any(sign in message for sign in _SIGNS_OF_DAMAGE)


def failure(path: Path, message: str) -> str:
    """Why a warehouse cannot be used, and what to do, from DuckDB's message."""
    if holder := _HOLDER.search(message):
        return (
            f"{path} is in use by process {holder['pid']} ({holder['program']}); "
            "wait until it has finished, or end it"
        )
    if is_in_use(message):
        return f"{path} is in use by another process; wait until it has finished, or end it"
    if "not a valid DuckDB database" in message:
        return (
            f"{path} is not a DuckDB file; name another file for the warehouse, "
            "or restore the last backup with `make restore`"
        )
    if is_damage(message):
        return (
            f"{path} is damaged ({message.splitlines()[0]}); "
            "restore the last backup with `make restore`"
        )
    return f"cannot open {path}: {message.splitlines()[0].removeprefix('IO Error: ')}"


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the raw, audit and prediction tables that do not exist yet."""
    connection.begin()
    for source in (*catalog.SOURCES, "audit", "predict"):
        connection.execute(f"create schema if not exists raw_{source}")
    for table in catalog.tables():
        columns = ", ".join(
            f"{quoted(column.name)} {column.sql_type}"
            for column in (*table.columns, *catalog.METADATA)
        )
        connection.execute(f"create table if not exists {name_of(table)} ({columns})")
    for name, columns in _AUDIT_TABLES.items():
        connection.execute(f"create table if not exists raw_audit.{name} ({columns})")
    coefficients = ", ".join(f"{name} {kind}" for name, kind in CHURN_COEFFICIENTS.items())
    connection.execute(
        f"create table if not exists raw_predict.churn_coefficients ({coefficients})"
    )
    _add_columns(connection)
    connection.commit()


def _add_columns(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the columns that a warehouse of an earlier version lacks.

    A field that was not declared then is in `_extra`.
    """
    existing = set(
        connection.execute(
            """
            select schema_name || '.' || table_name, column_name
            from duckdb_columns()
            where database_name = current_database() and starts_with(schema_name, 'raw_')
            """
        ).fetchall()
    )
    for table in catalog.tables():
        missing = [
            f"{_from_extra(column)} as {quoted(column.name)}"
            for column in table.columns
            if (f"{table.schema}.{table.name}", column.name) not in existing
        ]
        if missing:
            name = name_of(table)
            connection.execute(
                f"create or replace table {name} as select *, {', '.join(missing)} from {name}"
            )
    for name, columns in _AUDIT_TABLES.items():
        for column, kind in re.findall(r"(\w+) (\w+(?:\(.*?\))?)", columns):
            if (f"raw_audit.{name}", column) not in existing:
                connection.execute(f"alter table raw_audit.{name} add column {column} {kind}")


def _from_extra(column: catalog.Column) -> str:
    """The expression of a column's value in `_extra`."""
    path = literal(f"$.{quoted(column.name)}")
    value = f"json_extract(_extra, {path})"
    if column.kind != "json":
        value = typed(column.kind, f"nullif(json_extract_string(_extra, {path}), '')")
    return f"cast({value} as {column.sql_type})"


def outgrown(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The batches with Stripe objects that had no table of their own when they landed."""
    names = [table.object_name for table in catalog.tables_of("stripe") if table.object_name]
    found = connection.execute(
        "select distinct _batch_id from raw_stripe.other_objects where list_contains(?, object)",
        [names],
    )
    return frozenset(batch_id for (batch_id,) in found.fetchall())


def has_tables(connection: duckdb.DuckDBPyConnection, name: str = "batches") -> bool:
    """Whether a table of the audit exists; the first load creates all of them."""
    found = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'raw_audit' and table_name = ?",
        [name],
    ).fetchone()
    return found is not None and found[0] > 0


def name_of(table: catalog.Table) -> str:
    """A raw table's qualified and quoted name."""
    return f"{table.schema}.{quoted(table.name)}"


def temp_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: dict[str, str],
    rows: Iterable[Sequence[Any]],
    spool: Path,
) -> None:
    """Create a temporary table of Python rows, through a file, which is much faster than binding.

    Args:
        connection: an open warehouse.
        name: of the table; one that exists is replaced.
        columns: SQL type by name.
        rows: values in the order of the columns.
        spool: a path for that file.
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
