"""The board's questions with their answers: a chart, a conclusion and the rows of each query.

The order, the labels and the chart are in the `meta` of `analyses/board/board.yml`. The conclusions
are templates in `conclusions.j2` beside the queries, so that no sentence outlives its figures.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ingest.build import PROJECT
from ingest.docs.dashboards.cards import card
from ingest.docs.dashboards.figures import Figures, plain
from ingest.docs.dashboards.spec import Item, values

Node = dict[str, Any]
Row = dict[str, Any]

NO_ROWS = "The warehouse holds nothing to answer this with yet."
_SHOWN_ROWS = 24
# Keeps the order of the rows in a chart.
_PLACE = "place"


@dataclass(frozen=True, slots=True)
class Answer:
    """A board question with its answer from this warehouse.

    Attributes:
        name: of the analysis.
        question: as Markdown.
        conclusion: the answer in a sentence or two.
        path: of the query, relative to the project's root.
        sql: the compiled query.
        item: the chart.
        figures: the rows of the chart.
        columns: labels of the answer's columns, each with whether it holds numbers.
        rows: the first rows of the answer, as text.
        row_count: the number of all rows of the answer.
    """

    name: str
    question: str
    conclusion: str
    path: str
    sql: str
    item: Item
    figures: Figures
    columns: list[tuple[str, bool]]
    rows: list[list[str]]
    row_count: int

    @property
    def card(self) -> str:
        """The element that is filled with the chart."""
        return card(self.item, self.figures)


def answers(connection: duckdb.DuckDBPyConnection, nodes: Iterable[Node]) -> list[Answer]:
    """The answers to the questions.

    Args:
        connection: an open warehouse, or its published marts.
        nodes: the analyses, compiled, in their order.
    """
    templates = conclusions()
    return [_answer(connection, node, templates) for node in nodes]


def _answer(connection: duckdb.DuckDBPyConnection, node: Node, templates: Environment) -> Answer:
    result = connection.execute(node["compiled_code"])
    names = [str(name) for name, *_ in result.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    meta = node["config"]["meta"]
    labels = meta["labels"]
    return Answer(
        name=node["name"],
        question=node["description"],
        conclusion=conclude(templates, node["name"], rows),
        path=node["original_file_path"],
        sql=node["compiled_code"].strip(),
        item=_item(node["name"], meta["chart"], labels),
        figures=Figures(
            columns={
                name: [_quarter_or(name, row[name], plain(name, row[name])) for row in rows]
                for name in names
            }
            | {_PLACE: list(range(len(rows)))},
            sql=node["compiled_code"].strip(),
            description=node["description"],
            sources=tuple(sorted(one.split(".")[-1] for one in node["depends_on"]["nodes"])),
        ),
        columns=[
            (labels[name], any(map(_is_number, (row[name] for row in rows)))) for name in names
        ],
        rows=[[shown(name, row[name]) for name in names] for row in rows[:_SHOWN_ROWS]],
        row_count=len(rows),
    )


def _item(name: str, chart: Mapping[str, Any], labels: Mapping[str, str]) -> Item:
    """The chart as a figure of a dashboard."""
    options = {key: chart[key] for key in chart if key not in {"kind", "title", "values"}}
    return Item(
        kind=chart["kind"],
        title=chart["title"],
        data=name,
        values=tuple(
            {"label": labels[one["name"]], **one}
            for one in values(f"board, {name}", chart["values"])
        ),
        options={"x_label": labels[chart["x"]], "x_order": _PLACE, "width": "wide", **options},
    )


def conclude(templates: Environment, name: str, rows: Sequence[Row]) -> str:
    """The conclusion from the rows of an answer."""
    if not rows:
        return NO_ROWS
    macro = getattr(templates.get_template("conclusions.j2").module, name)
    return " ".join(str(macro(list(rows))).split())


def conclusions() -> Environment:
    """The templates, with what they say figures with and choose rows by."""
    found = Environment(  # noqa: S701  plain text, which the page escapes
        loader=FileSystemLoader(PROJECT / "analyses/board"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "usd": lambda value: (
            "-" if value is None else f"{'-' if value < 0 else ''}${abs(value):,.0f}"
        ),
        "rate": lambda value: "-" if value is None else f"{value:.1%}",
        "ratio": lambda value: "-" if value is None else f"{value:,.1f} times",
        "count": lambda value: f"{value:,}",
        "number": lambda value: f"{value:,.0f}",
        "quarter": _quarter,
        "words": lambda text: str(text).replace("_", " "),
        "known": lambda rows, name: [row for row in rows if row[name] is not None],
        "highest": lambda rows, name: max(rows, key=lambda row: row[name], default=None),
        "lowest": lambda rows, name: min(rows, key=lambda row: row[name], default=None),
        "largest": lambda pairs: max(pairs, key=lambda pair: abs(pair[1] or 0)),
        "weighted": _weighted,
    }
    return found


def _weighted(rows: Iterable[Row], name: str, weight: str) -> float | None:
    """The average of a column weighted by another, over the rows that have it."""
    known = [row for row in rows if row[name] is not None and row[weight]]
    total = float(sum(row[weight] for row in known))
    return sum(float(row[name]) * float(row[weight]) for row in known) / total if total else None


def _quarter(day: date) -> str:
    return f"{day.year} Q{(day.month + 2) // 3}"


def _quarter_or(name: str, value: object, other: object) -> object:
    """A quarter by its name, for a column that holds the quarters' first days; else the other."""
    return _quarter(value) if "quarter" in name and isinstance(value, date) else other


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal)


def shown(column: str, value: object) -> str:
    """A value as text: dollars without cents, shares as percentages, null as a hyphen."""
    if value is None:
        return "-"
    if column.endswith("_rate") and isinstance(value, int | float | Decimal):
        return f"{value:.1%}"
    if column.endswith("_usd") and isinstance(value, int | float | Decimal):
        return f"{value:,.0f}"
    if isinstance(value, float | Decimal):
        return f"{value:,.1f}"
    if isinstance(value, int) and column.endswith("_count"):
        return f"{value:,}"
    return str(_quarter_or(column, value, value))
