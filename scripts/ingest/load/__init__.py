"""Loads vendors' extracts into the raw schemas of a DuckDB file, and keeps the audit of it.

Append-only: a changed record is a new row. A batch lands whole or not at all, the same file lands
once, and every record read is either landed or kept in `raw_audit.rejected_records`.
"""

from ingest.load.batches import Batch, discover
from ingest.load.commands import load, status
from ingest.load.errors import NothingUsableError, RefusedError, WarehouseError
from ingest.load.landing import BatchReport
from ingest.load.run import load_batch, load_batches, pending

__all__ = [
    "Batch",
    "BatchReport",
    "NothingUsableError",
    "RefusedError",
    "WarehouseError",
    "discover",
    "load",
    "load_batch",
    "load_batches",
    "pending",
    "status",
]
