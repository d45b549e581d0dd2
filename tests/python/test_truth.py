"""The truth that the warehouse is held against, itself held against sums done by hand."""

import csv
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from billing_cases import JANUARY, acted, contract, step
from ingest.errors import UsageError
from ingest.generate import batch_ends, generate
from ingest.generate.contracts import Contract
from ingest.generate.revenue_truth import spread
from ingest.generate.truth import (
    account_link_rows,
    monthly_mrr_rows,
    recognized_revenue_rows,
    survivors,
)
from ingest.generate.usage_truth import UsageTruth


def _mrr(*contracts: Contract, months: int = 4) -> list[str]:
    """MRR at the month-ends of January 2025 on, as text without trailing zeros."""
    until = datetime(2025 + months // 12, months % 12 + 1, 1)
    company, ledger = acted(*contracts, until=until)
    found = {str(row[2]): Decimal(str(row[4])) for row in monthly_mrr_rows(company, ledger)}
    ends = [date(2025 + month // 12, month % 12 + 1, 1).isoformat() for month in range(months)]
    return [f"{found.get(end, Decimal(0)).normalize():f}" for end in ends]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param({}, "240", id="10 seats at 24"),
        pytest.param({"interval": "year"}, "200", id="a year of 10 months, over 12"),
        pytest.param(
            {"interval_count": 3}, "228.333333", id="a quarter of 68.5 (to the half) x 10, over 3"
        ),
        pytest.param({"plan": "business", "seats": 60}, "1689", id="49 + 20 x 30 + 40 x 26"),
        pytest.param({"plan": "business", "seats": 130}, "3389", id="49 + 600 + 80 x 26 + 30 x 22"),
        pytest.param({"plan": "scale", "seats": 50}, "1700", id="50 x 34"),
        pytest.param({"plan": "scale", "seats": 51}, "1599", id="51 x 29 + 120"),
        pytest.param({"plan": "pack", "seats": 11}, "297", id="three packs of five"),
        pytest.param({"plan": "weekly", "interval": "week"}, "346.666667", id="80 x 52 / 12"),
        pytest.param({"plan": "daily", "interval": "day"}, "608.333333", id="20 x 365 / 12"),
        pytest.param({"add_ons": (("api", 1),)}, "240", id="metered is not MRR"),
        pytest.param({"add_ons": (("storage", 550),)}, "308.75", id="550 x 12.5 cents more"),
        pytest.param({"currency": "JPY"}, "36000", id="yen have no cents"),
        pytest.param({"currency": "KWD"}, "74.4", id="dinars have thousandths: 7.44 x 10"),
        pytest.param({"tax_behavior": "inclusive", "tax_percent": 20}, "200", id="less the tax"),
        pytest.param({"tax_percent": 19}, "240", id="tax on top is not in it"),
        pytest.param({"trial_days": 45}, "0", id="on trial"),
        pytest.param({"opening": "abandoned"}, "0", id="never paid"),
        pytest.param({"is_live": False}, "0", id="test mode"),
        pytest.param({"plan": "free"}, "0", id="free"),
    ],
)
def test_what_an_item_is_worth_a_month(terms: dict[str, Any], expected: str) -> None:
    assert _mrr(contract(**terms), months=1) == [expected]


def test_a_discount_counts_over_its_months_and_once_never() -> None:
    half = contract(step(0, "discount", coupon="HALF3"))
    assert _mrr(half) == ["120", "120", "120", "240"]
    assert _mrr(contract(step(0, "discount", coupon="FIRST50")))[0] == "240"
    removed = contract(step(0, "discount", coupon="HALF3"), step(40, "undiscount", coupon="HALF3"))
    assert _mrr(removed) == ["120", "240", "240", "240"]


def test_discounts_stack_and_amounts_are_spread_over_what_counts() -> None:
    """240 less 25 % is 180; with 98 of add-ons 278; less 10 dollars 268; the calls bear nothing."""
    stacked = contract(
        step(0, "discount", coupon="ITEM25", target="team"),
        step(0, "discount", coupon="TENOFF"),
        add_ons=(("esign", 2), ("api", 1)),
    )
    assert _mrr(stacked, months=1) == ["268"]
    yearly = contract(step(0, "discount", coupon="TENOFF"), interval="year")
    assert _mrr(yearly, months=1) == ["199.166667"]
    free = contract(step(0, "discount", coupon="ONTHEHOUSE"))
    assert _mrr(free, months=1) == ["0"]


def test_a_customers_coupon_counts_where_the_subscription_has_none_that_lasts() -> None:
    steps = (
        step(0, "discount", coupon="PARTNER30", target="customer"),
        step(35, "discount", coupon="FIRST50"),
        step(65, "discount", coupon="WELCOME20"),
    )
    assert _mrr(contract(*steps), months=6) == ["168", "168", "192", "192", "192", "168"]


def test_past_due_counts_for_thirty_days() -> None:
    """Past due on 1 February; February ends within the grace, March and April do not."""
    late = contract(step(10, "payment_fails", outcome="recovered", days=95))
    assert _mrr(late, months=5) == ["240", "240", "0", "0", "240"]


def test_a_pause_counts_unless_invoices_are_only_put_off() -> None:
    def paused(behavior: str, **terms: Any) -> Contract:
        return contract(step(10, "pause", behavior=behavior, resumes_at=None, **terms))

    assert _mrr(paused("void"), months=2) == ["0", "0"]
    assert _mrr(paused("mark_uncollectible"), months=2) == ["0", "0"]
    assert _mrr(paused("keep_as_draft"), months=2) == ["240", "240"]
    silent = step(10, "pause", behavior="void", resumes_at=datetime(2025, 2, 15), is_silent=True)
    assert _mrr(contract(silent), months=3) == ["0", "240", "240"]


def test_the_end_of_a_month_is_its_last_instant() -> None:
    last = contract(created_at=datetime(2025, 1, 31, 23, 59, 59))
    assert _mrr(last, months=1) == ["240"]
    next_month = contract(created_at=datetime(2025, 2, 1))
    assert _mrr(next_month, months=2) == ["0", "240"]
    ends_at_midnight = contract(step(5, "cancel_at_period_end"))
    assert _mrr(ends_at_midnight, months=2) == ["240", "0"]


def test_backdated_deleted_and_zero() -> None:
    entered_late = contract(created_at=datetime(2025, 3, 10), start_at=datetime(2025, 1, 20))
    assert _mrr(entered_late) == ["240", "240", "240", "240"]
    assert _mrr(contract(step(40, "delete_customer")))[:2] == ["240", "0"]
    empty = contract(step(3, "set_quantity", seats=0), plan="business")
    assert _mrr(empty, months=1) == ["0"]


def test_two_currencies_of_an_account_stay_apart() -> None:
    company, ledger = acted(
        contract(),
        contract(number=1, customer_number=1, currency="EUR"),
        until=datetime(2025, 2, 1),
    )
    rows = monthly_mrr_rows(company, ledger)
    assert [(row[3], str(row[4])) for row in rows] == [("EUR", "230.000000"), ("USD", "240.000000")]
    assert all(str(row[1]).count("|") == 1 for row in rows)


def test_a_line_is_earned_evenly_by_day() -> None:
    """16 January to 16 February: 16 of 31 days in January, 15 in February."""
    parts = list(spread(Fraction(310), date(2025, 1, 16), date(2025, 2, 16)))
    assert parts == [(date(2025, 1, 16), Fraction(160)), (date(2025, 2, 1), Fraction(150))]
    day = JANUARY.date()
    assert list(spread(Fraction(9), day, day)) == [(day, Fraction(9))]


def test_recognized_revenue_is_signed_net_of_discounts_and_of_tax() -> None:
    discounted = contract(step(0, "discount", coupon="FIRST50"), tax_percent=19)
    company, ledger = acted(discounted, until=datetime(2025, 1, 20))
    assert [str(row[3]) for row in recognized_revenue_rows(company, ledger)] == ["190.000000"]
    credited = contract(step(9, "credit_note", share=0.5), tax_percent=20)
    company, ledger = acted(credited, until=datetime(2025, 1, 20))
    assert [str(row[3]) for row in recognized_revenue_rows(company, ledger)] == ["120.000000"]
    void = contract(step(9, "end_next_invoice", outcome="void"), days_until_due=30)
    company, ledger = acted(void, until=datetime(2025, 2, 20))
    assert [str(row[0]) for row in recognized_revenue_rows(company, ledger)] == ["2025-01-01"]


def test_merged_accounts_are_one() -> None:
    company, ledger = acted(contract())
    usage = UsageTruth((), (), (), (), ())
    assert survivors(company) == {1: 1}
    systems = [row[1] for row in account_link_rows(company, ledger, usage)]
    assert systems == ["salesforce", "stripe"]


def test_batches_end_with_months_and_with_the_company() -> None:
    ends = batch_ends(date(2025, 1, 1), date(2025, 4, 10), 3)
    assert ends == [datetime(2025, 3, 1), datetime(2025, 4, 1), datetime(2025, 4, 11)]
    with pytest.raises(UsageError, match="5 batches do not fit"):
        batch_ends(date(2025, 1, 1), date(2025, 4, 10), 5)


def test_the_truth_is_written_beside_the_batches(tmp_path: Path) -> None:
    start = date(2025, 1, 1)
    generate(tmp_path, scale="tiny", start=start, end=start + timedelta(days=200), batches=2)
    written = {path.name for path in (tmp_path / "_truth").iterdir()}
    assert written >= {
        "mrr_monthly.csv",
        "recognized_revenue.csv",
        "account_links.csv",
        "won_deals.csv",
        "sessions_daily.csv",
        "sessions_by_channel.csv",
        "active_users_daily.csv",
        "planted_defects.json",
    }
    with (tmp_path / "_truth/mrr_monthly.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["month"] for row in rows} <= {f"2025-0{month}-01" for month in range(1, 7)}
    assert len(rows) > 30
