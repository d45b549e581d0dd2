"""The data quality report: the quality marts as one page, in HTML and in Markdown."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from ingest.docs.navigation import Entry
from ingest.docs.report_page import Cell, Report, Section, Spark, Table, html, markdown
from ingest.load import WarehouseError, warehouse

# Worst last.
_STATUSES = ("ok", "warn", "fail")
_RECENT_DAYS = 30
# How far back the small lines go.
_SHOWN_DAYS = 90
_SHOWN_BATCHES = 30
_SHOWN_RUNS = 30
_LONGEST_LIST = 50
_LONGEST_TEXT = 160


def report(
    warehouse_path: Path, out: Path, *, strict: bool = False, navigation: Sequence[Entry] = ()
) -> int:
    """Writes `report.html` and `report.md` and returns the exit code.

    Args:
        warehouse_path: The DuckDB file; it is only read.
        out: The folder to write to; created when absent.
        strict: Return 1 if the report's status is `fail`.
        navigation: Of the site in whose folder the report is; none when it is on its own.

    Raises:
        WarehouseError: There is no warehouse, or its quality marts are not built.
    """
    warehouse.require(warehouse_path)
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        page = gather(connection)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (("report.html", html(page, navigation)), ("report.md", markdown(page))):
        (out / name).write_text(text, encoding="utf-8")
    print(f"{out / 'report.html'}: {page.status}, as of {page.as_of}")
    return 1 if strict and page.status == "fail" else 0


def gather(connection: duckdb.DuckDBPyConnection, now: datetime | None = None) -> Report:
    """Reads the quality marts.

    Args:
        connection: To the warehouse.
        now: The time in UTC at which the age of extracts is measured; by default the clock's.

    Raises:
        WarehouseError: They are not built.
    """
    try:
        day = as_of(connection)
        freshness = by_the_clock(now or datetime.now(UTC))
        sections = (
            _batches(connection),
            _freshness(connection, freshness),
            _reconciliation(connection),
            _evidence(connection),
            _rejected(connection),
            _schema_changes(connection),
            _volumes(connection),
            _anomalies(connection),
            _event_names(connection),
            _tests(connection),
        )
        sources = _sources(connection, freshness)
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise WarehouseError("the quality marts are not built; `make build` builds them") from error
    status = _worst([section.status for section in (sources, *sections)])
    return Report(day, status, (sources, *sections))


def as_of(connection: duckdb.DuckDBPyConnection) -> str:
    """The warehouse's as-of date; `never` before the first batch."""
    days = connection.execute("select as_of_date from intermediate.int_as_of").fetchall()
    return _text(days[0][0]) if days else "never"


def by_the_clock(now: datetime) -> str:
    """The freshness of the sources with the age of their extracts at a time, as a subquery.

    The mart measures at its newest extract, whose own age it cannot see.

    Args:
        now: The time, in UTC.
    """
    age = f"date_diff('second', newest_extract_at, timestamp '{now:%Y-%m-%d %H:%M:%S}') / 86400"
    return f"""(
        select
            * replace (
                {age} as extract_age_days,
                case
                    when freshness_status = 'fresh' and {age} > promised_days then 'late'
                    else freshness_status
                end as freshness_status
            )
        from quality.dq_source_freshness
    )"""


def _sources(connection: duckdb.DuckDBPyConnection, freshness: str) -> Section:
    """One row per source: the worst of its freshness, reconciliation and recent volumes."""
    table = _table(
        connection,
        f"""
        with
        differences as (
            select
                source_system,
                count(*) filter (where not is_loaded_whole or not is_staged_whole) as differences,
                sum(file_count) as records, sum(rejected_count) as rejected
            from quality.dq_source_reconciliation
            group by all
        ),
        anomalies as (
            select split_part(series_name, '.', 1) as source_system, count(*) as anomalies
            from quality.dq_volume_anomalies
            where metric = 'rows' and volume_date > {_since()}
            group by all
        ),
        landed as (
            select
                list(salesforce_count order by batch_id) as salesforce,
                list(stripe_count order by batch_id) as stripe,
                list(segment_count order by batch_id) as segment
            from ({_recent_batches()})
        )
        select
            source_system as "source",
            case
                when coalesce(differences, 0) > 0 or freshness_status = 'late' then 'fail'
                when coalesce(anomalies, 0) > 0 then 'warn'
                else 'ok'
            end as "status",
            freshness_status as "freshness",
            coalesce(records, 0) as "records read",
            coalesce(rejected, 0) as "rejected",
            coalesce(differences, 0) as "unexplained differences",
            coalesce(anomalies, 0) as "unusual days in the last {_RECENT_DAYS}",
            case source_system
                when 'salesforce' then salesforce when 'stripe' then stripe else segment
            end as "landed since the first batch"
        from {freshness}
        left join differences using (source_system)
        left join anomalies using (source_system)
        cross join landed
        order by 1
        """,
    )
    statuses = [str(row[1]) for row in table.rows]
    bad = sum(status != "ok" for status in statuses)
    summary = (
        f"{bad} of {len(statuses)} sources need attention." if bad else "No source has problems."
    )
    return Section("Sources", _worst(statuses), summary, table)


