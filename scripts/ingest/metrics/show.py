"""The command `ingest metric`: metrics as a table, as CSV, as SQL, or their definitions."""

import csv
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from ingest.load import warehouse
from ingest.metrics import Metrics


def metric(
    warehouse_path: Path,
    names: Sequence[str],
    *,
    by: Sequence[str] = (),
    where: Sequence[str] = (),
    order: Sequence[str] = (),
    limit: int | None = None,
    form: str | None = None,
    marts_path: Path | None = None,
) -> None:
    """Print metrics as a table, as `csv`, or as the query, `sql`.

    The warehouse, or another file with its marts, is opened for reading only.

    Raises:
        UsageError: A name is unknown.
        WarehouseError: There is no warehouse, or another process is writing to it.
    """
    metrics = Metrics.of_project(warehouse_path)
    if form == "sql":
        print(metrics.sql(names, by, where=where, order=order, limit=limit))
        return
    path = marts_path or warehouse_path
    warehouse.require(path)
    with warehouse.opened(path, read_only=True) as connection:
        result = metrics.query(connection, names, by, where=where, order=order, limit=limit)
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows(result.rows)
        return
    units = {name: metrics.definition(name).unit for name in names}
    shown = [
        [
            _shown(value, units.get(column))
            for column, value in zip(result.columns, row, strict=True)
        ]
        for row in result.rows
    ]
    _print_table(result.columns, shown, units)


def show_definitions(warehouse_path: Path, names: Sequence[str]) -> None:
    """Print all metrics, or what the named ones are and by what they can be grouped."""
    metrics = Metrics.of_project(warehouse_path)
    if not names:
        found = [metrics.definition(name) for name in metrics.names]
        width = max(len(one.name) for one in found)
        for one in found:
            print(f"{one.name:<{width}}  {one.unit:<6}  {one.description}")
    for name in names:
        one = metrics.definition(name)
        print(f"{one.name}: {one.label}\n{one.description}")
        print(f"unit {one.unit}, from {', '.join(one.marts)}; by:")
        print(*(f"  {dimension}" for dimension in one.dimensions), sep="\n")


def _shown(value: object, unit: str | None) -> str:
    """A figure as a person reads it."""
    if value is None:
        return ""
    if unit is None or not isinstance(value, int | float | Decimal):
        return value.isoformat() if isinstance(value, date) else str(value)
    return {
        "usd": f"{value:,.2f}",
        "rate": f"{value:.1%}",
        "count": f"{value:,.0f}",
    }.get(unit, f"{value:,.2f}")


def _print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], units: Mapping[str, str]
) -> None:
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, ["-" * width for width in widths], *rows):
        print(
            *(
                f"{cell:>{width}}" if column in units else f"{cell:<{width}}"
                for column, cell, width in zip(columns, row, widths, strict=True)
            ),
            sep="  ",
        )
