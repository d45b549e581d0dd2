"""Salesforce's records as Bulk API 2.0 query results, one folder per batch, with realistic defects.

A batch holds the last state of each record that was saved in its window. Defects (repeats, versions
older than those sent before) go to the second part of a file.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from ingest.generate.batches import Batch, BrokenRecord, WrittenFile, split_batches, write_file
from ingest.generate.crm import COLUMNS, STAGES, Crm, Version, saved_history
from ingest.generate.ids import account_salesforce_id, salesforce_id
from ingest.generate.records import Company
from ingest.generate.salesforce import build_crm

# Object, kind and relative position, in ascending order, so that each keeps its position.
_BROKEN = (
    ("Contact", "bad_date", 0.3),
    ("Lead", "missing_id", 0.4),
    ("Contact", "ragged_row", 0.8),
    ("Lead", "invalid_utf8", 0.9),
)
_REPEATS = 3


@dataclass(frozen=True, slots=True)
class SalesforceResult:
    """What was written, and what tests may compare with.

    `account_links` are rows of account key and Salesforce account id, a merged account's under its
    survivor's key.
    """

    files: tuple[WrittenFile, ...]
    broken: tuple[BrokenRecord, ...]
    account_links: tuple[tuple[int, str], ...]


Rows = dict[str, Mapping[str, str]]


def write_salesforce(
    company: Company, out_dir: Path, batch_ends: Sequence[datetime], defects: Counter[str]
) -> SalesforceResult:
    """Writes `<out_dir>/<batch id>/salesforce/<Object>.csv` for every batch.

    Args:
        company: The simulated company.
        out_dir: The folder of batches.
        batch_ends: The exclusive end of each batch, ascending.
        defects: Counts the planted defects, under keys that start with `salesforce_`.
    """
    crm = build_crm(company)
    batches = split_batches(batch_ends)
    files: list[WrittenFile] = []
    broken: list[BrokenRecord] = []
    for batch in batches:
        columns = {name: _columns_of(name, batch, len(batches)) for name in COLUMNS}
        rows = {name: _rows_of(crm, name, batch) for name in COLUMNS}
        second_parts = _second_parts(crm, rows, batch, company.seed, defects)
        for name in COLUMNS:
            records = [
                _record(_as_sent(name, row, batch, len(batches)), columns[name])
                for row in rows[name].values()
            ]
            path = f"salesforce/{name}.csv"
            for object_name, kind, share in _BROKEN:
                if object_name != name or not records:
                    continue
                position = _plant_broken(
                    records, columns[name], kind, share, seed=company.seed, batch=batch
                )
                broken.append(BrokenRecord(batch.batch_id, path, position, kind))
                defects[f"salesforce_{kind}"] += 1
            if records:
                files.append(_write(out_dir, batch, path, columns[name], records))
            if second_parts[name]:
                extra = [
                    _record(_as_sent(name, row, batch, len(batches)), columns[name])
                    for row in second_parts[name]
                ]
                path = f"salesforce/{name}-part-0002.csv"
                files.append(_write(out_dir, batch, path, columns[name], extra))
    _count_stories(company, crm, batches[-1], defects)
    _count_columns(batches, defects)
    return SalesforceResult(tuple(files), tuple(broken), tuple(_links(company)))


def _columns_of(name: str, batch: Batch, batch_count: int) -> tuple[str, ...]:
    """The header of a batch: administrators add and drop fields half-way."""
    dropped = {"Renewal_Risk__c", "Competitor__c"}
    if batch.number >= max(1, batch_count // 2):
        dropped = {"Legacy_Segment__c"} | ({"Fax"} if name == "Contact" else set())
    return tuple(column for column in COLUMNS[name] if column not in dropped)


def _count_columns(batches: Sequence[Batch], defects: Counter[str]) -> None:
    """Counts the fields that appear, vanish or change their type from one batch to the next."""
    for before, after in pairwise(batches):
        for name in COLUMNS:
            old, new = (set(_columns_of(name, batch, len(batches))) for batch in (before, after))
            defects["salesforce_new_fields"] += len(new - old)
            defects["salesforce_vanished_fields"] += len(old - new)
        turns = after.number == max(1, len(batches) // 2)
        defects["salesforce_retyped_fields"] += turns


def _as_sent(
    name: str, row: Mapping[str, str], batch: Batch, batch_count: int
) -> Mapping[str, str]:
    """The row with the health score as it was typed then: a number, later a word."""
    if name != "Account" or batch.number < max(1, batch_count // 2):
        return row
    words = ("Poor", "Fair", "Good")
    return {**row, "Health_Score__c": words[min(int(row["Health_Score__c"]) // 34, 2)]}


def _rows_of(crm: Crm, name: str, batch: Batch) -> Rows:
    """The state at a batch's end of each record saved in its window, by the time of the save."""
    latest: list[tuple[datetime, str, Mapping[str, str]]] = []
    for record_id, versions in crm.records[name].items():
        version = _version_before(versions, batch.ends_at)
        if version is not None and version.saved_at >= batch.starts_at:
            latest.append((version.saved_at, record_id, version.row))
    latest.sort(key=lambda item: item[:2])
    return {record_id: row for _, record_id, row in latest}


def _version_before(versions: Iterable[Version], moment: datetime) -> Version | None:
    found: Version | None = None
    for version in versions:
        if version.saved_at < moment and (found is None or version.saved_at >= found.saved_at):
            found = version
    return found


