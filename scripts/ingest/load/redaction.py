"""Taking a person out of tables: their own fields by the catalogue, mentions of them by value.

Candidate rows are found in SQL by a short pattern and changed in Python, where JSON, escapes and
letters of any alphabet can be distinguished. Only candidates leave the database, 1,000 at a time.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb

from ingest import catalog
from ingest.catalog import personal
from ingest.load import audit, warehouse
from ingest.load.mentions import ERASED, Mentions, digits
from ingest.load.names import first_and_last, mailbox
from ingest.load.person import DESCRIBES, IDS, People, table_of
from ingest.load.personal_fields import Act, full_name, parsed, walk, written
from ingest.load.requests import salesforce_id18
from ingest.load.texts import (
    OWN,
    THEIR_FACTS,
    Texts,
    as_text,
    audit_texts,
    ids,
    in_batch_of,
    named,
    raw_texts,
    snapshot_texts,
)
from ingest.load.values import literal, quoted

_CHUNK = 1000

# Columns by name, JSON as text.
Record = dict[str, str | None]


class Redaction:
    """One person's data in the warehouse.

    Args:
        connection: an open warehouse, in a transaction.
        people: on which `find` has just been called.
        found: kinds and values of ids, devices and addresses.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        people: People,
        found: list[tuple[str, str]],
    ) -> None:
        self._connection = connection
        self._people = people
        self._found = found
        self._emails = {value for kind, value in found if kind == "email"}
        self._is_persons: dict[str, bool] = {}
        # Keys stay: those of accounts, customers and the company's own users.
        self._values = {
            ("id" if kind in IDS else kind, form)
            for kind, value in found
            if kind not in {"customer", "account", "sfuser"}
            for form in {value, salesforce_id18(value)}
        }
        self._places: set[str] = set()
        self._note_documents()

    def collect(self) -> None:
        """Read what identifies the person in their own records."""
        for texts in (*raw_texts(), *snapshot_texts(self._connection)):
            if texts.object_name == "messages" or texts.theirs in {"false", "(false)"}:
                continue
            if not self._connection.execute(f"select 1 from {texts.name} limit 1").fetchone():
                continue
            columns = ", ".join(as_text(name, kind) for name, kind in texts.columns.items())
            for row in self._rows(f"select {columns} from {texts.name} where {texts.theirs}"):
                record = dict(zip(texts.columns, row, strict=True))
                self._walk_record(texts, record, self._noted)
                if texts.object_name in {"Contact", "Lead"}:
                    self._values.add(("id", str(record["Id"])))
        self._values |= {("name", name) for name in self._people.names()}
        names = [value for kind, value in self._values if kind == "name"]
        self._values |= {("name", short) for name in names if (short := first_and_last(name))}
        self._values |= {("handle", part) for one in self._emails if (part := mailbox(one))}
        traits = f"""
            select distinct unnest([
                cast(traits as varchar), cast(json_extract(context, '$.traits') as varchar)
            ])
            from {table_of("messages")} where ({OWN["messages"]}) and {DESCRIBES}
        """
        for (text,) in self._rows(f"select traits from ({traits}) as found (traits)"):
            if text:
                walk(parsed(str(text)), "traits", self._noted)
        rows = self._connection.execute(
            f"""
            select distinct
                json_extract_string(context, '$.ip'), json_extract_string(context, '$.device.id'),
                json_extract_string(context, '$.device.advertisingId'),
                json_extract_string(context, '$.device.token')
            from {table_of("messages")} where {OWN["messages"]}
            """
        ).fetchall()
        for ip, *devices in rows:
            self._values |= {("ip", ip)} if ip else set()
            self._values |= {("device", device) for device in devices if device}

    def phones(self) -> set[str]:
        """The digits of the person's phone numbers, by which a later request may ask."""
        return {digits(value).lstrip("0") for kind, value in self._values if kind == "phone"}

    def delete(self, batch_id: str | None) -> list[tuple[str, str, str, int]]:
        """Delete the person's own records; returns batch, system, object and checksum of each."""
        gone = []
        for texts in raw_texts():
            if condition := OWN.get(texts.object_name):
                rows = self._connection.execute(
                    f"""
                    delete from {texts.name} where {in_batch_of(batch_id)} and ({condition})
                    returning _batch_id, {audit.id_checksum(texts.source)}
                    """
                ).fetchall()
                gone += [
                    (batch, texts.source, texts.object_name, int(sum_ or 0)) for batch, sum_ in rows
                ]
        theirs = ids("contact", "lead")
        self._connection.execute(
            f"""
            delete from raw_audit.absent_records
            where object_name in ('Contact', 'Lead') and id_key(record_id) in ({theirs})
            """
        )
        return gone

    def redact(self, batch_id: str | None) -> tuple[Counter[tuple[str, str, str]], Counter[str]]:
        """Redact everywhere, once the person's own records are deleted.

        Returns:
            Changed rows by batch, system and object, and records of the person by system.
        """
        mentions = self._mentions()
        changed: Counter[tuple[str, str, str]] = Counter()
        theirs: Counter[str] = Counter()
        tables = [*raw_texts(), *audit_texts(), *snapshot_texts(self._connection)]
        self._delete_fields(mentions)
        for texts in tables:
            for batch, is_theirs in self._redact_table(texts, mentions, batch_id):
                changed[batch or "", texts.source, texts.object_name] += 1
                theirs[texts.source] += is_theirs
        return changed, theirs

    def _delete_fields(self, mentions: Mentions) -> None:
        """Delete the names of fields that are values, such as the keys of a map by address."""
        if not mentions:
            return
        for name in ("fields", "schema_changes"):
            fields = self._connection.execute(
                f"select distinct field from raw_audit.{name}"
                f" where regexp_matches(field, {literal(mentions.needle)}, 'is')"
            ).fetchall()
            for (field,) in fields:
                if mentions.holds(field):
                    self._connection.execute(
                        f"delete from raw_audit.{name} where field = ?", [field]
                    )

    def _note_documents(self) -> None:
        """Writes down the ids of the person's customers and of what belongs to these."""
        self._connection.execute(
            """
            create or replace temp table erasing_documents as
            select value from erasing where kind = 'customer'
            """
        )
        if not any(kind == "customer" for kind, _ in self._found):
            return
        parts = [
            f"select {quoted(column)} from {warehouse.name_of(table)} where {named('customer')}"
            for table in catalog.tables_of("stripe")
            if "customer" in table.names
            for column in ("id", "payment_intent")
            if column in table.names
        ]
        path = "json_extract_string(data, '$.object.{}')"
        documents = "(select value from erasing_documents)"
        parts.append(
            f"select {path.format('id')} from {table_of('events')}"
            f" where {path.format('customer')} in {documents}"
        )
        self._connection.execute(f"insert into erasing_documents {' union '.join(parts)}")

    def _mentions(self) -> Mentions:
        values = {(kind, value) for kind, value in self._values if not self._is_others(kind, value)}
        bare = Mentions(values, self._places, ())
        kept = []
        if bare:
            rows = self._rows(
                f"""
                select distinct value from (
                    select email as value from people
                    union all select name from people
                    union all select "userId" from {table_of("messages")}
                ) as others
                where regexp_matches(value, {literal(bare.needle)}, 'is')
                    and lower(value) not in (select lower(value) from erasing)
                """
            )
            own = {value.lower() for _, value in values}
            kept = [value for (value,) in rows if value.lower() not in own and bare.holds(value)]
        return Mentions(values, self._places, kept)

    def _is_others(self, kind: str, value: str) -> bool:
        """Whether somebody who stays has the same value."""
        match kind:
            case "email":
                if value in self._emails:
                    return False
                condition, value = "email = ?", value.lower()
            case "name":
                condition, value = "name = ?", " ".join(value.lower().split())
            case "phone":
                condition, value = "list_contains(phones, ?)", digits(value).lstrip("0")
            case "street":
                return self._is_others_street(value)
            case "handle":
                condition, value = "starts_with(email, ?)", f"{value.lower()}@"
            case "device" | "id":
                query = f'select 1 from {table_of("messages")} where "anonymousId" = ? limit 1'
                return self._connection.execute(query, [value]).fetchone() is not None
            case "ip":
                query = f"""
                    select 1 from {table_of("messages")}
                    where json_extract_string(context, '$.ip') = ? limit 1
                """
                return self._connection.execute(query, [value]).fetchone() is not None
            case _:
                return False
        query = f"select 1 from people where {condition} and not ({THEIR_FACTS}) limit 1"
        return self._connection.execute(query, [value]).fetchone() is not None

    def _is_others_street(self, value: str) -> bool:
        parts = [
            f"select {quoted(column.name)} from {table_of(name)}"
            for name in ("Contact", "Lead", "User")
            for column in next(t for t in catalog.tables() if t.name == name).columns
            if personal.kind(column.name) == "street"
        ]
        parts.append(
            f"select json_extract_string(address, '$.line1') from {table_of('customers')}"
            f" where id not in (select value from erasing_documents)"
        )
        found = self._connection.execute(
            f"select 1 from ({' union all '.join(parts)}) as streets (street)"
            " where lower(trim(street)) = ? limit 1",
            [value.strip().lower()],
        ).fetchone()
        return found is not None

    def _redact_table(
        self, texts: Texts, mentions: Mentions, batch_id: str | None
    ) -> Iterator[tuple[str | None, bool]]:
        """Redacts in a table; yields the batch of every changed row, and whether it is theirs."""
        if not self._connection.execute(f"select 1 from {texts.name} limit 1").fetchone():
            return
        wheres = [texts.theirs]
        if mentions:
            # One text, because every use of the pattern is compiled of its own.
            text = ", ".join(as_text(name, kind) for name, kind in texts.columns.items())
            wheres.append(
                f"regexp_matches(concat_ws(chr(10), {text}), {literal(mentions.needle)}, 'is')"
            )
        in_batch = "true"
        if batch_id and texts.batch_column != "null":
            in_batch = f"{texts.batch_column} = {literal(batch_id)}"
        columns = ", ".join(
            f"{as_text(name, kind)} as {quoted(name)}" for name, kind in texts.columns.items()
        )
        self._connection.execute(
            f"""
            create or replace temp table candidates as
            select
                row_number() over () as number, rowid as row_id, {texts.batch_column} as batch,
                coalesce({texts.theirs}, false) as is_theirs, {columns}
            from {texts.name}
            where {in_batch} and ({" or ".join(f"coalesce({one}, false)" for one in wheres)})
            """
        )
        names = list(texts.columns)
        fields = ", ".join(f"{quoted(name)} varchar" for name in names)
        self._connection.execute(f"create or replace temp table changes (row_id bigint, {fields})")
        touched: set[str] = set()
        for chunk in self._chunks():
            changes = []
            for _, row_id, batch, is_known, *values in chunk:
                record = dict(zip(names, values, strict=True))
                is_theirs = is_known or self._has_their_email(texts, record)
                new = self._without_fields(texts, record) if is_theirs else dict(record)
                self._remove_mentions(texts, new, mentions)
                differing = [name for name in names if new[name] != record[name]]
                if differing:
                    touched.update(differing)
                    changes.append({"row_id": row_id, **new})
                    yield batch, is_theirs
            self._note_changes(names, changes)
        if touched:
            sets = ", ".join(
                f"{quoted(name)} = "
                + (
                    f"cast(changes.{quoted(name)} as json)"
                    if texts.columns[name] == "JSON"
                    else f"changes.{quoted(name)}"
                )
                for name in sorted(touched)
            )
            self._connection.execute(
                f"update {texts.name} as redacted set {sets} from changes"
                " where redacted.rowid = changes.row_id"
            )
        self._clear_numbers(texts)

    def _chunks(self) -> Iterator[list[tuple[Any, ...]]]:
        at = 0
        while rows := self._connection.execute(
            f"select * from candidates where number > {at} and number <= {at + _CHUNK} order by 1"
        ).fetchall():
            yield rows
            at += _CHUNK

    def _note_changes(self, names: list[str], changes: list[dict[str, object]]) -> None:
        if changes:
            kinds = json.dumps([{"row_id": "BIGINT", **dict.fromkeys(names, "VARCHAR")}])
            self._connection.execute(
                "insert into changes"
                f" select unnest(from_json(?, {literal(kinds)}), recursive := true)",
                [json.dumps(changes)],
            )

    def _clear_numbers(self, texts: Texts) -> None:
        """Dates of birth and coordinates, which are no texts, in the person's own records."""
        table = next((t for t in catalog.tables() if t.name == texts.object_name), None)
        if table is None or texts.object_name not in {"Account", "User"}:
            return
        columns = [
            column.name
            for column in table.columns
            if column.kind not in {"text", "json"}
            and personal.kind(column.name) in {"part", "place"}
        ]
        sets = ", ".join(f"{quoted(column)} = null" for column in columns)
        self._connection.execute(f"update {texts.name} set {sets} where {texts.theirs}")

    def _without_fields(self, texts: Texts, record: Record) -> Record:
        """One of the person's own records without what identifies them by its field."""
        names: set[str] = set()

        def note(kind: str, value: str) -> str:
            if kind == "name":
                names.add(value)
            return value

        def act(kind: str, value: str) -> str:
            stays = (
                not value
                or (kind == "name" and not self._is_name_of_person(value))
                or (kind == "email" and "@" not in value)
                or (kind == "tax" and is_companys)
            )
            return value if stays else ERASED

        self._walk_record(texts, dict(record), note)
        is_companys = not all(map(self._is_name_of_person, names))
        return self._walk_record(texts, dict(record), act)

    @staticmethod
    def _remove_mentions(texts: Texts, record: Record, mentions: Mentions) -> None:
        for name, text in record.items():
            if text is None or not mentions:
                continue
            is_json = texts.columns[name] == "JSON" or text[:1] in {"{", "["}
            without: str | None = (
                mentions.redacted_json(text) if is_json else mentions.redacted(text)
            )
            if without != text and name in {"record", "reason"}:
                # A record that was rejected may be of any form.
                without = ERASED
            elif without == ERASED and name.endswith(("Id", "_id")):
                without = None
            record[name] = without

    def _is_name_of_person(self, name: str) -> bool:
        if name not in self._is_persons:
            self._is_persons[name] = self._people.is_persons(name)
        return self._is_persons[name]

    def _has_their_email(self, texts: Texts, record: Record) -> bool:
        """Whether a Stripe record of another customer has the person's address."""
        found = False

        def act(kind: str, value: str) -> str:
            nonlocal found
            found |= kind == "email" and value.lower() in self._emails
            return value

        if texts.source == "stripe":
            self._walk_record(texts, dict(record), act)
        return found

    def _noted(self, kind: str, value: str) -> str:
        """Collects a value; addresses are followed by `People` alone."""
        value = value.strip()
        if kind == "place":
            self._places.add(value)
        elif kind == "name":
            if self._is_name_of_person(value):
                self._values.add((kind, value))
        elif kind not in {"part", "tax"} and value and value != ERASED:
            self._values.add((kind, value.lower() if kind == "email" else value))
        return value

    @staticmethod
    def _walk_record(texts: Texts, record: Record, act: Act) -> Record:
        """Applies `act` to every identifying value of a record."""
        for name, text in record.items():
            if not text or (name.startswith("_") and name != "_extra"):
                continue
            is_json = texts.columns[name] == "JSON"
            if is_json or text[:1] == "{":
                holder = texts.holder if name in {"_extra", "traits"} else name
                try:
                    value = parsed(text)
                    walked = walk(value, holder, act)
                    record[name] = written(walked) if walked != value else text
                except (ValueError, RecursionError):
                    # Not JSON, or nested so deep that only mentions are redacted.
                    continue
            elif kind := personal.kind_within(_own_name(texts, name), texts.holder):
                record[name] = act(kind, text)
        if texts.holder in personal.PEOPLE:
            full_name(record, act)
        return record

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        self._connection.execute(f"create or replace temp table found as {query}")
        self._connection.execute(
            "create or replace temp table numbered as"
            " select row_number() over () as number, * from found"
        )
        at = 0
        while rows := self._connection.execute(
            f"select * from numbered where number > {at} and number <= {at + _CHUNK}"
        ).fetchall():
            yield from (row[1:] for row in rows)
            at += _CHUNK


def _own_name(texts: Texts, name: str) -> str:
    """A column of a snapshot as the vendor calls it."""
    return name.removeprefix("account_") if texts.source == "snapshots" else name
