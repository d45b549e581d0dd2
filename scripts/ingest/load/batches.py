"""Batches of extracts on disk: which exist, and what their manifests contain."""

import json
import os
import re
from calendar import month_abbr
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

from ingest import catalog
from ingest.errors import UsageError, of_the_system
from ingest.load.errors import NothingUsableError, RefusedError

MANIFEST = "_batch.json"
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# 31-01-2026 and 01-2026.
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})[-._ ](\d{1,2})[-._ ]((?:19|20)\d\d)(?!\d)")
_MONTH_LAST = re.compile(r"(?<![\d-])(\d{1,2})[-._ ]((?:19|20)\d\d)(?!\d)")
_MONTHS = {name.lower(): month for month, name in enumerate(month_abbr) if name}
_DATA_SUFFIXES = {".csv", ".json", ".jsonl", ".ndjson", ".gz"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A manifest's entry for a file; None where it gives no value."""

    rows: int | None
    size: int | None
    sha256: str | None
    encoding: str | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of `_batch.json`, if a batch has one."""

    is_there: bool = False
    extracted_at: datetime | None = None
    encoding: str | None = None
    files: dict[str, Listed] = field(default_factory=dict)
    is_full_export: bool | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A folder of extracts. Its name is its id, and names sort in load order."""

    batch_id: str
    path: Path

    @property
    def named_date(self) -> date | None:
        """The ISO date that the name starts with."""
        found = _ISO_DATE.match(self.batch_id)
        try:
            return date.fromisoformat(found.group()) if found else None
        except ValueError:
            return None

    def entries(self) -> list[tuple[str, Path]]:
        """Name relative to the batch, and path, of everything in it that is not a plain folder.

        A folder is only named if it looks like a file (`x.csv`); what it holds comes beside it.
        Links are followed. Names that start with `_` or `.` are the vendors' and tools' own.

        Raises:
            RefusedError: a folder cannot be read, or a link leads back to a folder around it.
        """
        found = [
            (path.relative_to(self.path), path)
            for path in _walk(self.path, self.path, ())
            if path != self.path / MANIFEST
        ]
        return sorted((readable(name.as_posix()), path) for name, path in found)


def readable(name: str) -> str:
    r"""A name of a file with bytes that are not UTF-8 written as `\xe9`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def kind_of(path: Path) -> str:
    """What a path is that is neither a file nor a folder, for a message."""
    if not path.exists():
        return "a link to a file or folder that does not exist"
    return "a named pipe" if path.is_fifo() else "not a regular file"


def _walk(folder: Path, batch: Path, around: Sequence[Path]) -> Iterator[Path]:
    """Everything in a folder of a batch; `around` are the real folders that it is in."""
    name = readable(folder.relative_to(batch).as_posix())
    real = folder.resolve()
    if real in around:
        raise RefusedError(f"{name} is a link to a folder that it is in; remove it")
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise RefusedError(f"cannot read folder {of_the_system(error)}") from error
    for entry in entries:
        if not entry.is_dir():
            yield entry
        elif not entry.name.startswith(("_", ".")):
            if entry.suffix.lower() in _DATA_SUFFIXES:
                yield entry
            yield from _walk(entry, batch, (*around, real))


def discover(extracts_path: Path) -> list[Batch]:
    """The batches under a path, in load order.

    A folder that itself holds `salesforce`, `stripe` or `segment`, or loose files and no batch, is
    one batch.

    Raises:
        UsageError: the path is not a folder.
        NothingUsableError: there is no batch in it.
    """
    if not extracts_path.is_dir():
        raise UsageError(f"{extracts_path} is not a folder; name the folder of your batches")
    root = extracts_path.resolve()
    entries = [entry for entry in sorted(root.iterdir()) if not entry.name.startswith(("_", "."))]
    folders = [entry for entry in entries if entry.is_dir()]
    if odd := [entry for entry in entries if not entry.is_dir() and not entry.is_file()]:
        raise UsageError(f"{odd[0]} is {kind_of(odd[0])}; remove it, or make it a folder")
    if any(_is_vendors(folder) for folder in folders) or (root / MANIFEST).is_file():
        return [Batch(readable(root.name), root)]
    loose = any(entry.is_file() and entry.suffix.lower() in _DATA_SUFFIXES for entry in entries)
    if loose and not any(_looks_like_batch(folder) for folder in folders):
        return [Batch(readable(root.name), root)]
    if not folders:
        raise NothingUsableError(
            f"no batches found in {extracts_path}"
            f" (expected {extracts_path}/<date>/{{salesforce,stripe,segment}}/…)"
        )
    _check_order([readable(folder.name) for folder in folders])
    return [Batch(readable(folder.name), folder) for folder in folders]


def beside(extracts_path: Path) -> list[str]:
    """The data files that are beside the batches under a path, and so in none of them."""
    root = extracts_path.resolve()
    if not root.is_dir() or any(batch.path == root for batch in discover(extracts_path)):
        return []
    return sorted(
        readable(entry.name)
        for entry in root.iterdir()
        if entry.is_file()
        and entry.suffix.lower() in _DATA_SUFFIXES
        and not entry.name.startswith(("_", "."))
    )


def _check_order(names: Sequence[str]) -> None:
    """Stops where names sort otherwise than the months, days or numbers in them.

    Raises:
        UsageError: later records would be overwritten by earlier ones.
    """
    for day_first in (True, False):
        in_time = sorted(names, key=partial(_in_time, day_first=day_first))
        first = next(((a, b) for a, b in zip(names, in_time, strict=True) if a != b), None)
        if first:
            raise UsageError(
                f"{first[0]} would load before {first[1]}, because batches load in the order of"
                " their folders' names; name the folders after the day of the export, such as"
                " 2026-01-31"
            )


def _in_time(name: str, *, day_first: bool) -> list[tuple[bool, int, str]]:
    """A key that sorts names by the dates and numbers in them.

    Args:
        name: a folder's name.
        day_first: read 01-02-2026 as the first of February, else as the second of January.
    """
    text = _YEAR_LAST.sub(r"\3 \2 \1" if day_first else r"\3 \1 \2", name.lower())
    text = _MONTH_LAST.sub(r"\2 \1", text)
    words = re.findall(r"[a-z]+|\d+", text)
    months = [_MONTHS.get(word[:3], 0) if word.isalpha() else 0 for word in words]
    # A month's name goes before or after its year, and its year decides first.
    years = [word for word in words if re.fullmatch(r"(19|20)\d\d", word)]
    if any(months):
        words = [*years, *(str(month) for month in months if month), *_rest(words, years)]
    return [(word.isalpha(), int(word) if word.isdigit() else 0, word) for word in words]


def _rest(words: Sequence[str], years: Sequence[str]) -> list[str]:
    """The words that are neither a year nor a month's name."""
    return [word for word in words if word not in years and word[:3] not in _MONTHS]


def _is_vendors(folder: Path) -> bool:
    return folder.name.lower() in {*catalog.SOURCES, "segment-logs"}


def _looks_like_batch(folder: Path) -> bool:
    return (
        _ISO_DATE.match(folder.name) is not None
        or (folder / MANIFEST).is_file()
        or any(_is_vendors(entry) for entry in folder.iterdir() if entry.is_dir())
    )


def manifest_of(batch: Batch) -> Manifest:
    """Read `_batch.json`.

    Raises:
        RefusedError: the file exists and is not a valid manifest.
    """
    path = batch.path / MANIFEST
    if not os.path.lexists(path):
        return Manifest()
    if not path.is_file():
        raise RefusedError(f"{MANIFEST} is {kind_of(path)}; remove it")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        extracted_at = content.get("extracted_at")
        encoding = content.get("encoding")
        per_file = encoding if isinstance(encoding, dict) else {}
        return Manifest(
            is_there=True,
            extracted_at=_instant(extracted_at) if extracted_at else None,
            encoding=encoding if isinstance(encoding, str) else None,
            files={entry["path"]: _listed(entry, per_file) for entry in content.get("files") or []},
            is_full_export=_flag(content.get("is_full_export")),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RefusedError(f"{MANIFEST} cannot be read: {error!r}") from error


def _flag(value: object) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ValueError("is_full_export is neither true nor false")
    return value


def _listed(entry: dict[str, Any], encodings: dict[str, str]) -> Listed:
    return Listed(
        rows=entry.get("rows"),
        size=entry.get("bytes"),
        sha256=entry.get("sha256"),
        encoding=entry.get("encoding") or encodings.get(entry["path"]),
    )


def _instant(text: str) -> datetime:
    """An ISO instant as naive UTC."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at


def last_instant(day: date) -> datetime:
    """The last instant of a day."""
    return datetime.combine(day, time.max)
