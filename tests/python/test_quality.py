"""The quality marts: what is whole reconciles, what is damaged does not, what is odd is found."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from dbt.contracts.graph.nodes import ModelNode

from data_tests import DataTests
from harness import batches, expect, ingest_here, opened, rows
from ingest.build import BuildError
from ingest.docs.report import gather
from warehouses import build_again, dbt, parsed

_JUDGED_AGAIN = (
    *("int_messages_counted", "int_raw_records_counted", "int_staged_records_counted"),
    "dq_source_reconciliation",
    *("int_records_dated", "dq_volumes_daily", "dq_volume_bands", "dq_volume_anomalies"),
)
_FIRST = "select min(rowid) from {} where livemode"
_DAMAGES = (
    f"delete from raw_stripe.charges where rowid = ({_FIRST.format('raw_stripe.charges')})",
    "insert into raw_stripe.refunds from raw_stripe.refunds limit 1",
    f"""
    update raw_stripe.invoices set id = 'in_other'
    where rowid = ({_FIRST.format("raw_stripe.invoices")})
    """,
    "create table raw_audit.disputes_then as from staging.stg_stripe__disputes",
    """
    create or replace view staging.stg_stripe__disputes as
    select * replace (amount_minor + 1 as amount_minor) from raw_audit.disputes_then
    """,
    "create table raw_audit.leads_then as from staging.stg_salesforce__leads",
    """
    create or replace view staging.stg_salesforce__leads as
    from raw_audit.leads_then limit 100
    """,
)
_PROMISES = "select promised_days from quality.dq_source_freshness"
_ODD_DAYS = """
    select volume_date, anomaly_type from quality.dq_volume_anomalies
    where series_name = 'segment.messages'
"""


def _checksum(identifier: str) -> int:
    return int.from_bytes(hashlib.md5(identifier.encode()).digest()[8:], "little")


def _ids(path: Path, rejected: set[int]) -> Iterator[str]:
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if number not in rejected:
            record = json.loads(line)
            yield from (one["id"] for one in record.get("data", [record]))


def test_checksums_of_the_audit_are_those_of_the_files(
    tiny_extracts: Path, tiny_warehouse: Path
) -> None:
    """Worked out from the files by other means than the loader's."""
    rejected: dict[tuple[str, str], set[int]] = {}
    for batch_id, name, row in rows(
        tiny_warehouse, "select batch_id, source_file, source_row from raw_audit.rejected_records"
    ):
        rejected.setdefault((str(batch_id), str(name)), set()).add(int(str(row)))
    compared = 0
    for batch in batches(tiny_extracts):
        for path in (batch / "stripe").glob("*.jsonl"):
            name = str(path.relative_to(batch))
            ids = list(_ids(path, rejected.get((batch.name, name), set())))
            landed = rows(
                tiny_warehouse,
                "select rows_landed, cast(id_checksum as varchar) from raw_audit.landed_objects"
                " where batch_id = ? and source_file = ?",
                *(batch.name, name),
            )
            assert landed == ([(len(ids), str(sum(map(_checksum, ids))))] if ids else [])
            compared += len(ids)
    assert compared > 1_000


def test_extracts_age_by_the_clock(tiny_warehouse: Path) -> None:
    """The newest extract is the as-of instant, so only the clock sees that none has followed."""
    (promised,) = {days for (days,) in rows(tiny_warehouse, _PROMISES)}
    ((newest,),) = rows(tiny_warehouse, "select max(extracted_at) from raw_audit.batches")
    assert promised == 35
    assert isinstance(newest, datetime)
    with opened(tiny_warehouse) as connection:
        for age, status, said in (
            (timedelta(days=35), "ok", "No source is late."),
            (timedelta(days=35, seconds=1), "fail", "3 sources are older than promised."),
        ):
            report = gather(connection, newest + age)
            sections = {section.title: section for section in report.sections}
            assert sections["Freshness"].status == status
            assert sections["Freshness"].summary == said
            assert {row[1] for row in sections["Sources"].table.rows} <= {status, "warn"}
            assert status in {"ok", report.status}


def test_dbt_fails_when_a_source_stops(tiny_warehouse: Path, tmp_path: Path) -> None:
    """A source that never sent anything is not late."""
    warehouse = Path(shutil.copy(tiny_warehouse, tmp_path))
    with pytest.raises(BuildError, match="dbt source failed"):
        dbt(warehouse, "source", "freshness")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "update raw_audit.batches set extracted_at = current_localtimestamp()"
            " where batch_id = (select max(batch_id) from raw_audit.batches)"
        )
        connection.execute("delete from raw_audit.files where source_system = 'segment'")
    dbt(warehouse, "source", "freshness")


