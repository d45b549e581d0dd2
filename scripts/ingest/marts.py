"""Copies of the marts in a file of their own, with the one rule for what is personal in them.

A text column is copied if it is declared: by a closed vocabulary (`accepted_values`, a currency),
by its model's `meta: {shared_texts: [...]}`, or as one that holds people in some rows, which are
hashed there: keys (`_id`, `_key`) and names of customers (`contains_pii: in_some_rows`). Columns
with `contains_pii: true` become keyed hashes or, as free text, null. A text that no yml declares is
null. `ingest share` and the last step of `ingest build` both write their files here.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode, ModelNode

from ingest import people
from ingest.errors import IngestError, UsageError
from ingest.load import WarehouseError, warehouse
from ingest.load.values import literal, quoted

# Keys may be names or addresses, where a product has them for ids.
_KEYS = ("_id", "_key")
_IN_SOME_ROWS = "in_some_rows"
# Types that hold text, in whole or in part.
_TEXT = "VARCHAR|JSON"
# The attached file; no warehouse is called this.
_COPY = "copy of the marts"


@dataclass(frozen=True, slots=True)
class Mart:
    """A mart as the project describes it.

    Attributes:
        schema: its schema in the warehouse and in the copy.
        name: its name there.
        description: of the table.
        columns: the description of every declared column.
        personal: the columns that hold personal data, each with whether as free text.
        shared: the text columns that are declared to hold none.
        mixed: the text columns that hold some in some rows.
        path: the yml file that declares it.
    """

    schema: str
    name: str
    description: str
    columns: dict[str, str]
    personal: dict[str, bool]
    shared: frozenset[str] = frozenset()
    mixed: frozenset[str] = frozenset()
    path: str = ""

    @property
    def table(self) -> str:
        """The qualified and quoted name."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"


_KINDS = {
    "e-mail": "e-mail addresses",
    "IP": "IP addresses",
    "name": "names of people",
    "phone": "phone numbers",
    "street": "streets of people",
    "token": "card fingerprints",
}


@dataclass(frozen=True, slots=True)
class Leak:
    """A text column in which some rows identify a person.

    Attributes:
        place: the column as `schema.table.column`.
        kinds: what was found, such as `e-mail` and `name`.
        rows: how many rows hold something.
        condition: SQL that is true for these rows.
        is_declared: whether the column is declared to hold people in some rows.
        path: the yml file that declares the column.
    """

    place: str
    kinds: frozenset[str]
    rows: int
    condition: str
    is_declared: bool
    path: str

    def __str__(self) -> str:
        if self.kinds <= {"e-mail", "IP"}:
            what = "e-mail or IP addresses"
        else:
            what = ", ".join(text for kind, text in _KINDS.items() if kind in self.kinds)
        return f"{self.place} holds {what} in {self.rows:,} rows"


def described(manifest: Manifest) -> list[Mart]:
    """The marts that the project has, with what their yml declares of each column."""
    closed: dict[str | None, set[str]] = {}
    for node in manifest.nodes.values():
        if (
            isinstance(node, GenericTestNode)
            and node.test_metadata.name == "accepted_values"
            and str(node.config.severity).lower() == "error"
            and not node.config.where
        ):
            closed.setdefault(node.attached_node, set()).add(node.column_name or "")
    return [
        _mart(node, closed.get(node.unique_id, set()))
        for node in manifest.nodes.values()
        if isinstance(node, ModelNode) and node.fqn[1] == "marts"
    ]


def _mart(node: ModelNode, closed: AbstractSet[str]) -> Mart:
    declared = {name: column.meta.get("contains_pii") for name, column in node.columns.items()}
    listed = {*(node.config.meta.get("shared_texts") or ()), *closed}
    open_names = [name for name, meta in declared.items() if meta is None and name not in listed]
    keys = {name for name in open_names if name.endswith(_KEYS)}
    currencies = {name for name in open_names if name.rpartition("_")[2] == "currency"}
    return Mart(
        node.schema,
        node.name,
        node.description,
        {name: column.description for name, column in node.columns.items()},
        {
            name: bool(node.columns[name].meta.get("is_free_text"))
            for name, meta in declared.items()
            if meta is True
        },
        frozenset({name for name in listed if declared.get(name) is None} | currencies),
        frozenset({name for name, meta in declared.items() if meta == _IN_SOME_ROWS} | keys),
        (node.patch_path or "").rpartition("://")[2],
    )


