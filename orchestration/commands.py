"""How Dagster runs a command of the product, and what it makes of a failed one."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb

from ingest.build import PROJECT
from ingest.errors import IngestError, explained
from ingest.load import warehouse

WAREHOUSE = PROJECT / (os.environ.get("WAREHOUSE_PATH") or "data/warehouse.duckdb")
# Seven tries in half an hour, if the warehouse is in use.
RETRIES = dg.RetryPolicy(
    max_retries=6,
    delay=float(os.environ.get("RETRY_SECONDS", "30")),
    backoff=dg.Backoff.EXPONENTIAL,
)


def failure(message: str) -> dg.Failure:
    """The command line's own message; a retry helps only if another process has the file."""
    return dg.Failure(message.strip(), allow_retries=warehouse.is_in_use(message))


def ingest(*arguments: str, **settings: str) -> Iterator[str]:
    """The lines that `python -m ingest` prints, while it runs."""
    command = [sys.executable, "-m", "ingest", *arguments]
    environment = os.environ | settings | {"PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, text=True, stdout=subprocess.PIPE, stderr=errors
        )
        try:
            for line in process.stdout or ():
                if not line.startswith("{"):
                    print(line, end="")
                yield line
        finally:
            # A run that is terminated in the UI ends its command as Ctrl-C does.
            if process.poll() is None and sys.exc_info()[0]:
                process.send_signal(signal.SIGINT)
            code = process.wait()
        errors.seek(0)
        message = errors.read()
    print(message, file=sys.stderr)
    if code:
        raise failure(message or f"`ingest {arguments[0]}` ended with code {code}")


def run(*arguments: str) -> dg.MaterializeResult[None]:
    """Runs a command to its end, whose last line sums it up."""
    *_, last = ["", *ingest(*arguments)]
    return dg.MaterializeResult(metadata={"output": last.strip()})


def rows(sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of the warehouse."""
    try:
        with warehouse.opened(WAREHOUSE, read_only=True) as connection:
            return connection.execute(sql, values).fetchall()
    except (IngestError, duckdb.Error) as error:
        message, _ = explained(error) or (str(error), 1)
        raise failure(message) from error
