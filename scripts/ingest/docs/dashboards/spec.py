"""What a dashboard shows, read from its YAML file and checked.

`dashboards/README.md` lists the keys. A wrong key, kind or name of a data set is an error that
names the file and the figure, so that a page is never written with a hole in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from ingest.build import PROJECT
from ingest.errors import UsageError

FOLDER = PROJECT / "dashboards"
KINDS = ("tile", "lines", "areas", "bars", "ranking", "bridge", "heatmap", "scatter", "table")
PERIODS = ("chosen", "end", "all")
FILTERS = ("segment", "region")

# What a figure may have beside its kind, title, data and values.
_ITEM_KEYS = {
    *("x", "x_label", "x_order", "series", "series_order", "where", "period", "unit", "note"),
    *("empty", "good", "limit", "max", "reference", "stacked", "log", "zero", "diverging"),
    *("labels", "height", "width", "colors", "drill"),
}
_VALUE_KEYS = {"label", "format", "of", "times", "key", "color", "line", "dashed"}
_DATA_KEYS = {"metrics", "query", "by", "filters", "month", "day", "is_cube", "is_future"}
_DRILL_KEYS = {"data", "by", "title", "values"}

# The unit of a column by the end of its name, as all marts name their columns.
_SUFFIXES = {
    "_usd": "usd",
    "_rate": "rate",
    "_count": "count",
    "_days": "days",
    "_ratio": "ratio",
    "_amount": "number",
    "_date": "date",
    "_month": "month",
    "_number": "count",
    "_score": "count",
    "_index": "ratio",
}
# Columns whose values are words joined by underscores.
_WORDS = {"segment", "movement_type", "anomaly_type"}


@dataclass(frozen=True, slots=True)
class Data:
    """Where the rows of some figures come from.

    Attributes:
        metrics: names in the semantic layer; empty for a query.
        query: name of an analysis; empty for metrics.
        by: names of columns, each with the dimension by which the metrics are split, beside months.
        filters: by which of segment and region the metrics can be filtered.
        month: column of the query that the period filters, shown as `month`.
        day: the same for a column of days, shown as `day`.
        is_cube: whether the query has a row for every choice of the filters, null meaning all.
        is_future: keep months that have not ended.
    """

    metrics: tuple[str, ...] = ()
    query: str = ""
    by: tuple[tuple[str, str], ...] = ()
    filters: tuple[str, ...] = ()
    month: str = ""
    day: str = ""
    is_cube: bool = False
    is_future: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One figure.

    Attributes:
        kind: one of `KINDS`.
        title: what it shows.
        data: name of the data set.
        values: its columns, each with label and format, or what they are a ratio of.
        options: everything else, as the script reads it.
    """

    kind: str
    title: str
    data: str
    values: tuple[Mapping[str, Any], ...]
    options: Mapping[str, Any]

    @property
    def id(self) -> str:
        """A name for addresses: the title in lower case with hyphens."""
        words = "".join(one if one.isalnum() else " " for one in self.title.lower()).split()
        return "-".join(["tile", *words] if self.kind == "tile" else words)


@dataclass(frozen=True, slots=True)
class Section:
    """Figures under one heading, which may be empty."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page."""

    name: str
    label: str
    order: int
    question: str
    owner: Mapping[str, str]
    description: str
    filters: tuple[str, ...]
    data: Mapping[str, Data]
    sections: tuple[Section, ...] = field(default=())

    @property
    def items(self) -> list[Item]:
        """All figures, in their order."""
        return [item for section in self.sections for item in section.items]


def dashboards(folder: Path = FOLDER) -> list[Dashboard]:
    """All dashboards in the order of their tabs.

    Raises:
        UsageError: a file says something that no page can show.
    """
    found = [_dashboard(path) for path in sorted(folder.glob("*.yml"))]
    return sorted(found, key=lambda one: (one.order, one.name))


