"""A load that is killed, finds no room, or finds the warehouse taken; and the one after it."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from harness import expect, ingest
from loading import Loading, customer, track

_KILLED_BEFORE_THE_COMMIT = """
import os, signal, sys
from ingest.load import landing
landing.audit.record = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
from ingest.cli import main
main(sys.argv[1:])
"""

_SMALL_SPOOLS = """
import sys
from ingest.load import spool
spool._SPOOL_LINES = 1000
from ingest.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    loading = Loading(tmp_path)
    loading.write_json(
        "segment/messages.jsonl",
        *(track(n, properties={"noise": os.urandom(500).hex()}) for n in range(5000)),
    )
    loading.write_json("stripe/customers.jsonl", customer(1))
    loading.write_json("stripe/customers.jsonl", customer(2), batch="2026-06-30")
    return loading


def _arguments(loading: Loading) -> list[str]:
    paths = ["--extracts", str(loading.extracts), "--warehouse", str(loading.warehouse)]
    return ["load", *paths]


def _lands_whole(loading: Loading) -> None:
    output = expect(0, ingest(*_arguments(loading)))
    assert output.count("  landed  ") == 2
    assert loading.value("select count(*) from raw_segment.messages") == 5000
    assert loading.value("select count(*) from raw_stripe.customers") == 2
    assert loading.value("select sum(rows_landed) from raw_audit.batches") == 5002
    beside = {path.name for path in loading.warehouse.parent.iterdir()}
    assert beside <= {"extracts", loading.warehouse.name, loading.warehouse.name + ".wal"}


def test_a_load_that_was_killed_leaves_nothing_and_the_next_lands_whole(loading: Loading) -> None:
    command = [sys.executable, "-c", _KILLED_BEFORE_THE_COMMIT, *_arguments(loading)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert loading.value("select count(*) from raw_segment.messages") == 0
    assert loading.value("select count(*) from raw_audit.batches") == 0
    _lands_whole(loading)


def _at_most(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _load_within(loading: Loading, size: int) -> subprocess.CompletedProcess[str]:
    """Load with no file allowed to become larger than this, by way of small spools."""
    return subprocess.run(
        [sys.executable, "-c", _SMALL_SPOOLS, *_arguments(loading)],
        preexec_fn=_at_most(size),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("size", [1 << 18, 1 << 20, 2 << 20])
def test_a_full_disk_is_told_and_the_next_load_lands_whole(loading: Loading, size: int) -> None:
    done = _load_within(loading, size)
    assert "Traceback" not in expect(1, done)
    assert f"cannot write {loading.warehouse}" in done.stderr
    _lands_whole(loading)


def test_a_disk_that_fills_up_at_the_second_batch_keeps_the_first(loading: Loading) -> None:
    loading.load(batch_ids=["2026-05-31"])
    loading.write_json(
        "segment/messages.jsonl",
        *(track(-n, properties={"noise": os.urandom(500).hex()}) for n in range(9000)),
        batch="2026-06-30",
    )
    done = _load_within(loading, loading.warehouse.stat().st_size + (1 << 20))
    assert "Traceback" not in expect(1, done)
    assert loading.rows("select batch_id from raw_audit.batches") == [("2026-05-31",)]
    assert loading.value("select count(*) from raw_segment.messages") == 5000
    assert [report.rows_landed for report in loading.load()] == [0, 9001]
    assert loading.value("select count(*) from raw_segment.messages") == 14000


@contextmanager
def _another_process(warehouse: Path) -> Iterator[int]:
    holds = f"import duckdb; c = duckdb.connect({str(warehouse)!r}); print(1, flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", holds], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process.pid
    finally:
        process.communicate(b"\n")


@pytest.mark.parametrize("command", ["load", "status"])
def test_a_warehouse_that_another_process_holds(loading: Loading, command: str) -> None:
    duckdb.connect(str(loading.warehouse)).close()
    with _another_process(loading.warehouse) as pid:
        started = time.monotonic()
        done = ingest(command, *_arguments(loading)[1:])
        assert time.monotonic() - started < 30
    assert "Traceback" not in expect(1, done)
    assert f"{loading.warehouse} is in use by process {pid}" in done.stderr


def test_a_warehouse_that_is_none(loading: Loading) -> None:
    loading.warehouse.write_text("These are my notes, not a database." * 500)
    done = ingest(*_arguments(loading))
    assert "Traceback" not in expect(1, done)
    assert "is not a DuckDB file" in done.stderr
    assert loading.warehouse.read_text().startswith("These are my notes")
