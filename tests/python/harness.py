"""Runs the project the way a person does and reads what comes of it."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import duckdb

from ingest.cli import main

PROJECT = Path(__file__).resolve().parents[2]
VENDOR = PROJECT.parent / "shared" / "vendor"
_PATHS = {"EXTRACTS_PATH", "MARTS_PATH", "WAREHOUSE_PATH"}
# Marts with figures over all accounts beside those of one, and which rows have none of them.
_SUMMED = {
    "finance.fct_balance_transactions": "account_id is not null",
    # Every lifetime is that of the account's segment.
    "product.fct_account_ltv": "false",
}

Row = tuple[object, ...]


def ingest(
    *arguments: object, cwd: Path = PROJECT, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m ingest`, a process of its own, and returns its output and exit code."""
    return subprocess.run(
        [sys.executable, "-m", "ingest", *map(str, arguments)],
        cwd=cwd,
        env={
            **{name: value for name, value in os.environ.items() if name not in _PATHS},
            **(settings or {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def ingest_here(
    *arguments: object, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs an `ingest` command in this process, without the time that another takes to start."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, settings or {}),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = main([str(argument) for argument in arguments])
    return subprocess.CompletedProcess((), code, out.getvalue(), err.getvalue())


def expect(code: int, done: subprocess.CompletedProcess[str]) -> str:
    """The output of a command that must end with this code; shown whole when it does not."""
    output = done.stdout + done.stderr
    assert done.returncode == code, f"exit code {done.returncode}, not {code}:\n{output}"
    return output


def batches(extracts: Path) -> list[Path]:
    """The batch folders of an extracts folder, in load order."""
    return sorted(path for path in extracts.iterdir() if path.is_dir() and path.name[0] not in "._")


@contextmanager
def opened(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, read-only."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        yield connection


def rows(warehouse: Path, query: str, *values: object) -> list[Row]:
    """All rows of a query."""
    with opened(warehouse) as connection:
        return connection.execute(query, values).fetchall()


def marts(warehouse: Path) -> list[str]:
    """Every mart as `schema.table`."""
    found = rows(
        warehouse,
        """
        select table_schema || '.' || table_name
        from information_schema.tables
        where table_schema in ('shared', 'finance', 'sales', 'product')
        order by all
        """,
    )
    return [str(name) for (name,) in found]


def differences(
    one: Path, other: Path, *, but_accounts: Collection[str] = ()
) -> dict[str, list[Row]]:
    """The marts that are not equal row for row in two warehouses, with a few rows of each.

    Columns about loading (`_…`) are left out. So are the rows of `but_accounts`; marts that sum
    over accounts are then not compared.
    """
    found: dict[str, list[Row]] = {}
    with opened(one) as connection:
        connection.execute(f"attach '{other}' as other (read_only)")
        for mart in marts(one):
            columns = [name for (name, *_) in connection.execute(f"describe {mart}").fetchall()]
            if but_accounts and "account_id" not in columns:
                continue
            only = _SUMMED.get(mart, "true") if but_accounts else "true"
            chosen = ", ".join(f'"{name}"' for name in columns if not name.startswith("_"))
            there = f"select {chosen} from other.{mart} where {only}"
            here = f"select {chosen} from {mart} where {only}"
            if but_accounts:
                listed = ", ".join(f"'{account_id}'" for account_id in but_accounts)
                here += f" and coalesce(account_id, '') not in ({listed})"
                there += f" and coalesce(account_id, '') not in ({listed})"
            digest = f"select count(*), bit_xor(hash(row({chosen}))), sum(hash(row({chosen}))) from"
            (ours,), (theirs,) = (
                connection.execute(f"{digest} ({side})").fetchall() for side in (here, there)
            )
            # Comparing row by row takes ten times as long.
            if ours == theirs:
                continue
            apart = connection.execute(
                f"(select 'only here', * from ({here} except all {there}) limit 3) union all"
                f" (select 'only there', * from ({there} except all {here}) limit 3)"
            ).fetchall()
            if apart:
                found[mart] = apart
    return found


def git(project: Path, *arguments: str) -> str:
    """Runs git under a placeholder identity and returns its output."""
    person = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    done = subprocess.run(
        ["git", *person, *arguments], cwd=project, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def clone(project: Path) -> Path:
    """The project as it is on disk, in a repository of its own with one commit on `main`."""
    project.mkdir(parents=True)
    listed = git(PROJECT, "ls-files", "--cached", "--others", "--exclude-standard")
    for name in listed.splitlines():
        if (PROJECT / name).is_file():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, project / name)
    git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message=Begin")
    return project


def place_base(project: Path, extracts: Path, warehouse: Path) -> Path:
    """Gives a clone, as what `make diff` built of its commit, a warehouse that is built already.

    Returns:
        The folder of what was built.
    """
    base = project / "data/diff" / f"base-{git(project, 'rev-parse', 'HEAD')[:12]}"
    base.mkdir(parents=True)
    (base / "extracts").symlink_to(extracts)
    shutil.copy2(warehouse, base / "warehouse.duckdb")
    shutil.copytree(warehouse.parent / "target", base / "target")
    return base
