"""The loader's commands: what they print and the exit codes they return.

0 landed or nothing left to load, 1 refused or nothing usable.
"""

import codecs
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ingest.errors import IngestError, UsageError
from ingest.load import audit, batches, copies, erasure, run, warehouse
from ingest.load.landing import BatchReport
from ingest.text import one_line

_MOST_NOTES = 12
_MOST_REASONS = 5


def load(
    extracts_path: Path,
    warehouse_path: Path,
    *,
    batch_ids: Sequence[str] | None = None,
    replace: bool = False,
    full: bool = False,
    encoding: str | None = None,
    quiet: bool = False,
) -> int:
    """Load batches, print one line for each, and return the exit code.

    Arguments and errors are those of `run.load_batches`.
    """
    if encoding is not None:
        _check_encoding(encoding)
    print_beside(extracts_path)
    started = datetime.now(UTC).replace(tzinfo=None)
    reports = []
    with warehouse.reserved(warehouse_path):
        for report in run.load_batches(
            extracts_path,
            warehouse_path,
            batch_ids=batch_ids,
            replace=replace,
            full=full,
            encoding=encoding,
            quiet=quiet,
        ):
            reports.append(report)
            if report.status != "unchanged" or report.reason:
                print(summary(report), flush=True)
        if all(report.status == "unchanged" and not report.reason for report in reports):
            print(f"nothing to load: {len(reports)} of {len(reports)} batches have landed")
        answer(warehouse_path, started)
    refused = any(report.status == "refused" for report in reports)
    return 1 if refused or not any(map(_is_of_use, reports)) else 0


def answer(warehouse_path: Path, since: datetime, *, is_last: bool = True) -> None:
    """Print the receipt of each erasure since an instant, and the copies that it did not reach.

    Args:
        warehouse_path: the DuckDB file.
        since: UTC.
        is_last: no further command of this build reports the requests that found no one.

    Raises:
        IngestError: a request found no one.
    """
    lines, unanswered = erasure.receipts(warehouse_path, since)
    if lines:
        print("\n".join(lines), flush=True)
    if left := copies.outdated(warehouse_path):
        print(
            "the last erasure is not complete: these copies may still hold the person;"
            " `make backup` replaces old backups, docs/reliability.md covers the others"
        )
        print("\n".join(f"  {path}" for path in left), flush=True)
    if unanswered and is_last:
        raise IngestError(
            f"{len(unanswered):,} deletion requests found no one:\n  " + "\n  ".join(unanswered)
        )


def status(extracts_path: Path, warehouse_path: Path) -> None:
    """Print which batches have landed and which are pending."""
    print_beside(extracts_path)
    waiting = run.pending(extracts_path, warehouse_path)
    landed, rejected, refused = _audited(warehouse_path)
    for batch_id, day, files, read, good, bad in landed:
        print(f"{one_line(batch_id)}  as of {day}  {_counts(files, read, good, bad)}")
        for count, name, reason in rejected[batch_id][:_MOST_REASONS]:
            print(one_line(f"  rejected: {count:,} {name}: {reason}"))
        if (more := len(rejected[batch_id]) - _MOST_REASONS) > 0:
            print(f"  rejected: {more:,} further reasons in raw_audit.rejected_records")
    for batch_id in waiting:
        refusal = refused.get(batch_id)
        print(one_line(f"{batch_id}  pending{f', not loaded: {refusal}' if refusal else ''}"))
    if not landed and not waiting:
        print("nothing has landed and nothing is pending")


def print_beside(extracts_path: Path) -> None:
    """Print the data files that are in no batch and will not be loaded."""
    for name in batches.beside(extracts_path):
        print(f"note: {one_line(name)} is beside the batches of {extracts_path} and is not loaded")


def summary(report: BatchReport) -> str:
    """A batch's report: one line, and one for each of the first notes."""
    more = len(report.notes) - _MOST_NOTES
    lines = [_outcome(report), *(f"  note: {note}" for note in report.notes[:_MOST_NOTES])]
    if more > 0:
        lines.append(f"  note: {more:,} more in raw_audit.files")
    # A name with a line feed would look like a line of ours.
    return "\n".join(map(one_line, lines))


def _outcome(report: BatchReport) -> str:
    if report.status != "landed":
        return f"{report.batch_id}  {report.status}: {report.reason}"
    parts = [_counts(report.files, report.rows_read, report.rows_landed, report.rows_rejected)]
    if report.first_reject:
        parts[0] += f" (first: {report.first_reject})"
    for count, what in (
        (report.duplicates, "duplicate files"),
        (report.ignored, "ignored files"),
        (report.schema_changes, "changed fields"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    return f"{report.batch_id}  landed  {', '.join(parts)}"


def _counts(files: int, read: int, landed: int, rejected: int) -> str:
    return (
        f"{files:,} file{'s' if files != 1 else ''}: {read:,} record{'s' if read != 1 else ''}"
        f" = {landed:,} landed + {rejected:,} rejected"
    )


def _is_of_use(report: BatchReport) -> bool:
    """Whether a batch landed records, now or before, or is a valid export without changes."""
    if report.status == "landed":
        return report.rows_landed > 0 or report.duplicates > 0 or report.rows_read == 0
    return report.status == "unchanged"


def _audited(
    warehouse_path: Path,
) -> tuple[list[audit.LandedBatch], dict[str, list[tuple[int, str, str]]], dict[str, str]]:
    """What landed, why records of it were rejected, and why other batches did not land."""
    if not warehouse_path.exists():
        return [], {}, {}
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        if not warehouse.has_tables(connection):
            return [], {}, {}
        landed = audit.batches(connection)
        rejected = {batch_id: audit.rejected(connection, batch_id) for batch_id, *_ in landed}
        # Warehouses of earlier versions lack the table.
        has_reasons = warehouse.has_tables(connection, "refused_batches")
        return landed, rejected, audit.refused(connection) if has_reasons else {}


def _check_encoding(name: str) -> None:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise UsageError(
            f"{name!r} is not an encoding that Python knows, such as cp1252"
        ) from error
