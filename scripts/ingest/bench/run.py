"""Speed and memory of generator, loader and build, as a table for people; no test reads it.

Each step runs in a process of its own, whose peak memory the kernel reports when it ends.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest.bench import finance, product
from ingest.build import PROJECT

# Each target is set at one scale; `SCALE` measures all of them at another.
_GENERATE, _LOAD, _BUILD, _MEMORY = "large", "medium", "small", "large"
# A day's increment at the large scale is compared with one at this scale.
_SMALLER = "small"
# Number of days that are added one after another.
_DAYS = 3
# Measured only on request: it takes as long as all other figures together.
_GROWN = "xlarge"

# Reads the same files into tables with DuckDB alone, which detects the types itself.
_BARE = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
for number, line in enumerate(sys.stdin.read().splitlines()):
    function, glob = line.split(" ", 1)
    options = {
        "read_csv": "union_by_name=true, ignore_errors=true",
        "read_json": "format='newline_delimited', ignore_errors=true",
    }[function]
    connection.execute(f"create table t{number} as from {function}(?, {options})", [glob])
"""


@dataclass(frozen=True, slots=True)
class Run:
    """Time and peak memory of a process."""

    seconds: float
    peak_gigabytes: float


def bench(scale: str | None) -> int:
    """Prints the table for one scale, or for each figure's own; returns the exit code."""
    Path("data").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir="data", prefix="bench-") as folder:
        print(f"{'what':<34}{'scale':<9}{'measured':<34}promised")
        for what, at_scale, measured, promised in _figures(scale, Path(folder)):
            print(f"{what:<34}{at_scale:<9}{measured:<34}{promised}", flush=True)
    return 0


def _figures(scale: str | None, folder: Path) -> Iterator[tuple[str, str, str, str]]:
    if scale == _GROWN:
        yield from _growth_figures(folder)
        return
    at_scale = scale or _BUILD
    generated = _generate(folder / "build", at_scale)
    built = _ingest("build", folder / "build")
    yield (
        "generate, load, snapshot, build",
        at_scale,
        f"{generated.seconds + built.seconds:.0f} s",
        "under 90 s at small",
    )

    at_scale = scale or _LOAD
    _generate(folder / "load", at_scale)
    loaded = _ingest("load", folder / "load")
    bare = _bare(folder / "load")
    yield (
        "load against bare DuckDB",
        at_scale,
        f"{loaded.seconds:.1f} s / {bare.seconds:.1f} s = {loaded.seconds / bare.seconds:.1f}",
        "at most 2.5 at medium",
    )
    shutil.rmtree(folder / "load")

    yield from _finance_figures(folder / "build" / "extracts", folder / "finance")

    at_scale = scale or _GENERATE
    generated = _generate(folder / "memory", at_scale)
    loaded = _ingest("load", folder / "memory")
    events = _events(folder / "memory")
    yield (
        "generate",
        at_scale,
        f"{events / generated.seconds:,.0f} events/s, {generated.peak_gigabytes:.1f} GB",
        "over 100,000 events/s, under 2 GB at large",
    )
    yield (
        f"load {events:,} events",
        at_scale,
        f"{loaded.seconds:.0f} s, {loaded.peak_gigabytes:.1f} GB",
        "under 6 GB at large",
    )
    yield from _product_figures(at_scale, folder, loaded)
    built = _ingest("build", folder / "memory")
    size = (folder / "memory" / "warehouse.duckdb").stat().st_size / 1e9
    yield (
        "then build every model",
        at_scale,
        f"{built.seconds:.0f} s, {built.peak_gigabytes:.1f} GB, file {size:.2f} GB",
        "under 6 GB, file under 2 GB at large",
    )
    slowest, milliseconds = product.slowest_query(folder / "memory" / "warehouse.duckdb")
    yield (
        "slowest of the dashboard's queries",
        at_scale,
        f"{milliseconds:.0f} ms, {slowest}",
        "under 100 ms at large",
    )
    product.write_a_day(folder / "memory" / "warehouse.duckdb", folder / "day")
    places = ("--extracts", folder / "day", "--warehouse", folder / "memory" / "warehouse.duckdb")
    added = _run("build", *map(str, places))
    whole = loaded.seconds + built.seconds
    yield (
        "a day of events, every model",
        at_scale,
        f"{added.seconds:.0f} s / {whole:.0f} s = {added.seconds / whole:.0%}",
        "none; the core's is above",
    )


