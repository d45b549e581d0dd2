"""Files of every kind that a folder of exports can hold, the broken ones too."""

import gzip
import os
from pathlib import Path

import pytest

from ingest.load import json_records, reading
from loading import ACCOUNT, ACCOUNT_ROW, BATCH, Loading, customer, track


def _with_one_customer(loading: Loading) -> Loading:
    loading.write_json("stripe/customers.jsonl", customer(1))
    return loading


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", "Ask Jo about March."),
        ("stripe/readme.md", "# Export"),
        ("stripe/payments.csv", "id,Description\nch_1,x\n"),
        ("stripe/.DS_Store", b"\x00\x01"),
        ("stripe/_SUCCESS", ""),
        ("stripe/customers.parquet", b"PAR1"),
        ("stripe/config.json", '{"account": "acct_1"}'),
        ("salesforce/Task.csv", "Id,Subject\n00T,Call\n"),
        ("salesforce/Contact__c.csv", "Id,Name\n1,x\n"),
        ("salesforce/export.zip", b"PK\x03\x04"),
        ("2026/data.bin", b"\x80\x81\x82"),
    ],
)
def test_an_unknown_file_is_ignored_and_noted(
    loading: Loading, name: str, content: str | bytes
) -> None:
    loading.write(name, content)
    report = _with_one_customer(loading).load_one()
    assert (report.status, report.ignored, report.rows_rejected) == ("landed", 1, 0)
    assert loading.files()[name] == ("ignored", 0, 0, 0)
    assert loading.value(f"select note from raw_audit.files where source_file = '{name}'")


def test_a_folder_named_like_a_file_is_noted_and_its_content_read(loading: Loading) -> None:
    loading.write("salesforce/Account.csv/part-0001.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n")
    (loading.extracts / BATCH / "salesforce" / "Contact.csv").mkdir()
    report = loading.load_one()
    assert (report.rows_landed, report.ignored) == (1, 2)
    assert loading.files()["salesforce/Contact.csv"][0] == "ignored"
    assert loading.files()["salesforce/Account.csv/part-0001.csv"][0] == "landed"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("stripe/customers.jsonl", b""),
        ("stripe/customers.json.gz", b""),
        ("segment/empty.gz", b"\n\n"),
        ("salesforce/Contact.csv", b""),
        ("salesforce/Account.csv", ACCOUNT.encode()),
        ("salesforce/Account_2.csv", ACCOUNT.encode() + b"\r\n"),
    ],
)
def test_an_empty_file_and_a_header_alone_are_no_trouble(
    loading: Loading, name: str, content: bytes
) -> None:
    loading.write(name, content)
    loading.write_json("stripe/other.jsonl", customer(1))
    report = loading.load_one()
    assert (report.status, report.rows_landed, report.rows_rejected) == ("landed", 1, 0)
    assert loading.files()[name] == ("empty", 0, 0, 0)


def test_a_link_to_nowhere_is_ignored(loading: Loading) -> None:
    _with_one_customer(loading)
    (loading.extracts / BATCH / "stripe" / "lost.jsonl").symlink_to("nowhere")
    assert loading.load_one().ignored == 1


@pytest.mark.parametrize("cut", [-1, -8, -9, 40, 12])
@pytest.mark.parametrize("name", ["segment/messages.gz", "salesforce/Account.csv.gz"])
def test_a_truncated_gzip_refuses_the_batch(loading: Loading, name: str, cut: int) -> None:
    content = "".join(f'{{"type": "track", "messageId": "{os.urandom(9).hex()}"}}\n' * 30)
    if "Account" in name:
        content = f"{ACCOUNT}\n{ACCOUNT_ROW}\n"
    path = _with_one_customer(loading).write(name, content)
    path.write_bytes(path.read_bytes()[:cut])
    report = loading.load_one()
    assert report.status == "refused"
    assert name.rpartition("/")[2] in report.reason
    assert "ends early" in report.reason
    assert loading.value("select count(*) from raw_stripe.customers") == 0


