"""From vendor files to marts: the figures are the simulation's own, however the files come in."""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

from harness import batches, build_warehouse, differences, expect, ingest, marts, rows

_ALL_TESTS = ("test", "unit_test")
_SOURCE_OF_SCHEMA = {"finance": "stripe", "sales": "salesforce", "product": "segment"}


def _sources_only(extracts: Path, sources: Iterable[str], into: Path) -> Path:
    """The full history with some of its sources, and so without its manifest."""
    batch = batches(extracts)[0]
    for source in sources:
        shutil.copytree(batch / source, into / batch.name / source)
    return into


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


# Figures


def test_month_end_mrr_is_the_truth_to_the_cent(tiny_extracts: Path, tiny_warehouse: Path) -> None:
    """Truth knows customers and the mart accounts, so both are summed over what the links join."""
    truth = f"""
        select
            account_key,
            unnest(string_split(account_ref, '|')) as stripe_customer_id,
            cast(month as date) as mrr_month,
            currency,
            cast(mrr as decimal(28, 6)) as mrr
        from {_truth(tiny_extracts, "mrr_monthly.csv")}
    """
    links = rows(
        tiny_warehouse,
        f"""
        select distinct truth.account_key, bridge.account_id
        from ({truth}) as truth
        left join shared.bridge_account_identities as bridge
            on bridge.foreign_id = truth.stripe_customer_id and bridge.source_system = 'stripe'
        """,
    )
    assert all(account_id for _, account_id in links), "a customer is not in the bridge"
    groups = _groups((f"truth {key}", f"mart {account_id}") for key, account_id in links)

    apart: dict[tuple[str, object], Decimal] = defaultdict(Decimal)
    expected = rows(
        tiny_warehouse,
        f"""
        select truth.account_key, truth.mrr_month, truth.mrr * rates.usd_per_unit
        from (select distinct * exclude (stripe_customer_id) from ({truth})) as truth
        left join seeds.exchange_rates as rates
            on rates.rate_month = truth.mrr_month and rates.currency = upper(truth.currency)
        """,
    )
    assert sum(1 for *_, mrr in expected if mrr) > 500
    for account_key, month, mrr in expected:
        apart[groups[f"truth {account_key}"], month] -= Decimal(str(mrr))
    for account_id, month, mrr in rows(
        tiny_warehouse, "select account_id, mrr_month, closing_mrr_usd from finance.fct_mrr_monthly"
    ):
        name = f"mart {account_id}"
        apart[groups.get(name, name), month] += Decimal(str(mrr))
    wrong = {key: value for key, value in apart.items() if abs(value) >= Decimal("0.005")}
    assert not wrong


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
    """Clocks mended, devices tied to people, bots left out: all of it shows in one number."""
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


# However the batches come in


@pytest.mark.parametrize(
    ("one_by_one", "repeat"),
    [
        pytest.param(False, False, id="all_at_once"),
        pytest.param(True, True, id="each_batch_repeated"),
    ],
)
def test_the_way_batches_land_changes_no_mart(
    tiny_extracts: Path, tiny_warehouse: Path, tmp_path: Path, *, one_by_one: bool, repeat: bool
) -> None:
    other = build_warehouse(
        tiny_extracts,
        tmp_path / "other.duckdb",
        one_by_one=one_by_one,
        repeat=repeat,
        without=_ALL_TESTS,
    )
    assert differences(tiny_warehouse, other) == {}


