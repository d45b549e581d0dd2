"""What the report of a change says, of two small warehouses made by hand and of a real change."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from harness import clone, expect, ingest, place_base
from ingest.diff.compare import compare
from ingest.diff.report import markdown
from ingest.diff.side import Side
from warehouses import seed_parsed

_MRR = "model.p.fct_mrr_monthly"
_PRICES = "model.p.int_prices"
_BASE = """
    create schema finance;
    create table finance.fct_mrr_monthly (
        account_id varchar, mrr_month date, closing_mrr_usd decimal(28, 6),
        closing_arr_usd decimal(28, 6), is_month_closed boolean, note varchar
    );
    insert into finance.fct_mrr_monthly values
        ('a', '2026-01-01', 100, 1200, true, null),
        ('b', '2026-01-01', 50, 600, true, 'b | <i>'),
        ('c', '2026-01-01', 0, 0, true, null),
        ('a', '2026-02-01', 900, 10800, false, null);
"""


def _model(name: str, folder: str, sql: str, columns: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "alias": name,
        "schema": folder.rsplit("/", maxsplit=1)[-1],
        "resource_type": "model",
        "original_file_path": f"models/{folder}/{name}.sql",
        "checksum": {"checksum": sql},
        "config": {"contract": {"enforced": True}},
        "columns": {one: {"data_type": kind} for one, kind in columns.items()},
        "depends_on": {"macros": []},
    }


def _manifest(mrr_sql: str = "1", prices_sql: str = "1") -> dict[str, Any]:
    """A mart on an intermediate model, and the test that holds the mart's key."""
    columns = {"account_id": "varchar", "closing_mrr_usd": "decimal(28, 6)"}
    return {
        "nodes": {
            _MRR: _model("fct_mrr_monthly", "marts/finance", mrr_sql, columns),
            _PRICES: _model("int_prices", "intermediate/finance", prices_sql, {}),
            "test.p.key": {
                "name": "key",
                "resource_type": "test",
                "original_file_path": "models/marts/finance/fct_mrr_monthly.yml",
                "attached_node": _MRR,
                "config": {},
                "depends_on": {"macros": []},
                "test_metadata": {
                    "name": "unique_combination_of_columns",
                    "kwargs": {"combination_of_columns": ["account_id", "mrr_month"]},
                },
            },
        },
        "sources": {},
        "unit_tests": {},
        "exposures": {},
        "macros": {},
        "parent_map": {_MRR: [_PRICES], _PRICES: [], "test.p.key": [_MRR]},
    }


def _result(name: str, status: str = "success", message: str = "") -> dict[str, Any]:
    return {"unique_id": name, "status": status, "message": message, "execution_time": 1.5}


Sides = Callable[..., tuple[Side, Side]]


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    """Makes the base, and the working tree: the base with statements run and manifests changed."""

    def make(
        statements: str = "",
        manifest: dict[str, Any] | None = None,
        results: tuple[dict[str, Any], ...] = (_result(_MRR), _result("test.p.key", "pass")),
    ) -> tuple[Side, Side]:
        found = []
        for name, said, described, ran in (
            ("before", _BASE, _manifest(), (_result(_MRR),)),
            ("after", _BASE + statements, manifest or _manifest(prices_sql="2"), results),
        ):
            target = tmp_path / name / "target"
            target.mkdir(parents=True)
            with duckdb.connect(str(tmp_path / name / "warehouse.duckdb")) as connection:
                connection.execute(said)
            (target / "manifest.json").write_text(json.dumps(described))
            (target / "run_results.json").write_text(json.dumps({"results": ran}))
            found.append(Side.read(tmp_path / name / "warehouse.duckdb", target))
        return found[0], found[1]

    return make


def test_a_metric_that_moves_is_explained_by_the_model_that_changed(sides: Sides) -> None:
    halved = "update finance.fct_mrr_monthly set closing_mrr_usd = 20 where account_id = 'b'"
    compared = compare(*sides(halved), {_PRICES})
    report = markdown(compared, "main")
    assert compared.is_sound
    # 100 + 50 before, 100 + 20 after, of the closed month alone.
    assert (
        "| MRR, USD, last closed month | 150 | 120 | -30 (-20.0%) |"
        " 1 of 1 months differ, most 2026-01-01: 150 → 120 (-20.0%) |"
    ) in report
    assert "- MRR: `int_prices` → `fct_mrr_monthly` (SQL)" in report
    assert "| `finance.fct_mrr_monthly` | changed | 4 | 4 | — | — | 1 | `int_prices` |" in report
    assert "| changed | b, 2026-01-01 | closing_mrr_usd: 50 → 20 |" in report
    assert "| ARR, USD, last closed month | 1,800 | 1,800 | — | — |" in report


