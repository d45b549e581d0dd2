"""Exporting to the lake: every load once, whole, and again after it changed."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from dbt_common.clients.jinja import get_environment
from sqlglot import exp

from ingest.errors import IngestError
from ingest.lake.compare import compare
from ingest.lake.export import export
from loading import ACCOUNT, ACCOUNT_ROW, Loading

FIRST, SECOND = "2026-05-31", "2026-06-30"
ACCOUNTS = "raw_salesforce/Account"


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    loading = Loading(tmp_path)
    loading.write("salesforce/Account.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n", FIRST)
    loading.write_json(
        "stripe/invoices.jsonl",
        {"id": "in_1", "object": "invoice", "created": 1767225600, "lines": {"data": [1.50]}},
        batch=FIRST,
    )
    loading.load()
    return loading


def _export(loading: Loading) -> Path:
    lake = loading.warehouse.parent / "lake"
    export(loading.warehouse, str(lake))
    return lake


def _folders(lake: Path, table: str = ACCOUNTS) -> list[str]:
    return sorted(path.name for path in (lake / table).iterdir())


def _rows(lake: Path, table: str, columns: str) -> list[tuple[object, ...]]:
    return duckdb.sql(f"select {columns} from '{lake}/{table}/*/*.parquet' order by all").fetchall()


def test_a_batch_is_one_folder_of_each_table_that_it_has_rows_of(loading: Loading) -> None:
    lake = _export(loading)
    assert [name.split(".")[0] for name in _folders(lake)] == [FIRST]
    assert _rows(lake, ACCOUNTS, '"Name", _batch_id') == [("Acme", FIRST)]
    assert not (lake / "raw_salesforce" / "Contact").exists()
    assert _rows(lake, "raw_audit/batches", "batch_id") == [(FIRST,)]


def test_json_is_text_and_instants_are_utc(loading: Loading) -> None:
    lake = _export(loading)
    assert _rows(lake, "raw_stripe/invoices", "lines, typeof(lines)") == [
        ('{"data":[1.5]}', "VARCHAR")
    ]
    assert _rows(lake, ACCOUNTS, 'typeof("CreatedDate"), epoch("CreatedDate")') == [
        ("TIMESTAMP WITH TIME ZONE", 1698525925.0)
    ]


def test_a_second_export_writes_only_the_new_batch(loading: Loading) -> None:
    lake = _export(loading)
    before = {path: path.stat().st_mtime_ns for path in lake.rglob("*.parquet")}
    _export(loading)
    renamed = ACCOUNT_ROW.replace("Acme", "Acme Ltd")
    loading.write("salesforce/Account.csv", f"{ACCOUNT}\n{renamed}\n", SECOND)
    loading.load()
    _export(loading)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert [name.split(".")[0] for name in _folders(lake)] == [FIRST, SECOND]
    assert _rows(lake, ACCOUNTS, "_batch_id") == [(FIRST,), (SECOND,)]


def test_a_replaced_batch_replaces_its_folder(loading: Loading) -> None:
    lake = _export(loading)
    before = _folders(lake)
    loading.write(
        "salesforce/Account.csv", f"{ACCOUNT}\n{ACCOUNT_ROW.replace('Acme', 'Acme Ltd')}\n", FIRST
    )
    loading.load(replace=True)
    _export(loading)
    assert len(_folders(lake)) == 1
    assert _folders(lake) != before
    assert _rows(lake, ACCOUNTS, '"Name"') == [("Acme Ltd",)]


def test_rows_erased_on_request_leave_the_lake(loading: Loading) -> None:
    lake = _export(loading)
    with duckdb.connect(str(loading.warehouse)) as connection:
        connection.execute('delete from raw_salesforce."Account"')
        connection.execute(
            "insert into raw_audit.erased_records "
            f"values ('{FIRST}', 'salesforce', 'Account', 1, 0, null, false)"
        )
    _export(loading)
    assert _folders(lake) == []
    assert _rows(lake, "raw_stripe/invoices", "id") == [("in_1",)]


def test_an_interrupted_export_leaves_nothing_that_counts(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _export(loading)
    monkeypatch.undo()
    lake = _export(loading)
    assert all(not name.startswith(".") for name in _folders(lake))
    assert _rows(lake, ACCOUNTS, '"Name"') == [("Acme",)]


def test_an_object_store_needs_an_extension(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(IngestError, match="httpfs, which cannot be installed"):
        export(loading.warehouse, "s3://bucket/lake")


@pytest.fixture
def engines(tmp_path: Path) -> tuple[Path, Path]:
    """A warehouse with one mart, and the same mart as Spark would have written it."""
    folder = tmp_path / "spark" / "finance.db" / "fct_payments"
    folder.mkdir(parents=True)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema finance")
        connection.execute(
            "create table finance.fct_payments as select * from (values "
            "('a', 1.500000, 0.1::double, timestamp '2026-01-01 10:00:00'), "
            "('a', 1.500000, 0.2::double, null), (null, 2, null, null)) "
            "as payments (payment_id, amount, share_rate, paid_at)"
        )
    return tmp_path / "warehouse.duckdb", folder.parents[1]


def _differences(engines: tuple[Path, Path], columns: str) -> list[str]:
    warehouse, spark = engines
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"copy (select {columns} from finance.fct_payments order by payment_id desc) "
            f"to '{spark}/finance.db/fct_payments/part-0.parquet'"
        )
    return [f"{one.duckdb_rows} {one.spark_rows} {one.reason}" for one in compare(warehouse, spark)]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ("payment_id, amount, share_rate, paid_at::timestamptz as paid_at", []),
        # A double may differ in its last digits, and a decimal's scale says nothing.
        (
            "payment_id, amount::decimal(28, 6) as amount, share_rate + 1e-11 share_rate, paid_at",
            [],
        ),
        (
            "payment_id, amount + 0.000001 as amount, share_rate, paid_at",
            ["3 3 columns ['amount']"],
        ),
        (
            "payment_id, amount, share_rate + 1e-7 as share_rate, paid_at",
            ["2 2 columns ['share_rate']"],
        ),
        ("payment_id, amount, share_rate", ["0 0 columns ['paid_at']"]),
        (
            "payment_id, amount, coalesce(share_rate, 0) as share_rate, paid_at",
            ["1 1 columns ['share_rate']"],
        ),
    ],
)
def test_marts_of_both_engines_are_compared_row_for_row(
    engines: tuple[Path, Path], columns: str, found: list[str]
) -> None:
    assert _differences(engines, columns) == found


def test_a_mart_that_spark_lacks_differs(engines: tuple[Path, Path]) -> None:
    assert [one.reason for one in compare(*engines)] == ["Spark has no such table"]


class _ReturnedError(Exception):
    """What dbt's `return` gives a macro's caller."""


def _incremental(lake_format: str, strategy: str) -> tuple[str, list[str]]:
    """The strategy that a model gets on Spark, and the statements of its incremental run."""
    statements: list[str] = []

    def call(name: str, *arguments: Any) -> Any:
        try:
            return getattr(module, f"dbt_macro__{name}")(*arguments).strip()
        except _ReturnedError as returned:
            return returned.args[0]

    def give(value: Any) -> None:
        raise _ReturnedError(value)

    def statement(_: str, caller: Callable[[], str]) -> str:
        statements.append(caller().strip())
        return ""

    def merge(target: str, source: str, key: str, *_: object) -> str:
        return (
            f"merge into {target} as old using {source} as new on old.{key} = new.{key} "
            "when matched then update set * when not matched then insert *"
        )

    context = {
        "return": give,
        "statement": statement,
        "var": {"lake_format": lake_format}.__getitem__,
        "can_change_rows": lambda: call("spark__can_change_rows"),
        "spark__delete_by_key_sql": lambda *given: call("spark__delete_by_key_sql", *given),
        # dbt-spark's own.
        "get_merge_sql": merge,
        "get_insert_into_sql": lambda source, target: (
            f"insert into {target} select * from {source}"
        ),
    }
    texts = (Path("macros/engine/can_change_rows.sql"), Path("macros/spark/lake_format.sql"))
    text = "".join(path.read_text() for path in texts)
    module: Any = get_environment().from_string(text).make_module(context)
    chosen = call("dbt_spark_validate_get_incremental_strategy", strategy, lake_format)
    last = call("dbt_spark_get_incremental_sql", chosen, "changed", "fct", "fct", "event_id", None)
    return chosen, [*statements, last]


@pytest.mark.parametrize("lake_format", ["delta", "iceberg"])
def test_incremental_models_merge_where_rows_can_change(lake_format: str) -> None:
    chosen, (merge,) = _incremental(lake_format, "delete+insert")
    assert chosen == "merge"
    found = sqlglot.parse_one(merge, dialect="databricks")
    assert isinstance(found, exp.Merge)
    assert found.this.name == "fct"
    assert found.args["on"].sql() == "old.event_id = new.event_id"


@pytest.mark.parametrize("lake_format", ["delta", "iceberg"])
def test_keys_with_several_rows_are_deleted_and_inserted(lake_format: str) -> None:
    chosen, (delete, insert) = _incremental(lake_format, "changed_rows")
    assert chosen == "changed_rows"
    found = sqlglot.parse_one(delete, dialect="databricks")
    assert isinstance(found, exp.Merge)
    # Each key once: a row that two rows of the source match cannot be deleted.
    assert found.args["using"].this.sql() == "SELECT DISTINCT event_id FROM changed"
    assert [when.args["then"].sql() for when in found.args["whens"].expressions] == ["delete"]
    assert insert == "insert into fct select * from changed"


def test_parquet_is_never_merged() -> None:
    """Models are rebuilt as a whole there (`should_full_refresh`)."""
    for strategy in ("delete+insert", "changed_rows"):
        assert _incremental("parquet", strategy)[0] == "append"


def _arguments(text: str) -> int:
    """How many arguments the call has whose opening bracket has just been read."""
    depth, count, is_text = 1, 1, False
    for character in text:
        if character == "'":
            is_text = not is_text
        elif not is_text:
            depth += {"(": 1, ")": -1}.get(character, 0)
            count += character == "," and depth == 1
        if not depth:
            break
    return count


def test_patterns_name_the_group_that_they_extract() -> None:
    """Without one DuckDB extracts the whole match and Spark the first group, or fails."""
    calls = [
        (path.name, text.count("\n", 0, found.start()) + 1, _arguments(text[found.end() :]))
        for folder in ("macros", "models", "snapshots", "tests")
        for path in Path(folder).rglob("*.sql")
        for text in [path.read_text()]
        for found in re.finditer(r"regexp_extract\(", text)
    ]
    assert calls
    assert [call for call in calls if call[2] < 3] == []


def test_the_length_of_a_missing_list_is_null() -> None:
    """`size` of null is -1 in a session of dbt, which turns Spark's ANSI mode off."""
    macros = {path.name: path.read_text() for path in Path("macros").rglob("*.sql")}
    assert "array_size(" in macros["list_length.sql"]
    assert [name for name, text in macros.items() if re.search(r"(?<!\w)size\(", text)] == []


# What `min_by` and `max_by` take without a filter, because it is never null.
NEVER_NULL = {
    *("account_id", "account_key", "billing_id", "close_date", "closing_mrr_usd", "event_id"),
    *("int_item_discounts_invoiced.is_discounted", "is_absent", "look_key", "people.person_id"),
    *("usd_per_unit", "user_id"),
}


def test_values_that_may_be_null_are_filtered_before_the_first_is_taken() -> None:
    """DuckDB skips nulls there, and Spark returns them."""
    calls = [
        (path.name, found.group(1))
        for folder in ("macros", "models", "snapshots", "tests")
        for path in Path(folder).rglob("*.sql")
        for text in [path.read_text()]
        for found in re.finditer(r"(?:min|max)_by\(\s*([\w.{} ]+),", text)
        if not _is_filtered(text[found.start() :])
    ]
    assert calls
    assert [call for call in calls if call[1] not in NEVER_NULL] == []


def _is_filtered(text: str) -> bool:
    """Whether `filter` follows the call that the text begins with."""
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == ")" and not depth:
            return text[position + 1 :].lstrip().startswith("filter")
    return False
