"""Erasure on request: the only exception to raw tables being append-only.

`seeds/deletion_requests.csv` names people by a Segment user id, a Salesforce contact or lead id, or
an e-mail address. A person's own records (messages, contacts, leads) are deleted; mentions in other
records (an invoice's e-mail address, a note) are redacted. SHA-256 hashes of their identifiers are
kept, so that records in a later batch are erased too.
"""

import csv
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import duckdb

from ingest import catalog
from ingest.errors import IngestError
from ingest.load import audit, warehouse
from ingest.load.errors import WarehouseError
from ingest.load.values import literal, quoted

REQUESTS = Path(__file__).resolve().parents[3] / "seeds" / "deletion_requests.csv"
ERASED = "[erased]"

# Shorter ids, and plain numbers, are too ambiguous to redact in free text.
_SHORTEST = 8
# Alternatives in one regular expression.
_ALTERNATIVES = 200
_EMAIL = r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"
# What may precede and follow a mention, so that part of a longer address is not one.
_BEFORE = r"(^|[^\w.+%-]|\\[nrtbf])"
_AFTER = r"($|[^\w.-]|\.(?:$|\W))"

_MESSAGES = 'raw_segment."messages"'
_IDS = "(select value from erasing where kind = 'id')"
_DEVICES = "(select value from erasing where kind in ('id', 'device'))"
_EMAILS = "(select value from erasing where kind = 'email')"


def _trait(name: str, traits: str = "traits") -> str:
    """A trait, whose name libraries write in any case and with any separators."""
    return f"""list_filter(
        list_transform(
            list_filter(
                json_keys({traits}),
                lambda field: regexp_replace(lower(field), '[^a-z0-9]', '', 'g') = '{name}'
            ),
            lambda field: json_extract_string(
                {traits}, '/' || replace(replace(field, '~', '~0'), '/', '~1')
            )
        ),
        lambda text: text is not null
    )[1]"""


_CONTEXT_TRAITS = "json_extract(context, '$.traits')"
_TRAITS_EMAIL = f"lower(coalesce({_trait('email')}, {_trait('email', _CONTEXT_TRAITS)}))"
_TRAITS_NAME = f"""lower(coalesce(
    {_trait("name")}, {_trait("firstname")} || ' ' || {_trait("lastname")},
    {_trait("name", _CONTEXT_TRAITS)}
))"""
# Calls with a person's traits, their own or those in the context.
_DESCRIBES = """(
    "type" = 'identify'
    or "type" not in ('group', 'alias') and contains(cast(context as varchar), '"traits"')
)"""

# Kind and value of what else identifies a person of whom something is known; see `_complete`.
_IDENTIFIERS = (
    f"""select 'device', "anonymousId" from looked_at_messages where "userId" in {_IDS}""",
    f"""select 'id', "previousId" from looked_at_messages
        where "type" = 'alias' and "userId" in {_IDS}""",
    f"""select 'id', "userId" from looked_at_messages where "previousId" in {_IDS}""",
    f"""select 'email', {_TRAITS_EMAIL} from looked_at_messages
        where {_DESCRIBES} and "userId" in {_IDS}""",
    f"""select 'id', "userId" from looked_at_messages
        where {_DESCRIBES} and {_TRAITS_EMAIL} in {_EMAILS}""",
    f"""select 'name', {_TRAITS_NAME} from looked_at_messages
        where {_DESCRIBES} and "userId" in {_IDS}""",
    *(
        query
        for table in ("looked_at_contact", "looked_at_lead")
        for query in (
            f"""select 'id', "Id" from {table}
                where lower("Email") in {_EMAILS} or "MasterRecordId" in {_IDS}""",
            f"""select 'email', lower("Email") from {table} where "Id" in {_IDS}""",
            f"""select 'name', lower("FirstName" || ' ' || "LastName") from {table}
                where "Id" in {_IDS}""",
            f"""select 'name', lower("Name") from {table} where "Id" in {_IDS}""",
        )
    ),
    f"""select 'id', "Id" from looked_at_lead where "ConvertedContactId" in {_IDS}""",
    f"""select 'id', "ConvertedContactId" from looked_at_lead where "Id" in {_IDS}""",
    f"""select 'name', lower("Name") from looked_at_user where lower("Email") in {_EMAILS}""",
)

# Whose rows are a person's own, and go. A device without a user may be anybody's who used it.
_OWN = {
    "messages": f"""
        "userId" in {_IDS} or "previousId" in {_IDS}
        or (coalesce("userId", '') = '' and "anonymousId" in {_DEVICES})
    """,
    "Contact": f'"Id" in {_IDS}',
    "Lead": f'"Id" in {_IDS}',
}

