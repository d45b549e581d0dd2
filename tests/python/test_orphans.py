"""Relations of removed or renamed models are dropped; those of others are kept."""

import shutil
from pathlib import Path

import duckdb
import pytest

from harness import differences, expect, rows
from ingest.build import orphans
from warehouses import NO_TESTS, ingest_here

_GRAPH = {
    ("staging", "stg_stripe__prices"),
    ("intermediate", "int_prices"),
    ("finance", "fct_mrr_monthly"),
    ("quality", "dq_batches"),
    ("seeds", "features"),
    ("test_failures", "assert_arr_foots"),
}
_RETIRED = (
    *("staging.stg_stripe__old", "intermediate.int_old", "shared.bridge_old", "finance.fct_old"),
    *(
        "sales.fct_old",
        "product.dim_old",
        "quality.dq_old",
        "seeds.old",
        "test_failures.assert_old",
    ),
)
_KEPT = (
    *(f"{schema}.my_notes" for schema in ("staging", "finance", "quality", "main")),
    *("main.int_mine", "notes.fct_mine", "snapshots.snap_stripe__old", "raw_stripe.fct_fields"),
)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """The graph's relations, retired ones as tables and views by turns, and other people's."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        names = [*(f"{schema}.{name}" for schema, name in sorted(_GRAPH)), *_RETIRED, *_KEPT]
        for number, name in enumerate(names):
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.execute(
                f"create {'view' if number % 2 else 'table'} {name} as select 1 as a"
            )
    return path


def _relations(path: Path) -> set[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
    return {str(name) for (name,) in found}


def test_only_relations_that_no_model_makes_are_dropped(warehouse: Path) -> None:
    assert orphans.drop(warehouse, _GRAPH) == sorted(_RETIRED)
    assert _relations(warehouse) == {*(f"{one}.{name}" for one, name in _GRAPH), *_KEPT}
    assert orphans.drop(warehouse, _GRAPH) == []


def test_without_a_graph_nothing_is_dropped(warehouse: Path) -> None:
    before = _relations(warehouse)
    assert orphans.drop(warehouse, set()) == []
    assert _relations(warehouse) == before


def _history(path: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'snapshots' order by all"
        ).fetchall()
        return [
            row
            for (table,) in tables
            for row in connection.execute(
                f"select '{table}', * from snapshots.{table} order by all"
            ).fetchall()
        ]


def test_a_warehouse_of_an_older_project_is_upgraded(
    tiny_extracts: Path, tiny_warehouse: Path, tmp_path: Path
) -> None:
    """What an older project built, next to the user's own: the marts are those of a new build."""
    older = tmp_path / tiny_warehouse.name
    shutil.copy2(tiny_warehouse, older)
    with duckdb.connect(str(older)) as connection:
        for number, name in enumerate(_RETIRED):
            kind = "view" if number % 2 else "table"
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.execute(f"create {kind} {name} as select 1 as a")
        connection.execute("create table intermediate.my_notes as select 'mine' as note")
        connection.execute("create table snapshots.snap_stripe__old as select 1 as a")
        # The older project: other files than those that are there now.
        connection.execute("update raw_audit.build_steps set key = '' where step <> 'snapshot'")
    before = _history(older)
    done = ingest_here(
        *("build", "--extracts", tiny_extracts, "--warehouse", older),
        target=tmp_path / "target",
        settings={"DBT_EXCLUDE_RESOURCE_TYPES": NO_TESTS},
    )
    output = expect(0, done)
    (line,) = [line for line in output.splitlines() if line.startswith("dropped ")]
    assert all(name in line for name in _RETIRED)
    kept = {"intermediate.my_notes", "snapshots.snap_stripe__old"}
    assert _relations(older) == _relations(tiny_warehouse) | kept
    assert rows(older, "from intermediate.my_notes") == [("mine",)]
    assert _history(older) == before
    assert differences(tiny_warehouse, older) == {}
