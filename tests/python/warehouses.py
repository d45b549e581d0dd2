"""Builds warehouses in the test process, where dbt reads the project once for all of them.

The processes of one test run share what dbt read: the first parses the project, the others load
what it wrote. A warehouse is always called `warehouse.duckdb`, because views and compiled SQL name
the database after its file.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, nullcontext
from fcntl import LOCK_EX, flock
from functools import cache
from itertools import takewhile
from pathlib import Path
from pprint import pformat
from typing import Any
from unittest.mock import patch

from dbt.adapters.base.relation import BaseRelation
from dbt.adapters.duckdb.impl import DuckDBAdapter
from dbt.artifacts.resources.base import FileHash
from dbt.config.runtime import load_profile
from dbt.contracts.graph.manifest import Manifest

import data_tests
from harness import PROJECT, expect, ingest_here
from ingest.build import Dbt, build
from ingest.build.dbt import manifests
from ingest.load import load_batches
from ingest.load import warehouse as files
from replay import Recording, recorded, replay

NAME = "warehouse.duckdb"
# For `excluded`, where the data tests run without dbt or the warehouse is only compared.
NO_TESTS = "test unit_test"
_RECORDING = "statements.json"


class Shared:
    """The folder that the processes of a test run share; `conftest.py` sets it."""

    folder: Path


def once(path: Path, make: Callable[[], object]) -> Path:
    """Returns the path, made by the first process that asks while the others wait."""
    done = path.with_name(f"{path.name}.done")
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not done.exists():
            make()
            done.touch()
    return path


@contextmanager
def _environment(
    target: Path, excluded: str = "unit_test", *, has_artifacts: bool = True
) -> Iterator[None]:
    """Runs dbt with these settings and leaves the process's own as they were."""
    settings = {
        "DBT_WRITE_JSON": str(has_artifacts).lower(),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target / "logs"),
        "DBT_EXCLUDE_RESOURCE_TYPES": excluded,
    }
    with patch.dict(os.environ, settings), chdir(PROJECT):
        yield


@cache
def _parse() -> None:
    """Reads the project, or what another process has read of it, for every later build."""
    target = Shared.folder / "parsed"

    def parse() -> None:
        with _environment(target):
            # One path for all: if it differed, dbt would parse the whole project again.
            Dbt(Shared.folder / NAME, "{}").parse()

    once(target, parse)
    parse()


def seed_parsed(target: Path, warehouse_path: str | Path) -> None:
    """Gives another process's dbt the parsed project, which it would otherwise parse again.

    dbt accepts it only for the same profile, of which it keeps a checksum. The profile contains the
    path of the warehouse.

    Args:
        target: The other process's target folder.
        warehouse_path: The path that the other process has in `WAREHOUSE_PATH`.
    """
    _parse()
    target.mkdir(parents=True, exist_ok=True)
    parsed = (Shared.folder / "parsed" / "partial_parse.msgpack").read_bytes()
    before = _profile_checksum(str(Shared.folder / NAME))
    assert before in parsed
    (target / "partial_parse.msgpack").write_bytes(
        parsed.replace(before, _profile_checksum(str(warehouse_path)))
    )


def _profile_checksum(warehouse_path: str) -> bytes:
    """What dbt computes in `ManifestLoader.build_manifest_state_check`."""
    settings = dict(load_profile(str(PROJECT), {}).credentials.connection_info())
    settings["path"] = warehouse_path
    return FileHash.from_contents(pformat(sorted(settings.items()))).checksum.encode()


def parsed() -> Manifest:
    """The project as dbt has parsed it, with the SQL of what was compiled last."""
    _parse()
    return Dbt(Shared.folder / NAME, "{}").parse()


