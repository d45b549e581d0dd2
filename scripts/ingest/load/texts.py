"""The tables that may identify a person, and which of their rows are the person's own."""

from dataclasses import dataclass

import duckdb

from ingest import catalog
from ingest.catalog import personal
from ingest.load import warehouse
from ingest.load.values import literal, quoted

_AUDIT = {
    "files": ("source_file", "note"),
    "landed_objects": ("source_file",),
    "rejected_records": ("record", "reason", "field", "source_file"),
    "test_results": ("message",),
}
# Where a record of each table has the ids of the person's Stripe objects, beside its own columns.
_PATHS = {"events": ("data", "$.object."), "other_objects": ("_extra", "$.")}


@dataclass(frozen=True, slots=True)
class Texts:
    """A table and those of its columns that may identify a person.

    Attributes:
        name: qualified and quoted.
        source: the system, or `audit` or `snapshots`.
        object_name: what counts call it.
        batch_column: SQL of the batch of a row.
        columns: the type of every column with text.
        theirs: the SQL condition that a row is the person's own record.
        holder: the object whose fields the columns are.
    """

    name: str
    source: str
    object_name: str
    batch_column: str
    columns: dict[str, str]
    theirs: str = "false"
    holder: str = ""


def ids(*kinds: str) -> str:
    return f"select key from erasing where kind in ({', '.join(map(literal, kinds))})"


_USERS = "(select value from erasing where kind = 'user')"
_DEVICES = "(select value from erasing where kind in ('user', 'device'))"
# Whose rows are a person's own, and go. A device without a user may be anybody's who used it.
OWN = {
    "messages": f"""
        "userId" in {_USERS} or "previousId" in {_USERS}
        or (coalesce("userId", '') = '' and "anonymousId" in {_DEVICES})
    """,
    "Contact": f'id_key("Id") in ({ids("contact")})',
    "Lead": f'id_key("Id") in ({ids("lead")})',
}
THEIR_FACTS = f"""
    (kind, id) in (select (kind, key) from erasing)
    or id = '' and (
        device in {_DEVICES} or email in (select value from erasing where kind = 'email')
    )
"""


def named(column: str) -> str:
    """The condition that a column names one of the person's documents, as an id or expanded."""
    name, documents = quoted(column), "(select value from erasing_documents)"
    return (
        f"({name} in {documents} or starts_with({name}, '{{')"
        f" and case when starts_with({name}, '{{') then json_extract_string({name}, '$.id') end"
        f" in {documents})"
    )


def _theirs(table: catalog.Table) -> str:
    """The condition that a record is the person's own."""
    if table.name in OWN:
        return OWN[table.name]
    if table.source == "salesforce":
        kind = {"Account": "account", "User": "sfuser"}.get(table.name)
        return f'id_key("Id") in ({ids(kind)})' if kind else "false"
    if table.source != "stripe":
        return "false"
    conditions = [named(column) for column in personal.STRIPE_LINKS if column in table.names]
    if path := _PATHS.get(table.name):
        column, start = path
        documents = "(select value from erasing_documents)"
        for link in personal.STRIPE_LINKS:
            found = f"json_extract_string({quoted(column)}, '{start}{link}')"
            conditions += [f"{found} in {documents}"]
        expanded = f"json_extract_string({quoted(column)}, '{start}customer.id')"
        conditions += [f"{expanded} in {documents}"]
    return " or ".join(conditions)


def raw_texts() -> list[Texts]:
    return [
        Texts(
            warehouse.name_of(table),
            table.source,
            table.name,
            "_batch_id",
            {
                column.name: column.sql_type
                for column in (*table.columns, *catalog.METADATA)
                if column.kind in {"text", "json"} and column.name != "_batch_id"
            },
            f"({_theirs(table)})",
            "person" if table.name in personal.PEOPLE_TABLES else table.object_name,
        )
        for table in catalog.tables()
    ]


def audit_texts() -> list[Texts]:
    return [
        Texts(
            f"raw_audit.{name}",
            "audit",
            name,
            "null" if name == "test_results" else "batch_id",
            dict.fromkeys(columns, "VARCHAR"),
        )
        for name, columns in _AUDIT.items()
    ]


def snapshot_texts(connection: duckdb.DuckDBPyConnection) -> list[Texts]:
    rows = connection.execute(
        """
        select table_name, map_from_entries(list((column_name, data_type) order by column_name))
        from information_schema.columns
        where
            table_schema = 'snapshots' and data_type in ('VARCHAR', 'JSON')
            and not starts_with(column_name, 'dbt_')
            and column_name not in ('_batch_id', 'state_digest')
        group by table_name
        order by table_name
        """
    ).fetchall()
    account = f"id_key(salesforce_account_id) in ({ids('account')})"
    return [
        Texts(
            f"snapshots.{quoted(name)}",
            "snapshots",
            name,
            "null",
            columns,
            f"({account})" if name == "snap_salesforce__accounts" else "false",
            "person",
        )
        for name, columns in rows
    ]


def as_text(name: str, kind: str) -> str:
    return f"cast({quoted(name)} as varchar)" if kind == "JSON" else quoted(name)


def in_batch_of(batch_id: str | None) -> str:
    return f"_batch_id = {literal(batch_id)}" if batch_id else "true"
