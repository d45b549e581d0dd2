"""From vendor files to marts: the figures are the simulation's own."""

import gzip
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from harness import batches, rows
from warehouses import build_new, load

_CENT = Decimal("0.005")


def _groups(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each name's group, where the two names of a pair are in one group."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        parents.setdefault(name, name)
        while parents[name] != name:
            name = parents[name]
        return name

    for one, other in pairs:
        parents[root(one)] = root(other)
    return {name: root(name) for name in parents}


def _truth(extracts: Path, name: str) -> str:
    return f"read_csv('{extracts / '_truth' / name}', all_varchar = true)"


@dataclass(frozen=True)
class _TrueMrr:
    """Month-end MRR as the simulation has it.

    Attributes:
        native: MRR by group of accounts, currency and month.
        rates: US dollars per unit by currency and month.
        groups: The group of each account of truth (`truth 1`) and mart (`mart 001…`). Truth knows
            customers and the mart accounts, so what the links join is compared as one.
    """

    native: dict[str, dict[str, dict[date, Decimal]]]
    rates: dict[tuple[str, date], Decimal]
    groups: dict[str, str]


@pytest.fixture(scope="module")
def true_mrr(tiny_extracts: Path, tiny_warehouse: Path) -> _TrueMrr:
    months = _truth(tiny_extracts, "mrr_monthly.csv")
    links = rows(
        tiny_warehouse,
        f"""
        select distinct truth.account_key, bridge.account_id
        from (
            select account_key, unnest(string_split(account_ref, '|')) as stripe_customer_id
            from {months}
        ) as truth
        left join shared.bridge_account_identities as bridge
            on bridge.foreign_id = truth.stripe_customer_id and bridge.source_system = 'stripe'
        """,
    )
    assert all(account_id for _, account_id in links), "a customer is not in the bridge"
    groups = _groups((f"truth {key}", f"mart {account_id}") for key, account_id in links)
    native: dict[str, dict[str, dict[date, Decimal]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(Decimal))
    )
    for key, currency, month, mrr in rows(
        tiny_warehouse,
        f"""
        select account_key, upper(currency), cast(month as date), cast(mrr as decimal(28, 6))
        from {months}
        """,
    ):
        assert isinstance(month, date)
        native[groups[f"truth {key}"]][str(currency)][month] += Decimal(str(mrr))
    rates = {
        (str(currency), month): Decimal(str(rate))
        for currency, month, rate in rows(
            tiny_warehouse, "select currency, rate_month, usd_per_unit from seeds.exchange_rates"
        )
        if isinstance(month, date)
    }
    return _TrueMrr(native, rates, groups)


def test_month_end_mrr_is_the_truth_to_the_cent(tiny_warehouse: Path, true_mrr: _TrueMrr) -> None:
    apart: dict[tuple[str, object], Decimal] = defaultdict(Decimal)
    for group, by_currency in true_mrr.native.items():
        for currency, by_month in by_currency.items():
            for month, mrr in by_month.items():
                apart[group, month] -= mrr * true_mrr.rates[currency, month]
    assert sum(1 for mrr in apart.values() if mrr) > 500
    for account_id, of_month, closing in rows(
        tiny_warehouse, "select account_id, mrr_month, closing_mrr_usd from finance.fct_mrr_monthly"
    ):
        name = f"mart {account_id}"
        apart[true_mrr.groups.get(name, name), of_month] += Decimal(str(closing))
    assert not {key: value for key, value in apart.items() if abs(value) >= _CENT}


def test_movements_follow_from_the_truth_to_the_cent(
    tiny_warehouse: Path, true_mrr: _TrueMrr
) -> None:
    """The rules once more, in Python, on the truth's native figures of the accounts it shares."""
    members: dict[str, list[str]] = defaultdict(list)
    for member, group in true_mrr.groups.items():
        members[group].append(member)
    shared = {group for group, of_group in members.items() if len(of_group) == 2}
    assert len(shared) > 0.9 * len(members)

    rates = true_mrr.rates
    ((last_month,),) = rows(tiny_warehouse, "select max(mrr_month) from finance.fct_mrr_monthly")
    assert isinstance(last_month, date)
    months = sorted({month for _, month in rates if month <= last_month})
    expected: dict[tuple[str, date, str], Decimal] = defaultdict(Decimal)
    for group in shared:
        by_currency = true_mrr.native[group]
        was_ever = False
        for before, month in pairwise(months):
            opening = closing = change = Decimal(0)
            for currency, mrr in by_currency.items():
                opening += mrr[before] * rates[currency, before]
                closing += mrr[month] * rates[currency, month]
                change += (mrr[month] - mrr[before]) * rates[currency, month]
            if closing and not opening:
                expected[group, month, "reactivation" if was_ever else "new"] = closing
            elif opening and not closing:
                expected[group, month, "churn"] = -opening
            elif opening:
                expected[group, month, "expansion" if change > 0 else "contraction"] = change
                expected[group, month, "fx"] = closing - opening - change
            was_ever = was_ever or closing > 0
    kinds = {kind for (_, _, kind), mrr in expected.items() if abs(mrr) >= _CENT}
    assert kinds == {"new", "reactivation", "expansion", "contraction", "churn", "fx"}

    apart = defaultdict(Decimal, {key: -mrr for key, mrr in expected.items()})
    for account_id, of_month, kind, moved in rows(
        tiny_warehouse,
        "select account_id, mrr_month, movement_type, mrr_usd from finance.fct_mrr_movements",
    ):
        assert isinstance(of_month, date)
        group = true_mrr.groups[f"mart {account_id}"]
        if group in shared:
            apart[group, of_month, str(kind)] += Decimal(str(moved))
    assert not {key: value for key, value in apart.items() if abs(value) >= _CENT}


def test_extracts_without_an_archive_give_the_same_mrr_from_the_first_on(
    tiny_extracts: Path, tiny_warehouse: Path, tmp_path: Path
) -> None:
    """Subscriptions are then extracted with their discounts expanded, as connectors do."""
    extracts = tmp_path / "extracts"
    discounts = {}
    for batch in batches(tiny_extracts):
        shutil.copytree(batch / "stripe", extracts / batch.name / "stripe")
        archive = extracts / batch.name / "stripe" / "events.jsonl.gz"
        with gzip.open(archive, "rt", errors="replace") as lines:
            for line in lines:
                if '"customer.discount.created"' in line:
                    discount = json.loads(line)["data"]["object"]
                    discounts[discount["id"]] = discount
        archive.unlink()
    for path in extracts.glob("*/stripe/subscriptions.jsonl"):
        text = path.read_text(errors="replace")
        for discount_id, discount in discounts.items():
            # Some subscriptions have the discount expanded already.
            text = re.sub(rf'(?<!"id":)"{discount_id}"', json.dumps(discount), text)
        path.write_text(text)
    warehouse = load(extracts, tmp_path / "warehouse.duckdb")
    build_new(warehouse, "+path:models/marts/finance", "+dim_dates")

    month_ends = """
        select stripe_customer_id, currency, calendar_date, sum(list_mrr), sum(mrr)
        from finance.fct_subscription_item_mrr
        inner join shared.dim_dates
            on is_month_end
            and calendar_date between date '2026-04-30' and date '2026-09-30'
            and valid_from_at < calendar_date + interval 1 day
            and (valid_to_at is null or valid_to_at >= calendar_date + interval 1 day)
        group by all
        having sum(list_mrr) != 0
        order by all
    """
    expected = rows(tiny_warehouse, month_ends)
    assert len(expected) > 200
    assert rows(warehouse, month_ends) == expected


def test_won_deals_are_the_truth(tiny_extracts: Path, tiny_warehouse: Path) -> None:
    expected = rows(
        tiny_warehouse,
        f"""
        select opportunity_id, cast(close_date as date), cast(amount as decimal(28, 2)), currency
        from {_truth(tiny_extracts, "won_deals.csv")}
        order by all
        """,
    )
    assert expected
    assert expected == rows(
        tiny_warehouse,
        """
        select opportunity_id, close_date, cast(amount as decimal(28, 2)), currency
        from sales.fct_opportunities
        where is_won
        order by all
        """,
    )


def test_links_join_what_belongs_together_and_nothing_else(
    tiny_extracts: Path, tiny_warehouse: Path
) -> None:
    accounts = rows(
        tiny_warehouse,
        f"""
        select
            bridge.account_id,
            list(distinct truth.account_key),
            count(*)
        from {_truth(tiny_extracts, "account_links.csv")} as truth
        left join shared.bridge_account_identities as bridge
            on
                bridge.source_system = truth.source_system
                and bridge.foreign_id = truth.foreign_id
        group by bridge.account_id
        """,
    )
    assert all(account_id for account_id, *_ in accounts), "an id of the truth is in no account"
    mixed = [
        (account_id, keys)
        for account_id, keys, _ in accounts
        if isinstance(keys, list) and len(keys) > 1
    ]
    assert not mixed


def test_daily_active_users_are_the_truth(tiny_extracts: Path, tiny_warehouse: Path) -> None:
    """Corrected clocks, devices linked to people and excluded bots all show in one number."""
    apart = rows(
        tiny_warehouse,
        f"""
        with

        active as (

            select occurred_date, count(distinct person_id) as dau
            from product.fct_events
            where
                event_type = 'track'
                and not (is_bot or is_internal or is_test or is_future)
            group by occurred_date

        ),

        truth as (

            select cast(day as date) as occurred_date, cast(dau as bigint) as dau
            from {_truth(tiny_extracts, "active_users_daily.csv")}
            where dau != '0'

        )

        select occurred_date, truth.dau, active.dau
        from truth
        full join active using (occurred_date)
        where truth.dau is distinct from active.dau
        """,
    )
    assert not apart
