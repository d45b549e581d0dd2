"""Full exports: records that one no longer holds are deleted if it is declared, else counted."""

import json

import pytest

from ingest.load import load, pending
from loading import BATCH, Loading

JUNE, JULY = "2026-06-30", "2026-07-31"
HEADER = "Id,IsDeleted,Name,SystemModstamp"
ABSENT = "select batch_id, object_name, record_id, is_absent from raw_audit.absent_records"


def _accounts(
    loading: Loading, batch: str, *numbers: int, deleted: int = 0, changed: bool = False
) -> None:
    saved = "2026-03-01T00:00:00Z" if changed else "2026-01-01T00:00:00Z"
    rows = [f"{_id(number)}AAA,{int(number == deleted)},A{number},{saved}" for number in numbers]
    loading.write("salesforce/Account.csv", "\n".join([HEADER, *rows, ""]), batch=batch)


def _id(number: int) -> str:
    return f"001{number:012}"


def _declare(loading: Loading, batch: str, *, is_full: object = True) -> None:
    loading.write("_batch.json", json.dumps({"is_full_export": is_full}), batch=batch)


def test_a_declared_full_export_deletes_what_it_lacks(loading: Loading) -> None:
    """Of four accounts, June lacks 2, 3 and 4. May had 3 as deleted already, and the row of 4 is
    rejected in June. In July 2 is back."""
    _accounts(loading, BATCH, 1, 2, 3, 4, deleted=3)
    loading.write(
        "salesforce/Account.csv",
        f"{HEADER}\n{_id(1)},false,A1,2026-01-01T00:00:00Z\n{_id(4)},perhaps,A4,\n",
        batch=JUNE,
    )
    _declare(loading, JUNE)
    assert [len(report.notes) for report in loading.load()] == [1, 1]
    assert loading.rows(ABSENT) == [(JUNE, "Account", _id(2), True)]
    _accounts(loading, JULY, 2)
    loading.load()
    assert loading.rows(f"{ABSENT} order by all") == [
        (JUNE, "Account", _id(2), True),
        (JULY, "Account", _id(2), False),
    ]


def test_a_repeated_file_still_holds_its_records(loading: Loading) -> None:
    """June's accounts are May's file again, so they landed once; its contacts lack one of two."""
    for batch, contacts in ((BATCH, "003a\n003b\n"), (JUNE, "003a\n")):
        _accounts(loading, batch, 1, 2)
        loading.write("salesforce/Contact.csv", f"Id\n{contacts}", batch=batch)
    _declare(loading, JUNE)
    loading.load()
    assert loading.rows(ABSENT) == [(JUNE, "Contact", "003b", True)]


def test_the_order_of_landing_makes_no_difference(loading: Loading) -> None:
    _accounts(loading, BATCH, 1, 2)
    _accounts(loading, JUNE, 1)
    _declare(loading, JUNE)
    loading.load(batch_ids=[JUNE])
    assert not loading.rows(ABSENT)
    loading.load()
    assert loading.rows(ABSENT) == [(JUNE, "Account", _id(2), True)]


def test_a_batch_that_looks_like_a_full_export_is_warned_of(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    """July repeats two of three accounts, June only one that changed, as increments do."""
    _accounts(loading, BATCH, 1, 2, 3)
    _accounts(loading, JUNE, 3, changed=True)
    _accounts(loading, JULY, 1, 2)
    load(loading.extracts, loading.warehouse)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "full export" in line]
    assert line == (
        "  note: it looks like a full export without 1 Account of earlier batches; if they were"
        ' deleted, put {"is_full_export": true} into its _batch.json, or load it with --full'
    )
    assert not loading.rows(ABSENT)


def test_a_batch_may_be_declared_after_it_landed(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    _accounts(loading, BATCH, 1, 2)
    _accounts(loading, JUNE, 1)
    loading.load()
    _declare(loading, JUNE)
    assert pending(loading.extracts, loading.warehouse) == [JUNE]
    assert load(loading.extracts, loading.warehouse) == 0
    assert capsys.readouterr().out == f"{JUNE}  unchanged: now a full export\n"
    assert loading.rows(ABSENT) == [(JUNE, "Account", _id(2), True)]
    assert not pending(loading.extracts, loading.warehouse)
    _declare(loading, JUNE, is_full=False)
    loading.load()
    assert not loading.rows(ABSENT)
    load(loading.extracts, loading.warehouse, batch_ids=[JUNE], full=True)
    assert loading.rows(ABSENT) == [(JUNE, "Account", _id(2), True)]


def test_a_declaration_is_true_or_false(loading: Loading) -> None:
    _accounts(loading, BATCH, 1)
    _declare(loading, BATCH, is_full="yes")
    assert "is_full_export is neither true nor false" in loading.load_one().reason
