"""Speed and memory of generator, loader and build, as a table with the goal of each figure.

Each step runs in a process of its own, whose time and peak memory the kernel reports when it ends.
Ratios are of wall time unless they say CPU.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from ingest.bench import finance, product
from ingest.bench.figure import Figure, Goal, Run
from ingest.build import PROJECT

# Each goal is set at one scale; `SCALE` measures all of them at another.
_BUILD, _LOAD, _LARGE = "small", "medium", "large"
# Number of days that are added one after another, onto the large scale and onto the small one.
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


def bench(scale: str | None) -> int:
    """Prints the table for one scale, or for each figure's own; returns the exit code."""
    # It would replace the published marts of the user's own warehouse.
    os.environ.pop("MARTS_PATH", None)
    Path("data").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir="data", prefix="bench-") as name:
        folder = Path(name)
        for figure in _growth(folder) if scale == _GROWN else _figures(scale, folder):
            print(figure, flush=True)
    return 0


def _figures(scale: str | None, folder: Path) -> Iterator[Figure]:
    yield from _small(scale or _BUILD, folder / "small")
    yield from _finance(folder / "small" / "extracts", folder / "finance")
    yield from _loader(scale or _LOAD, folder / "load")
    yield from _large(scale or _LARGE, folder / "large", folder / "small" / "extracts")


def _small(scale: str, folder: Path) -> Iterator[Figure]:
    _generate(folder, scale)
    _ingest("load", folder)
    read = _run(product.dbt(folder / "warehouse.duckdb"))
    yield Figure("dbt reads the project at first", "", str(read), [Goal(read.seconds, 8, " s")])
    built = _ingest("build", folder)
    goals = [Goal(built.seconds, 55, " s")]
    yield Figure("every model and test, after the load", scale, str(built), goals)


def _loader(scale: str, folder: Path) -> Iterator[Figure]:
    _generate(folder, scale)
    loaded, bare = _ingest("load", folder), _bare(folder)
    goals = [Goal(loaded.seconds / bare.seconds, 1.8)]
    yield Figure("load against bare DuckDB", scale, loaded.against(bare), goals)
    shutil.rmtree(folder)


def _finance(small: Path, folder: Path) -> Iterator[Figure]:
    finance.copy_company(small, folder / "extracts")
    _ingest("load", folder)
    warehouse = folder / "warehouse.duckdb"
    flattened = _run(finance.flattening(warehouse, folder / "flat.duckdb"), finance.flat_tables())
    ready, models = finance.commands(warehouse)
    _run(ready)
    built = _run(models)
    before = finance.CPU_BEFORE
    yield Figure(
        "finance models, " + finance.size(warehouse),
        "copied",
        f"{built}; {built.cpu / before:.2f} of {before} CPU s before",
        [Goal(built.cpu / before, 0.4), Goal(built.peak, 1.5, " GB")],
    )
    yield Figure("that against flattening their JSON alone", "copied", built.against(flattened))
    shutil.rmtree(folder)


def _large(scale: str, folder: Path, small: Path) -> Iterator[Figure]:
    generated = _generate(folder, scale)
    loaded = _ingest("load", folder)
    events = _events(folder)
    rate = events / generated.seconds
    yield Figure(
        "generate",
        scale,
        f"{generated}; {rate:,.0f} events a second",
        [Goal(rate, 100_000, " a second", is_floor=True), Goal(generated.peak, 2, " GB")],
    )
    yield Figure(f"load {events:,} events", scale, str(loaded), [Goal(loaded.peak, 6, " GB")])
    yield from _core(scale, folder, small, loaded)
    warehouse = folder / "warehouse.duckdb"
    # What dbt reads for the first time is a figure of its own.
    _run(product.dbt(warehouse))
    built = _ingest("build", folder)
    size = warehouse.stat().st_size / 1e9
    yield Figure(
        "then every model and test",
        scale,
        f"{built}; file {size:.2f} GB",
        [Goal(built.peak, 6, " GB"), Goal(size, 2, " GB of file")],
    )
    slowest, milliseconds = product.slowest_query(warehouse)
    goals = [Goal(milliseconds, 100, " ms")]
    yield Figure("slowest dashboard query", scale, f"{milliseconds:.0f} ms, {slowest}", goals)
    product.write_a_day(warehouse, folder / "day")
    places = ("--extracts", folder / "day", "--warehouse", warehouse)
    added, whole = _command("build", *places), loaded + built
    goals = [Goal(added.seconds / whole.seconds, 0.12)]
    yield Figure("a day of events, every model and test", scale, added.against(whole), goals)


