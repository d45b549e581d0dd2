"""The data quality report as a page: HTML that needs nothing but itself, and Markdown."""

import re
from dataclasses import dataclass
from html import escape

_NUMBER = re.compile(r"-?[\d,]+(\.\d+)?")
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #e0e1e6;
  --paper: #ffffff; --band: #f7f7f9; --link: #0b5cad; --ok: #18794e; --warn: #8f5200;
  --fail: #c4242b; --ok-bg: #e4f6ec; --warn-bg: #fff1d6; --fail-bg: #ffe9e9; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #a5a9b0; --line: #33373d;
  --paper: #111315; --band: #191b1f; --link: #78b4ff; --ok: #4cc38a; --warn: #f5b946;
  --fail: #ff8589; --ok-bg: #11291e; --warn-bg: #33260a; --fail-bg: #3a1518; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .25rem; scroll-margin-top: 1rem; }
p { margin: .35rem 0 .9rem; max-width: 46rem; color: var(--soft); }
a { color: var(--link); }
nav { display: flex; flex-wrap: wrap; gap: .35rem 1.1rem; margin-top: 1.1rem; }
.status { display: inline-block; border-radius: .3rem; padding: .05rem .45rem; font-size: .8125rem;
  font-weight: 600; vertical-align: .1em; }
.ok { color: var(--ok); background: var(--ok-bg); }
.warn { color: var(--warn); background: var(--warn-bg); }
.fail { color: var(--fail); background: var(--fail-bg); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { padding: .4rem .55rem; text-align: left; vertical-align: top; white-space: nowrap; }
th { background: var(--band); color: var(--soft); font-weight: 600; white-space: normal;
  vertical-align: bottom; }
tr + tr td, thead + tbody tr td { border-top: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.long { white-space: normal; min-width: 16rem; overflow-wrap: anywhere; }
.empty { color: var(--soft); }
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a section; `total` says how many rows there are where not all are shown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        title: its heading, which its links are made of too.
        status: ok, warn or fail.
        summary: what the table says, in a sentence.
        table: the rows.
    """

    title: str
    status: str
    summary: str
    table: Table


@dataclass(frozen=True, slots=True)
class Report:
    """The page: `as_of` is the warehouse's own day."""

    as_of: str
    status: str
    sections: tuple[Section, ...]


def html(report: Report, home: str = "") -> str:
    """The page as HTML, with a link to the page `home` where there is one."""
    links = f'<a href="{escape(home)}">Overview</a>' if home else ""
    links += "".join(
        f'<a href="#{_anchor(section)}">{escape(section.title)}</a>' for section in report.sections
    )
    sections = "".join(map(_html_section, report.sections))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Data quality as of {escape(report.as_of)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>Data quality {_badge(report.status)}</h1>
<p>As of {escape(report.as_of)}, the warehouse's own date.</p>
<nav>{links}</nav>
</header>
<main>{sections}
</main>
</body>
</html>
"""


def markdown(report: Report) -> str:
    """The page as Markdown."""
    lines = [f"# Data quality: {report.status}", "", f"As of {report.as_of}.", ""]
    lines += [f"- [{s.title}](#{_anchor(s)}): {s.status}. {s.summary}" for s in report.sections]
    for section in report.sections:
        lines += ["", f"## {section.title}", "", section.summary]
        if section.table.rows:
            right = _numeric(section.table)
            rule = ("---:" if is_right else "---" for is_right in right)
            lines += ["", _row(section.table.columns), _row(tuple(rule))]
            lines += [_row(row) for row in section.table.rows]
            lines += ["", _rest(section.table)] if _rest(section.table) else []
    return "\n".join(lines) + "\n"


def _html_section(section: Section) -> str:
    heading = (
        f'\n<section>\n<h2 id="{_anchor(section)}">{escape(section.title)}'
        f" {_badge(section.status)}</h2>\n<p>{escape(section.summary)}</p>"
    )
    table = section.table
    if not table.rows:
        return f"{heading}\n</section>"
    right = _numeric(table)
    head = "".join(
        _element("th", "number" if is_right else "", escape(column))
        for column, is_right in zip(table.columns, right, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(
            _cell(column, value, is_right=is_right)
            for column, value, is_right in zip(table.columns, row, right, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    rest = f"\n<p>{_rest(table)}</p>" if _rest(table) else ""
    return (
        f'{heading}\n<div class="scroll" tabindex="0"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>{rest}\n</section>"
    )


def _cell(column: str, value: str, *, is_right: bool) -> str:
    if column == "status":
        return f"<td>{_badge(value)}</td>"
    kind = "number" if is_right else "long" if len(value) > 40 else ""
    return _element("td", kind, escape(value))


def _element(tag: str, kind: str, content: str) -> str:
    classes = f' class="{kind}"' if kind else ""
    return f"<{tag}{classes}>{content}</{tag}>"


def _badge(status: str) -> str:
    colour = {"fresh": "ok", "absent": "", "late": "warn", "error": "fail"}.get(status, status)
    return f'<span class="status {escape(colour)}">{escape(status)}</span>'


def _anchor(section: Section) -> str:
    return section.title.lower().replace(" ", "-")


def _numeric(table: Table) -> list[bool]:
    """Whether each column holds nothing but numbers."""
    return [
        any(values) and all(not value or _NUMBER.fullmatch(value) for value in values)
        for values in zip(*table.rows, strict=True)
    ]


def _row(values: tuple[str, ...]) -> str:
    cells = (
        value.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;") for value in values
    )
    return f"| {' | '.join(cells)} |"


def _rest(table: Table) -> str:
    left = table.total - len(table.rows)
    return f"{left:,} more are in the warehouse." if left else ""
