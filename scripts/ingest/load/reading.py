"""The bytes of a file as they were before compression, and whether they are all there."""

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

from ingest.load.errors import RefusedError

GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 22
_GZIP_WINDOW = 31  # zlib's code for "a gzip stream, checksum verified"


def checksum(path: Path) -> str:
    """SHA-256 of the file as it lies on disk, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_gzip(path: Path) -> bool:
    """Whether the content, whatever the name says, is compressed."""
    with path.open("rb") as file:
        return file.read(2) == GZIP_MAGIC


def chunks(path: Path, size: int = _CHUNK) -> Iterator[bytes]:
    """The decompressed content in pieces of at most `size` bytes.

    DuckDB reads a truncated or corrupt gzip stream to its end without a word, so the loader
    decompresses itself.

    Raises:
        RefusedError: the stream ends early or its checksum is wrong.
    """
    with path.open("rb") as file:
        compressed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        raw = iter(lambda: file.read(size), b"")
        yield from _inflated(raw, path, size) if compressed else raw


def _inflated(raw: Iterator[bytes], path: Path, size: int) -> Iterator[bytes]:
    """The content of gzip streams in pieces of at most `size` bytes."""
    stream = zlib.decompressobj(_GZIP_WINDOW)
    for piece in raw:
        data = piece
        has_more = False
        while data or has_more:
            if stream.eof:
                # Gzip files may be several streams in a row, and may be padded with zeros.
                data = data.lstrip(b"\0")
                if not data:
                    break
                stream = zlib.decompressobj(_GZIP_WINDOW)
            try:
                inflated = stream.decompress(data, size)
            except zlib.error as error:
                raise RefusedError(f"{path}: the gzip stream is corrupt ({error})") from error
            if inflated:
                yield inflated
            data = stream.unused_data if stream.eof else stream.unconsumed_tail
            # A full piece may leave content behind even when all compressed bytes are read.
            has_more = len(inflated) == size and not stream.eof
    if not stream.eof:
        raise RefusedError(f"{path}: the gzip file ends early; fetch it again")


def head(path: Path, size: int = 1 << 16) -> tuple[bytes, RefusedError | None]:
    """The first bytes of the decompressed content, and what is wrong with the stream so far."""
    data = b""
    try:
        for piece in chunks(path, size):
            data += piece
            if len(data) >= size:
                break
    except RefusedError as error:
        return data, error
    return data, None