# Names that other people share.
_NAMES_OF_OTHERS = f"""
    select lower("FirstName" || ' ' || "LastName") from raw_salesforce."Contact"
    union select lower("FirstName" || ' ' || "LastName") from raw_salesforce."Lead"
    union select lower("Name") from raw_salesforce."User" where lower("Email") not in {_EMAILS}
    union select {_TRAITS_NAME} from {_MESSAGES} where {_DESCRIBES}
"""


@dataclass(frozen=True, slots=True)
class _Texts:
    """A table and those of its columns that may mention a person."""

    name: str
    source: str
    object_name: str
    batch_column: str
    columns: dict[str, str]


def erase(warehouse_path: Path) -> None:
    """Carry out new requests, and remove the erased values from the file itself.

    Raises:
        IngestError: the file of requests cannot be read.
        WarehouseError: the warehouse cannot be opened or written.
    """
    with warehouse.opened(warehouse_path) as connection:
        connection.begin()
        enforce(connection)
        connection.commit()
    scrub(warehouse_path)


def enforce(connection: duckdb.DuckDBPyConnection, batch_id: str | None = None) -> None:
    """Erase the people in the requests, in the caller's transaction.

    Args:
        connection: an open warehouse, in a transaction.
        batch_id: the batch that has just landed. Only its rows are searched, unless they reveal a
            new identifier of a person. Without it, only new requests are carried out.
    """
    asked = requests()
    known = _known(connection)
    new = {request for request in asked if request not in known}
    if not (asked if batch_id else new):
        return
    start = {("email" if "@" in one else "id", one) for one in (asked if batch_id else new)}
    connection.execute("create or replace temp table erasing (kind varchar, value varchar)")
    connection.executemany("insert into erasing values (?, ?)", sorted(start))
    if batch_id:
        _recognise(connection, batch_id)
    _complete(connection, batch_id)
    if batch_id and _unknown(connection, known):
        # The batch reveals a new identifier, which earlier batches may contain.
        _complete(connection)
        batch_id = None
    unknown = _unknown(connection, known)
    _erase(connection, batch_id)
    for kind, value in unknown:
        connection.execute(
            "insert into raw_audit.erased_identifiers values (?, ?)", [kind, _sum(value)]
        )
    connection.execute("drop table erasing")


def requests() -> set[str]:
    """The people to erase, from the seed or from the file in `DELETION_REQUESTS_PATH`."""
    path = Path(os.environ.get("DELETION_REQUESTS_PATH") or REQUESTS)
    if not path.exists():
        return set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            asked = {row["user_id"].strip() for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, AttributeError, csv.Error) as error:
        raise IngestError(
            f"{path} is not a CSV of user_id and requested_date: {error!r}"
        ) from error
    return {one.lower() if "@" in one else one for one in asked if one}


def scrub(warehouse_path: Path) -> None:
    """Rewrite the file if freed blocks still contain erased values.

    DuckDB neither overwrites nor releases freed blocks, at a checkpoint or by `vacuum`. A published
    copy of marts that were dropped is removed; the next build publishes them again.

    Raises:
        WarehouseError: the warehouse cannot be opened or written.
    """
    # A rename over a link would leave the file behind it as it was.
    warehouse_path = warehouse_path.resolve()
    fresh = warehouse_path.with_name(f".{warehouse_path.name}.scrubbing")
    fresh.unlink(missing_ok=True)
    with warehouse.opened(warehouse_path) as connection:
        if not _is_due(connection):
            return
        try:
            _withdraw(connection)
            connection.execute("checkpoint")
            ((name,),) = connection.execute("select current_database()").fetchall()
            connection.execute(
                f"attach {literal(str(fresh))} as scrubbed"
                f" (storage_version {literal(warehouse.STORAGE_VERSION)})"
            )
            connection.execute(f"copy from database {quoted(name)} to scrubbed")
            connection.execute("update scrubbed.raw_audit.erased_records set is_scrubbed = true")
            connection.execute("detach scrubbed")
            # A process that waits for the lock on the old file opens the new one.
            fresh.replace(warehouse_path)
        except (duckdb.Error, OSError) as error:
            raise WarehouseError(f"cannot rewrite {warehouse_path}: {error}") from error
        finally:
            fresh.unlink(missing_ok=True)


def _is_due(connection: duckdb.DuckDBPyConnection) -> bool:
    found = connection.execute(
        "select count(*) from raw_audit.erased_records where not is_scrubbed"
    ).fetchone()
    return found is not None and found[0] > 0