def _dashboard(path: Path) -> Dashboard:
    text = yaml.safe_load(path.read_text(encoding="utf-8"))
    where = path.name
    fields = {"label", "order", "question", "owner", "description", "filters", "data", "sections"}
    _expect(where, set(text) == fields, f"the keys must be {', '.join(sorted(fields))}")
    data = {name: _data(f"{where}, data {name}", one) for name, one in text["data"].items()}
    sections = tuple(
        Section(one.get("title", ""), tuple(_item(where, each, data) for each in one["items"]))
        for one in text["sections"]
    )
    found = Dashboard(
        name=path.stem,
        label=text["label"],
        order=text["order"],
        question=text["question"],
        owner=text["owner"],
        description=text["description"],
        filters=tuple(text["filters"]),
        data=data,
        sections=sections,
    )
    ids = [item.id for item in found.items]
    _expect(where, len(set(ids)) == len(ids), "two figures have the same title")
    used = {item.data for item in found.items}
    used |= {item.options["drill"]["data"] for item in found.items if "drill" in item.options}
    _expect(where, used == set(data), f"no figure shows {', '.join(sorted(set(data) - used))}")
    return found


def _data(where: str, text: Mapping[str, Any]) -> Data:
    _known(where, text, _DATA_KEYS)
    _expect(where, ("metrics" in text) != ("query" in text), "name either metrics or a query")
    return Data(
        metrics=tuple(text.get("metrics", ())),
        query=text.get("query", ""),
        by=tuple(text.get("by", {}).items()),
        filters=tuple(text.get("filters", FILTERS)) if "metrics" in text else (),
        month=text.get("month", ""),
        day=text.get("day", ""),
        is_cube="metrics" in text or text.get("is_cube", False),
        is_future=text.get("is_future", False),
    )


def _item(file: str, text: Mapping[str, Any], data: Mapping[str, Data]) -> Item:
    where = f"{file}, {text.get('title', text)}"
    _known(where, text, {"kind", "title", "data", "value", "values"} | _ITEM_KEYS)
    _expect(where, text.get("kind") in KINDS, f"the kind must be one of {', '.join(KINDS)}")
    _expect(where, text.get("data") in data, f"there is no data set {text.get('data')}")
    _expect(where, text.get("period", "chosen") in PERIODS, f"the period: {', '.join(PERIODS)}")
    if "drill" in text:
        _known(where, text["drill"], _DRILL_KEYS)
        _expect(where, text["drill"]["data"] in data, f"no data set {text['drill']['data']}")
    needs_x = text["kind"] not in {"tile", "table"}
    _expect(where, not needs_x or "x" in text, "a chart needs `x`")
    options = {name: text[name] for name in sorted(text.keys() & _ITEM_KEYS)}
    if "drill" in options:
        drill = options["drill"]
        options["drill"] = {**drill, "values": values(where, drill["values"])}
    chosen = [text["value"]] if "value" in text else text["values"]
    return Item(text["kind"], text["title"], text["data"], values(where, chosen), options)


def values(
    where: str, text: Mapping[str, Any] | Sequence[str | Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """Columns as the script reads them: `{name, label?, format?, ...}`.

    In YAML they are names, or names with a label, or names with several keys.
    """
    pairs: list[tuple[str, Any]] = []
    for one in text.items() if isinstance(text, Mapping) else text:
        if isinstance(one, Mapping):
            pairs += one.items()
        else:
            pairs.append((one, None) if isinstance(one, str) else one)
    found = []
    for name, about in pairs:
        keys = {"label": about} if isinstance(about, str) else about or {}
        _known(f"{where}, {name}", keys, _VALUE_KEYS)
        found.append({"name": name, **keys})
    return tuple(found)


def completed(value: Mapping[str, Any], metrics: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """A value with its label and format, from its metric or else from its name.

    Args:
        value: as `values` returns it.
        metrics: label and unit by the name of each metric.
    """
    name = value["name"]
    metric = metrics.get(name, {})
    suffix = next((end for end in _SUFFIXES if name.endswith(end)), "")
    label = metric.get("label") or name.removesuffix(suffix).replace("_", " ").capitalize()
    unit = metric.get("unit") or _SUFFIXES.get(suffix) or ("words" if name in _WORDS else "text")
    return {"label": label, "format": unit, **value}


def _known(where: str, keys: Mapping[str, Any], allowed: set[str]) -> None:
    unknown = sorted(set(keys) - allowed)
    _expect(where, not unknown, f"unknown keys {', '.join(map(str, unknown))}")


def _expect(where: str, is_met: bool, rule: str) -> None:
    if not is_met:
        raise UsageError(f"dashboards/{where}: {rule}")
