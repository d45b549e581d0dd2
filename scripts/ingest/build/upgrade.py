"""What to do with a warehouse that another version of the project built.

A warehouse records the version that built it and the columns of its incremental tables and
snapshots. A version that changes them rebuilds the incremental tables. Snapshots keep their rows:
dbt adds new columns to them.
"""

import json
import re
from collections.abc import Collection
from pathlib import Path

from ingest.build.dbt import PROJECT
from ingest.load import warehouse

_VERSION = re.compile(r"^version: [\"']?([0-9.]+)", re.MULTILINE)
_RELEASE = re.compile(r"^## \[([0-9.]+)\][^\n]*\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_UPGRADING = re.compile(r"^### Upgrading\n(.*?)(?=^### |^\[|\Z)", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^- (.*(?:\n  .*)*)", re.MULTILINE)

# The columns of tables with their types, by `schema.name`.
Shapes = dict[str, list[str]]


def version() -> str:
    """The version of the project."""
    found = _VERSION.search((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    return found[1] if found else ""


def notes(since: str) -> list[str]:
    """What the changelog says about an upgrade, each with its version, oldest first.

    Args:
        since: The version that built the warehouse; empty for one that recorded none.
    """
    path = PROJECT / "CHANGELOG.md"
    if not path.is_file():
        return []
    releases = _RELEASE.findall(path.read_text(encoding="utf-8"))
    found = []
    for release, text in reversed(releases):
        section = _UPGRADING.search(text)
        if section and _parts(since) < _parts(release) <= _parts(version()):
            lines = [re.sub(r"\s+", " ", item) for item in _ITEM.findall(section[1])]
            found += [f"{release}: {line}" for line in lines]
    return found


def _parts(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split("."))) if release else ()


def is_built(warehouse_path: Path) -> bool:
    """Whether dbt has built a table in a warehouse, of whatever version."""
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        return bool(
            connection.execute(
                """
                select 1 from duckdb_tables()
                where database_name = current_database() and not temporary
                    and schema_name <> 'main' and not starts_with(schema_name, 'raw_')
                limit 1
                """
            ).fetchone()
        )


def shapes(warehouse_path: Path, relations: Collection[str] | None = None) -> Shapes:
    """The columns of tables, of all that dbt built unless some are named as `schema.name`."""
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        found = connection.execute(
            """
            select
                schema_name || '.' || table_name,
                list(column_name || ' ' || data_type order by column_index)
            from duckdb_columns()
            where database_name = current_database() and not starts_with(schema_name, 'raw_')
            group by all
            order by all
            """
        ).fetchall()
    return {name: columns for name, columns in found if relations is None or name in relations}


def recorded(found: Shapes) -> list[str]:
    """Shapes as the warehouse keeps them, one text a table."""
    return [f"{name} {json.dumps(columns)}" for name, columns in found.items()]


def read(kept: Collection[str]) -> Shapes:
    """The shapes that a warehouse has kept."""
    named = (text.partition(" ") for text in kept)
    return {name: json.loads(columns or "[]") for name, _, columns in named}


def changes(before: Shapes, after: Shapes) -> list[str]:
    """Tables in both that have other columns or types, such as `product.fct_events (+2 -1)`."""
    found = []
    for name in sorted(before.keys() & after.keys()):
        old, new = set(before[name]), set(after[name])
        if old != new:
            found.append(f"{name} (+{len(new - old)} -{len(old - new)})")
    return found
