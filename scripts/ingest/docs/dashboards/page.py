"""Dashboards as pages of the site."""

import calendar
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment

from ingest.docs.dashboards.cards import HEAD, SCRIPTS, card, copy_assets, page_data, question
from ingest.docs.dashboards.cubes import cube
from ingest.docs.dashboards.figures import Column, Figures, query
from ingest.docs.dashboards.spec import Data, dashboards
from ingest.errors import UsageError
from ingest.load import warehouse
from ingest.load.values import quoted
from ingest.metrics import Metrics

Node = dict[str, Any]


def write(
    out: Path,
    templates: Environment,
    connection: duckdb.DuckDBPyConnection,
    target: Path,
    as_of: str,
    *,
    has_names: bool = False,
) -> None:
    """Write every dashboard and the files that they share.

    Args:
        out: the folder of the site.
        templates: of the site, with its globals.
        connection: the warehouse or its published copy.
        target: dbt's folder, with the compiled analyses and the metrics.
        as_of: the warehouse's as-of date.
        has_names: show names of accounts, deals and people.
    """
    copy_assets(out)
    pages = dashboards()
    source = _Source(
        connection=connection,
        metrics=Metrics((target / "semantic_manifest.json").read_text()),
        analyses=_analyses(json.loads((target / "manifest.json").read_text())),
        as_of=as_of,
        has_names=has_names,
    )
    known: dict[Data, Figures] = {}
    for page in pages:
        held = {}
        for name, data in page.data.items():
            if data not in known:
                known[data] = source.figures(data)
            held[name] = known[data]
        text = templates.get_template("dashboard.html").render(
            page=page.name,
            dashboard=page,
            dashboards=pages,
            head=HEAD,
            scripts=SCRIPTS,
            cards={item.id: card(item, held[item.data], held) for item in page.items},
            data=page_data(held, as_of, last_month=_closed(as_of)),
        )
        (out / f"{page.name}.html").write_text(text, encoding="utf-8")


@contextmanager
def marts(warehouse_path: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A connection to the published marts, else to the warehouse, and the as-of date.

    The published copy is never locked by a build, and the queries of the project read it under the
    name of the warehouse.

    Raises:
        WarehouseError: neither can be opened.
    """
    copy = warehouse.published(warehouse_path)
    if not copy.is_file():
        with warehouse.opened(warehouse_path, read_only=True) as connection:
            yield connection, _as_of(connection)
        return
    with duckdb.connect() as connection:
        warehouse.attach(connection, copy, warehouse_path.stem)
        connection.execute(f"use {quoted(warehouse_path.stem)}")
        yield connection, _as_of(connection)


def _as_of(connection: duckdb.DuckDBPyConnection) -> str:
    """The day of the figures, as the marts have it; `never` before the first batch."""
    ((day,),) = connection.execute(
        "select cast(max(as_of_at) as date) from quality.dq_source_freshness"
    ).fetchall()
    return day.isoformat() if day else "never"


@dataclass(frozen=True, slots=True)
class _Source:
    """What the figures come from."""

    connection: duckdb.DuckDBPyConnection
    metrics: Metrics
    analyses: Mapping[str, Node]
    as_of: str
    has_names: bool

    def figures(self, data: Data) -> Figures:
        """The rows of a data set.

        Raises:
            UsageError: there is no such metric, dimension or query.
        """
        if data.metrics:
            last_month = _closed(self.as_of)
            return cube(self.connection, self.metrics, data, last_month, has_names=self.has_names)
        node = self.analyses.get(data.query)
        if node is None:
            raise UsageError(f"dashboards: there is no query {data.query} in analyses/dashboard")
        renamed = {data.month: "month", data.day: "day"}
        sql = node["compiled_code"]
        columns = query(self.connection, sql, renamed=renamed, has_names=self.has_names)
        return Figures(
            columns=_until(columns, self.as_of) if data.day else columns,
            sql=sql.strip(),
            description=question(node["raw_code"]),
            sources=tuple(sorted(one.split(".")[-1] for one in node["depends_on"]["nodes"])),
            is_cube=data.is_cube,
        )


def _analyses(manifest: Node) -> dict[str, Node]:
    nodes = manifest["nodes"].values()
    return {node["name"]: node for node in nodes if node["resource_type"] == "analysis"}


def _until(columns: Mapping[str, Column], as_of: str) -> dict[str, Column]:
    kept = [index for index, day in enumerate(columns["day"]) if day <= as_of]
    return {name: [values[index] for index in kept] for name, values in columns.items()}


def _closed(as_of: str) -> str:
    """The last month that has ended by the as-of date, as `2026-09`; else empty."""
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        return ""
    if day.day < calendar.monthrange(day.year, day.month)[1]:
        day = date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)
    return day.isoformat()[:7]
