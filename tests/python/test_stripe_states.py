"""Every lawful state of Stripe's documents builds, with figures worked out by hand."""

from decimal import Decimal
from pathlib import Path

import pytest

from data_tests import DataTests
from harness import marts, opened, rows
from stripe_states import write_export
from warehouses import build_warehouse

# Paid, overpaid, out of band, remaining, written off, charged and refunded of an invoice of 100.00
# unless `stripe_states.py` says otherwise.
_INVOICES = {
    "draft": (0, 0, 0, 0, 0, 0, 0),
    "open": (0, 0, 0, 100, 0, 0, 0),
    "uncollectible": (0, 0, 0, 0, 100, 0, 0),
    "void": (0, 0, 0, 0, 0, 0, 0),
    "free": (0, 0, 0, 0, 0, 0, 0),
    "out_of_band": (100, 0, 100, 0, 0, 0, 0),
    "negative": (0, 0, 0, 0, 0, 0, 0),
    "small": (0, 0, 0, 0, 0, 0, 0),
    "credit_balance": (20, 0, 0, 0, 0, 20, 0),
    "debit_balance": (105, 0, 0, 0, 0, 105, 0),
    "paid_late": (100, 0, 0, 0, 0, 100, 0),
    "credited": (0, 0, 0, 0, 0, 0, 0),
    "credited_later": (100, 0, 0, 0, 0, 100, 10),
    "anchor": (100, 0, 0, 0, 0, 100, 0),
    "shipped": (112, 0, 0, 0, 0, 112, 0),
    "no_amounts_paid": (100, 0, 0, 0, 0, 100, 0),
    "no_amounts_open": (0, 0, 0, 100, 0, 0, 0),
    "no_totals": (108, 0, 0, 0, 0, 108, 0),
    "webhook": (100, 0, 100, 0, 0, 0, 0),
    "overpaid": (120, 20, 0, 0, 0, 120, 0),
    "two_payments": (100, 0, 0, 0, 0, 100, 0),
    "part_outside": (100, 0, 70, 0, 0, 30, 0),
    "granted": (70, 0, 0, 0, 0, 70, 0),
    "part_paid": (40, 0, 0, 60, 0, 40, 0),
    "void_part_paid": (40, 0, 0, 0, 0, 40, 0),
    # The payment of 150.00 for two invoices is one charge, so it is on one of them.
    "shared": (100, 0, 0, 0, 0, 150, 0),
    "shared_too": (50, 0, 0, 0, 0, 0, 0),
    "unlisted_payments": (100, 0, None, 0, 0, 0, 0),
    "payments_alone": (100, 0, 0, 0, 0, 100, 0),
    # A status that is not known yet leaves what Stripe says remains.
    "future": (0, 0, 0, 100, 0, 0, 0),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, data_tests: DataTests) -> Path:
    """The states in one warehouse, in which no test that stops a build fails."""
    folder = tmp_path_factory.mktemp("states")
    write_export(folder / "extracts")
    select = ("+path:models/marts/finance", "+path:models/marts/shared")
    warehouse = build_warehouse(folder / "extracts", folder / "warehouse.duckdb", select=select)
    return data_tests.check(warehouse, least=400)


def test_an_invoice_is_paid_owed_or_written_off(built: Path) -> None:
    found = rows(
        built,
        """
        select
            regexp_extract(invoice_id, 'in_(.*)_newer', 1),
            paid_amount,
            overpaid_amount,
            out_of_band_amount,
            remaining_amount,
            written_off_amount,
            charged_amount,
            refunded_amount
        from finance.fct_invoices
        where invoice_id like '%_newer'
        """,
    )
    assert {str(name): tuple(figures) for name, *figures in found} == _INVOICES
    owed = "select sum(remaining_usd), sum(written_off_usd) from finance.fct_invoices"
    # Of `open`, `no_amounts_open`, `future` and `uncollectible` both versions, and 60.00 of
    # `part_paid`.
    assert rows(built, owed) == [(660, 200)]
    totals = """
        select discount_amount, tax_amount, net_amount from finance.fct_invoices
        where invoice_id = 'in_no_totals_older'
    """
    assert rows(built, totals) == [(10, 18, 90)]


def test_only_refunds_of_money_count(built: Path) -> None:
    """A refund that needs an action, is pending or has an unknown status counts: 40.00 in all. One
    that failed, was cancelled or released what was only authorised does not."""
    found = rows(
        built,
        """
        select
            regexp_extract(refund_id, 're_(.*)_older', 1),
            regexp_extract(charge_id, 'ch_(.*)_older', 1),
            refunded_amount,
            has_charge
        from finance.fct_refunds
        where refund_id like '%_older'
        order by 1
        """,
    )
    assert found == [
        ("cancelled", "cancelled", 0, True),
        ("captured", "captured", 0, True),
        ("credited_later", "credited_later", 10, True),
        ("intent", "intent", 40, True),
        ("old_charge", "before_the_export", 25, False),
        ("refunds_canceled", "refunds", 0, True),
        ("refunds_failed", "refunds", 0, True),
        ("refunds_pending", "refunds", 20, True),
        ("refunds_requires_action", "refunds", 5, True),
        ("refunds_succeeded", "refunds", 10, True),
        ("refunds_under_dispute_of_2027", "refunds", 5, True),
        ("thin", "thin", 25, True),
    ]
    account = "select account_id from finance.fct_refunds where refund_id = 're_old_charge_newer'"
    assert rows(built, account) == [("cus_old_charge_newer",)]