def test_a_corrupt_gzip_refuses_the_batch(loading: Loading) -> None:
    path = loading.write_json("segment/messages.gz", *(track(n) for n in range(100)))
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF
    path.write_bytes(data)
    assert "corrupt" in loading.load_one().reason


def test_gzip_is_told_by_content_and_may_be_several_streams(loading: Loading) -> None:
    first, second = (f'{{"id": "cus_{n}", "object": "customer"}}\n'.encode() for n in (1, 2))
    path = loading.write("stripe/customers.jsonl", "")
    path.write_bytes(gzip.compress(first) + gzip.compress(second) + b"\0" * 8)
    path = loading.write("stripe/plain.jsonl.gz", "")
    path.write_bytes(b'{"id": "cus_3", "object": "customer"}\n')
    assert loading.load_one().rows_landed == 3


def test_names_with_quotes_and_wildcards_are_only_names(loading: Loading) -> None:
    odd = 'st*ripe/it\'s [a] "name"? {x},*.jsonl'
    loading.write_json(odd, customer(1))
    loading.write_json("stripe/other.jsonl", customer(2))
    loading.write("salesforce/Account [1]'*?.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n")
    assert loading.load_one().rows_landed == 3
    assert loading.rows("select _source_file from raw_stripe.customers where id = 'cus_1'") == [
        (odd,)
    ]


def test_a_file_in_the_wrong_folder_or_in_none_is_told_by_its_content(loading: Loading) -> None:
    loading.write_json("events.jsonl", track(1))
    loading.write_json("stripe/messages.gz", track(2))
    loading.write_json("segment/customers.jsonl", customer(1))
    loading.write("stripe/account.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n")
    assert loading.load_one().rows_landed == 4
    assert loading.value("select count(*) from raw_segment.messages") == 2


def test_a_row_that_is_not_utf8_is_rejected_with_its_bytes_escaped(loading: Loading) -> None:
    good = b'{"id": "cus_%d", "object": "customer", "name": "J\xc3\xb6rg"}\n'
    bad = b'{"id": "cus_2", "object": "customer", "name": "J\xf6rg"}\n'
    loading.write("stripe/customers.jsonl", good % 1 + bad + good % 3)
    loading.load()
    assert loading.files()["stripe/customers.jsonl"] == ("landed", 3, 2, 1)
    ((_, row, _, reason, record),) = loading.rejects()
    assert (row, reason) == (2, "not UTF-8 at byte 49")
    assert record == '{"id": "cus_2", "object": "customer", "name": "J\\xf6rg"}'
    assert loading.rows("select name, _source_row from raw_stripe.customers order by 2") == [
        ("Jörg", 1),
        ("Jörg", 3),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        '{"id": "cus_2", "object": "customer"',
        "not JSON at all",
        '{"id": "cus_2"} {"id": "cus_3"}',
        '{"id": "cus_2", "name": "tab\there"}',
        '{"id": "cus_2", "name": "\x01"}',
        '{"id": "cus_2", "name": "\\ud800"}',
    ],
)
def test_a_line_that_is_not_json_is_rejected_whole(loading: Loading, broken: str) -> None:
    one, three = (f'{{"id": "cus_{n}", "object": "customer"}}' for n in (1, 3))
    loading.write("stripe/customers.jsonl", f"{one}\n{broken}\n{three}\n")
    loading.load()
    assert loading.files()["stripe/customers.jsonl"] == ("landed", 3, 2, 1)
    ((_, row, field, reason, record),) = loading.rejects()
    assert (row, field, record) == (2, "", broken)
    assert str(reason).startswith("not JSON")


