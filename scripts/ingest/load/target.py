"""Where a batch lands, and what its rows and rejected records carry."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

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
    """A record that is kept aside, whole, with the reason; `field` is empty for the whole."""

    source_file: str
    source_row: int
    field: str
    reason: str
    record: str
