"""The raw tables as of an earlier batch: views in schemas `known_…`.

Snapshots are taken batch by batch. If several batches landed together, their snapshots are taken
afterwards, each from the rows of that batch and those before it. So history does not depend on how
batches were loaded.
"""

from pathlib import Path

from ingest.load import warehouse
from ingest.load.values import literal, quoted

SCHEMAS = "known"


def show(warehouse_path: Path, batch_id: str) -> None:
    """Creates a view `known_<source>.<table>` per raw table: its rows up to and with a batch."""
    with warehouse.opened(warehouse_path) as connection:
        tables = connection.execute(
            """
            select table_schema, table_name, column_name
            from information_schema.columns
            where starts_with(table_schema, 'raw_') and column_name in ('batch_id', '_batch_id')
            order by all
            """
        ).fetchall()
        for raw_schema, table, column in tables:
            schema = raw_schema.replace("raw", SCHEMAS, 1)
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(
                f"create or replace view {schema}.{quoted(table)} as select *"
                f" from {raw_schema}.{quoted(table)} where {column} <= {literal(batch_id)}"
            )


def forget(warehouse_path: Path) -> None:
    """Drops the views."""
    with warehouse.opened(warehouse_path) as connection:
        schemas = connection.execute(
            "select schema_name from information_schema.schemata where starts_with(schema_name, ?)",
            [f"{SCHEMAS}_"],
        ).fetchall()
        for (schema,) in schemas:
            connection.execute(f"drop schema {schema} cascade")
