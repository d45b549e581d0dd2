"""Metrics by name: every one equals its mart, and wrong names are explained."""

import csv
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from dbt.contracts.graph.semantic_manifest import SemanticManifest

import warehouses
from harness import Row, expect, opened, rows
from ingest.errors import UsageError
from ingest.metrics import Metrics
from metric_figures import QUERIES


@pytest.fixture(scope="module")
def tiny_warehouse(predicted_warehouse: Path) -> Path:
    """The tiny company with a churn model, of which some metrics are."""
    return predicted_warehouse


@pytest.fixture(scope="module")
def manifest(workspace: Path) -> str:
    """What dbt reads of `models/semantic`."""
    path = workspace / "semantic" / "semantic_manifest.json"
    path.parent.mkdir(exist_ok=True)
    SemanticManifest(warehouses.parsed()).write_json_to_file(str(path))
    return path.read_text()


@pytest.fixture(scope="module")
def metrics(manifest: str) -> Metrics:
    return Metrics(manifest)


def test_dbt_reads_every_semantic_model_and_metric(manifest: str) -> None:
    """dbt 1.11 ignores the newer form of semantic models without a word."""
    read = json.loads(manifest)
    assert (len(read["semantic_models"]), len(read["metrics"])) == (35, 186)


def test_every_metric_is_described(metrics: Metrics) -> None:
    for name in metrics.names:
        found = metrics.definition(name)
        assert found.label, name
        assert found.description.endswith("."), name
        assert found.unit in {"usd", "count", "rate", "ratio", "days", "points"}, name
        assert ("USD" in found.description) == (found.unit == "usd"), name
        assert found.good in {"up", "down", "none"}, name
        assert {mart.split(".")[0] for mart in found.marts} <= {"finance", "sales", "product"}


@pytest.mark.parametrize(
    ("names", "by", "said"),
    [
        (["nrrr"], [], "there is no metric 'nrrr'; did you mean nrr, mrr"),
        (["mrr"], ["segmnt"], "mrr cannot be grouped by 'segmnt'; did you mean segment"),
        (["mrr"], ["day"], "mrr cannot be grouped by 'day'"),
        (["mau"], ["segment"], "mau looks back from a day; add a period"),
        (["step_conversion"], ["month"], "add --by funnel_step__step_name"),
        (["bookings"], ["sales_rep_name"], None),
    ],
)
def test_wrong_names_are_explained(
    metrics: Metrics, names: list[str], by: list[str], said: str | None
) -> None:
    if said is None:
        assert "sales_rep_name" in metrics.sql(names, by)
    else:
        with pytest.raises(UsageError) as raised:
            metrics.sql(names, by)
        assert said in str(raised.value)


def _figures(
    metrics: Metrics,
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    by: Sequence[str],
    where: Sequence[str],
) -> dict[Row, dict[str, object]]:
    """The metrics of each group."""
    result = metrics.query(connection, names, by, where=where)
    return {
        row[: len(by)]: dict(zip(result.columns[len(by) :], row[len(by) :], strict=True))
        for row in result.rows
    }


def _is_same(one: object, other: object, unit: str) -> bool:
    """Whether two figures agree: amounts to the cent, counts exactly, and rates to a millionth."""
    if unit in {"usd", "count"}:
        one, other = one or 0, other or 0
    if one is None or other is None:
        return one is other
    tolerance = {"usd": 0.005, "count": 1e-9}.get(unit, 1e-6)
    return abs(float(str(one)) - float(str(other))) < tolerance


@pytest.mark.parametrize(("query", "where"), QUERIES)
def test_metrics_equal_their_marts(
    metrics: Metrics, tiny_warehouse: Path, query: str, where: list[str]
) -> None:
    with opened(tiny_warehouse) as connection:
        wanted = connection.execute(query)
        columns = [column[0] for column in wanted.description]
        names = [name for name in columns if name in metrics.names]
        by = columns[: -len(names)]
        right = {
            row[: len(by)]: dict(zip(names, row[len(by) :], strict=True))
            for row in wanted.fetchall()
        }
        found = _figures(metrics, connection, names, by, where)
    units = {name: metrics.definition(name).unit for name in names}
    apart = [
        (group, name, found.get(group, {}).get(name), right.get(group, {}).get(name))
        for group in {*found, *right}
        for name in names
        if not _is_same(found.get(group, {}).get(name), right.get(group, {}).get(name), units[name])
    ]
    assert not apart


def test_every_metric_is_compared_with_figures(metrics: Metrics, tiny_warehouse: Path) -> None:
    compared = set()
    with opened(tiny_warehouse) as connection:
        for query, _ in QUERIES:
            found = connection.execute(query)
            columns = [column[0] for column in found.description]
            for name, *values in zip(columns, *found.fetchall(), strict=True):
                compared |= {name} if any(values) else set()
    assert set(metrics.names) - compared == set()


