"""A Salesforce CSV as a DuckDB table of text cells: in bulk when it is clean, else row by row."""

import codecs
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TextIO

import duckdb

from ingest.load import reading
from ingest.load.recognise import Recognised
from ingest.load.target import KEPT_BYTES, MAX_RECORD_BYTES, TOO_LONG
from ingest.load.values import literal

_BUFFER_BYTES = 32 << 20
_SKIPPED_AT_ONCE = 1 << 20

# Takes a rejected record's number, reason and text.
Rejecting = Callable[[int, str, str], None]


@dataclass(slots=True)
class Cells:
    """What a file turned out to be.

    Attributes:
        encoding: how its bytes became text.
        sql: the records as SQL's table of their number `n` from 1, and `c0`, `c1`, … as text.
        records: how many that are.
    """

    encoding: str
    sql: str = ""
    records: int = 0


def read(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    taken_for: Recognised,
    spool: Path,
    reject: Rejecting,
) -> Cells:
    """Read the cells of a file.

    Args:
        connection: an open warehouse.
        path: the file.
        taken_for: its header, delimiter and encoding.
        spool: where its text goes, for `raw_records` to read again.
        reject: called with each record that has no cells to speak of.

    Raises:
        RefusedError: the file cannot be decompressed whole.
    """
    encoding, is_whole = _to_utf8(path, taken_for, spool)
    cells = Cells(encoding)
    header = taken_for.header
    clean = None
    if is_whole and len(set(header)) == len(header):
        clean = _read_clean(connection, taken_for, spool)
    if clean:
        cells.sql = f"""(
            select *, file_row_number + 1 as n
            from read_parquet({literal(str(clean))}, file_row_number = true)
        )"""
    else:
        careful = _read_carefully(connection, taken_for, spool, encoding, reject)
        cells.sql = f"read_parquet({literal(str(careful))})"
    counted = connection.execute(f"select count(*) from {cells.sql}").fetchone()
    cells.records = counted[0] if counted else 0
    return cells


def raw_records(spool: Path, delimiter: str) -> Iterator[tuple[int, str]]:
    """Number and text, exactly as exported, of each record."""
    return ((number, printable(text)) for number, _, text in _records(spool, delimiter))


def printable(text: str) -> str:
    """Text whose undecodable bytes are written as escapes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _to_utf8(path: Path, taken_for: Recognised, spool: Path) -> tuple[str, bool]:
    """Write the file's text as UTF-8; returns the encoding and whether the text is valid.

    It is invalid if a byte does not fit the encoding or a quote is never closed: DuckDB would
    silently drop the record.
    """
    # The Data Export service writes ISO-8859-1 unless Setup names another encoding.
    guesses = ["utf-8-sig"]
    if taken_for.encoding:
        guesses = [taken_for.encoding]
    elif taken_for.dialect == "export":
        guesses += ["cp1252", "iso-8859-1"]
    for guess in guesses:
        decoder = codecs.getincrementaldecoder(guess)()
        quotes = 0
        try:
            with spool.open("wb") as out:
                for chunk in chain(reading.chunks(path), [b""]):
                    text = decoder.decode(chunk, final=not chunk)
                    quotes += text.count('"')
                    out.write(text.encode())
        except UnicodeDecodeError:
            continue
        return guess.removesuffix("-sig"), quotes % 2 == 0
    with spool.open("wb") as out:
        out.writelines(reading.chunks(path))
    return guesses[-1].removesuffix("-sig"), False


def _read_clean(
    connection: duckdb.DuckDBPyConnection, taken_for: Recognised, spool: Path
) -> Path | None:
    columns = ", ".join(f"c{index}: 'VARCHAR'" for index in range(len(taken_for.header)))
    source = f"""
        select * from read_csv(
            {literal(str(spool))}, columns = {{{columns}}}, auto_detect = false,
            header = true, delim = {literal(taken_for.delimiter)}, quote = '"', escape = '"',
            strict_mode = true, parallel = false,
            max_line_size = {MAX_RECORD_BYTES}, buffer_size = {_BUFFER_BYTES}
        )
    """
    try:
        return _write_cells(connection, source, spool)
    except duckdb.InvalidInputException:
        return None


def _write_cells(connection: duckdb.DuckDBPyConnection, source: str, spool: Path) -> Path:
    """A query's rows as a file; on a connection of its own, for an error ends a transaction."""
    path = spool.with_suffix(".parquet")
    with connection.cursor() as cursor:
        cursor.execute(f"copy ({source}) to {literal(str(path))} (format parquet)")
    return path


