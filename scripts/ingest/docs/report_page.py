"""The data quality report as a page: HTML that loads nothing from elsewhere, and Markdown."""

import re
from dataclasses import dataclass

from ingest.docs.pages import environment

_NUMBER = re.compile(r"-?[\d,]+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a section; `total` counts all rows, of which `rows` may be only the first."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds only numbers."""
        return [
            any(values) and all(not value or _NUMBER.fullmatch(value) for value in values)
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
    """

    title: str
    status: str
    summary: str
    table: Table

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


def html(report: Report, home: str = "") -> str:
    """The page as HTML, with a link to the page `home` if it is given."""
    return environment().get_template("report.html").render(report=report, home=home)


def markdown(report: Report) -> str:
    """The page as Markdown."""
    lines = [f"# Data quality: {report.status}", "", f"As of {report.as_of}.", ""]
    lines += [f"- [{s.title}](#{s.anchor}): {s.status}. {s.summary}" for s in report.sections]
    for section in report.sections:
        lines += ["", f"## {section.title}", "", section.summary]
        table = section.table
        if table.rows:
            rule = ("---:" if is_number else "---" for is_number in table.numeric)
            lines += ["", _row(table.columns), _row(tuple(rule))]
            lines += [_row(row) for row in table.rows]
            lines += ["", table.rest] if table.rest else []
    return "\n".join(lines) + "\n"


def _row(values: tuple[str, ...]) -> str:
    cells = (
        value.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;") for value in values
    )
    return f"| {' | '.join(cells)} |"
