"""Salesforce's records as CSV: pages without what is known, and the files of earlier pulls."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest.pull.errors import PullError
from ingest.pull.job import Known


def page(header: Sequence[str], records: Iterable[Mapping[str, Any]]) -> str:
    """Records of the REST API as a page of the Bulk API."""
    return _csv(header, ([_cell(record[name]) for name in header] for record in records))


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _cell(value: object) -> str:
    """A value as the Bulk API writes it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def new_rows(page: str, known: Known, *, keep_all: bool) -> tuple[int, str]:
    """How many records of a page are new, and the page with these only."""
    rows = list(csv.reader(io.StringIO(page, newline="")))
    header, records = (rows[0], rows[1:]) if rows else ([], [])
    if keep_all or not records:
        return len(records), page
    at = header.index("Id")
    kept = [row for row in records if not known.is_same(row[at], _content(header, row))]
    if len(kept) == len(records):
        return len(records), page
    return len(kept), _csv(header, kept)


def _content(header: Sequence[str], row: Sequence[str]) -> bytes:
    return "\x1f".join(f"{n}={v}" for n, v in sorted(zip(header, row, strict=True))).encode()


def read(path: Path) -> Iterator[tuple[str, bytes]]:
    """The id and the content of each record of a file that a pull wrote."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            header = next(rows)
            at = header.index("Id")
            for row in rows:
                yield row[at], _content(header, row)
    except (OSError, StopIteration, ValueError, IndexError, csv.Error) as error:
        raise PullError(
            f"{path} cannot be read ({error}); restore it, or read everything again with --full"
        ) from error
