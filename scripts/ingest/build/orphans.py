"""Relations that a removed or renamed model left in the warehouse."""

from collections.abc import Set as AbstractSet
from pathlib import Path

from ingest.load import warehouse
from ingest.load.values import quoted

# The history in snapshots cannot be rebuilt, so they are never dropped.
_SNAPSHOTS = "snapshots"
# Versions of the project that did not record their relations renamed only models with these
# prefixes, in these schemas. Their marts and seeds still have the same names.
_UNRECORDED_SCHEMAS = ("staging", "intermediate", "test_failures")
_UNRECORDED_PREFIXES = ("stg_", "int_", "assert_")


def drop(
    warehouse_path: Path, relations: AbstractSet[tuple[str, str]], recorded: AbstractSet[str]
) -> list[str]:
    """Drops tables and views that an earlier build created and that the project no longer defines.

    A relation that no build recorded is the user's own and is kept. In a warehouse without any
    record, an earlier version's models are recognised by their schema and prefix.

    Args:
        warehouse_path: The DuckDB file.
        relations: Schema and name of everything that the project defines; if there is nothing in
            it, nothing is dropped.
        recorded: What the project defined at the last successful build, as `schema.name`; empty if
            no build recorded it.

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
            if (schema, name) not in relations and _is_ours(schema, name, recorded)
        ]
        for schema, name, kind in orphans:
            what = "view" if kind == "VIEW" else "table"
            connection.execute(f"drop {what} {quoted(schema)}.{quoted(name)}")
    return [f"{schema}.{name}" for schema, name, _ in orphans]


def _is_ours(schema: str, name: str, recorded: AbstractSet[str]) -> bool:
    if schema == _SNAPSHOTS:
        return False
    if recorded:
        return f"{schema}.{name}" in recorded
    return schema in _UNRECORDED_SCHEMAS and name.startswith(_UNRECORDED_PREFIXES)