def test_a_metric_that_moved_in_the_past_alone_is_not_called_the_same(sides: Sides) -> None:
    earlier = "insert into finance.fct_mrr_monthly values ('a', '2025-12-01', 70, 840, true, null)"
    compared = compare(*sides(earlier), {_PRICES})
    figure = compared.figures[0]
    assert (figure.before, figure.after) == (150, 150)
    assert (figure.moved, figure.periods) == ([("2025-12-01", None, 70)], 2)
    report = markdown(compared, "main")
    assert (
        "**MRR, USD, last closed month** is 150 as before, but past periods differ; 1 of 2 months"
        in report
    )
    assert "most 2025-12-01: none → 70; through `int_prices`" in report


def test_rows_that_come_and_go_are_told_by_their_key(sides: Sides) -> None:
    moved = """
        update finance.fct_mrr_monthly set account_id = 'd' where account_id = 'c';
        insert into finance.fct_mrr_monthly values ('e', '2026-01-01', 1, 12, true, null)
    """
    (mart,) = compare(*sides(moved), {_PRICES}).marts
    assert (mart.before, mart.after) == (4, 5)
    assert (mart.added, mart.removed, mart.changed) == (2, 1, 0)
    assert [(one.how, one.key[0]) for one in mart.examples] == [
        ("added", "e"),
        ("added", "d"),
        ("removed", "c"),
    ]


def test_null_and_a_value_differ_and_two_nulls_do_not(sides: Sides) -> None:
    (mart,) = compare(
        *sides("update finance.fct_mrr_monthly set note = null where account_id = 'b'"), {_PRICES}
    ).marts
    assert (mart.changed, mart.columns) == (1, {"note": 1})


@pytest.mark.parametrize("name", ["unique", "unique_by_digest"])
def test_a_column_tested_to_be_unique_is_the_key(tmp_path: Path, name: str) -> None:
    manifest = _manifest()
    manifest["nodes"]["test.p.key"] |= {
        "column_name": "account_id",
        "test_metadata": {"name": name},
    }
    assert Side(tmp_path, manifest, {}).key(_MRR) == ["account_id"]


def test_without_a_key_that_holds_whole_rows_are_compared(sides: Sides) -> None:
    twice = (
        "insert into finance.fct_mrr_monthly from finance.fct_mrr_monthly where note is not null"
    )
    (mart,) = compare(*sides(twice), {_PRICES}).marts
    assert (mart.key, mart.added, mart.removed) == ([], 1, 0)


def test_the_same_rows_are_no_difference(sides: Sides) -> None:
    report = markdown(compare(*sides(), {_PRICES}), "main")
    assert "the same, row for row: `finance.fct_mrr_monthly`" in report
    assert "No key metric moved in any period." in report


def test_a_view_that_names_its_database_has_no_row_count(sides: Sides) -> None:
    manifest = _manifest()
    manifest["nodes"]["model.p.fct_plans"] = _model("fct_plans", "marts/finance", "1", {})
    results = (_result(_MRR), _result("model.p.fct_plans"))
    said = "create view finance.fct_plans as select * from warehouse.finance.fct_mrr_monthly"
    compared = compare(*sides(said, manifest, results), {"model.p.fct_plans"})
    marts = {mart.name: (mart.how, mart.before, mart.after) for mart in compared.marts}
    assert marts == {
        "finance.fct_mrr_monthly": ("same", 4, 4),
        "finance.fct_plans": ("added", None, None),
    }


def test_values_cannot_break_the_report(sides: Sides) -> None:
    said = "update finance.fct_mrr_monthly set note = '| <b> @all #1' where account_id = 'b'"
    report = markdown(compare(*sides(said), {_PRICES}), "main")
    assert "note: b &#124; &#60;i&#62; → &#124; &#60;b&#62; &#64;all &#35;1 |" in report


def test_contracts_tell_columns_added_removed_and_retyped(sides: Sides) -> None:
    manifest = _manifest(mrr_sql="2")
    manifest["nodes"][_MRR]["columns"] = {
        "closing_mrr_usd": {"data_type": "DOUBLE", "constraints": [{"type": "not_null"}]},
        "plan_id": {"data_type": "varchar"},
    }
    retyped = """
        alter table finance.fct_mrr_monthly alter closing_mrr_usd type double;
        alter table finance.fct_mrr_monthly add column plan_id varchar
    """
    compared = compare(*sides(retyped, manifest), {_MRR})
    assert compared.contracts["fct_mrr_monthly"] == [
        "column `account_id` removed",
        "column `plan_id` added (varchar)",
        "column `closing_mrr_usd` was decimal(28,6), is double",
        "column `closing_mrr_usd` is never null",
    ]
    assert "## Contracts" in markdown(compared, "main")


def test_a_contracted_mart_that_is_removed_breaks_its_contract(sides: Sides) -> None:
    manifest = _manifest()
    del manifest["nodes"][_MRR]
    report = markdown(
        compare(*sides("drop table finance.fct_mrr_monthly", manifest), set()), "main"
    )
    assert "⚠️ **Contracts change** of `fct_mrr_monthly`" in report
    assert "- `fct_mrr_monthly`: removed, with all its columns" in report


