"""Broken records of every kind: each is landed or rejected with its reason, and none is lost."""

import csv
import json
from pathlib import Path

import pytest

from ingest.backup import take
from ingest.bench.fuzz import KINDS, fuzz
from ingest.build import known
from loading import ACCOUNT, ACCOUNT_ROW, Loading, customer, track


@pytest.mark.parametrize("kind", KINDS)
def test_every_broken_record_is_landed_or_rejected(kind: str, tmp_path: Path) -> None:
    outcome = fuzz(kind, tmp_path, 1000)
    assert (outcome.lost, outcome.twice, outcome.faults) == (0, 0, ())
    # The damage does damage, and does not take the good with it.
    assert outcome.rejected > 50
    assert outcome.landed > 450


_NAMES = (
    "2026-01-31 it's",
    '2026-02-28"; drop table raw_audit.files; --',
    "2026-03-31 ünï ☃ {{ x }}",
    "2026-04-30\nnew line",
    "2026-05-31 $1 ? %s [*]",
)


def test_folder_and_file_names_are_values_not_sql(loading: Loading) -> None:
    for number, batch in enumerate(_NAMES):
        loading.write_json(f"stripe/{batch[10:]} customers.jsonl", customer(number), batch=batch)
        loading.write(
            f"salesforce/{batch[10:]}/Account.csv",
            f"{ACCOUNT}\n{ACCOUNT_ROW}\n" + " " * number,
            batch,
        )
    reports = loading.load()
    assert [report.batch_id for report in reports] == sorted(_NAMES)
    assert {report.status for report in reports} == {"landed"}
    assert [report.status for report in loading.load()] == ["unchanged"] * len(_NAMES)
    loading.write_json("stripe/new.jsonl", customer(9), batch=_NAMES[1])
    assert loading.load(replace=True)[_NAMES.index(sorted(_NAMES)[1])].status != "refused"
    landed = loading.rows("select _batch_id from raw_stripe.customers where id <> 'cus_9'")
    assert sorted(str(batch) for (batch,) in landed) == sorted(_NAMES)
    for batch in _NAMES:
        known.show(loading.warehouse, batch)
    known.forget(loading.warehouse)


def test_a_warehouse_and_extracts_in_folders_of_odd_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / """it's "here"; drop table x; --"""
    folder.mkdir()
    loading = Loading(folder)
    loading.write(
        "salesforce/Account.csv",
        f'{ACCOUNT},"it\'s ""x""; --"\n{ACCOUNT_ROW},1\n{ACCOUNT_ROW},2,3\n',
    )
    loading.write_json("segment/a.jsonl", track(1), {"type": "nothing's"})
    (report,) = loading.load()
    assert (report.rows_landed, report.rows_rejected) == (2, 2)
    assert take(loading.warehouse, folder / "backups").is_dir()
    _ask_for(loading, 'it\'s"me";--', monkeypatch)
    loading.load()


def _ask_for(loading: Loading, user_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = loading.warehouse.with_name("requests.csv")
    with requests.open("w") as file:
        csv.writer(file).writerows([["user_id", "requested_date"], [user_id, "2026-01-01"]])
    monkeypatch.setenv("DELETION_REQUESTS_PATH", str(requests))


@pytest.mark.parametrize("depth", [900, 4_000, 20_000, 200_000])
def test_deep_nesting_is_told_and_not_followed(loading: Loading, depth: int) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    lines = [
        json.dumps(customer(1)),
        f'{{"id": "cus_2", "object": "customer", "metadata": {deep}}}',
    ]
    loading.write("stripe/customers.jsonl", "\n".join([*lines, "[" * depth + "1" + "]" * depth]))
    report = loading.load_one()
    assert report.rows_read == 3
    assert report.rows_landed == (2 if depth < 1000 else 1)


def test_a_zero_character_in_the_kind_of_a_record(loading: Loading) -> None:
    loading.write_json("stripe/a.jsonl", customer(1), {"id": "x", "object": "a\0'b"})
    assert loading.load_one().rows_landed == 2
