"""What the loader says about exports that it cannot read, and what to do about them."""

import pytest

from ingest.errors import UsageError
from ingest.load import discover, load, status
from loading import ACCOUNT, ACCOUNT_ROW, BATCH, Loading, customer

_REPORT = '"Account ID","Account Name","Type"\n"0018d00000abcde","Acme","Customer"\n'


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("salesforce/Account.csv", _REPORT, 'labels such as "Account ID", "Account Name"'),
        ("stripe/subscriptions.csv", "id,Customer ID\nsub_1,cus_1\n", "the objects of its API as"),
        ("salesforce/Account.xlsx", b"PK\x03\x04rest", "save the sheet as CSV"),
        ("salesforce/Account.csv.gz", b"PAR1rest", "it is a Parquet file"),
        ("orders.csv", "order,total\n1,2\n", "not one of the Salesforce objects Account, Contact"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(
    name: str,
    content: str | bytes,
    expected: str,
    loading: Loading,
    capsys: pytest.CaptureFixture[str],
) -> None:
    loading.write(name, content)
    assert load(loading.extracts, loading.warehouse) == 1
    said = capsys.readouterr().out
    assert name in said
    assert expected in said
    status(loading.extracts, loading.warehouse)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{BATCH}  pending, not loaded: ")
    assert name in line
    assert expected in line


def test_values_of_a_file_without_a_header_are_not_printed(loading: Loading) -> None:
    loading.write("salesforce/Contact.csv", "0038d00000abcde,Ann Example,ann@example.com\n")
    report = loading.load_one()
    assert report.reason.startswith("salesforce/Contact.csv: the header has no column ")
    assert "Ann" not in report.reason


def test_a_batch_that_lands_in_the_end_is_refused_no_more(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    loading.write("salesforce/Account.csv", _REPORT)
    loading.load()
    loading.write("salesforce/Account.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n")
    loading.load()
    status(loading.extracts, loading.warehouse)
    assert "not loaded" not in capsys.readouterr().out
    assert loading.rows("from raw_audit.refused_batches") == []


@pytest.mark.parametrize(
    "names",
    [
        ("February", "January"),
        ("Apr 2026", "Mar 2026"),
        ("28-02-2026", "31-01-2026"),
        ("01-2026", "02-2025"),
        ("batch10", "batch9"),
        ("2026-10-31", "2026-2-28"),
    ],
)
def test_folders_that_sort_otherwise_than_in_time_are_not_loaded(
    names: tuple[str, str], loading: Loading
) -> None:
    for name in names:
        loading.write_json("stripe/customers.jsonl", customer(1), batch=name)
    message = rf"{names[0]} would load before {names[1]}.*such as 2026-01-31"
    with pytest.raises(UsageError, match=message):
        discover(loading.extracts)


@pytest.mark.parametrize(
    "names",
    [
        ("2026-04-30", "2026-04-30-again", "2026-05-31"),
        ("2025-12", "2026-01"),
        ("batch1", "batch2"),
        ("20260131T0000", "20260228T0000"),
        ("2026-01", "initial"),
        ("March", "May"),
    ],
)
def test_folders_that_sort_in_time_are_loaded_in_that_order(
    names: tuple[str, ...], loading: Loading
) -> None:
    for name in names:
        loading.write_json("stripe/customers.jsonl", customer(1), batch=name)
    assert [one.batch_id for one in discover(loading.extracts)] == list(names)


def test_a_batch_without_a_date_says_how_it_is_dated(loading: Loading) -> None:
    loading.write("salesforce/Account.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n", batch="export")
    report = loading.load_one()
    assert "the name export does not begin with a date" in report.notes[-1]
    assert "as of its newest record, 2023-10-28" in report.notes[-1]
    assert loading.rows("select batch_date::varchar from raw_audit.batches") == [("2023-10-28",)]


def test_status_counts_reasons_of_rejected_records(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = ACCOUNT_ROW.replace("2023-10-28T20:45:25.000Z", "yesterday", 1)
    loading.write("salesforce/Account.csv", "\n".join([ACCOUNT, ACCOUNT_ROW, bad, bad, ""]))
    loading.write("stripe/customers.jsonl", "{broken\n")
    loading.load()
    status(loading.extracts, loading.warehouse)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  rejected: 2 Account: CreatedDate is not a date and time",
        "  rejected: 1 stripe: not JSON",
    ]
