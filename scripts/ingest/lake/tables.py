"""The tables of the lake, and their types there and on Spark."""

import duckdb

from ingest.load import warehouse
from ingest.load.values import quoted

# What the models read of the loader's log. Test results are written by dbt on the engine that ran
# the tests.
TEST_RESULTS = "test_results"
# The schema of the snapshots.
HISTORY = "snapshots"
# The schema of what `ingest predict` fits.
PREDICTIONS = "raw_predict"
AUDIT_TABLES = (
    "absent_records",
    "batches",
    "erased_records",
    "files",
    "landed_objects",
    "rejected_records",
    "schema_changes",
)
# What neither Parquet nor Spark has a type for. JSON is text, and a wide integer a decimal without
# places.
_CASTS = {
    "JSON": "varchar",
    "HUGEINT": "decimal(38, 0)",
    "UHUGEINT": "decimal(38, 0)",
    "UBIGINT": "decimal(20, 0)",
}
_SPARK_TYPES = {"VARCHAR": "string", "INTEGER": "int", "FLOAT": "float"}


def exported(column: str, duckdb_type: str) -> str:
    """A column as the lake has it, as an expression.

    Instants are written as UTC: Spark would read others in its own session's time zone.
    """
    name = quoted(column)
    if duckdb_type == "TIMESTAMP":
        return f"{name} at time zone 'UTC'"
    return f"cast({name} as {_CASTS[duckdb_type]})" if duckdb_type in _CASTS else name


def spark_type(duckdb_type: str) -> str:
    """The type on Spark of a column that DuckDB has."""
    kind = _CASTS.get(duckdb_type, duckdb_type).upper()
    return _SPARK_TYPES.get(kind, kind.lower()).replace(" ", "")


def raw_tables() -> dict[tuple[str, str], str]:
    """The columns of every raw table and their types on Spark, by schema and name.

    Without the steps of a build, which only the DuckDB file has.
    """
    with duckdb.connect() as connection:
        warehouse.create_tables(connection)
        rows = connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() "
            "where schema_name like 'raw_%' and table_name != 'build_steps' "
            "order by schema_name, table_name, column_index"
        ).fetchall()
    found: dict[tuple[str, str], list[str]] = {}
    for schema, table, column, kind in rows:
        found.setdefault((schema, table), []).append(f"`{column}` {spark_type(kind)}")
    return {name: ", ".join(columns) for name, columns in found.items()}
