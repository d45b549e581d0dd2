"""However the batches come in, the marts are the same."""

import shutil
from pathlib import Path

import pytest

from harness import build_warehouse, differences, expect, ingest, rows


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
        has_tests=False,
    )
    assert differences(tiny_warehouse, other) == {}


def test_both_stripe_versions_give_the_same_marts(tiny_warehouse: Path, tmp_path: Path) -> None:
    """Accounts with stacked or item-level coupons aside, which the older version cannot hold."""
    extracts = tmp_path / "extracts"
    done = ingest(
        "generate", "--scale", "tiny", "--out", extracts, "--stripe-version", "2022-11-15"
    )
    expect(0, done)
    older = build_warehouse(extracts, tmp_path / "older.duckdb", has_tests=False)
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


def test_the_same_arguments_build_nothing_twice(
    tiny_extracts: Path, tiny_warehouse: Path, tmp_path: Path
) -> None:
    # A copy, for others may be reading the one they share.
    warehouse = Path(shutil.copy(tiny_warehouse, tmp_path))
    before = warehouse.stat().st_mtime_ns
    done = ingest("build", "--extracts", tiny_extracts, "--warehouse", warehouse)
    assert "nothing to do" in expect(0, done)
    assert warehouse.stat().st_mtime_ns == before
