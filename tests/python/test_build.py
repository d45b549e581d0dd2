"""What `ingest build` does and in which order; stand-ins for dbt and the loader write it down."""

import gc
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import expect, ingest_here
from ingest.build import STEPS, BuildError, Dbt, build
from ingest.build import run as module
from ingest.build.dbt import nodes_counted
from ingest.build.run import build_part
from ingest.cli import BUILD_STEPS
from ingest.errors import UsageError
from ingest.load import BatchReport, WarehouseError, warehouse
from warehouses import dbt


class Company:
    """A fake loader and dbt that record how they are called."""

    def __init__(self, waiting: list[str]) -> None:
        self.waiting = waiting
        self.asked: list[str] = []
        self.failing: str | None = None
        self.published: list[bool] = []
        self.refreshed: list[bool] = []

    def pending(self, extracts_path: Path, warehouse_path: Path) -> list[str]:
        return list(self.waiting)

    def load_batches(
        self, extracts_path: Path, warehouse_path: Path, *, batch_ids: list[str], full: bool
    ) -> list[BatchReport]:
        assert not full
        (batch_id,) = batch_ids
        self.asked.append(f"load {batch_id}")
        if self.failing == f"load {batch_id}":
            return [BatchReport(batch_id, "refused", "Account.csv has no Id")]
        with warehouse.opened(warehouse_path) as connection:
            connection.execute("insert into raw_audit.batches (batch_id) values (?)", [batch_id])
            connection.execute(
                "insert into raw_audit.files (batch_id, status) values (?, 'landed')", [batch_id]
            )
        self.waiting.remove(batch_id)
        return [BatchReport(batch_id, "landed")]

    def run(self, *arguments: str) -> str:
        step = "snapshot" if "+resource_type:snapshot" in arguments else "build"
        self.asked.append(step)
        self.refreshed.append("--full-refresh" in arguments)
        if self.failing == step:
            raise BuildError(f"dbt {step} failed")
        return "1 model"

    def publish(
        self, warehouse_path: Path, marts_path: Path, manifest: object, *, has_personal_data: bool
    ) -> str:
        self.asked.append("publish")
        if self.failing == "publish":
            raise BuildError("the disk is full")
        marts_path.unlink(missing_ok=True)
        marts_path.write_text(str(len(self.asked)))
        self.published.append(has_personal_data)
        return "1 mart"


@pytest.fixture
def company(monkeypatch: pytest.MonkeyPatch) -> Company:
    company = Company(["2026-01-31", "2026-02-28"])
    monkeypatch.setattr(module, "load_batches", company.load_batches)
    monkeypatch.setattr(module, "pending", company.pending)
    monkeypatch.setattr(Dbt, "run", lambda dbt, *arguments: company.run(*arguments, *dbt.options))
    monkeypatch.setattr(Dbt, "parse", lambda dbt: None)
    monkeypatch.setattr("ingest.build.publish.check", lambda *paths: None)
    monkeypatch.setattr("ingest.build.publish.publish", company.publish)
    monkeypatch.setenv("WAREHOUSE_PATH", "")
    return company


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "extracts", tmp_path / "warehouse.duckdb"


# The build keeps the history of the last batch itself.
_ALL = ["load 2026-01-31", "snapshot", "load 2026-02-28", "build", "publish"]


def test_each_batch_is_snapshotted_before_the_next_lands(
    company: Company, places: tuple[Path, Path]
) -> None:
    build(*places)
    assert company.asked == _ALL


def test_nothing_is_done_twice(company: Company, places: tuple[Path, Path]) -> None:
    build(*places)
    company.asked.clear()
    build(*places)
    assert company.asked == []


def test_a_new_batch_is_all_that_is_done(company: Company, places: tuple[Path, Path]) -> None:
    build(*places)
    company.asked.clear()
    company.waiting.append("2026-03-31")
    build(*places)
    assert company.asked == ["load 2026-03-31", "build", "publish"]


def test_other_variables_build_again(company: Company, places: tuple[Path, Path]) -> None:
    build(*places)
    company.asked.clear()
    build(*places, variables="{as_of_date: 2026-01-31}")
    assert company.asked == ["build", "publish"]
    with warehouse.opened(places[1], read_only=True) as connection:
        given = "select key from raw_audit.build_steps where step = 'variables'"
        assert connection.execute(given).fetchall() == [("as_of_date: 2026-01-31",)]


def test_a_build_follows_a_run_of_dbt_by_hand(company: Company, places: tuple[Path, Path]) -> None:
    build(*places)
    company.asked.clear()
    with warehouse.opened(places[1]) as connection:
        # As `macros/run_variables.sql` does.
        connection.execute("delete from raw_audit.build_steps where step = 'build'")
    build(*places)
    assert company.asked == ["build"]