def test_models_and_tests_added_and_removed_are_named(sides: Sides) -> None:
    manifest = _manifest()
    del manifest["nodes"][_PRICES], manifest["nodes"]["test.p.key"]
    manifest["nodes"]["model.p.int_costs"] = _model("int_costs", "intermediate/finance", "1", {})
    compared = compare(*sides("", manifest), {"model.p.int_costs"})
    assert [(one.how, one.name) for one in compared.changes] == [
        ("added", "int_costs"),
        ("removed", "int_prices"),
    ]
    assert compared.tests == {"removed": ["key"]}


def test_a_macro_and_a_seed_are_named_as_what_changed(sides: Sides) -> None:
    before, after = sides()
    for side, said in ((before, "1"), (after, "2")):
        side.manifest["macros"]["macro.p.rate"] = {
            "name": "rate",
            "macro_sql": said,
            "depends_on": {"macros": []},
        }
        side.nodes[_MRR]["depends_on"]["macros"] = ["macro.p.rate"]
    (change,) = compare(before, after, {_MRR}).changes
    assert change.what == "macro rate"


def test_a_failure_is_told_with_what_it_said(sides: Sides) -> None:
    results = (_result(_MRR, "error", "\x1b[31mno such column\x1b[0m\nline 2"),)
    compared = compare(*sides(results=results), {_PRICES})
    report = markdown(compared, "main")
    assert not compared.is_sound
    assert "❌ **The build does not pass**, 1 failed: `fct_mrr_monthly`" in report
    assert "```text\nno such column\nline 2\n```" in report
    assert "| `finance.fct_mrr_monthly` | not built: error | 4 | — |" in report


def test_exposures_that_depend_on_a_change_are_no_failure(sides: Sides) -> None:
    results = (_result(_MRR), _result("exposure.p.dashboard", "no-op", "NO-OP"))
    compared = compare(*sides(results=results), {_PRICES})
    assert compared.is_sound
    report = markdown(compared, "main")
    assert "✅ **All was built and every test passes** (1 built)." in report
    assert "no-op" not in report.lower()


def test_a_build_that_ended_badly_without_results_is_not_sound(sides: Sides) -> None:
    assert not compare(*sides(results=()), set(), is_complete=False).is_sound


def test_a_metric_whose_mart_is_gone_is_none(sides: Sides) -> None:
    compared = compare(*sides("drop table finance.fct_mrr_monthly"), {_PRICES})
    figure = compared.figures[0]
    assert (figure.before, figure.after) == (150.0, None)
    assert "| MRR, USD, last closed month | 150 | none | — |" in markdown(compared, "main")


def test_the_report_fits_a_comment(sides: Sides) -> None:
    names = (f"test.p.{number}" for number in range(2000))
    results = tuple(_result(name, "fail", "x" * 2000) for name in names)
    report = markdown(compare(*sides(results=results), {_PRICES}), "main")
    assert len(report) < 65_536
    assert "cut here" in report


def test_a_change_that_breaks_a_metric_is_caught_and_explained(
    tmp_path: Path, tiny_extracts: Path, tiny_warehouse: Path
) -> None:
    project = clone(tmp_path / "project")
    # What `make diff` would build of the base is what the session has built already.
    base = place_base(project, tiny_extracts, tiny_warehouse)
    seed_parsed(base / "target", base / "warehouse.duckdb")
    model = project / "models/marts/product/fct_active_users_daily.sql"
    counted = "where fct_user_activity_daily.is_active\n"
    text = model.read_text()
    assert counted in text
    # People who were not active count as active: it parses, it runs, and every DAU is too high.
    model.write_text(
        text.replace(counted, "where fct_user_activity_daily.activity_date < '2026-10-01'\n")
    )

    head = project / "data/diff/head"
    seed_parsed(head / "target", head / "warehouse.duckdb")
    settings = {**os.environ, "PYTHONPATH": str(project / "scripts")}
    done = ingest("diff", "main", cwd=project, settings=settings)
    report = expect(1, done)
    said = (project / "data/diff/report.md").read_text()
    assert said in done.stdout
    assert "warehouse.duckdb is up to date" in report
    # The marts of the base may be published, but no step of dbt runs.
    assert not re.search(r"^(snapshot|build) +[\d.]+ s: ", report, re.MULTILINE), "built again"
    assert "| changed | model | `fct_active_users_daily` | SQL |" in said
    (moved,) = (line for line in said.splitlines() if line.startswith("| DAU"))
    assert "days differ, most 2" in moved
    (why,) = (line for line in said.splitlines() if line.startswith("- DAU"))
    assert "`fct_active_users_daily` (SQL)" in why
    assert "| MRR, USD, last closed month" in said
    assert "⚠️ **MRR" not in said
    assert "**fail** `assert_active_users_are_counted_exactly`" in said
    assert "| changed | 2026-09-30, total | dau: " in said
    # Slim: the one model, and nothing else.
    assert said.split("## Slowest models")[1].count("| `") == 1
