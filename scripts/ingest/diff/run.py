"""What a change does to the warehouse: builds a base and the working tree, and compares them.

Both are built from the same extracts. The base is built in full, once per commit. The working tree
is built in a copy of the base's warehouse: only what differs and what depends on it.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.build import PROJECT
from ingest.diff.compare import compare
from ingest.diff.report import markdown, unreadable
from ingest.diff.side import Side
from ingest.errors import IngestError, UsageError

# Sources that turn extracts into raw tables; dbt's state does not cover them.
_LOADER = ("load", "catalog", "build")
_NOT_PASSED_ON = {"EXTRACTS_PATH", "MARTS_PATH", "WAREHOUSE_PATH", "PYTHONPATH", "RAW_SCHEMAS"}
_INGEST = ("-m", "ingest")
_DBT = ("-c", "from dbt.cli.main import cli; cli()")
# Tests run afterwards, so that a failing one does not hide what the change does.
_WITHOUT_TESTS = {"DBT_EXCLUDE_RESOURCE_TYPES": "test unit_test"}


class BaseError(IngestError):
    """The base cannot be built."""


class UnreadableError(IngestError):
    """dbt cannot read the working tree; the message is dbt's own."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Whether a command succeeded, and its output if that was captured."""

    is_good: bool
    output: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a built project keeps its files.

    Attributes:
        project: the root of its sources.
        folder: the warehouse and dbt's artifacts.
    """

    project: Path
    folder: Path

    @property
    def warehouse(self) -> Path:
        """The DuckDB file. Views refer to its name, so copies keep it."""
        return self.folder / "warehouse.duckdb"

    @property
    def target(self) -> Path:
        """Where dbt leaves its artifacts."""
        return self.folder / "target"

    def run(
        self,
        *arguments: object,
        settings: Mapping[str, str] | None = None,
        is_quiet: bool = False,
    ) -> _Run:
        """Run Python on this project; its output is captured if quiet, otherwise shown."""
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.project,
            env={
                **{name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON},
                "PYTHONPATH": str(self.project / "scripts"),
                "WAREHOUSE_PATH": str(self.warehouse),
                "DBT_TARGET_PATH": str(self.target),
                "DBT_LOG_PATH": str(self.folder / "logs"),
                "DBT_USE_COLORS": "false",
                **(settings or {}),
            },
            stdout=subprocess.PIPE if is_quiet else sys.stderr,
            text=True,
            check=False,
        )
        return _Run(done.returncode == 0, done.stdout or "")


@dataclass(frozen=True, slots=True)
class _Head:
    """The working tree's build.

    Attributes:
        changed: dbt's ids of what differs from the base.
        is_loader_changed: everything was loaded and built again.
        is_complete: the build succeeded.
    """

    changed: set[str]
    is_loader_changed: bool
    is_complete: bool


def diff(base: str, extracts_path: Path | None, results: Path = PROJECT / "data/diff") -> int:
    """Write the report to standard output and `report.md`; return the exit code.

    Args:
        base: a git reference; the working tree is compared with the commit where it branched off.
        extracts_path: a folder of batches; without one, the tiny company that the base generates.
        results: the folder for both warehouses and the report.

    Returns:
        0 if everything was built and all tests passed, 1 if something failed.

    Raises:
        UsageError: git does not know the base, or the extracts do not exist.
        BaseError: git is not installed, or the base cannot be built.
    """
    commit = _commit(base)
    before, extracts = _built_base(commit, extracts_path, results)
    title = commit[:7] if commit.startswith(base) else f"{base} ({commit[:7]})"
    after = _Place(PROJECT, results / "head")
    try:
        head = _built_head(before, after, extracts)
        compared = compare(
            Side.read(before.warehouse, before.target),
            Side.read(after.warehouse, after.target),
            head.changed,
            is_loader_changed=head.is_loader_changed,
            is_complete=head.is_complete,
        )
        report, is_sound = markdown(compared, title), compared.is_sound
    except UnreadableError as error:
        report, is_sound = unreadable(str(error), title), False
    (results / "report.md").write_text(report, encoding="utf-8")
    print(report)
    return 0 if is_sound else 1


def _commit(base: str) -> str:
    """The commit where the working tree branched off, so that later merges are no difference."""
    done = _git("merge-base", "--end-of-options", base, "HEAD")
    if done.returncode:
        raise UsageError(
            f"git finds no common commit with {base!r}; name a branch or commit with BASE=<ref>"
        )
    return done.stdout.decode().strip()


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", *arguments],  # noqa: S607
            cwd=PROJECT,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BaseError(
            "git is not installed or not on the PATH; `ingest diff` needs it"
        ) from error


def _built_base(commit: str, extracts_path: Path | None, results: Path) -> tuple[_Place, Path]:
    """The base, built, and the extracts that both sides are built from."""
    own = extracts_path.resolve() if extracts_path else None
    suffix = f"-{hashlib.sha256(str(own).encode()).hexdigest()[:8]}" if own else ""
    folder = results / f"base-{commit[:12]}{suffix}"
    place = _Place(folder / "project", folder)
    if not place.project.exists():
        _unpack(commit, place.project)
    extracts = own or folder / "extracts"
    if not extracts.exists():
        if own:
            raise UsageError(f"{extracts_path} does not exist; name a folder of batches")
        partial = folder / "extracts.partial"
        shutil.rmtree(partial, ignore_errors=True)
        if not place.run(*_INGEST, "generate", "--scale", "tiny", "--out", partial).is_good:
            raise BaseError(f"the base {commit[:7]} cannot generate its sample company; see above")
        partial.rename(extracts)
    if not _build(place, extracts).is_good:
        raise BaseError(f"the base {commit[:7]} does not build; see above, or name another BASE")
    return place, extracts


def _build(place: _Place, extracts: Path, settings: Mapping[str, str] | None = None) -> _Run:
    places = ("--extracts", extracts, "--warehouse", place.warehouse)
    return place.run(*_INGEST, "build", *places, settings=settings)


def _unpack(commit: str, project: Path) -> None:
    """Writes the project as of a commit, without a worktree that git would have to track."""
    archived = _git("archive", "--format=tar", commit)
    if archived.returncode:
        reason = archived.stderr.decode().strip().splitlines()[-1:]
        raise BaseError(f"git cannot read the base {commit[:7]}: {''.join(reason)}")
    partial = project.with_name("project.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as files:
        files.extractall(partial, filter="data")
    partial.rename(project)


def _built_head(before: _Place, after: _Place, extracts: Path) -> _Head:
    """Builds what differs and what depends on it.

    Raises:
        UnreadableError: dbt cannot read the working tree.
    """
    _cleared(after)
    state = ("--state", before.target)
    shown = ("--indirect-selection", "empty", "--output", "json", "--output-keys", "unique_id")
    command = (*_DBT, "--quiet", "ls", "--select", "state:modified", *state, *shown)
    listed = after.run(*command, is_quiet=True)
    if not listed.is_good:
        # Partial parsing can miss nodes after many renames.
        listed = after.run(*command, "--no-partial-parse", is_quiet=True)
    if not listed.is_good:
        raise UnreadableError(listed.output)
    changed = {
        json.loads(line)["unique_id"] for line in listed.output.splitlines() if line[:1] == "{"
    }
    is_loader_changed = _loader(after.project) != _loader(before.project)
    if not changed and not is_loader_changed:
        shutil.copy2(before.warehouse, after.warehouse)
        return _Head(changed, False, True)
    chosen = () if is_loader_changed else ("--defer", "--select", "state:modified+", *state)
    if is_loader_changed:
        built = _build(after, extracts, _WITHOUT_TESTS)
    else:
        shutil.copy2(before.warehouse, after.warehouse)
        # Incremental models are rebuilt: without new rows they would keep their old results.
        options = ("--log-level", "warn", "build", "--full-refresh", *chosen)
        built = after.run(*_DBT, *options, settings=_WITHOUT_TESTS)
    results = after.target / "run_results.json"
    if results.exists():
        results.rename(after.target / "build_results.json")
    tested = after.run(*_DBT, "--log-level", "warn", "test", *chosen)
    return _Head(changed, is_loader_changed, built.is_good and tested.is_good)


def _cleared(place: _Place) -> None:
    """Removes an earlier build, but for what dbt has parsed: it parses again what has changed."""
    parsed = place.target / "partial_parse.msgpack"
    kept = parsed.read_bytes() if parsed.exists() else b""
    shutil.rmtree(place.folder, ignore_errors=True)
    place.target.mkdir(parents=True)
    if kept:
        parsed.write_bytes(kept)


def _loader(project: Path) -> Mapping[str, bytes]:
    """The loader's sources, by name."""
    package = project / "scripts/ingest"
    found = [path for pattern in _LOADER for path in package.glob(pattern)]
    files = [file for path in found for file in ([path] if path.is_file() else path.rglob("*.py"))]
    return {str(file.relative_to(package)): file.read_bytes() for file in files}
