"""The project's dbt, run in this process, which parses the project once for all commands."""

import gc
import logging
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.base_types import EventMsg

from ingest.errors import IngestError
from ingest.load import WarehouseError, warehouse
from ingest.progress import Progress

PROJECT = Path(__file__).resolve().parents[3]

# The snapshots with all their ancestors; views and seeds built for one batch serve the next. The
# artifacts are those of the build that follows.
_HISTORY = (
    *("--select", "+resource_type:snapshot", "--no-write-json"),
    *("--exclude-resource-type", "test", "unit_test"),
)
_HISTORY_AGAIN = (*_HISTORY, "seed", "--exclude", "config.materialized:view")

# The parsed project, by everything that parsing depends on.
manifests: dict[tuple[Path, str, str], Manifest] = {}

_BUILT = (NodeType.Model, NodeType.Seed, NodeType.Snapshot)
_TESTS = (NodeType.Test, NodeType.Unit)


class BuildError(IngestError):
    """A step failed; dbt has printed the details."""


class Dbt:
    """The project's dbt. A process parses the project once, whatever warehouse it is for.

    Args:
        warehouse_path: The DuckDB file.
        variables: dbt variables as YAML.
        raw_schemas: The prefix of the raw schemas' names.
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
        is_inside = warehouse_path.is_relative_to(PROJECT)
        self._environment = {
            # As the profile has it by default. dbt parses the whole project again for another path.
            "WAREHOUSE_PATH": str(
                warehouse_path.relative_to(PROJECT) if is_inside else warehouse_path
            ),
            "RAW_SCHEMAS": raw_schemas,
            # Unit tests check the project, not the data; `make test` runs them.
            "DBT_EXCLUDE_RESOURCE_TYPES": os.environ.get("DBT_EXCLUDE_RESOURCE_TYPES", "unit_test"),
        }
        self._project_options = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        # Colours are control characters, which the command line writes as escapes.
        self._project_options += ["--vars", variables, "--no-use-colors"]
        if threads := os.environ.get("DBT_THREADS"):
            self._project_options += ["--threads", threads]
        # The database is named after the warehouse's file, and the manifest contains its name.
        self._parsed_as = (PROJECT, warehouse_path.stem, variables)

    def parse(self) -> Manifest:
        """Parses the project unless this process has done so, for whatever raw schemas.

        Raises:
            BuildError: dbt cannot read the project.
        """
        if self._manifest is None:
            # Every command that builds writes the manifest again when it ends.
            command = ("parse", "--no-write-json")
            with _without_collection():
                try:
                    project = self._invoke("none", *command).result
                except BuildError:
                    # Partial parsing can miss nodes after many renames, as in an upgrade.
                    project = self._invoke("error", *command, "--no-partial-parse").result
            if not isinstance(project, Manifest):
                raise BuildError("dbt cannot read the project; `dbt parse` reports why")
            manifests[self._parsed_as] = project
            # The project is a million objects that live on, which each collection would visit.
            gc.collect()
            gc.freeze()
        project = manifests[self._parsed_as]
        # Parsing for other schemas would take as long again, and nothing else depends on them.
        for source in project.sources.values():
            before, _, name = source.schema.partition("_")
            source.schema = f"{self.raw_schemas}_{name}"
            source.relation_name = str(source.relation_name).replace(
                f'"{before}_{name}"', f'"{source.schema}"'
            )
        return project

    def run(self, *arguments: str) -> str:
        """Runs a command; dbt prints its own warnings and errors, or what `DBT_LOG_LEVEL` asks for.

        Returns:
            What was built, such as `58 models, 412 tests`.

        Raises:
            BuildError: The command failed.
            WarehouseError: The warehouse file is damaged or in use.
        """
        self.parse()
        log_level = os.environ.get("DBT_LOG_LEVEL", "warn")
        done = self._invoke(log_level, *arguments, *self.options).result
        results = done.results if isinstance(done, RunExecutionResult) else []
        kinds = Counter(str(result.node.resource_type).replace("_", " ") for result in results)
        # The hook that records test results.
        del kinds["operation"]
        return ", ".join(f"{count} {kind}{'s'[: count != 1]}" for kind, count in kinds.items())

    def keep_history(self, *, has_views: bool) -> str:
        """Takes the snapshots and rebuilds what they read.

        Args:
            has_views: Whether the views in the warehouse are those that this object built last.
        """
        return self.run("build", *(_HISTORY_AGAIN if has_views else _HISTORY))

    def relations(self) -> set[tuple[str, str]]:
        """Schema and name of every table and view that the project defines.

        Returns:
            The relations of models, seeds, snapshots and stored test failures; empty before the
            first `run`.
        """
        nodes = self._manifest.nodes.values() if self._manifest else ()
        return {
            (node.schema, node.alias)
            for node in nodes
            if node.resource_type in _BUILT
            or (node.resource_type in _TESTS and node.config.get("store_failures"))
        }

    def continued(self) -> set[str]:
        """The relations that a run adds to: incremental models and snapshots, as `schema.name`."""
        nodes = self._manifest.nodes.values() if self._manifest else ()
        return {
            f"{node.schema}.{node.alias}"
            for node in nodes
            if node.resource_type == NodeType.Snapshot
            or (node.resource_type == NodeType.Model and node.config.materialized == "incremental")
        }

    @property
    def _manifest(self) -> Manifest | None:
        return manifests.get(self._parsed_as)

    def _invoke(self, log_level: str, *arguments: str) -> dbtRunnerResult:
        os.environ.update(self._environment)
        if arguments[0] == "parse":
            # If it is set here and not for dbt alone, either parses again what the other has read.
            del os.environ["RAW_SCHEMAS"]
        try:
            with quiet_when_interrupted(), nodes_counted(arguments[0]) as callbacks:
                done = dbtRunner(self._manifest, callbacks).invoke(
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
            # dbt keeps the warehouse open for its next command, which would block the loader.
            DuckDBConnectionManager.close_all_connections()
            # dbt opens its log again for each command and never closes it.
            for handler in logging.getLogger("file_log").handlers:
                handler.close()
        if not done.success:
            self._raise(arguments[0], done)
        return done

    def _raise(self, command: str, done: dbtRunnerResult) -> None:
        if isinstance(done.exception, KeyboardInterrupt | OSError):
            raise done.exception
        said = _messages(done)
        if warehouse.is_damage(said) or warehouse.is_in_use(said):
            raise WarehouseError(warehouse.failure(self._warehouse_path, said))
        raise BuildError(f"dbt {command} failed; logs/dbt.log has the details")


@contextmanager
def nodes_counted(command: str) -> Iterator[list[Callable[[EventMsg], None]]]:
    """A progress bar of a dbt command by the nodes that are done, as callbacks for dbt."""
    progress = Progress(f"dbt {command}", 1, quiet=False)

    def count(event: EventMsg) -> None:
        # dbt numbers each node when it begins, and reports when it ends or is skipped.
        if event.info.name == "LogStartLine":
            progress.expect(event.data.total)
        elif event.info.name in {"NodeFinished", "SkippingDetails"}:
            progress.advance(1)

    # Reading the project comes first and cannot be counted.
    progress.advance(0)
    try:
        yield [count] if progress.is_shown else []
    finally:
        progress.close()


@contextmanager
def quiet_when_interrupted() -> Iterator[None]:
    """Keeps dbt from printing stack traces, and everything it would print after Ctrl-C.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed. If it met code of dbt or DuckDB that catches
            everything, they report a node that failed.
    """
    is_interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal is_interrupted
        is_interrupted = True
        signal.default_int_handler(number, frame)

    def is_shown(record: logging.LogRecord) -> bool:
        return not is_interrupted and "Traceback (most recent call last)" not in record.getMessage()

    before = signal.getsignal(signal.SIGINT)
    is_heard = (
        before is signal.default_int_handler
        and threading.current_thread() is threading.main_thread()
    )
    if is_heard:
        signal.signal(signal.SIGINT, interrupt)
    console = logging.getLogger("stdout_log")
    console.addFilter(is_shown)
    try:
        yield
    finally:
        console.removeFilter(is_shown)
        if is_heard:
            signal.signal(signal.SIGINT, before)
    if is_interrupted:
        raise KeyboardInterrupt


@contextmanager
def _without_collection() -> Iterator[None]:
    """Stops the search for cyclic garbage: parsing keeps what it allocates, and leaves little."""
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()


def _messages(done: dbtRunnerResult) -> str:
    """The messages of a failed command, node by node."""
    results = done.result.results if isinstance(done.result, RunExecutionResult) else []
    return "\n".join([str(done.exception or ""), *(str(one.message or "") for one in results)])
