"""Rows of a warehouse as a page embeds them: column by column, without names of people.

A figure of metrics comes with a row for every choice of the filters, each computed by the database,
so that the page never adds up what does not add up, such as distinct users or rates.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain
from typing import Any

import duckdb
from markupsafe import Markup

# Columns of names, each with the label that replaces it and the key that the label is made of.
SUBJECTS = {"account": "Account", "opportunity": "Deal", "sales_rep": "Rep"}
UNKNOWN = "unknown"
_CENTS, _SHARES = 2, 6
_MAX_LEVELS = 4000

Column = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """A data set as a page embeds it.

    Attributes:
        columns: values by column, all of the same length.
        sql: the query, to be shown.
        description: what the rows are.
        definitions: label, text and link of each metric by its name.
        sources: the marts that it reads.
        is_cube: whether it has a row for every choice of the filters.
    """

    columns: Mapping[str, Column]
    sql: str
    description: str = ""
    definitions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    is_cube: bool = False

    @property
    def length(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values()), ()))

    def embedded(self) -> dict[str, Any]:
        """As JSON; a column of few distinct texts is written as numbers of its levels."""
        return {
            "columns": {name: _encoded(column) for name, column in self.columns.items()},
            "length": self.length,
            "sql": self.sql,
            "description": self.description,
            "definitions": self.definitions,
            "sources": self.sources,
            "is_cube": self.is_cube,
        }


def query(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    *,
    renamed: Mapping[str, str] | None = None,
    has_names: bool = False,
) -> dict[str, Column]:
    """The result of a query by column.

    Args:
        connection: an open warehouse.
        sql: the query.
        renamed: new names of columns.
        has_names: show names of accounts, deals and people instead of labels made of their keys.
    """
    result = connection.execute(sql)
    names = [str(name) for name, *_ in result.description]
    rows = result.fetchall()
    found = dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True))
    columns = {
        (renamed or {}).get(name, name): [plain(name, value) for value in values]
        for name, values in found.items()
    }
    columns = {
        name: [value and value[:7] for value in values] if _is_month(name) else values
        for name, values in columns.items()
    }
    return named(columns, has_names=has_names)


def _is_month(name: str) -> bool:
    return name == "month" or name.endswith("_month")


def named(columns: Mapping[str, Column], *, has_names: bool) -> dict[str, Column]:
    """One column for each subject, a name or a label, instead of its name and its key."""
    found: dict[str, Column] = {}
    for name, values in columns.items():
        subject, _, kind = name.rpartition("_")
        if subject not in SUBJECTS or kind not in {"id", "name"}:
            found[name] = values
        elif has_names and f"{subject}_name" in columns:
            found[subject] = [one or UNKNOWN for one in columns[f"{subject}_name"]]
        else:
            found[subject] = [_label(subject, key) for key in columns[f"{subject}_id"]]
    return found


def _label(subject: str, key: str | None) -> str:
    """Such as `Account 3f9a2c`: the same on every page, and no name."""
    if key is None:
        return UNKNOWN
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{SUBJECTS[subject]} {digest[:6]}"


def plain(name: str, value: Any) -> Any:
    """A value as JSON writes it: dollars to the cent, shares to six digits, dates as text."""
    match value:
        # Money is decimal and every ratio is a double, in all marts. Money is rounded as the
        # database rounds it: a half cent away from zero.
        case Decimal():
            unit = Decimal(1).scaleb(-_SHARES if name.endswith("_rate") else -_CENTS)
            return _shortest(float(value.quantize(unit, ROUND_HALF_UP)))
        case float():
            return _shortest(round(value, _SHARES))
        case datetime() | date():
            return value.isoformat()[:10]
        case _:
            return value


def _shortest(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _encoded(column: Column) -> Any:
    texts = {value for value in column if isinstance(value, str)}
    is_text = bool(texts) and all(value is None or isinstance(value, str) for value in column)
    if not is_text or len(texts) > _MAX_LEVELS or len(texts) * 2 > len(column):
        return list(column)
    levels = sorted(texts)
    codes = {level: code for code, level in enumerate(levels)}
    return {
        "levels": levels,
        "codes": [None if value is None else codes[value] for value in column],
    }


def distinct(data: Iterable[Figures], column: str) -> list[str]:
    """The values of a column in all data sets, in order, without null."""
    found = chain.from_iterable(one.columns.get(column, ()) for one in data)
    return sorted({value for value in found if value is not None})


def as_json(value: Any) -> Markup:
    """JSON that no `</script>` within can end."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704  no markup is left in it
