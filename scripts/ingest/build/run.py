"""From extracts to marts: batches loaded in turn, history kept between them, every model built.

What is done is written down in the warehouse itself (`raw_audit.build_steps`), so that a run that
was cut short goes on where it stopped, and a run with nothing new does nothing.
"""

import hashlib
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from ingest.build import known
from ingest.load import (
    IngestError,
    NothingUsableError,
    WarehouseError,
    audit,
    erasure,
    load_batches,
    pending,
    warehouse,
)
from ingest.load.commands import summary

PROJECT = Path(__file__).resolve().parents[3]
_PROJECT_FOLDERS = ("macros", "models", "seeds", "snapshots", "tests")
_PROJECT_SUFFIXES = {".csv", ".sql", ".yml"}

# The snapshots with all they are made from; views and seeds made for one batch serve the next.
_HISTORY = ("--select", "+resource_type:snapshot", "--exclude-resource-type", "test", "unit_test")
_HISTORY_AGAIN = (*_HISTORY, "seed", "--exclude", "config.materialized:view")


class BuildError(IngestError):
    """A step failed; what to read about it has been printed."""


class Dbt:
    """The project's dbt: read once, then one command after another.

    Args:
        warehouse_path: The DuckDB file.
        variables: dbt variables as YAML.
        raw_schemas: What the names of the raw schemas begin with.
        options: Further options of every command that builds.
    """

    def __init__(
        self,
        warehouse_path: Path,
        variables: str,
        raw_schemas: str = "raw",
        options: Sequence[str] = (),
    ) -> None:
        self.raw_schemas = raw_schemas
        self.options = options
        self._warehouse_path = warehouse_path
        self._environment = {
            "WAREHOUSE_PATH": str(warehouse_path),
            "RAW_SCHEMAS": raw_schemas,
            # They are about the project and not about the data; `make test` runs them.
            "DBT_EXCLUDE_RESOURCE_TYPES": os.environ.get("DBT_EXCLUDE_RESOURCE_TYPES", "unit_test"),
        }
        self._project_options = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        self._project_options += ["--vars", variables]
        self._manifest: Manifest | None = None

    def run(self, *arguments: str) -> str:
        """Runs a command; dbt itself prints warnings and errors.

        Returns:
            What was done, such as `58 models, 412 tests`.

        Raises:
            BuildError: Something in it failed.
        """
        if self._manifest is None:
            project = self._invoke("error", "parse").result
            self._manifest = project if isinstance(project, Manifest) else None
        done = self._invoke("warn", *arguments, *self.options).result
        results = done.results if isinstance(done, RunExecutionResult) else []
        kinds = Counter(str(result.node.resource_type).replace("_", " ") for result in results)
        # The hook that writes down what the tests said.
        del kinds["operation"]
        return ", ".join(f"{count} {kind}{'s'[: count != 1]}" for kind, count in kinds.items())

    def keep_history(self, *, has_views: bool) -> str:
        """Takes the snapshots, making again what they are made from.

        Args:
            has_views: Whether the views are those that this dbt made last time.
        """
        return self.run("build", *(_HISTORY_AGAIN if has_views else _HISTORY))

    def _invoke(self, log_level: str, *arguments: str) -> dbtRunnerResult:
        os.environ.update(self._environment)
        try:
            done = dbtRunner(self._manifest).invoke(
                [
                    "--log-level",
                    log_level,
                    "--log-level-file",
                    "info",
                    *arguments,
                    *self._project_options,
                ]
            )
        finally:
            # dbt would keep the file open for its next command, and so closed to the loader.
            DuckDBConnectionManager.close_all_connections()
            # It opens its log anew for each command and never closes it.
            for handler in logging.getLogger("file_log").handlers:
                handler.close()
        if not done.success:
            if warehouse.is_damage(said := _messages(done)):
                raise WarehouseError(warehouse.failure(self._warehouse_path, said))
            raise BuildError(f"dbt {arguments[0]} failed; logs/dbt.log has all of it")
        return done


def _messages(done: dbtRunnerResult) -> str:
    """What a failed command said, node by node."""
    results = done.result.results if isinstance(done.result, RunExecutionResult) else []
    return "\n".join([str(done.exception or ""), *(str(one.message or "") for one in results)])


def build(extracts_path: Path, warehouse_path: Path, variables: str = "{}") -> int:
    """Does what is left to do and returns the exit code: 0 when the warehouse is up to date.

    Args:
        extracts_path: A folder of batches, or one batch.
        warehouse_path: The DuckDB file; made when absent.
        variables: dbt variables as YAML.
    """
    started = time.monotonic()
    try:
        # dbt changes the working directory, so no relative path may outlive its start.
        done = _build(extracts_path.resolve(), warehouse_path.resolve(), variables)
    except IngestError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    seconds = f" after {time.monotonic() - started:.1f} s" if done else ": nothing to do"
    print(f"{warehouse_path} is up to date{seconds}")
    return 0


