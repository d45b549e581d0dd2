"""Records of many files written one a line to one plain file, which DuckDB then reads in bulk.

Hundreds of tiny compressed files cost DuckDB far more than one large plain one. Every line of the
spool is known by its place (file and line number), so a row can say where it came from.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest.load import documents, reading
from ingest.load.staging import Reject

SPOOL_BYTES = 256 << 20
MAX_LINE_BYTES = 16 << 20
# Never part of JSON text as it is, so a column separator that no record holds.
SEPARATOR = b"\x01"

_BOM = b"\xef\xbb\xbf"
_ODD_STARTS = (b"\n", b" ", b"\t")


@dataclass(frozen=True, slots=True)
class Place:
    """A run of spool lines: `count` records of a file, at lines `row`, `row + 1`, … of it."""

    source_file: str
    row: int
    count: int


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """A file to spool: `lines` when each line is a record, else JSON documents to take apart.

    `name` is its path relative to the batch.
    """

    name: str
    path: Path
    lines: bool
    unwrap: documents.Unwrap


@dataclass(slots=True)
class Spool:
    """One full spool, valid until the next is asked for."""

    path: Path
    places: list[Place] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    size: int = 0

    @property
    def is_empty(self) -> bool:
        return not self.places and not self.rejects


def spools(files: Iterable[SpoolFile], path: Path, limit: int = SPOOL_BYTES) -> Iterator[Spool]:
    """Write the files' records to `path`, spool after spool of about `limit` bytes.

    Raises:
        RefusedError: a file cannot be decompressed whole.
    """
    spool = Spool(path)
    out = path.open("wb")
    try:
        for file in files:
            for row, count, data in _runs(file, spool.rejects):
                out.write(data)
                spool.size += len(data)
                _note(spool.places, Place(file.name, row, count))
                if spool.size >= limit:
                    out.close()
                    yield spool
                    spool = Spool(path)
                    out = path.open("wb")
        out.close()
        yield spool
    finally:
        out.close()
        path.unlink(missing_ok=True)


def _note(places: list[Place], place: Place) -> None:
    last = places[-1] if places else None
    if last and last.source_file == place.source_file and last.row + last.count == place.row:
        places[-1] = Place(last.source_file, last.row, last.count + place.count)
    else:
        places.append(place)


def _runs(file: SpoolFile, rejects: list[Reject]) -> Iterator[tuple[int, int, bytes]]:
    """Runs of records: the first one's row, how many, and their lines."""
    blocks = _blocks(reading.chunks(file.path))
    return _line_runs(file, blocks, rejects) if file.lines else _documents(file, blocks, rejects)


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes cut at line ends; the last line gets an end if it has none."""
    rest: list[bytes] = []
    first = True
    for chunk in chunks:
        data = chunk.removeprefix(_BOM) if first else chunk
        first = False
        cut = data.rfind(b"\n") + 1
        if cut:
            yield b"".join([*rest, data[:cut]])
            rest = []
        if cut < len(data):
            rest.append(data[cut:])
    if rest:
        yield b"".join(rest) + b"\n"


def _line_runs(
    file: SpoolFile, blocks: Iterable[bytes], rejects: list[Reject]
) -> Iterator[tuple[int, int, bytes]]:
    row = 1
    for sent in blocks:
        block = sent.replace(b"\r\n", b"\n") if b"\r" in sent else sent
        count = block.count(b"\n")
        if _is_plain(block):
            yield row, count, block
        else:
            for number, line in enumerate(block.split(b"\n")[:-1], start=row):
                if record := _one_line(file, number, line, rejects):
                    yield number, 1, record
        row += count


def _is_plain(block: bytes) -> bool:
    """Whether every line can be handed on as it is; errs on the side of no."""
    if (
        block.startswith(_ODD_STARTS)
        or b"\r" in block
        or SEPARATOR in block
        or len(block) > MAX_LINE_BYTES
        or any(b"\n" + start in block for start in _ODD_STARTS)
    ):
        return False
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _one_line(file: SpoolFile, row: int, line: bytes, rejects: list[Reject]) -> bytes | None:
    """The line as the spool wants it, or nothing when it is blank or was rejected."""
    if not line.strip():
        return None
    reason = None
    if len(line) > MAX_LINE_BYTES:
        reason = f"longer than {MAX_LINE_BYTES >> 20} MB"
    elif SEPARATOR in line:
        reason = "not JSON: a control character"
    else:
        try:
            line.decode()
        except UnicodeDecodeError as error:
            reason = f"not UTF-8 at byte {error.start + 1}"
    if reason:
        text = line.decode(errors="backslashreplace")
        rejects.append(Reject(file.name, row, "", reason, text))
        return None
    return line.replace(b"\r", b" ") + b"\n"


def _documents(
    file: SpoolFile, blocks: Iterable[bytes], rejects: list[Reject]
) -> Iterator[tuple[int, int, bytes]]:
    """Records numbered as they come, of documents on lines of their own or over several lines."""
    text = b"".join(blocks)
    row = 0
    for document in _document_texts(text):
        try:
            records = list(file.unwrap(document.decode()))
        except (ValueError, RecursionError) as error:
            row += 1
            record = document.decode(errors="backslashreplace")
            rejects.append(Reject(file.name, row, "", f"not JSON: {error}", record))
            continue
        for record in records:
            row += 1
            line = re.sub(r"[\r\n]+", " ", record).encode()
            if kept := _one_line(file, row, line, rejects):
                yield row, 1, kept


def _document_texts(text: bytes) -> Iterator[bytes]:
    """Each line where the first is a document; else each value; else, not being JSON, the lines."""
    lines = [line for line in text.split(b"\n") if line.strip()]
    if lines and not _is_json(lines[0]):
        try:
            yield from [value.encode() for value in documents.values(text.decode())]
        except (ValueError, RecursionError):
            # Fragments of one broken document say less than the document.
            yield from lines if any(map(_is_json, lines)) else [text]
        return
    yield from lines


def _is_json(line: bytes) -> bool:
    try:
        next(documents.values(line.decode()))
    except (ValueError, RecursionError, StopIteration):
        return False
    return True