def _batches(connection: duckdb.DuckDBPyConnection) -> Section:
    table = _table(
        connection,
        """
        select
            batch_id as "batch", batch_date as "as of", file_count as "files",
            read_count as "records read", landed_count as "landed", rejected_count as "rejected",
            salesforce_count as "Salesforce", stripe_count as "Stripe", segment_count as "Segment",
            schema_change_count as "schema changes"
        from quality.dq_batches
        order by batch_id desc
        """,
    )
    many = _count(connection, "quality.dq_batches where rejected_count > 0.01 * read_count")
    summary = f"{table.total:,} batches have landed."
    if many:
        summary += f" In {many:,} of them, more than 1% of the records were rejected."
    trends = _trends(
        connection,
        f"""
        select
            list(read_count order by batch_id) as "Records read, since the first batch",
            list(rejected_count order by batch_id) as "Rejected",
            list(schema_change_count order by batch_id) as "Schema changes"
        from ({_recent_batches()})
        """,
    )
    return Section("Batches", "warn" if many else "ok", summary, table, trends)


def _freshness(connection: duckdb.DuckDBPyConnection, freshness: str) -> Section:
    table = _table(
        connection,
        f"""
        select
            source_system as "source", freshness_status as "status",
            newest_batch_id as "newest batch", round(extract_age_days, 1) as "its age in days",
            newest_record_date as "newest record", record_age_days as "its age as of the batch",
            promised_days as "promised"
        from {freshness}
        order by 1
        """,
    )
    late = _count(connection, f"{freshness} where freshness_status = 'late'")
    absent = _count(connection, f"{freshness} where freshness_status = 'absent'")
    summary = f"{late} sources are older than promised." if late else "No source is late."
    if absent:
        summary += f" {absent} have sent nothing yet."
    return Section("Freshness", "fail" if late else "ok", summary, table)


def _reconciliation(connection: duckdb.DuckDBPyConnection) -> Section:
    """One row per object, or, if any do not add up, one per batch and object that does not."""
    bad = "quality.dq_source_reconciliation where not is_loaded_whole or not is_staged_whole"
    differences = _count(connection, bad)
    explained = ("duplicate", "superseded", "deleted", "test_mode", "elsewhere")
    counts = ", ".join(
        f'sum({name}_count) as "{name.replace("_", " ")}"'
        for name in ("file", "rejected", "erased", "raw", *explained, "staging")
    )
    table = _table(
        connection,
        f"""
        select
            {'batch_id as "batch",' if differences else ""}
            source_system || '.' || object_name as "object", {counts},
            sum(abs(unexplained_load_count) + abs(unexplained_staging_count)) as "unexplained",
            sum(unexplained_amount) as "unexplained amount",
            count(*) filter (
                where file_checksum <> raw_checksum or expected_checksum <> staging_checksum
            ) as "checksums that differ"
        from {bad if differences else "quality.dq_source_reconciliation"}
        group by all
        order by 1, 2
        """,
    )
    summary = (
        f"In {differences:,} pairs of batch and object, records were lost or changed on the way."
        if differences
        else "Every record of every file is in staging or accounted for."
    )
    return Section("Reconciliation", "fail" if differences else "ok", summary, table)


