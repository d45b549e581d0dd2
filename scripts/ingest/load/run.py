"""Loading batches in order: each landed whole in one transaction, or not at all."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as replace_fields
from enum import Enum
from pathlib import Path

import duckdb

from ingest.errors import UsageError
from ingest.load import absence, audit, erasure, inspection, landing, warehouse
from ingest.load.batches import MANIFEST, Batch, discover, manifest_of
from ingest.load.errors import RefusedError, WarehouseError
from ingest.load.inspection import Inspected
from ingest.load.landing import BatchReport


class _State(Enum):
    """How a batch on disk compares with what landed under its id."""

    NEW = "new"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    # A file was left out as a duplicate of one that was replaced since, or by an older version that
    # did not read it, or that had no table for its objects.
    INCOMPLETE = "incomplete"


def load_batches(
    extracts_path: Path,
    warehouse_path: Path,
    *,
    batch_ids: Sequence[str] | None = None,
    replace: bool = False,
    full: bool = False,
    encoding: str | None = None,
    quiet: bool = False,
) -> Iterator[BatchReport]:
    """Load the batches under a path in order, each reported when it is done.

    Args:
        extracts_path: a folder of batches, or one batch.
        warehouse_path: the DuckDB file; created when absent.
        batch_ids: only these.
        replace: replace what landed by batches whose files changed since.
        full: declare that each batch is a full export; its `_batch.json` can do the same.
        encoding: of CSV files that no `_batch.json` describes.
        quiet: no progress bar.

    Raises:
        UsageError: the path is not a folder, or holds no such batch.
        NothingUsableError: there is no batch.
        WarehouseError: the warehouse cannot be opened or written; the batch at hand did not land.
    """
    batches = discover(extracts_path)
    if batch_ids is not None:
        if unknown := set(batch_ids) - {batch.batch_id for batch in batches}:
            raise UsageError(f"{extracts_path} has no batch {', '.join(sorted(unknown))}")
        batches = [batch for batch in batches if batch.batch_id in batch_ids]
    file = warehouse_path.resolve()
    scratch = file.with_name(file.name + ".spool")
    with warehouse.opened(warehouse_path) as connection:
        try:
            warehouse.create_tables(connection)
            connection.begin()
            erasure.enforce(connection)
            connection.commit()
            # A process that was killed leaves its spool behind.
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            for batch in batches:
                report = load_batch(
                    connection,
                    batch,
                    scratch,
                    replace=replace,
                    full=full,
                    encoding=encoding,
                    quiet=quiet,
                )
                if report.status in {"refused", "unusable"}:
                    audit.refuse(
                        connection, batch.batch_id, "; ".join((report.reason, *report.notes[:1]))
                    )
                yield report
        except (duckdb.Error, OSError) as error:
            if warehouse.is_damage(str(error)):
                raise WarehouseError(warehouse.failure(warehouse_path, str(error))) from error
            reason = str(error).split("\n", 1)[0]
            raise WarehouseError(f"cannot write {warehouse_path}: {reason}") from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    erasure.scrub(warehouse_path)


def load_batch(
    connection: duckdb.DuckDBPyConnection,
    batch: Batch,
    scratch: Path,
    *,
    replace: bool = False,
    full: bool = False,
    encoding: str | None = None,
    quiet: bool = False,
) -> BatchReport:
    """Land one batch, or report why not; a batch that landed before is left alone.

    Args:
        connection: an open warehouse that has its tables.
        batch: the folder.
        scratch: a folder for temporary files.
        replace: replace what landed by a batch whose files changed.
        full: declare that it is a full export.
        encoding: of CSV files that no `_batch.json` describes.
        quiet: no progress bar.
    """
    try:
        manifest = manifest_of(batch)
        files = inspection.inspect(batch, manifest, encoding)
        state, difference = _compare(connection, batch, files)
        declared = True if full else manifest.is_full_export
        if state is _State.UNCHANGED:
            reason = _declare(connection, batch, declared)
            return BatchReport(batch.batch_id, "unchanged", reason, files=len(files))
        if state is _State.CHANGED and not replace:
            reason = f"{difference}; to replace the batch, load it with --replace"
            return BatchReport(batch.batch_id, "refused", reason, files=len(files))
        if not manifest.is_there and not any(file.is_data for file in files):
            reason = (
                "it has no file that the loader reads (expected salesforce/<Object>.csv,"
                " stripe/*.jsonl or segment/**/*.gz)"
            )
            return BatchReport(batch.batch_id, "unusable", reason, notes=landing.notes(files))
        inspection.mark_duplicates(files, audit.landed_checksums(connection, but=batch.batch_id))
        connection.begin()
        if state is not _State.NEW:
            audit.take_out(connection, batch.batch_id)
        report = landing.land(
            connection, batch, manifest, files, scratch, is_full_export=declared, quiet=quiet
        )
        erasure.enforce(connection, batch.batch_id)
        absence.refresh(connection)
        if declared is None and (missing := absence.vanished(connection, batch.batch_id)):
            report = replace_fields(report, notes=(*report.notes, _vanished(missing)))
        connection.commit()
    except RefusedError as error:
        _roll_back(connection)
        return BatchReport(batch.batch_id, "refused", str(error))
    except BaseException:
        _roll_back(connection)
        raise
    return report


def _declare(connection: duckdb.DuckDBPyConnection, batch: Batch, declared: bool | None) -> str:
    """Changes the declaration of a batch that has landed, and says so."""
    if audit.is_declared(connection, batch.batch_id, declared):
        return ""
    connection.begin()
    audit.declare(connection, batch.batch_id, declared)
    absence.refresh(connection)
    connection.commit()
    return "now a full export" if declared else "no longer a full export"


def _vanished(missing: Mapping[str, int]) -> str:
    counts = ", ".join(f"{count:,} {name}" for name, count in missing.items())
    return (
        f"it looks like a full export without {counts} of earlier batches; if they were deleted,"
        f' put {{"is_full_export": true}} into its {MANIFEST}, or load it with --full'
    )


def pending(extracts_path: Path, warehouse_path: Path) -> list[str]:
    """The batches under a path that have not landed in their present form, in load order.

    Raises:
        UsageError: the path is not a folder.
        NothingUsableError: there is no batch.
        WarehouseError: the warehouse cannot be opened.
    """
    batches = discover(extracts_path)
    if warehouse_path.exists():
        with warehouse.opened(warehouse_path, read_only=True) as connection:
            if warehouse.has_tables(connection):
                batches = [batch for batch in batches if not _has_landed(connection, batch)]
    return [batch.batch_id for batch in batches]


def _has_landed(connection: duckdb.DuckDBPyConnection, batch: Batch) -> bool:
    try:
        manifest = manifest_of(batch)
        files = inspection.inspect(batch, manifest)
    except RefusedError:
        # The load reports the reason.
        return False
    state, _ = _compare(connection, batch, files)
    return state is _State.UNCHANGED and audit.is_declared(
        connection, batch.batch_id, manifest.is_full_export
    )


def _compare(
    connection: duckdb.DuckDBPyConnection, batch: Batch, files: Sequence[Inspected]
) -> tuple[_State, str]:
    """How the files compare with those that landed, and the first that differs."""
    known = audit.known_files(connection, batch.batch_id)
    if known is None:
        return _State.NEW, ""
    landed = audit.landed_checksums(connection).keys()
    # An erasure may have taken a name, but not the content, of a file.
    renamed = {one[0]: one for name, one in known.items() if erasure.ERASED in name}
    for file in files:
        name, sha256 = file.audit.source_file, file.audit.sha256
        before, status = known.get(name) or renamed.get(sha256, ("", ""))
        if before != sha256 and (file.audit.status != "ignored" or status == "landed"):
            verb = "changed since it landed" if before else "is new in a batch that has landed"
            return _State.CHANGED, f"{name} {verb}"
        if status == "duplicate" and sha256 not in landed:
            return _State.INCOMPLETE, ""
        if status == "ignored" and file.is_data:
            return _State.INCOMPLETE, ""
    if batch.batch_id in warehouse.outgrown(connection):
        return _State.INCOMPLETE, ""
    return _State.UNCHANGED, ""


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.rollback()
    except duckdb.Error:
        # No transaction had begun, or the failure ended it; either way nothing of it is kept.
        return
