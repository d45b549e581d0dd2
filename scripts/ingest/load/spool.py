"""Records of many files written one a line to one plain file, which DuckDB then reads in bulk.

Hundreds of tiny compressed files cost DuckDB more than one large plain one, and a row has to say
where it came from: every line of a spool starts with its file's number and its own.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count, groupby
from operator import add, attrgetter
from pathlib import Path
from typing import BinaryIO

from ingest.load import documents, reading
from ingest.load.errors import RefusedError
from ingest.load.target import (
    KEPT_BYTES,
    MANY_REJECTS,
    MAX_RECORD_BYTES,
    TOO_LONG,
    Reject,
    Rejects,
)
from ingest.load.values import literal

# A document is in memory whole, once as it is and once as its records.
MAX_DOCUMENT_BYTES = 256 << 20

# Not part of JSON text as it is, so what separates the columns of a spool.
_SEPARATOR = b"\x01"
_BOM = b"\xef\xbb\xbf"
# A shorter line is blank, or at least worth a look.
_SHORTEST_RECORD = 8
# DuckDB's JSON functions run out of stack, and take the process with them, somewhere above 5,000
# levels, for which a line needs as many bytes.
_MAX_NESTING = 1000
_DEEP_BYTES = 4096
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
# DuckDB writes rows in groups of 122,880. An insert of several groups goes to disk at once and is
# never written again; smaller ones are held in memory until the commit and merged after it.
_SPOOL_LINES = 8 * 122_880
_SPOOL_BYTES = 1 << 30
_PREFIX_BYTES = 64
# So many spools are written before they are asked for: Stripe's last is a short one.
_AHEAD = 2
_MIN_BUFFER_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """A file to spool.

    Attributes:
        source: the vendor.
        name: its path relative to the batch.
        path: of the file on disk.
        by_lines: whether each line is a record; otherwise JSON documents to unpack.
        unwrap: yields the records of a document.
    """

    source: str
    name: str
    path: Path
    by_lines: bool
    unwrap: documents.Unwrap


@dataclass(slots=True)
class Spool:
    """One spool: lines of file number, row and record.

    Attributes:
        source: whose records they are.
        path: the spool on disk.
        names: the files, by number.
        records: how many records of each file are in it, by name.
        rejects: records that are not in it, being no text that DuckDB could read.
        size: its bytes.
        longest: the bytes of its longest line.
    """

    source: str
    path: Path
    names: dict[int, str] = field(default_factory=dict)
    records: Counter[str] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)
    size: int = 0
    longest: int = 0
    _out: BinaryIO | None = None

    @property
    def sql(self) -> str:
        """The spool as SQL's table of `file`, `row` and `line`."""
        longest = self.longest + _PREFIX_BYTES
        return f"""read_csv(
            {literal(str(self.path))},
            columns = {{file: 'INTEGER', row: 'BIGINT', line: 'VARCHAR'}}, auto_detect = false,
            header = false, delim = {literal(_SEPARATOR.decode())}, quote = '', escape = '',
            comment = '', new_line = '\\n', max_line_size = {longest},
            buffer_size = {max(_MIN_BUFFER_BYTES, 2 * longest)}
        )"""

    def add(self, number: int, name: str, rows: Iterable[int], lines: Sequence[bytes]) -> None:
        """Write records of a file, which has this number in the spool."""
        if self._out is None:
            self._out = self.path.open("wb")
        prefix = (b"%d%b%%d%b" % (number, _SEPARATOR, _SEPARATOR)).__mod__
        self.size += self._out.write(b"\n".join(map(add, map(prefix, rows), lines)) + b"\n")
        self.longest = max(self.longest, *map(len, lines))
        self.names[number] = name
        self.records[name] += len(lines)

    def closed(self, rejects: Rejects | None = None) -> "Spool":
        """The spool, ready to be read, with the rejects up to here."""
        (self._out or self.path.open("wb")).close()
        self.rejects += rejects.taken() if rejects else []
        return self


