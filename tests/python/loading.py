"""An extracts folder and a warehouse to load it into, for the loader's tests."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ingest.load import BatchReport, load_batches

BATCH = "2026-05-31"
ACCOUNT = "Id,IsDeleted,Name,CreatedDate,SystemModstamp"
ACCOUNT_ROW = "001Hp00002g1VGjIAM,false,Acme,2023-10-28T20:45:25.000Z,2023-10-28T20:45:25.000Z"


class Loading:
    """Writes files of batches, loads them, and reads what came of it."""

    def __init__(self, folder: Path) -> None:
        self.extracts = folder / "extracts"
        self.warehouse = folder / "warehouse.duckdb"
        self.extracts.mkdir()

    def write(self, name: str, content: str | bytes, batch: str = BATCH) -> Path:
        """Write a file of a batch; compressed when its name ends with .gz."""
        path = self.extracts / batch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
        return path

    def write_json(self, name: str, *records: object, batch: str = BATCH) -> Path:
        """Write records one a line."""
        return self.write(name, "".join(json.dumps(r) + "\n" for r in records), batch)

    def load(
        self,
        *,
        replace: bool = False,
        encoding: str | None = None,
        batch_ids: Sequence[str] | None = None,
    ) -> list[BatchReport]:
        """Load everything and make sure that no record went missing."""
        reports = list(
            load_batches(
                self.extracts,
                self.warehouse,
                replace=replace,
                encoding=encoding,
                batch_ids=batch_ids,
                quiet=True,
            )
        )
        assert all(r.rows_read == r.rows_landed + r.rows_rejected for r in reports)
        assert not self.rows(
            "select * from raw_audit.files where rows_read <> rows_landed + rows_rejected"
        )
        return reports

    def load_one(self, *, replace: bool = False, encoding: str | None = None) -> BatchReport:
        """Load the only batch."""
        (report,) = self.load(replace=replace, encoding=encoding)
        return report

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """The rows of a query."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def value(self, query: str) -> object:
        """The one value of a query."""
        ((value,),) = self.rows(query)
        return value

    def rejects(self) -> list[tuple[object, ...]]:
        """File, row, field, reason and text of each rejected record."""
        return self.rows(
            "select source_file, source_row, field, reason, record"
            " from raw_audit.rejected_records order by all"
        )

    def files(self) -> dict[object, tuple[object, ...]]:
        """Status, and records read, landed and rejected, by file."""
        found = self.rows(
            "select source_file, status, rows_read, rows_landed, rows_rejected from raw_audit.files"
        )
        return {name: tuple(rest) for name, *rest in found}


def customer(number: int, **fields: object) -> dict[str, object]:
    """A Stripe customer."""
    return {"id": f"cus_{number}", "object": "customer", "created": 1_700_000_000, **fields}


def track(number: int, **fields: object) -> dict[str, object]:
    """A Segment track message."""
    return {
        "type": "track",
        "messageId": f"m{number}",
        "userId": "u1",
        "event": "Document Uploaded",
        "receivedAt": "2026-05-30T10:00:00.000Z",
        **fields,
    }
