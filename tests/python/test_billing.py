"""Contracts are carried out as Stripe would, to the second and to the cent."""

from collections import Counter
from datetime import date, datetime, timedelta
from functools import cache

import pytest

from billing_cases import JANUARY, acted, contract, course, invoices, step, subscription
from ingest.generate.billing import bill
from ingest.generate.company import simulate
from ingest.generate.ledger import Ledger
from ingest.generate.records import Company

HOUR = timedelta(hours=1)


@cache
def tiny() -> tuple[Company, Ledger]:
    company = simulate(7, date(2024, 1, 1), date(2026, 9, 30), "tiny")
    return company, bill(company)


def test_a_month_is_billed_ahead_and_collected_after_the_draft_hour() -> None:
    _, ledger = acted(contract(), until=datetime(2025, 2, 2))
    first, second = invoices(ledger)
    assert (first.total, first.reason, first.paid_at) == (
        240_00,
        "subscription_create",
        JANUARY + timedelta(seconds=2),
    )
    assert second.created_at == datetime(2025, 2, 1)
    assert second.finalized_at == datetime(2025, 2, 1) + HOUR
    assert second.lines[0].end_at == datetime(2025, 3, 1)


def test_an_upgrade_in_mid_period_is_prorated_by_the_second() -> None:
    """15.5 of January's 31 days are left: half of 240 back, half of 480 to pay."""
    _, ledger = acted(
        contract(step(15.5, "set_quantity", seats=20, proration="now")),
        until=datetime(2025, 1, 31),
    )
    _, proration = invoices(ledger)
    assert [line.amount for line in proration.lines] == [-120_00, 240_00]
    assert all(line.is_proration for line in proration.lines)
    assert proration.total == 120_00


def test_prorations_left_pending_come_with_the_next_invoice() -> None:
    _, ledger = acted(contract(step(15.5, "set_quantity", seats=20)), until=datetime(2025, 2, 2))
    _, renewal = invoices(ledger)
    assert [line.amount for line in renewal.lines] == [-120_00, 240_00, 480_00]


def test_a_credit_stays_on_the_balance_until_the_next_invoice() -> None:
    """Down to 4 seats for half a month: 120 back, 48 to pay, so 72 to the customer's credit."""
    _, ledger = acted(
        contract(step(15.5, "set_quantity", seats=4, proration="now")),
        until=datetime(2025, 2, 2),
    )
    _, credit, renewal = invoices(ledger)
    assert (credit.total, credit.amount_due, credit.ending_balance) == (-72_00, 0, -72_00)
    assert credit.paid_at == credit.finalized_at
    assert (renewal.total, renewal.starting_balance, renewal.amount_due) == (96_00, -72_00, 24_00)
    assert ledger.charges[renewal.attempts[0].charge_key].amount == 24_00


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, [("created", "trialing"), ("updated", "active")]),
        ({"after_trial": "cancel"}, [("created", "trialing"), ("deleted", "canceled")]),
        ({"after_trial": "pause"}, [("created", "trialing"), ("paused", "paused")]),
    ],
)
def test_what_becomes_of_a_trial(terms: dict[str, str], expected: list[tuple[str, str]]) -> None:
    _, ledger = acted(contract(trial_days=14, **terms), until=datetime(2025, 2, 1))
    assert course(ledger) == expected
    assert subscription(ledger).states[1].at == JANUARY + timedelta(days=14)
    assert invoices(ledger)[0].total == 0


def test_a_failed_payment_makes_it_past_due_until_it_recovers() -> None:
    _, ledger = acted(
        contract(step(10, "payment_fails", outcome="recovered", days=9)),
        until=datetime(2025, 2, 28),
    )
    states = subscription(ledger).states
    assert [state.status for state in states] == ["active", "active", "past_due", "active"]
    assert states[2].at == datetime(2025, 2, 1, 1, 0, 3)
    assert states[3].at == datetime(2025, 2, 10, 0, 0, 1)
    tries = invoices(ledger)[1].attempts
    assert [attempt.is_successful for attempt in tries] == [False, False, False, False, True]


def test_some_renewals_fail_at_first_and_most_of_them_recover() -> None:
    company, _ = tiny()
    ledger = bill(company, failure_rate=0.065)
    cards = [i for i in ledger.invoices.values() if i.days_until_due is None and i.attempts]
    failed = [invoice for invoice in cards if not invoice.attempts[0].is_successful]
    assert 0.05 <= len(failed) / len(cards) <= 0.08
    assert sum(invoice.paid_at is not None for invoice in failed) / len(failed) > 0.8


