"""The batches of a run, and what the projections say about the files they wrote."""

import gzip
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Batch:
    """One extract: what became known from `starts_at` until before `ends_at`."""

    number: int
    batch_id: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of a batch; `path` is relative to the batch's folder, `rows` leaves out a header."""

    batch_id: str
    path: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record broken on purpose; `source_row` counts from 1, a CSV's header left out."""

    batch_id: str
    source_file: str
    source_row: int
    kind: str


def split_batches(batch_ends: Sequence[datetime]) -> tuple[Batch, ...]:
    """Batches by their exclusive ends, named by their last day; the first goes back for ever."""
    starts = [datetime.min, *batch_ends[:-1]]
    return tuple(
        Batch(number, (ends_at - timedelta(microseconds=1)).date().isoformat(), starts_at, ends_at)
        for number, (starts_at, ends_at) in enumerate(zip(starts, batch_ends, strict=True))
    )


def write_file(out_dir: Path, batch_id: str, path: str, content: bytes, rows: int) -> WrittenFile:
    """Writes one file of a batch, making its folder."""
    target = out_dir / batch_id / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return WrittenFile(batch_id, path, rows, len(content), hashlib.sha256(content).hexdigest())


def write_lines(
    out_dir: Path, batch_id: str, path: str, lines: Iterable[bytes], rows: int
) -> WrittenFile:
    """Writes lines as they come, gzipped where the name says so: always the same bytes."""
    target = out_dir / batch_id / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        if path.endswith(".gz"):
            with gzip.GzipFile("", "wb", 6, file, mtime=0) as zipped:
                zipped.writelines(line + b"\n" for line in lines)
        else:
            file.writelines(line + b"\n" for line in lines)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return WrittenFile(batch_id, path, rows, target.stat().st_size, digest)


def write_manifests(out_dir: Path, batches: Sequence[Batch], files: Iterable[WrittenFile]) -> None:
    """Writes each batch's `_batch.json`: when it was extracted, and what every file holds."""
    by_batch: dict[str, list[WrittenFile]] = {batch.batch_id: [] for batch in batches}
    for file in files:
        by_batch[file.batch_id].append(file)
    for batch in batches:
        manifest = {
            "batch_id": batch.batch_id,
            "extracted_at": f"{batch.ends_at - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}",
            "files": [
                {"path": file.path, "rows": file.rows, "bytes": file.size, "sha256": file.sha256}
                for file in sorted(by_batch[batch.batch_id], key=lambda file: file.path)
            ],
        }
        folder = out_dir / batch.batch_id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "_batch.json").write_text(json.dumps(manifest, indent=2) + "\n")