def test_both_stripe_versions_give_the_same_marts(tiny_warehouse: Path, tmp_path: Path) -> None:
    """Accounts with stacked or item-level coupons aside, which the older version cannot hold."""
    extracts = tmp_path / "extracts"
    done = ingest(
        "generate", "--scale", "tiny", "--out", extracts, "--stripe-version", "2022-11-15"
    )
    expect(0, done)
    older = build_warehouse(extracts, tmp_path / "older.duckdb", without=_ALL_TESTS)
    beyond = {
        str(account_id)
        for (account_id,) in rows(
            tiny_warehouse,
            """
            select distinct bridge.account_id
            from (
                select customer, discounts, items from raw_stripe.subscriptions
                union all
                select
                    json_extract_string(data, '$.object.customer'),
                    json_extract(data, '$.object.discounts'),
                    json_extract(data, '$.object.items')
                from raw_stripe.events
                where type like 'customer.subscription.%'
            ) as subscriptions
            inner join shared.bridge_account_identities as bridge
                on bridge.foreign_id = subscriptions.customer
            where
                json_array_length(discounts) > 1
                or len(list_filter(
                    cast(json_extract(items, '$.data[*].discounts') as json[]),
                    lambda item: json_array_length(item) > 0
                )) > 0
            """,
        )
    }
    ((accounts,),) = rows(tiny_warehouse, "select count(*) from shared.dim_accounts")
    assert isinstance(accounts, int)
    assert len(beyond) < accounts / 4
    assert differences(tiny_warehouse, older, but_accounts=beyond) == {}


def test_the_same_arguments_build_nothing_twice(tiny_extracts: Path, tiny_warehouse: Path) -> None:
    before = tiny_warehouse.stat().st_mtime_ns
    done = ingest("build", "--extracts", tiny_extracts, "--warehouse", tiny_warehouse)
    assert "nothing to do" in expect(0, done)
    assert tiny_warehouse.stat().st_mtime_ns == before


# Whatever is there


@pytest.mark.parametrize("source", ["salesforce", "stripe", "segment"])
def test_one_source_alone_leaves_the_others_marts_empty(
    tiny_extracts: Path, tmp_path: Path, source: str
) -> None:
    extracts = _sources_only(tiny_extracts, [source], tmp_path / "extracts")
    warehouse = build_warehouse(extracts, tmp_path / "warehouse.duckdb")
    filled = {
        mart.split(".")[0]
        for mart in marts(warehouse)
        if rows(warehouse, f"select * from {mart} limit 1")
    }
    assert filled - {"shared"} == {
        schema for schema, of_source in _SOURCE_OF_SCHEMA.items() if of_source == source
    }


def test_nothing_at_all_builds_empty_marts(tmp_path: Path) -> None:
    """Run from elsewhere, whose relative paths are the caller's own."""
    (tmp_path / "my exports").mkdir()
    done = ingest(
        *("build", "--extracts", "my exports", "--warehouse", "out/mine.duckdb"),
        cwd=tmp_path,
        settings={
            "DBT_TARGET_PATH": str(tmp_path / "target"),
            "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
        },
    )
    expect(0, done)
    warehouse = tmp_path / "out" / "mine.duckdb"
    assert "finance.fct_mrr_monthly" in marts(warehouse)
    assert rows(warehouse, "select * from finance.fct_mrr_monthly") == []


def test_the_vendors_own_samples_build(vendor: Path, tmp_path: Path) -> None:
    """Stripe's fixtures of six API versions as six batches; Salesforce and Segment in the last."""
    extracts = tmp_path / "my exports"
    for fixture in sorted((vendor / "stripe_spec/fixtures").glob("*.json")):
        version = fixture.stem.removeprefix("fixtures3_")
        folder = extracts / version / "stripe"
        folder.mkdir(parents=True)
        objects = json.loads(fixture.read_text())["resources"].values()
        (folder / "objects.jsonl").write_text("".join(json.dumps(one) + "\n" for one in objects))
    shutil.copytree(vendor / "samples/salesforce_sfdmu_workshop", folder.parent / "salesforce")
    (folder.parent / "segment").mkdir()
    shutil.copy(vendor / "samples/segment_docs_payloads.jsonl", folder.parent / "segment")
    warehouse = build_warehouse(extracts, tmp_path / "vendor samples.duckdb")
    ((opportunities, batches_landed),) = rows(
        warehouse,
        """
        select
            (select count(*) from sales.fct_opportunities),
            (select count(*) from raw_audit.batches)
        """,
    )
    assert (opportunities, batches_landed) == (50, 6)