def test_a_relative_path_is_of_the_folder_in_which_the_build_began(
    company: Company, places: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def run(dbt: Dbt, *arguments: str) -> str:
        monkeypatch.chdir("/")
        return company.run(*arguments)

    monkeypatch.setattr(Dbt, "run", run)
    build(*places, marts_path=Path("for_bi.duckdb"))
    assert (tmp_path / "for_bi.duckdb").exists()


def test_marts_are_published_again_when_the_copy_or_the_setting_changes(
    company: Company, places: tuple[Path, Path], tmp_path: Path
) -> None:
    build(*places)
    company.asked.clear()
    (tmp_path / "marts.duckdb").unlink()
    build(*places)
    build(*places, has_personal_data=True)
    build(*places, has_personal_data=True, marts_path=tmp_path / "for_bi.duckdb")
    assert company.asked == ["publish"] * 3
    assert company.published == [False, False, True, True]
    # As a bare `dbt build` records its tests.
    with warehouse.opened(places[1]) as connection:
        connection.execute("insert into raw_audit.test_results (invoked_at) values ('2026-01-31')")
    build(*places, has_personal_data=True, marts_path=tmp_path / "for_bi.duckdb")
    assert company.asked == ["publish"] * 4
    build(*places, has_personal_data=True, marts_path=tmp_path / "for_bi.duckdb")
    assert company.asked == ["publish"] * 4


def test_a_changed_model_builds_again(
    company: Company,
    places: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("dbt_project.yml", "profiles.yml", "models/dim_accounts.sql"):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text("select 1")
    monkeypatch.setattr(module, "PROJECT", tmp_path / "project")
    build(*places)
    company.asked.clear()
    assert company.refreshed == [False, False]
    company.refreshed.clear()
    with warehouse.opened(places[1]) as connection:
        connection.execute("create schema staging; create table staging.messages (id text)")
    (tmp_path / "project/models/dim_accounts.sql").write_text("select 2")
    build(*places)
    assert company.asked == ["build", "publish"]
    company.waiting.append("2026-03-31")
    build(*places)
    assert company.refreshed == [True, False], "what another version built is rebuilt once"


def _pending(company: Company, places: tuple[Path, Path], *batch_ids: str) -> None:
    """Puts the batches where `discover` finds them."""
    for batch_id in batch_ids:
        (places[0] / batch_id / "stripe").mkdir(parents=True)
    company.waiting = list(batch_ids)


def test_a_stop_at_a_batch_keeps_its_history_and_builds_nothing(
    company: Company, places: tuple[Path, Path]
) -> None:
    _pending(company, places, "2026-01-31", "2026-02-28", "2026-03-31")
    build(*places, steps=["batches"], until="2026-01-31")
    assert company.asked == ["load 2026-01-31", "snapshot"]
    company.asked.clear()
    build(*places, steps=["batches"], until="2026-01-31")
    assert company.asked == [], "a second stop at the batch"
    build(*places, steps=["batches"], until="2026-03-31")
    each = ["load 2026-02-28", "snapshot", "load 2026-03-31", "snapshot"]
    assert company.asked == each, "those before it come first"
    company.asked.clear()
    build(*places)
    assert company.asked == ["build", "publish"]


def test_the_steps_apart_do_what_one_command_does(
    company: Company, places: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BuildError, match="is not up to date"):
        build(*places, steps=["publish"])
    build(*places, steps=["batches"])
    assert company.asked == [*_ALL[:3], "snapshot"]
    company.waiting.append("2026-03-31")
    for step in ("models", "publish"):
        build(*places, steps=[step])
    assert company.asked == [*_ALL[:3], "snapshot", "build", "publish"], "what landed is built"
    assert "warehouse.duckdb (models) is up to date after" in capsys.readouterr().out
    company.asked.clear()
    company.waiting.clear()
    build(*places)
    assert company.asked == []


def test_a_stop_at_a_batch_that_does_not_land_is_an_error(
    company: Company, places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _pending(company, places, "2026-01-31", "2026-02-28")
    with pytest.raises(UsageError, match=r"has no batch 2026-01-30"):
        build(*places, steps=["batches"], until="2026-01-30")
    unusable = BatchReport("2026-01-31", "unusable", "it has no file that the loader reads")
    monkeypatch.setattr(module, "load_batches", lambda *paths, **options: [unusable])
    with pytest.raises(BuildError, match=r"batch 2026-01-31 did not land"):
        build(*places, steps=["batches"], until="2026-01-31")


def test_a_stop_at_a_batch_takes_no_further_step(tmp_path: Path) -> None:
    command = ("build", "--extracts", tmp_path, "--batch", "2026-01-31", "--step", "models")
    assert "leave out the other steps" in expect(2, ingest_here(*command))
    assert BUILD_STEPS == STEPS


@pytest.mark.parametrize("step", ["snapshot", "load 2026-02-28", "build", "publish"])
def test_a_run_cut_short_goes_on_where_it_stopped(
    company: Company, places: tuple[Path, Path], step: str
) -> None:
    company.failing = step
    with pytest.raises(BuildError):
        build(*places)
    assert company.asked == _ALL[: _ALL.index(step) + 1]
    done = len(company.asked) - 1
    company.failing = None
    company.asked.clear()
    build(*places)
    assert company.asked == _ALL[done:]


def test_history_that_a_failed_build_left_out_is_kept_before_the_next_batch(
    company: Company, places: tuple[Path, Path]
) -> None:
    company.failing = "build"
    with pytest.raises(BuildError):
        build(*places)
    company.failing = None
    company.asked.clear()
    company.waiting.append("2026-03-31")
    build(*places)
    assert company.asked == ["snapshot", "load 2026-03-31", "build", "publish"]


def test_a_warehouse_that_is_none_is_said_plainly(
    company: Company, places: tuple[Path, Path]
) -> None:
    places[1].write_text("not a database")
    with pytest.raises(WarehouseError, match="is not a DuckDB file"):
        build(*places)


def test_parsing_pauses_garbage_collection_even_if_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bool]] = []

    def fail(dbt: Dbt, log_level: str, *arguments: str) -> None:
        seen.append((arguments[-1], gc.isenabled()))
        raise BuildError("dbt parse failed")

    monkeypatch.setattr(Dbt, "_invoke", fail)
    with pytest.raises(BuildError):
        Dbt(tmp_path / "unparsed.duckdb", "{}").parse()
    assert seen == [("--no-write-json", False), ("--no-partial-parse", False)]
    assert gc.isenabled()


def test_history_of_batches_that_landed_together_is_kept_one_by_one(
    company: Company, places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[tuple[object, ...]]] = []

    def run(dbt: Dbt, *arguments: str) -> str:
        schemas = dbt.raw_schemas
        with warehouse.opened(places[1], read_only=True) as connection:
            seen.append(
                connection.execute(f"from {schemas}_audit.batches select batch_id").fetchall()
            )
        return company.run(*arguments)

    monkeypatch.setattr(Dbt, "run", run)
    with warehouse.opened(places[1]) as connection:
        warehouse.create_tables(connection)
        for batch_id in company.waiting:
            connection.execute("insert into raw_audit.batches (batch_id) values (?)", [batch_id])
    company.waiting.clear()
    build(*places)
    assert company.asked == ["snapshot", "build", "publish"]
    assert seen == [[("2026-01-31",)], [("2026-01-31",), ("2026-02-28",)]]


def test_dbt_before_a_load_says_in_one_line_what_to_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BuildError):
        dbt(tmp_path / "warehouse.duckdb", "build")
    output = capfd.readouterr().out
    assert "Nothing is loaded yet. Run `make build`" in output
    assert len(output.splitlines()) < 10


