"""Invoices from extracts and webhooks: the newer state counts, in whatever order batches land."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness import rows
from loading import Loading
from warehouses import build_again

Record = dict[str, object]
Part = tuple[str, Sequence[Record], Sequence[Record]]

_JANUARY, _FEBRUARY = "2026-01-31", "2026-02-28"
_10_JANUARY, _20_JANUARY, _10_FEBRUARY = 1768046400, 1768910400, 1770724800
_STAGED = (
    *("stg_stripe__invoices", "stg_stripe__invoice_events", "stg_stripe__invoice_payments"),
    "int_invoices_known",
)
_MARTS = ("fct_invoices", "fct_invoice_lines", "fct_revenue_schedule", "fct_receivables_monthly")


def _invoice(number: str, status: str, total: int = 3100, **fields: object) -> Record:
    period = {"start": _10_JANUARY, "end": _10_FEBRUARY}
    line = {"id": f"il_{number}", "amount": total, "currency": "usd", "period": period}
    return {
        "id": f"in_{number}",
        "object": "invoice",
        "status": status,
        "customer": "cus_1",
        "currency": "usd",
        "created": _10_JANUARY,
        "status_transitions": {"finalized_at": _10_JANUARY},
        "subtotal": total,
        "total": total,
        "amount_due": total,
        "amount_paid": total if status == "paid" else 0,
        "amount_remaining": 0 if status == "paid" else total,
        "lines": {"has_more": False, "data": [line]},
        **fields,
    }


def _event(number: int, kind: str, created: int, invoice: Record) -> Record:
    return {
        "id": f"evt_{number}",
        "object": "event",
        "type": f"invoice.{kind}",
        "created": created,
        "livemode": True,
        "data": {"object": invoice},
    }


_PAID = {"finalized_at": _10_JANUARY, "paid_at": _10_FEBRUARY}
_EXTRACTED: dict[str, list[Record]] = {
    _JANUARY: [
        _invoice("plain", "open"),
        _invoice("paid_later", "open"),
        _invoice("draft", "draft"),
    ],
    _FEBRUARY: [_invoice("plain", "void"), _invoice("late", "void", 500)],
}
_SENT: dict[str, list[Record]] = {
    _JANUARY: [
        # In one second, and out of order.
        _event(2, "finalized", _10_JANUARY, _invoice("hook", "open")),
        _event(1, "created", _10_JANUARY, _invoice("hook", "draft")),
        _event(3, "finalized", _10_JANUARY, _invoice("plain", "open")),
        _event(4, "finalized", _20_JANUARY, _invoice("late", "open", 500)),
        _event(5, "upcoming", _20_JANUARY, {**_invoice("preview", "draft"), "id": None}),
    ],
    _FEBRUARY: [
        _event(1, "created", _10_JANUARY, _invoice("hook", "draft")),
        _event(6, "paid", _10_FEBRUARY, _invoice("paid_later", "paid", status_transitions=_PAID)),
        _event(7, "deleted", _10_FEBRUARY, _invoice("draft", "draft")),
    ],
}
_STATES = [
    ("in_hook", "open", 3100),
    ("in_late", "void", 500),
    ("in_paid_later", "paid", 3100),
    ("in_plain", "void", 3100),
]


def _part(batch: str) -> Part:
    return batch, _EXTRACTED[batch], _SENT[batch]


def _land(folder: Path, *parts: Part, full_refresh: bool = False) -> Loading:
    """A warehouse that takes one batch after another, each staged before the next lands."""
    folder.mkdir()
    loading = Loading(folder)
    for batch, extracted, sent in parts:
        loading.write_json("stripe/invoices.jsonl", *extracted, batch=batch)
        loading.write_json("stripe/events.jsonl", *sent, batch=batch)
        loading.load(batch_ids=[batch], replace=True)
        build_again(loading.warehouse, *_STAGED)
    if full_refresh:
        build_again(loading.warehouse, *_STAGED, full_refresh=True)
    return loading


def _invoices(loading: Loading) -> list[tuple[object, ...]]:
    return loading.rows("select * from intermediate.int_invoices_known order by invoice_id")


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Loading:
    folder = tmp_path_factory.mktemp("landed") / "in_order"
    return _land(folder, _part(_JANUARY), _part(_FEBRUARY))


def test_the_newer_of_extract_and_webhook_counts(landed: Loading) -> None:
    query = "select invoice_id, status, total_minor from intermediate.int_invoices_known order by 1"
    assert landed.rows(query) == _STATES


def test_any_order_of_batches_gives_the_same_invoices(landed: Loading, tmp_path: Path) -> None:
    backwards = _land(tmp_path / "backwards", _part(_FEBRUARY), _part(_JANUARY))
    assert _invoices(backwards) == _invoices(landed)


def test_a_full_refresh_changes_nothing(landed: Loading, tmp_path: Path) -> None:
    parts = (_part(_JANUARY), _part(_FEBRUARY))
    refreshed = _land(tmp_path / "refreshed", *parts, full_refresh=True)
    assert _invoices(refreshed) == _invoices(landed)


@pytest.mark.parametrize("is_wrong_first", [False, True])
def test_a_corrected_batch_leaves_nothing_of_the_wrong_one(
    landed: Loading, tmp_path: Path, *, is_wrong_first: bool
) -> None:
    """A webhook that the wrong batch replaced, by another or by an extract, is read again."""
    wrong = (
        _FEBRUARY,
        [_invoice("paid_later", "void"), _invoice("gone", "open")],
        [
            _event(9, "voided", _10_FEBRUARY, _invoice("hook", "void")),
            _event(10, "finalized", _10_FEBRUARY, _invoice("gone_too", "open")),
        ],
    )
    parts = [_part(_JANUARY), wrong, _part(_FEBRUARY)]
    if is_wrong_first:
        wrong = (_FEBRUARY, [*wrong[1], _invoice("hook", "void")], [])
        parts = [wrong, _part(_JANUARY), _part(_FEBRUARY)]
    corrected = _land(tmp_path / "corrected", *parts)
    assert _invoices(corrected) == _invoices(landed)


def test_an_invoice_known_only_to_webhooks_is_billed_earned_and_open(landed: Loading) -> None:
    """31.00 over 31 days: 22 days of January and 9 of February, at 1.00 a day."""
    selected = [f"+{mart}" for mart in _MARTS]
    build_again(landed.warehouse, *selected)
    of_hook = "where invoice_id = 'in_hook'"
    invoice = f"select invoice_status, total_amount, account_id from finance.fct_invoices {of_hook}"
    assert rows(landed.warehouse, invoice) == [("open", 31, "cus_1")]
    earned = f"""
        select cast(revenue_month as string), recognized_usd
        from finance.fct_revenue_schedule {of_hook} order by 1
    """
    assert rows(landed.warehouse, earned) == [("2026-01-01", 22), ("2026-02-01", 9)]
    open_at_month_ends = """
        select cast(receivable_month as string), open_invoice_count, open_usd
        from finance.fct_receivables_monthly order by 1
    """
    # In January also in_paid_later; void invoices were never open.
    assert rows(landed.warehouse, open_at_month_ends) == [
        ("2026-01-01", 2, 62),
        ("2026-02-01", 1, 31),
    ]