def _core(scale: str, folder: Path, small: Path, loaded: Run) -> Iterator[Figure]:
    bare = _run(*product.bare(folder, PROJECT / "seeds" / "event_taxonomy.csv"))
    # Bare reads Segment's messages and nothing else, so it is set against the load of those alone.
    messages = _load_of_messages(folder / "extracts", folder / "messages")
    built, added = _built_and_added(folder / "warehouse.duckdb", folder / "core")
    alike, whole = messages + built, loaded + built
    goals = [Goal(alike.seconds / bare.seconds, 1.8)]
    yield Figure("load and core against bare SQL, messages", scale, alike.against(bare), goals)
    yield Figure("the same, every source loaded", scale, whole.against(bare))
    goals = [Goal(whole.peak, 6, " GB")]
    yield Figure("its memory", scale, f"{whole.peak:.2f} GB", goals)
    # The small company's warehouse of the other figures is built; this one is only loaded.
    (folder / "small").mkdir()
    places = ("--extracts", small, "--warehouse", folder / "small" / "warehouse.duckdb")
    _command("load", *places)
    _, added_to_small = _built_and_added(folder / "small" / "warehouse.duckdb", folder / "core")
    shutil.rmtree(folder / "small")
    middle, of_small = _middle(added), _middle(added_to_small)
    goals = [Goal(middle.seconds / whole.seconds, 0.1)]
    yield Figure("a day of events, load and core", scale, middle.against(whole), goals)
    goals = [Goal(middle.seconds / of_small.seconds, 1.2)]
    yield Figure("that against the same onto small", scale, middle.against(of_small), goals)


def _load_of_messages(extracts: Path, folder: Path) -> Run:
    for segment in extracts.glob("2*/segment"):
        batch = folder / "extracts" / segment.parent.name
        shutil.copytree(segment, batch / "segment", copy_function=os.link)
    loaded = _ingest("load", folder)
    shutil.rmtree(folder)
    return loaded


def _built_and_added(warehouse: Path, folder: Path) -> tuple[Run, list[Run]]:
    """The product core built whole on a copy, and days of events loaded and built one by one.

    The first day after a full build pays once for tidying the rows that it left in part groups.
    """
    folder.mkdir()
    copy = Path(shutil.copy(warehouse, folder))
    _run(product.dbt(copy))
    built = _run(product.models(copy, is_whole=True))
    added = []
    for number in range(_DAYS):
        day = folder / f"day-{number}"
        product.write_a_day(copy, day)
        loaded = _command("load", "--extracts", day, "--warehouse", copy)
        added.append(loaded + _run(product.models(copy, is_whole=False)))
    shutil.rmtree(folder)
    return built, added


def _middle(runs: Sequence[Run]) -> Run:
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def _growth(folder: Path) -> Iterator[Figure]:
    """Ten times as many events, with memory to spare and without."""
    seconds: dict[str, float] = {}
    for scale, limits in ((_LARGE, ("4GB",)), (_GROWN, ("4GB", "10GB"))):
        _generate(folder / scale, scale)
        loaded = _ingest("load", folder / scale)
        for limit in limits:
            copy = folder / scale / limit
            copy.mkdir()
            shutil.copy(folder / scale / "warehouse.duckdb", copy)
            os.environ["DUCKDB_MEMORY_LIMIT"] = limit
            whole = loaded + _run(product.models(copy / "warehouse.duckdb", is_whole=True))
            del os.environ["DUCKDB_MEMORY_LIMIT"]
            shutil.rmtree(copy)
            seconds[f"{scale} {limit}"] = whole.seconds
            goals = [Goal(whole.peak, 6 if limit == "4GB" else 12, " GB")]
            yield Figure(f"load and core, DuckDB limited to {limit}", scale, str(whole), goals)
        shutil.rmtree(folder / scale)
    for one, other, limit_of_ratio in (
        ("xlarge 4GB", "large 4GB", 13),
        ("xlarge 4GB", "xlarge 10GB", 1.4),
    ):
        ratio = seconds[one] / seconds[other]
        yield Figure(f"{one} against {other}", "", f"{ratio:.2f}", [Goal(ratio, limit_of_ratio)])


def _generate(folder: Path, scale: str) -> Run:
    return _command("generate", "--scale", scale, "--out", folder / "extracts")


def _ingest(command: str, folder: Path) -> Run:
    warehouse = folder / "warehouse.duckdb"
    os.environ["DBT_TARGET_PATH"] = str((folder / "target").resolve())
    return _command(command, "--extracts", folder / "extracts", "--warehouse", warehouse)


def _bare(folder: Path) -> Run:
    extracts = folder / "extracts"
    reads = [f"read_json {extracts}/2*/segment/**/*.gz"]
    for source, function in (("salesforce", "read_csv"), ("stripe", "read_json")):
        names = {path.name.split(".")[0] for path in extracts.glob(f"2*/{source}/**/*.*")}
        reads += [f"{function} {extracts}/2*/{source}/**/{name}.*" for name in sorted(names)]
    command = [sys.executable, "-c", _BARE, str(folder / "bare.duckdb")]
    return _run(command, "\n".join(reads))


def _events(folder: Path) -> int:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        row = connection.execute("select count(*) from raw_segment.messages").fetchone()
    return int(row[0]) if row else 0


def _command(*arguments: str | Path) -> Run:
    return _run([sys.executable, "-m", "ingest", *map(str, arguments)])


def _run(command: Sequence[str], given: str = "") -> Run:
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
    # Linux counts memory in kilobytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e9)
