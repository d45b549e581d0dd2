"""Warehouses of every older version are upgraded, and the changelog says what a user should know.

`older_warehouses/` has the incremental tables and snapshots of each version as SQL.
"""

import re
import shutil
import tomllib
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from harness import PROJECT, expect, opened, rows
from ingest.build import upgrade
from ingest.load import warehouse
from loading import BATCH, Loading, customer
from warehouses import NO_TESTS, ingest_parsed, parsed, selecting

_OLDER = Path(__file__).parent / "older_warehouses"
_RELEASES = re.findall(
    r"^## \[([0-9.]+)\] - ([0-9-]+)$", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE
)
_VERSIONS = [release for release, _ in _RELEASES]
_TABLE = re.compile(r"create table (\S+) \(")


def _shapes() -> dict[str, str]:
    """The tables of each version as SQL, but for those that a newer one has with the same columns.

    The same rows of the same table are upgraded in the same way.
    """
    found: dict[str, str] = {}
    for version in _VERSIONS[1:]:
        tables = (_OLDER / f"{version}.ddl").read_text().strip().split("\n\n")
        found[version] = "\n\n".join(
            one for one in tables if not any(one in newer for newer in found.values())
        )
    return {version: ddl for version, ddl in found.items() if ddl}


# When a run built them, and keys of that.
_UNCOMPARED = {"_built_at", "_loaded_at", "state_key"}


def test_the_project_has_one_version() -> None:
    package = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert (package, upgrade.version()) == (_VERSIONS[0], _VERSIONS[0])


def test_the_changelog_has_versions_from_new_to_old_with_their_dates() -> None:
    parts = [tuple(map(int, version.split("."))) for version in _VERSIONS]
    assert parts == sorted(parts, reverse=True)
    assert len(set(parts)) == len(parts)
    dates = [date.fromisoformat(day) for _, day in _RELEASES]
    assert all(newer >= older for newer, older in pairwise(dates))


def test_every_older_version_is_upgraded_from() -> None:
    assert {path.stem for path in _OLDER.glob("*.ddl")} == set(_VERSIONS[1:])


def test_notes_are_those_of_the_versions_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dbt_project.yml").write_text('name: x\nversion: "0.10.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [0.11.0] - 2026-03-01\n\n### Upgrading\n- Later.\n\n"
        "## [0.10.0] - 2026-02-01\n\n### Upgrading\n- One\n  long note.\n- Two.\n\n"
        "### Added\n- X.\n\n"
        "## [0.9.0] - 2026-01-01\n\n### Added\n- Y.\n\n### Upgrading\n- Nine.\n\n"
        "## [0.1.0] - 2025-01-01\n\n### Upgrading\n- First.\n"
    )
    monkeypatch.setattr(upgrade, "PROJECT", tmp_path)
    ten = ["0.10.0: One long note.", "0.10.0: Two."]
    assert upgrade.notes("0.9.0") == ten
    assert upgrade.notes("0.8.2") == ["0.9.0: Nine.", *ten]
    assert upgrade.notes("0.10.0") == []
    assert upgrade.notes("") == ["0.1.0: First.", "0.9.0: Nine.", *ten]


def test_shapes_differ_by_columns_of_tables_in_both() -> None:
    before = {"a.b": ["x INTEGER", "y STRUCT(p INTEGER, q VARCHAR)[]"], "a.old": ["x INTEGER"]}
    after = {"a.b": ["x BIGINT", "y STRUCT(p INTEGER, q VARCHAR)[]"], "a.new": ["x INTEGER"]}
    assert upgrade.changes(before, after) == ["a.b (+1 -1)"]
    assert upgrade.changes(before, before) == []
    assert upgrade.read(upgrade.recorded(before)) == before


@pytest.mark.parametrize(("version", "ddl"), _shapes().items(), ids=_shapes())
def test_a_warehouse_of_an_older_version_is_upgraded(
    version: str, ddl: str, tiny_extracts: Path, tiny_warehouse: Path, tmp_path: Path
) -> None:
    """Incremental tables end like those of a new warehouse, and snapshots keep their rows."""
    older = tmp_path / tiny_warehouse.name
    shutil.copy2(tiny_warehouse, older)
    built = _continued("model") | _continued("snapshot")
    if version != _VERSIONS[1]:
        # What this version lacked is rebuilt in the same way as of the newest of them.
        built &= set(_TABLE.findall(ddl))
    history = _make_older(older, ddl, tiny_warehouse, built)
    arguments = ("build", "--extracts", tiny_extracts, "--warehouse", older)

    def build() -> str:
        with selecting(*(table.partition(".")[2] for table in sorted(built))):
            settings = {"DBT_EXCLUDE_RESOURCE_TYPES": NO_TESTS}
            return expect(0, ingest_parsed(*arguments, target=tmp_path, settings=settings))

    output = build()
    assert (
        "upgrade     incremental tables are rebuilt: a version before 1.0.0 built this warehouse"
        in output
    )
    assert all(note in output for note in upgrade.notes(""))
    for table in sorted(_continued("model") & built):
        assert _content(older, table) == _content(tiny_warehouse, table), table
    for table, (columns, kept) in history.items():
        now = rows(older, f"select {columns} from {table}")
        assert set(kept) <= set(now), table
        assert _names(older, table) >= _names(tiny_warehouse, table), table
    assert rows(older, "select key from raw_audit.build_steps where step = 'version'") == [
        (upgrade.version(),)
    ]
    assert "nothing to do" in build()


