"""The published copy: the marts in a file that a build never locks.

A reader of the warehouse blocks a build, and a build blocks readers. So a build ends by writing the
marts to a file of their own, which replaces the older copy in one step. Readers that have the older
copy open keep it.
"""

import hashlib
import stat
from pathlib import Path

from dbt.contracts.graph.manifest import Manifest

from ingest import marts
from ingest.load import warehouse


def check(warehouse_path: Path, marts_path: Path) -> None:
    """Refuse to replace anything but a published copy, before a build begins.

    Raises:
        UsageError: the file is the warehouse itself, another database, or no DuckDB file.
    """
    marts.check(
        warehouse_path, marts_path, "name another file for the published marts with MARTS_PATH"
    )


def publish(
    warehouse_path: Path, marts_path: Path, manifest: Manifest, *, has_personal_data: bool
) -> str:
    """Write the marts to a file of their own, and replace the older copy in one step.

    The warehouse is locked meanwhile, so that two builds never publish at once.

    Args:
        warehouse_path: the DuckDB file, with its marts built.
        marts_path: the copy.
        manifest: the parsed project.
        has_personal_data: copy personal data instead of masking it.

    Returns:
        What was published, such as `61 marts`.

    Raises:
        IngestError: a mart is not built.
        WarehouseError: the warehouse cannot be opened.
    """
    described = marts.described(manifest)
    with warehouse.opened(warehouse_path) as connection, marts.swapped(marts_path) as path:
        leaks = [] if has_personal_data else marts.leaks(connection, described)
        with marts.attached(connection, path) as copy:
            marts.copy(connection, copy, described, is_masked=not has_personal_data, leaks=leaks)
        # Programs that open files for writing by default would keep others from reading it.
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    masked = "".join(f", {leak}, which are masked" for leak in leaks if not leak.is_declared)
    return f"{len(described)} marts{masked}"


def state(marts_path: Path, made_from: object) -> str:
    """A digest of a published copy and of what it was made from, and its path.

    It differs if either has changed. An erasure removes the copy by that path.
    """
    found = marts_path.stat() if marts_path.exists() else None
    file = (found.st_ino, found.st_mtime_ns, found.st_size) if found else None
    return f"{hashlib.sha256(repr((file, made_from)).encode()).hexdigest()} {marts_path}"
