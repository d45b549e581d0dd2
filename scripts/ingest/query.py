"""One SQL query, answered from the published marts or from the warehouse."""

from pathlib import Path

import duckdb

from ingest.errors import IngestError
from ingest.load import warehouse


def query(path: Path, sql: str) -> None:
    """Print the result of a query as a table, opening the file for reading only.

    Args:
        path: the DuckDB file: a warehouse or published marts.
        sql: one statement.

    Raises:
        WarehouseError: there is no file, or another process is writing to it.
        IngestError: DuckDB rejects the query.
    """
    warehouse.require(path)
    with warehouse.opened(path, read_only=True) as connection:
        try:
            if result := connection.sql(sql):
                print(result)
        except duckdb.Error as error:
            if warehouse.is_damage(str(error)):
                raise
            message = str(error)
            if isinstance(error, duckdb.CatalogException) and not warehouse.has_tables(connection):
                message += f"\n{path} holds the marts; add --warehouse FILE for all other tables"
            raise IngestError(message) from error
