"""Billing marts: revenue equals the simulation's own, and an amount without a rate is an error."""

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from harness import rows
from warehouses import build_new, load

Key = tuple[date, str, str]


def _truth(extracts: Path, name: str) -> str:
    return f"read_csv('{extracts / '_truth' / name}', all_varchar = true)"


def test_recognized_revenue_is_the_truth_to_the_cent(
    tiny_extracts: Path, tiny_warehouse: Path
) -> None:
    """Compares by month, account and currency, future months included."""
    apart: dict[Key, Decimal] = defaultdict(Decimal)
    expected = rows(
        tiny_warehouse,
        f"""
        select cast(month as date), account_key, currency, cast(amount as decimal(28, 6))
        from {_truth(tiny_extracts, "recognized_revenue.csv")}
        """,
    )
    found = rows(
        tiny_warehouse,
        f"""
        select
            schedule.revenue_month,
            coalesce(links.account_key, schedule.account_id),
            schedule.currency,
            sum(schedule.recognized_amount)
        from finance.fct_revenue_schedule as schedule
        left join {_truth(tiny_extracts, "account_links.csv")} as links
            on links.source_system = 'stripe' and links.foreign_id = schedule.stripe_customer_id
        group by all
        """,
    )
    assert len(expected) > 1000
    for sign, figures in ((-1, expected), (1, found)):
        for month, account, currency, amount in figures:
            assert isinstance(month, date)
            apart[month, str(account), str(currency)] += sign * Decimal(str(amount))
    wrong = {key: amount for key, amount in apart.items() if abs(amount) >= Decimal("0.005")}
    assert not wrong


def test_customers_of_one_account_are_recognized_in_one_account(
    tiny_extracts: Path, tiny_warehouse: Path
) -> None:
    mixed = rows(
        tiny_warehouse,
        f"""
        select schedule.account_id, list(distinct links.account_key)
        from finance.fct_revenue_schedule as schedule
        inner join {_truth(tiny_extracts, "account_links.csv")} as links
            on links.source_system = 'stripe' and links.foreign_id = schedule.stripe_customer_id
        group by schedule.account_id
        having count(distinct links.account_key) > 1
        """,
    )
    assert not mixed


def test_every_kind_of_billing_story_is_in_the_marts(tiny_warehouse: Path) -> None:
    """A reconciliation that finds nothing to compare proves nothing."""
    for condition, mart in (
        ("invoice_status = 'void'", "fct_invoices"),
        ("invoice_status = 'uncollectible'", "fct_invoices"),
        ("balance_applied_amount > 0", "fct_invoices"),
        ("tax_amount > 0", "fct_invoices"),
        ("currency = 'JPY'", "fct_invoices"),
        ("inclusive_tax_amount > 0", "fct_invoice_lines"),
        ("discount_amount > 0", "fct_invoice_lines"),
        ("is_proration and amount < 0", "fct_invoice_lines"),
        ("refund_count > 1", "fct_payments"),
        ("settlement_currency != currency", "fct_payments"),
        ("not is_counted", "fct_refunds"),
        ("dispute_status = 'lost'", "fct_disputes"),
        ("pre_payment_amount > 0", "fct_credit_notes"),
        ("post_payment_amount > 0", "fct_credit_notes"),
        ("closing_unbilled_amount > 0", "fct_deferred_revenue_monthly"),
        ("over_90_days_amount > 0", "fct_receivables_monthly"),
        ("recovery_status = 'recovered' and failed_attempt_count > 1", "fct_payment_recovery"),
        ("recovery_status = 'lost'", "fct_payment_recovery"),
        ("promotion_code is not null and discount_usd > 0", "fct_coupon_performance"),
    ):
        query = f"select 1 from finance.{mart} where {condition} limit 1"
        assert rows(tiny_warehouse, query), f"no row of {mart} where {condition}"


def _export(folder: Path, finalized_at: int) -> Path:
    """An export of one invoice over 100.00 EUR."""
    stripe = folder / "extracts" / "2026-01-31" / "stripe"
    stripe.mkdir(parents=True)
    invoice = {
        "id": "in_1",
        "object": "invoice",
        "customer": "cus_1",
        "currency": "eur",
        "status": "paid",
        "created": finalized_at,
        "subtotal": 10_000,
        "total": 10_000,
        "amount_due": 10_000,
        "amount_paid": 10_000,
        "amount_remaining": 0,
        "starting_balance": 0,
        "ending_balance": 0,
        "livemode": True,
        "status_transitions": {"finalized_at": finalized_at, "paid_at": finalized_at},
        "lines": {
            "object": "list",
            "has_more": False,
            "data": [
                {
                    "id": "il_1",
                    "object": "line_item",
                    "amount": 10_000,
                    "currency": "eur",
                    "period": {"start": finalized_at, "end": finalized_at},
                }
            ],
        },
    }
    (stripe / "invoices.jsonl").write_text(json.dumps(invoice) + "\n")
    return folder / "extracts"


@pytest.mark.parametrize("finalized_at", [1_542_240_000, 1_768_435_200])
def test_an_amount_without_a_rate_stops_the_build(tmp_path: Path, finalized_at: int) -> None:
    """The seed begins in 2019, so an invoice of 15 November 2018 has no amount in dollars."""
    warehouse = load(_export(tmp_path, finalized_at), tmp_path / "warehouse.duckdb")
    if finalized_at > 1_600_000_000:
        build_new(warehouse, "+fct_invoices")
        return
    with pytest.raises(duckdb.Error, match="No exchange rate for EUR in 2018-11"):
        build_new(warehouse, "+fct_invoices")
