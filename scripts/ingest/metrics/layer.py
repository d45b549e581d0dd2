"""Metrics by name: their definitions, and their figures by any dimension.

MetricFlow writes the SQL in this process from what dbt has read of `models/semantic`, and any
connection to the marts runs it. Nothing is sent anywhere.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import duckdb

from ingest.errors import IngestError, UsageError
from ingest.load import warehouse

# MetricFlow takes two seconds to import and dbt more, so each is imported where it is needed.
# ruff: noqa: PLC0415

PROJECT = Path(__file__).resolve().parents[3]
GRAINS = ("day", "week", "month", "quarter", "year")
_TIME = "metric_time"
_WORDS_OUTSIDE_QUOTES = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|([A-Za-z_]\w*)")

Json = dict[str, Any]
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """What a metric is.

    Attributes:
        name: As in queries.
        label: As in headings.
        description: The formula and its unit.
        unit: `usd`, `count`, `rate` (0 to 1), `ratio`, `days` or `points`.
        good: Whether a higher figure is good news: `up`, `down` or `none`.
        marts: The tables that it is read from, as `schema.name`.
        dimensions: The names by which it can be grouped and filtered.
        needs: Those without which it has no meaning.
        needs_time: Whether it has a figure only for a day or a longer period.
    """

    name: str
    label: str
    description: str
    unit: str
    good: str
    marts: tuple[str, ...]
    dimensions: tuple[str, ...]
    needs: tuple[str, ...]
    needs_time: bool


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a query, with columns named after dimensions and metrics."""

    columns: tuple[str, ...]
    rows: list[Row]