def test_a_transfer_that_is_too_high_is_a_credit_for_the_next_invoice() -> None:
    """264 are paid for 240, so that 216 are left to pay of the next."""
    _, ledger = acted(contract(step(1, "overpay"), days_until_due=14), until=datetime(2025, 3, 20))
    first, second, third = invoices(ledger)
    assert (first.overpaid, second.overpaid, third.overpaid) == (24_00, 0, 0)
    assert ledger.charges[first.attempts[0].charge_key].amount == 264_00
    assert {invoice.amount_due for invoice in (second, third)} == {240_00, 216_00}


@pytest.mark.parametrize(
    ("outcome", "last", "closing_field"),
    [
        ("canceled", ("deleted", "canceled"), "uncollectible_at"),
        ("unpaid", ("updated", "unpaid"), None),
    ],
)
def test_a_failed_payment_that_does_not_recover(
    outcome: str, last: tuple[str, str], closing_field: str | None
) -> None:
    _, ledger = acted(
        contract(step(10, "payment_fails", outcome=outcome, days=21)), until=datetime(2025, 2, 27)
    )
    assert course(ledger)[-1] == last
    invoice = invoices(ledger)[1]
    assert invoice.paid_at is None
    if closing_field:
        assert getattr(invoice, closing_field)


def test_a_first_payment_that_never_comes_expires_after_23_hours() -> None:
    _, ledger = acted(contract(opening="abandoned"))
    assert course(ledger) == [("created", "incomplete"), ("updated", "incomplete_expired")]
    assert subscription(ledger).states[-1].ended_at == JANUARY + timedelta(hours=23)
    assert invoices(ledger)[0].voided_at
    assert len(ledger.invoices) == 1


def test_a_scheduled_cancellation_ends_with_the_period_unless_taken_back() -> None:
    _, ledger = acted(contract(step(5, "cancel_at_period_end")))
    asked, ended = subscription(ledger).states[1:]
    assert (asked.status, asked.cancel_at) == ("active", datetime(2025, 2, 1))
    assert (ended.kind, ended.ended_at) == ("deleted", datetime(2025, 2, 1))
    assert ended.canceled_at == JANUARY + timedelta(days=5)
    _, kept = acted(
        contract(step(5, "cancel_at_period_end"), step(9, "keep")), until=datetime(2025, 3, 2)
    )
    assert subscription(kept).states[-1].status == "active"


@pytest.mark.parametrize(
    ("behavior", "field"),
    [("void", "voided_at"), ("mark_uncollectible", "uncollectible_at"), ("keep_as_draft", None)],
)
def test_a_pause_decides_what_becomes_of_invoices(behavior: str, field: str | None) -> None:
    _, ledger = acted(
        contract(step(10, "pause", behavior=behavior, resumes_at=datetime(2025, 2, 15))),
        until=datetime(2025, 3, 2),
    )
    _, paused, after = invoices(ledger)
    assert paused.paid_at is None
    assert getattr(paused, field) if field else paused.finalized_at is None
    assert after.paid_at
    resumed = subscription(ledger).states[-2]
    assert (resumed.at, resumed.pause) == (datetime(2025, 2, 15), None)


def test_a_silent_pause_ends_without_a_webhook() -> None:
    _, ledger = acted(
        contract(
            step(10, "pause", behavior="void", resumes_at=datetime(2025, 2, 15), is_silent=True)
        ),
        until=datetime(2025, 3, 2),
    )
    changes = [state.at for state in subscription(ledger).states]
    assert datetime(2025, 2, 15) not in changes
    assert subscription(ledger).states[-1].pause is None


def test_discounts_apply_in_order_to_what_is_left() -> None:
    """240 and 49: 25 % of the plan first, then 10 dollars spread over 180 and 49."""
    _, ledger = acted(
        contract(
            step(0, "discount", coupon="ITEM25", target="team"),
            step(0, "discount", coupon="TENOFF"),
            add_ons=(("esign", 1),),
        ),
        until=datetime(2025, 1, 15),
    )
    plan, add_on = invoices(ledger)[0].lines
    assert [amount for _, amount in plan.discounts] == [60_00, 7_86]
    assert [amount for _, amount in add_on.discounts] == [2_14]


def test_a_once_coupon_is_gone_after_its_invoice_and_a_repeating_one_after_its_months() -> None:
    _, ledger = acted(contract(step(0, "discount", coupon="FIRST50")), until=datetime(2025, 3, 2))
    assert [invoice.total for invoice in invoices(ledger)] == [190_00, 240_00, 240_00]
    _, ledger = acted(contract(step(0, "discount", coupon="HALF3")), until=datetime(2025, 5, 2))
    totals = [invoice.total for invoice in invoices(ledger)]
    assert totals == [120_00, 120_00, 120_00, 240_00, 240_00]


