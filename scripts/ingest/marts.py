"""Copies of the marts in a file of their own, with the one rule for what is personal in them.

Columns with `meta: {contains_pii: true}` become keyed hashes or, as free text, null. A column that
no yml declares is left out, and keys that are e-mail addresses are hashed. `ingest share` and the
last step of `ingest build` both write their files through this module.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest

from ingest.errors import IngestError
from ingest.load import warehouse
from ingest.load.values import literal, quoted
from ingest.personal import has_email, is_email

_ADDRESS = r"\b\d{1,3}(?:\.\d{1,3}){3}\b"
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
    """

    schema: str
    name: str
    description: str
    columns: dict[str, str]
    personal: dict[str, bool]

    @property
    def table(self) -> str:
        """The qualified and quoted name."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that is not declared as personal and holds an e-mail or IP address in some rows.

    Attributes:
        place: the column as `schema.table.column`.
        rows: how many rows hold one.
        condition: SQL that is true for these rows.
    """

    place: str
    rows: int
    condition: str

    def __str__(self) -> str:
        return f"{self.place} holds e-mail or IP addresses in {self.rows:,} rows"


def described(manifest: Manifest) -> list[Mart]:
    """The marts that the project has."""
    return [
        Mart(
            node.schema,
            node.name,
            node.description,
            {name: column.description for name, column in node.columns.items()},
            {
                name: bool(column.meta.get("is_free_text"))
                for name, column in node.columns.items()
                if column.meta.get("contains_pii")
            },
        )
        for node in manifest.nodes.values()
        if node.resource_type == NodeType.Model and node.fqn[1] == "marts"
    ]


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
    """Search what a masked copy would show for e-mail addresses and for IP addresses of the source.

    Args:
        connection: an open warehouse.
        marts: the marts to search.

    Raises:
        IngestError: a mart is not built.
    """
    found = []
    columns = _columns(connection, marts)
    for mart in marts:
        texts = [
            (name, f"cast({_shown(mart, name, kind).expression} as varchar)")
            for name, kind, _ in columns[mart.table]
            if re.search(_TEXT, kind) and name in mart.columns and name not in mart.personal
        ]
        # One pass over the table, and a second one only over columns with something like a number
        # of four parts, as versions of browsers are too.
        counts = ", ".join(
            f"count_if({has_email(text)}), count_if({_like_ip(text)})" for _, text in texts
        )
        if not texts:
            continue
        (emails_and_ips,) = connection.execute(f"select {counts} from {mart.table}").fetchall()
        for (name, text), emails, like_ips in zip(
            texts, emails_and_ips[::2], emails_and_ips[1::2], strict=True
        ):
            if emails or like_ips:
                condition = has_email(text)
                if like_ips:
                    condition = f"{condition} or {_is_ip(connection, text)}"
                condition = f"coalesce({condition}, false)"
                ((rows,),) = connection.execute(
                    f"select count_if({condition}) from {mart.table}"
                ).fetchall()
                if rows:
                    found.append(Leak(f"{mart.schema}.{mart.name}.{name}", rows, condition))
    return found


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
        leaks: what to hash beside the columns that are declared.

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
    """A column of a masked copy; `leaking` is true for rows to hash that are not declared."""
    name = quoted(column)
    if mart.personal.get(column, column not in mart.columns):
        # No rule separates the personal part of a free text from the rest.
        return _Shown("null", "varchar", may_be_left_out=True)
    if column in mart.personal:
        return _Shown(_hashed(name), "varchar")
    if kind == "VARCHAR":
        condition = f"{is_email(name)} or {leaking}" if leaking else is_email(name)
        return _Shown(f"if({condition}, {_hashed(name)}, {name})", kind)
    if leaking:
        return _Shown(f"if({leaking}, null, {name})", kind, may_be_left_out=True)
    return _Shown(name, kind)


def _hashed(name: str) -> str:
    """A keyed hash, equal for equal values, so that joins and counts still work."""
    key = "getvariable('share_key')"
    return f"left(sha256({key} || lower(cast({name} as varchar)) || {key}), 32)"


def _like_ip(text: str) -> str:
    return f"contains({text}, '.') and regexp_matches({text}, {literal(_ADDRESS)})"


def _is_ip(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """Whether a text holds an IP address that Segment sent."""
    connection.execute(
        """
        create temp table if not exists addresses as
        select distinct json_extract_string(context, '$.ip') as address
        from raw_segment.messages
        """
    )
    return f"regexp_extract({text}, {literal(_ADDRESS)}) in (from temp.addresses)"


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