def _product_figures(
    at_scale: str, folder: Path, loaded: Run
) -> Iterator[tuple[str, str, str, str]]:
    large, small = folder / "memory", folder / "product"
    bare = _run_process(*product.bare(large, PROJECT / "seeds" / "event_taxonomy.csv"))
    (large / "bare.duckdb").unlink()
    # Bare reads Segment's messages and nothing else, so it is set against the load of those alone.
    messages = _load_of_messages(large / "extracts", folder / "messages")
    # The warehouse of the other figures must not change.
    copy = folder / "copy"
    copy.mkdir()
    shutil.copy(large / "warehouse.duckdb", copy)
    read, built, added = _built_and_added(copy)
    size = (copy / "warehouse.duckdb").stat().st_size / 1e9
    alike, whole = messages.seconds + built.seconds, loaded.seconds + built.seconds
    yield (
        "load messages and core, bare SQL",
        at_scale,
        f"{alike:.0f} s / {bare.seconds:.0f} s = {alike / bare.seconds:.2f}",
        "at most 3 at large, aim 2",
    )
    yield (
        "the same, every source loaded",
        at_scale,
        f"{whole:.0f} s / {bare.seconds:.0f} s = {whole / bare.seconds:.2f}",
        "none; bare reads messages alone",
    )
    yield (
        "dbt reads the project at first",
        at_scale,
        f"{read.seconds:.0f} s",
        "none; once for each change of it",
    )
    peak = max(loaded.peak_gigabytes, built.peak_gigabytes)
    yield (
        "its memory and file",
        at_scale,
        f"{peak:.1f} GB, {size:.2f} GB",
        "under 6 GB, under 2 GB at large",
    )
    _generate(small, _SMALLER)
    _ingest("load", small)
    _, _, added_to_small = _built_and_added(small)
    middle = sorted(added)[len(added) // 2]
    yield (
        "a day of events, load and core",
        at_scale,
        f"{middle:.0f} s / {whole:.0f} s = {middle / whole:.0%}",
        "under 15 % at large",
    )
    ratios = [one / other for one, other in zip(added, added_to_small, strict=True)]
    middle_of_small = sorted(added_to_small)[len(added) // 2]
    days = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    yield (
        f"the same onto {_SMALLER}",
        _SMALLER,
        f"{days}; middle {middle / middle_of_small:.2f}",
        "at most 1.3",
    )
    shutil.rmtree(small)
    shutil.rmtree(copy)


def _load_of_messages(extracts: Path, folder: Path) -> Run:
    for segment in extracts.glob("2*/segment"):
        batch = folder / "extracts" / segment.parent.name
        shutil.copytree(segment, batch / "segment", copy_function=os.link)
    loaded = _ingest("load", folder)
    shutil.rmtree(folder)
    return loaded


def _built_and_added(folder: Path) -> tuple[Run, Run, list[float]]:
    """The product core read by dbt and built whole, and days of events added one by one.

    The first day after a full build pays once for tidying the rows that it left in part groups.

    Returns:
        What reading and building took, and the seconds of each day, load and core.
    """
    warehouse = folder / "warehouse.duckdb"
    read = _run_process(product.parse(warehouse))
    built = _run_process(product.models(warehouse, is_whole=True))
    added = []
    for number in range(_DAYS):
        day = folder / f"day-{number}"
        product.write_a_day(warehouse, day)
        loaded = _run("load", *map(str, ("--extracts", day, "--warehouse", warehouse)))
        run = _run_process(product.models(warehouse, is_whole=False))
        added.append(loaded.seconds + run.seconds)
    return read, built, added


def _growth_figures(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Ten times as many events, with memory to spare and without."""
    seconds: dict[str, float] = {}
    for at_scale, limits in (("large", ("4GB",)), ("xlarge", ("4GB", "10GB"))):
        _generate(folder / at_scale, at_scale)
        loaded = _ingest("load", folder / at_scale)
        for limit in limits:
            copy = folder / at_scale / limit
            copy.mkdir()
            shutil.copy(folder / at_scale / "warehouse.duckdb", copy)
            os.environ["DUCKDB_MEMORY_LIMIT"] = limit
            built = _run_process(product.models(copy / "warehouse.duckdb", is_whole=True))
            del os.environ["DUCKDB_MEMORY_LIMIT"]
            shutil.rmtree(copy)
            whole = loaded.seconds + built.seconds
            seconds[f"{at_scale} {limit}"] = whole
            peak = max(loaded.peak_gigabytes, built.peak_gigabytes)
            yield (
                f"load and product core, DuckDB {limit}",
                at_scale,
                f"{loaded.seconds:.0f} s + {built.seconds:.0f} s = {whole:.0f} s, {peak:.1f} GB",
                "under 6 GB" if limit == "4GB" else "under 12 GB",
            )
        shutil.rmtree(folder / at_scale)
    for one, other, promised in (
        ("xlarge 4GB", "large 4GB", "at most 13"),
        ("xlarge 4GB", "xlarge 10GB", "at most 1.4"),
    ):
        ratio = seconds[one] / seconds[other]
        yield f"{one} against {other}", "xlarge", f"{ratio:.2f}", promised


def _finance_figures(small: Path, folder: Path) -> Iterator[tuple[str, str, str, str]]:
    subscriptions, invoices = finance.copy_company(small, folder / "extracts")
    _ingest("load", folder)
    warehouse, target = folder / "warehouse.duckdb", folder / "target"
    ready, models, bare = finance.commands(warehouse, target)
    os.environ["WAREHOUSE_PATH"] = str(warehouse)
    _run_process(ready)
    built = _run_process(models)
    alone = _run_process(bare, given=json.dumps(finance.statements(target)))
    yield (
        "finance models against bare SQL",
        "copied",
        f"{built.seconds:.0f} s / {alone.seconds:.0f} s = {built.seconds / alone.seconds:.2f}",
        f"none; {subscriptions:,} subscriptions, {invoices:,} invoices",
    )
    shutil.rmtree(folder)


def _generate(folder: Path, scale: str) -> Run:
    return _run("generate", "--scale", scale, "--out", str(folder / "extracts"))


def _ingest(command: str, folder: Path) -> Run:
    places = ("--extracts", folder / "extracts", "--warehouse", folder / "warehouse.duckdb")
    return _run(command, *map(str, places))


def _bare(folder: Path) -> Run:
    extracts = folder / "extracts"
    reads = [f"read_json {extracts}/2*/segment/**/*.gz"]
    for source, function in (("salesforce", "read_csv"), ("stripe", "read_json")):
        names = {path.name.split(".")[0] for path in extracts.glob(f"2*/{source}/**/*.*")}
        reads += [f"{function} {extracts}/2*/{source}/**/{name}.*" for name in sorted(names)]
    command = [sys.executable, "-c", _BARE, str(folder / "bare.duckdb")]
    return _run_process(command, given="\n".join(reads))


def _events(folder: Path) -> int:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        row = connection.execute("select count(*) from raw_segment.messages").fetchone()
    return int(row[0]) if row else 0


def _run(*arguments: str) -> Run:
    return _run_process([sys.executable, "-m", "ingest", *arguments])


def _run_process(command: list[str], given: str = "") -> Run:
    """Runs a command to its end.

    Raises:
        CalledProcessError: The command failed; its output has been printed.
    """
    with tempfile.TemporaryFile("w+") as read, tempfile.TemporaryFile("w+") as written:
        read.write(given)
        read.seek(0)
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=read, stdout=written, stderr=written)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            written.seek(0)
            print(written.read(), file=sys.stderr)
            raise subprocess.CalledProcessError(process.returncode, command)
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(seconds, usage.ru_maxrss * unit / 1e9)
