"""The data quality report as a page: HTML that loads nothing from elsewhere, and Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from ingest.docs.navigation import Entry
from ingest.docs.pages import environment
from ingest.text import markdown_text

_NUMBER = re.compile(r"-?[\d,]+(\.\d+)?")
_BLOCKS = "▁▂▃▄▅▆▇█"
# Pixels of a sparkline, with room for the dots.
_WIDTH, _HEIGHT, _ROOM = 132, 26, 3


@dataclass(frozen=True, slots=True)
class Spark:
    """A series in the size of a word, oldest first; `marked` are the places of unusual values."""

    values: tuple[float, ...]
    marked: tuple[int, ...] = ()

    @property
    def words(self) -> str:
        """The series for those who do not see it."""
        if not self.values:
            return "no values"
        unusual = f", {len(self.marked)} unusual" if self.marked else ""
        return (
            f"{len(self.values)} values{unusual}: first {self.values[0]:,.0f},"
            f" last {self.values[-1]:,.0f}, lowest {min(self.values):,.0f},"
            f" highest {max(self.values):,.0f}"
        )

    @property
    def blocks(self) -> str:
        """The series in block characters, from 0 to its highest value."""
        highest = max((*self.values, 0)) or 1
        last = len(_BLOCKS) - 1
        return "".join(_BLOCKS[round(max(value, 0) / highest * last)] for value in self.values)

    @property
    def svg(self) -> Markup:
        """The series as a line from 0 to its highest value, with a dot at unusual ones."""
        highest, lowest = max((*self.values, 0)), min((*self.values, 0))
        step = (_WIDTH - 2 * _ROOM) / max(len(self.values) - 1, 1)
        scale = (_HEIGHT - 2 * _ROOM) / ((highest - lowest) or 1)
        places = [
            (round(_ROOM + number * step, 1), round(_HEIGHT - _ROOM - (value - lowest) * scale, 1))
            for number, value in enumerate(self.values)
        ]
        line = " ".join(f"{x:g},{y:g}" for x, y in places)
        dots = Markup("").join(
            Markup('<circle class="unusual" cx="{:g}" cy="{:g}" r="2.6"/>').format(*places[place])
            for place in self.marked
        )
        end = Markup('<circle cx="{:g}" cy="{:g}" r="1.8"/>').format(*places[-1]) if places else ""
        return Markup(
            '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>'
            '<polyline points="{}"/>{}{}</svg>'
        ).format(_WIDTH, _HEIGHT, self.words, self.words, line, end, dots)


Cell = str | Spark


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a section; `total` counts all rows, of which `rows` may be only the first."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds only numbers."""
        return [
            any(values)
            and all(
                not value or (isinstance(value, str) and _NUMBER.fullmatch(value))
                for value in values
            )
            for values in zip(*self.rows, strict=True)
        ]

    @property
    def rest(self) -> str:
        """A sentence about the rows that are left out; empty if there are none."""
        left = self.total - len(self.rows)
        return f"{left:,} more are in the warehouse." if left else ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        title: the heading, from which its anchor is derived.
        status: ok, warn or fail.
        summary: the table in one sentence.
        table: the rows.
        trends: series of the section as a whole, each with what it shows.
    """

    title: str
    status: str
    summary: str
    table: Table
    trends: tuple[tuple[str, Spark], ...] = field(default=())

    @property
    def anchor(self) -> str:
        """The heading's id in the page."""
        return self.title.lower().replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Report:
    """The page: `as_of` is the warehouse's own date."""

    as_of: str
    status: str
    sections: tuple[Section, ...]


def html(report: Report, navigation: Sequence[Entry] = ()) -> str:
    """The page as HTML, with the navigation of the site in whose folder it is, if any."""
    return environment().get_template("report.html").render(report=report, navigation=navigation)


def markdown(report: Report) -> str:
    """The page as Markdown."""
    lines = [f"# Data quality: {report.status}", "", f"As of {report.as_of}.", ""]
    lines += [f"- [{s.title}](#{s.anchor}): {s.status}. {s.summary}" for s in report.sections]
    for section in report.sections:
        lines += ["", f"## {section.title}", "", section.summary]
        for label, trend in section.trends:
            lines += ["", f"{label}: {trend.blocks} ({trend.words})"]
        table = section.table
        if table.rows:
            rule = ("---:" if is_number else "---" for is_number in table.numeric)
            lines += ["", _row(table.columns), _row(tuple(rule))]
            lines += [_row(row) for row in table.rows]
            lines += ["", table.rest] if table.rest else []
    return "\n".join(lines) + "\n"


def _row(values: tuple[Cell, ...]) -> str:
    texts = (value.blocks if isinstance(value, Spark) else value for value in values)
    return f"| {' | '.join(map(markdown_text, texts))} |"
