"""Batches: which there are, how they are dated, and that each lands once, whole or not at all."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ingest.errors import UsageError
from ingest.load import (
    NothingUsableError,
    WarehouseError,
    discover,
    load,
    pending,
    status,
    warehouse,
)
from loading import ACCOUNT, ACCOUNT_ROW, BATCH, Loading, customer, track


def _manifest(
    loading: Loading, batch: str = BATCH, changes: dict[str, object] | None = None
) -> None:
    folder = loading.extracts / batch
    files = [
        {
            "path": path.relative_to(folder).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "rows": len(path.read_text().splitlines()) - (path.suffix == ".csv"),
        }
        for path in sorted(folder.rglob("*.*"))
    ]
    for file in files:
        file.update({key: value for key, value in (changes or {}).items() if key in file})
    content = {"batch_id": batch, "extracted_at": "2026-06-01T02:00:00+02:00", "files": files}
    (folder / "_batch.json").write_text(json.dumps({**content, "files": files}))


def test_batches_are_folders_in_the_order_of_their_names(loading: Loading) -> None:
    for batch in ("2026-06-30", "2026-05-31", "_truth", ".hidden"):
        loading.write_json("stripe/customers.jsonl", customer(1), batch=batch)
    assert [b.batch_id for b in discover(loading.extracts)] == ["2026-05-31", "2026-06-30"]


def test_a_folder_with_vendors_in_it_is_one_batch(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    assert [b.batch_id for b in discover(loading.extracts / BATCH)] == [BATCH]


def test_loose_files_are_one_batch(loading: Loading) -> None:
    loading.write("Account.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n", "exports")
    loading.write_json("events.jsonl", track(1), batch="exports")
    loading.write_json("more/customers.json", customer(1), batch="exports")
    loading.extracts = loading.extracts / "exports"
    report = loading.load_one()
    assert (report.batch_id, report.rows_landed) == ("exports", 3)


def test_there_must_be_a_folder_and_a_batch_in_it(loading: Loading) -> None:
    with pytest.raises(UsageError):
        discover(loading.extracts / "nowhere")
    with pytest.raises(NothingUsableError):
        discover(loading.extracts)


def test_exit_codes_and_summaries(loading: Loading, capsys: pytest.CaptureFixture[str]) -> None:
    paths = (loading.extracts, loading.warehouse)
    with pytest.raises(UsageError, match="is not a folder"):
        load(loading.extracts / "nowhere", loading.warehouse)
    with pytest.raises(NothingUsableError, match="no batches found"):
        load(*paths)
    loading.write("readme.md", "Nothing of a vendor's.")
    assert load(*paths) == 1
    assert f"{BATCH}  unusable: it has no file that the loader reads" in capsys.readouterr().out
    loading.write_json("stripe/customers.jsonl", customer(1), customer(2, created="soon"))
    with pytest.raises(UsageError, match="2020-01-01"):
        load(*paths, batch_ids=["2020-01-01"])
    with pytest.raises(UsageError, match="klingon"):
        load(*paths, encoding="klingon")
    assert load(*paths) == 0
    assert capsys.readouterr().out == (
        "2026-05-31  landed  2 files: 2 records = 1 landed + 1 rejected (first: stripe/"
        "customers.jsonl:2: created is not a whole number in range), 1 ignored files\n"
        "  note: readme.md is ignored: not a kind of file that the loader reads\n"
    )
    assert load(*paths) == 0
    assert capsys.readouterr().out == "nothing to load: 1 of 1 batches have landed\n"


def test_status_shows_what_landed_and_what_waits(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    loading.write_json("stripe/customers.jsonl", customer(2), batch="2026-06-30")
    assert pending(loading.extracts, loading.warehouse) == [BATCH, "2026-06-30"]
    loading.load(batch_ids=[BATCH])
    assert pending(loading.extracts, loading.warehouse) == ["2026-06-30"]
    status(loading.extracts, loading.warehouse)
    assert capsys.readouterr().out == (
        "2026-05-31  as of 2026-05-31  1 file: 1 record = 1 landed + 0 rejected\n"
        "2026-06-30  pending\n"
    )


@pytest.mark.parametrize(
    ("batch", "with_manifest", "day", "extracted_at"),
    [
        (BATCH, False, date(2026, 5, 31), datetime(2026, 5, 31, 23, 59, 59, 999999)),
        (BATCH + "-late", True, date(2026, 5, 31), datetime(2026, 6, 1)),
        ("full", True, date(2026, 6, 1), datetime(2026, 6, 1)),
        ("full", False, date(2026, 5, 30), datetime(2026, 5, 30, 23, 59, 59, 999999)),
    ],
)
def test_a_batch_is_dated_by_its_name_its_manifest_or_the_vendors_clocks(
    loading: Loading, batch: str, with_manifest: bool, day: date, extracted_at: datetime
) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1), batch=batch)
    loading.write_json("segment/messages.jsonl", track(1), batch=batch)
    if with_manifest:
        _manifest(loading, batch)
    loading.load()
    assert loading.rows("select batch_date, extracted_at from raw_audit.batches") == [
        (day, extracted_at)
    ]
    assert loading.value("select _extracted_at from raw_stripe.customers") == extracted_at


def test_every_row_says_where_it_came_from(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl.gz", customer(1), customer(2))
    loading.write("stripe/more/customers.jsonl", '\n{"id": "cus_3", "object": "customer"}\n')
    loading.load()
    assert loading.rows(
        "select id, _batch_id, _source_file, _source_row from raw_stripe.customers order by id"
    ) == [
        ("cus_1", BATCH, "stripe/customers.jsonl.gz", 1),
        ("cus_2", BATCH, "stripe/customers.jsonl.gz", 2),
        ("cus_3", BATCH, "stripe/more/customers.jsonl", 2),
    ]
    assert loading.value("select count(distinct _loaded_at) from raw_stripe.customers") == 1


def test_no_two_loads_have_an_instant_in_common(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1), batch="2026-01-01")
    loading.load()
    # As if the clock were set back by a century now.
    with duckdb.connect(str(loading.warehouse)) as connection:
        connection.execute("update raw_audit.batches set loaded_at = loaded_at + interval 100 year")
    loading.write_json("stripe/customers.jsonl", customer(2), batch="2026-01-02")
    loading.load()
    assert loading.rows(
        """
        select batch_id, loaded_at - lag(loaded_at) over (order by batch_id)
        from raw_audit.batches
        order by batch_id
        """
    ) == [("2026-01-01", None), ("2026-01-02", timedelta(microseconds=1))]


def test_all_tables_are_there_after_the_first_load(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    loading.load()
    assert loading.value("select count(*) from raw_segment.messages") == 0
    assert loading.value('select count(*) from raw_salesforce."User"') == 0


def test_loading_again_changes_nothing(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    assert loading.load_one().status == "landed"
    assert loading.load_one().status == "unchanged"
    assert loading.load_one(replace=True).status == "unchanged"
    assert loading.value("select count(*) from raw_stripe.customers") == 1


def test_the_same_file_lands_once(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    loading.write_json("stripe/copy.jsonl", customer(1))
    loading.write_json("stripe/renamed.jsonl", customer(1), batch="2026-06-30")
    loading.write_json("stripe/new.jsonl", customer(2), batch="2026-06-30")
    first, second = loading.load()
    assert (first.rows_landed, first.duplicates) == (1, 1)
    assert (second.rows_landed, second.duplicates) == (1, 1)
    assert loading.value("select count(*) from raw_stripe.customers") == 2
    assert loading.files()["stripe/renamed.jsonl"][0] == "duplicate"


def test_a_changed_file_is_refused_until_told_to_replace(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1), customer(2, created="soon"))
    loading.write_json("stripe/customers.jsonl", customer(9), batch="2026-06-30")
    loading.load(batch_ids=[BATCH])
    loading.write_json("stripe/customers.jsonl", customer(3))
    refused, landed = loading.load()
    assert refused.status == "refused"
    assert "stripe/customers.jsonl changed since it landed" in refused.reason
    assert "--replace" in refused.reason
    assert landed.status == "landed"
    assert load(loading.extracts, loading.warehouse) == 1
    first, second = loading.load(replace=True)
    assert (first.status, second.status) == ("landed", "unchanged")
    assert loading.rows("select id from raw_stripe.customers order by id") == [
        ("cus_3",),
        ("cus_9",),
    ]
    assert loading.rejects() == []
    assert loading.value("select count(*) from raw_audit.batches") == 2


def test_a_file_added_to_a_landed_batch_is_refused_until_told_to_replace(
    loading: Loading,
) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    loading.load()
    loading.write_json("stripe/late.jsonl", customer(2))
    report = loading.load_one()
    assert report.status == "refused"
    assert "stripe/late.jsonl is new" in report.reason
    assert loading.load_one(replace=True).rows_landed == 2
    assert loading.value("select count(*) from raw_stripe.customers") == 2


def test_what_was_left_out_as_a_duplicate_lands_when_its_twin_is_replaced(
    loading: Loading,
) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    loading.write_json("stripe/customers.jsonl", customer(1), batch="2026-06-30")
    loading.load()
    loading.write_json("stripe/customers.jsonl", customer(2))
    first, second = loading.load(replace=True)
    assert (first.rows_landed, second.rows_landed) == (1, 1)
    assert loading.rows("select id, _batch_id from raw_stripe.customers order by id") == [
        ("cus_1", "2026-06-30"),
        ("cus_2", BATCH),
    ]


def test_a_refused_batch_leaves_nothing_behind(loading: Loading) -> None:
    loading.write_json("segment/messages.jsonl", track(1))
    loading.write("salesforce/Account.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n")
    loading.write("salesforce/Opportunity.csv", "Id,Name,CloseDate\n006,Deal,2026-01-01\n")
    loading.write_json("stripe/customers.jsonl", customer(1), batch="2026-06-30")
    refused, landed = loading.load()
    assert refused.status == "refused"
    assert refused.reason == "salesforce/Opportunity.csv: the header has no column StageName"
    assert landed.status == "landed"
    assert loading.value("select count(*) from raw_salesforce.Account") == 0
    assert loading.rows("select batch_id from raw_audit.batches") == [("2026-06-30",)]
    assert loading.rows("select distinct batch_id from raw_audit.files") == [("2026-06-30",)]
    assert loading.rows("select distinct batch_id from raw_audit.fields") == [("2026-06-30",)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "its sha256 is not the one in _batch.json"),
        ({"bytes": 1}, "bytes, and _batch.json says 1"),
        ({"rows": 7}, "1 records, and _batch.json says 7"),
        ({"path": "stripe/gone.jsonl"}, "stripe/gone.jsonl: listed in _batch.json"),
    ],
)
def test_a_batch_that_is_not_what_its_manifest_says_is_refused(
    loading: Loading, changes: dict[str, object], reason: str
) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    _manifest(loading, changes=changes)
    report = loading.load_one()
    assert report.status == "refused"
    assert reason in report.reason
    assert report.reason.startswith("stripe/")
    assert loading.value("select count(*) from raw_stripe.customers") == 0


def test_a_batch_that_is_what_its_manifest_says_lands(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    loading.write("salesforce/Account.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n")
    _manifest(loading)
    assert loading.load_one().rows_landed == 2


def test_a_manifest_that_cannot_be_read_is_refused(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    loading.write("_batch.json", "{")
    assert "_batch.json cannot be read" in loading.load_one().reason


def test_an_increment_without_news_lands(loading: Loading) -> None:
    loading.write("_batch.json", json.dumps({"extracted_at": "2026-05-31T23:59:59Z", "files": []}))
    assert loading.load_one().status == "landed"
    assert loading.value("select batch_date from raw_audit.batches") == date(2026, 5, 31)


def test_a_linked_folder_is_followed(loading: Loading, tmp_path: Path) -> None:
    loading.write("salesforce/Account.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "customers.jsonl").write_text(json.dumps(customer(1)))
    (loading.extracts / BATCH / "stripe").symlink_to(elsewhere)
    report = loading.load_one()
    assert (report.status, report.rows_landed) == ("landed", 2)
    assert "stripe/customers.jsonl" in loading.files()


def test_a_link_to_a_folder_around_it_refuses_the_batch(loading: Loading) -> None:
    path = loading.write_json("stripe/customers.jsonl", customer(1))
    (path.parent / "again").symlink_to(loading.extracts / BATCH)
    report = loading.load_one()
    assert report.status == "refused"
    assert "stripe/again is a link to a folder that it is in" in report.reason


def test_a_link_to_a_missing_folder_refuses_the_batch(loading: Loading) -> None:
    loading.write_json("segment/messages.jsonl", track(1))
    (loading.extracts / BATCH / "stripe").symlink_to("nowhere")
    report = loading.load_one()
    assert report.status == "refused"
    assert "stripe is a link to a file or folder that does not exist" in report.reason


def test_a_folder_that_cannot_be_read_refuses_the_batch(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = loading.write_json("segment/locked/more.jsonl", track(2))
    loading.write_json("segment/messages.jsonl", track(1))
    path.parent.chmod(0)
    entries = Path.iterdir

    def locked(folder: Path) -> object:
        # The superuser reads every folder.
        if folder == path.parent:
            raise PermissionError(13, "Permission denied", str(folder))
        return entries(folder)

    monkeypatch.setattr(Path, "iterdir", locked)
    report = loading.load_one()
    path.parent.chmod(0o700)
    assert report.status == "refused"
    assert "segment/locked: Permission denied; change its permissions" in report.reason


@pytest.mark.parametrize("name", ["stripe/customers.jsonl", "stripe/pipe", "_batch.json"])
def test_a_named_pipe_refuses_the_batch(loading: Loading, name: str) -> None:
    loading.write_json("stripe/other.jsonl", customer(1))
    os.mkfifo(loading.extracts / BATCH / name)
    report = loading.load_one()
    assert report.status == "refused"
    assert f"{name} is a named pipe; remove it" in report.reason


def test_a_link_to_nowhere_in_place_of_a_batch_is_an_error(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    (loading.extracts / "2026-06-30").symlink_to("nowhere")
    with pytest.raises(UsageError, match="2026-06-30 is a link to a file or folder that"):
        loading.load()


def test_names_that_are_not_utf_8_are_kept_as_escapes(loading: Loading) -> None:
    batch = os.fsdecode(b"2026-05-31 caf\xe9")
    loading.write_json(os.fsdecode(b"stripe/cust\xe9.jsonl"), customer(1), batch=batch)
    loading.write(os.fsdecode(b"salesforce/\xff/Account.csv"), f"{ACCOUNT}\n{ACCOUNT_ROW}\n", batch)
    report = loading.load_one()
    assert (report.batch_id, report.status, report.rows_landed) == (
        r"2026-05-31 caf\xe9",
        "landed",
        2,
    )
    assert set(loading.files()) == {r"stripe/cust\xe9.jsonl", r"salesforce/\xff/Account.csv"}
    assert loading.load_one().status == "unchanged"


def test_files_beside_the_batches_are_named(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    (loading.extracts / "customers.jsonl").write_text(json.dumps(customer(2)))
    load(loading.extracts, loading.warehouse, quiet=True)
    assert "customers.jsonl is beside the batches" in capsys.readouterr().out


_KEEPS = """
import sys
from pathlib import Path
from ingest.load import warehouse
with warehouse.reserved(Path(sys.argv[1])):
    print("reserved", flush=True)
    sys.stdin.readline()
"""


def test_a_reserved_warehouse_is_in_use_even_while_nobody_has_it_open(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    command = [sys.executable, "-c", _KEEPS, str(loading.warehouse)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "reserved\n"
        with pytest.raises(WarehouseError, match=rf"is in use by process {other.pid} \("):
            load(loading.extracts, loading.warehouse, quiet=True)
        other.communicate("\n")
    assert load(loading.extracts, loading.warehouse, quiet=True) == 0
    with warehouse.reserved(loading.warehouse):
        pass
    assert {one.name for one in loading.warehouse.parent.iterdir()} == {
        loading.extracts.name,
        loading.warehouse.name,
    }
