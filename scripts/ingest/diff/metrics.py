"""The key figures that a change is judged by, and reading them from a warehouse."""

from dataclasses import dataclass

import duckdb

from ingest.load.values import quoted


@dataclass(frozen=True, slots=True)
class Metric:
    """A key figure, and how it ran.

    Attributes:
        name: as people say it.
        table: the mart it is read from, as `schema.table`.
        value: what is asked of its rows.
        rows: which rows are asked.
        latest: which of them are the headline; all where that is the figure.
        period: the column that it is followed by.
        is_rate: a share of 1 rather than an amount or a count.
    """

    name: str
    table: str
    value: str
    rows: str
    latest: str
    period: str
    is_rate: bool = False

    @property
    def mart(self) -> str:
        """The model's name."""
        return self.table.split(".")[1]


_CLOSED = "(select max(mrr_month) from finance.fct_mrr_monthly where is_month_closed)"


def _mrr(name: str, value: str) -> Metric:
    latest = f"mrr_month = {_CLOSED}"
    return Metric(name, "finance.fct_mrr_monthly", value, "is_month_closed", latest, "mrr_month")


def _retention(name: str, value: str) -> Metric:
    rows = "segment = 'total' and is_month_closed"
    latest = f"mrr_month = {_CLOSED}"
    table = "finance.fct_revenue_retention_monthly"
    return Metric(name, table, value, rows, latest, "mrr_month", is_rate=True)


def _deals(name: str, value: str, rows: str, *, is_rate: bool = False) -> Metric:
    table = "sales.fct_opportunities"
    return Metric(name, table, value, rows, "true", "close_month", is_rate=is_rate)


def _active_users(name: str, value: str, days: int) -> Metric:
    table = "product.fct_active_users_daily"
    latest = f"active_date > (select max(active_date) from {table}) - interval {days} day"
    return Metric(name, table, value, "segment = 'total'", latest, "active_date")


METRICS = (
    _mrr("MRR, USD, last closed month", "sum(closing_mrr_usd)"),
    _mrr("ARR, USD, last closed month", "sum(closing_arr_usd)"),
    _mrr("Paying accounts, last closed month", "count(*) filter (where closing_mrr_usd > 0)"),
    _retention("Net revenue retention, 12 months", "max(net_revenue_retention_rate)"),
    _retention("Gross revenue retention, 12 months", "max(gross_revenue_retention_rate)"),
    Metric(
        "Recognised revenue, USD, last closed month",
        "finance.fct_revenue_schedule",
        "sum(recognized_usd)",
        f"is_recognized and revenue_month <= {_CLOSED}",
        f"revenue_month = {_CLOSED}",
        "revenue_month",
    ),
    _deals(
        "Win rate, all closed deals",
        "count(*) filter (where is_won) / nullif(count(*), 0)",
        "is_closed",
        is_rate=True,
    ),
    _deals("Won, USD, all deals", "sum(amount_usd)", "is_won"),
    _deals("Open pipeline, USD", "sum(amount_usd)", "not is_closed"),
    _active_users("DAU, average of the last 30 days", "avg(dau)", 30),
    _active_users("MAU, last day", "max(mau)", 1),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric on one side: its headline and its run, None where it cannot be asked."""

    headline: float | None
    run: dict[str, float | None]


def read(connection: duckdb.DuckDBPyConnection, metric: Metric, side: str) -> Reading:
    """A metric of an attached database; of none where its mart has no such column."""
    connection.execute(f"use {quoted(side)}")
    asked = f"from {metric.table} where {metric.rows}"
    try:
        headline = connection.execute(
            f"select {metric.value} {asked} and {metric.latest}"
        ).fetchone()
        run = connection.execute(
            f"select cast({metric.period} as varchar), {metric.value} {asked} group by all"
        ).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        return Reading(None, {})
    return Reading(
        _number(headline[0] if headline else None),
        {str(period): _number(value) for period, value in run},
    )


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