def _balances(manifest: str) -> dict[str, str]:
    """Metrics that must not be added up over time, and which end of a period they show."""
    read = json.loads(manifest)
    ends = {
        measure["name"]: measure["non_additive_dimension"]["window_choice"]
        for model in read["semantic_models"]
        for measure in model["measures"]
        if measure["non_additive_dimension"]
    }
    # A metric that filters its measure has another name.
    used = {
        measure["name"]: metric["name"]
        for metric in read["metrics"]
        if (measure := metric["type_params"].get("measure")) and metric["filter"]
    }
    named = {metric["name"] for metric in read["metrics"]}
    return {name if name in named else used[name]: end for name, end in ends.items()}


def _assert_years_end_as_their_months(
    metrics: Metrics, warehouse: Path, name: str, end: str
) -> None:
    """A year, and all time, shows the figure of its last month, or of its first one."""
    with opened(warehouse) as connection:
        by_month = metrics.query(connection, [name], ["month"]).rows
        by_year = metrics.query(connection, [name], ["year"]).rows
        ((ever,),) = metrics.query(connection, [name]).rows
    # The last month of a year replaces the others, or the first one.
    by_month = by_month if end == "max" else by_month[::-1]
    ends = {str(month)[:4]: figure for month, figure in by_month}
    assert len(by_month) > len(ends) > 1
    assert {str(year)[:4]: figure for year, figure in by_year} == ends, name
    assert ever == list(ends.values())[-1], name


def test_balances_are_not_added_up_over_months(
    metrics: Metrics, manifest: str, tiny_warehouse: Path
) -> None:
    balances = _balances(manifest)
    assert {"mrr", "deferred_revenue", "receivables", "open_pipeline", "paid_seats"} <= {*balances}
    for name, end in balances.items():
        _assert_years_end_as_their_months(metrics, tiny_warehouse, name, end)


def test_a_balance_that_is_added_up_is_found(manifest: str, tiny_warehouse: Path) -> None:
    read = json.loads(manifest)
    (measure,) = (
        one
        for model in read["semantic_models"]
        for one in model["measures"]
        if one["name"] == "mrr"
    )
    measure["non_additive_dimension"] = None
    with pytest.raises(AssertionError, match="mrr"):
        _assert_years_end_as_their_months(Metrics(json.dumps(read)), tiny_warehouse, "mrr", "max")


@pytest.fixture
def shown(manifest: str, workspace: Path, tiny_warehouse: Path) -> Callable[..., str]:
    """What `ingest metric` prints with these arguments, without a connection to anywhere."""

    def run(*arguments: str, code: int = 0) -> str:
        with patch("socket.socket.connect", side_effect=AssertionError):
            done = warehouses.ingest_parsed(
                *("metric", *arguments, "--warehouse", tiny_warehouse),
                target=workspace / "semantic",
            )
        return expect(code, done)

    return run


def test_the_command_prints_a_table(shown: Callable[..., str]) -> None:
    printed = shown("mrr,nrr", "--by", "year,segment", "--where", "segment = 'smb'")
    head, _, *lines = printed.splitlines()
    assert head.split() == ["metric_time__year", "account__segment", "mrr", "nrr"]
    assert [line.split()[1] for line in lines] == ["smb"] * 3
    assert re.fullmatch(r"2026-01-01 +smb +[\d,]+\.\d\d +[\d.]+%", lines[-1])


def test_the_command_prints_csv_in_the_order_asked(
    shown: Callable[..., str], tiny_warehouse: Path
) -> None:
    printed = shown("mrr", "--by", "account_name", "--order=-mrr", "--limit", "2", "--csv")
    largest = rows(
        tiny_warehouse,
        """
        select account_name, closing_mrr_usd
        from finance.fct_mrr_monthly inner join shared.dim_accounts using (account_id)
        where mrr_month = (select max(mrr_month) from finance.fct_mrr_monthly)
        order by closing_mrr_usd desc limit 2
        """,
    )
    assert list(csv.reader(printed.splitlines())) == [
        ["account__account_name", "mrr"],
        *([str(cell) for cell in row] for row in largest),
    ]


def test_the_command_lists_metrics_and_their_dimensions(
    shown: Callable[..., str], metrics: Metrics
) -> None:
    listed = shown("--list").splitlines()
    assert [line.split()[0] for line in listed] == metrics.names
    assert "  account__owner__sales_rep_name" in shown("mrr", "--list").splitlines()


def test_the_command_reports_mistakes_in_one_line(shown: Callable[..., str]) -> None:
    assert shown("nrrr", code=2).count("\n") == 1
    assert "name a metric" in shown(code=2)
    message = shown("mrr", "--where", "colour = 1", code=1)
    assert message.count("\n") == 1
    assert "colour" in message