class Metrics:
    """The metrics of a project.

    Args:
        manifest: The text of dbt's `semantic_manifest.json`.

    Example:
        >>> metrics = Metrics.of_project(Path("data/warehouse.duckdb"))  # doctest: +SKIP
        >>> metrics.query(connection, ["mrr", "nrr"], by=["month", "segment"])  # doctest: +SKIP
    """

    def __init__(self, manifest: str) -> None:
        self._manifest: Json = json.loads(manifest)
        self._metrics: dict[str, Json] = {one["name"]: one for one in self._manifest["metrics"]}
        self._models: list[Json] = self._manifest["semantic_models"]

    @classmethod
    def of_project(cls, warehouse_path: Path) -> "Metrics":
        """The metrics of this project, which dbt reads again if they have changed.

        Args:
            warehouse_path: The DuckDB file, whose path dbt needs to read the project.
        """
        return _of_project(warehouse_path)

    @property
    def names(self) -> list[str]:
        """All metrics, in alphabetical order."""
        return sorted(self._metrics)

    def definition(self, name: str) -> Definition:
        """What a metric is.

        Raises:
            UsageError: There is no such metric.
        """
        (name,) = self._known([name])
        metric = self._metrics[name]
        meta = self._meta(name)
        return Definition(
            name=name,
            label=metric["label"],
            description=" ".join(metric["description"].split()),
            unit=meta["unit"],
            good=meta["good"],
            marts=tuple(sorted({_table(model) for model, _ in self._measures(name)})),
            dimensions=tuple(self.dimensions([name])),
            needs=tuple(meta.get("needs", ())),
            needs_time=self._is_cumulative(name),
        )

    def dimensions(self, names: Sequence[str]) -> list[str]:
        """The names by which all of these metrics can be grouped and filtered."""
        sets = [
            set(self._dimensions_of(model, measure))
            for name in self._known(names)
            for model, measure in self._measures(name)
        ]
        return sorted(set.intersection(*sets))

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
        names = self._known(names)
        groups = list(dict.fromkeys(self._dimension(names, name) for name in by))
        conditions = [self._condition(names, text) for text in where]
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
        rows = [tuple(map(_day, row)) for row in found.fetchall()]
        return Result(columns, _without_repeated_groups(rows, len(columns) - len(set(names))))

    # What a metric is made of

    def _known(self, names: Sequence[str]) -> list[str]:
        if not names:
            raise UsageError("name a metric; `python -m ingest metric --list` shows them all")
        for name in names:
            if name not in self._metrics:
                raise UsageError(
                    f"there is no metric {name!r}{_near(name, self._metrics)}; "
                    "`python -m ingest metric --list` shows them all"
                )
        return list(dict.fromkeys(names))

    def _inputs(self, name: str) -> Iterator[str]:
        """The metrics that a metric is computed from."""
        params = self._metrics[name]["type_params"]
        for one in (params["numerator"], params["denominator"], *(params["metrics"] or ())):
            if one:
                yield one["name"]

    def _measures(self, name: str) -> Iterator[tuple[Json, Json]]:
        """The measures that a metric adds up, with their semantic models."""
        if measure := self._metrics[name]["type_params"]["measure"]:
            yield self._measures_by_name[measure["name"]]
        for one in self._inputs(name):
            yield from self._measures(one)

    @cached_property
    def _measures_by_name(self) -> dict[str, tuple[Json, Json]]:
        return {
            measure["name"]: (model, measure)
            for model in self._models
            for measure in model["measures"]
        }

    def _meta(self, name: str) -> Json:
        """The `meta` of a metric, which dbt leaves with the measure if it makes it from one."""
        metric = self._metrics[name]
        found: Json = metric["config"]["meta"]
        if not found and (measure := metric["type_params"]["measure"]):
            found = self._measures_by_name[measure["name"]][1]["config"]["meta"]
        return found

    def _is_cumulative(self, name: str) -> bool:
        is_one = self._metrics[name]["type"] == "cumulative"
        return is_one or any(map(self._is_cumulative, self._inputs(name)))

    # By what it can be grouped

    def _dimensions_of(self, model: Json, measure: Json) -> Iterator[str]:
        wanted = measure["agg_time_dimension"] or model["defaults"]["agg_time_dimension"]
        grain = next(_grain(one) for one in model["dimensions"] if one["name"] == wanted)
        yield from (f"{_TIME}__{one}" for one in GRAINS[GRAINS.index(grain) :])
        yield from self._reachable(model, ())

    def _reachable(self, model: Json, path: tuple[str, ...]) -> Iterator[str]:
        """Dimensions of a model, and of those that its entities lead to over at most two joins."""
        names = [entity["name"] for entity in model["entities"]]
        prefix = "__".join(path) or _own_entity(model)
        yield from (f"{prefix}__{one['name']}" for one in model["dimensions"])
        for name in names:
            if name in path:
                continue
            yield "__".join((*path, name))
            if len(path) < 2:
                for other in self._models:
                    if other is not model and _is_key(other, name):
                        yield from self._reachable(other, (*path, name))

    @cached_property
    def _kinds(self) -> dict[str, Json]:
        """Time dimensions by entity and name."""
        return {
            f"{_own_entity(model)}__{one['name']}": one
            for model in self._models
            for one in model["dimensions"]
            if one["type"] == "time"
        }

    def _dimension(self, names: Sequence[str], name: str) -> str:
        """The whole name of a dimension that these metrics have.

        Raises:
            UsageError: They have none of that name, or several.
        """
        found = self._resolved(names, name)
        if found is None:
            known = self.dimensions(names)
            short = {one.rsplit("__", 1)[-1]: one for one in reversed(known)}
            raise UsageError(
                f"{', '.join(names)} cannot be grouped by {name!r}{_near(name, {*known, *short})}; "
                f"`python -m ingest metric {','.join(names)} --list` shows the dimensions"
            )
        return found

    def _resolved(self, names: Sequence[str], name: str) -> str | None:
        known = self.dimensions(names)
        base, _, grain = name.rpartition("__")
        if name in known or (grain in GRAINS and base in known and self._grain_of(base)):
            return name
        if name in GRAINS:
            return f"{_TIME}__{name}" if f"{_TIME}__{name}" in known else None
        if "__" in name:
            return None
        ends = [one for one in known if one.endswith(f"__{name}")]
        fewest = min((one.count("__") for one in ends), default=0)
        nearest = [one for one in ends if one.count("__") == fewest]
        # A metric's own dimension comes before one of the same name that a join leads to.
        owners = {_own_entity(model) for one in names for model, _ in self._measures(one)}
        nearest = [one for one in nearest if one.split("__")[0] in owners] or nearest
        if len(nearest) > 1:
            raise UsageError(f"{name!r} may be {' or '.join(nearest)}; name one of them")
        return nearest[0] if nearest else None

    def _grain_of(self, dimension: str) -> str | None:
        """The grain of a time dimension."""
        found = self._kinds.get("__".join(dimension.split("__")[-2:]))
        return _grain(found) if found else None

    def _condition(self, names: Sequence[str], text: str) -> str:
        """A condition as MetricFlow's template, unless it is one."""
        return text if "{{" in text else _WORDS_OUTSIDE_QUOTES.sub(self._templater(names), text)

    def _templater(self, names: Sequence[str]) -> Any:
        def template(found: re.Match[str]) -> str:
            word = found[1]
            if word is None:
                return found[0]
            name = self._dimension(names, word) if "__" in word else self._resolved(names, word)
            return self._template(name) if name else word

        return template

    def _template(self, name: str) -> str:
        base, _, grain = name.rpartition("__")
        if base == _TIME or (grain in GRAINS and self._grain_of(base)):
            return f"{{{{ TimeDimension('{base}', '{grain}') }}}}"
        if own := self._grain_of(name):
            return f"{{{{ TimeDimension('{name}', '{own}') }}}}"
        entities = {one["name"] for model in self._models for one in model["entities"]}
        kind = "Entity" if name.rsplit("__", 1)[-1] in entities else "Dimension"
        return f"{{{{ {kind}('{name}') }}}}"

    # Queries

    def _check_needs(
        self, names: Sequence[str], groups: Sequence[str], conditions: Sequence[str]
    ) -> None:
        has_time = any(one.startswith(f"{_TIME}__") for one in groups)
        for name in names:
            if not has_time and self._is_cumulative(name):
                raise UsageError(f"{name} looks back from a day; add a period, such as --by month")
            for need in self._meta(name).get("needs", ()):
                if need not in groups and not any(need in one for one in conditions):
                    raise UsageError(f"{name} has a meaning for each {need} alone; add --by {need}")

    def _order(
        self, names: Sequence[str], groups: Sequence[str], order: Sequence[str]
    ) -> list[str]:
        chosen = []
        for one in order:
            name = one.removeprefix("-")
            column = name if name in names else self._dimension(names, name)
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

        spines = self._manifest["project_configuration"]["time_spines"]
        for one in (*self._models, *spines):
            # The marts have the same names in every file that holds them.
            relation = one["node_relation"]
            relation["database"] = None
            relation["relation_name"] = f'"{relation["schema_name"]}"."{relation["alias"]}"'
        manifest = parse_manifest_from_dbt_generated_manifest(json.dumps(self._manifest))
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