def _second_parts(
    crm: Crm, rows: Mapping[str, Rows], batch: Batch, seed: int, defects: Counter[str]
) -> dict[str, list[Mapping[str, str]]]:
    """Rows sent twice in a batch, rows sent again later, and old versions that come late."""
    chance = random.Random(f"{seed}/salesforce/second parts/{batch.batch_id}")
    parts: dict[str, list[Mapping[str, str]]] = {name: [] for name in COLUMNS}
    for name in ("Account", "Lead", "Opportunity"):
        repeated = chance.sample(sorted(rows[name]), min(_REPEATS, len(rows[name])))
        parts[name] += [rows[name][record_id] for record_id in repeated]
        defects["salesforce_duplicates_within_batch"] += len(repeated)
        if batch.number == 0:
            continue
        again: list[Mapping[str, str]] = []
        older: list[Mapping[str, str]] = []
        for record_id, versions in crm.records[name].items():
            sent = _version_before(versions, batch.starts_at)
            if sent is None or record_id in repeated:
                continue
            before = _version_before(versions, sent.saved_at)
            if before is not None and before.row != sent.row:
                older.append(before.row)
            elif record_id not in rows[name]:
                again.append(sent.row)
        # A batch holds the accounts of its opportunities, the late ones' too.
        known = {"", *rows["Account"]}
        again, older = (
            [row for row in found if row.get("AccountId", "") in known] for found in (again, older)
        )
        for kind, candidates in (("duplicates_across_batches", again), ("older_versions", older)):
            chosen = chance.sample(candidates, min(_REPEATS, len(candidates)))
            parts[name] += chosen
            defects[f"salesforce_{kind}"] += len(chosen)
    return parts


def _record(row: Mapping[str, str], columns: Sequence[str]) -> bytes:
    values = (row.get(column, "").replace('"', '""') for column in columns)
    return b'"' + '","'.join(values).encode() + b'"'


def _plant_broken(
    records: list[bytes],
    columns: Sequence[str],
    kind: str,
    share: float,
    *,
    seed: int,
    batch: Batch,
) -> int:
    """Puts a broken record among the good ones and says where, counting from 1.

    It is a record of its own, never sent otherwise, so that its loss changes nothing else.
    """
    model = records[-1]
    fields = model[1:-1].split(b'","')
    prefix = fields[columns.index("Id")][:3].decode()
    values = dict(zip(columns, fields, strict=True))
    values["Id"] = salesforce_id(prefix, seed, "broken", kind, batch.batch_id).encode()
    if kind == "bad_date":
        values["CreatedDate"] = b"2025-02-30T25:61:00.000Z"
    elif kind == "missing_id":
        values["Id"] = b""
    elif kind == "invalid_utf8":
        values["LastName"] = b"M\xfcller \xff\xfe"
    elif kind == "ragged_row":
        values.pop(columns[-1])
        values.pop(columns[-2])
    broken = b'"' + b'","'.join(values.values()) + b'"'
    place = int(len(records) * share)
    records.insert(place, broken)
    return place + 1


def _write(
    out_dir: Path, batch: Batch, path: str, columns: Sequence[str], records: Sequence[bytes]
) -> WrittenFile:
    header = b'"' + '","'.join(columns).encode() + b'"'
    content = b"\n".join([header, *records]) + b"\n"
    return write_file(out_dir, batch.batch_id, path, content, len(records))


def _links(company: Company) -> Iterable[tuple[int, str]]:
    by_key = {account.key: account for account in company.accounts}
    for account in company.accounts:
        if account.in_salesforce:
            survivor = account
            while survivor.merged_into_key is not None:
                survivor = by_key[survivor.merged_into_key]
            yield survivor.key, account_salesforce_id(company.seed, account.key)


def _count_stories(company: Company, crm: Crm, last: Batch, defects: Counter[str]) -> None:
    """Counts what the company itself went through, as far as the last batch shows it."""
    for name in ("Account", "Contact", "Lead", "Opportunity"):
        for versions in crm.records[name].values():
            version = _version_before(versions, last.ends_at)
            if version is not None and version.row["IsDeleted"] == "true":
                is_merger = bool(version.row.get("MasterRecordId"))
                key = "merged_accounts" if is_merger else f"deleted_{name.lower()}"
                defects[f"salesforce_{key}"] += 1
    defects["salesforce_duplicate_accounts"] += len(crm.duplicate_account_ids)
    defects["salesforce_test_accounts"] += sum(
        account.is_test and account.in_salesforce for account in company.accounts
    )
    order = {stage: position for position, stage in enumerate(STAGES)}
    in_crm = {account.key for account in company.accounts if account.in_salesforce}
    for deal in company.deals:
        history = [change for change in saved_history(deal) if change.changed_at < last.ends_at]
        if deal.account_key not in in_crm:
            continue
        for old, new in pairwise(history):
            was, now = order.get(old.stage_name, 0), order.get(new.stage_name, 0)
            was_closed = old.stage_name.startswith("Closed")
            closes = new.stage_name.startswith("Closed")
            defects["salesforce_reopened_stages"] += was_closed and not closes
            defects["salesforce_regressed_stages"] += now < was and not was_closed
            defects["salesforce_skipped_stages"] += now > was + 1 and not closes
            defects["salesforce_pushed_close_dates"] += new.close_date > old.close_date
            defects["salesforce_same_second_saves"] += old.changed_at.replace(
                microsecond=0
            ) == new.changed_at.replace(microsecond=0)