@contextmanager
def spooled(
    files: Iterable[SpoolFile], folder: Path, *, file_bytes: Mapping[str, int]
) -> Iterator[Iterator[Spool]]:
    """Write the files' records to one spool after another, from here on.

    The next spools are written while the caller works on one, or on something else before the
    first; a spool is gone when the next is asked for.

    Args:
        files: what to write, in order; those of a source one after another.
        folder: where to.
        file_bytes: by source, a spool that has as much at the end of a file is not continued.

    Raises:
        RefusedError: a file cannot be decompressed whole.
    """
    with closing(_written(files, folder, file_bytes)) as written, ThreadPoolExecutor(1) as writer:
        ahead = deque(writer.submit(next, written, None) for _ in range(_AHEAD))

        def spools() -> Iterator[Spool]:
            while spool := ahead.popleft().result():
                ahead.append(writer.submit(next, written, None))
                yield spool
                spool.path.unlink()

        yield spools()


def _written(
    files: Iterable[SpoolFile], folder: Path, file_bytes: Mapping[str, int]
) -> Generator[Spool, None, None]:
    # The one before may still be read, so each has a name of its own.
    paths = (folder / f"{number}.spool" for number in count())
    for source, of_source in groupby(files, attrgetter("source")):
        yield from _written_of(source, of_source, paths, file_bytes[source])


def _written_of(
    source: str, files: Iterable[SpoolFile], paths: Iterator[Path], file_bytes: int
) -> Generator[Spool, None, None]:
    rejects = Rejects()
    spool = Spool(source, next(paths))
    try:
        for file_number, file in enumerate(files):
            for rows, lines in _runs(file, rejects):
                start = 0
                while start < len(lines):
                    end = start + _SPOOL_LINES - spool.records.total()
                    spool.add(file_number, file.name, rows[start:end], lines[start:end])
                    start = end
                    if spool.records.total() == _SPOOL_LINES or spool.size >= _SPOOL_BYTES:
                        yield spool.closed(rejects)
                        spool = Spool(source, next(paths))
                if rejects.are_many:
                    yield spool.closed(rejects)
                    spool = Spool(source, next(paths))
            if spool.size >= file_bytes:
                yield spool.closed(rejects)
                spool = Spool(source, next(paths))
        yield spool.closed(rejects)
    finally:
        spool.closed(rejects)


def _runs(file: SpoolFile, rejects: Rejects) -> Iterator[tuple[Sequence[int], list[bytes]]]:
    """Runs of records with their rows."""
    chunks = _without_bom(reading.chunks(file.path))
    if file.by_lines:
        return _line_runs(file, _blocks(chunks), rejects)
    return _documents(file, _whole(file.path, chunks), rejects)


