"""Every branch of the MRR rules, worked by hand and judged through the loader and the marts."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

import mrr_partial_scenarios
import mrr_thin_scenarios
from data_tests import DataTests
from mrr_scenarios import SCENARIOS, Scenario, write_export
from warehouses import build_warehouse

MART = "finance.fct_subscription_item_mrr"
# Importing the modules adds their scenarios.
assert mrr_thin_scenarios
assert mrr_partial_scenarios


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Scenario]]:
    folder = tmp_path_factory.mktemp("mrr")
    scenarios = write_export(folder / "extracts")
    return folder, {one.name: one for one in scenarios}


@pytest.fixture(scope="module")
def warehouse(
    export: tuple[Path, dict[str, Scenario]], data_tests: DataTests
) -> duckdb.DuckDBPyConnection:
    folder, _ = export
    # `test_sources.py` builds the other marts from Stripe alone.
    select = ("+path:models/marts/finance", "+path:models/marts/shared")
    built = build_warehouse(folder / "extracts", folder / "warehouse.duckdb", select=select)
    data_tests.check(built, least=400)
    return duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True)


def last_instant(month: str) -> datetime:
    first = date.fromisoformat(f"{month}-01")
    days = monthrange(first.year, first.month)[1]
    return datetime.combine(first + timedelta(days=days), datetime.min.time()) - timedelta(
        microseconds=1
    )


@pytest.mark.parametrize("name", [name.replace("_", "") for name in SCENARIOS])
def test_month_end_mrr_is_what_the_scenario_works_out(
    name: str,
    export: tuple[Path, dict[str, Scenario]],
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    one = export[1][name]
    found = {}
    for month in one.expected:
        row = warehouse.execute(
            f"""
            select coalesce(sum(mrr), 0)
            from {MART}
            where stripe_customer_id = $customer
                and valid_from_at <= $instant
                and (valid_to_at is null or valid_to_at > $instant)
            """,
            {"customer": one.customer_id, "instant": last_instant(month)},
        ).fetchone()
        assert row is not None
        found[month] = Decimal(row[0])
    reasons = warehouse.execute(
        f"select distinct mrr_exclusion_reason from {MART} where stripe_customer_id = ?",
        [one.customer_id],
    ).fetchall()
    assert found == one.expected
    assert {reason for (reason,) in reasons} >= set(one.reasons)


def test_mrr_says_what_it_rests_on(
    export: tuple[Path, dict[str, Scenario]], warehouse: duckdb.DuckDBPyConnection
) -> None:
    scenarios = [one for one in export[1].values() if one.evidence]
    for one in scenarios:
        rows = warehouse.execute(
            """
            select strftime(mrr_month, '%Y-%m'), mrr_evidence
            from finance.fct_mrr_monthly
            where account_id = ? and closing_mrr_usd != 0
            """,
            [one.customer_id],
        ).fetchall()
        assert dict(rows) == one.evidence, one.name
    assert len(scenarios) > 5


def test_future_phases_of_schedules_are_committed(warehouse: duckdb.DuckDBPyConnection) -> None:
    months = warehouse.execute(
        """
        select strftime(mrr_month, '%Y-%m'), committed_mrr_usd, scheduled_mrr_usd
        from finance.fct_committed_mrr_monthly
        where account_id = 'cus_phasesofaschedule'
        order by mrr_month
        limit 5
        """
    ).fetchall()
    assert months == [
        ("2026-06", 50, 0),
        ("2026-07", 50, 0),
        ("2026-08", 80, 80),
        ("2026-09", 80, 80),
        ("2026-10", 0, 0),
    ]


def test_monthly_mart_agrees_with_the_intervals(warehouse: duckdb.DuckDBPyConnection) -> None:
    """In dollars, over all accounts and months: the mart is the intervals, measured."""
    differences = warehouse.execute(
        f"""
        select monthly.account_id, monthly.mrr_month, monthly.closing_mrr_usd, sum(items.mrr)
        from finance.fct_mrr_monthly as monthly
        left join {MART} as items
            on items.account_id = monthly.account_id
            and items.valid_from_at < monthly.mrr_month + interval 1 month
            and (
                items.valid_to_at is null
                or items.valid_to_at >= monthly.mrr_month + interval 1 month
            )
        where monthly.account_id not in (select account_id from {MART} where currency != 'USD')
        group by all
        having monthly.closing_mrr_usd != coalesce(sum(items.mrr), 0)
        """
    ).fetchall()
    assert differences == []


def test_a_customer_who_comes_back_is_a_reactivation(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    moves = warehouse.execute(
        """
        select strftime(mrr_month, '%m'), movement_type
        from finance.fct_mrr_monthly
        where account_id = 'cus_backonanewsubscription' and movement_type != 'none'
        order by mrr_month
        """
    ).fetchall()
    assert moves == [("01", "new"), ("02", "churn"), ("04", "reactivation")]
