"""Salesforce's files as an outsider reads them: their shape, what is planted, what they report."""

import csv
import io
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.generate import batch_ends
from ingest.generate.company import simulate
from ingest.generate.crm import STAGES, opportunity_id, saved_history
from ingest.generate.ids import account_salesforce_id
from ingest.generate.records import Company
from ingest.generate.salesforce_files import SalesforceResult, write_salesforce

START, END = date(2024, 1, 1), date(2026, 9, 30)
Row = dict[str, str]


@dataclass(frozen=True)
class Written:
    company: Company
    folder: Path
    result: SalesforceResult
    defects: Counter[str]
    rows: dict[str, list[tuple[str, Row]]]
    """By object: batch and row, the broken ones left out, repeats kept, in the order of arrival."""

    def latest(self, name: str) -> dict[str, Row]:
        """Each record at its newest version, whatever came last."""
        newest: dict[str, Row] = {}
        for _, row in self.rows[name]:
            known = newest.get(row["Id"])
            if known is None or row["SystemModstamp"] >= known["SystemModstamp"]:
                newest[row["Id"]] = row
        return newest


def write_tiny(folder: Path) -> tuple[Company, SalesforceResult, Counter[str]]:
    ends = batch_ends(START, END, 6)
    company = simulate(7, START, END, "tiny", tuple(ends))
    defects: Counter[str] = Counter()
    return company, write_salesforce(company, folder, ends, defects), defects


def records_of(path: Path) -> list[list[str]]:
    """A file's records, the header first; bytes that are not UTF-8 read as Latin-1."""
    return list(csv.reader(io.StringIO(path.read_bytes().decode("latin-1"), newline="")))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("salesforce")
    company, result, defects = write_tiny(folder)
    broken = {(item.batch_id, item.source_file, item.source_row) for item in result.broken}
    rows: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    for file in result.files:
        header, *records = records_of(folder / file.batch_id / file.path)
        assert len(records) == file.rows
        name = Path(file.path).stem.split("-")[0]
        rows[name] += [
            (file.batch_id, dict(zip(header, record, strict=True)))
            for number, record in enumerate(records, 1)
            if (file.batch_id, file.path, number) not in broken
        ]
    return Written(company, folder, result, defects, rows)


