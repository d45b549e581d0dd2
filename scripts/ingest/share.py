"""A copy of the marts for BI users, without personal data.

Columns with `meta: {contains_pii: true}` become keyed hashes or, as free text, null. Keys that are
e-mail addresses are hashed too. The copy is checked for personal data before it is published.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import duckdb
from dbt.artifacts.resources.types import NodeType

from ingest.build import Dbt
from ingest.errors import IngestError, UsageError
from ingest.load import warehouse
from ingest.load.values import literal, quoted

EMAIL = r"[\w.+%-]+@[\w-]+(\.[\w-]+)+"
_ADDRESS = r"\b\d{1,3}(?:\.\d{1,3}){3}\b"


@dataclass(frozen=True, slots=True)
class _Mart:
    """A mart with those of its columns that hold personal data, and whether as free text."""

    schema: str
    name: str
    columns: frozenset[str]
    personal: dict[str, bool]


def share(warehouse_path: Path, out: Path) -> None:
    """Write the copy.

    Args:
        warehouse_path: the DuckDB file.
        out: the DuckDB file to write; an existing one is replaced once the new one is complete.

    Raises:
        UsageError: the copy would replace the warehouse itself.
        WarehouseError: there is no warehouse, or it cannot be read.
        IngestError: a mart is not built, or a column holds personal data and is not declared so.
    """
    if out.resolve() == warehouse_path.resolve():
        raise UsageError(f"{out} is the warehouse itself; name another file for the copy")
    partial = out.with_name(f".{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        tables = _write(warehouse_path.resolve(), partial.resolve())
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    print(f"{out}: {tables} marts without personal data")
    if not os.environ.get("SHARE_KEY"):
        print("hashes differ from those of other copies; set SHARE_KEY to keep them the same")


def _write(warehouse_path: Path, path: Path) -> int:
    warehouse.require(warehouse_path)
    marts = _marts(warehouse_path)
    # Views name the database they read, so it is attached under its own name.
    source = quoted(warehouse_path.stem)
    with warehouse.opened(path) as connection:
        warehouse.attach(connection, warehouse_path, warehouse_path.stem)
        key = os.environ.get("SHARE_KEY") or secrets.token_hex(32)
        connection.execute("set variable share_key = ?", [key])
        written = 0
        for mart in marts:
            columns = connection.execute(
                "select column_name, data_type from duckdb_columns()"
                " where database_name = ? and schema_name = ? and table_name = ?"
                " order by column_index",
                [warehouse_path.stem, mart.schema, mart.name],
            ).fetchall()
            if not columns:
                raise IngestError(f"{mart.schema}.{mart.name} is not built; run `make build`")
            chosen = ", ".join(_shown(mart, name, kind) for name, kind in columns)
            table = f"{quoted(mart.schema)}.{quoted(mart.name)}"
            connection.execute(f"create schema if not exists {quoted(mart.schema)}")
            connection.execute(f"create table {table} as select {chosen} from {source}.{table}")
            written += 1
        _prove(connection, source)
        connection.execute(f"detach {source}")
    return written


def _shown(mart: _Mart, column: str, kind: str) -> str:
    """The expression for a column of the copy; an undeclared column is masked too."""
    name = quoted(column)
    if column in mart.personal or column not in mart.columns:
        # No rule separates the personal part of a free text from the rest.
        is_free_text = mart.personal.get(column, True)
        return f"{'cast(null as varchar)' if is_free_text else _hashed(name)} as {name}"
    if kind == "VARCHAR":
        return f"if(regexp_full_match({name}, {literal(EMAIL)}), {_hashed(name)}, {name}) as {name}"
    return name


def _hashed(name: str) -> str:
    """A keyed hash, equal for equal values, so that joins and counts still work."""
    key = "getvariable('share_key')"
    return f"left(sha256({key} || lower(cast({name} as varchar)) || {key}), 32)"


def _prove(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Search every text of the copy for e-mail addresses and for IP addresses of the source.

    Raises:
        IngestError: a column holds one and is not declared as personal data.
    """
    connection.execute(
        f"""
        create temp table addresses as
        select distinct json_extract_string(context, '$.ip') as address
        from {source}.raw_segment.messages
        """
    )
    for schema, table, column in connection.execute(
        """
        select schema_name, table_name, column_name
        from duckdb_columns()
        where
            database_name = current_database() and schema_name <> 'main' and not internal
            and regexp_matches(data_type, 'VARCHAR|JSON')
        """
    ).fetchall():
        text = f"cast({quoted(column)} as varchar)"
        ((found,),) = connection.execute(
            f"""
            select count(*) from {quoted(schema)}.{quoted(table)}
            where
                (contains({text}, '@') and regexp_matches({text}, {literal(EMAIL)}))
                or regexp_extract({text}, {literal(_ADDRESS)}) in (select address from addresses)
            """
        ).fetchall()
        if found:
            raise IngestError(
                f"{schema}.{table}.{column} holds e-mail or IP addresses in {found:,} rows; "
                "declare it with `meta: {contains_pii: true}`"
            )


def _marts(warehouse_path: Path) -> list[_Mart]:
    """The marts that the project has."""
    manifest = Dbt(warehouse_path, "{}").parse()
    return [
        _Mart(
            node.schema,
            node.name,
            frozenset(node.columns),
            {
                name: bool(column.meta.get("is_free_text"))
                for name, column in node.columns.items()
                if column.meta.get("contains_pii")
            },
        )
        for node in manifest.nodes.values()
        if node.resource_type == NodeType.Model and node.fqn[1] == "marts"
    ]
