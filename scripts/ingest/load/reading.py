"""The bytes of a file as they were before compression, and whether they are all there."""

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

from ingest.load.errors import RefusedError

GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 22
_GZIP_WINDOW = 31  # zlib's code for "a gzip stream, checksum verified"
# zlib copies what it leaves of its input, so it gets little at a time.
_FEED = 1 << 16
# Exports of vendors expand 5 to 80 times, and gzip can expand 1,032 times. A file is refused where
# as many bytes in a row come from so little.
_WINDOW_BYTES = 64 << 20
_MAX_EXPANSION = 200


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
    taken = made = 0
    for piece in raw:
        view = memoryview(piece)
        at = 0
        has_more = False
        while at < len(view) or has_more:
            data = view[at : at + _FEED]
            if stream.eof:
                # Gzip files may be several streams in a row, and may be padded with zeros.
                if not (rest := bytes(data).lstrip(b"\0")):
                    at += len(data)
                    continue
                if not GZIP_MAGIC.startswith(rest[:2]):
                    raise RefusedError(
                        f"{path}: the gzip stream is corrupt (other bytes follow it); fetch the"
                        " file again"
                    )
                at += len(data) - len(rest)
                data = memoryview(rest)
                stream = zlib.decompressobj(_GZIP_WINDOW)
            try:
                inflated = stream.decompress(data, size)
            except zlib.error as error:
                raise RefusedError(f"{path}: the gzip stream is corrupt ({error})") from error
            if inflated:
                yield inflated
            used = len(data) - len(stream.unused_data if stream.eof else stream.unconsumed_tail)
            at += used
            # A full piece may leave content behind even when all compressed bytes are read.
            has_more = len(inflated) == size and not stream.eof
            taken += used
            made += len(inflated)
            if made >= _WINDOW_BYTES:
                _check_expansion(taken, made, path)
                taken = made = 0
    if not stream.eof:
        raise RefusedError(f"{path}: the gzip file ends early; fetch it again")


def _check_expansion(taken: int, made: int, path: Path) -> None:
    if made > taken * _MAX_EXPANSION:
        raise RefusedError(
            f"{path}: {made >> 20} MB of it come from {max(1, taken >> 10)} kB, as in a"
            " decompression bomb; if the content is right, decompress the file and load it again"
        )


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