def _without_bom(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield next(chunks, b"").removeprefix(_BOM)
    yield from chunks


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes cut at line ends; the last line gets an end if it has none.

    Of a line that is too long, no more is kept than shows it. It ends its block.
    """
    rest: list[bytes] = []
    held = 0
    for chunk in chunks:
        data = chunk
        if held > MAX_RECORD_BYTES:
            end = data.find(b"\n") + 1
            if not end:
                continue
            yield b"".join(rest)[: MAX_RECORD_BYTES + 1] + b"\n"
            rest, held = [], 0
            data = data[end:]
        cut = data.rfind(b"\n") + 1
        if cut:
            yield b"".join([*rest, data[:cut]])
            rest, held = [], 0
        if cut < len(data):
            rest.append(data[cut:])
            held += len(data) - cut
    if rest:
        yield b"".join(rest)[: MAX_RECORD_BYTES + 1] + b"\n"


def _whole(path: Path, chunks: Iterable[bytes]) -> bytes:
    """The content of a file that is not read line by line."""
    pieces = []
    size = 0
    for chunk in chunks:
        pieces.append(chunk)
        size += len(chunk)
        if size > MAX_DOCUMENT_BYTES:
            raise RefusedError(
                f"{path}: a JSON document of more than {MAX_DOCUMENT_BYTES >> 20} MB; write each"
                " record on a line of its own, for example with `jq -c '.[]'`"
            )
    return b"".join(pieces)


def _line_runs(
    file: SpoolFile, blocks: Iterable[bytes], rejects: Rejects
) -> Iterator[tuple[Sequence[int], list[bytes]]]:
    row = 1
    for sent in blocks:
        if not sent.strip():
            row += sent.count(b"\n")
            continue
        block = sent.replace(b"\r\n", b"\n") if b"\r" in sent else sent
        lines = block.split(b"\n")[:-1]
        rows = range(row, row + len(lines))
        row += len(lines)
        if _is_plain(block, lines):
            yield rows, lines
            continue
        for start in range(0, len(lines), MANY_REJECTS):
            some = slice(start, start + MANY_REJECTS)
            kept = [
                (number, text)
                for number, line in zip(rows[some], lines[some], strict=True)
                if (text := _checked(file, number, line, rejects))
            ]
            yield [number for number, _ in kept], [text for _, text in kept]


def _is_plain(block: bytes, lines: Sequence[bytes]) -> bool:
    """Whether every line can be handed on as it is; errs on the side of no."""
    return (
        len(block) <= MAX_RECORD_BYTES
        and min(map(len, lines)) >= _SHORTEST_RECORD
        and _SEPARATOR not in block
        and b"\r" not in block
        and (block.isascii() or _first_undecodable(block) is None)
        and not any(len(line) > _DEEP_BYTES and _is_deep(line) for line in lines)
    )


def _is_deep(line: bytes) -> bool:
    """Whether objects and lists lie in one another deeper than DuckDB can follow."""
    if line.count(b"{") + line.count(b"[") <= _MAX_NESTING:
        return False
    depth = 0
    for character in _STRING.sub(b"", line):
        if character in b"{[":
            depth += 1
            if depth > _MAX_NESTING:
                return True
        elif character in b"}]":
            depth -= 1
    return False


def _first_undecodable(line: bytes) -> int | None:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _checked(file: SpoolFile, row: int, line: bytes, rejects: Rejects) -> bytes | None:
    """The line as the spool wants it; nothing when it is blank or was rejected."""
    text = line.strip()
    if not text:
        return None
    reason = ""
    if len(line) > MAX_RECORD_BYTES:
        reason = TOO_LONG
    elif _SEPARATOR in text:
        reason = "not JSON: a control character"
    elif (at := _first_undecodable(line)) is not None:
        reason = f"not UTF-8 at byte {at + 1}"
    elif len(text) > _DEEP_BYTES and _is_deep(text):
        reason = f"nested deeper than {_MAX_NESTING} levels"
    if reason:
        rejects.add(_rejected(file, row, reason, line))
        return None
    return text.replace(b"\r", b" ")


def _rejected(file: SpoolFile, row: int, reason: str, record: bytes) -> Reject:
    kept = record if len(record) <= MAX_RECORD_BYTES else record[:KEPT_BYTES]
    return Reject(file.name, row, "", reason, kept.decode(errors="backslashreplace"))


def _documents(
    file: SpoolFile, content: bytes, rejects: Rejects
) -> Iterator[tuple[Sequence[int], list[bytes]]]:
    """Records numbered as they come, of documents on one line each or over several lines."""
    row = 0
    for document in _document_texts(content):
        try:
            records = list(file.unwrap(document.decode()))
        except (ValueError, RecursionError) as error:
            row += 1
            rejects.add(_rejected(file, row, f"not JSON: {error}", document))
            continue
        for record in records:
            row += 1
            # Line ends between the tokens of a record are mere space.
            line = record.replace("\r", " ").replace("\n", " ").encode()
            if text := _checked(file, row, line, rejects):
                yield [row], [text]


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
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
