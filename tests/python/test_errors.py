"""Every error that a user can cause is one message and an exit code, never a stack trace."""

import contextlib
import errno
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from harness import PROJECT, expect, ingest
from ingest.build.dbt import quiet_when_interrupted
from ingest.cli import main
from ingest.errors import explained
from loading import Loading, customer
from warehouses import seed_parsed


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    loading = Loading(tmp_path)
    loading.write_json("stripe/customers.jsonl", customer(1))
    return loading


def _paths(loading: Loading) -> tuple[str, ...]:
    return ("--extracts", str(loading.extracts), "--warehouse", str(loading.warehouse))


def _message(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a command printed to standard error."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--start", "2026-09-01", "--end", "2026-09-10"], "6 batches do not fit"),
        (["--start", "2026-09-01", "--end", "2026-09-10", "--batches", "1"], "at least 31 days"),
        (["--start", "soon"], "'soon' is not a date"),
        (["--end", "9999-12-31"], "is not between"),
        (["--batches", "0"], "--batches"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_dates_and_numbers_that_cannot_be_simulated(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "extracts")
    assert main(["generate", "--scale", "tiny", "--out", out, *arguments]) == 2
    assert message in _message(capsys)


def test_the_sample_company_replaces_no_batches_of_others(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    path = loading.write("_batch.json", "{}")
    out = str(loading.extracts)
    assert main(["generate", "--scale", "tiny", "--out", out]) == 2
    assert f"{out} holds batches that are not of a sample company" in _message(capsys)
    assert path.exists()


def test_a_file_whose_name_is_not_utf_8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.duckdb")
    assert main(["report", "--warehouse", name]) == 2
    assert "is not UTF-8; name another file" in _message(capsys)


def test_a_misspelt_environment_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCALE", "samll")
    assert main(["bench"]) == 2
    message = _message(capsys)
    assert "SCALE" in message
    assert "'samll' is not one of 'tiny', 'small'" in message


def test_a_folder_that_cannot_be_written(
    loading: Loading, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    short = ("--start", "2026-07-01", "--end", "2026-08-31", "--batches", "1")
    assert main(["generate", "--scale", "tiny", *short, "--out", str(file / "out")]) == 1
    assert str(file) in _message(capsys)
    target = ("--warehouse", str(file / "warehouse.duckdb"))
    assert main(["load", "--extracts", str(loading.extracts), *target]) == 1
    assert f"cannot open {file / 'warehouse.duckdb'}" in _message(capsys)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.EACCES, "data/x: Permission denied; change its permissions or name another path"),
        (errno.ENOSPC, "the disk is full while writing data/x; free some space"),
        (errno.ENOENT, "data/x: No such file or directory; name another path"),
    ],
)
def test_what_the_system_refuses_names_the_file(code: int, message: str) -> None:
    found = explained(OSError(code, os.strerror(code), "data/x"))
    assert found is not None
    assert found[0].startswith(message)
    assert found[1] == 1


def test_a_program_that_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        subprocess.run(["no-such-program"], check=True)
    message = "no-such-program was not found; install it or add its folder to the PATH"
    assert explained(caught.value) == (message, 1)
    with pytest.raises(FileNotFoundError) as caught:
        subprocess.run([sys.executable], cwd=tmp_path / "none", check=True)
    message = f"{tmp_path / 'none'}: No such file or directory; name another path"
    assert explained(caught.value) == (message, 1)


def test_a_defect_keeps_its_stack_trace() -> None:
    assert explained(ZeroDivisionError()) is None
    assert explained(duckdb.InternalException("INTERNAL Error: no such column")) is None


@pytest.mark.parametrize(
    ("statement", "is_defect"),
    [
        ("select no_such_column from (select 1 as a)", True),
        ("selec 1", True),
        ("from no_such_table", False),
        ("select cast('x' as integer)", False),
    ],
)
def test_a_defect_in_our_own_sql_keeps_its_stack_trace(statement: str, is_defect: bool) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as caught:
        connection.execute(statement)
    assert (explained(caught.value) is None) == is_defect


