"""The published copy: whole, swapped in one step, and readable whatever a build does."""

import json
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest

from harness import rows
from ingest import marts
from ingest.build.publish import check, publish
from ingest.cli import main
from ingest.errors import IngestError, UsageError
from loading import track
from warehouses import build_warehouse, parsed

_SUM = "select sum(closing_mrr_usd), max(mrr_month) from finance.fct_mrr_monthly"


@pytest.fixture(scope="module")
def warehouse(tiny_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiny company's warehouse with its marts published beside it."""
    path = Path(shutil.copy(tiny_warehouse, tmp_path_factory.mktemp("publish")))
    publish(path, path.with_name("marts.duckdb"), parsed(), has_personal_data=False)
    return path


@pytest.fixture(scope="module")
def published(warehouse: Path) -> Path:
    return warehouse.with_name("marts.duckdb")


def _columns(path: Path) -> dict[str, tuple[str, bool]]:
    """Type, and whether it may be null, of every column of a mart."""
    found = rows(
        path,
        """
        select schema_name || '.' || table_name || '.' || column_name, data_type, is_nullable
        from duckdb_columns()
        where schema_name in ('shared', 'finance', 'sales', 'product', 'quality')
        """,
    )
    return {str(name): (str(kind), bool(is_nullable)) for name, kind, is_nullable in found}


def test_it_has_the_columns_types_and_constraints_of_every_mart(
    warehouse: Path, published: Path
) -> None:
    there, here = _columns(warehouse), _columns(published)
    assert list(here) == list(there)
    personal = {
        f"{mart.schema}.{mart.name}.{name}"
        for mart in marts.described(parsed())
        for name in mart.personal
    }
    assert len(personal) > 10
    assert {name for name in here if here[name] != there[name]} <= personal
    # The contracts' `not null` is in the copy, of every kind of type.
    assert sum(not is_nullable for _, is_nullable in here.values()) > 400


def test_views_are_tables_with_the_descriptions_of_the_project(
    warehouse: Path, published: Path
) -> None:
    view = "select view_name from duckdb_views() where schema_name = 'quality'"
    assert rows(warehouse, view) == [("dq_test_results",)]
    assert rows(published, view) == []
    ((comment, columns),) = rows(
        published,
        """
        select comment, (
            select count(*) from duckdb_columns()
            where database_name = current_database() and comment is null
        )
        from duckdb_tables() where table_name = 'dq_test_results'
        """,
    )
    assert str(comment).startswith("One row per")
    assert columns == 0


def test_texts_with_addresses_that_no_yml_declares_are_hashed(
    warehouse: Path, tmp_path: Path
) -> None:
    """In their rows alone; no value of them is left in the bytes of the file."""
    path = Path(shutil.copy(warehouse, tmp_path))
    with duckdb.connect(str(path)) as connection:
        ((address,),) = connection.execute(
            "select max(json_extract_string(context, '$.ip')) from raw_segment.messages"
        ).fetchall()
        connection.execute(
            """
            update sales.fct_opportunities set loss_reason = case
                when row_number = 1 then 'for jane.unseen@acme.example'
                when row_number = 2 then 'from ' || ?
                when row_number = 3 then 'in version 203.0.113.250'
            end
            from (
                select opportunity_id as id, row_number() over (order by opportunity_id)
                    as row_number
                from sales.fct_opportunities
            )
            where id = opportunity_id and row_number <= 3
            """,
            [address],
        )
    out = tmp_path / "marts.duckdb"
    said = publish(path, out, parsed(), has_personal_data=False)
    assert "sales.fct_opportunities.loss_reason holds e-mail or IP addresses in 2 rows" in said
    names = "select loss_reason from sales.fct_opportunities order by opportunity_id"
    (first,), (second,), (third,), *rest = rows(out, names)
    assert len(str(first)) == len(str(second)) == 32
    assert third == "in version 203.0.113.250"
    assert rest == rows(path, names)[3:]
    assert b"jane.unseen" not in out.read_bytes()


def test_personal_data_is_published_on_request(warehouse: Path, tmp_path: Path) -> None:
    out = tmp_path / "marts.duckdb"
    publish(warehouse, out, parsed(), has_personal_data=True)
    emails = "select email from shared.dim_users order by user_id"
    assert rows(out, emails) == rows(warehouse, emails)
    assert _columns(out) == _columns(warehouse)


def test_a_failure_leaves_the_older_copy_and_no_other_file(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(warehouse, tmp_path))
    out = Path(shutil.copy(warehouse.with_name("marts.duckdb"), tmp_path))
    before = out.read_bytes()
    described = marts.described(parsed())
    missing = marts.Mart("finance", "fct_none", "", {}, {})
    monkeypatch.setattr(marts, "described", lambda _: described)
    for error in (IngestError, KeyboardInterrupt):

        def interrupt(mart: marts.Mart, *_: object, error: type[BaseException] = error) -> str:
            if mart.name == described[-1].name:
                raise error
            return ""

        with patch.object(marts, "_comments", interrupt), pytest.raises(error):
            publish(path, out, parsed(), has_personal_data=False)
        assert {one.name for one in tmp_path.iterdir()} == {path.name, out.name}
        assert out.read_bytes() == before
    described.append(missing)
    with pytest.raises(IngestError, match=r"finance\.fct_none is not built"):
        publish(path, out, parsed(), has_personal_data=False)
    assert {one.name for one in tmp_path.iterdir()} == {path.name, out.name}
    assert out.read_bytes() == before


# Publishes the marts that standard input describes, and is killed among them.
_KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from ingest import marts
from ingest.build import publish
described = pickle.load(sys.stdin.buffer)
comments = marts._comments
def stop(mart, *others):
    if mart == described[len(described) // 2]:
        os.kill(os.getpid(), signal.SIGKILL)
    return comments(mart, *others)
marts._comments = stop
marts.described = lambda _: described
publish.publish(Path(sys.argv[1]), Path(sys.argv[2]), None, has_personal_data=False)
"""


def test_a_kill_leaves_the_older_copy_and_the_next_build_removes_the_rest(
    warehouse: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(warehouse, tmp_path))
    out = Path(shutil.copy(warehouse.with_name("marts.duckdb"), tmp_path))
    before = out.read_bytes()
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(path), str(out)],
        input=pickle.dumps(marts.described(parsed())),
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert out.read_bytes() == before
    assert (tmp_path / ".marts.duckdb.writing").exists()
    publish(path, out, parsed(), has_personal_data=False)
    assert {one.name for one in tmp_path.iterdir()} == {path.name, out.name}
    assert rows(out, _SUM) == rows(path, _SUM)


# Prints each distinct answer of a query, asked until there is a line on standard input: in one
# connection that stays open, or in a new connection each time.
_READER = """
import duckdb, select, sys
path, query, is_open = sys.argv[1:]
kept = duckdb.connect(path, read_only=True) if is_open == "open" else None
last = None
while True:
    with kept.cursor() if kept else duckdb.connect(path, read_only=True) as connection:
        answer = str(connection.execute(query).fetchall())
    if answer != last:
        print(answer, flush=True)
        last = answer
    if select.select([sys.stdin], [], [], 0.1)[0]:
        break
"""


def _reading(path: Path, how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _READER, str(path), _SUM, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_readers_and_a_build_do_not_block_each_other(warehouse: Path, tmp_path: Path) -> None:
    """The batch of another month, of one message, changes the answer."""
    path = Path(shutil.copy(warehouse, tmp_path))
    out = Path(shutil.copy(warehouse.with_name("marts.duckdb"), tmp_path))
    batch = tmp_path / "extracts" / "2026-10-31"
    (batch / "segment").mkdir(parents=True)
    (batch / "segment" / "messages.jsonl").write_text(json.dumps(track(1)))
    with _reading(out, "open") as keeping, _reading(out, "again") as opening:
        assert keeping.stdout is not None
        assert opening.stdout is not None
        before = keeping.stdout.readline()
        assert opening.stdout.readline() == before
        build_warehouse(batch.parent, path, is_published=True)
        time.sleep(0.5)
        for reader, answer in ((keeping, ""), (opening, f"{rows(path, _SUM)}\n")):
            assert answer != before
            said, errors = reader.communicate("\n")
            assert (reader.returncode, said) == (0, answer), errors


def test_nothing_but_a_published_copy_is_replaced(warehouse: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is the warehouse itself"):
        check(warehouse, warehouse)
    other = Path(shutil.copy(warehouse, tmp_path / "other.duckdb"))
    with pytest.raises(UsageError, match=r"other\.duckdb is a warehouse"):
        check(warehouse, other)
    (tmp_path / "notes.txt").write_text("notes")
    with pytest.raises(UsageError, match="is not a DuckDB file"):
        check(warehouse, tmp_path / "notes.txt")
    check(warehouse, warehouse.with_name("marts.duckdb"))
    check(warehouse, tmp_path / "none.duckdb")
    assert not (tmp_path / "none.duckdb").exists()


def test_a_query_reads_the_published_marts_while_a_build_runs(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_PATH", str(warehouse))
    holds = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holds, str(warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as building:
        assert building.stdout is not None
        building.stdout.readline()
        assert main(["query", "select 'rows', count(*) from finance.fct_mrr_monthly"]) == 0
        assert "rows" in capsys.readouterr().out
        assert main(["query", "from raw_stripe.customers"]) == 1
        assert "--warehouse FILE" in capsys.readouterr().err
        assert main(["query", "select 1", "--warehouse", str(warehouse)]) == 1
        assert "is in use by process" in capsys.readouterr().err
        building.communicate(b"\n")
