"""Files that would take all memory if they were read whole, and gzip streams of every kind."""

import csv
import gzip
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.load import csvfile, reading, spool
from loading import ACCOUNT, ACCOUNT_ROW, Loading, customer, track

_RECORD = b'{"id": "cus_1", "object": "customer"}\n'
_OPENINGS = {
    "stripe/customers.jsonl.gz": b'{"id": "cus_2", "object": "customer", "name": "',
    "stripe/lines.jsonl.gz": _RECORD,
    "stripe/customers.json.gz": b'[\n{"id": "cus_2", "object": "customer", "name": "',
    "salesforce/Account.csv.gz": f'{ACCOUNT}\n001,false,"'.encode(),
}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((name, b"x") for name in _OPENINGS),
        *(("stripe/lines.jsonl.gz", content) for content in (b"\n", b"x\n", _RECORD, b"\0")),
        ("stripe/customers.json.gz", b" "),
        ("salesforce/Account.csv.gz", b"\n"),
    ],
)
def test_a_decompression_bomb_is_refused_by_name(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    """The window is smaller here, so that the bombs are."""
    monkeypatch.setattr(reading, "_WINDOW_BYTES", 1 << 20)
    loading.write_json("stripe/good.jsonl", customer(1))
    loading.write(name, _OPENINGS[name] + content * ((5 << 20) // len(content)))
    report = loading.load_one()
    assert report.status == "refused"
    assert f"{name}: 4 MB of it come from" in report.reason
    assert "decompression bomb" in report.reason
    assert loading.value("select count(*) from raw_stripe.customers") == 0


def test_a_bomb_between_ordinary_records_is_refused(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_WINDOW_BYTES", 1 << 20)
    good = b"".join(
        b'{"id": "cus_%d", "object": "customer"}\n' % number for number in range(50_000)
    )
    path = loading.write("stripe/customers.jsonl.gz", "")
    streams = [gzip.compress(part) for part in (good, b"\n" * (12 << 20), good)]
    path.write_bytes(b"".join(streams))
    assert "decompression bomb" in loading.load_one().reason
    path.write_bytes(streams[0])
    assert loading.load_one().rows_landed == 50_000


def _peak(reading_all: Iterator[object]) -> int:
    """The bytes that Python held at most while it read."""
    tracemalloc.start()
    try:
        for _ in reading_all:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_line_is_never_in_memory_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MAX_RECORD_BYTES", 1 << 16)
    first, last = _RECORD, _RECORD.replace(b"1", b"3")
    chunk = b"x" * (1 << 18)

    def chunks() -> Iterator[bytes]:
        yield first
        for _ in range(200):
            yield chunk
        yield b"\n" + last.rstrip()

    assert _peak(spool._blocks(chunks())) < 1 << 20
    blocks = list(spool._blocks(chunks()))
    assert [len(block) for block in blocks] == [len(first), (1 << 16) + 2, len(last)]
    assert b"".join(blocks).startswith(first)
    assert blocks[-1] == last


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_a_long_line_is_rejected_with_its_beginning(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, ending: bytes
) -> None:
    monkeypatch.setattr(spool, "MAX_RECORD_BYTES", 1000)
    monkeypatch.setattr(spool, "KEPT_BYTES", 10)
    long = b'{"id": "cus_2", "name": "' + b"x" * (9 << 20) + b'"}'
    records = [_RECORD, long + b"\n", b" " * 2000 + b"\n", _RECORD.replace(b"1", b"4").strip()]
    loading.write("stripe/customers.jsonl", b"".join(records) + ending)
    assert loading.load_one().rows_landed == 2
    assert [(row, reason, record) for _, row, _, reason, record in loading.rejects()] == [
        (2, "longer than 16 MB", '{"id": "cu'),
    ]
    assert loading.rows("select id, _source_row from raw_stripe.customers order by 2") == [
        ("cus_1", 1),
        ("cus_4", 4),
    ]


def test_a_document_that_is_too_long_is_refused_with_advice(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MAX_DOCUMENT_BYTES", 1000)
    loading.write("stripe/customers.json", '[\n{"id": "cus_1", "object": "customer"}' + " " * 1000)
    reason = loading.load_one().reason
    assert "stripe/customers.json: a JSON document of more than" in reason
    assert "jq -c" in reason


@pytest.mark.parametrize(
    "cell",
    ["x" * (8 << 20), "x\n" * (4 << 20), 'x,""\n' * (1 << 20), "1,2\r\n" * (1 << 20)],
    ids=["one line", "lines", "quotes", "CRLF"],
)
def test_a_long_cell_is_rejected_with_its_beginning(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, cell: str
) -> None:
    monkeypatch.setattr(csvfile, "MAX_RECORD_BYTES", 1 << 16)
    monkeypatch.setattr(csvfile, "KEPT_BYTES", 10)
    rows = [ACCOUNT_ROW.replace("jI", f"j{n}") for n in (1, 2, 3)]
    rows[1] = rows[1].replace("Acme", f'"{cell}"')
    path = loading.write("salesforce/Account.csv", "\n".join([ACCOUNT, *rows]) + "\n")
    assert _peak(csvfile.raw_records(path, ",")) < 4 << 20
    assert loading.load_one().rows_landed == 2
    assert [(row, reason, record) for _, row, _, reason, record in loading.rejects()] == [
        (2, "longer than 16 MB", "001Hp00002"),
    ]
    assert csv.field_size_limit() == 131_072


def test_a_quote_that_is_never_closed_takes_no_more_memory_than_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csvfile, "MAX_RECORD_BYTES", 1 << 16)
    path = tmp_path / "Account.csv"
    path.write_text('Id,Name\n1,a\n2,"' + "x,1\n" * (2 << 20))
    assert _peak(csvfile.raw_records(path, ",")) < 4 << 20
    assert [number for number, _ in csvfile.raw_records(path, ",")] == [1, 2]


def test_rejected_records_land_a_few_at_a_time(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the five ways in which a record is rejected, with fewer in memory than there are."""
    for module in ("spool", "staging", "target"):
        monkeypatch.setattr(f"ingest.load.{module}.MANY_REJECTS", 7)
    account = ACCOUNT_ROW.replace("false", "{}").format
    loading.write("salesforce/Account.csv", "\n".join([ACCOUNT, *map(account, range(2, 52))]))
    loading.write("salesforce/Account_2.csv", "\n".join([ACCOUNT, *["1,2"] * 50]))
    loading.write("stripe/short.jsonl", _RECORD + b"x\n" * 50)
    loading.write("stripe/long.jsonl", _RECORD.replace(b"1", b"2") + b"not JSON at all\n" * 50)
    loading.write_json("segment/messages.jsonl", track(1), *[{"type": "track"}] * 50)
    report = loading.load_one()
    assert (report.rows_landed, report.rows_rejected) == (3, 250)
    rows = "count(distinct source_row), min(source_row), max(source_row)"
    assert loading.rows(
        f"select source_file, {rows} from raw_audit.rejected_records group by all order by all"
    ) == [
        ("salesforce/Account.csv", 50, 1, 50),
        ("salesforce/Account_2.csv", 50, 1, 50),
        ("segment/messages.jsonl", 50, 2, 51),
        ("stripe/long.jsonl", 50, 2, 51),
        ("stripe/short.jsonl", 50, 2, 51),
    ]
    assert loading.value(
        "select record from raw_audit.rejected_records"
        " where source_file = 'salesforce/Account.csv' and source_row = 9"
    ) == account(10)


def test_thousands_of_gzip_streams_in_a_file_are_read_at_once(loading: Loading) -> None:
    streams = [gzip.compress(b"")] * 50_000 + [gzip.compress(_RECORD)]
    loading.write("stripe/customers.jsonl", b"".join(streams) + b"\0" * (1 << 20))
    assert loading.load_one().rows_landed == 1


@pytest.mark.parametrize("rest", [b"x", b"\0\0PK\x03\x04", b"\x1fx", _RECORD])
def test_other_bytes_after_a_gzip_stream_refuse_the_batch(loading: Loading, rest: bytes) -> None:
    loading.write("stripe/customers.jsonl", gzip.compress(_RECORD) + rest)
    report = loading.load_one()
    assert report.status == "refused"
    assert "customers.jsonl: the gzip stream is corrupt (other bytes follow it)" in report.reason


@pytest.mark.parametrize("rest", [b"\x1f", b"\x1f\x8b", gzip.compress(_RECORD, mtime=0)[:-3]])
def test_a_second_gzip_stream_that_ends_early_refuses_the_batch(
    loading: Loading, rest: bytes
) -> None:
    loading.write("stripe/customers.jsonl", gzip.compress(_RECORD) + rest)
    assert "ends early" in loading.load_one().reason


def test_a_file_compressed_twice_is_noted(loading: Loading) -> None:
    loading.write_json("stripe/good.jsonl", customer(1))
    for name in ("stripe/customers.jsonl.gz", "segment/1.gz", "salesforce/Account.csv.gz"):
        loading.write(name, gzip.compress(b"x" * (1 << 20)))
    report = loading.load_one()
    assert (report.status, report.rows_landed, report.ignored) == ("landed", 1, 3)
    assert (
        "stripe/customers.jsonl.gz is ignored: compressed twice; decompress it once" in report.notes
    )