def _withdraw(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove the published copy of marts that were dropped."""
    steps = dict(connection.execute("select step, key from raw_audit.build_steps").fetchall())
    if "build" not in steps and "publish" in steps:
        Path(steps["publish"].split(" ", 1)[1]).unlink(missing_ok=True)


class _Known:
    """What identified the people who were erased, as sums."""

    def __init__(self, sums: Iterable[str]) -> None:
        self._sums = set(sums)

    def __contains__(self, value: str) -> bool:
        return _sum(value) in self._sums


def _known(connection: duckdb.DuckDBPyConnection) -> _Known:
    rows = connection.execute("select sha256 from raw_audit.erased_identifiers").fetchall()
    return _Known(sha256 for (sha256,) in rows)


def _unknown(connection: duckdb.DuckDBPyConnection, known: _Known) -> list[tuple[str, str]]:
    """What identifies the people in `erasing`, names apart, and was not known before."""
    found = connection.execute("select kind, value from erasing where kind <> 'name'").fetchall()
    return [(kind, value) for kind, value in found if value not in known]


def _sum(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _recognise(connection: duckdb.DuckDBPyConnection, batch_id: str) -> None:
    """Add what a batch holds of people who were erased before."""
    ids = (("messages", "userId"), ("messages", "previousId"), ("Contact", "Id"), ("Lead", "Id"))
    queries = [
        f"select 'id' as kind, {quoted(column)} as value from {_table(name)} where {{batch}}"
        for name, column in ids
    ]
    queries.append(f"""select 'device', "anonymousId" from {_MESSAGES} where {{batch}}""")
    for texts in _raw_texts():
        for column, kind in texts.columns.items():
            text = f"cast({quoted(column)} as varchar)" if kind == "JSON" else quoted(column)
            queries.append(
                f"select 'email', unnest(regexp_extract_all(lower({text}), {literal(_EMAIL)}))"
                f" from {texts.name} where {{batch}} and contains({text}, '@')"
            )
    batch = f"_batch_id = {literal(batch_id)}"
    for query in queries:
        connection.execute(
            f"""
            insert into erasing
            select distinct found.kind, found.value
            from ({query.format(batch=batch)}) as found (kind, value)
            inner join raw_audit.erased_identifiers as erased
                on sha256(found.value) = erased.sha256
            """
        )


def _complete(connection: duckdb.DuckDBPyConnection, batch_id: str | None = None) -> None:
    """Add further identifiers of the people in `erasing`, until no batch (or this one) has more."""
    in_batch = f"_batch_id = {literal(batch_id)}" if batch_id else "true"
    for name in ("messages", "Contact", "Lead", "User"):
        connection.execute(
            f"create or replace temp view looked_at_{name} as"
            f" select * from {_table(name)} where {in_batch}"
        )
    before, now = -1, 0
    while now != before:
        before = now
        for query in _IDENTIFIERS:
            connection.execute(
                f"""
                insert into erasing
                select distinct kind, value
                from ({query}) as found (kind, value)
                where value <> '' and (kind, value) not in (select (kind, value) from erasing)
                """
            )
        ((now,),) = connection.execute("select count(*) from erasing").fetchall()


def _erase(connection: duckdb.DuckDBPyConnection, batch_id: str | None) -> None:
    """Delete and redact, in one batch or all, and count by batch."""
    erased: Counter[tuple[str, str, str]] = Counter()
    checksums: Counter[tuple[str, str, str]] = Counter()
    redacted: Counter[tuple[str, str, str]] = Counter()
    in_batch = f"_batch_id = {literal(batch_id)}" if batch_id else "true"
    for texts in _raw_texts():
        if condition := _OWN.get(texts.object_name):
            gone = connection.execute(
                f"""
                delete from {texts.name} where {in_batch} and ({condition})
                returning _batch_id, {audit.id_checksum(texts.source)}
                """
            ).fetchall()
            for batch, checksum in gone:
                erased[batch, texts.source, texts.object_name] += 1
                checksums[batch, texts.source, texts.object_name] += int(checksum or 0)
    tables = [*_raw_texts(), _REJECTED, *_snapshot_texts(connection)]
    for pattern in _patterns(_mentions(connection)):
        for texts in tables:
            for batch in _redact(connection, texts, pattern, batch_id):
                redacted[batch, texts.source, texts.object_name] += 1
    for key in sorted(erased.keys() | redacted.keys()):
        connection.execute(
            "insert into raw_audit.erased_records values (?, ?, ?, ?, ?, ?, false)",
            [*key, erased[key], redacted[key], checksums[key]],
        )
    if {batch for batch, *_ in erased.keys() | redacted.keys()} - {batch_id}:
        _drop_derived(connection)


def _redact(
    connection: duckdb.DuckDBPyConnection, texts: _Texts, pattern: str, batch_id: str | None
) -> list[str]:
    """Redact mentions in a table; returns the batch of every row that had one."""
    sets = {}
    mentions = []
    for column, kind in texts.columns.items():
        text = f"cast({quoted(column)} as varchar)" if kind == "JSON" else quoted(column)
        mentions.append(f"regexp_matches({text}, $pattern, 'i')")
        # Two mentions that share their separator need two passes.
        redacted_text = text
        for _ in range(2):
            redacted_text = f"regexp_replace({redacted_text}, $pattern, '\\1{ERASED}\\2', 'gi')"
        if texts is _REJECTED:
            redacted_text = f"case when {mentions[-1]} then '{ERASED}' else {text} end"
        elif kind == "JSON":
            redacted_text = f"cast({redacted_text} as json)"
        elif column.endswith(("Id", "_id")):
            redacted_text = f"nullif({redacted_text}, '{ERASED}')"
        sets[column] = redacted_text
    assignments = ", ".join(f"{quoted(column)} = {value}" for column, value in sets.items())
    in_batch = "true"
    if batch_id and texts.batch_column != "null":
        in_batch = f"{texts.batch_column} = {literal(batch_id)}"
    found = connection.execute(
        f"""
        update {texts.name} set {assignments}
        where {in_batch} and ({" or ".join(mentions)})
        returning {texts.batch_column}
        """,
        {"pattern": pattern},
    ).fetchall()
    return [batch or "" for (batch,) in found]


def _mentions(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Values to redact wherever they occur: those that identify no one else."""
    rows = connection.execute(
        f"""
        select value from erasing
        where
            kind = 'email'
            or kind = 'id' and value not in (
                select "anonymousId" from {_MESSAGES} where "anonymousId" is not null
            )
            or kind = 'device' and value not in (
                select "anonymousId" from {_MESSAGES} where "anonymousId" is not null
            )
            or kind = 'name' and contains(value, ' ') and value not in (
                select name from ({_NAMES_OF_OTHERS}) as others (name) where name is not null
            )
        order by length(value) desc, value
        """
    ).fetchall()
    return [
        value
        for (value,) in rows
        if len(value) >= _SHORTEST and not re.fullmatch(r"[\d\W]+", value)
    ]


def _patterns(values: Sequence[str]) -> Iterator[str]:
    """Regular expressions of values: plain, JSON-escaped and URL-encoded."""
    for start in range(0, len(values), _ALTERNATIVES):
        spelled = {
            re.escape(text)
            for value in values[start : start + _ALTERNATIVES]
            for text in (value, json.dumps(value)[1:-1], quote(value), quote(value, safe=""))
        }
        yield f"{_BEFORE}(?:{'|'.join(sorted(spelled, key=len, reverse=True))}){_AFTER}"


def _raw_texts() -> list[_Texts]:
    return [
        _Texts(
            warehouse.name_of(table),
            table.source,
            table.name,
            "_batch_id",
            {
                column.name: column.sql_type
                for column in (*table.columns, catalog.METADATA[0])
                if column.kind in {"text", "json"}
            },
        )
        for table in catalog.tables()
    ]


_REJECTED = _Texts(
    "raw_audit.rejected_records",
    "audit",
    "rejected_records",
    "batch_id",
    {"record": "VARCHAR", "reason": "VARCHAR", "field": "VARCHAR"},
)


def _snapshot_texts(connection: duckdb.DuckDBPyConnection) -> list[_Texts]:
    rows = connection.execute(
        """
        select table_name, map_from_entries(list((column_name, data_type)))
        from information_schema.columns
        where
            table_schema = 'snapshots' and data_type in ('VARCHAR', 'JSON')
            and not starts_with(column_name, 'dbt_')
        group by table_name
        order by table_name
        """
    ).fetchall()
    return [
        _Texts(f"snapshots.{quoted(name)}", "snapshots", name, "null", columns)
        for name, columns in rows
    ]


def _table(object_name: str) -> str:
    return next(warehouse.name_of(t) for t in catalog.tables() if t.name == object_name)


def _drop_derived(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop every derived table, so that the next build rebuilds it without the erased values."""
    derived = connection.execute(
        """
        select schema_name, table_name
        from duckdb_tables()
        where
            database_name = current_database() and not temporary
            and not starts_with(schema_name, 'raw_')
            and schema_name not in ('seeds', 'snapshots')
        """
    ).fetchall()
    for schema, table in derived:
        connection.execute(f"drop table {quoted(schema)}.{quoted(table)}")
    connection.execute("delete from raw_audit.build_steps where step = 'build'")