def undeclared(connection: duckdb.DuckDBPyConnection, marts: Sequence[Mart]) -> list[str]:
    """The text columns that are left out because nothing says whether they hold people.

    Raises:
        IngestError: a mart is not built.
    """
    columns = _columns(connection, marts)
    return [
        f"{mart.name}.{name} ({mart.path})"
        for mart in marts
        for name, kind, _ in columns[mart.table]
        if re.search(_TEXT, kind) and name not in {*mart.personal, *mart.shared, *mart.mixed}
    ]


def check(warehouse_path: Path, path: Path, advice: str) -> None:
    """Refuse to replace anything but a copy of marts.

    Args:
        warehouse_path: the warehouse that is to be copied.
        path: the file to write.
        advice: what to do, for the message.

    Raises:
        UsageError: the file is the warehouse itself, another database, or no DuckDB file.
    """
    if path == warehouse_path:
        raise UsageError(f"{path} is the warehouse itself; {advice}")
    try:
        warehouse.check_format(path)
    except WarehouseError as error:
        raise UsageError(f"{path} is not a DuckDB file; {advice}") from error
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            is_warehouse = warehouse.has_tables(connection)
            tables = connection.execute("select table_name from duckdb_tables()").fetchall()
    except duckdb.Error:
        # There is none yet, or a program has it open for writing.
        return
    if is_warehouse:
        raise UsageError(f"{path} is a warehouse; {advice}")
    if tables and ("dim_accounts",) not in tables:
        raise UsageError(f"{path} holds tables that are not marts; {advice}")


