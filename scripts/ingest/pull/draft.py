"""A batch while it is pulled: written aside, continued after an interruption, renamed when whole.

`.pull/batch` in the extracts folder holds the files, `.pull/draft.json` the objects that are done.
The loader ignores names that start with a dot.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.load.batches import MANIFEST
from ingest.pull.errors import PullError
from ingest.pull.history import instant, iso

_FOLDER = ".pull"
# What an older interrupted pull left is pulled again: its window would end in the past.
_LONGEST_PAUSE = timedelta(hours=24)


@contextmanager
def locked(extracts_path: Path) -> Iterator[None]:
    """Holds the folder against other pulls; the system releases it when the process ends.

    Raises:
        PullError: Another pull writes to the folder.
    """
    extracts_path.mkdir(parents=True, exist_ok=True)
    handle = os.open(extracts_path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PullError(
                f"another pull is writing to {extracts_path}; wait until it has finished"
            ) from error
        yield
    finally:
        os.close(handle)


class Draft:
    """The batch that is being pulled.

    Args:
        extracts_path: The folder of batches, which the caller has locked.
        request: What is pulled. An interrupted pull of the same is continued, any other discarded.
        until: The end of the pull's window; a continued pull keeps its own.
    """

    def __init__(self, extracts_path: Path, request: Mapping[str, object], until: datetime) -> None:
        self._extracts_path = extracts_path
        self._folder = extracts_path / _FOLDER
        self._record_path = self._folder / "draft.json"
        self.folder = self._folder / "batch"
        self._request = json.loads(json.dumps(request))
        self.until = until
        self._parts: dict[str, dict[str, Any]] = {}
        self.is_continued = self._continue()
        if not self.is_continued:
            self.discard()
            self.folder.mkdir(parents=True)
            self._save()

    def _continue(self) -> bool:
        try:
            found = json.loads(self._record_path.read_text(encoding="utf-8"))
            until = instant(found["until"])
            parts = found["parts"]
            files = [entry for part in parts.values() for entry in part["files"]]
            is_whole = self.folder.is_dir() and all(
                (self.folder / entry["path"]).stat().st_size == entry["bytes"] for entry in files
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return False
        pause = self.until - until
        if found["request"] != self._request or not is_whole or pause > _LONGEST_PAUSE:
            return False
        self.until, self._parts = min(until, self.until), parts
        return True

    def discard(self) -> None:
        """Removes what was pulled."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def has(self, source: str, name: str) -> bool:
        """Whether an object is done."""
        return f"{source}/{name}" in self._parts

    def path(self, name: str) -> Path:
        """Where to write a file of the batch; its folder exists."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def done(
        self,
        source: str,
        name: str,
        files: Mapping[str, Mapping[str, Any]],
        since: datetime | None,
        **more: object,
    ) -> None:
        """Records that an object is whole.

        Args:
            source: The vendor.
            name: The object.
            files: What is known of each file, such as its `rows`, by path in the batch.
            since: The start of the window; None for the whole history.
            more: Further members of the window.
        """
        window = {"since": iso(since) if since else None, "until": iso(self.until), **more}
        entries = [
            {"path": path, **_measured(self.folder / path), **known}
            for path, known in files.items()
        ]
        self._parts[f"{source}/{name}"] = {"files": entries, "window": window}
        self._save()

    def _save(self) -> None:
        content = {"request": self._request, "until": iso(self.until), "parts": self._parts}
        aside = self._record_path.with_suffix(".writing")
        aside.write_text(json.dumps(content), encoding="utf-8")
        aside.replace(self._record_path)

    def rows(self, source: str) -> dict[str, int]:
        """Records pulled of a vendor, by object."""
        return {
            key.removeprefix(f"{source}/"): sum(entry.get("rows", 0) for entry in part["files"])
            for key, part in self._parts.items()
            if key.startswith(f"{source}/")
        }

    @property
    def is_empty(self) -> bool:
        """Whether no record is in it."""
        return not any(part["files"] for part in self._parts.values())

    def publish(self, accounts: Mapping[str, str], *, is_full_export: bool) -> str:
        """Makes it a batch of the extracts folder, and returns its id.

        Args:
            accounts: Whose data it is, by vendor.
            is_full_export: Whether Salesforce records that it lacks were deleted.
        """
        files = [entry for part in self._parts.values() for entry in part["files"]]
        listed = {entry["path"] for entry in files}
        for path in [path for path in self.folder.rglob("*") if path.is_file()]:
            if path.relative_to(self.folder).as_posix() not in listed:
                path.unlink()
        batch_id = self._batch_id()
        manifest: dict[str, Any] = {"batch_id": batch_id, "extracted_at": iso(self.until)}
        if is_full_export:
            manifest["is_full_export"] = True
        manifest["pulled"] = {
            source: {
                "account": account,
                "objects": {
                    key.removeprefix(f"{source}/"): part["window"]
                    for key, part in self._parts.items()
                    if key.startswith(f"{source}/")
                },
            }
            for source, account in accounts.items()
        }
        manifest["files"] = sorted(files, key=lambda entry: str(entry["path"]))
        text = json.dumps(manifest, indent=2) + "\n"
        (self.folder / MANIFEST).write_text(text, encoding="utf-8")
        # The files must be on the disk before the name that says they are whole.
        os.sync()
        self.folder.rename(self._extracts_path / batch_id)
        self.discard()
        return batch_id

    def _batch_id(self) -> str:
        at = self.until
        while (self._extracts_path / (name := f"{at:%Y-%m-%dT%H%M%SZ}")).exists():
            at += timedelta(seconds=1)
        return name


def _measured(path: Path) -> dict[str, int | str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def seconds(at: datetime) -> datetime:
    """An instant in UTC, cut to whole seconds."""
    return at.astimezone(UTC).replace(microsecond=0)
