"""From extracts to marts: batches loaded, history kept between them, models built and published.

These are three steps, `batches`, `models` and `publish`. An orchestrator may run one at a time.

Finished steps are recorded in the warehouse itself (`raw_audit.build_steps`), so a run that was cut
short continues where it stopped, and a run with nothing new does nothing. The same table records
the relations that the project defined, so that the next build can drop those of removed models.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from ingest.build import known, orphans, publish, upgrade
from ingest.build.dbt import PROJECT, BuildError, Dbt
from ingest.errors import UsageError
from ingest.load import (
    NothingUsableError,
    audit,
    discover,
    erasure,
    load_batches,
    pending,
    warehouse,
)
from ingest.load.commands import answer, print_beside, summary

_PROJECT_FOLDERS = ("macros", "models", "seeds", "snapshots", "tests")
# Steps of which the warehouse keeps only the last record. Three are no steps but describe the last
# successful build: the relations that the project defined, the columns of those that a run adds to
# (`shape`), and the project's version.
_REPLACED = {"build", "project", "publish", "relation", "shape", "variables", "version"}
_PROJECT_SUFFIXES = {".csv", ".sql", ".yml"}
STEPS = ("batches", "models", "publish")


def build(
    extracts_path: Path,
    warehouse_path: Path,
    variables: str = "{}",
    *,
    full: bool = False,
    marts_path: Path | None = None,
    has_personal_data: bool = False,
    steps: Collection[str] = STEPS,
    until: str | None = None,
) -> None:
    """Brings the warehouse up to date: loads, snapshots, builds and publishes what is not done yet.

    Args:
        extracts_path: A folder of batches, or one batch.
        warehouse_path: The DuckDB file; created when absent.
        variables: dbt variables as YAML.
        full: Declare that the pending batches are full exports.
        marts_path: The file to publish the marts to; `warehouse.published` names the default.
        has_personal_data: Publish personal data instead of masking it.
        steps: Which of `STEPS` to do. `models` builds what has landed.
        until: The last batch to load; later ones stay pending.

    Raises:
        UsageError: The extracts path is not a folder or has no batch `until`, or the marts would
            replace another file.
        BuildError: A batch was refused, or dbt failed; or the marts to publish are not up to date.
        IngestError: The marts are built, but a deletion request found no one.
        WarehouseError: The warehouse cannot be opened or written.
    """
    started, now = time.monotonic(), datetime.now(UTC).replace(tzinfo=None)
    # dbt changes the working directory, so relative paths are resolved before it runs.
    paths = (extracts_path.resolve(), warehouse_path.resolve())
    marts_path = (marts_path or warehouse.published(warehouse_path)).resolve()
    publish.check(paths[1], marts_path)
    # Between its steps no process has the file open, and another build could come in between.
    with warehouse.reserved(paths[1]):
        is_changed = False
        if "batches" in steps or "models" in steps:
            is_changed, fingerprint = _build(*paths, variables, full=full, steps=steps, until=until)
        else:
            fingerprint = _built(paths[1], variables)
        if "publish" in steps:
            dbt = Dbt(paths[1], variables)
            is_changed |= _publish(
                paths[1], marts_path, dbt, fingerprint, has_personal_data=has_personal_data
            )
        seconds = f" after {time.monotonic() - started:.1f} s" if is_changed else ": nothing to do"
        part = "" if set(steps) == set(STEPS) else f" ({', '.join(steps)})"
        print(f"{warehouse_path}{part} is up to date{seconds}")
        # An unanswered request fails the last step only: the marts are published before.
        answer(paths[1], now, is_last="publish" in steps)


def build_part(
    warehouse_path: Path,
    selector: str,
    variables: str = "{}",
    *,
    before: Callable[[], None],
    marts_path: Path | None = None,
    has_personal_data: bool = False,
) -> None:
    """Writes raw data that is no extract, builds what reads it, and publishes the marts.

    Args:
        warehouse_path: The DuckDB file, built.
        selector: What dbt builds.
        variables: dbt variables as YAML, those of the build.
        before: Writes the data.
        marts_path: The file to publish the marts to; `warehouse.published` names the default.
        has_personal_data: Publish personal data instead of masking it.

    Raises:
        BuildError: The warehouse is not up to date with the project, or dbt failed.
        WarehouseError: The warehouse cannot be opened or written.
    """
    warehouse_path = warehouse_path.resolve()
    marts_path = (marts_path or warehouse.published(warehouse_path)).resolve()
    publish.check(warehouse_path, marts_path)
    with warehouse.reserved(warehouse_path):
        fingerprint = _built(warehouse_path, variables)
        before()
        dbt = Dbt(warehouse_path, variables)
        with _timed("build") as done:
            done.append(dbt.run("build", "--select", selector))
        # A run of dbt ends the step, which holds again.
        _record(warehouse_path, build=[fingerprint])
        _publish(warehouse_path, marts_path, dbt, fingerprint, has_personal_data=has_personal_data)


def _built(warehouse_path: Path, variables: str) -> str:
    """What the marts depend on.

    Raises:
        BuildError: They are not built from it.
    """
    _prepare(warehouse_path)
    fingerprint = _fingerprint(warehouse_path, _project_digest(variables))
    if fingerprint not in _done(warehouse_path, "build"):
        raise BuildError(f"{warehouse_path} is not up to date; `make build` brings it up to date")
    return fingerprint


def _waiting(extracts_path: Path, warehouse_path: Path, until: str | None) -> list[str]:
    """The pending batches up to and with one of them, in order."""
    if warehouse_path.exists():
        with warehouse.opened(warehouse_path) as connection:
            # Those of an older version lack tables and columns that are read below.
            warehouse.create_tables(connection)
    try:
        waiting = pending(extracts_path, warehouse_path)
        print_beside(extracts_path)
    except NothingUsableError as error:
        if until is not None:
            raise
        # Without any source all tables are empty, as they are for one absent source.
        print(f"{error}; nothing was loaded")
        waiting = []
    if until is None:
        return waiting
    in_order = [batch.batch_id for batch in discover(extracts_path)]
    if until not in in_order:
        raise UsageError(f"{extracts_path} has no batch {until}")
    return [batch_id for batch_id in in_order[: in_order.index(until) + 1] if batch_id in waiting]


def _build(
    extracts_path: Path,
    warehouse_path: Path,
    variables: str,
    *,
    full: bool,
    steps: Collection[str],
    until: str | None,
) -> tuple[bool, str]:
    """Loads and builds what is not done yet.

    Returns:
        Whether there was anything, and what the marts depend on.
    """
    waiting = _waiting(extracts_path, warehouse_path, until) if "batches" in steps else []
    _prepare(warehouse_path)
    project = _project_digest(variables)
    before = upgrade.shapes(warehouse_path)
    again = _again(warehouse_path, project, before)
    dbt = Dbt(warehouse_path, variables, options=again)
    history = _History(dbt, Dbt(warehouse_path, variables, known.SCHEMAS, again), warehouse_path)
    for batch_id in waiting:
        # A batch may overwrite records of the one before it.
        history.keep()
        for report in load_batches(extracts_path, warehouse_path, batch_ids=[batch_id], full=full):
            print(summary(report), flush=True)
            if report.status == "refused":
                raise BuildError(f"stopped at batch {batch_id}, which was refused; see above")
    if until is not None and until not in _landed(warehouse_path):
        raise BuildError(f"batch {until} did not land; see above")
    missing = _without_history(warehouse_path)
    history.keep(but_newest="models" in steps)
    fingerprint = _fingerprint(warehouse_path, project)
    if "models" not in steps:
        return bool(waiting or missing), fingerprint
    if fingerprint in _done(warehouse_path, "build"):
        return False, fingerprint
    with _timed("build") as done:
        done.append(dbt.run("build"))
    relations = dbt.relations()
    if dropped := orphans.drop(warehouse_path, relations, _done(warehouse_path, "relation")):
        print(f"{'dropped':<10}  no model builds them any more: {', '.join(dropped)}", flush=True)
    after = upgrade.shapes(warehouse_path, dbt.continued())
    if changed := upgrade.changes(before, after):
        print(f"{'changed':<10}  columns of {'; '.join(changed)}", flush=True)
    _record(
        warehouse_path,
        shape=upgrade.recorded(after),
        version=[upgrade.version()],
        relation=sorted(f"{schema}.{name}" for schema, name in relations),
        snapshot=_without_history(warehouse_path),
        project=[project],
        variables=[_given(variables)],
        build=[fingerprint],
    )
    return True, fingerprint


def _publish(
    warehouse_path: Path, marts_path: Path, dbt: Dbt, fingerprint: str, *, has_personal_data: bool
) -> bool:
    """Publishes the marts unless the published copy is of what is built; returns whether it did."""
    # A bare `dbt build` records no step, but the results of its tests.
    runs = _rows(warehouse_path, "select cast(max(invoked_at) as varchar) from test_results")
    made_from = (fingerprint, runs, has_personal_data, os.environ.get("SHARE_KEY"))
    if publish.state(marts_path, made_from) in _done(warehouse_path, "publish"):
        return False
    with _timed("publish") as done:
        marts = publish.publish(
            warehouse_path, marts_path, dbt.parse(), has_personal_data=has_personal_data
        )
        done.append(f"{marts} to {marts_path.name}")
    _record(warehouse_path, publish=[publish.state(marts_path, made_from)])
    return True


def _again(warehouse_path: Path, project: str, shapes: upgrade.Shapes) -> tuple[str, ...]:
    """The option that rebuilds incremental tables if another version of the project built them.

    A warehouse in which nothing is built takes this version as its first.

    Args:
        warehouse_path: The DuckDB file.
        project: The digest of the project.
        shapes: The columns of all tables that are built.
    """
    changed = upgrade.changes(upgrade.read(_done(warehouse_path, "shape")), shapes)
    if project in _done(warehouse_path, "project") and not changed:
        return ()
    if not upgrade.is_built(warehouse_path):
        _record(warehouse_path, project=[project])
        return ()
    since, now = "".join(_done(warehouse_path, "version")), upgrade.version()
    reason = "the project or its variables changed"
    if since != now:
        older = f"version {since}" if since else "a version before 1.0.0"
        reason = f"{older} built this warehouse, and this is {now}"
    elif changed:
        reason = f"they have other columns than this version's: {'; '.join(changed)}"
    step = "upgrade" if since != now else "rebuild"
    print(f"{step:<10}  incremental tables are rebuilt: {reason}", flush=True)
    for note in upgrade.notes(since) if since != now else ():
        print(f"{'':<10}  {note}", flush=True)
    # Whatever built the tables, it was not the build that is recorded.
    _record(warehouse_path, build=[])
    return ("--full-refresh",)


def _prepare(warehouse_path: Path) -> None:
    """Creates the raw and audit tables, and erases the people listed in the deletion requests."""
    with warehouse.opened(warehouse_path) as connection:
        warehouse.create_tables(connection)
        audit.catch_up(connection)
    erasure.erase(warehouse_path)


class _History:
    """Takes one snapshot per batch that landed, from the raw rows up to and with that batch.

    Args:
        now: dbt on the raw tables.
        then: dbt on the views of `ingest.build.known`.
        warehouse_path: The DuckDB file.
    """

    def __init__(self, now: Dbt, then: Dbt, warehouse_path: Path) -> None:
        self._now = now
        self._then = then
        self._warehouse_path = warehouse_path
        self._last: Dbt | None = None

    def keep(self, *, but_newest: bool = False) -> None:
        """Takes the snapshots that are missing, oldest batch first.

        A batch that lands after the snapshot of a later one gets no snapshot of its own; the next
        snapshot includes its changes.

        Args:
            but_newest: Leave the newest batch to the build, which takes that snapshot itself.
        """
        missing = _without_history(self._warehouse_path)
        taken = missing[:-1] if but_newest else missing
        if not taken:
            return
        last = max(_done(self._warehouse_path, "snapshot"), default="")
        for batch_id in taken:
            if batch_id > last:
                self._take(batch_id, is_newest=batch_id == missing[-1])
        known.forget(self._warehouse_path)
        _record(self._warehouse_path, snapshot=taken)

    def _take(self, batch_id: str, *, is_newest: bool) -> None:
        dbt = self._now if is_newest else self._then
        if not is_newest:
            known.show(self._warehouse_path, batch_id)
        with _timed("snapshot") as done:
            done.append(dbt.keep_history(has_views=dbt is self._last))
        self._last = dbt


def _without_history(warehouse_path: Path) -> list[str]:
    """The batches that landed and have no snapshot yet, in order."""
    return sorted(_landed(warehouse_path) - _done(warehouse_path, "snapshot"))


def _landed(warehouse_path: Path) -> set[str]:
    return {str(key) for (key,) in _rows(warehouse_path, "select batch_id from batches")}


@contextmanager
def _timed(step: str) -> Iterator[list[str]]:
    started = time.monotonic()
    done: list[str] = []
    yield done
    print(f"{step:<10}  {time.monotonic() - started:.1f} s: {', '.join(done)}", flush=True)


def _done(warehouse_path: Path, step: str) -> set[str]:
    steps = _rows(warehouse_path, "select key from build_steps where step = ?", step)
    return {str(key) for (key,) in steps}


def _record(warehouse_path: Path, **steps: Iterable[str]) -> None:
    with warehouse.opened(warehouse_path) as connection:
        connection.execute("use raw_audit")
        connection.begin()
        for step, keys in steps.items():
            if step in _REPLACED:
                connection.execute("delete from build_steps where step = ?", [step])
            connection.execute(
                "insert into build_steps select ?, unnest(cast(? as varchar[]))", [step, [*keys]]
            )
        connection.commit()


def _rows(warehouse_path: Path, query: str, *values: str) -> list[tuple[object, ...]]:
    with warehouse.opened(warehouse_path, read_only=True) as connection:
        connection.execute("use raw_audit")
        return connection.execute(query, values).fetchall()


def _fingerprint(warehouse_path: Path, project: str) -> str:
    """A digest of everything that determines the marts: the landed files and the project."""
    landed = _rows(
        warehouse_path,
        "select batch_id, source_file, sha256, cast(loaded_at as varchar) from files"
        " where status = 'landed' order by all",
    )
    full = _rows(warehouse_path, "select batch_id from batches where is_full_export order by all")
    return hashlib.sha256(json.dumps([project, landed, full]).encode()).hexdigest()


def _project_digest(variables: str) -> str:
    """A digest of the project's files and variables."""
    digest = hashlib.sha256(variables.encode())
    for path in _project_files():
        digest.update(f"\0{path.relative_to(PROJECT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _given(variables: str) -> str:
    """The variables as `macros/run_variables.sql` writes them."""
    given = yaml.safe_load(variables) or {}
    return ", ".join(f"{name}: {given[name]}" for name in sorted(given))


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
