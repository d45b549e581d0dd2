"""What earlier pulls brought, read from the batches that are in the extracts folder.

There is no state file: the windows are in each `_batch.json`, and the records in its files.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.load.batches import MANIFEST
from ingest.pull.errors import PullError


@dataclass(frozen=True, slots=True)
class Window:
    """How far one object was pulled: up to `until`, with these fields and without others.

    Both are empty for objects that come with all that they have.
    """

    until: datetime
    fields: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pulled:
    """A batch that a pull wrote, with its manifest."""

    path: Path
    manifest: Mapping[str, Any]

    def object_of(self, source: str, account: str, name: str) -> Mapping[str, Any] | None:
        """What the manifest says of an object of this account; None if it was not pulled."""
        pulled = self.manifest["pulled"].get(source)
        if not pulled or pulled["account"] != account:
            return None
        found: Mapping[str, Any] | None = pulled["objects"].get(name)
        return found

    def files_of(self, source: str, name: str) -> list[Path]:
        """The files of an object."""
        pattern = re.compile(rf"{source}/{re.escape(name)}(-part-\d+)?\.(csv|jsonl\.gz)")
        return [
            self.path / entry["path"]
            for entry in self.manifest["files"]
            if pattern.fullmatch(entry["path"])
        ]


class History:
    """The batches that pulls wrote into a folder, oldest first."""

    def __init__(self, extracts_path: Path) -> None:
        self.batches = sorted(_pulled(extracts_path), key=lambda batch: batch.path.name)

    @property
    def newest(self) -> str:
        """The name of the last batch; empty if there is none."""
        return self.batches[-1].path.name if self.batches else ""

    def window(self, source: str, account: str, name: str) -> Window | None:
        """How far an object was pulled; None if it never was."""
        found = [
            window
            for batch in self.batches
            if (window := batch.object_of(source, account, name)) is not None
        ]
        if not found:
            return None
        # A pull with `--until` may end before the pull that preceded it.
        until = max(instant(window["until"]) for window in found)
        last = found[-1]
        return Window(until, frozenset(last.get("fields", ())), frozenset(last.get("left_out", ())))

    def files(self, source: str, account: str, name: str, start: datetime | None) -> list[Path]:
        """The files of an object from pulls that reach to `start` or later, oldest first."""
        return [
            file
            for batch in self.batches
            if (window := batch.object_of(source, account, name)) is not None
            and (start is None or instant(window["until"]) >= start)
            for file in batch.files_of(source, name)
        ]

    def keys(self, account: str) -> set[tuple[str, str]]:
        """The paths and entity tags of the files that were downloaded from a bucket."""
        return {
            (entry["path"], entry["etag"])
            for batch in self.batches
            if batch.object_of("segment", account, "messages") is not None
            for entry in batch.manifest["files"]
            if "etag" in entry
        }


def _pulled(extracts_path: Path) -> Iterator[Pulled]:
    if not extracts_path.is_dir():
        return
    for folder in extracts_path.iterdir():
        path = folder / MANIFEST
        if folder.name.startswith((".", "_")) or not path.is_file():
            continue
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(manifest.get("pulled"), dict):
                yield Pulled(folder, manifest)
        except (ValueError, AttributeError) as error:
            raise PullError(
                f"{path} cannot be read ({error}); restore it, or move the batch away"
            ) from error


def instant(text: str) -> datetime:
    """An instant of a manifest, UTC with a zone."""
    return datetime.fromisoformat(text).astimezone(UTC)


def iso(at: datetime) -> str:
    """An instant as manifests and Salesforce's queries write it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