def test_everything_reconciles(tiny_warehouse: Path) -> None:
    assert rows(
        tiny_warehouse,
        "select bool_and(is_loaded_whole), bool_and(is_staged_whole), sum(file_count)"
        " from quality.dq_source_reconciliation",
    ) == [(True, True, *rows(tiny_warehouse, "select sum(rows_read) from raw_audit.batches")[0])]
    explained = rows(
        tiny_warehouse,
        "select sum(duplicate_count) > 0, sum(superseded_count) > 0, sum(test_mode_count) > 0"
        " from quality.dq_source_reconciliation",
    )
    assert explained == [(True, True, True)]


def test_every_test_of_a_build_is_recorded(tiny_warehouse: Path, data_tests: DataTests) -> None:
    counted = "select count(*) from quality.dq_test_results where is_latest and test_type = ?"
    assert rows(tiny_warehouse, counted, "data") == [(len(data_tests.tests),)]
    # A warning is for gaps in an export. The sample company's extracts are whole.
    assert not rows(
        tiny_warehouse,
        "select test_name, status from quality.dq_test_results"
        " where is_latest and status != 'pass'",
    )


def test_events_that_the_taxonomy_does_not_name_are_reported(tiny_warehouse: Path) -> None:
    """The sample company sends two."""
    with opened(tiny_warehouse) as connection:
        sections = {section.title: section for section in gather(connection).sections}
    assert sections["Event names"].status == "warn"
    assert sections["Event names"].summary.startswith("The taxonomy does not name 2 events")
    assert len(sections["Event names"].table.rows) == 2


def test_columns_of_a_test_are_recorded(tiny_warehouse: Path) -> None:
    recorded = rows(
        tiny_warehouse,
        "select test_name, column_name from quality.dq_test_results"
        " where is_latest and tested_model = 'int_user_agents_described' order by all",
    )
    assert recorded == [
        ("not_null_int_user_agents_described", "user_agent, browser_name, is_bot"),
        ("unique_int_user_agents_described_user_agent", "user_agent"),
    ]


def test_data_tests_have_the_same_results_without_dbt(
    tiny_warehouse: Path, data_tests: DataTests
) -> None:
    """Other files run their data tests without dbt."""
    found = data_tests.results(tiny_warehouse)
    recorded = {
        str(name): status != "pass"
        for name, status in rows(
            tiny_warehouse,
            "select test_name, status from quality.dq_test_results"
            " where is_latest and test_type = 'data'",
        )
    }
    assert found == recorded
    assert len(found) == len(data_tests.tests)