def _without_repeated_groups(rows: Iterable[Row], width: int) -> list[Row]:
    """One row per group: MetricFlow joins metrics by their dimensions, and null never equals null.

    Args:
        rows: Rows with the dimensions in their first columns.
        width: The number of dimensions.
    """
    found: dict[Row, Row] = {}
    for row in rows:
        before = found.get(row[:width], row)
        found[row[:width]] = tuple(
            new if old is None else old for old, new in zip(before, row, strict=True)
        )
    return list(found.values())


def _table(model: Json) -> str:
    relation = model["node_relation"]
    return f"{relation['schema_name']}.{relation['alias']}"


def _grain(dimension: Json) -> str:
    grain: str = dimension["type_params"]["time_granularity"]
    return grain


def _own_entity(model: Json) -> str | None:
    primary = (one["name"] for one in model["entities"] if one["type"] == "primary")
    return model["primary_entity"] or next(primary, None)


def _is_key(model: Json, entity: str) -> bool:
    """Whether each value of an entity has at most one row in a model."""
    return any(
        one["name"] == entity and one["type"] in ("primary", "unique") for one in model["entities"]
    )


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=4, cutoff=0.5)
    return f"; did you mean {', '.join(near)}?" if near else ""


def _day(value: object) -> object:
    """A period's first instant as a date."""
    is_midnight = isinstance(value, datetime) and value.time() == time.min
    return value.date() if isinstance(value, datetime) and is_midnight else value
