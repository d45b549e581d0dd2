"""Compares every mart that Spark built with DuckDB's, row for row and in both directions.

Exact numbers must be equal, and doubles to 1e-9 of their size. Reads Spark's tables as the Parquet
files they are, so it needs no Spark.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import duckdb

from ingest.load import warehouse
from ingest.load.values import literal, quoted

MARTS = ("shared", "finance", "sales", "product", "quality")
# The one mart about builds: each engine has its own.
OWN = "dq_test_results"
# The time of a build, and numbers that each engine derives from a row in its own way.
ENGINE_COLUMNS = {"_built_at", "_digest", "touch_key"}
TOLERANCE = 1e-9


class Difference(NamedTuple):
    """A mart that differs: how many rows each engine has alone, and the columns to look at."""

    mart: str
    duckdb_rows: int
    spark_rows: int
    reason: str


def compare(warehouse_path: Path, spark_warehouse: Path) -> list[Difference]:
    """Every mart that differs; marts of one engine alone are among them.

    Args:
        warehouse_path: the DuckDB file.
        spark_warehouse: Spark's `spark.sql.warehouse.dir`.
    """
    differences = []
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        marts = connection.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name in "
            f"{MARTS} and database_name = current_database() and table_name != '{OWN}' "
            "order by all"
        ).fetchall()
        for schema, name in marts:
            folder = spark_warehouse / f"{schema}.db" / name
            if not any(folder.glob("*.parquet")):
                differences.append(Difference(name, 0, 0, "Spark has no such table"))
            elif found := _difference(connection, f"{schema}.{quoted(name)}", name, folder):
                differences.append(found)
    print(f"{len(marts)} marts, {len(differences)} differ")
    for mart, ours, theirs, reason in differences:
        print(f"    {mart}: {ours} rows only on DuckDB, {theirs} only on Spark; {reason}")
    return differences


def _difference(
    connection: duckdb.DuckDBPyConnection, table: str, name: str, folder: Path
) -> Difference | None:
    files = f"read_parquet({literal(f'{folder}/*.parquet')})"
    ours, theirs = (_columns(connection, relation) for relation in (table, files))
    if ours.keys() != theirs.keys():
        return Difference(name, 0, 0, f"columns {sorted(ours.keys() ^ theirs.keys())}")
    columns = [column for column in ours if column not in ENGINE_COLUMNS]
    exact = [c for c in columns if ours[c] not in {"DOUBLE", "FLOAT"}]
    doubles = [c for c in columns if c not in exact]
    keys = ", ".join(_exact(c, ours[c]) for c in exact) or "1 as one"
    numbers = "".join(f", {quoted(c)}" for c in doubles)
    order = ", ".join(f"{quoted(c)} nulls last" for c in doubles) or "1"
    ranked = (
        "select *, row_number() over (partition by {partition} order by {order}) as copy_number "
        "from (select {keys}{numbers} from {relation})"
    )
    partition = ", ".join(quoted(c) for c in exact) or "one"
    pair = " and ".join(f"a.{quoted(c)} is not distinct from b.{quoted(c)}" for c in exact)
    apart = " or ".join(
        f"(a.{quoted(c)} is null) != (b.{quoted(c)} is null) or "
        f"abs(a.{quoted(c)} - b.{quoted(c)}) > {TOLERANCE} * greatest(1, abs(a.{quoted(c)}))"
        for c in doubles
    )
    settings = {"partition": partition, "order": order, "keys": keys, "numbers": numbers}
    row = connection.execute(
        f"""
        select
            count(*) filter (where b.copy_number is null),
            count(*) filter (where a.copy_number is null),
            count(*) filter (
                where a.copy_number is not null and b.copy_number is not null
                and ({apart or "false"})
            )
        from ({ranked.format(relation=table, **settings)}) as a
        full join ({ranked.format(relation=files, **settings)}) as b
            on a.copy_number = b.copy_number and {pair or "true"}
        """
    ).fetchone()
    if not row or not any(row):
        return None
    wrong = [c for c in exact if _values_differ(connection, table, files, c, ours[c])]
    return Difference(name, row[0] + row[2], row[1] + row[2], f"columns {wrong or doubles}")


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    rows = connection.execute(f"describe select * from {relation}").fetchall()
    return {row[0]: row[1] for row in rows}


def _exact(column: str, kind: str) -> str:
    """A column in a form that both engines have: instants in UTC, JSON and lists as text."""
    name = quoted(column)
    if kind.startswith("TIMESTAMP"):
        return f"cast({name} as timestamptz) as {name}"
    if kind.startswith("DECIMAL") or kind.endswith("INT") or kind == "INTEGER":
        return f"cast({name} as decimal(38, 6)) as {name}"
    return f"cast({name} as {kind if kind in ('DATE', 'BOOLEAN') else 'varchar'}) as {name}"


def _values_differ(
    connection: duckdb.DuckDBPyConnection, table: str, files: str, column: str, kind: str
) -> bool:
    one, other = (f"select {_exact(column, kind)} from {relation}" for relation in (table, files))
    rows = connection.execute(f"({one} except all {other}) union all ({other} except all {one})")
    return rows.fetchone() is not None


if __name__ == "__main__":
    sys.exit(bool(compare(Path(sys.argv[1]), Path(sys.argv[2]))))