def test_contracts_keep_nulls_out_of_marts(
    tiny_warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """DuckDB has the constraint of every column, so no data test looks for nulls there."""
    declared = {
        (node.schema, node.name, column.name)
        for node in parsed().nodes.values()
        if isinstance(node, ModelNode) and node.config.materialized != "view"
        for column in node.columns.values()
        if any(constraint.type == "not_null" for constraint in column.constraints)
    }
    constrained = "select schema_name, table_name, column_name from duckdb_columns() where {}"
    schemas = "schema_name in ('shared', 'finance', 'sales', 'product', 'quality')"
    found = rows(tiny_warehouse, constrained.format(f"not is_nullable and {schemas}"))
    assert len(found) > 500
    assert set(found) == declared

    warehouse = tmp_path / tiny_warehouse.name
    shutil.copyfile(tiny_warehouse, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update intermediate.int_account_identities set match_rule = null")
    with pytest.raises(BuildError):
        dbt(warehouse, "run", "--select", "bridge_account_identities")
    assert "NOT NULL constraint failed" in capsys.readouterr().out


def test_nulls_are_found_column_by_column(tiny_warehouse: Path, data_tests: DataTests) -> None:
    """One scan finds what a test per column would."""
    (test,) = (one for one in data_tests.tests if one.name == "not_null_int_user_agents_described")
    query = test.query.partition("from (")[2].rpartition(")")[0]
    table = "int_user_agents_described"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{tiny_warehouse}' as built (read_only)")
        connection.execute("attach ':memory:' as warehouse")
        connection.execute("create schema warehouse.intermediate")
        copied = f"warehouse.intermediate.{table}"
        connection.execute(f"create table {copied} as from built.intermediate.{table}")
        assert connection.execute(query).fetchall() == []
        connection.execute(f"insert into {copied} (user_agent, is_bot) values ('A', null)")
        connection.execute(f"insert into {copied} (user_agent) values ('B'), (null)")
        found = connection.execute(query).fetchall()
    assert sorted(found) == [("browser_name", 3), ("is_bot", 3), ("user_agent", 1)]


@pytest.fixture(scope="module")
def damaged(tiny_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which raw and staging were tampered with, and two days of messages are odd."""
    # Views name the file that they were made in.
    warehouse = tmp_path_factory.mktemp("damaged") / tiny_warehouse.name
    shutil.copyfile(tiny_warehouse, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        for statement in _DAMAGES:
            connection.execute(statement)
        ((busy,), (quiet,)) = connection.execute(
            """
            select volume_date from quality.dq_volume_bands
            where
                series_name = 'segment.messages'
                and lower_volume > 0 and volume between lower_volume and upper_volume
            order by lower_volume desc limit 2
            """
        ).fetchall()
        connection.execute(
            """
            insert into staging.stg_segment__messages
            select messages.* replace (concat('planted ', n, message_id) as message_id)
            from staging.stg_segment__messages as messages, range(10) as planted (n)
            where cast(received_at as date) = $1
            """,
            [busy],
        )
        connection.execute(
            "delete from staging.stg_segment__messages where cast(received_at as date) = $1",
            [quiet],
        )
        connection.execute(
            "create table raw_audit.planted as"
            " select $1 as volume_date, 'spike' as anomaly_type union all select $2, 'gap'",
            [busy, quiet],
        )
    # Incremental, so it does not show a raw row that changed within its load.
    build_again(warehouse, "stg_stripe__invoices", full_refresh=True)
    with pytest.raises(BuildError):
        dbt(warehouse, "build", "--select", *_JUDGED_AGAIN, has_artifacts=True)
    results = json.loads((warehouse.parent / "target" / "run_results.json").read_text())["results"]
    failed = {one["unique_id"].split(".")[2] for one in results if one["status"] == "fail"}
    assert failed >= {
        "every_record_of_every_file_is_in_raw_or_rejected",
        "every_raw_row_is_in_staging_or_explained",
    }
    return warehouse


def test_data_tests_find_damage_without_dbt(damaged: Path, data_tests: DataTests) -> None:
    with pytest.raises(AssertionError, match="every_record_of_every_file_is_in_raw_or_rejected"):
        data_tests.check(damaged)


def test_every_kind_of_damage_is_seen_where_it_is(damaged: Path) -> None:
    found = rows(
        damaged,
        """
        select object_name, bool_and(is_loaded_whole), bool_and(is_staged_whole)
        from quality.dq_source_reconciliation
        group by all
        having not bool_and(is_loaded_whole and is_staged_whole)
        order by all
        """,
    )
    assert found == [
        ("Lead", True, False),
        ("charges", False, True),
        ("disputes", True, False),
        ("invoices", False, True),
        ("messages", True, False),
        ("refunds", False, True),
    ]


def test_planted_spikes_and_gaps_are_found_and_quiet_days_are_not(
    tiny_warehouse: Path, damaged: Path
) -> None:
    planted = set(rows(damaged, "from raw_audit.planted"))
    before, now = set(rows(tiny_warehouse, _ODD_DAYS)), set(rows(damaged, _ODD_DAYS))
    assert len(planted) == 2
    assert planted <= now - before
    # The week of a planted day is what the days after it are measured by, so one may tip over.
    assert len(now - before - planted) <= 2
    ((judged, odd),) = rows(
        tiny_warehouse,
        """
        select
            count(*) filter (where is_judged),
            (select count(*) from quality.dq_volume_anomalies where metric <> 'mrr')
        from quality.dq_volume_bands
        where metric <> 'mrr'
        """,
    )
    assert int(str(odd)) < 0.04 * int(str(judged))


def test_the_report_says_what_the_marts_say(
    tiny_warehouse: Path, damaged: Path, tmp_path: Path
) -> None:
    well = tmp_path / "well"
    ((newest,),) = rows(tiny_warehouse, "select max(extracted_at) from raw_audit.batches")
    assert isinstance(newest, datetime)
    with patch("ingest.docs.report.gather", partial(gather, now=newest)):
        expect(0, ingest_here("report", "--warehouse", tiny_warehouse, "--out", well, "--strict"))
    page = (well / "report.html").read_text()
    anchors = {part.split('"')[0] for part in page.split('href="#')[1:]}
    assert len(anchors) == 11
    assert all(f'id="{anchor}"' in page for anchor in anchors)
    assert "<script" not in page
    assert "Every record of every file is in staging or accounted for" in page
    # Reasons are shown, records are not: they may be of people.
    assert "not JSON" in page
    assert "@" not in page.split("</style>")[1]

    ill = tmp_path / "ill"
    expect(0, ingest_here("report", "--warehouse", damaged, "--out", ill))
    expect(1, ingest_here("report", "--warehouse", damaged, "--out", ill, "--strict"))
    text = (ill / "report.md").read_text()
    assert text.startswith("# Data quality: fail")
    assert "| stripe | fail |" in text
    assert "| segment | fail |" in text
    assert "pairs of batch and object, records were lost or changed on the way." in text


def test_a_report_of_nothing_says_so(tmp_path: Path) -> None:
    missing = ingest_here("report", "--warehouse", tmp_path / "none.duckdb", "--out", tmp_path)
    assert "there is no warehouse" in expect(1, missing)
    duckdb.connect(str(tmp_path / "bare.duckdb")).close()
    bare = ingest_here("report", "--warehouse", tmp_path / "bare.duckdb", "--out", tmp_path)
    assert "not built" in expect(1, bare)
