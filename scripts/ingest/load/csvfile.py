"""A Salesforce CSV as a DuckDB table of text cells: in bulk when it is clean, else row by row."""

import codecs
import csv
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import duckdb

from ingest.load import reading
from ingest.load.recognise import Recognised
from ingest.load.values import literal

_BUFFER_BYTES = 32 << 20
_MAX_LINE_BYTES = 16 << 20
# The longest text that Salesforce holds in a field is 131,072 characters, Python's default limit.
_MAX_CELL = 1 << 30


@dataclass(slots=True)
class Cells:
    """What a file turned out to be.

    Attributes:
        encoding: how its bytes became text.
        sql: the records as SQL's table of their number `n` from 1, and `c0`, `c1`, … as text.
        records: how many that are.
        rejects: records without cells to speak of, as number, reason and text.
    """

    encoding: str
    sql: str = ""
    records: int = 0
    rejects: list[tuple[int, str, str]] = field(default_factory=list)


def read(
    connection: duckdb.DuckDBPyConnection, path: Path, taken_for: Recognised, spool: Path
) -> Cells:
    """Read the cells of a file.

    Args:
        connection: an open warehouse.
        path: the file.
        taken_for: its header, delimiter and encoding.
        spool: where its text goes, for `raw_records` to read again.

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
        careful = _read_carefully(connection, taken_for, spool, cells)
        cells.sql = f"read_parquet({literal(str(careful))})"
    counted = connection.execute(f"select count(*) from {cells.sql}").fetchone()
    cells.records = counted[0] if counted else 0
    return cells


def raw_records(spool: Path, delimiter: str, wanted: Collection[int]) -> dict[int, str]:
    """The text of some records as it was sent, by record number."""
    return {
        number: printable(text)
        for number, _, text in _records(spool, delimiter)
        if number in wanted
    }


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
            max_line_size = {_MAX_LINE_BYTES}, buffer_size = {_BUFFER_BYTES}
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
    connection: duckdb.DuckDBPyConnection, taken_for: Recognised, spool: Path, cells: Cells
) -> Path:
    header = taken_for.header
    repeated = sorted({name for name in header if header.count(name) > 1})
    rows = spool.with_suffix(".rows")
    longest = _MAX_LINE_BYTES
    with rows.open("w", encoding="ascii") as out:
        for number, values, text in _records(spool, taken_for.delimiter):
            sent = printable(text)
            reason = ""
            if repeated:
                reason = f"the header has {', '.join(repeated)} more than once"
            elif sent != text:
                reason = f"not {cells.encoding.upper()}"
            elif len(values) != len(header):
                reason = f"{len(values)} values under a header of {len(header)}"
            if reason:
                cells.rejects.append((number, reason, sent))
                continue
            line = json.dumps({"n": number, "v": values})
            longest = max(longest, len(line) + 1)
            out.write(line + "\n")
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


def _records(spool: Path, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Record number, values and raw text of every record after the header."""
    limit = csv.field_size_limit(_MAX_CELL)
    try:
        with spool.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            taken: list[str] = []

            def lines() -> Iterator[str]:
                for line in text:
                    taken.append(line)
                    yield line

            number = -1
            for values in csv.reader(lines(), delimiter=delimiter):
                if values:
                    number += 1
                    if number:
                        yield number, values, "".join(taken).rstrip("\r\n")
                taken.clear()
    finally:
        csv.field_size_limit(limit)