def _build(extracts_path: Path, warehouse_path: Path, variables: str) -> bool:
    """Whether anything was left to do; it is done now."""
    try:
        waiting = pending(extracts_path, warehouse_path)
    except NothingUsableError as error:
        # An absent source has empty tables; so has an absence of all.
        print(f"{error}; the tables stay as they are")
        waiting = []
    _prepare(warehouse_path)
    project = _project_digest(variables)
    again = _again(warehouse_path, project)
    dbt = Dbt(warehouse_path, variables, options=again)
    history = _History(dbt, Dbt(warehouse_path, variables, known.SCHEMAS, again), warehouse_path)
    for batch_id in waiting:
        # A batch may overwrite what the one before it said.
        history.keep()
        for report in load_batches(extracts_path, warehouse_path, batch_ids=[batch_id]):
            print(summary(report), flush=True)
            if report.status == "refused":
                raise BuildError("no batch after a refused one is loaded")
    history.keep(but_newest=True)
    fingerprint = _fingerprint(warehouse_path, project)
    if fingerprint in _done(warehouse_path, "build"):
        return False
    with _timed("build") as done:
        done.append(dbt.run("build"))
    _record(warehouse_path, "snapshot", _without_history(warehouse_path))
    _record(warehouse_path, "project", [project])
    _record(warehouse_path, "build", [fingerprint])
    return True


def _again(warehouse_path: Path, project: str) -> tuple[str, ...]:
    """What makes dbt build incremental tables whole, if they are another version's work.

    A warehouse without any is this version's from the start.
    """
    if project in _done(warehouse_path, "project"):
        return ()
    if _rows(warehouse_path, "from duckdb_tables() where schema_name = 'staging'"):
        return ("--full-refresh",)
    _record(warehouse_path, "project", [project])
    return ()


def _prepare(warehouse_path: Path) -> None:
    """Makes the tables that steps are written to and models read from, and erases who asked."""
    with warehouse.opened(warehouse_path) as connection:
        warehouse.create_tables(connection)
        audit.catch_up(connection)
    erasure.erase(warehouse_path)


class _History:
    """Keeps the history of every batch that landed, from what was known after it.

    Args:
        now: dbt on the raw tables.
        then: dbt on the views of `ingest.known`.
        warehouse_path: The DuckDB file.
    """

    def __init__(self, now: Dbt, then: Dbt, warehouse_path: Path) -> None:
        self._now = now
        self._then = then
        self._warehouse_path = warehouse_path
        self._last: Dbt | None = None

    def keep(self, *, but_newest: bool = False) -> None:
        """Takes the snapshots that are missing, oldest batch first.

        A batch that landed after a later one had its history kept comes too late for one of its
        own; the next snapshot shows what it changed.

        Args:
            but_newest: Leave the newest batch to the build, which takes its snapshot too.
        """
        done = _done(self._warehouse_path, "snapshot")
        missing = _without_history(self._warehouse_path)
        newest = missing[-1:]
        for batch_id in missing:
            if batch_id > max(done, default="") and not (but_newest and [batch_id] == newest):
                self._take(batch_id, is_newest=[batch_id] == newest)
        known.forget(self._warehouse_path)
        _record(self._warehouse_path, "snapshot", missing[:-1] if but_newest else missing)

    def _take(self, batch_id: str, *, is_newest: bool) -> None:
        dbt = self._now if is_newest else self._then
        if not is_newest:
            known.show(self._warehouse_path, batch_id)
        with _timed("snapshot") as done:
            done.append(dbt.keep_history(has_views=dbt is self._last))
        self._last = dbt


def _without_history(warehouse_path: Path) -> list[str]:
    """The batches that landed since the last snapshot, in order."""
    landed = {str(key) for (key,) in _rows(warehouse_path, "select batch_id from batches")}
    return sorted(landed - _done(warehouse_path, "snapshot"))


@contextmanager
def _timed(step: str) -> Iterator[list[str]]:
    started = time.monotonic()
    done: list[str] = []
    yield done
    print(f"{step:<10}  {time.monotonic() - started:.1f} s: {', '.join(done)}", flush=True)


def _done(warehouse_path: Path, step: str) -> set[str]:
    steps = _rows(warehouse_path, "select key from build_steps where step = ?", step)
    return {str(key) for (key,) in steps}


def _record(warehouse_path: Path, step: str, keys: Iterable[str]) -> None:
    with warehouse.opened(warehouse_path) as connection:
        connection.execute("use raw_audit")
        if step in {"build", "project"}:
            connection.execute("delete from build_steps where step = ?", [step])
        for key in keys:
            connection.execute("insert into build_steps values (?, ?)", [step, key])


def _rows(warehouse_path: Path, query: str, *values: str) -> list[tuple[object, ...]]:
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        connection.execute("use raw_audit")
        return connection.execute(query, values).fetchall()


def _fingerprint(warehouse_path: Path, project: str) -> str:
    """What the marts are a function of: the files that landed, and the project."""
    landed = _rows(
        warehouse_path,
        "select batch_id, source_file, sha256, cast(loaded_at as varchar) from files"
        " where status = 'landed' order by all",
    )
    return hashlib.sha256(json.dumps([project, landed]).encode()).hexdigest()


def _project_digest(variables: str) -> str:
    """What the work on the files is a function of: the project's own files and its variables."""
    digest = hashlib.sha256(variables.encode())
    for path in _project_files():
        digest.update(f"\0{path.relative_to(PROJECT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _project_files() -> list[Path]:
    return [
        *(PROJECT / name for name in ("dbt_project.yml", "profiles.yml")),
        *sorted(
            path
            for folder in _PROJECT_FOLDERS
            for path in (PROJECT / folder).rglob("*")
            if path.suffix in _PROJECT_SUFFIXES
        ),
    ]
