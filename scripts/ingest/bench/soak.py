"""Every fault that the warehouse must survive, carried out for real, and a table of the outcomes.

A small company is loaded and built once, undisturbed. Then each trial disturbs a copy, runs the
plain command again, and counts the rows that are missing from, or too many in, what it left.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from ingest import backup
from ingest.bench.fuzz import KINDS, fuzz
from ingest.errors import IngestError
from ingest.load import batches, warehouse
from ingest.load.values import quoted

_RAW = ("raw_salesforce", "raw_stripe", "raw_segment")
_MARTS = ("shared", "finance", "sales", "product")
_HISTORY = (*_MARTS, "snapshots")
_COMPANY = ("--scale", "tiny", "--start", "2026-06-01", "--end", "2026-08-31")


@dataclass(slots=True)
class Tally:
    """What came of one kind of fault.

    Attributes:
        fault: what was done.
        tried: how often.
        survived: how often the result was right in the end.
        lost: rows that were missing then.
        twice: rows that were too many.
    """

    fault: str
    tried: int = 0
    survived: int = 0
    lost: int = 0
    twice: int = 0

    def add(self, lost: int, twice: int, *, is_right: bool = True) -> None:
        """Counts a trial."""
        self.tried += 1
        self.lost += lost
        self.twice += twice
        self.survived += is_right and not lost and not twice


class Soak:
    """A small company, undisturbed, and trials on copies of it.

    Args:
        folder: an empty folder to work in.
        seed: of the moments and places of the faults.
        count: how many batches the company has.
    """

    def __init__(self, folder: Path, seed: int, count: int = 3) -> None:
        self.folder = folder
        self.draw = Random(seed)
        self.extracts = folder / "extracts"
        self.loaded = folder / "loaded" / "warehouse.duckdb"
        self.begun = folder / "begun" / "warehouse.duckdb"
        self.built = folder / "built" / "warehouse.duckdb"
        self._run("generate", "--out", str(self.extracts), *_COMPANY, "--batches", str(count))
        started = time.monotonic()
        self._run("load", "--quiet", *self._paths(self.loaded))
        self.load_seconds = time.monotonic() - started
        self.batches = [batch.batch_id for batch in batches.discover(self.extracts)]

    def build(self) -> None:
        """Builds, once, the company: all but the last batch in `begun`, all in `built`."""
        if self.built.exists():
            return
        earlier = self.folder / "earlier"
        for batch_id in self.batches[:-1]:
            shutil.copytree(self.extracts / batch_id, earlier / batch_id)
        for path in self._trials(1):
            self._run("build", *self._paths(path, earlier))
            self.begun.parent.mkdir()
            shutil.copy(path, self.begun)
            started = time.monotonic()
            self._run("build", *self._paths(path))
            self.build_seconds = time.monotonic() - started
            self.built.parent.mkdir()
            shutil.copy(path, self.built)

    def kills_of_the_loader(self, trials: int) -> Tally:
        """`kill -9` of a load from nothing, at any moment of it."""
        tally = Tally("loader killed (`kill -9`)")
        for path in self._trials(trials):
            self._killed(["load", "--quiet", *self._paths(path)], self.load_seconds)
            self._run("load", "--quiet", *self._paths(path))
            left = set(path.parent.iterdir()) - {path}
            tally.add(*differing(self.loaded, path, _RAW), is_right=not left)
        return tally

    def kills_of_the_build(self, trials: int) -> Tally:
        """`kill -9` of `ingest build` with a batch to load, and then of a bare `dbt build`."""
        self.build()
        tally = Tally("build killed (`kill -9`), history too")
        for path in self._trials(trials, self.begun):
            self._killed(["build", *self._paths(path)], self.build_seconds)
            self._run("load", "--quiet", *self._paths(path))
            command = [_beside_python("dbt"), "build", *_NO_TESTS]
            self._killed(command, self.build_seconds, path)
            self._run("build", *self._paths(path))
            copies = [one.name for one in path.parent.glob("*marts.duckdb*")]
            is_right = copies == [path.with_name("marts.duckdb").name]
            tally.add(*differing(self.built, path, _HISTORY), is_right=is_right)
        return tally

    def full_disks(self, trials: int) -> Tally:
        """No room for a file larger than some size, then room."""
        tally = Tally("disk full during a load")
        whole = self.loaded.stat().st_size
        for path in self._trials(trials):
            room = self.draw.randrange(whole // 50, whole * 4 // 5)
            done = self._started(
                ["load", "--quiet", *self._paths(path)],
                before=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room, room)),
            )
            said = done.communicate()[1]
            self._run("load", "--quiet", *self._paths(path))
            is_reported = (
                done.returncode == 1 and "cannot write" in said and "Traceback" not in said
            )
            tally.add(*differing(self.loaded, path, _RAW), is_right=is_reported)
        return tally

    def loads_at_once(self, trials: int) -> Tally:
        """Two loads into one file: the second reports that it is in use, or finds nothing to do."""
        tally = Tally("two loads at once")
        for path in self._trials(trials):
            command = ["load", "--quiet", *self._paths(path)]
            first = self._started(command)
            time.sleep(self.draw.uniform(0, self.load_seconds / 2))
            ends = [_ended(process) for process in (self._started(command), first)]
            tally.add(*differing(self.loaded, path, _RAW), is_right=_in_turn(ends))
        return tally

    def loads_during_a_build(self, trials: int) -> Tally:
        """A load while a build runs: one reports the file as in use; a second build completes."""
        self.build()
        tally = Tally("load during a build")
        for path in self._trials(trials, self.begun):
            building = self._started(["build", *self._paths(path)])
            time.sleep(self.draw.uniform(0, self.build_seconds))
            ends = [
                _ended(self._started(["load", "--quiet", *self._paths(path)])),
                _ended(building),
            ]
            self._run("build", *self._paths(path))
            tally.add(*differing(self.built, path, _HISTORY), is_right=_in_turn(ends))
        return tally

    def damaged_files(self, trials: int) -> Tally:
        """Bytes flipped or cut off: the damage is reported unless it is harmless, then restored."""
        tally = Tally("warehouse file damaged, restored")
        for path in self._trials(trials, self.loaded):
            folder = backup.take(path, path.parent / "backups")
            data = bytearray(path.read_bytes())
            start = self.draw.choice(
                (0, self.draw.randrange(3 * 4096), self.draw.randrange(len(data)))
            )
            if self.draw.random() < 0.3:
                data = data[: max(start, 100)]
            else:
                for at in range(start, min(start + self.draw.choice((1, 5000)), len(data))):
                    data[at] ^= 0xFF
            path.write_bytes(data)
            code, said = _ended(self._started(["load", "--quiet", *self._paths(path)]))
            is_reported = code == 0 or (
                code == 1 and "make restore" in said and "Traceback" not in said
            )
            backup.bring_back(folder, path)
            tally.add(*differing(self.loaded, path, _RAW), is_right=is_reported)
        return tally

    def other_orders(self, trials: int) -> Tally:
        """Batches loaded in another order than they were extracted."""
        self.build()
        tally = Tally("extracts in any order")
        for path in self._trials(trials):
            order = self.draw.sample(self.batches, len(self.batches))
            for batch_id in order:
                self._run("load", "--quiet", "--batch", batch_id, *self._paths(path))
            self._run("build", *self._paths(path))
            tally.add(*differing(self.built, path, _MARTS))
        return tally

    def corrected_batches(self, trials: int) -> Tally:
        """The last batch sent with half its lines, built, and sent again whole."""
        self.build()
        tally = Tally("batch withdrawn and sent again corrected")
        for path in self._trials(trials, self.begun):
            sent = path.parent / "sent"
            shutil.copytree(self.extracts, sent, ignore=shutil.ignore_patterns("_truth"))
            last = sent / self.batches[-1]
            (last / batches.MANIFEST).unlink()
            for file in sorted(last.rglob("*.jsonl")):
                lines = file.read_bytes().splitlines(keepends=True)
                file.write_bytes(b"".join(lines[: len(lines) // 2]))
            self._run("build", *self._paths(path, sent))
            shutil.rmtree(last)
            shutil.copytree(self.extracts / last.name, last)
            code, said = _ended(self._started(["load", "--quiet", *self._paths(path, sent)]))
            self._run("load", "--quiet", "--replace", *self._paths(path, sent))
            self._run("build", *self._paths(path, sent))
            # Figures reported from the wrong batch remain, and are restated.
            lost, twice = differing(self.built, path, _MARTS, but=("finance.fct_mrr_restatements",))
            tally.add(lost, twice, is_right=code == 1 and "--replace" in said)
        return tally

    def _trials(self, count: int, begin_with: Path | None = None) -> Iterator[Path]:
        """Yields the path of a new warehouse for each trial, a copy of another or nothing.

        It is always the same path: dbt reads the whole project again for a warehouse elsewhere.
        """
        folder = self.folder / "trial"
        for _ in range(count):
            folder.mkdir()
            path = folder / "warehouse.duckdb"
            if begin_with:
                # DuckDB names the database after its file, and views say that name.
                shutil.copy(begin_with, path)
            yield path
            shutil.rmtree(folder)

    def _paths(self, path: Path, extracts: Path | None = None) -> list[str]:
        return ["--extracts", str(extracts or self.extracts), "--warehouse", str(path)]

    def _run(self, *arguments: str) -> None:
        code, said = _ended(self._started(arguments))
        if code:
            raise IngestError(f"`ingest {' '.join(arguments)}` ended with {code}:\n{said}")

    def _killed(
        self, arguments: Sequence[str], seconds: float, warehouse_path: Path | None = None
    ) -> None:
        process = self._started(arguments, warehouse_path=warehouse_path)
        time.sleep(self.draw.uniform(0.1, seconds))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def _started(
        self,
        arguments: Sequence[str],
        *,
        before: Callable[[], None] | None = None,
        warehouse_path: Path | None = None,
    ) -> subprocess.Popen[str]:
        is_ours = not Path(arguments[0]).is_absolute()
        return subprocess.Popen(
            [*([sys.executable, "-m", "ingest"] if is_ours else []), *arguments],
            env={
                # Each trial publishes beside its own warehouse.
                **{name: value for name, value in os.environ.items() if name != "MARTS_PATH"},
                "DBT_EXCLUDE_RESOURCE_TYPES": "test unit_test",
                "DBT_TARGET_PATH": str(self.folder / "target"),
                "DBT_LOG_PATH": str(self.folder / "logs"),
                **({"WAREHOUSE_PATH": str(warehouse_path)} if warehouse_path else {}),
            },
            cwd=Path(__file__).resolve().parents[3],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=before,  # noqa: PLW1509  no thread of ours is running
        )


_NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


def soak(*, kills: int, records: int, seed: int) -> int:
    """Does all of it, prints the table as it fills, and returns 0 if everything survived.

    Args:
        kills: trials of the cheap faults; the dear ones get fewer.
        records: broken records of each format.
        seed: of chance.
    """
    print(
        "| fault | tried | survived | rows lost | rows twice |\n|---|--:|--:|--:|--:|", flush=True
    )
    tallies = []
    with tempfile.TemporaryDirectory() as folder:
        company = Soak(Path(folder), seed)
        few = max(1, kills // 4)
        steps: list[Callable[[], Tally]] = [
            lambda: company.kills_of_the_loader(kills),
            lambda: company.full_disks(few),
            lambda: company.loads_at_once(few),
            lambda: company.damaged_files(kills),
            *(
                lambda kind=kind: broken_records(kind, Path(folder), records, seed)
                for kind in KINDS
            ),
            lambda: company.kills_of_the_build(kills),
            lambda: company.loads_during_a_build(few),
            lambda: company.other_orders(max(1, few // 2)),
            lambda: company.corrected_batches(1),
        ]
        for step in steps:
            tally = step()
            tallies.append(tally)
            print(
                f"| {tally.fault} | {tally.tried:,} | {tally.survived:,} | {tally.lost:,}"
                f" | {tally.twice:,} |",
                flush=True,
            )
    return 0 if all(tally.survived == tally.tried for tally in tallies) else 1


def broken_records(kind: str, folder: Path, records: int, seed: int) -> Tally:
    """Fuzzed records, each landed or rejected with its reason."""
    place = folder / f"fuzz-{kind}"
    place.mkdir()
    outcome = fuzz(kind, place, records, seed)
    survived = 0 if outcome.faults else outcome.tried - outcome.lost - outcome.twice
    return Tally(f"broken {kind} records", outcome.tried, survived, outcome.lost, outcome.twice)


def differing(
    right: Path, left: Path, schemas: Sequence[str], but: Sequence[str] = ()
) -> tuple[int, int]:
    """How many rows of the right warehouse the other lacks, and how many it has too many.

    Args:
        right: the undisturbed warehouse.
        left: what a trial left.
        schemas: which tables to compare.
        but: tables to leave out, as `schema.table`.
    """
    lost = twice = 0
    with warehouse.opened(right, read_only=True) as connection:
        warehouse.attach(connection, left, "trial")
        tables = connection.execute(
            """
            select schema_name, table_name, list(column_name order by column_index)
            from duckdb_columns()
            where
                database_name = current_database() and list_contains($schemas, schema_name)
                and column_name not in ('_loaded_at', '_built_at', 'loaded_at')
                and (schema_name, table_name) in (
                    select (schema_name, table_name) from duckdb_tables()
                )
            group by all
            """,
            {"schemas": list(schemas)},
        ).fetchall()
        for schema, table, columns in tables:
            if f"{schema}.{table}" in but:
                continue
            chosen = ", ".join(map(quoted, columns))
            here = f"select {chosen} from {schema}.{quoted(table)}"
            there = f"select {chosen} from trial.{schema}.{quoted(table)}"
            digest = f"select count(*), bit_xor(hash(row({chosen}))), sum(hash(row({chosen}))) from"
            digests = [connection.execute(f"{digest} ({one})").fetchall() for one in (here, there)]
            # Comparing row by row takes ten times as long.
            if digests[0] == digests[1]:
                continue
            for one, other, is_lost in ((here, there, True), (there, here, False)):
                ((count,),) = connection.execute(
                    f"select count(*) from ({one} except all {other})"
                ).fetchall()
                lost, twice = (lost + count, twice) if is_lost else (lost, twice + count)
    return lost, twice


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and output of a process, when it ends."""
    out, err = process.communicate()
    return process.returncode, out + err


def _in_turn(ends: Sequence[tuple[int, str]]) -> bool:
    """Whether processes that met each did its work or said that the other has the file."""
    return all(
        code == 0 or (code == 1 and "is in use" in said and "Traceback" not in said)
        for code, said in ends
    )


def _beside_python(command: str) -> str:
    return str(Path(sys.executable).with_name(command))