def _evidence(connection: duckdb.DuckDBPyConnection) -> Section:
    """What MRR rests on, in all months and in the latest one."""
    months = "finance.fct_mrr_monthly"
    has_months = _count(
        connection,
        "information_schema.tables"
        " where table_schema = 'finance' and table_name = 'fct_mrr_monthly'",
    )
    if not has_months:
        return Section("Evidence of MRR", "ok", f"{months} is not built.", Table((), (), 0))
    table = _table(
        connection,
        f"""
        select
            mrr_evidence as "evidence", count(*) as "accounts' months",
            round(100 * sum(closing_mrr_usd) / sum(sum(closing_mrr_usd)) over (), 1)
                as "% of the MRR of all months",
            round(
                100 * coalesce(sum(closing_mrr_usd) filter (where mrr_month = latest_month), 0)
                / sum(sum(closing_mrr_usd) filter (where mrr_month = latest_month)) over (), 1
            ) as "% of the latest month"
        from {months}
        cross join (select max(mrr_month) as latest_month from {months})
        where closing_mrr_usd != 0
        group by all
        order by "accounts' months" desc, 1
        """,
    )
    assumed = _count(connection, f"{months} where mrr_evidence = 'projected'")
    summary = (
        f"In {assumed:,} months of accounts, MRR rests on a later state that is assumed to have"
        " held before."
        if assumed
        else "No month's MRR is assumed."
    )
    return Section("Evidence of MRR", "ok", summary, table)


def _rejected(connection: duckdb.DuckDBPyConnection) -> Section:
    """Reasons and places only: the records themselves may hold personal data."""
    table = _table(
        connection,
        """
        select
            coalesce(source_system, '') as "source",
            coalesce(nullif(field_name, ''), 'whole record') as "field",
            reason, count(*) as "records",
            max(batch_id) as "last in batch", max_by(source_file, batch_id) as "for instance in",
            cast(max_by(source_row, batch_id) as varchar) as "row"
        from quality.dq_rejected_records
        group by all
        order by "records" desc, 1, 2, 3
        """,
    )
    rejected = _count(connection, "quality.dq_rejected_records")
    summary = f"{rejected:,} records were rejected; quality.dq_rejected_records lists them."
    return Section("Rejected records", "ok", summary, table)


def _schema_changes(connection: duckdb.DuckDBPyConnection) -> Section:
    table = _table(
        connection,
        """
        select
            batch_id as "batch", source_system as "source", object_name as "object",
            field_name as "field", change_type as "change", old_type as "was", new_type as "is"
        from quality.dq_schema_changes
        order by batch_id desc, 2, 3, 4
        """,
    )
    summary = f"Fields appeared, disappeared or changed type {table.total:,} times."
    return Section("Schema changes", "ok", summary, table)


def _volumes(connection: duckdb.DuckDBPyConnection) -> Section:
    """One row per series, with its recent days; those with unusual days first."""
    table = _table(
        connection,
        f"""
        select
            bands.metric, bands.series_name as "series",
            list(
                {{value: bands.volume, is_marked: anomalies.volume_date is not null}}
                order by bands.volume_date
            ) as "last {_SHOWN_DAYS} days",
            max_by(bands.volume, bands.volume_date) as "last day",
            round(max_by(bands.expected_volume, bands.volume_date)) as "expected",
            count(anomalies.volume_date) as "unusual days"
        from quality.dq_volume_bands as bands
        left join quality.dq_volume_anomalies as anomalies
            on
                bands.metric = anomalies.metric
                and bands.series_name = anomalies.series_name
                and bands.volume_date = anomalies.volume_date
        where bands.volume_date > {_since(_SHOWN_DAYS)}
        group by all
        order by "unusual days" desc, 1, 2
        """,
    )
    summary = f"Each of {table.total:,} series by day; a dot is a day outside the expected range."
    return Section("Volumes", "ok", summary, table)


def _anomalies(connection: duckdb.DuckDBPyConnection) -> Section:
    table = _table(
        connection,
        """
        select
            volume_date as "day", metric, series_name as "series", anomaly_type as "what",
            volume, round(expected_volume) as "expected", round(lower_volume) as "from",
            round(upper_volume) as "to"
        from quality.dq_volume_anomalies
        order by volume_date desc, 2, 3
        """,
    )
    recent = _count(connection, f"quality.dq_volume_anomalies where volume_date > {_since()}")
    judged = _count(connection, "quality.dq_volume_bands where is_judged")
    summary = (
        f"{table.total:,} of {judged:,} daily volumes are outside the range expected from the same"
        f" weekday of earlier weeks; {recent:,} of them in the last {_RECENT_DAYS} days."
    )
    return Section("Volume anomalies", "warn" if recent else "ok", summary, table)


