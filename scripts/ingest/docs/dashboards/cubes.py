"""Metrics by month with a row for every choice of the filters, each computed by the database."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations

import duckdb

from ingest.docs.dashboards.figures import UNKNOWN, Column, Figures, named, plain
from ingest.docs.dashboards.spec import Data
from ingest.metrics import Definition, Metrics

_MONTH = "metric_time__month"
_RELATION = re.compile(r'"(\w+)"\."(\w+)"')
# The dimension behind each filter.
_FILTERS = {"segment": "account__segment", "region": "account__region"}


def cube(
    connection: duckdb.DuckDBPyConnection,
    metrics: Metrics,
    data: Data,
    last_month: str,
    *,
    has_names: bool,
) -> Figures:
    """The rows of some metrics by month, by the dimensions of the data set, and by the filters.

    Args:
        connection: the warehouse or its published copy.
        metrics: of the project.
        data: which metrics, by what.
        last_month: the last one to keep, as `2026-09`; a month that has not ended is no figure yet.
        has_names: show names of accounts and people.

    Raises:
        UsageError: a metric or a dimension is unknown.
    """
    dimensions = [_MONTH, *(dimension for _, dimension in data.by)]
    names = ["month", *(name for name, _ in data.by), *data.filters, *data.metrics]
    rows: list[Sequence[object]] = []
    sql = ""
    for chosen in _choices(data.filters):
        groups = [*dimensions, *(_FILTERS[one] for one in chosen)]
        sql = metrics.sql(data.metrics, groups)
        result = connection.execute(sql)
        places = {str(name): place for place, (name, *_) in enumerate(result.description)}
        wanted = [*dimensions, *(_FILTERS[one] for one in data.filters), *data.metrics]
        for row in result.fetchall():
            month = row[places[_MONTH]]
            if month is None or (not data.is_future and _month(month) > last_month):
                continue
            rows.append(
                [
                    _value(
                        name, row[places[column]] if column in places else None, column in groups
                    )
                    for name, column in zip(names, wanted, strict=True)
                ]
            )
    columns: dict[str, Column] = {
        name: [row[place] for row in rows] for place, name in enumerate(names)
    }
    found = {name: metrics.definition(name) for name in data.metrics}
    return Figures(
        columns=named(columns, has_names=has_names),
        sql=sql.strip(),
        definitions={name: _defined(one) for name, one in found.items()},
        sources=marts_of(sql),
        is_cube=True,
    )


def marts_of(sql: str) -> tuple[str, ...]:
    """The marts that a query of metrics reads."""
    return tuple(sorted({name for _, name in _RELATION.findall(sql)}))


def widest(metrics: Metrics, data: Data) -> str:
    """The query of a data set's metrics with every filter chosen."""
    dimensions = [_MONTH, *(dimension for _, dimension in data.by)]
    return metrics.sql(data.metrics, [*dimensions, *(_FILTERS[one] for one in data.filters)])


def _choices(filters: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every set of filters that may be chosen, the largest last."""
    for count in range(len(filters) + 1):
        yield from combinations(filters, count)


def _value(name: str, value: object, is_group: bool) -> object:
    """A value of a row; null means all in a filter that is not chosen, and else unknown."""
    if name == "month" and isinstance(value, date):
        return _month(value)
    return UNKNOWN if is_group and value is None else plain(name, value)


def _month(day: date) -> str:
    return day.isoformat()[:7]


def _defined(one: Definition) -> dict[str, str]:
    """A definition as a card shows it."""
    return {
        "label": one.label,
        "text": one.description,
        "unit": _UNITS.get(one.unit, one.unit),
        "good": one.good,
    }


# How the script formats each unit of a metric.
_UNITS = {"points": "count"}