@contextmanager
def swapped(out: Path) -> Iterator[Path]:
    """Yields a path for a new file, which replaces `out` in one step when the block ends.

    Processes that have the old file open keep it. If the block fails, the old file stays. A process
    that was killed leaves its folder behind, and the next one removes it.
    """
    out = out.resolve()
    folder = out.with_name(f".{out.name}.writing")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        path = folder / out.name
        yield path
        # A program that opened the old file for writing leaves a log, which is not of this file.
        out.with_name(f"{out.name}.wal").unlink(missing_ok=True)
        path.replace(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def attached(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[str]:
    """Attaches a new file, yields the quoted name of its database, and closes the file."""
    options = f"(read_write, storage_version {literal(warehouse.STORAGE_VERSION)})"
    connection.execute(f"attach {literal(str(path))} as {quoted(_COPY)} {options}")
    try:
        yield quoted(_COPY)
    except BaseException:
        # An open transaction would keep the file attached.
        with suppress(duckdb.Error):
            connection.rollback()
        raise
    finally:
        connection.execute(f"detach {quoted(_COPY)}")


def leaks(connection: duckdb.DuckDBPyConnection, marts: Sequence[Mart]) -> list[Leak]:
    """Search what a masked copy would show for everything that identifies a person.

    The values found are in the temporary table `found` of the connection.

    Args:
        connection: an open warehouse.
        marts: the marts to search.

    Raises:
        IngestError: a mart is not built.
    """
    columns = _columns(connection, marts)
    people.known(connection)
    for mart in marts:
        texts = {
            name: name in mart.mixed and name.endswith(_KEYS)
            for name, kind, _ in columns[mart.table]
            if re.search(_TEXT, kind) and name in mart.shared | mart.mixed
        }
        people.look(connection, mart.table, texts)
    found = people.find(connection)
    leaks = []
    for mart, name in [(one, name) for one in marts for name in one.columns]:
        place = f"{mart.table}.{quoted(name)}"
        if place in found:
            values = f"select value from temp.found where place = {literal(place)}"
            condition = f"coalesce(cast({quoted(name)} as varchar) in ({values}), false)"
            ((rows,),) = connection.execute(
                f"select count_if({condition}) from {mart.table}"
            ).fetchall()
            where = f"{mart.schema}.{mart.name}.{name}"
            kinds = frozenset(found[place])
            leaks.append(Leak(where, kinds, rows, condition, name in mart.mixed, mart.path))
    return leaks


def copy(
    connection: duckdb.DuckDBPyConnection,
    target: str,
    marts: Sequence[Mart],
    *,
    is_masked: bool,
    leaks: Sequence[Leak] = (),
) -> None:
    """Copy every mart into an attached file, views as tables, with comments and `not null`.

    Args:
        connection: an open warehouse.
        target: the quoted name of the attached database.
        marts: the marts to copy.
        is_masked: hash or leave out personal data.
        leaks: the rows to hash in columns that are otherwise copied.

    Raises:
        IngestError: a mart is not built.
    """
    key = os.environ.get("SHARE_KEY") or secrets.token_hex(32)
    connection.execute("set variable share_key = ?", [key])
    conditions = {leak.place: leak.condition for leak in leaks}
    columns = _columns(connection, marts)
    connection.begin()
    for schema in sorted({mart.schema for mart in marts}):
        connection.execute(f"create schema {target}.{quoted(schema)}")
    for mart in marts:
        shown = []
        for name, kind, is_nullable in columns[mart.table]:
            column = _Shown(quoted(name), kind)
            if is_masked:
                leaking = conditions.get(f"{mart.schema}.{mart.name}.{name}", "")
                column = _shown(mart, name, kind, leaking)
            not_null = "" if is_nullable or column.may_be_left_out else " not null"
            shown.append((name, column, not_null))
        declared = ", ".join(f"{quoted(name)} {one.kind}{rule}" for name, one, rule in shown)
        chosen = ", ".join(one.expression for _, one, _ in shown)
        table = f"{target}.{mart.table}"
        connection.execute(f"create table {table} ({declared})")
        connection.execute(f"insert into {table} select {chosen} from {mart.table}")
        connection.execute(_comments(mart, table, {name for name, *_ in shown}))
    connection.commit()


@dataclass(frozen=True, slots=True)
class _Shown:
    """A column of a copy: its SQL, its type, and whether masking may make it null."""

    expression: str
    kind: str
    may_be_left_out: bool = False


def _columns(
    connection: duckdb.DuckDBPyConnection, marts: Sequence[Mart]
) -> dict[str, list[tuple[str, str, bool]]]:
    """Name, type and whether it may be null of every column of each mart, by `Mart.table`.

    Raises:
        IngestError: a mart is not built.
    """
    found: dict[tuple[str, str], list[tuple[str, str, bool]]] = {}
    for schema, table, *column in connection.execute(
        "select schema_name, table_name, column_name, data_type, is_nullable from duckdb_columns()"
        " where database_name = current_database() order by schema_name, table_name, column_index"
    ).fetchall():
        name, kind, is_nullable = column
        found.setdefault((schema, table), []).append((name, kind, is_nullable))
    for mart in marts:
        if (mart.schema, mart.name) not in found:
            raise IngestError(f"{mart.schema}.{mart.name} is not built; run `make build`")
    return {mart.table: found[mart.schema, mart.name] for mart in marts}


def _shown(mart: Mart, column: str, kind: str, leaking: str = "") -> _Shown:
    """A column of a masked copy; `leaking` is true for the rows to hash in a column of texts."""
    name = quoted(column)
    is_text = re.search(_TEXT, kind) is not None
    is_shown = column in mart.shared | mart.mixed if is_text else column in mart.columns
    if mart.personal.get(column, not is_shown):
        # No rule separates the personal part of a free text from the rest.
        return _Shown("null", "varchar", may_be_left_out=True)
    if column in mart.personal:
        return _Shown(_hashed(name), "varchar")
    if leaking and kind == "VARCHAR":
        return _Shown(f"if({leaking}, {_hashed(name)}, {name})", kind)
    if leaking:
        return _Shown(f"if({leaking}, null, {name})", kind, may_be_left_out=True)
    return _Shown(name, kind)


def _hashed(name: str) -> str:
    """A keyed hash, equal for equal values, so that joins and counts still work."""
    key = "getvariable('share_key')"
    return f"left(sha256({key} || lower(cast({name} as varchar)) || {key}), 32)"


def _comments(mart: Mart, table: str, columns: set[str]) -> str:
    """Statements that give a table and its columns the descriptions of the project."""
    texts = [(f"table {table}", mart.description)]
    texts += [
        (f"column {table}.{quoted(name)}", text)
        for name, text in mart.columns.items()
        if name in columns
    ]
    return " ".join(
        f"comment on {what} is {literal(' '.join(text.split()))};" for what, text in texts if text
    )
