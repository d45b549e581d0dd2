"""Pulls from Salesforce: bulk queries, custom fields, limits, faults and refusals."""

import csv
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from harness import batches, expect, ingest_here
from ingest.load import load_batches
from pull_servers import TOKEN, Faults, SalesforceServer, at_once

_NOW = datetime(2026, 10, 1, tzinfo=UTC)
_TEXT = 'Two lines,\n"quoted" — and a comma'

Row = dict[str, str]


class Pulling:
    """A server with a few records, and a folder to pull into."""

    def __init__(self, folder: Path, server: SalesforceServer) -> None:
        self.extracts = folder / "extracts"
        self.server = server
        self.settings = {"SALESFORCE_INSTANCE_URL": server.url, "SALESFORCE_ACCESS_TOKEN": TOKEN}

    def pull(self, *options: object, code: int = 0) -> str:
        """Pulls, and returns the output."""
        command = ("pull", "salesforce", "--extracts", self.extracts, *options)
        with at_once():
            return expect(code, ingest_here(*command, settings=self.settings))

    def pulled(self, batch: int = -1) -> dict[str, list[Row]]:
        """The records of a batch by object, after a check of its manifest."""
        folder = batches(self.extracts)[batch]
        manifest = json.loads((folder / "_batch.json").read_text())
        found: dict[str, list[Row]] = {}
        for entry in manifest["files"]:
            with (folder / entry["path"]).open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            assert len(rows) == entry["rows"] > 0
            found.setdefault(Path(entry["path"]).stem.partition("-part")[0], []).extend(rows)
        return {name: sorted(rows, key=lambda row: row["Id"]) for name, rows in found.items()}

    def manifest(self) -> dict[str, object]:
        """That of the last batch."""
        found: dict[str, object] = json.loads(
            (batches(self.extracts)[-1] / "_batch.json").read_text()
        )
        return found


def _stamp(days_ago: float) -> str:
    return f"{_NOW - timedelta(days=days_ago):%Y-%m-%dT%H:%M:%S.000Z}"


def _account(number: int, days_ago: float = 100, **fields: str) -> Row:
    return {
        "Id": f"001{number:015}",
        "IsDeleted": "false",
        "Name": f"Account {number}",
        "Description": _TEXT,
        "SystemModstamp": _stamp(days_ago),
        "Legacy_Segment__c": "SMB",
        "Region__c": "EMEA",
        **fields,
    }


def _history(number: int) -> Row:
    return {
        "Id": f"017{number:015}",
        "OpportunityId": f"006{number:015}",
        "CreatedDate": _stamp(50),
        "Field": "Amount",
        "IsDeleted": "true" if number == 3 else "false",
        "NewValue": "12.50" if number else "",
    }


@pytest.fixture
def pulling(tmp_path: Path) -> Iterator[Pulling]:
    records = {
        "Account": [_account(n, IsDeleted="true" if n == 3 else "false") for n in range(25)],
        "OpportunityFieldHistory": [_history(n) for n in range(12)],
    }
    server = SalesforceServer(now=_NOW, records=records, page=10)
    with server.running():
        yield Pulling(tmp_path, server)


def _without(rows: list[Row], *names: str) -> list[Row]:
    return [{key: value for key, value in row.items() if key not in names} for row in rows]


def test_a_first_pull_brings_everything_in_pages(pulling: Pulling) -> None:
    """Deleted records, texts of several lines, and no field that nothing reads."""
    output = pulling.pull()
    assert "25 Account, 12 OpportunityFieldHistory" in output
    assert "CurrencyType is left out" in output
    records = pulling.server.records
    assert pulling.pulled() == {
        "Account": _without(records["Account"], "Region__c"),
        "OpportunityFieldHistory": records["OpportunityFieldHistory"],
    }
    assert sorted(path.name for path in batches(pulling.extracts)[0].rglob("Account*")) == [
        *("Account-part-0002.csv", "Account-part-0003.csv", "Account.csv"),
    ]
    assert not pulling.server._jobs, "results are left in the org's storage"
    (report,) = load_batches(pulling.extracts, pulling.extracts / "w.duckdb", quiet=True)
    assert (report.status, report.rows_landed) == ("landed", 37)


def test_a_second_pull_brings_what_changed(pulling: Pulling) -> None:
    pulling.pull()
    accounts = pulling.server.records["Account"]
    # The second was written before the first pull, and could be read only after it.
    accounts[4] = changed = accounts[4] | {"Name": "Renamed", "SystemModstamp": _stamp(-1)}
    accounts.append(late := _account(99, 0.01))
    pulling.server.now = _NOW + timedelta(days=2)
    pulling.pull()
    assert pulling.pulled() == {"Account": _without([changed, late], "Region__c")}
    assert "nothing is new" in pulling.pull()


def test_a_field_that_a_variable_names_later_comes_for_all_records(pulling: Pulling) -> None:
    pulling.pull()
    pulling.server.now = _NOW + timedelta(days=1)
    columns = "{salesforce_passthrough_columns: {Account: [region__C, {field: Gone__c}]}}"
    output = pulling.pull("--vars", columns)
    assert "all of Account is read, as Region__c is new" in output
    assert "Account comes without Website" in output.replace("Name, ", "")
    assert "Gone__c" in output
    assert pulling.pulled() == {"Account": pulling.server.records["Account"]}


