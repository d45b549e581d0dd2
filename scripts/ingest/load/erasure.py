"""Erasure on request: the only exception to raw tables being append-only.

`seeds/deletion_requests.csv` names people by any identifier, and `ingest.load.person` finds what
else is theirs. A person's own records (messages, contacts, leads) are deleted. Records that others
keep, such as invoices, lose what identifies the person: the fields that `ingest.catalog.personal`
declares, in the person's own records, and every mention of their values in all others. Keys and
money stay. SHA-256 hashes of identifiers are kept, so that records in a later batch are erased too.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingest import catalog, personal
from ingest.load import warehouse
from ingest.load.errors import WarehouseError
from ingest.load.mentions import ERASED
from ingest.load.person import People, table_of
from ingest.load.redaction import Redaction
from ingest.load.requests import REQUESTS, Request, requests, sum_of
from ingest.load.values import literal, quoted

__all__ = ["ERASED", "REQUESTS", "enforce", "erase", "receipts", "scrub"]

_SYSTEMS = (*catalog.SOURCES, "audit", "snapshots")
_NAMES = {
    "email": "an e-mail address",
    "phone": "a phone number",
    "customer": "a Stripe customer's id",
    "contact": "a Salesforce contact's id",
    "lead": "a Salesforce lead's id",
    "account": "a Salesforce account's id",
    "sfuser": "a Salesforce user's id",
    "user": "a user id",
}


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
        batch_id: the batch that has just landed. It is searched for people who were erased before,
            too; earlier batches are searched again only if it reveals a new identifier of theirs.

    Raises:
        IngestError: the file of requests cannot be read.
    """
    asked = requests()
    if not asked:
        return
    known = _known(connection)
    again = _recognised(connection, asked, known, batch_id) if batch_id else {}
    new = [request for request in asked if request.erasure(known) is None]
    if not new and not again:
        return
    people = People(connection)
    for erasure_id, start in again.items():
        _Erasure(connection, people, known).carry_out(start, erasure_id, batch_id)
    for request in new:
        start, _ = people.seeds(request)
        # An earlier line may have named the same person.
        if start and request.erasure(known) is None:
            _Erasure(connection, people, known, request).carry_out(start, landed=batch_id)


@dataclass(frozen=True, slots=True)
class _Erasure:
    """The erasure of one person.

    Attributes:
        connection: an open warehouse, in a transaction.
        people: all records of people.
        known: the erasure of every identifier that was erased, by its sum; it grows.
        request: the line that asks for it; None for a person who was erased before.
    """

    connection: duckdb.DuckDBPyConnection
    people: People
    known: dict[str, int]
    request: Request | None = None

    def carry_out(
        self,
        start: set[tuple[str, str]],
        erasure_id: int | None = None,
        batch_id: str | None = None,
        landed: str | None = None,
    ) -> None:
        """Erase the person, and write the receipt unless nothing of them was found.

        Args:
            start: kinds and values that identify the person.
            erasure_id: the erasure of a person who was erased before.
            batch_id: only in this batch, unless it reveals a new identifier.
            landed: the batch that no derived table contains yet.
        """
        landed = landed or batch_id
        found = self.people.find(start)
        sums = {sum_of(value): kind for kind, value in found}
        if erasure_id is None:
            erasure_id = next((self.known[one] for one in sums if one in self.known), None)
        unknown = {one: kind for one, kind in sums.items() if one not in self.known}
        if batch_id and unknown:
            # The batch reveals an identifier that earlier batches may contain.
            batch_id = None
        redaction = Redaction(self.connection, self.people, found)
        redaction.collect()
        deleted = redaction.delete(batch_id)
        redacted, theirs = redaction.redact(batch_id)
        if not deleted and not redacted and erasure_id is None:
            return
        self.people.forget()
        if erasure_id is None:
            ((erasure_id,),) = self.connection.execute(
                "select coalesce(max(erasure_id), 0) + 1 from raw_audit.erasures"
            ).fetchall()
        unknown |= {sum_of(phone): "phone" for phone in redaction.phones()}
        if self.request:
            unknown[self.request.sha256] = self.request.kind
        for sha256, kind in unknown.items():
            self.connection.execute(
                "insert into raw_audit.erased_identifiers values (?, ?, ?)",
                [kind, sha256, erasure_id],
            )
            self.known[sha256] = erasure_id
        _count(self.connection, deleted, redacted)
        self._write_receipt(erasure_id, deleted, redacted, theirs)
        if {batch for batch, *_ in (*deleted, *redacted)} - {landed}:
            _drop_derived(self.connection)

    def _write_receipt(
        self,
        erasure_id: int,
        deleted: Sequence[tuple[str, str, str, int]],
        redacted: Counter[tuple[str, str, str]],
        theirs: Counter[str],
    ) -> None:
        gone, changed = Counter(source for _, source, *_ in deleted), Counter[str]()
        for (_, source, _), count in redacted.items():
            changed[source] += count
        now = datetime.now(UTC).replace(tzinfo=None)
        kind = self.request.kind if self.request else None
        requested = self.request.requested if self.request else None
        for system in _SYSTEMS:
            found = gone[system] + theirs[system]
            self.connection.execute(
                "insert into raw_audit.erasures values (?, ?, ?, ?, ?, ?, ?, ?)",
                [erasure_id, kind, requested, now, system, found, gone[system], changed[system]],
            )