def test_a_customers_coupon_gives_way_to_the_subscriptions() -> None:
    _, ledger = acted(
        contract(
            step(0, "discount", coupon="PARTNER30", target="customer"),
            step(40, "discount", coupon="LOYAL15"),
        ),
        until=datetime(2025, 3, 2),
    )
    assert [invoice.total for invoice in invoices(ledger)] == [168_00, 168_00, 204_00]


def test_the_older_version_is_given_no_coupons_that_it_cannot_hold() -> None:
    steps = (
        step(0, "discount", coupon="LOYAL15"),
        step(1, "discount", coupon="TENOFF"),
        step(2, "discount", coupon="ITEM25", target="team"),
    )
    _, ledger = acted(contract(*steps), can_stack=False)
    assert [discount.coupon.code for discount in ledger.discounts.values()] == ["LOYAL15"]


def test_tax_lies_on_top_of_a_price_or_within_it() -> None:
    _, ledger = acted(contract(tax_percent=19), until=datetime(2025, 1, 9))
    assert invoices(ledger)[0].total == 285_60
    _, ledger = acted(
        contract(tax_percent=20, tax_behavior="inclusive"), until=datetime(2025, 1, 9)
    )
    (invoice,) = invoices(ledger)
    assert (invoice.total, invoice.lines[0].tax) == (240_00, 40_00)


def test_a_backdated_contract_bills_the_time_before_it_was_entered() -> None:
    _, ledger = acted(contract(start_at=datetime(2024, 11, 1)), until=datetime(2025, 1, 15))
    (invoice,) = invoices(ledger)
    assert sorted(line.start_at.month for line in invoice.lines) == [1, 11, 12]
    assert invoice.total == 720_00


def test_refunds_never_exceed_the_charge() -> None:
    refunds = [step(day, "refund", share=0.6) for day in (3, 4, 5)]
    _, ledger = acted(contract(*refunds), until=datetime(2025, 1, 20))
    assert [refund.amount for refund in ledger.refunds.values()] == [144_00, 96_00]


def test_two_subscriptions_share_the_customers_balance() -> None:
    _, ledger = acted(
        contract(step(15.5, "set_quantity", seats=4, proration="now")),
        contract(number=1, created_at=JANUARY + timedelta(days=20), plan="starter", seats=5),
        until=datetime(2025, 1, 30),
    )
    last = invoices(ledger)[-1]
    assert (last.total, last.starting_balance, last.amount_due) == (60_00, -72_00, 0)


def test_a_deleted_customer_is_never_billed_again() -> None:
    _, ledger = acted(contract(step(40, "delete_customer")))
    assert len(ledger.invoices) == 2
    assert [state.kind for state in subscription(ledger).states] == ["created", "updated"]


