"""Text from extracts, where people read it: on a terminal, in a log, or in Markdown."""

import re
from typing import Any, TextIO

# Controls but for tab and line feed, surrogates (bytes of names that are not UTF-8), the signs that
# reverse the direction of writing, and line separators.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
# What Markdown reads as markup within a line; an underscore inside a word is plain text.
_SIGN = re.compile(r"(?!(?<=[^\W_])_(?=[^\W_]))[#&*<@\[\\\]_`|~]")
_NAMED = {"<": "&lt;", "&": "&amp;", "|": r"\|"}
# What GitHub turns into a link or a mention even where its signs are written as entities.
_LINKED = re.compile(r"(?<=[@#])|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)


def printable(text: str) -> str:
    r"""The text with characters that steer a terminal written as escapes, such as `\x1b`."""
    return _UNPRINTABLE.sub(_escape, text)


def one_line(text: str) -> str:
    r"""The text as `printable`, with line feeds and tabs written as `\n` and `\t` as well."""
    return printable(text).replace("\n", r"\n").replace("\t", r"\t")


def markdown_text(text: str) -> str:
    """The text on one line, for a place where Markdown would read its signs as markup."""
    words = " ".join(printable(text).split())
    parts = _LINKED.split(words)
    return "&#8203;".join(_SIGN.sub(_entity, part) for part in parts)


class Printable:
    """A stream that writes only printable text; everything else is the stream's own.

    Args:
        stream: standard output or standard error.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write the text, escaped, and return its length."""
        self.stream.write(printable(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write the texts, escaped."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def unfiltered(stream: TextIO) -> TextIO:
    """The stream itself, for what steers the terminal on purpose."""
    return stream.stream if isinstance(stream, Printable) else stream


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        # Python's stand-in for a byte that is not UTF-8.
        code -= 0xDC00
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _entity(found: re.Match[str]) -> str:
    return _NAMED.get(found[0]) or f"&#{ord(found[0])};"
