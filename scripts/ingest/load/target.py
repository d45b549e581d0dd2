"""Where a batch lands, and what its rows and rejected records carry."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

# A longer record is rejected, and of its text the beginning is kept.
MAX_RECORD_BYTES = 16 << 20
TOO_LONG = f"longer than {MAX_RECORD_BYTES >> 20} MB"
KEPT_BYTES = 64 << 10
# Rejected records are in memory until they land, so only so many wait for it.
MANY_REJECTS = 100_000
_MANY_REJECT_BYTES = 64 << 20

# By source, object and field (`properties.plan` for a nested one): the types seen.
Fields = defaultdict[tuple[str, str, str], set[str]]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every row of a batch carries about its loading; instants are UTC without a zone."""

    batch_id: str
    extracted_at: datetime
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """Where a batch lands.

    Attributes:
        connection: an open warehouse, in a transaction.
        stamp: what every row carries.
        fields: gathers the fields seen and their types.
        scratch: a folder for what is on its way.
    """

    connection: duckdb.DuckDBPyConnection
    stamp: Stamp
    fields: Fields
    scratch: Path


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that is kept aside with the reason; `field` is empty for the whole.

    Of a record that is too long, `record` has the beginning.
    """

    source_file: str
    source_row: int
    field: str
    reason: str
    record: str


@dataclass(slots=True)
class Rejects:
    """Rejected records that have not landed yet."""

    waiting: list[Reject] = field(default_factory=list)
    size: int = 0

    @property
    def are_many(self) -> bool:
        """Whether they should land before more are added."""
        return len(self.waiting) >= MANY_REJECTS or self.size >= _MANY_REJECT_BYTES

    def add(self, reject: Reject) -> None:
        """Add one."""
        self.waiting.append(reject)
        self.size += len(reject.record)

    def taken(self) -> list[Reject]:
        """All of them, which leaves none."""
        taken, self.waiting, self.size = self.waiting, [], 0
        return taken
