"""Relations of removed or renamed models are dropped; those of others are kept."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from harness import differences, rows
from ingest.build import orphans
from warehouses import build_warehouse

_GRAPH = {
    ("staging", "stg_stripe__prices"),
    ("intermediate", "int_prices"),
    ("finance", "fct_mrr_monthly"),
    ("quality", "dq_batches"),
    ("seeds", "features"),
    ("test_failures", "assert_arr_foots"),
}
_DEFINED = {f"{schema}.{name}" for schema, name in _GRAPH}
# Models of versions that recorded nothing, recognised by their prefix.
_RETIRED = ("intermediate.int_old", "staging.stg_stripe__old", "test_failures.assert_old")
# What only a record distinguishes from the user's own.
_RECORDED = ("finance.fct_old", "seeds.old", "test_failures.not_null_old")
_KEPT = (
    *(f"{schema}.my_notes" for schema in ("staging", "intermediate", "quality", "main")),
    *("finance.fct_board_pack", "quality.dq_mine", "seeds.mine", "main.int_mine", "notes.fct_mine"),
    *("snapshots.snap_stripe__old", "raw_stripe.fct_fields"),
)


def _create(path: Path, names: Iterable[str]) -> None:
    """Creates relations, tables and views by turns."""
    with duckdb.connect(str(path)) as connection:
        for number, name in enumerate(names):
            kind = "view" if number % 2 else "table"
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.execute(f"create {kind} {name} as select 1 as a")


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """The graph's relations, those of removed models, and the user's own."""
    path = tmp_path / "warehouse.duckdb"
    _create(path, [*sorted(_DEFINED), *_RETIRED, *_RECORDED, *_KEPT])
    return path


def _relations(path: Path) -> set[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
    return {str(name) for (name,) in found}


def test_without_a_record_retired_models_are_dropped_by_prefix(warehouse: Path) -> None:
    assert orphans.drop(warehouse, _GRAPH, set()) == list(_RETIRED)
    assert _relations(warehouse) == {*_DEFINED, *_RECORDED, *_KEPT}
    assert orphans.drop(warehouse, _GRAPH, set()) == []


def test_with_a_record_only_recorded_relations_are_dropped(warehouse: Path) -> None:
    recorded = {*_DEFINED, *_RECORDED, "snapshots.snap_stripe__old", "finance.fct_never_built"}
    assert orphans.drop(warehouse, _GRAPH, recorded) == list(_RECORDED)
    assert _relations(warehouse) == {*_DEFINED, *_RETIRED, *_KEPT}
    assert orphans.drop(warehouse, _GRAPH, recorded) == []


def test_without_a_graph_nothing_is_dropped(warehouse: Path) -> None:
    before = _relations(warehouse)
    assert orphans.drop(warehouse, set(), set(_RECORDED)) == []
    assert orphans.drop(warehouse, set(), set()) == []
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
    tiny_extracts: Path, tiny_warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an older project built, next to the user's own: the marts are those of a new build.

    The full refresh is replayed; `test_upgrade.py` has dbt rebuild incremental tables.
    """
    older = tmp_path / tiny_warehouse.name
    shutil.copy2(tiny_warehouse, older)
    own = ["finance.fct_board_pack", "intermediate.my_notes", "seeds.mine"]
    _create(older, [*own, *_RETIRED, "snapshots.snap_stripe__old"])
    with duckdb.connect(str(older)) as connection:
        # The older project recorded no relations, and had other files than those now there.
        connection.execute("delete from raw_audit.build_steps where step = 'relation'")
        connection.execute("update raw_audit.build_steps set key = '' where step <> 'snapshot'")
    before = _history(older)
    built = _relations(tiny_warehouse)
    kept = {*own, "snapshots.snap_stripe__old"}

    def dropped(*select: str) -> list[str]:
        """Builds, and returns the relations that are reported as dropped."""
        build_warehouse(tiny_extracts, older, select=select)
        lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith("dropped ")]
        return [name for line in lines for name in line.split(": ")[1].split(", ")]

    assert dropped() == list(_RETIRED)
    assert _relations(older) == built | kept
    assert rows(older, "from finance.fct_board_pack") == [(1,)]
    assert _history(older) == before

    # An upgrade from this version, which recorded what it built.
    _create(older, [*_RECORDED, "intermediate.int_mine"])
    with duckdb.connect(str(older)) as connection:
        for name in _RECORDED:
            connection.execute(f"insert into raw_audit.build_steps values ('relation', '{name}')")
        connection.execute("delete from raw_audit.build_steps where step = 'build'")
    # The first build proves what is built, the second only what is dropped.
    assert dropped("dim_dates") == list(_RECORDED)
    assert _relations(older) == built | kept | {"intermediate.int_mine"}
    assert dropped() == []
    steps = "from raw_audit.build_steps where step = 'relation' order by all"
    assert rows(older, steps) == rows(tiny_warehouse, steps) != []

    with duckdb.connect(str(older)) as connection:
        connection.execute("drop table finance.fct_board_pack")
    assert differences(tiny_warehouse, older) == {}