@pytest.mark.parametrize("command", ["load", "status", "build"])
def test_a_database_of_another_program_is_not_opened(
    loading: Loading, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """DuckDB would download an extension for it."""
    with sqlite3.connect(loading.warehouse) as connection:
        connection.execute("create table notes (text)")
    before = loading.warehouse.read_bytes()
    assert main([command, *_paths(loading)]) == 1
    assert f"{loading.warehouse} is not a DuckDB file" in _message(capsys)
    assert loading.warehouse.read_bytes() == before


@pytest.mark.parametrize("command", ["backup", "docs", "report", "share", "query"])
def test_a_database_of_another_program_is_not_read(
    loading: Loading, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(loading.warehouse) as connection:
        connection.execute("create table notes (text)")
    arguments = {
        "docs": ["--out", str(tmp_path / "site")],
        "query": ["select 1"],
        "report": ["--out", str(tmp_path / "report")],
    }
    paths = ("--warehouse", str(loading.warehouse))
    assert main([command, *arguments.get(command, []), *paths]) == 1
    assert f"{loading.warehouse} is not a DuckDB file" in _message(capsys)


@pytest.fixture
def held(loading: Loading) -> Iterator[Loading]:
    """A warehouse that another process writes to."""
    loading.load()
    holds = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", holds, str(loading.warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield loading
    process.communicate(b"\n")


def test_a_query_while_a_build_runs(held: Loading, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "select 1", "--warehouse", str(held.warehouse)]) == 1
    assert f"{held.warehouse} is in use by process" in _message(capsys)


def test_a_query_is_answered_and_changes_nothing(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    loading.load()
    paths = ("--warehouse", str(loading.warehouse))
    assert main(["query", "select id from raw_stripe.customers", *paths]) == 0
    assert "cus_1" in capsys.readouterr().out
    assert main(["query", "drop table raw_stripe.customers", *paths]) == 1
    assert "read-only" in _message(capsys)
    assert main(["query", "selec 1", *paths]) == 1
    assert 'at or near "selec"' in capsys.readouterr().err
    assert main(["query", "select none from raw_stripe.customers", *paths]) == 1
    assert '"none" not found' in capsys.readouterr().err
    assert main(["query", "select 1", "--warehouse", str(loading.extracts / "none.duckdb")]) == 1
    assert "there is no warehouse" in _message(capsys)


def test_a_step_of_the_benchmark_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", "false")
    assert main(["bench", "--scale", "tiny"]) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("`false -m ingest generate")
    assert message.endswith("failed with code 1")


def test_diff_without_git(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["diff"]) == 1
    assert "git is not installed or not on the PATH" in _message(capsys)


def test_diff_with_an_unknown_base(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "no-such-branch"]) == 2
    assert "git finds no common commit with 'no-such-branch'" in _message(capsys)


def test_the_site_replaces_no_folder_of_other_files(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    loading.load()
    paths = ("--warehouse", str(loading.warehouse), "--out", str(loading.extracts))
    assert main(["docs", *paths]) == 2
    assert f"{loading.extracts} holds other files" in _message(capsys)
    assert any(loading.extracts.iterdir())


def test_a_dbt_command_that_fails(loading: Loading) -> None:
    done = ingest("build", *_paths(loading), "--vars", "{")
    output = expect(1, done)
    assert "Traceback" not in output
    assert "The YAML provided in the --vars argument is not valid" in done.stdout
    assert done.stderr == "dbt parse failed; logs/dbt.log has the details\n"


@pytest.mark.parametrize("is_closed", [True, False])
def test_output_that_cannot_be_written(loading: Loading, is_closed: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with Path("/dev/full").open("w") as full, os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "ingest", "status", *_paths(loading)],
            cwd=PROJECT,
            stdout=closed if is_closed else full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    (message,) = done.stderr.splitlines()
    assert message.startswith("standard output was closed" if is_closed else "the disk is full")


_ENDLESS = "select sum(a.range * b.range) from range(1000000) a, range(1000000) b"
# `python -m ingest` that heeds Ctrl-C even where a shell started the tests in the background, which
# makes it and everything below it ignore the signal.
_INTERRUPTIBLE = """
import signal, sys
from ingest.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
"""
# Sends the signal while the query runs; everything before it is imported by then.
_INTERRUPTED_QUERY = """
import os, signal, sys, threading, duckdb
from ingest.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
import ingest.query
threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_during_a_query(loading: Loading) -> None:
    loading.load()
    done = subprocess.run(
        [
            *(sys.executable, "-c", _INTERRUPTED_QUERY),
            *("query", _ENDLESS, "--warehouse", str(loading.warehouse)),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr == "Interrupted. Run the same command again to continue.\n"


def test_ctrl_c_as_duckdb_reports_it() -> None:
    assert explained(RuntimeError("Query interrupted")) == explained(KeyboardInterrupt())
    assert explained(RuntimeError("dictionary changed size during iteration")) is None


def test_ctrl_c_that_dbt_takes_for_a_failure() -> None:
    """The signal meets whatever code runs, and some of it catches every exception."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    swallowed = contextlib.suppress(KeyboardInterrupt)
    try:
        with pytest.raises(KeyboardInterrupt), quiet_when_interrupted(), swallowed:
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_during_a_build(loading: Loading) -> None:
    """Sent while dbt runs, which prints the stack of what it was doing.

    It is called from elsewhere; relative paths are the caller's own.
    """
    target = loading.extracts.parent / "target"
    seed_parsed(target, loading.warehouse)
    paths = {"DBT_LOG_PATH": str(loading.extracts.parent / "logs"), "DBT_TARGET_PATH": str(target)}
    named = ("--extracts", loading.extracts.name, "--warehouse", loading.warehouse.name)
    process = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTIBLE, "build", *named],
        cwd=loading.extracts.parent,
        env={**os.environ, **paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    log = loading.extracts.parent / "logs/dbt.log"
    deadline = time.monotonic() + 120
    while not (log.exists() and "OK created" in log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate()
    assert process.returncode == 130, output + errors
    assert errors == "Interrupted. Run the same command again to continue.\n"
    assert "Traceback" not in output
    assert "CANCEL" not in output
    finished = loading.rows("select step from raw_audit.build_steps where step <> 'project'")
    assert finished == []
    assert loading.rows("select count(*) from raw_stripe.customers") == [(1,)]
    built = "select count(*) > 0 from information_schema.tables where table_schema = 'staging'"
    assert loading.rows(built) == [(True,)]
