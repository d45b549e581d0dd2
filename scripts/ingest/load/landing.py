"""One batch inside its transaction: every file's records, then the audit of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from ingest.load import audit, inspection, json_records, profile, salesforce
from ingest.load.batches import Batch, Manifest, last_instant
from ingest.load.inspection import Inspected
from ingest.load.spool import Spool, SpoolFile, spooled
from ingest.load.target import Stamp, Target
from ingest.progress import Progress


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What became of a batch.

    Attributes:
        batch_id: its folder's name.
        status: `landed`, `unchanged` (landed before), `refused` or `unusable`; nothing of the
            last two is in the warehouse.
        reason: why it was refused or unusable.
        files: how many files it has.
        duplicates: files whose content had landed before.
        ignored: files that are no vendor's.
        rows_read: records read, which is `rows_landed` + `rows_rejected`.
        rows_landed: records in the raw tables.
        rows_rejected: records in `raw_audit.rejected_records`.
        first_reject: file, row, field and reason of the first of them.
        schema_changes: fields that appeared, vanished or changed type.
        notes: what a person should know, a sentence each.
    """

    batch_id: str
    status: str
    reason: str = ""
    files: int = 0
    duplicates: int = 0
    ignored: int = 0
    rows_read: int = 0
    rows_landed: int = 0
    rows_rejected: int = 0
    first_reject: str = ""
    schema_changes: int = 0
    notes: tuple[str, ...] = ()


def land(
    connection: duckdb.DuckDBPyConnection,
    batch: Batch,
    manifest: Manifest,
    files: Sequence[Inspected],
    scratch: Path,
    *,
    is_full_export: bool | None = None,
    quiet: bool = False,
) -> BatchReport:
    """Land a batch's files; the caller begins and ends the transaction.

    Args:
        connection: an open warehouse, in a transaction.
        batch: the folder.
        manifest: what its `_batch.json` says.
        files: what is in it; their audits are filled in.
        scratch: a folder for what is on its way.
        is_full_export: whether it is declared to be one.
        quiet: no progress bar.

    Raises:
        RefusedError: a file is broken, or is not what the manifest says.
    """
    now = audit.load_instant(connection)
    day = batch.named_date or (manifest.extracted_at.date() if manifest.extracted_at else None)
    extracted_at = manifest.extracted_at or last_instant(day or now.date())
    stamp = Stamp(batch.batch_id, extracted_at, now)
    target = Target(connection, stamp, defaultdict(set), scratch)
    size = sum(file.audit.size for file in files if file.audit.status == "landed")
    progress = Progress(batch.batch_id, size, quiet=quiet)
    texts = _texts(files, progress)
    limits = json_records.SPOOL_FILE_BYTES
    try:
        with spooled(texts, scratch, file_bytes=limits) as spools:
            for file in inspection.to_land(files, "salesforce"):
                name = file.audit.source_file
                landed = salesforce.land_file(target, file.path, name, file.taken_for)
                file.audit.rows, file.audit.encoding = landed.counter, landed.encoding
                file.audit.note = landed.note
                progress.advance(file.audit.size)
            _land_json(target, spools, files)
    finally:
        progress.close()
    _check(files)
    inspection.verify_rows(files, manifest.files)
    undated = day is None
    if day is None:
        newest = audit.newest_clock(connection, batch.batch_id)
        day = (newest or now).date()
        stamp = Stamp(batch.batch_id, last_instant(day), now)
        audit.stamp_again(connection, stamp)
    audits = [file.audit for file in files]
    audit.record(connection, stamp, day, audits, scratch / "audit")
    audit.declare(connection, batch.batch_id, is_full_export)
    changes = profile.record(target)
    totals = sum((file.rows for file in audits), Counter[str]())
    return BatchReport(
        batch.batch_id,
        "landed",
        files=len(audits),
        duplicates=sum(file.status == "duplicate" for file in audits),
        ignored=sum(file.status == "ignored" for file in audits),
        rows_read=totals["read"],
        rows_landed=totals["landed"],
        rows_rejected=totals["rejected"],
        first_reject=audit.first_reject(connection, batch.batch_id),
        schema_changes=changes,
        notes=(*notes(files), *([_undated(batch, day)] if undated else [])),
    )


def _undated(batch: Batch, day: date) -> str:
    return (
        f"the name {batch.batch_id} does not begin with a date, so the batch is as of its newest"
        f" record, {day}; name the folder after the day of the export, such as {day}"
    )


def notes(files: Sequence[Inspected]) -> tuple[str, ...]:
    """The files that are not read, and those that lack columns which figures need."""
    ignored = [
        f"{file.audit.source_file} is ignored: {file.audit.note}"
        for file in files
        if file.audit.status == "ignored" and not file.path.name.startswith((".", "_"))
    ]
    thin = [
        f"{file.audit.source_file} {file.audit.note}; figures from these fields are empty"
        for file in files
        if file.audit.source == "salesforce"
        and file.audit.status in {"landed", "empty"}
        and file.audit.note
        and file.is_data
    ]
    return (*ignored, *thin)


def _texts(files: Sequence[Inspected], progress: Progress) -> Iterator[SpoolFile]:
    """The files to spool."""
    for source in json_records.SOURCES:
        unwrap = json_records.UNWRAP[source]
        for file in inspection.to_land(files, source):
            by_lines = file.taken_for.dialect == "lines"
            yield SpoolFile(source, file.audit.source_file, file.path, by_lines, unwrap)
            progress.advance(file.audit.size)


def _land_json(target: Target, spools: Iterable[Spool], files: Sequence[Inspected]) -> None:
    audits = {file.audit.source_file: file.audit for file in files}
    for spool in spools:
        read, rejected = json_records.land_spool(target, spool)
        for name, records in read.items():
            landed = records - rejected[name]
            audits[name].rows.update(read=records, landed=landed, rejected=rejected[name])


def _check(files: Sequence[Inspected]) -> None:
    """Every record read is landed or rejected, or the loader is wrong and must not commit."""
    for file in files:
        rows = file.audit.rows
        if rows["read"] != rows["landed"] + rows["rejected"]:
            raise RuntimeError(f"{file.audit.source_file}: records went missing: {dict(rows)}")
        if file.audit.status == "landed" and not rows["read"]:
            file.audit.status = "empty"
