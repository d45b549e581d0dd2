"""What a pull was asked for, and where each object's window starts."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ingest.progress import Progress
from ingest.pull.draft import Draft
from ingest.pull.history import History

# Vendors date a record before it can be read: transactions take a while, and clocks differ.
OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a pull.

    Attributes:
        since: the start of the window; None to continue after the last pull.
        until: the end of the window; None for now.
        full: read everything again.
        look_back: how far balance transactions are read again.
        custom_fields: further fields of Salesforce's objects, by object.
    """

    since: datetime | None = None
    until: datetime | None = None
    full: bool = False
    look_back: timedelta = timedelta(days=30)
    custom_fields: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A pull at work: what was asked for, what is known, where to write and how to report."""

    request: Request
    history: History
    draft: Draft
    progress: Progress
    note: Callable[[str], None]

    def start(self, source: str, account: str, name: str) -> datetime | None:
        """Where the window of an object starts; None for its whole history."""
        if self.request.full:
            return None
        if self.request.since:
            return self.request.since
        window = self.history.window(source, account, name)
        # A clock that was ahead may have dated the last pull in the future.
        return min(window.until, self.draft.until) - OVERLAP if window else None


class Known:
    """The newest version of each record that earlier batches hold, as a digest by id.

    It is read when it is first asked for, so a pull without candidates reads nothing.

    Args:
        files: The earlier files, oldest first.
        read: Yields the id and the content of each record of a file.
    """

    def __init__(
        self, files: Iterable[Path], read: Callable[[Path], Iterator[tuple[str, bytes]]]
    ) -> None:
        self._files = list(files)
        self._read = read
        self._digests: dict[str, bytes] | None = None

    def has_id(self, record_id: str) -> bool:
        """Whether any version of a record is known."""
        return record_id in self._loaded()

    def is_same(self, record_id: str, content: bytes) -> bool:
        """Whether this is the newest known version of a record."""
        return self._loaded().get(record_id) == _digest(content)

    def _loaded(self) -> dict[str, bytes]:
        if self._digests is None:
            self._digests = {
                record_id: _digest(content)
                for file in self._files
                for record_id, content in self._read(file)
            }
        return self._digests


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
