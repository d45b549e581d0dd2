"""The figures of metrics by any dimension.

MetricFlow writes the SQL in this process from what dbt has read of `models/semantic`, and any
connection to the marts runs it. Nothing is sent anywhere.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import duckdb

from ingest.errors import IngestError, UsageError
from ingest.load import warehouse
from ingest.metrics.definitions import TIME, Definitions

# MetricFlow takes a second to import and dbt more, so each is imported where it is needed.
# ruff: noqa: PLC0415

PROJECT = Path(__file__).resolve().parents[3]

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a query, with columns named after dimensions and metrics."""

    columns: tuple[str, ...]
    rows: list[Row]


class Metrics(Definitions):
    """The metrics of a project, with their figures.

    Args:
        manifest: The text of dbt's `semantic_manifest.json`.

    Example:
        >>> metrics = Metrics.of_project(Path("data/warehouse.duckdb"))  # doctest: +SKIP
        >>> metrics.query(connection, ["mrr", "nrr"], by=["month", "segment"])  # doctest: +SKIP
    """

    @classmethod
    def of_project(cls, warehouse_path: Path) -> "Metrics":
        """The metrics of this project, which dbt reads again if they have changed.

        Args:
            warehouse_path: The DuckDB file, whose path dbt needs to read the project.
        """
        return _of_project(warehouse_path)

    def sql(
        self,
        names: Sequence[str],
        by: Sequence[str] = (),
        *,
        where: Sequence[str] = (),
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> str:
        """The query for metrics, to be run on a connection to the warehouse or to its marts.

        Args:
            names: Metrics.
            by: Dimensions, such as `metric_time__month` or `account__segment`. The last part of a
                name is enough where only one dimension has it: `month`, `segment`.
            where: Conditions in SQL on dimensions, such as `segment = 'smb'`.
            order: Columns of the result, with `-` before one for descending; by default `by`.
            limit: The most rows.

        Raises:
            UsageError: A name is unknown, or a metric cannot be grouped by a dimension.
        """
        names = self.known(names)
        groups = list(dict.fromkeys(self.whole_name(names, name) for name in by))
        conditions = [self.condition(names, text) for text in where]
        self._check_needs(names, groups, conditions)
        return self._written(names, groups, conditions, self._order(names, groups, order), limit)

    def query(
        self,
        connection: duckdb.DuckDBPyConnection,
        names: Sequence[str],
        by: Sequence[str] = (),
        *,
        where: Sequence[str] = (),
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> Result:
        """The figures of metrics; see `sql` for the arguments and what it raises.

        Returns:
            One row per group. Amounts are exact decimals and rates are floats, a metric without a
            value is None. Periods are the dates of their first days.

        Raises:
            IngestError: DuckDB rejects the query.
        """
        text = self.sql(names, by, where=where, order=order, limit=limit)
        try:
            found = connection.execute(text)
        except duckdb.Error as error:
            if warehouse.is_damage(str(error)):
                raise
            raise IngestError(f"DuckDB reports: {str(error).splitlines()[0]}") from error
        columns = tuple(column[0] for column in found.description or ())
        return Result(columns, [tuple(map(_day, row)) for row in found.fetchall()])

    def _check_needs(
        self, names: Sequence[str], groups: Sequence[str], conditions: Sequence[str]
    ) -> None:
        has_time = any(one.startswith(f"{TIME}__") for one in groups)
        for name in names:
            if not has_time and self.is_cumulative(name):
                raise UsageError(f"{name} looks back from a day; add a period, such as --by month")
            for need in self.meta(name).get("needs", ()):
                if need not in groups and not any(need in one for one in conditions):
                    raise UsageError(f"{name} has a meaning for each {need} alone; add --by {need}")

    def _order(
        self, names: Sequence[str], groups: Sequence[str], order: Sequence[str]
    ) -> list[str]:
        chosen = []
        for one in order:
            name = one.removeprefix("-")
            column = name if name in names else self.whole_name(names, name)
            if column not in (*names, *groups):
                raise UsageError(f"the result has no column {name!r} to order by")
            chosen.append("-" * one.startswith("-") + column)
        return chosen or list(groups)

    def _written(
        self,
        names: list[str],
        groups: list[str],
        conditions: list[str],
        order: list[str],
        limit: int | None,
    ) -> str:
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest
        from metricflow_semantics.errors.error_classes import InvalidQueryException

        request = MetricFlowQueryRequest.create(
            metric_names=names,
            group_by_names=groups,
            where_constraints=conditions or None,
            order_by_names=order,
            limit=limit,
        )
        try:
            text: str = self._engine.explain(request).sql_statement.without_descriptions.sql
        except InvalidQueryException as error:
            raise UsageError(" ".join(str(error).split())) from error
        return text

    @cached_property
    def _engine(self) -> Any:
        """MetricFlow's engine, made once."""
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
        from metricflow_semantics.model.dbt_manifest_parser import (
            parse_manifest_from_dbt_generated_manifest,
        )
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

        class Writer:
            """What the engine asks of a client that runs nothing."""

            sql_engine_type = SqlEngine.DUCKDB
            sql_plan_renderer = DuckDbSqlPlanRenderer()

        spines = self.manifest["project_configuration"]["time_spines"]
        for one in (*self.models, *spines):
            # The marts have the same names in every file that holds them.
            relation = one["node_relation"]
            relation["database"] = None
            relation["relation_name"] = f'"{relation["schema_name"]}"."{relation["alias"]}"'
        manifest = parse_manifest_from_dbt_generated_manifest(json.dumps(self.manifest))
        client: Any = Writer()
        return MetricFlowEngine(SemanticManifestLookup(manifest), client)


@cache
def _of_project(warehouse_path: Path) -> Metrics:
    path = Path(os.environ.get("DBT_TARGET_PATH") or PROJECT / "target") / "semantic_manifest.json"
    read = [*(PROJECT / "models/semantic").glob("*.yml"), PROJECT / "dbt_project.yml"]
    if not path.exists() or path.stat().st_mtime < max(one.stat().st_mtime for one in read):
        from dbt.contracts.graph.semantic_manifest import SemanticManifest

        from ingest.build import Dbt

        SemanticManifest(Dbt(warehouse_path, "{}").parse()).write_json_to_file(str(path))
    return Metrics(path.read_text())


def _day(value: object) -> object:
    """A period's first instant as a date."""
    is_midnight = isinstance(value, datetime) and value.time() == time.min
    return value.date() if isinstance(value, datetime) and is_midnight else value
