"""Relations that a removed or renamed model left in the warehouse."""

from collections.abc import Set as AbstractSet
from pathlib import Path

from ingest.load import warehouse
from ingest.load.values import quoted

# Snapshots are absent: their history cannot be rebuilt, so it is never dropped.
_SCHEMAS = (
    "staging",
    "intermediate",
    "shared",
    "finance",
    "sales",
    "product",
    "quality",
    "test_failures",
)
# A table of another name in these schemas is the user's own.
_PREFIXES = ("stg_", "int_", "dim_", "fct_", "bridge_", "dq_", "assert_")
# Seeds have no prefix: this schema belongs to the project.
_SEEDS = "seeds"


def drop(warehouse_path: Path, relations: AbstractSet[tuple[str, str]]) -> list[str]:
    """Drops tables and views that are named as the project's are and that it no longer defines.

    Args:
        warehouse_path: The DuckDB file.
        relations: Schema and name of everything that the project defines; if there is nothing in
            it, nothing is dropped.

    Returns:
        What was dropped, as `schema.name`.
    """
    if not relations:
        return []
    with warehouse.opened(warehouse_path) as connection:
        found = connection.execute(
            """
            select table_schema, table_name, table_type
            from information_schema.tables
            where table_catalog = current_database()
            order by all
            """
        ).fetchall()
        orphans = [
            (schema, name, kind)
            for schema, name, kind in found
            if (schema, name) not in relations and _is_ours(schema, name)
        ]
        for schema, name, kind in orphans:
            what = "view" if kind == "VIEW" else "table"
            connection.execute(f"drop {what} {quoted(schema)}.{quoted(name)}")
    return [f"{schema}.{name}" for schema, name, _ in orphans]


def _is_ours(schema: str, name: str) -> bool:
    return schema == _SEEDS or (schema in _SCHEMAS and name.startswith(_PREFIXES))