def _read_carefully(
    connection: duckdb.DuckDBPyConnection,
    taken_for: Recognised,
    spool: Path,
    encoding: str,
    reject: Rejecting,
) -> Path:
    header = taken_for.header
    repeated = sorted({name for name in header if header.count(name) > 1})
    rows = spool.with_suffix(".rows")
    longest = MAX_RECORD_BYTES
    with rows.open("wb") as out:
        for number, values, text in _records(spool, taken_for.delimiter):
            sent = printable(text)
            reason = ""
            if values is None:
                reason = TOO_LONG
            elif repeated:
                reason = f"the header has {', '.join(repeated)} more than once"
            elif sent != text:
                reason = f"not {encoding.upper()}"
            elif len(values) != len(header):
                reason = f"{len(values)} values under a header of {len(header)}"
            if reason:
                reject(number, reason, sent)
                continue
            line = json.dumps({"n": number, "v": values}, ensure_ascii=False).encode() + b"\n"
            longest = max(longest, len(line))
            out.write(line)
    columns = ", ".join(f"v[{index + 1}] as c{index}" for index in range(len(header)))
    source = f"""
        select n, {columns}
        from read_json(
            {literal(str(rows))}, format = 'newline_delimited',
            columns = {{n: 'BIGINT', v: 'VARCHAR[]'}}, maximum_object_size = {longest}
        )
    """
    path = _write_cells(connection, source, spool)
    rows.unlink()
    return path


def _records(spool: Path, delimiter: str) -> Iterator[tuple[int, list[str] | None, str]]:
    """Record number, values and raw text of every record after the header.

    A record that is too long has no values, and only the beginning of its text.
    """
    limit = csv.field_size_limit(MAX_RECORD_BYTES)
    try:
        with spool.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            lines = _Lines(text)
            number = -1
            while not lines.are_over:
                try:
                    for values in csv.reader(lines, delimiter=delimiter):
                        record = lines.taken()
                        number += bool(values)
                        if values and number:
                            yield number, values, record.rstrip("\r\n")
                except _TooLongError:
                    number += 1
                    yield number, None, lines.skipped()[:KEPT_BYTES]
    finally:
        csv.field_size_limit(limit)


class _TooLongError(Exception):
    """A record is longer than any that is read."""


class _Lines:
    """The lines of a CSV, which remembers those of the record at hand."""

    def __init__(self, text: TextIO) -> None:
        self.are_over = False
        self._text = text
        self._of_record: list[str] = []
        self._size = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_RECORD_BYTES)
        if not line:
            self.are_over = True
            raise StopIteration
        self._of_record.append(line)
        self._size += len(line)
        if self._size >= MAX_RECORD_BYTES:
            raise _TooLongError
        return line

    def taken(self) -> str:
        """The text of the record at hand, which ends here."""
        text = "".join(self._of_record)
        self._of_record.clear()
        self._size = 0
        return text

    def skipped(self) -> str:
        """The beginning of a record that is too long, of which the rest is read past."""
        beginning = last = self.taken()
        quotes = beginning.count('"')
        while last and not (quotes % 2 == 0 and last.endswith(("\n", "\r"))):
            last = self._text.readline(_SKIPPED_AT_ONCE)
            quotes += last.count('"')
        return beginning