def dbt(
    warehouse: Path,
    *arguments: str,
    excluded: str = "unit_test",
    has_artifacts: bool = False,
    variables: str = "{}",
    raw_schemas: str = "raw",
) -> str:
    """Runs a dbt command on a warehouse and returns what it did; raises `BuildError`.

    Args:
        warehouse: The DuckDB file; its folder gets dbt's logs and artifacts in `target`.
        arguments: The command and its options.
        excluded: Types of resources to leave out.
        has_artifacts: Write the manifest and the results, which takes about a second.
        variables: dbt variables as YAML, which only SQL reads. The parsed project is used as it is.
        raw_schemas: The prefix of the raw schemas' names.
    """
    assert warehouse.name == NAME
    manifests[(PROJECT, warehouse.stem, variables)] = parsed()
    with _environment(warehouse.parent / "target", excluded, has_artifacts=has_artifacts):
        return Dbt(warehouse, variables, raw_schemas).run(*arguments)


@contextmanager
def described_once() -> Iterator[None]:
    """Saves dbt's unit tests a third of their time, which they spend on the same things.

    Each asks for the columns of every relation of which it gives rows, and here none changes. Each
    also has its query grouped by brackets, only for dbt to find whether its first word is `with`.
    """
    described: dict[str, list[Any]] = {}
    describe = DuckDBAdapter.get_columns_in_relation

    def columns(self: DuckDBAdapter, relation: BaseRelation) -> list[Any]:
        name = relation.render()
        # What a unit test creates itself is called the same for each test of a model.
        if name.endswith('__dbt_tmp"') or name not in described:
            described[name] = describe(self, relation)
        return described[name]

    with (
        patch.object(DuckDBAdapter, "get_columns_in_relation", columns),
        patch("sqlparse.engine.grouping.group", lambda statement: statement),
    ):
        yield


