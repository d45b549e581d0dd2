"""Copies that the project makes and that may hold people who were erased from the warehouse.

A copy of the warehouse file records the erasures that it contains. Of any other copy, only the
instant at which it was written is known.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingest.load import warehouse

# Describes the backup in its folder.
MANIFEST = "backup.json"


def outdated(warehouse_path: Path) -> list[Path]:
    """The copies that may still hold a person who was erased.

    Args:
        warehouse_path: the DuckDB file.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    warehouse_path = warehouse_path.resolve()
    sums = erased(warehouse_path)
    if not sums:
        return []
    folder, name = warehouse_path.parent, warehouse_path.name
    backups = Path(os.environ.get("BACKUPS_PATH") or folder / "backups")
    found = [one for one in backups_of(name, backups) if lacks(one / name, sums)]
    files = [path for path in folder.glob(f"{name}.before-*") if path.suffix != ".wal"]
    found += [path for path in sorted(files) if lacks(path, sums)]
    temporary = folder / f"{name}.tmp"
    found += [temporary] if temporary.exists() else []
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        ((last,),) = connection.execute("select max(erased_at) from raw_audit.erasures").fetchall()
    return found + [path for path in _written(folder) if last and _changed_at(path) < last]


def backups_of(file_name: str, backups_path: Path) -> list[Path]:
    """The backups of a warehouse file, oldest first; other folders are not ours."""
    if not backups_path.is_dir():
        return []
    return sorted(
        folder
        for folder in backups_path.iterdir()
        if folder.name[0] != "." and _describes(folder / MANIFEST, file_name)
    )


def erased(warehouse_path: Path) -> set[str]:
    """The hashes of all identifiers that were erased from a warehouse.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    if not warehouse_path.exists():
        return set()
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        return _sums(connection)


def lacks(copy: Path, sums: set[str]) -> bool:
    """Whether a copy of the warehouse lacks one of these erasures, or cannot be read.

    Args:
        copy: a DuckDB file.
        sums: hashes of identifiers.
    """
    try:
        with duckdb.connect(str(copy), read_only=True) as connection:
            # Killed before the file was rewritten: its freed blocks have what was erased.
            ((left,),) = connection.execute(
                "select count(*) from raw_audit.erased_records where not is_scrubbed"
            ).fetchall()
            return left > 0 or not sums <= _sums(connection)
    except duckdb.Error:
        return True


def _sums(connection: duckdb.DuckDBPyConnection) -> set[str]:
    if not warehouse.has_tables(connection, "erased_identifiers"):
        return set()
    found = connection.execute("select sha256 from raw_audit.erased_identifiers").fetchall()
    return {sha256 for (sha256,) in found}


def _describes(manifest: Path, file_name: str) -> bool:
    """Whether `backup.json` says that its folder is a backup of the file."""
    try:
        described = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(described, dict) and described.get("file") == file_name


def _written(folder: Path) -> Iterator[Path]:
    """Where commands write what they read from the warehouse."""
    places = (
        Path(os.environ.get("SHARE_PATH") or folder / "share.duckdb"),
        Path(os.environ.get("LAKE_PATH") or folder / "lake"),
        folder / "report",
        folder / "diff",
        folder.parent / "target" / "site",
    )
    yield from (path for path in places if path.exists())


def _changed_at(path: Path) -> datetime:
    """When something in a file or folder was last written, in UTC."""
    paths = [path, *path.glob("*/*"), *path.glob("*")] if path.is_dir() else [path]
    return datetime.fromtimestamp(max(one.lstat().st_mtime for one in paths), UTC).replace(
        tzinfo=None
    )
