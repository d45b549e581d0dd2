"""How far a command is, on a terminal; nothing anywhere else."""

import os
import sys

from ingest.text import one_line, unfiltered

_WIDTH = 30


class Progress:
    """A bar on standard error that is wiped when the work is done."""

    def __init__(self, title: str, total: int, *, quiet: bool) -> None:
        self._title = one_line(title)
        self._total = max(total, 1)
        self._done = 0
        self.is_shown = sys.stderr.isatty() and not quiet and not os.environ.get("CI")

    def advance(self, amount: int) -> None:
        """More of the total is done."""
        self._done += amount
        if self.is_shown:
            share = min(self._done / self._total, 1.0)
            bar = ("#" * round(share * _WIDTH)).ljust(_WIDTH, ".")
            self._write(f"\r{self._title}  [{bar}] {share:4.0%}")

    def expect(self, total: int) -> None:
        """The total, where the work itself finds it."""
        self._total = max(total, 1)

    def close(self) -> None:
        """Wipe the bar."""
        if self.is_shown:
            self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        """Write the bar, whose control characters are its own."""
        stream = unfiltered(sys.stderr)
        stream.write(text)
        stream.flush()