def test_fields_that_the_user_may_not_read_are_left_out(pulling: Pulling) -> None:
    pulling.server.hidden = {"Legacy_Segment__c", "Field"}
    output = pulling.pull()
    assert "Legacy_Segment__c" in output
    assert "OpportunityFieldHistory is left out: the user may not read its Field" in output
    assert pulling.pulled().keys() == {"Account"}
    assert "Legacy_Segment__c" in str(pulling.manifest()["pulled"])
    # When the user may read it, the object is pulled from its beginning.
    pulling.server.hidden = set()
    pulling.server.now = _NOW + timedelta(days=1)
    pulling.pull()
    assert pulling.pulled() == {
        "Account": _without(pulling.server.records["Account"], "Region__c"),
        "OpportunityFieldHistory": pulling.server.records["OpportunityFieldHistory"],
    }


def test_objects_without_bulk_queries_come_by_the_rest_api(pulling: Pulling) -> None:
    pulling.server.not_in_bulk = {"OpportunityFieldHistory"}
    pulling.pull("--objects", "opportunityfieldhistory")
    assert pulling.pulled() == {
        "OpportunityFieldHistory": pulling.server.records["OpportunityFieldHistory"]
    }


def test_since_and_until_bound_the_window(pulling: Pulling) -> None:
    pulling.server.records["Account"] = [_account(n, n) for n in range(1, 30)]
    day = (_NOW - timedelta(days=20)).date()
    pulling.pull("--since", day, "--until", day + timedelta(days=3), "--objects", "Account")
    found = [int(one["Id"][3:]) for one in pulling.pulled()["Account"]]
    assert found == [17, 18, 19, 20]


def test_a_full_pull_reads_all_again_and_declares_it(pulling: Pulling) -> None:
    pulling.pull()
    assert "is_full_export" not in pulling.manifest()
    pulling.server.now = _NOW + timedelta(days=1)
    pulling.pull("--full")
    assert pulling.pulled(0) == pulling.pulled(1)
    assert pulling.manifest()["is_full_export"] is True
    pulling.server.now = _NOW + timedelta(days=2)
    pulling.pull("--full", "--objects", "Account")
    assert "is_full_export" not in pulling.manifest()


@pytest.mark.parametrize("seed", range(3))
def test_faults_and_rate_limits_lose_nothing_and_repeat_nothing(
    pulling: Pulling, seed: int
) -> None:
    kinds: Faults = [429, 503, "drop", "cut", *[None] * 8]
    pulling.server.faults = random.Random(seed).choices(kinds, k=24)
    pulling.pull()
    assert not pulling.server.faults
    assert pulling.pulled()["Account"] == _without(pulling.server.records["Account"], "Region__c")
    histories = pulling.server.records["OpportunityFieldHistory"]
    assert pulling.pulled()["OpportunityFieldHistory"] == histories


def test_limits_stop_a_pull_before_it_begins(pulling: Pulling) -> None:
    pulling.server.remaining = {"DailyApiRequests": 9999, "DailyBulkV2QueryJobs": 2}
    output = pulling.pull(code=1)
    assert "DailyBulkV2QueryJobs leaves 2 of the 11" in output
    pulling.pull("--objects", "Account")


def test_a_limit_that_is_used_up_leaves_no_object_out(pulling: Pulling) -> None:
    answer = pulling.server.answer

    def refuse(method: str, target: str, body: str, headers: dict[str, str]) -> object:
        if "OpportunityFieldHistory" not in target:
            return answer(method, target, body, headers)
        return pulling.server._error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests exceeded")

    with patch.object(pulling.server, "answer", refuse):
        assert "daily limit of API calls is used up" in pulling.pull(code=1)
    assert not batches(pulling.extracts)
    assert "continuing" in pulling.pull()
    assert pulling.pulled().keys() == {"Account", "OpportunityFieldHistory"}


def test_a_token_that_expired_is_named_but_not_shown(pulling: Pulling) -> None:
    pulling.settings["SALESFORCE_ACCESS_TOKEN"] = "00Dx0000000secret!old"
    output = pulling.pull(code=1)
    assert "SALESFORCE_ACCESS_TOKEN" in output
    assert "secret" not in output


def test_a_session_that_ends_is_renewed_with_client_credentials(pulling: Pulling) -> None:
    pulling.settings |= {
        "SALESFORCE_ACCESS_TOKEN": "",
        "SALESFORCE_CLIENT_ID": "client",
        "SALESFORCE_CLIENT_SECRET": TOKEN,
    }
    answer = pulling.server.answer

    def renew(method: str, target: str, body: str, headers: dict[str, str]) -> object:
        if len(pulling.server.requests) == 8:
            pulling.server.token = "another"
        return answer(method, target, body, headers)

    with patch.object(pulling.server, "answer", renew):
        pulling.pull()
    assert len(pulling.pulled()["Account"]) == 25
    tokens = [one for one in pulling.server.requests if "oauth2" in one]
    assert len(tokens) == 2
    pulling.settings["SALESFORCE_CLIENT_SECRET"] = "wrong-secret"
    output = pulling.pull(code=1)
    assert "SALESFORCE_CLIENT_SECRET" in output
    assert "wrong-secret" not in output


def test_a_token_is_not_sent_without_encryption(pulling: Pulling) -> None:
    pulling.settings["SALESFORCE_INSTANCE_URL"] = "http://acme.my.salesforce.com"
    assert "has to start with https://" in pulling.pull(code=2)
