"""A copy of the marts for BI users, without personal data.

Columns with `meta: {contains_pii: true}` go through the macro `mask_personal`. Keys that are e-mail
addresses are hashed like them. The copy is read through before anybody can see it.
"""

import io
import os
import secrets
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import duckdb
from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from ingest.build import PROJECT, BuildError
from ingest.load import IngestError, WarehouseError, warehouse
from ingest.load.values import literal, quoted

EMAIL = r"[\w.+%-]+@[\w-]+(\.[\w-]+)+"
_ADDRESS = r"\b\d{1,3}(?:\.\d{1,3}){3}\b"
# Stands for the column in the masks that dbt renders.
_COLUMN = "column_to_mask"


@dataclass(frozen=True, slots=True)
class _Mart:
    """A mart with those of its columns that hold personal data, and whether as free text."""

    schema: str
    name: str
    columns: frozenset[str]
    personal: dict[str, bool]


def share(warehouse_path: Path, out: Path) -> int:
    """Write the copy and return the exit code.

    Args:
        warehouse_path: the DuckDB file.
        out: the DuckDB file to write; one that exists is replaced when the new one is whole.
    """
    partial = out.with_name(f".{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        tables = _write(warehouse_path.resolve(), partial.resolve())
        partial.replace(out)
    except (IngestError, OSError) as error:
        print(error, file=sys.stderr)
        return error.exit_code if isinstance(error, IngestError) else 1
    finally:
        partial.unlink(missing_ok=True)
    print(f"{out}: {tables} marts without personal data")
    if not os.environ.get("SHARE_KEY"):
        print("hashes are this copy's own; set SHARE_KEY for the same in every copy")
    return 0


def _write(warehouse_path: Path, path: Path) -> int:
    marts, masks = _marts_and_masks()
    if not warehouse_path.is_file():
        raise WarehouseError(f"there is no warehouse {warehouse_path}")
    # A view says which database it reads, so that has to have its own name.
    source = quoted(warehouse_path.stem)
    with warehouse.opened(path) as connection:
        try:
            connection.execute(f"attach {literal(str(warehouse_path))} as {source} (read_only)")
        except duckdb.Error as error:
            raise WarehouseError(warehouse.failure(warehouse_path, str(error))) from error
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
            chosen = ", ".join(_shown(mart, name, kind, masks) for name, kind in columns)
            table = f"{quoted(mart.schema)}.{quoted(mart.name)}"
            connection.execute(f"create schema if not exists {quoted(mart.schema)}")
            connection.execute(f"create table {table} as select {chosen} from {source}.{table}")
            written += 1
        _prove(connection, source)
        connection.execute(f"detach {source}")
    return written


def _shown(mart: _Mart, column: str, kind: str, masks: dict[bool, str]) -> str:
    """A column as the copy has it; one that the project does not declare is masked too."""
    name = quoted(column)
    if column in mart.personal or column not in mart.columns:
        mask = masks[mart.personal.get(column, True)]
        return f"{mask.replace(_COLUMN, name)} as {name}"
    if kind == "VARCHAR":
        mask = masks[False].replace(_COLUMN, name)
        return f"if(regexp_full_match({name}, {literal(EMAIL)}), {mask}, {name}) as {name}"
    return name


def _prove(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Read every text of the copy for e-mail addresses, and for the IP addresses of the source.

    Raises:
        IngestError: there is one; the column is not declared as personal data and should be.
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


def _marts_and_masks() -> tuple[list[_Mart], dict[bool, str]]:
    """The marts that the project has, and the mask for a value and for free text."""
    options = ["--quiet", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    runner = dbtRunner()
    manifest = runner.invoke(["parse", *options]).result
    if not isinstance(manifest, Manifest):
        raise BuildError("the project cannot be read; `dbt parse` says why")
    masks = {}
    for is_free_text in (False, True):
        call = f"{{{{ mask_personal('{_COLUMN}', is_free_text={is_free_text}) }}}}"
        # dbt prints what it has compiled.
        with redirect_stdout(io.StringIO()):
            done = dbtRunner(manifest).invoke(
                [
                    *("compile", "--inline", call, "--target", "share"),
                    *("--no-populate-cache", "--no-introspect"),
                    *options,
                ]
            )
        if not done.success or not isinstance(done.result, RunExecutionResult):
            raise BuildError("mask_personal cannot be rendered; logs/dbt.log has all of it")
        (rendered,) = done.result.results
        masks[is_free_text] = str(getattr(rendered.node, "compiled_code", "")).strip()
    marts = [
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
    return marts, masks
