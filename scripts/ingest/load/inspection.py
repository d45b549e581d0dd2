"""A batch's files looked at before any is read: what each is, and what the manifest says."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ingest.load import reading
from ingest.load.audit import FileAudit
from ingest.load.batches import Batch, Listed, Manifest, kind_of
from ingest.load.errors import RefusedError
from ingest.load.recognise import Recognised, recognise


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file with what it is taken for."""

    path: Path
    taken_for: Recognised
    audit: FileAudit

    @property
    def is_data(self) -> bool:
        """Whether it has something that the loader reads."""
        return not self.taken_for.note


def inspect(batch: Batch, manifest: Manifest, encoding: str | None = None) -> list[Inspected]:
    """Every file of a batch, in the order of their names.

    Raises:
        RefusedError: a file cannot be read, or is not what the manifest says.
    """

    def look(entry: tuple[str, Path]) -> Inspected:
        name, path = entry
        try:
            return _inspect(name, path, manifest, encoding)
        except OSError as error:
            raise RefusedError(f"{name}: {error.strerror or error}") from error
        except LookupError as error:
            raise RefusedError(f"{name}: {error}") from error

    # Checksums and decompression let another thread run beside them.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        files = list(threads.map(look, batch.entries()))
    _verify({file.audit.source_file: file for file in files}, manifest.files)
    return files


def _inspect(name: str, path: Path, manifest: Manifest, encoding: str | None) -> Inspected:
    if path.is_dir():
        return _ignored(name, path, "a folder")
    is_hidden = path.name.startswith((".", "_"))
    if not path.is_file():
        kind = kind_of(path)
        # A link whose name is not a file's may have led to a folder full of data.
        if is_hidden or (kind.startswith("a link") and path.suffix):
            return _ignored(name, path, "a hidden file" if is_hidden else kind)
        raise RefusedError(f"{name} is {kind}; remove it from the batch, or make it a file")
    sha256 = reading.checksum(path)
    if is_hidden:
        return _ignored(name, path, "a hidden file", sha256)
    listed = manifest.files.get(name)
    declared = encoding or (listed.encoding if listed else None) or manifest.encoding
    taken_for = recognise(path, name, declared)
    status = "ignored" if taken_for.note else "landed"
    if taken_for.dialect == "empty":
        status = "empty"
    return Inspected(
        path,
        taken_for,
        FileAudit(
            name,
            sha256,
            path.stat().st_size,
            status,
            source=taken_for.source,
            object_name=taken_for.object_name,
            encoding=taken_for.encoding or ("utf-8" if status == "landed" else ""),
            dialect=taken_for.dialect,
            note=taken_for.note,
        ),
    )


def _ignored(name: str, path: Path, note: str, sha256: str = "") -> Inspected:
    size = path.stat().st_size if sha256 else 0
    return Inspected(
        path, Recognised(note=note), FileAudit(name, sha256, size, "ignored", note=note)
    )


def _verify(files: Mapping[str, Inspected], listed: Mapping[str, Listed]) -> None:
    for name, said in listed.items():
        if name not in files:
            raise RefusedError(f"{name}: listed in _batch.json and not there")
        audit = files[name].audit
        if said.sha256 and said.sha256.lower() != audit.sha256:
            raise RefusedError(f"{name}: its sha256 is not the one in _batch.json")
        if said.size is not None and said.size != audit.size:
            raise RefusedError(f"{name}: {audit.size} bytes, and _batch.json says {said.size}")


def verify_rows(files: Sequence[Inspected], listed: Mapping[str, Listed]) -> None:
    """Compare what was read with what the manifest says was written.

    Raises:
        RefusedError: a file has another number of records.
    """
    for file in files:
        said = listed.get(file.audit.source_file)
        read = file.audit.rows["read"]
        if said and said.rows is not None and file.audit.status == "landed" and read != said.rows:
            raise RefusedError(
                f"{file.audit.source_file}: {read} records, and _batch.json says {said.rows}"
            )


def mark_duplicates(files: Sequence[Inspected], landed: Mapping[str, str]) -> None:
    """Leave out the files whose bytes landed before, or come earlier in the same batch."""
    seen = dict(landed)
    for file in files:
        audit = file.audit
        if audit.status == "landed":
            if audit.sha256 in seen:
                audit.status = "duplicate"
                audit.note = f"the same as {seen[audit.sha256]}"
            seen.setdefault(audit.sha256, audit.source_file)


def to_land(files: Sequence[Inspected], source: str) -> Iterator[Inspected]:
    """The files of a vendor that are to land."""
    return (f for f in files if f.audit.source == source and f.audit.status == "landed")
