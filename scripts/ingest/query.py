"""One SQL query, answered from the warehouse."""

from pathlib import Path

import duckdb

from ingest.errors import IngestError
from ingest.load import warehouse


def query(warehouse_path: Path, sql: str) -> None:
    """Print the result of a query as a table, opening the warehouse for reading only.

    Args:
        warehouse_path: the DuckDB file.
        sql: one statement.

    Raises:
        WarehouseError: there is no warehouse, or another process is writing to it.
        IngestError: DuckDB rejects the query.
    """
    warehouse.require(warehouse_path)
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        try:
            if result := connection.sql(sql):
                print(result)
        except duckdb.Error as error:
            if warehouse.is_damage(str(error)):
                raise
            raise IngestError(str(error)) from error
