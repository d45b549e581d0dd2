"""What the metrics are, and the names of the dimensions by which they can be grouped."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from ingest.errors import UsageError

GRAINS = ("day", "week", "month", "quarter", "year")
TIME = "metric_time"
_WORDS_OUTSIDE_QUOTES = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|([A-Za-z_]\w*)")

Json = dict[str, Any]


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


class Definitions:
    """The metrics and dimensions of a project.

    Args:
        manifest: The text of dbt's `semantic_manifest.json`.
    """

    def __init__(self, manifest: str) -> None:
        self.manifest: Json = json.loads(manifest)
        self._metrics: dict[str, Json] = {one["name"]: one for one in self.manifest["metrics"]}
        self.models: list[Json] = self.manifest["semantic_models"]

    @property
    def names(self) -> list[str]:
        """All metrics, in alphabetical order."""
        return sorted(self._metrics)

    def definition(self, name: str) -> Definition:
        """What a metric is.

        Raises:
            UsageError: There is no such metric.
        """
        (name,) = self.known([name])
        metric = self._metrics[name]
        meta = self.meta(name)
        return Definition(
            name=name,
            label=metric["label"],
            description=" ".join(metric["description"].split()),
            unit=meta["unit"],
            good=meta["good"],
            marts=tuple(sorted({_table(model) for model, _ in self._measures(name)})),
            dimensions=tuple(self.dimensions([name])),
            needs=tuple(meta.get("needs", ())),
            needs_time=self.is_cumulative(name),
        )

    def dimensions(self, names: Sequence[str]) -> list[str]:
        """The names by which all of these metrics can be grouped and filtered."""
        sets = [
            set(self._dimensions_of(model, measure))
            for name in self.known(names)
            for model, measure in self._measures(name)
        ]
        return sorted(set.intersection(*sets))

    # What a metric is made of

    def known(self, names: Sequence[str]) -> list[str]:
        """The names, each once, if they are all metrics.

        Raises:
            UsageError: One is not.
        """
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
            for model in self.models
            for measure in model["measures"]
        }

    def meta(self, name: str) -> Json:
        """The `meta` of a metric, which dbt leaves with the measure if it makes it from one."""
        metric = self._metrics[name]
        found: Json = metric["config"]["meta"]
        if not found and (measure := metric["type_params"]["measure"]):
            found = self._measures_by_name[measure["name"]][1]["config"]["meta"]
        return found

    def is_cumulative(self, name: str) -> bool:
        """Whether a metric looks back from a day over a window."""
        is_one = self._metrics[name]["type"] == "cumulative"
        return is_one or any(map(self.is_cumulative, self._inputs(name)))

    # By what it can be grouped

    def _dimensions_of(self, model: Json, measure: Json) -> Iterator[str]:
        wanted = measure["agg_time_dimension"] or model["defaults"]["agg_time_dimension"]
        grain = next(_grain(one) for one in model["dimensions"] if one["name"] == wanted)
        yield from (f"{TIME}__{one}" for one in GRAINS[GRAINS.index(grain) :])
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
                for other in self.models:
                    if other is not model and _is_key(other, name):
                        yield from self._reachable(other, (*path, name))

    @cached_property
    def _kinds(self) -> dict[str, Json]:
        """Time dimensions by entity and name."""
        return {
            f"{_own_entity(model)}__{one['name']}": one
            for model in self.models
            for one in model["dimensions"]
            if one["type"] == "time"
        }

    def whole_name(self, names: Sequence[str], name: str) -> str:
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
            return f"{TIME}__{name}" if f"{TIME}__{name}" in known else None
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

    def condition(self, names: Sequence[str], text: str) -> str:
        """A condition as MetricFlow's template, unless it is one."""
        return text if "{{" in text else _WORDS_OUTSIDE_QUOTES.sub(self._templater(names), text)

    def _templater(self, names: Sequence[str]) -> Any:
        def template(found: re.Match[str]) -> str:
            word = found[1]
            if word is None:
                return found[0]
            name = self.whole_name(names, word) if "__" in word else self._resolved(names, word)
            return self._template(name) if name else word

        return template

    def _template(self, name: str) -> str:
        base, _, grain = name.rpartition("__")
        if base == TIME or (grain in GRAINS and self._grain_of(base)):
            return f"{{{{ TimeDimension('{base}', '{grain}') }}}}"
        if own := self._grain_of(name):
            return f"{{{{ TimeDimension('{name}', '{own}') }}}}"
        entities = {one["name"] for model in self.models for one in model["entities"]}
        kind = "Entity" if name.rsplit("__", 1)[-1] in entities else "Dimension"
        return f"{{{{ {kind}('{name}') }}}}"


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