def _continued(resource_type: str) -> set[str]:
    return {
        f"{node.schema}.{node.alias}"
        for node in parsed().nodes.values()
        if node.resource_type == resource_type
        and node.config.materialized in {"incremental", "snapshot"}
    }


def _make_older(
    older: Path, ddl: str, original: Path, replaced: set[str]
) -> dict[str, tuple[str, list[tuple[object, ...]]]]:
    """Gives a warehouse another version's tables with a few rows; returns those of snapshots."""
    tables = _TABLE.findall(ddl)
    history = {}
    with duckdb.connect(str(older)) as connection:
        connection.execute(f"attach '{original}' as original (read_only)")
        for table in replaced:
            connection.execute(f"drop table {table}")
        for table in tables:
            connection.execute(f"create schema if not exists {table.split('.')[0]}")
        connection.execute(ddl)
        for table in tables:
            common = _names(older, table, connection) & _names(original, table)
            columns = ", ".join(sorted(common))
            few = f"select {columns} from original.{table} order by all limit 3"
            connection.execute(f"insert into {table} by name {few}" if common else f"from {table}")
            if table.startswith("snapshots."):
                kept = connection.execute(f"select {columns} from {table}").fetchall()
                assert kept
                history[table] = (columns, kept)
        connection.execute("delete from raw_audit.build_steps where step <> 'snapshot'")
    return history


def _names(path: Path, table: str, connection: duckdb.DuckDBPyConnection | None = None) -> set[str]:
    schema, name = table.split(".")
    query = f"""
        select column_name from duckdb_columns()
        where schema_name = '{schema}' and table_name = '{name}'
            and database_name = current_database()
    """
    found = connection.execute(query).fetchall() if connection else rows(path, query)
    return {str(column) for (column,) in found}


def _content(path: Path, table: str) -> list[tuple[object, ...]]:
    """Columns and rows of a table, without the instants of its own runs."""
    columns = ", ".join(sorted(_names(path, table) - _UNCOMPARED))
    with opened(path) as connection:
        return connection.execute(
            f"select '{columns}', count(*), bit_xor(hash({columns})), sum(hash({columns}) % 1009)"
            f" from {table}"
        ).fetchall()


def test_fields_that_an_older_version_did_not_declare_become_columns(loading: Loading) -> None:
    loading.write_json(
        "stripe/customers.jsonl",
        customer(1, email="jo@acme.example", metadata={"plan": "pro"}, balance=-5),
        customer(2),
    )
    loading.load()
    expected = loading.rows("select id, email, metadata, balance from raw_stripe.customers")
    with duckdb.connect(str(loading.warehouse)) as connection:
        connection.execute(
            """
            update raw_stripe.customers
            set _extra = json_object('email', email, 'metadata', metadata, 'balance', balance)
            where id = 'cus_1'
            """
        )
        for column in ("email", "metadata", "balance"):
            connection.execute(f"alter table raw_stripe.customers drop column {column}")
        connection.execute("alter table raw_audit.files drop column note")
    loading.write_json("stripe/customers.jsonl", customer(3), batch="2026-06-30")
    loading.load()
    query = "select id, email, metadata, balance from raw_stripe.customers"
    assert loading.rows(f"{query} where _batch_id = '{BATCH}'") == expected


def test_files_and_objects_that_an_older_version_did_not_read_are_loaded_again(
    loading: Loading,
) -> None:
    loading.write("salesforce/CurrencyType.csv", "Id,IsoCode,ConversionRate\n01L1,EUR,0.9\n")
    loading.write_json("stripe/payouts.jsonl", {"id": "po_1", "object": "payout", "amount": 5})
    loading.load()
    tables = ('raw_salesforce."CurrencyType"', "raw_stripe.payouts", "raw_stripe.other_objects")
    with duckdb.connect(str(loading.warehouse)) as connection:
        connection.execute(
            """
            insert into raw_stripe.other_objects (id, object, _batch_id, _source_file)
            select id, object, _batch_id, _source_file from raw_stripe.payouts
            """
        )
        connection.execute("drop table raw_stripe.payouts")
    assert loading.load_one().rows_landed == 2
    assert loading.load_one().status == "unchanged"
    assert [loading.value(f"select count(*) from {table}") for table in tables] == [1, 1, 0]
    with duckdb.connect(str(loading.warehouse)) as connection:
        connection.execute('drop table raw_salesforce."CurrencyType"')
        connection.execute(
            "update raw_audit.files set status = 'ignored', rows_read = 0, rows_landed = 0"
            " where source_file = 'salesforce/CurrencyType.csv'"
        )
    assert loading.load_one().rows_landed == 2
    assert [loading.value(f"select count(*) from {table}") for table in tables] == [1, 1, 0]


def test_a_warehouse_in_which_nothing_is_built_is_no_older_one(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with warehouse.opened(path) as connection:
        warehouse.create_tables(connection)
        connection.execute("create table mine as select 1 as a")
    assert not upgrade.is_built(path)
    with warehouse.opened(path) as connection:
        connection.execute("create schema product; create table product.fct_events (id text)")
    assert upgrade.is_built(path)
    assert upgrade.shapes(path)["product.fct_events"] == ["id VARCHAR"]
