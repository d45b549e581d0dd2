"""Dated, verified copies of the warehouse file, and how to restore one.

A backup is a folder named after the instant at which it was taken. It holds the file as it is after
a checkpoint, and `backup.json` with its checksum and the row count of every table.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

import duckdb

from ingest.errors import IngestError, UsageError
from ingest.load import WarehouseError, copies, warehouse
from ingest.load.reading import checksum
from ingest.load.values import quoted

_CHUNK = 1 << 22


class BackupError(IngestError):
    """A backup cannot be taken, or has changed since it was taken."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of `backup.json`.

    Attributes:
        file: name of the warehouse file.
        sha256: of that file, in hexadecimal.
        bytes: its size.
        rows: how many rows each table has, by `schema.table`.
    """

    file: str
    sha256: str
    bytes: int
    rows: dict[str, int]


def backup(warehouse_path: Path, backups_path: Path, *, keep: int) -> None:
    """Take a backup, verify that it can be read, and remove old ones.

    Backups from before the last erasure may hold the person, and only the newest backup is needed
    to restore what is in the warehouse now.

    Args:
        warehouse_path: the DuckDB file.
        backups_path: the folder of backups.
        keep: how many backups of this file to keep, at least 1.

    Raises:
        BackupError: the copy differs from the warehouse.
        WarehouseError: there is no warehouse, or it is in use or damaged.
    """
    warehouse_path = warehouse_path.resolve()
    folder = take(warehouse_path, backups_path)
    erased = _drop_before_erasure(warehouse_path, backups_path)
    removed = _drop_oldest(warehouse_path.name, backups_path, keep)
    manifest = _manifest(folder)
    print(f"{folder}: {len(manifest.rows)} tables, {sum(manifest.rows.values()):,} rows, verified")
    for old in erased:
        print(f"{old}: removed, it is from before the last erasure")
    for old in removed:
        print(f"{old}: removed, {keep} are kept")


def restore(warehouse_path: Path, backups_path: Path, name: str | None) -> None:
    """Restore a backup; the file that it replaces is kept beside it.

    Args:
        warehouse_path: where the DuckDB file goes.
        backups_path: the folder of backups.
        name: which one; the newest of this file when None.

    Raises:
        UsageError: there is no backup of that name.
        BackupError: there is no backup, or it is damaged.
        WarehouseError: the warehouse is in use.
    """
    warehouse_path = warehouse_path.resolve()
    folder = _chosen(warehouse_path.name, backups_path, name)
    aside = bring_back(folder, warehouse_path)
    print(f"{warehouse_path}: restored from {folder}")
    if aside:
        print(f"{aside}: the previous file; remove it when you no longer need it")


def take(warehouse_path: Path, backups_path: Path) -> Path:
    """Copy the warehouse into a new folder and return it; it appears whole or not at all.

    Raises:
        BackupError: the copy differs from the warehouse.
        WarehouseError: there is no warehouse, or it is in use or damaged.
    """
    warehouse.require(warehouse_path)
    warehouse_path = warehouse_path.resolve()
    backups_path.mkdir(parents=True, exist_ok=True)
    _drop_cut_short(_coming(warehouse_path))
    with _alone(backups_path):
        folder = _next(backups_path)
        partial = folder.with_name(f".{folder.name}.partial")
        try:
            partial.mkdir()
            _fill(partial, warehouse_path)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def _fill(folder: Path, warehouse_path: Path) -> None:
    """Copies the warehouse into a folder, describes it there, and verifies it."""
    copy = folder / warehouse_path.name
    # Closing any handle of a file releases this process's lock on it, so this one closes last.
    with warehouse_path.open("rb") as source, warehouse.opened(warehouse_path) as connection:
        connection.execute("checkpoint")
        rows = row_counts(connection)
        sha256 = _copy(source.fileno(), copy)
    manifest = Manifest(copy.name, sha256, copy.stat().st_size, rows)
    (folder / copies.MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    verify(folder)


@contextmanager
def _alone(backups_path: Path) -> Iterator[None]:
    """Waits for other backups into this folder, then removes what killed ones left there."""
    folder = os.open(backups_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        for partial in backups_path.glob(".*.partial"):
            shutil.rmtree(partial)
            print(f"{partial}: removed, the backup that wrote it was cut short")
        yield
    finally:
        os.close(folder)


def _coming(warehouse_path: Path) -> Path:
    """Where a restore writes the file that replaces the warehouse."""
    return warehouse_path.with_name(f".{warehouse_path.name}.restoring")


def _drop_cut_short(coming: Path) -> None:
    """Removes what a killed restore left; one that is running has it locked."""
    with suppress(FileNotFoundError, BlockingIOError), coming.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        coming.unlink()
        print(f"{coming}: removed, the restore that wrote it was cut short")


def verify(folder: Path) -> None:
    """Compare a backup with its `backup.json`, reading every value of every table.

    Raises:
        BackupError: it has changed since it was taken.
    """
    manifest = _manifest(folder)
    copy = folder / manifest.file
    if not copy.is_file():
        raise BackupError(f"{copy} is missing; restore another backup")
    if checksum(copy) != manifest.sha256:
        raise BackupError(
            f"{copy} is damaged: its checksum differs from {copies.MANIFEST};"
            " restore another backup"
        )
    try:
        with warehouse.opened(copy, read_only=True) as connection:
            if row_counts(connection, read_values=True) != manifest.rows:
                raise BackupError(
                    f"{copy}: row counts differ from {copies.MANIFEST}; restore another backup"
                )
    except WarehouseError as error:
        raise BackupError(f"the warehouse was damaged when it was copied: {error}") from error


def bring_back(folder: Path, warehouse_path: Path) -> Path | None:
    """Replace the warehouse by a backup; returns the path to which the old file was moved.

    Raises:
        BackupError: the backup has changed since it was taken.
        WarehouseError: another process has the warehouse open.
    """
    verify(folder)
    manifest = _manifest(folder)
    # A rename over a link would leave the file behind it as it was.
    warehouse_path = warehouse_path.resolve()
    coming = _coming(warehouse_path)
    aside = _unused(warehouse_path.with_name(f"{warehouse_path.name}.before-{_stamp()}"))
    try:
        with (folder / manifest.file).open("rb") as source:
            if _copy(source.fileno(), coming) != manifest.sha256:
                raise BackupError(f"{coming} differs from what was written; check the disk")
        with _unused_by_others(warehouse_path):
            was_there = warehouse_path.exists()
            if was_there:
                os.link(warehouse_path, aside)
            # The log belongs to the old file, so it moves with it.
            log = warehouse_path.with_name(f"{warehouse_path.name}.wal")
            if log.exists():
                log.rename(aside.with_name(f"{aside.name}.wal"))
            coming.replace(warehouse_path)
    finally:
        coming.unlink(missing_ok=True)
    return aside if was_there else None


def row_counts(
    connection: duckdb.DuckDBPyConnection, *, read_values: bool = False
) -> dict[str, int]:
    """How many rows each table has, by `schema.table`.

    Args:
        connection: an open warehouse.
        read_values: read every value as well, which detects a damaged block.
    """
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = current_database() and not temporary order by all"
    ).fetchall()
    values = ", bit_xor(hash(one))" if read_values else ""
    rows = {}
    for schema, table in tables:
        count, *_ = connection.execute(
            f"select count(*){values} from {quoted(schema)}.{quoted(table)} as one"
        ).fetchall()[0]
        rows[f"{schema}.{table}"] = count
    return rows


@contextmanager
def _unused_by_others(path: Path) -> Iterator[None]:
    """Holds the lock of a warehouse; one too damaged to open has no lock and no users."""
    try:
        connection = duckdb.connect(str(path)) if path.exists() else None
    except duckdb.Error as error:
        if warehouse.is_in_use(str(error)):
            raise WarehouseError(warehouse.failure(path, str(error))) from error
        connection = None
    try:
        if connection:
            connection.execute("checkpoint")
        yield
    finally:
        if connection:
            connection.close()


def _copy(source: int, target: Path) -> str:
    """Copies an open file to the disk itself, and returns its checksum."""
    digest = hashlib.sha256()
    with target.open("wb") as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        at = 0
        while chunk := os.pread(source, _CHUNK, at):
            digest.update(chunk)
            out.write(chunk)
            at += len(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _drop_oldest(file_name: str, backups_path: Path, keep: int) -> list[Path]:
    oldest = copies.backups_of(file_name, backups_path)[:-keep]
    for folder in oldest:
        shutil.rmtree(folder)
    return oldest


def _drop_before_erasure(warehouse_path: Path, backups_path: Path) -> list[Path]:
    """Removes backups that may still hold a person who was erased."""
    folders = copies.backups_of(warehouse_path.name, backups_path)
    sums = copies.erased(warehouse_path)
    older = [one for one in folders if sums and copies.lacks(one / warehouse_path.name, sums)]
    for folder in older:
        shutil.rmtree(folder)
    return older


def _chosen(file_name: str, backups_path: Path, name: str | None) -> Path:
    there = {folder.name: folder for folder in copies.backups_of(file_name, backups_path)}
    if name and name in there:
        return there[name]
    if name:
        listed = ", ".join(there) or "none"
        raise UsageError(f"{backups_path} has no backup {name!r} of {file_name}; it has {listed}")
    if not there:
        raise BackupError(
            f"there is no backup of {file_name} in {backups_path}; `make backup` takes one"
        )
    return list(there.values())[-1]


def _manifest(folder: Path) -> Manifest:
    try:
        return Manifest(**json.loads((folder / copies.MANIFEST).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise BackupError(f"{folder / copies.MANIFEST} cannot be read: {error}") from error


def _next(backups_path: Path) -> Path:
    """A folder whose name sorts after those of all backups, also of the same second."""
    while any(backups_path.glob(f"{_stamp()}*")):
        sleep(0.05)
    return backups_path / _stamp()


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")


def _unused(path: Path) -> Path:
    """The path, or the next with a number, that nothing is at."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