def test_each_batch_passes_the_vendor_s_rules_by_itself(
    written: Written, vendor: Path, tmp_path: Path
) -> None:
    broken = {(item.batch_id, item.source_file, item.source_row) for item in written.result.broken}
    for file in written.result.files:
        content = (written.folder / file.batch_id / file.path).read_bytes()
        starts = record_starts(content)
        kept = [
            content[start:end]
            for number, (start, end) in enumerate(pairwise(starts))
            if (file.batch_id, file.path, number) not in broken
        ]
        target = tmp_path / file.batch_id / Path(file.path).name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(b"".join(kept))
    for folder in sorted(tmp_path.iterdir()):
        done = subprocess.run(
            [sys.executable, str(vendor / "validate_salesforce.py"), str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def record_starts(content: bytes) -> list[int]:
    """Where each record begins, and the end: a line break inside quotes ends nothing."""
    starts, quoted = [0], False
    for place, byte in enumerate(content):
        if byte == ord('"'):
            quoted = not quoted
        elif byte == ord("\n") and not quoted:
            starts.append(place + 1)
    return starts


def test_the_same_arguments_write_the_same_bytes(written: Written, tmp_path: Path) -> None:
    _, again, defects = write_tiny(tmp_path)
    assert again == written.result
    assert defects == written.defects


def test_the_dialect_is_bulk_api_2(written: Written) -> None:
    for file in written.result.files:
        content = (written.folder / file.batch_id / file.path).read_bytes()
        assert content.startswith(b'"Id"')
        assert content.endswith(b'"\n')
        assert b"\r" not in content
    assert any("\n" in row["BillingStreet"] for _, row in written.rows["Account"])


def test_a_later_batch_holds_what_was_saved_in_its_window(written: Written) -> None:
    batches = sorted({file.batch_id for file in written.result.files})
    windows = dict(zip(batches, ["0001-01-01", *batches[:-1]], strict=True))
    strays = Counter[str]()
    for name, rows in written.rows.items():
        if name == "OpportunityFieldHistory":
            continue
        for batch_id, row in rows:
            assert row["SystemModstamp"][:10] <= batch_id
            strays[name] += row["SystemModstamp"][:10] <= windows[batch_id]
    again = written.defects["salesforce_duplicates_across_batches"]
    assert strays.total() == again + written.defects["salesforce_older_versions"]
    assert again > 0


def test_older_versions_arrive_after_newer_ones(written: Written) -> None:
    late = 0
    for name in ("Account", "Lead", "Opportunity"):
        newest: dict[str, tuple[str, str]] = {}
        for batch_id, row in written.rows[name]:
            known_batch, known_stamp = newest.get(row["Id"], ("", ""))
            late += known_batch < batch_id and row["SystemModstamp"] < known_stamp
            if row["SystemModstamp"] > known_stamp:
                newest[row["Id"]] = batch_id, row["SystemModstamp"]
    assert 0 < late <= written.defects["salesforce_older_versions"]


def test_broken_records_lie_where_the_truth_says(written: Written) -> None:
    kinds = Counter[str]()
    for item in written.result.broken:
        path = written.folder / item.batch_id / item.source_file
        header, *records = records_of(path)
        record = records[item.source_row - 1]
        kinds[item.kind] += 1
        match item.kind:
            case "bad_date":
                assert "2025-02-30T25:61:00.000Z" in record
            case "missing_id":
                assert record[0] == ""
            case "ragged_row":
                assert len(record) < len(header)
            case "invalid_utf8":
                with pytest.raises(UnicodeDecodeError):
                    path.read_bytes().decode()
    assert len(kinds) == 4
    for kind, count in kinds.items():
        assert written.defects[f"salesforce_{kind}"] == count


def test_every_deal_reads_as_the_company_has_it(written: Written) -> None:
    found = written.latest("Opportunity")
    in_crm = {account.key for account in written.company.accounts if account.in_salesforce}
    deals = [deal for deal in written.company.deals if deal.account_key in in_crm]
    assert {opportunity_id(7, deal.key) for deal in deals} == set(found)
    for deal in deals:
        row = found[opportunity_id(7, deal.key)]
        assert row["IsWon"] == ("true" if deal.is_won else "false")
        assert row["IsDeleted"] == ("true" if deal.deleted_at else "false")
        if deal.deleted_at is None:
            amount = deal.history[-1].amount
            assert row["Amount"] == "" if amount is None else Decimal(row["Amount"]) == amount


def test_history_has_one_row_a_save_in_the_order_of_its_ids(written: Written) -> None:
    rows = written.latest("OpportunityHistory")
    by_deal = defaultdict(list)
    for record_id in sorted(rows):
        by_deal[rows[record_id]["OpportunityId"]].append(rows[record_id])
    ties = 0
    for deal in written.company.deals:
        saves = by_deal[opportunity_id(7, deal.key)]
        expected = [
            change
            for change in saved_history(deal)
            if not deal.deleted_at or change.changed_at <= deal.deleted_at
        ]
        assert [row["StageName"] for row in saves] == [change.stage_name for change in expected]
        stamps = [row["CreatedDate"] for row in saves]
        assert stamps == sorted(stamps)
        ties += len(stamps) - len(set(stamps))
    assert ties == written.defects["salesforce_same_second_saves"] > 0


def test_line_items_add_up_to_the_amount(written: Written) -> None:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in written.latest("OpportunityLineItem").values():
        totals[row["OpportunityId"]] += Decimal(row["TotalPrice"])
    found = written.latest("Opportunity")
    assert len(totals) > 20
    for record_id, total in totals.items():
        assert total == Decimal(found[record_id]["Amount"])
        assert found[record_id]["HasOpportunityLineItem"] == "true"


def test_merged_accounts_point_to_a_survivor_that_has_their_children(written: Written) -> None:
    accounts = written.latest("Account")
    merged = {
        record_id: row["MasterRecordId"]
        for record_id, row in accounts.items()
        if row["MasterRecordId"]
    }
    assert len(merged) == written.defects["salesforce_merged_accounts"] > 0
    for loser, survivor in merged.items():
        assert accounts[loser]["IsDeleted"] == "true"
        assert accounts[survivor]["IsDeleted"] == "false"
    for name in ("Contact", "Opportunity"):
        for row in written.latest(name).values():
            assert row["AccountId"] not in merged
    links = dict(written.result.account_links[::-1])
    for account in written.company.accounts:
        if account.merged_into_key is not None:
            assert account.merged_into_key in links


def test_leads_convert_into_records_that_exist(written: Written) -> None:
    leads = written.latest("Lead")
    converted = [row for row in leads.values() if row["IsConverted"] == "true"]
    assert len(converted) > 10
    assert len(converted) < len(leads)
    for row in converted:
        assert row["ConvertedAccountId"] in written.latest("Account")
        assert row["ConvertedContactId"] in written.latest("Contact")
        assert row["ConvertedOpportunityId"] in written.latest("Opportunity")


def test_columns_appear_and_vanish_and_a_score_turns_into_a_word(written: Written) -> None:
    columns: dict[str, set[str]] = defaultdict(set)
    scores: dict[str, set[str]] = defaultdict(set)
    for batch_id, row in written.rows["Account"]:
        columns[batch_id] |= set(row)
        scores[batch_id].add(row["Health_Score__c"])
    first, *_, last = sorted(columns)
    assert "Legacy_Segment__c" in columns[first] - columns[last]
    assert "Renewal_Risk__c" in columns[last] - columns[first]
    assert all(score.isdigit() for score in scores[first])
    assert scores[last] <= {"Poor", "Fair", "Good"}
    counts = [written.defects[f"salesforce_{how}_fields"] for how in ("new", "vanished", "retyped")]
    assert counts == [2, 2, 1]


def test_deal_stories_are_all_there(written: Written) -> None:
    for kind in ("regressed_stages", "skipped_stages", "reopened_stages", "pushed_close_dates"):
        assert written.defects[f"salesforce_{kind}"] > 0, kind
    for kind in (
        "duplicates_within_batch",
        "deleted_contact",
        "test_accounts",
        "duplicate_accounts",
    ):
        assert written.defects[f"salesforce_{kind}"] > 0, kind
    stages = {row["StageName"] for row in written.latest("Opportunity").values()}
    assert {"Closed Won", "Closed Lost"} < stages <= set(STAGES)
    owners = {row["OwnerId"] for row in written.latest("Opportunity").values()}
    inactive = {i for i, row in written.latest("User").items() if row["IsActive"] == "false"}
    assert owners & inactive, "people who left keep deals"
    currencies = {row["CurrencyIsoCode"] for row in written.latest("Opportunity").values()}
    assert {"USD", "EUR", "JPY"} <= currencies


def test_deal_sizes_spread_over_orders_of_magnitude(written: Written) -> None:
    dollars = sorted(
        float(row["Amount"])
        for row in written.latest("Opportunity").values()
        if row["CurrencyIsoCode"] == "USD" and row["Amount"]
    )
    tenth, middle, ninth = (dollars[int(len(dollars) * share)] for share in (0.1, 0.5, 0.9))
    assert ninth > 6 * tenth
    assert sum(dollars) / len(dollars) > 1.3 * middle, "a few large deals carry the sum"


def test_account_ids_are_those_the_other_systems_name(written: Written) -> None:
    known = {account_id for _, account_id in written.result.account_links}
    assert known <= set(written.latest("Account"))
    for account in written.company.accounts:
        assert (account_salesforce_id(7, account.key) in known) == account.in_salesforce