def test_every_story_leaves_its_mark() -> None:
    """The whole list of what a company must hold; a story that stops working shows here."""
    _, ledger = tiny()
    states = [state for s in ledger.subscriptions.values() for state in s.states]
    contracts = [s.contract for s in ledger.subscriptions.values()]
    items = [item for state in states for item in state.items]
    found = Counter[str]()
    found.update(f"status {state.status}" for state in states)
    found.update(f"webhook {state.kind}" for state in states)
    found.update(f"pause {state.pause.behavior}" for state in states if state.pause)
    found.update(f"price {item.price.plan.kind}" for item in items)
    found.update(f"every {item.price.interval_count} {item.price.interval}" for item in items)
    found.update(f"currency {item.price.currency}" for item in items)
    found.update(f"version {item.price.version}" for item in items)
    found.update(f"coupon {d.coupon.duration}" for d in ledger.discounts.values())
    found.update(
        "coupon on item" if d.item_key else "coupon on subscription"
        for d in ledger.discounts.values()
        if d.subscription_key
    )
    found.update(
        "coupon on customer" for d in ledger.discounts.values() if d.subscription_key is None
    )
    found.update(f"reason {invoice.reason}" for invoice in ledger.invoices.values())
    found.update(f"dispute {dispute.outcome}" for dispute in ledger.disputes.values())
    found.update(
        f"{'early' if note.is_pre_payment else 'late'} credit"
        for note in ledger.credit_notes.values()
    )
    named = {
        "scheduled cancellation": any(state.is_cancel_scheduled for state in states),
        "stacked coupons": any(len(state.discount_keys) > 1 for state in states),
        "promotion code": any(d.coupon.promotion_code for d in ledger.discounts.values()),
        "coupon removed early": any(
            d.removed_at and d.end_at and d.removed_at < d.end_at for d in ledger.discounts.values()
        ),
        "package": any(item.price.plan.divide_by for item in items),
        "metered": any(item.quantity is None for item in items),
        "no quantity": any(item.quantity == 0 for item in items),
        "free": any(item.price.plan.code == "free" for item in items),
        "backdated": any(c.start_at for c in contracts),
        "test mode": any(not c.is_live for c in contracts),
        "sent invoices": any(c.days_until_due for c in contracts),
        "inclusive tax": any(c.tax_behavior == "inclusive" for c in contracts),
        "exclusive tax": any(c.tax_percent and c.tax_behavior == "exclusive" for c in contracts),
        "no archive": any(c.archived_from == datetime.max for c in contracts),
        "late archive": any(datetime.min < c.archived_from < datetime.max for c in contracts),
        "deleted customer": any(c.deleted_at for c in ledger.customers.values()),
        "second customer": any(c.number for c in ledger.customers.values()),
        "customer's credit": any(c.balances for c in ledger.customers.values()),
        "void invoice": any(i.voided_at for i in ledger.invoices.values()),
        "uncollectible invoice": any(i.uncollectible_at for i in ledger.invoices.values()),
        "draft invoice": any(i.finalized_at is None for i in ledger.invoices.values()),
        "overdue invoice": any(
            i.finalized_at and not (i.paid_at or i.voided_at or i.uncollectible_at)
            for i in ledger.invoices.values()
            if i.created_at < datetime(2026, 3, 1)
        ),
        "long invoice": any(len(i.lines) > 10 for i in ledger.invoices.values()),
        "negative invoice": any(i.total < 0 for i in ledger.invoices.values()),
        "failed refund": any(refund.failed_at for refund in ledger.refunds.values()),
        "several refunds": max(Counter(r.charge_key for r in ledger.refunds.values()).values()) > 1,
    }
    wanted = {
        *(f"status {s}" for s in ("trialing", "active", "past_due", "unpaid", "canceled")),
        *(f"status {s}" for s in ("incomplete", "incomplete_expired", "paused")),
        *(f"webhook {s}" for s in ("created", "updated", "deleted", "paused", "resumed")),
        *(f"pause {s}" for s in ("void", "keep_as_draft", "mark_uncollectible")),
        *(f"price {s}" for s in ("per_unit", "graduated", "volume")),
        *(f"every {s}" for s in ("1 day", "1 week", "1 month", "3 month", "1 year")),
        *(f"currency {s}" for s in ("USD", "EUR", "GBP", "JPY", "AUD", "CAD", "SEK", "KWD")),
        *(f"version {s}" for s in (1, 2, 3)),
        *(f"coupon {s}" for s in ("once", "repeating", "forever")),
        *(f"coupon on {s}" for s in ("customer", "subscription", "item")),
        *(f"reason subscription_{s}" for s in ("create", "cycle", "update")),
        "reason manual",
        "dispute won",
        "dispute lost",
        "early credit",
        "late credit",
    }
    assert wanted - set(found) == set()
    assert [name for name, holds in named.items() if not holds] == []


def test_usage_and_billing_agree_on_who_left_when() -> None:
    """The contract foretells its end; billing, which acts it out, must come to the same."""
    company, ledger = tiny()
    for acted_out in ledger.subscriptions.values():
        deleted_at = ledger.customers[acted_out.customer_key].deleted_at
        ended = [state.ended_at for state in acted_out.states if state.ended_at]
        foretold = acted_out.contract.ended_at
        if foretold and foretold >= company.end_at:
            foretold = None
        assert (ended[0] if ended else deleted_at) == foretold


def test_paid_invoices_are_paid_by_their_charges() -> None:
    _, ledger = tiny()
    for invoice in ledger.invoices.values():
        paid = sum(
            ledger.charges[attempt.charge_key].amount
            for attempt in invoice.attempts
            if attempt.is_successful
        )
        credited = sum(
            note.amount
            for note in ledger.credit_notes.values()
            if note.invoice_key == invoice.key and note.is_pre_payment
        )
        assert paid == (invoice.amount_due - credited + invoice.overpaid if invoice.paid_at else 0)


def test_nothing_happens_after_the_end() -> None:
    company, ledger = tiny()
    moments = [state.at for s in ledger.subscriptions.values() for state in s.states]
    moments += [charge.created_at for charge in ledger.charges.values()]
    moments += [refund.created_at for refund in ledger.refunds.values()]
    for invoice in ledger.invoices.values():
        dated = (invoice.created_at, invoice.finalized_at, invoice.paid_at, invoice.voided_at)
        moments += [moment for moment in dated if moment]
    assert max(moments) < company.end_at