def test_a_payment_keeps_what_was_neither_refunded_nor_lost(built: Path) -> None:
    """Of ten disputes over 500.00, those over 7.00 and 10.00 are lost and three are inquiries. The
    54.75 USD lost of 100.00 EUR are taken off in dollars, at the rate of May 2026."""
    found = rows(
        built,
        """
        select
            regexp_extract(charge_id, 'ch_(.*)_newer', 1),
            collected_amount,
            refunded_amount,
            dispute_lost_amount,
            kept_amount,
            dispute_count
        from finance.fct_payments
        where charge_id in (
            'ch_refunds_newer', 'ch_intent_newer', 'ch_disputes_newer',
            'ch_cancelled_newer', 'ch_captured_newer', 'ch_thin_newer'
        )
        order by 1
        """,
    )
    assert found == [
        ("cancelled", 0, 0, 0, 0, 0),
        ("captured", 60, 0, 0, 60, 0),
        ("disputes", 500, 0, 17, 483, 7),
        ("intent", 100, 40, 0, 60, 0),
        ("refunds", 100, 40, 0, 60, 0),
        ("thin", 100, 25, 0, 75, 0),
    ]
    ((kept, collected),) = rows(
        built,
        """
        select kept_usd, collected_usd from finance.fct_payments
        where charge_id = 'ch_dollars_newer'
        """,
    )
    assert isinstance(kept, Decimal)
    assert isinstance(collected, Decimal)
    assert collected > 100
    assert abs(collected - kept - Decimal("54.75")) < Decimal("0.001")


def test_records_of_what_was_not_exported_count(built: Path) -> None:
    """A lost dispute and a credit note do. A line of an unknown invoice has no status."""
    for figure, mart, record, expected in (
        ("sum(lost_amount)", "fct_disputes", "dispute_id = 'dp_gone_newer'", 15),
        ("sum(net_amount)", "fct_credit_notes", "credit_note_id = 'cn_gone_older'", 9),
        ("count(*)", "fct_invoice_lines", "invoice_id = 'in_gone_newer'", 0),
        ("count(*)", "fct_invoices", "invoice_id = 'in_erased_newer'", 0),
        ("count(*)", "fct_payouts", "true", 12),
    ):
        query = f"select {figure} from finance.{mart} where {record}"
        assert rows(built, query) == [(expected,)], query


def test_nothing_of_a_test_clock_is_a_fact(built: Path) -> None:
    for mart in ("fct_invoices", "fct_payments", "fct_refunds"):
        query = f"select count(*) from finance.{mart} where contains({mart}::varchar, '_test_')"
        assert rows(built, query) == [(0,)]


def test_unknown_statuses_and_intervals_give_no_mrr(built: Path) -> None:
    found = rows(
        built,
        """
        select subscription_id, mrr_exclusion_reason, mrr
        from finance.fct_subscription_item_mrr
        where subscription_id like '%_older' and valid_to_at is null
        order by 1
        """,
    )
    assert found == [
        ("sub_future_interval_older", "price_missing", 0),
        ("sub_future_older", "future_of_2027", 0),
        ("sub_future_usage_older", None, 10),
    ]


def test_values_that_stripe_adds_are_warnings(built: Path, data_tests: DataTests) -> None:
    failed = {
        test.name
        for test in data_tests.tests
        if test.severity == "WARN" and data_tests.results(built, [test]).get(test.name)
    }
    for column in (
        *(
            "stg_stripe__invoices_status",
            "stg_stripe__charges_status",
            "stg_stripe__refunds_status",
        ),
        *("stg_stripe__disputes_status", "stg_stripe__credit_notes_status"),
        *("fct_subscription_item_mrr_subscription_status", "fct_refunds_has_charge"),
    ):
        assert any(f"accepted_values_{column}" in name for name in failed), column


def test_both_api_versions_give_the_same_facts(built: Path) -> None:
    """In every mart, but for what the older version cannot hold and its refunds that only release
    an authorised amount."""
    since_basil = {f"cus_{name}_newer" for name in _SINCE_BASIL}
    compared = 0
    with opened(built) as connection:
        for mart in marts(built):
            columns = {
                str(name): str(kind)
                for name, kind, *_ in connection.execute(f"describe {mart}").fetchall()
                if not str(name).startswith("_")
            }
            if "account_id" not in columns:
                continue
            values = ", ".join(
                f"regexp_replace({name}, '_(newer|older)', '', 'g')" if kind == "VARCHAR" else name
                for name, kind in columns.items()
            )
            is_release = (
                "refund_id not in ('re_cancelled_older', 're_captured_older')"
                if mart == "finance.fct_refunds"
                else "true"
            )
            newer, older = (
                f"select {values} from {mart} where account_id like '%_{version}'"
                f" and {is_release} and account_id not in {tuple(since_basil)}"
                for version in ("newer", "older")
            )
            assert (
                connection.execute(
                    f"({newer} except all {older}) union all ({older} except all {newer})"
                ).fetchall()
                == []
            ), mart
            compared += connection.execute(f"select count(*) from ({newer})").fetchall()[0][0]
    assert compared > 200, compared


_SINCE_BASIL = (
    *("overpaid", "two_payments", "part_outside", "granted", "part_paid", "void_part_paid"),
    *("shared", "unlisted_payments", "payments_alone"),
)