def _count(
    connection: duckdb.DuckDBPyConnection,
    deleted: Sequence[tuple[str, str, str, int]],
    redacted: Counter[tuple[str, str, str]],
) -> None:
    """Count by batch and object, for the reconciliation of files and raw."""
    erased: Counter[tuple[str, str, str]] = Counter()
    checksums: Counter[tuple[str, str, str]] = Counter()
    for batch, source, name, checksum in deleted:
        erased[batch, source, name] += 1
        checksums[batch, source, name] += checksum
    for key in sorted(erased.keys() | redacted.keys()):
        connection.execute(
            "insert into raw_audit.erased_records values (?, ?, ?, ?, ?, ?, false)",
            [*key, erased[key], redacted[key], checksums[key]],
        )


def receipts(warehouse_path: Path, since: datetime) -> tuple[list[str], list[str]]:
    """What was erased since an instant, and which requests no record answers; without identifiers.

    Args:
        warehouse_path: the DuckDB file.
        since: UTC.

    Raises:
        IngestError: the file of requests cannot be read.
    """
    asked = requests()
    if not asked:
        return [], []
    with warehouse.opened(warehouse_path) as connection:
        warehouse.create_tables(connection)
        known = _known(connection)
        rows = connection.execute(
            """
            select
                erasure_id, source_system, sum(rows_found), sum(rows_erased), sum(rows_redacted)
            from raw_audit.erasures
            where erased_at >= ?
            group by erasure_id, source_system
            """,
            [since],
        ).fetchall()
        unanswered = [request for request in asked if request.erasure(known) is None]
        reasons = []
        if unanswered:
            connection.begin()
            people = People(connection)
            for request in unanswered:
                _, reason = people.seeds(request)
                reasons.append(
                    f"{request.place}: {_NAMES[request.kind]}; "
                    f"{reason or 'no one is known by it, and no text mentions it'}"
                )
            connection.rollback()
    counts = {(erasure_id, system): rest for erasure_id, system, *rest in rows}
    lines = []
    for erasure_id in sorted({erasure_id for erasure_id, _ in counts}):
        places = [f"{r.place} ({_NAMES[r.kind]})" for r in asked if r.erasure(known) == erasure_id]
        lines.append(f"erasure {erasure_id}  {', '.join(places) or 'a line that is gone'}")
        for system in _SYSTEMS:
            found, gone, changed = map(int, counts[erasure_id, system])
            said = (
                f"{found:,} records of the person, {gone:,} deleted, {changed:,} redacted"
                if found or changed
                else "nothing found"
            )
            lines.append(f"  {system:<11} {said}")
    return lines, reasons


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


def _known(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The erasure of every identifier that was erased, by its sum."""
    rows = connection.execute(
        "select sha256, coalesce(erasure_id, 0) from raw_audit.erased_identifiers"
    ).fetchall()
    return dict(rows)


def _recognised(
    connection: duckdb.DuckDBPyConnection,
    asked: Sequence[Request],
    known: dict[str, int],
    batch_id: str,
) -> dict[int, set[tuple[str, str]]]:
    """What a batch holds of people who were erased before, by erasure."""
    batch = f"_batch_id = {literal(batch_id)}"
    ids = (
        ("user", "messages", "userId"),
        ("user", "messages", "previousId"),
        ("device", "messages", "anonymousId"),
        ("contact", "Contact", "Id"),
        ("lead", "Lead", "Id"),
        ("account", "Account", "Id"),
        ("sfuser", "User", "Id"),
    )
    queries = [
        f"select '{kind}', {form} from {table_of(name)} where {batch}"
        for kind, name, column in ids
        for form in (quoted(column), f"left({quoted(column)}, 15)")
    ]
    for table in catalog.tables():
        name = warehouse.name_of(table)
        if table.source == "stripe" and "customer" in table.names:
            queries.append(f"select 'customer', customer from {name} where {batch}")
        for column in (*table.columns, catalog.METADATA[0]):
            if column.kind in {"text", "json"}:
                text = f"cast({quoted(column.name)} as varchar)"
                queries.append(
                    "select 'email',"
                    f" unnest(regexp_extract_all(lower({text}), {literal(personal.EMAIL)}))"
                    f" from {name} where {batch} and {personal.has_email(text)}"
                )
    customers, events = table_of("customers"), table_of("events")
    queries.append(f"select 'customer', id from {customers} where {batch}")
    queries += [
        f"select 'customer', json_extract_string(data, '$.object.{path}')"
        f" from {events} where {batch}"
        for path in ("id", "customer")
    ]
    found: dict[int, set[tuple[str, str]]] = {}
    for query in queries:
        rows = connection.execute(
            f"""
            select distinct found.kind, found.value, coalesce(erased.erasure_id, 0)
            from ({query}) as found (kind, value)
            inner join raw_audit.erased_identifiers as erased
                on sha256(found.value) = erased.sha256
            """
        ).fetchall()
        for kind, value, erasure_id in rows:
            found.setdefault(erasure_id, set()).add((kind, value))
    # What the list itself names may be mentioned where no pattern finds it.
    for request in asked:
        erasure_id = request.erasure(known)
        if erasure_id is not None and _mentions(connection, request.value, batch_id):
            found.setdefault(erasure_id, set()).add((request.kind, request.value))
    return found


def _mentions(connection: duckdb.DuckDBPyConnection, value: str, batch_id: str) -> bool:
    """Whether a text of a batch holds a value as it is written in the list."""
    for table in catalog.tables():
        texts = " or ".join(
            f"contains(lower(cast({quoted(column.name)} as varchar)), $value)"
            for column in (*table.columns, catalog.METADATA[0])
            if column.kind in {"text", "json"}
        )
        if connection.execute(
            f"select 1 from {warehouse.name_of(table)}"
            f" where _batch_id = $batch and ({texts}) limit 1",
            {"value": value.lower(), "batch": batch_id},
        ).fetchone():
            return True
    return False


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