def _event_names(connection: duckdb.DuckDBPyConnection) -> Section:
    """Track events that the taxonomy does not name, which remain facts under their own names."""
    table = _table(
        connection,
        """
        select
            raw_event_name as "event", count(*) as "events",
            min(occurred_at) as "first", max(occurred_at) as "last"
        from product.fct_events
        where event_type = 'track' and not is_known_event
        group by all
        order by "events" desc, 1
        """,
    )
    if not table.total:
        return Section("Event names", "ok", "The taxonomy names every track event.", table)
    summary = (
        f"The taxonomy does not name {table.total:,} events; seeds/event_taxonomy.csv can describe"
        " them."
    )
    return Section("Event names", "warn", summary, table)


def _tests(connection: duckdb.DuckDBPyConnection) -> Section:
    """Tests that did not pass in their last run."""
    table = _table(
        connection,
        f"""
        with
        counts as (
            select
                test_id,
                list(coalesce(failure_count, 0) order by invoked_at)[-{_SHOWN_RUNS}:] as counts
            from quality.dq_test_results
            group by test_id
        )
        select
            test_name as "test", tested_model as "of", column_name as "columns", status,
            failure_count as "rows", counts as "rows by run",
            failing_since_at as "failing since", last_passed_at as "last passed",
            consecutive_failure_count as "runs in a row", failures_relation as "see"
        from quality.dq_test_results
        inner join counts using (test_id)
        where is_latest and not is_passed
        order by status = 'warn', 1
        """,
    )
    runs = "quality.dq_test_results where is_latest"
    failing = _count(connection, f"{runs} and not is_passed and status <> 'warn'")
    total = _count(connection, runs)
    warned = table.total - failing
    summary = f"In their last run, {failing:,} of {total:,} tests failed and {warned:,} warned."
    status = "fail" if failing else "warn" if warned else "ok"
    trends = _trends(
        connection,
        f"""
        select
            list(tests order by invoked_at) as "Tests run",
            list(failed order by invoked_at) as "Failed",
            list(warned order by invoked_at) as "Warned"
        from (
            select
                invoked_at, count(*) as tests, count_if(status = 'warn') as warned,
                count_if(not is_passed and status <> 'warn') as failed
            from quality.dq_test_results
            group by invocation_id, invoked_at
            order by invoked_at desc
            limit {_SHOWN_RUNS}
        )
        """,
    )
    return Section("Tests", status, summary, table, trends)


def _since(days: int = _RECENT_DAYS) -> str:
    return f"(select as_of_date - {days} from intermediate.int_as_of)"


def _recent_batches() -> str:
    """The batches of the small lines; the first, a full history, would flatten all others."""
    return (
        "select * from quality.dq_batches"
        " where batch_id > (select min(batch_id) from quality.dq_batches)"
        f" order by batch_id desc limit {_SHOWN_BATCHES}"
    )


def _worst(statuses: Sequence[str]) -> str:
    return max(statuses, key=_STATUSES.index, default="ok")


def _count(connection: duckdb.DuckDBPyConnection, of: str) -> int:
    row = connection.execute(f"select count(*) from {of}").fetchone()
    return int(row[0]) if row else 0


def _table(connection: duckdb.DuckDBPyConnection, query: str) -> Table:
    found = connection.execute(query)
    columns = tuple(column[0].strip() for column in found.description or ())
    rows = [tuple(_cell(value) for value in row) for row in found.fetchall()]
    return Table(columns, tuple(rows[:_LONGEST_LIST]), len(rows))


def _trends(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[tuple[str, Spark], ...]:
    """The series in the columns of a query of one row; a series of one value is no trend."""
    found = connection.execute(query)
    labels = [column[0] for column in found.description or ()]
    (values,) = found.fetchall()
    pairs = [(label, _spark(one or [])) for label, one in zip(labels, values, strict=True)]
    return tuple((label, spark) for label, spark in pairs if len(spark.values) > 1)


def _cell(value: object) -> Cell:
    return _spark(value) if isinstance(value, list) else _text(value)


def _spark(values: Sequence[Any]) -> Spark:
    """A series of numbers, or of numbers with whether they are marked; null counts as 0."""
    pairs = [
        (one["value"], one["is_marked"]) if isinstance(one, dict) else (one, False)
        for one in values
    ]
    return Spark(
        tuple(float(value or 0) for value, _ in pairs),
        tuple(place for place, (_, is_marked) in enumerate(pairs) if is_marked),
    )


def _text(value: object) -> str:
    """A value as text; a long one is shortened."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