def ingest_parsed(
    *arguments: object, target: Path, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs an `ingest` command in this process with the parsed project.

    Args:
        arguments: The command and its options.
        target: Where dbt writes its artifacts.
        settings: Environment variables.
    """
    _parse()
    with _environment(target):
        return ingest_here(*arguments, settings=settings)


def load(extracts: Path, warehouse: Path) -> Path:
    """Loads every batch and returns the warehouse."""
    for report in load_batches(extracts, warehouse, quiet=True):
        assert report.status == "landed", report
    return warehouse


def tiny_extracts() -> Path:
    """The default company at scale tiny."""
    extracts = Shared.folder / "extracts"
    return once(
        extracts, lambda: expect(0, ingest_here("generate", "--scale", "tiny", "--out", extracts))
    )


def sample_company() -> Path:
    """The tiny company, built batch by batch as `ingest build` does, with every data test.

    dbt keeps the history of the first two batches and builds the last, and what it executes is
    recorded for all other builds of the test run. The history of the batches between is replayed.
    """
    warehouse = Shared.folder / NAME

    def make() -> None:
        extracts = tiny_extracts()
        manifest = parsed()
        recording = Recording()
        run_by_dbt = Dbt.run

        def run(self: Dbt, *arguments: str) -> str:
            if arguments != ("build",) and recording.later:
                return _replayed(recording, warehouse, self, arguments)
            with recording.running(manifest):
                return run_by_dbt(self, *arguments)

        target = warehouse.parent / "target"
        with _environment(target), patch.object(Dbt, "run", run), _unpublished():
            build(extracts, warehouse)
        data_tests.write(Shared.folder / "data_tests.json", manifest)
        # Of models without history there was one run only.
        later = Shared.folder / "later" / NAME
        later.parent.mkdir()
        shutil.copy(warehouse, later)
        with recording.running(manifest):
            dbt(later, "build", "--select", *recording.missing(manifest), excluded=NO_TESTS)
        assert not recording.missing(manifest)
        recording.write(Shared.folder / _RECORDING)

    return once(warehouse, make)


def predicted_company() -> Path:
    """The tiny company with a churn model, which so few churns would not get outside of tests."""
    warehouse = Shared.folder / "predicted" / NAME
    warehouse.parent.mkdir(exist_ok=True)

    def make() -> None:
        # Of the commands, only the prediction needs the packages that it imports.
        from ingest.predict.churn import fit_origins  # noqa: PLC0415
        from ingest.predict.run import read_examples, write_coefficients  # noqa: PLC0415

        shutil.copy(sample_company(), warehouse)
        # `conftest.py` marks pandas as absent, and scikit-learn takes the mark for the package.
        with patch.dict(sys.modules), files.opened(warehouse) as connection:
            sys.modules.pop("pandas", None)
            rows = fit_origins(read_examples(connection), least_churns=5)
            write_coefficients(connection, list(rows))
        build_again(warehouse, "stg_predict__churn_coefficients+")

    return once(warehouse, make)


def _replayed(recording: Recording, warehouse: Path, dbt: Dbt, arguments: Sequence[str]) -> str:
    """What `ingest build` asks of dbt, without the time that dbt takes."""
    named = takewhile(lambda one: one[:2] != "--", arguments[2:])
    # Those of `keep_history`.
    but = {"seed", "view"} & {one.rpartition(":")[2] for one in arguments}
    return replay(
        recording,
        warehouse,
        parsed(),
        list(named),
        but=but,
        raw_schemas=dbt.raw_schemas,
        full_refresh="--full-refresh" in dbt.options,
    )


def build_new(warehouse: Path, *selectors: str) -> Path:
    """Builds a loaded warehouse as the first `dbt build` would, without the time that dbt takes.

    Args:
        warehouse: A loaded warehouse in which nothing is built yet.
        selectors: What to build; everything unless something is named.
    """
    return build_again(warehouse, *selectors)


def build_again(
    warehouse: Path, *selectors: str, but: Collection[str] = (), full_refresh: bool = False
) -> Path:
    """Builds a warehouse as any `dbt build` would, without the time that dbt takes.

    Args:
        warehouse: A loaded warehouse, whose incremental models and snapshots are continued.
        selectors: What to build; everything unless something is named.
        but: Resource types and materializations to leave out.
        full_refresh: Rebuild incremental models.
    """
    assert warehouse.name == NAME
    recording = _recording()
    replay(recording, warehouse, parsed(), selectors, but=but, full_refresh=full_refresh)
    return warehouse


def _recording() -> Recording:
    """What dbt executed for the sample company."""
    sample_company()
    return recorded(Shared.folder / _RECORDING)


@contextmanager
def selecting(*selectors: str) -> Iterator[None]:
    """Lets `ingest build` build a part of the project, after the history of all batches."""
    run_all = Dbt.run

    def run(self: Dbt, *arguments: str) -> str:
        is_build = arguments == ("build",)
        return run_all(self, *arguments, *(("--select", *selectors) if is_build else ()))

    with patch.object(Dbt, "run", run), _unpublished():
        yield


@contextmanager
def _unpublished() -> Iterator[None]:
    """Leaves out the last step of a build, which needs every mart."""
    with patch("ingest.build.run._publish", return_value=False):
        yield


def build_warehouse(
    extracts: Path, warehouse: Path, *, select: Sequence[str] = (), is_published: bool = False
) -> Path:
    """Loads and builds a warehouse batch by batch, as `ingest build` does, and returns its path.

    What dbt would execute is replayed.

    Args:
        extracts: The folder of batches.
        warehouse: The DuckDB file; its folder gets dbt's artifacts in `target`.
        select: What to build when the batches have landed; everything unless something is named.
        is_published: Publish the marts beside the warehouse.
    """
    assert warehouse.name == NAME
    recording = _recording()

    def run(self: Dbt, *arguments: str) -> str:
        return _replayed(recording, warehouse, self, arguments)

    with (
        _environment(warehouse.parent / "target", NO_TESTS, has_artifacts=False),
        patch.object(Dbt, "run", run),
        selecting(*select) if select else nullcontext(),
        nullcontext() if is_published else _unpublished(),
    ):
        build(extracts, warehouse)
    return warehouse
