"""Recognised revenue, deferred revenue and bad debt of credits, refunds, write-offs and voids."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from loading import Loading
from warehouses import NO_TESTS, build_again, build_new, dbt

Record = dict[str, object]
Months = dict[str, float]

_AS_OF = "2026-06-30"
_SELECTED = ("+fct_deferred_revenue_monthly", "+fct_receivables_monthly")


def _at(moment: str) -> int:
    """Epoch seconds of a date, or of a date and hour such as `2026-01-31T12`."""
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())


def _line(
    number: str, amount: int, start: str, end: str, subscription: str | None = None
) -> Record:
    details = {"subscription": subscription, "subscription_item": f"si_{number}"}
    return {
        "id": f"il_{number}",
        "object": "line_item",
        "amount": amount,
        "currency": "usd",
        "period": {"start": _at(start), "end": _at(end)},
        "parent": {"type": "subscription_item_details", "subscription_item_details": details}
        if subscription
        else None,
    }


def _invoice(name: str, lines: Iterable[Record], billed: str, **fields: object) -> Record:
    """A paid invoice of customer `cus_<name>`, unless the fields differ."""
    data = list(lines)
    total = sum(int(str(line["amount"])) for line in data)
    tax = int(str(fields.get("tax", 0)))
    status = fields.get("status", "paid")
    moments = {"finalized_at": _at(billed), "paid_at": _at(billed) if status == "paid" else None}
    transitions = fields.pop("moments", {})
    assert isinstance(transitions, dict)
    return {
        "id": f"in_{name}",
        "object": "invoice",
        "customer": f"cus_{name.split('.', maxsplit=1)[0]}",
        "currency": "usd",
        "status": status,
        "created": _at(billed),
        "subtotal": total,
        "total": total + tax,
        "amount_due": total + tax,
        "amount_paid": total + tax if status == "paid" else 0,
        "amount_remaining": 0 if status == "paid" else total + tax,
        "livemode": True,
        "lines": {"object": "list", "has_more": False, "data": data},
        **fields,
        "status_transitions": {
            **moments,
            **{key: _at(str(moment)) for key, moment in transitions.items()},
        },
    }


def _note(name: str, amount: int, issued: str, lines: list[Record], **fields: object) -> Record:
    return {
        "id": f"cn_{name}",
        "object": "credit_note",
        "customer": f"cus_{name.split('.', maxsplit=1)[0]}",
        "invoice": f"in_{name.split('.', maxsplit=1)[0]}",
        "currency": "usd",
        "status": "issued",
        "created": _at(issued),
        "amount": amount,
        "subtotal": amount,
        "total": amount,
        "type": "pre_payment",
        "pre_payment_amount": amount,
        "post_payment_amount": 0,
        "livemode": True,
        "lines": {"object": "list", "has_more": False, "data": lines},
        **fields,
    }


def _note_line(number: str, amount: int, line: str | None) -> Record:
    return {
        "id": f"cnli_{number}",
        "object": "credit_note_line_item",
        "amount": amount,
        "invoice_line_item": f"il_{line}" if line else None,
        "type": "invoice_line_item" if line else "custom_line_item",
    }


def _subscription(name: str, ended: str | None) -> Record:
    return {
        "id": f"sub_{name}",
        "object": "subscription",
        "customer": f"cus_{name}",
        "currency": "usd",
        "status": "canceled" if ended else "active",
        "created": _at("2026-01-01"),
        "start_date": _at("2026-01-01"),
        "canceled_at": _at(ended) if ended else None,
        "ended_at": _at(ended) if ended else None,
        "livemode": True,
        "items": {"object": "list", "data": [], "has_more": False},
    }


def _refund(name: str, amount: int, created: str, paid: int) -> tuple[Record, Record]:
    """A refund and the charge of the invoice that it pays back."""
    charge = {
        "id": f"ch_{name}",
        "object": "charge",
        "amount": paid,
        "amount_captured": paid,
        "amount_refunded": amount,
        "captured": True,
        "paid": True,
        "status": "succeeded",
        "created": _at("2026-01-01"),
        "currency": "usd",
        "customer": f"cus_{name}",
        "invoice": f"in_{name}",
        "livemode": True,
    }
    refund = {
        "id": f"re_{name}",
        "object": "refund",
        "amount": amount,
        "charge": f"ch_{name}",
        "created": _at(created),
        "currency": "usd",
        "status": "succeeded",
    }
    return refund, charge


_YEAR = ("2026-01-01", "2027-01-01")
_QUARTER = ("2026-01-01", "2026-04-01")
_INVOICES = [
    # Stripe's example of a credit note before a payment.
    _invoice(
        "before",
        [_line("before", 12000, *_QUARTER)],
        "2026-01-01",
        moments={"paid_at": "2026-02-10"},
    ),
    # Stripe's example of a credit note after a payment.
    _invoice("after", [_line("after", 9000, *_QUARTER)], "2026-01-01"),
    # 31.00 and 62.00 of January to March, credited with 9.30 that names no line.
    _invoice(
        "custom",
        [_line("custom_1", 3000, *_QUARTER), _line("custom_2", 6000, *_QUARTER)],
        "2026-01-01",
    ),
    # Two lines, of which the note credits one in full.
    _invoice(
        "one", [_line("one_1", 9000, *_QUARTER), _line("one_2", 9000, *_QUARTER)], "2026-01-01"
    ),
    # A void note never counts.
    _invoice("unnoted", [_line("unnoted", 9000, *_QUARTER)], "2026-01-01"),
    # Credits of 60.00 and 60.00 on a line of 90.00.
    _invoice("over", [_line("over", 9000, *_QUARTER)], "2026-01-01"),
    # An export without its credit notes.
    _invoice(
        "thin",
        [_line("thin", 9000, *_QUARTER)],
        "2026-01-01",
        pre_payment_credit_notes_amount=4500,
        moments={"paid_at": "2026-02-01"},
    ),
    _invoice("ended", [_line("ended", 120000, *_YEAR, "sub_ended")], "2026-01-01"),
    _invoice("refunded", [_line("refunded", 120000, *_YEAR, "sub_refunded")], "2026-01-01"),
    _invoice("full", [_line("full", 120000, *_YEAR, "sub_full")], "2026-01-01"),
    _invoice("part", [_line("part", 120000, *_YEAR, "sub_part")], "2026-01-01"),
    _invoice("goodwill", [_line("goodwill", 36500, *_YEAR, "sub_goodwill")], "2026-01-01"),
    # Prorations credit the unused time of the year; the refund only moves the money.
    _invoice("prorated", [_line("prorated", 36500, *_YEAR, "sub_prorated")], "2026-01-01"),
    _invoice(
        "prorated.end",
        [
            _line("prorated_back", -33400, "2026-02-01", "2027-01-01", "sub_prorated")
            | {"proration": True}
        ],
        "2026-02-01",
        starting_balance=0,
        ending_balance=-33400,
    ),
    _invoice(
        "written",
        [_line("written", 120000, *_YEAR, "sub_written")],
        "2026-01-01",
        status="uncollectible",
        moments={"marked_uncollectible_at": "2026-01-31T12"},
    ),
    _invoice(
        "recovered",
        [_line("recovered", 18100, "2026-01-01", "2026-07-01")],
        "2026-01-01",
        moments={"marked_uncollectible_at": "2026-02-01", "paid_at": "2026-04-01"},
    ),
    # A quarter of it was paid.
    _invoice(
        "partly",
        [_line("partly", 36500, *_YEAR)],
        "2026-01-01",
        status="uncollectible",
        amount_paid=9125,
        amount_remaining=27375,
        moments={"marked_uncollectible_at": "2026-02-01"},
    ),
    _invoice(
        "voided",
        [_line("voided", 9000, *_QUARTER)],
        "2026-01-01",
        status="void",
        moments={"voided_at": "2026-03-10"},
    ),
    _invoice("backdated", [_line("backdated", -9000, *_QUARTER)], "2026-04-05"),
    # Stripe's example of the customer's balance, which pays 11.00 of 31.00.
    _invoice(
        "balance",
        [_line("balance", 3100, "2026-01-15", "2026-02-15")],
        "2026-01-15",
        starting_balance=-1100,
        ending_balance=0,
        amount_due=2000,
        amount_paid=2000,
        moments={"paid_at": "2026-02-09"},
    ),
    # A refund out of goodwill, and at the end another one, for which there is a credit note.
    _invoice("both", [_line("both", 120000, *_YEAR, "sub_both")], "2026-01-01"),
    # A credit note went to the customer's balance. The refund at the end has none.
    _invoice("to_balance", [_line("to_balance", 36500, *_YEAR, "sub_to_balance")], "2026-01-01"),
    # Credited after it was written off.
    _invoice(
        "lost",
        [_line("lost", 120000, *_YEAR, "sub_lost")],
        "2026-01-01",
        status="uncollectible",
        pre_payment_credit_notes_amount=30000,
        amount_due=90000,
        amount_remaining=90000,
        moments={"marked_uncollectible_at": "2026-01-31T12"},
    ),
]
_NOTES = [
    _note("before", 3000, "2026-01-10", [_note_line("before", 3000, "before")]),
    _note(
        "after",
        4500,
        "2026-02-01",
        [_note_line("after", 4500, "after")],
        type="post_payment",
        pre_payment_amount=0,
        post_payment_amount=4500,
    ),
    _note("custom", 900, "2026-02-01", [_note_line("custom", 900, None)]),
    _note("one", 9000, "2026-02-01", [_note_line("one", 9000, "one_1")]),
    _note(
        "unnoted",
        9000,
        "2026-01-10",
        [_note_line("unnoted", 9000, "unnoted")],
        status="void",
        voided_at=_at("2026-02-10"),
    ),
    _note("over.1", 6000, "2026-02-01", [_note_line("over_1", 6000, "over")]),
    _note("over.2", 6000, "2026-03-01", [_note_line("over_2", 6000, "over")]),
    _note(
        "ended",
        109808,
        "2026-01-31T12",
        [_note_line("ended", 109808, "ended")],
        type="post_payment",
        pre_payment_amount=0,
        post_payment_amount=109808,
        refunds=[{"refund": "re_ended", "amount_refunded": 109808}],
    ),
    _note(
        "both",
        109808,
        "2026-01-31T12",
        [_note_line("both", 109808, "both")],
        type="post_payment",
        pre_payment_amount=0,
        post_payment_amount=109808,
        refunds=[{"refund": "re_both", "amount_refunded": 109808}],
    ),
    _note(
        "to_balance",
        7300,
        "2026-01-10",
        [_note_line("to_balance", 7300, "to_balance")],
        type="post_payment",
        pre_payment_amount=0,
        post_payment_amount=7300,
        customer_balance_transaction="cbtxn_1",
    ),
    _note("lost", 30000, "2026-03-01", [_note_line("lost", 30000, "lost")]),
]
_REFUNDS = [
    _refund("ended", 109808, "2026-01-31T12", 120000),
    _refund("refunded", 109808, "2026-01-31T18", 120000),
    _refund("full", 120000, "2026-01-31T18", 120000),
    _refund("part", 60000, "2026-02-10", 120000),
    _refund("goodwill", 10000, "2026-01-31", 36500),
    _refund("prorated", 33400, "2026-02-02", 36500),
    _refund("both", 109808, "2026-01-31T12", 120000),
    _refund("to_balance", 10000, "2026-01-31T18", 36500),
]
_GOODWILL = _REFUNDS[-2][0] | {"id": "re_goodwill", "amount": 5000, "created": _at("2026-01-10")}
_ENDS = {
    "ended": "2026-01-31T12",
    "refunded": "2026-01-31T12",
    "full": "2026-01-31T12",
    "part": "2026-01-31T12",
    "goodwill": None,
    "prorated": "2026-02-01",
    "written": "2026-01-31T12",
    "both": "2026-01-31T12",
    "to_balance": "2026-01-31T12",
    "lost": "2026-01-31T12",
}


def _write(loading: Loading, batch: str, invoices: list[Record]) -> None:
    names = sorted({str(invoice["customer"]) for invoice in invoices})
    customers = [
        {"id": name, "object": "customer", "created": _at("2025-01-01"), "livemode": True}
        for name in names
    ]
    loading.write_json("stripe/customers.jsonl", *customers, batch=batch)
    loading.write_json("stripe/invoices.jsonl", *invoices, batch=batch)


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Loading:
    loading = Loading(tmp_path_factory.mktemp("revenue"))
    _write(loading, _AS_OF, _INVOICES)
    subscriptions = [_subscription(name, ended) for name, ended in _ENDS.items()]
    for name, records in (
        ("credit_notes", _NOTES),
        ("refunds", [*(refund for refund, _ in _REFUNDS), _GOODWILL]),
        ("charges", [charge for _, charge in _REFUNDS]),
        ("subscriptions", subscriptions),
    ):
        loading.write_json(f"stripe/{name}.jsonl", *records, batch=_AS_OF)
    loading.load()
    return loading


@pytest.fixture(scope="module")
def restated(landed: Loading) -> Loading:
    build_new(landed.warehouse, *_SELECTED)
    return landed


def _months(loading: Loading, name: str, column: str) -> Months:
    """A column by month, without months in which it is 0."""
    found = loading.rows(
        f"""
        select strftime(deferred_month, '%m'), {column}
        from finance.fct_deferred_revenue_monthly
        where account_id = 'cus_{name}' and {column} != 0
        order by 1
        """
    )
    return {str(month): float(Decimal(str(amount))) for month, amount in found}


@pytest.mark.parametrize(
    ("name", "recognized", "deferred"),
    [
        ("before", {"01": 31, "02": 28, "03": 31}, {"01": 59, "02": 31}),
        # 14.00 less 15.50 of January's 31.00.
        ("after", {"01": 31, "02": -1.5, "03": 15.5}, {"01": 59, "02": 15.5}),
        # 9.00 of 90.00 is a tenth: 25.20 less 3.10 of January, then 27.90.
        ("custom", {"01": 31, "02": 22.1, "03": 27.9}, {"01": 59, "02": 27.9}),
        # One line goes on: 28.00 less the other line's 31.00.
        ("one", {"01": 62, "02": -3, "03": 31}, {"01": 118, "02": 31}),
        ("unnoted", {"01": 31, "02": 28, "03": 31}, {"01": 59, "02": 31}),
        # Two thirds of 31.00 back in February and of 28.00 left: 28/3 - 62/3; then all that is left
        # of the line, a third of 59.00, and 30.00 beyond it.
        (
            "over",
            {"01": 31, "02": -11.333333, "03": -49.666667},
            {"01": 59, "02": 10.333333},
        ),
        ("thin", {"01": 31, "02": -1.5, "03": 15.5}, {"01": 59, "02": 15.5}),
        ("ended", {"01": 101.92}, {}),
        ("refunded", {"01": 101.92}, {}),
        ("full", {}, {}),
        # 12 days of February were earned when the refund ended the schedule. The 600.00 that are
        # kept are earned by then.
        ("part", {"01": 101.917808, "02": 498.082192}, {"01": 1098.082192}),
        (
            "goodwill",
            {"01": 31, "02": 28, "03": 31, "04": 30, "05": 31, "06": 30},
            {"01": 334, "02": 306, "03": 275, "04": 245, "05": 214, "06": 184},
        ),
        ("prorated", {"01": 31}, {"01": 334}),
        ("written", {"01": 101.917808}, {}),
        # 181.00 over 181 days: nothing from February to March, caught up in April.
        (
            "recovered",
            {"01": 31, "04": 89, "05": 31, "06": 30},
            {"01": 150, "04": 61, "05": 30},
        ),
        # A quarter goes on.
        (
            "partly",
            {"01": 31, "02": 7, "03": 7.75, "04": 7.5, "05": 7.75, "06": 7.5},
            {"01": 334, "02": 76.5, "03": 68.75, "04": 61.25, "05": 53.5, "06": 46},
        ),
        ("voided", {}, {}),
        ("balance", {"01": 17, "02": 14}, {"01": 14}),
        ("both", {"01": 101.92}, {}),
        # 73.00 are credited over the year. Of the 292.00 left, 100.00 are paid back.
        ("to_balance", {"01": 192}, {}),
        ("lost", {"01": 101.917808}, {}),
    ],
)
def test_revenue_follows_the_service(
    name: str, recognized: Months, deferred: Months, restated: Loading
) -> None:
    assert _months(restated, name, "recognized_amount") == recognized
    assert _months(restated, name, "closing_amount") == deferred


@pytest.mark.parametrize(
    ("name", "bad_debt", "owed"),
    [
        ("written", {"01": 101.917808}, {}),
        ("lost", {"01": 101.917808}, {}),
        # January's 31.00 are lost, and earned once it is paid. Nothing is owed after the write-off.
        ("recovered", {"02": 31, "04": -31}, {"01": 181}),
        # Three quarters of 31.00. The payment of the other quarter has no date.
        ("partly", {"02": 23.25}, {"01": 365}),
        ("voided", {}, {}),
        ("balance", {}, {"01": 20}),
    ],
)
def test_what_is_written_off_is_bad_debt_and_no_longer_owed(
    name: str, bad_debt: Months, owed: Months, restated: Loading
) -> None:
    assert _months(restated, name, "bad_debt_amount") == bad_debt
    assert _receivables(restated, name) == owed


# Half of a year is credited with the renewal from 31 December on. An invoice is voided in July.
_BEFORE = [
    _invoice("half", [_line("half", 120000, "2025-07-01", "2026-07-01")], "2025-07-01"),
    _invoice("voided", [_line("voided", 90000, *_QUARTER)], "2026-01-01", status="open"),
]
_SINCE = [
    _invoice(
        "half.2",
        [
            _line("half_back", -60164, "2025-12-31", "2026-07-01"),
            _line("half_new", 30082, "2025-12-31", "2026-07-01"),
            _line("half_next", 60000, "2026-07-01", "2027-07-01"),
        ],
        "2026-07-01",
    ),
    _invoice(
        "voided",
        [_line("voided", 90000, *_QUARTER)],
        "2026-01-01",
        status="void",
        moments={"voided_at": "2026-07-10"},
    ),
]


def _closed_months(folder: Path, corrections: str) -> Loading:
    """The company after its second batch; the first reported the months until May."""
    variables = f"{{revenue_corrections: {corrections}}}"
    loading = Loading(folder)
    for batch, invoices, selected in (
        ("2026-05-31", _BEFORE, "+snap_finance__revenue_monthly"),
        ("2026-07-31", _SINCE, "+fct_revenue_restatements"),
    ):
        _write(loading, batch, invoices)
        loading.load(batch_ids=[batch])
        if corrections == "restate":
            # The default.
            build_again(loading.warehouse, selected)
        else:
            chosen = ("build", "--select", selected)
            dbt(loading.warehouse, *chosen, excluded=NO_TESTS, variables=variables)
    return loading


def _restated(loading: Loading, name: str, measure: str) -> dict[str, tuple[float, float, str]]:
    found = loading.rows(
        f"""
        select strftime(revenue_month, '%y-%m'), first_reported_usd, current_usd, cause
        from finance.fct_revenue_restatements
        where account_id = 'cus_{name}' and measure = '{measure}'
        order by 1
        """
    )
    return {str(m): (float(str(a)), float(str(b)), str(c)) for m, a, b, c in found}


def _receivables(loading: Loading, name: str) -> Months:
    found = loading.rows(
        f"""
        select strftime(receivable_month, '%m'), open_amount
        from finance.fct_receivables_monthly where account_id = 'cus_{name}' order by 1
        """
    )
    return {str(month): float(str(amount)) for month, amount in found}


def test_every_change_of_a_closed_month_is_listed(tmp_path: Path) -> None:
    loading = _closed_months(tmp_path, "restate")
    assert _months(loading, "voided", "recognized_amount") == {}
    assert _receivables(loading, "voided") == {}
    assert _restated(loading, "voided", "recognized_revenue") == {
        "26-01": (310, 0, "voided_invoice"),
        "26-02": (280, 0, "voided_invoice"),
        "26-03": (310, 0, "voided_invoice"),
    }
    assert _restated(loading, "voided", "deferred_revenue") == {
        "26-01": (590, 0, "voided_invoice"),
        "26-02": (310, 0, "voided_invoice"),
    }
    assert _restated(loading, "voided", "receivables") == {
        f"26-0{month}": (900, 0, "voided_invoice") for month in range(1, 6)
    }
    # 300.82 over 182 days from 31 December, 31 of them in January.
    half = _restated(loading, "half", "recognized_revenue")
    assert list(half) == ["25-12", "26-01", "26-02", "26-03", "26-04", "26-05"]
    assert half["26-01"] == (101.917808, 50.679237, "billed_later")


def test_corrections_are_booked_in_the_open_period(tmp_path: Path) -> None:
    loading = _closed_months(tmp_path, "open_period")
    assert loading.rows("select * from finance.fct_revenue_restatements") == []
    recognized = _months(loading, "voided", "recognized_amount")
    assert recognized == {"01": 310, "02": 280, "03": 310, "07": -900}
    assert _months(loading, "voided", "closing_amount") == {"01": 590, "02": 310}
    assert _months(loading, "voided", "contra_revenue_amount") == {"07": 900}
    assert _receivables(loading, "voided") == {f"0{month}": 900 for month in range(1, 7)}
    # 31 days of the next year less all of the 300.82.
    assert _month(loading, "half", "2026-05-01") == 101.917808
    assert _month(loading, "half", "2026-07-01") == pytest.approx(600 * 31 / 365 - 300.82)


def _month(loading: Loading, name: str, month: str) -> float:
    query = f"""
        select recognized_usd from finance.fct_revenue_monthly
        where account_id = 'cus_{name}' and revenue_month = date '{month}'
    """
    return float(str(loading.value(query)))


@pytest.mark.parametrize(
    ("variables", "name", "recognized"),
    [
        ("revenue_credit_notes: on_issue", "after", {"01": 31, "02": -17, "03": 31}),
        (
            "revenue_write_offs: keep",
            "written",
            {
                "01": 101.917808,
                "02": 92.054795,
                "03": 101.917808,
                "04": 98.630137,
                "05": 101.917808,
                "06": 98.630137,
            },
        ),
        (
            "revenue_refunds: never",
            "full",
            {
                "01": 101.917808,
                "02": 92.054795,
                "03": 101.917808,
                "04": 98.630137,
                "05": 101.917808,
                "06": 98.630137,
            },
        ),
    ],
)
def test_companies_may_differ(
    variables: str, name: str, recognized: Months, restated: Loading, tmp_path: Path
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(restated.warehouse, warehouse)
    rebuilt = Loading.__new__(Loading)
    rebuilt.warehouse = warehouse
    dbt(
        warehouse,
        "run",
        "--select",
        "int_credits_dated",
        "int_credits_allocated",
        "int_revenue_reversals",
        "int_revenue_lines",
        "fct_revenue_schedule",
        "fct_deferred_revenue_monthly",
        excluded=NO_TESTS,
        variables=f"{{{variables}}}",
    )
    assert _months(rebuilt, name, "recognized_amount") == recognized