def test_nodes_are_counted_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def event(name: str, **data: int) -> Any:
        return SimpleNamespace(info=SimpleNamespace(name=name), data=SimpleNamespace(**data))

    monkeypatch.delenv("CI", raising=False)
    with nodes_counted("build") as callbacks:
        assert callbacks == []
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with nodes_counted("build") as (count,):
        count(event("LogStartLine", total=4))
        count(event("NodeFinished"))
        count(event("SkippingDetails"))
        count(event("LogTestResult"))
    assert capsys.readouterr().err.endswith("] " + " 50%\r\x1b[K")


def test_a_part_that_is_built_leaves_the_warehouse_up_to_date(
    company: Company, places: tuple[Path, Path]
) -> None:
    build(*places)

    def run_dbt() -> None:
        # As `macros/run_variables.sql` does.
        with warehouse.opened(places[1]) as connection:
            connection.execute("delete from raw_audit.build_steps where step = 'build'")

    build_part(places[1], "a_model+", before=run_dbt)
    company.asked.clear()
    build(*places)
    assert "build" not in company.asked


def test_dbt_by_hand_does_not_parse_again_what_a_build_has_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would if the build parsed with a variable that is not set by hand."""
    seen: list[bool] = []

    class Runner:
        def __init__(self, *_: object) -> None:
            pass

        def invoke(self, arguments: list[str]) -> SimpleNamespace:
            seen.append("RAW_SCHEMAS" in os.environ)
            return SimpleNamespace(success=True, result=None)

    monkeypatch.setattr("ingest.build.dbt.dbtRunner", Runner)
    with pytest.raises(BuildError, match="cannot read the project"):
        Dbt(tmp_path / "unparsed.duckdb", "{}").parse()
    assert seen == [False]
