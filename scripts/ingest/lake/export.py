"""Appends what the loader landed to a lake, as Parquet: the tables that Spark reads.

    <lake>/raw_stripe/invoices/2026-09-30.20261001T041500000000/rows.parquet

Each table has one folder for each load of a batch. A folder is written under a hidden name and then
renamed, so readers see all of it or nothing, and a folder that exists is never written again. On an
object store the one file of a folder appears when its upload is complete.

A batch that was replaced, or from which a person was erased, gets a new folder, and the old one is
removed. The same holds for a snapshot that changed, because Spark cannot record history in Parquet
and reads DuckDB's, and for coefficients that were fitted again.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest import catalog
from ingest.errors import IngestError
from ingest.lake.tables import AUDIT_TABLES, HISTORY, PREDICTIONS, exported
from ingest.load import warehouse
from ingest.load.values import literal, quoted

_FILE = "rows.parquet"


@dataclass(frozen=True, slots=True)
class Folder:
    """The rows of one table that one load brought, or a table that is replaced as a whole.

    Attributes:
        schema, table: the raw table, snapshot or table of coefficients.
        name: the batch, the instant at which it landed, and how many records were erased since.
            Of a table that is replaced as a whole a digest of its rows.
        condition: which rows of the table it has.
        rows: how many those are.
    """

    schema: str
    table: str
    name: str
    condition: str
    rows: int


def export(warehouse_path: Path, lake: str) -> None:
    """Append every load that the lake lacks.

    Args:
        warehouse_path: the DuckDB file.
        lake: a folder, or the address of one in an object store, which DuckDB's extension
            `httpfs` reaches.

    Raises:
        WarehouseError: there is no warehouse, or it cannot be read.
        IngestError: an object store has a load that the warehouse lacks.
    """
    warehouse.require(warehouse_path)
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        store = _ObjectStore(connection, lake) if "://" in lake else _LocalFolder(connection, lake)
        folders = list(_folders(connection))
        present = store.present()
        paths = {f"{folder.schema}/{folder.table}/{folder.name}": folder for folder in folders}
        # The rows that a new folder replaces first, so that no row is read twice.
        for path in sorted(present - paths.keys()):
            store.remove(path)
        for path, folder in paths.items():
            if path not in present:
                store.write(path, _query(connection, folder))
    added = [folder for path, folder in paths.items() if path not in present]
    rows = sum(folder.rows for folder in added)
    print(f"{lake}: {len(added)} folders with {rows} rows added, {len(present)} were there")


class _LocalFolder:
    def __init__(self, connection: duckdb.DuckDBPyConnection, lake: str) -> None:
        self._connection = connection
        self._lake = Path(lake)

    def present(self) -> set[str]:
        """The folders of loads; what an interrupted run left under a hidden name is removed."""
        for partial in self._lake.glob("*/*/.*"):
            shutil.rmtree(partial)
        return {
            str(path.parent.relative_to(self._lake)) for path in self._lake.glob(f"*/*/*/{_FILE}")
        }

    def write(self, path: str, query: str) -> None:
        target = self._lake / path
        partial = target.with_name(f".{target.name}")
        partial.mkdir(parents=True)
        _copy(self._connection, query, str(partial / _FILE))
        partial.rename(target)

    def remove(self, path: str) -> None:
        shutil.rmtree(self._lake / path)


class _ObjectStore:
    def __init__(self, connection: duckdb.DuckDBPyConnection, lake: str) -> None:
        self._connection = connection
        self._lake = lake.rstrip("/")
        try:
            connection.execute("install httpfs; load httpfs")
        except duckdb.Error as error:
            raise IngestError(
                f"{lake} needs DuckDB's extension httpfs, which cannot be installed: {error}; "
                "export to a folder and copy it"
            ) from error

    def present(self) -> set[str]:
        """The folders of loads."""
        found = self._connection.execute(
            "select file from glob(?)", [f"{self._lake}/*/*/*/{_FILE}"]
        ).fetchall()
        return {file.removeprefix(f"{self._lake}/").removesuffix(f"/{_FILE}") for (file,) in found}

    def write(self, path: str, query: str) -> None:
        _copy(self._connection, query, f"{self._lake}/{path}/{_FILE}")

    def remove(self, path: str) -> None:
        raise IngestError(
            f"{self._lake}/{path} was replaced in the warehouse; remove that folder, "
            "and export again"
        )


def _folders(connection: duckdb.DuckDBPyConnection) -> Iterator[Folder]:
    """Every table's loads, oldest first, and the tables that are replaced as a whole.

    The audit has no instants of its own, and takes those of its batches.
    """
    erased = dict(
        connection.execute(
            "select batch_id, sum(rows_erased + rows_redacted) from raw_audit.erased_records "
            "group by 1"
        ).fetchall()
    )
    landed = dict(
        connection.execute("select batch_id, loaded_at from raw_audit.batches").fetchall()
    )
    tables = [(table.schema, table.name, "_batch_id") for table in catalog.tables()]
    tables += [("raw_audit", name, "batch_id") for name in AUDIT_TABLES]
    for schema, table, batch in tables:
        counted = connection.execute(
            f"select {batch}, count(*) from {schema}.{quoted(table)} group by 1 order by 1"
        ).fetchall()
        for batch_id, rows in counted:
            name = f"{batch_id}.{landed[batch_id]:%Y%m%dT%H%M%S%f}"
            if batch_id in erased:
                name += f".erased-{erased[batch_id]}"
            yield Folder(schema, table, name, f"{batch} = {literal(batch_id)}", rows)
    whole = connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where schema_name in (?, ?) and database_name = current_database() order by all",
        [HISTORY, PREDICTIONS],
    ).fetchall()
    for schema, table in whole:
        digest = connection.execute(
            f"select count(*), sum(hash(whole)) from {schema}.{quoted(table)} as whole"
        ).fetchone()
        if digest and digest[0]:
            yield Folder(schema, table, f"{digest[0]}-{digest[1]:x}", "true", digest[0])


def _query(connection: duckdb.DuckDBPyConnection, folder: Folder) -> str:
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() "
        "where schema_name = ? and table_name = ? and database_name = current_database() "
        "order by column_index",
        [folder.schema, folder.table],
    ).fetchall()
    selected = ", ".join(f"{exported(name, kind)} as {quoted(name)}" for name, kind in columns)
    return f"select {selected} from {folder.schema}.{quoted(folder.table)} where {folder.condition}"


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: str) -> None:
    connection.execute(f"copy ({query}) to {literal(path)} (format parquet, compression zstd)")