def test_blank_lines_carriage_returns_and_a_mark_are_no_records(loading: Loading) -> None:
    one, two = (f'{{"id": "cus_{n}", "object": "customer"}}' for n in (1, 2))
    loading.write("stripe/a.jsonl", f"\ufeff{one}\r\n\r\n   \n{two}")
    loading.write("stripe/b.jsonl", f"\ufeff\n{one}x\n")
    loading.load()
    assert loading.rows("select id, _source_row from raw_stripe.customers") == [
        ("cus_1", 1),
        ("cus_2", 4),
    ]


def test_a_file_with_nothing_but_broken_lines_is_kept_line_by_line(loading: Loading) -> None:
    loading.write("segment/messages.jsonl", '{"type": "track"\n{"type": "page"\n')
    report = loading.load_one()
    assert (report.rows_read, report.rows_landed, report.rows_rejected) == (2, 0, 2)
    assert [row for _, row, *_ in loading.rejects()] == [1, 2]


def test_an_unreadable_file_refuses_the_batch(loading: Loading) -> None:
    path = _with_one_customer(loading).write("stripe/secret.jsonl", "{}")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert loading.load_one().reason == "stripe/secret.jsonl: Permission denied"


def test_hundreds_of_tiny_files_land_with_their_rows(loading: Loading) -> None:
    for number in range(300):
        loading.write_json(
            f"segment/segment-logs/src/1780000000000/{number}.gz", track(number), track(-number)
        )
    assert loading.load_one().rows_landed == 600
    assert (
        loading.value(
            "select count(distinct _source_file || _source_row) from raw_segment.messages"
        )
        == 600
    )


def test_rows_are_right_in_a_file_of_many_spools(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.load.spool._SPOOL_LINES", 7)
    lines = [f'{{"id": "cus_{n}", "object": "customer"}}' for n in range(1, 101)]
    lines[49] = "broken"
    loading.write("stripe/customers.jsonl", "\n".join(lines))
    loading.write("stripe/more.jsonl", '{"id": "cus_101", "object": "customer"}')
    assert loading.load_one().rows_landed == 100
    assert (
        loading.value(
            "select count(*) from raw_stripe.customers"
            " where _source_row <> 1 and id <> 'cus_' || _source_row"
        )
        == 0
    )
    assert [row for _, row, *_ in loading.rejects()] == [50]


def test_files_that_fill_a_spool_each_land_whole(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next spool is written while one is read, so no two may share a name."""
    monkeypatch.setitem(json_records.SPOOL_FILE_BYTES, "stripe", 100)
    for name in ("a", "b", "c", "d"):
        loading.write_json(
            f"stripe/{name}.jsonl",
            *({"id": f"cus_{name}{number}", "object": "customer"} for number in range(50)),
        )
    assert loading.load_one().rows_landed == 200
    assert loading.value("select count(distinct id) from raw_stripe.customers") == 200


def test_json_of_a_few_thousand_characters_is_compressed(loading: Loading) -> None:
    """One is too long for dictionaries, as some of Stripe's events are, and the others are not."""
    loading.write_json(
        "stripe/customers.jsonl",
        *(
            {
                "id": f"cus_{number}",
                "object": "customer",
                "metadata": {"note": f"{number:04} " * (4000 if number == 7 else 400)},
            }
            for number in range(2000)
        ),
    )
    assert loading.load_one().rows_landed == 2000
    assert (
        loading.value(
            "select string_agg(distinct compression)"
            " from pragma_storage_info('raw_stripe.customers')"
            " where column_name = 'metadata' and segment_type <> 'VALIDITY'"
        )
        == "ZSTD"
    )


@pytest.mark.parametrize("size", [1, 1000, 1 << 16])
def test_compressed_files_are_read_in_pieces_that_are_never_larger(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "file.gz"
    content = [b"a" * 5000, b"", bytes(range(256)) * 3]
    path.write_bytes(b"".join(map(gzip.compress, content)) + b"\0" * 10)
    pieces = list(reading.chunks(path, size))
    assert b"".join(pieces) == b"".join(content)
    assert max(map(len, pieces)) <= size
    assert reading.head(path, 2000) == (b"a" * 2000, None)
