"""The marts are the same however the batches land."""

import shutil
from pathlib import Path

import pytest

import replay
from harness import batches, differences, expect, ingest, rows
from ingest.build import known
from warehouses import NO_TESTS, build_warehouse, dbt, load, seed_parsed

_COLUMNS = """
    select table_schema, table_name, table_type, column_name, data_type, is_nullable
    from information_schema.columns
    inner join information_schema.tables using (table_schema, table_name)
    where table_schema <> 'test_failures'
    order by all
"""
_SNAPSHOTS = """
    select concat('snapshots.', table_name)
    from information_schema.tables
    where table_schema = 'snapshots'
    order by all
"""


def test_the_way_batches_land_changes_no_mart(
    tiny_extracts: Path, tiny_warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the batches land at once, half one by one; the first and the last land twice.

    What dbt executed for the one warehouse is replayed for the other, as in other tests, but on two
    threads.
    """
    monkeypatch.setattr(replay, "THREADS", 2)
    extracts = tmp_path / "extracts"
    names = [batch.name for batch in batches(tiny_extracts)]
    assert len(names) == 6

    def export(*chosen: str, again: str) -> None:
        for name in chosen:
            (extracts / name).symlink_to(tiny_extracts / name)
        without_manifest = shutil.ignore_patterns("_batch.json")
        shutil.copytree(tiny_extracts / again, extracts / f"{again}-again", ignore=without_manifest)

    extracts.mkdir()
    export(*names[:3], again=names[0])
    other = load(extracts, tmp_path / "warehouse.duckdb")
    export(*names[3:], again=names[5])
    build_warehouse(extracts, other)
    assert rows(other, "select count(*) from raw_audit.batches") == [(8,)]
    assert differences(tiny_warehouse, other) == {}
    assert rows(other, _COLUMNS) == rows(tiny_warehouse, _COLUMNS)
    snapshots = rows(tiny_warehouse, _SNAPSHOTS)
    assert len(snapshots) == 6
    for (name,) in snapshots:
        versions = f"select count(*), count(distinct dbt_scd_id), count(dbt_valid_to) from {name}"
        assert rows(other, versions) == rows(tiny_warehouse, versions) > [(0, 0, 0)]


def test_history_of_an_earlier_batch_reads_the_rows_up_to_it(
    tiny_extracts: Path, tiny_warehouse: Path, tmp_path: Path
) -> None:
    """By dbt itself; where several batches landed at once, tests replay its statements."""
    warehouse = Path(shutil.copy(tiny_warehouse, tmp_path))
    first, second, *_ = (batch.name for batch in batches(tiny_extracts))
    known.show(warehouse, second)
    chosen = ("--select", "stg_salesforce__opportunities")
    dbt(warehouse, "run", *chosen, excluded=NO_TESTS, raw_schemas=known.SCHEMAS)
    read = "select distinct _batch_id from staging.stg_salesforce__opportunities order by 1"
    assert rows(tiny_warehouse, read) > [(first,), (second,)]
    assert rows(warehouse, read) == [(first,), (second,)]


def test_both_stripe_versions_give_the_same_marts(
    tiny_warehouse: Path, older_extracts: Path, tmp_path: Path
) -> None:
    """Accounts with stacked or item-level coupons aside, which the older version cannot hold."""
    older = build_warehouse(older_extracts, tmp_path / "warehouse.duckdb")
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
    seed_parsed(tmp_path / "target", warehouse)
    settings = {"DBT_TARGET_PATH": str(tmp_path / "target")}
    command = ("build", "--extracts", tiny_extracts, "--warehouse", warehouse)
    # The shared one has no published copy.
    (published, _) = expect(0, ingest(*command, settings=settings)).splitlines()
    assert published.startswith("publish ")
    before = warehouse.stat().st_mtime_ns
    assert "nothing to do" in expect(0, ingest(*command, settings=settings))
    assert warehouse.stat().st_mtime_ns == before


def test_a_run_by_hand_with_other_variables_rebuilds_and_is_recorded(
    tiny_warehouse: Path, tmp_path: Path
) -> None:
    """Sessions of five idle minutes in place of thirty, in an incremental model."""
    warehouse = Path(shutil.copy(tiny_warehouse, tmp_path))
    steps = "select step, key from raw_audit.build_steps where step in ('build', 'variables')"
    ((_, fingerprint), (step, given)) = sorted(rows(warehouse, steps))
    assert fingerprint
    assert (step, given) == ("variables", "")
    count = "select count(*) from product.fct_sessions"
    ((before,),) = rows(warehouse, count)
    chosen = ("run", "--select", "fct_sessions")
    dbt(warehouse, *chosen, excluded=NO_TESTS, variables="{session_idle_minutes: 5}")
    ((after,),) = rows(warehouse, count)
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after > before
    recorded = [("variables", ""), ("variables", "session_idle_minutes: 5")]
    assert sorted(rows(warehouse, steps)) == recorded
    dbt(warehouse, *chosen, excluded=NO_TESTS)
    assert rows(warehouse, count) == [(before,)]
