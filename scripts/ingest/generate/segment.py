"""The usage as Segment's S3 destination archives it: gzipped raw messages, a folder a received day.

A message's four clocks follow Segment's rule, `timestamp = receivedAt - (sentAt -
originalTimestamp)`, to the millisecond: the device's clock may be wrong, its difference is not.
Strings are built by DuckDB, a chunk of some days at a time.
"""

import json
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from ingest.generate import usage_events as events
from ingest.generate.arrivals import draw_arrivals
from ingest.generate.batches import Batch, BrokenRecord, WrittenFile, split_batches, write_file
from ingest.generate.ids import uuid_like
from ingest.generate.records import Company
from ingest.generate.segment_texts import FIRST_PLAN, PHONE_NAME, lines_sql, load_dimensions
from ingest.generate.usage import DUPLICATE_SHARE, Usage, simulate_usage
from ingest.generate.usage_events import DAY, KIND, KINDS, MINUTE, Flags, Ints, Messages, Sessions
from ingest.generate.usage_truth import TruthCounter, UsageTruth

CHUNK_MESSAGES = 150_000
_HOUR = 60 * MINUTE
_SOURCES = ("web", "server")


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What was written, and what tests may compare with."""

    files: tuple[WrittenFile, ...]
    broken: tuple[BrokenRecord, ...]
    truth: UsageTruth


@dataclass(frozen=True, slots=True)
class _Rows:
    """Messages on their way to files, copies included; times are epoch milliseconds.

    `number` counts messages through the whole run: a copy has its original's. Fields are named as
    the SQL below uses them.
    """

    number: Ints
    person: npt.NDArray[np.int32]
    account: npt.NDArray[np.int32]
    device: npt.NDArray[np.int32]
    name: npt.NDArray[np.int16]
    arrival: npt.NDArray[np.int8]
    is_anonymous: Flags
    is_renamed: Flags
    is_switch: Flags
    document: Ints
    tool: npt.NDArray[np.int8]
    pages: npt.NDArray[np.int16]
    duration_ms: npt.NDArray[np.int32]
    original_ms: Ints
    sent_ms: Ints
    received_ms: Ints
    timestamp_ms: Ints

    def __len__(self) -> int:
        return len(self.number)

    def take(self, chosen: Ints | Flags) -> "_Rows":
        return _Rows(*(getattr(self, column.name)[chosen] for column in fields(self)))


def _stacked(parts: Sequence[_Rows]) -> _Rows:
    return _Rows(
        *(
            np.concatenate([getattr(part, column.name) for part in parts])
            for column in fields(_Rows)
        )
    )


def write_segment(
    company: Company,
    out_dir: Path,
    batch_ends: Sequence[datetime],
    defects: Counter[str],
    *,
    advance: Callable[[float], None] = lambda _: None,
) -> SegmentResult:
    """Writes `<out_dir>/<batch id>/segment/segment-logs/<source>/<day>/….gz` for every batch.

    Args:
        company: The simulated company.
        out_dir: The folder of batches.
        batch_ends: The exclusive end of each batch, ascending; each a midnight.
        defects: Counts the planted defects, under keys that start with `segment_`.
        advance: Called with each further share that is done.
    """
    usage = simulate_usage(company)
    truth = TruthCounter(usage)
    batches = split_batches(batch_ends)
    _count_people(usage, defects)
    with _Writer(company, usage, batches, out_dir, defects) as writer:
        waiting: _Rows | None = None
        written = 0
        span_ms = usage.end_ms - usage.start_ms
        for number, (since_ms, until_ms, sessions, messages) in enumerate(
            usage.chunks(CHUNK_MESSAGES)
        ):
            arrival = draw_arrivals(usage, sessions, messages, number)
            truth.add(sessions, messages, arrival)
            rng = np.random.default_rng([company.seed, 33, number])
            rows = _received(
                *(usage, sessions, messages, arrival, written),
                batches=batches,
                rng=rng,
                defects=defects,
            )
            written += len(messages)
            rows = rows if waiting is None else _stacked([waiting, rows])
            is_due = rows.received_ms < until_ms
            waiting = rows.take(~is_due)
            writer.write(rows.take(is_due))
            advance((until_ms - since_ms) / span_ms)
        if waiting is not None:
            writer.write(waiting)
    return SegmentResult(tuple(writer.files), tuple(writer.broken), truth.result())


def _count_people(usage: Usage, defects: Counter[str]) -> None:
    people = usage.people
    defects["segment_second_devices"] += int((people.second_device >= 0).sum())
    defects["segment_shared_devices"] += int(
        np.unique(
            usage.sessions.device[
                usage.sessions.person != usage.devices.owner[usage.sessions.device]
            ]
        ).size
    )
    defects["segment_aliases"] += int(usage.sessions.sends_alias.sum())


def _received(
    usage: Usage,
    sessions: Sessions,
    messages: Messages,
    arrival: npt.NDArray[np.int8],
    written: int,
    *,
    batches: Sequence[Batch],
    rng: np.random.Generator,
    defects: Counter[str],
) -> _Rows:
    """The messages as they reach Segment: delayed, by wrong clocks, some twice."""
    people, devices = usage.people, usage.devices
    size = len(messages)
    kind, at_ms = messages.kind, messages.at_ms
    person = sessions.person[messages.visit]
    is_server = events.IS_SERVER[kind]
    device = np.where(is_server, -1, sessions.device[messages.visit]).astype(np.int32)
    skew_ms = np.where(is_server, 0, devices.skew_ms[device])
    is_known = person < len(people.users)

    delay_ms = np.where(is_server, 3 + rng.exponential(20, size), 20 + rng.exponential(400, size))
    is_late = ~is_server & (rng.random(size) < 0.004)
    late_ms = rng.uniform(6 * _HOUR, 6 * DAY, size)
    is_late &= at_ms + late_ms < usage.end_ms
    delay_ms = np.where(is_late, late_ms, delay_ms).astype(np.int64)
    # A client that stamps its messages ahead of the clock it sends them by. Within a visit it stays
    # inside the visit and its day, so that sessions and active users are the same whether the
    # warehouse believes it or not; those months ahead come from people who do not count.
    elapsed = at_ms - sessions.start_ms[messages.visit]
    ahead_ms = rng.integers(MINUTE, 4 * MINUTE, size)
    is_ahead = ~is_server & ~is_late & ~events.IS_ANONYMOUS[kind] & (elapsed > 5 * MINUTE)
    is_ahead &= ((at_ms - ahead_ms) // DAY == at_ms // DAY) & (rng.random(size) < 0.01)
    delay_ms = np.where(is_ahead, -ahead_ms, delay_ms)
    is_far = ~people.is_counted[person] & ~is_server & ~is_late & (rng.random(size) < 0.06)
    far_ms = np.where(is_far, rng.integers(30 * DAY, 300 * DAY, size), 0)

    received_ms = at_ms + delay_ms
    timestamp_ms = at_ms + far_ms
    original_ms = timestamp_ms + skew_ms - rng.integers(30, 300, size)
    rows = _Rows(
        number=np.arange(written, written + size),
        person=person,
        account=people.account_at(person, at_ms),
        device=device,
        name=_named(usage, kind, at_ms, device, rng),
        arrival=arrival,
        is_anonymous=events.IS_ANONYMOUS[kind],
        is_renamed=people.is_renamed[person] & (at_ms < usage.renamed_at_ms),
        is_switch=sessions.visit_kind[messages.visit] == events.PRODUCT,
        document=messages.document,
        tool=messages.tool,
        pages=messages.pages,
        duration_ms=messages.duration_ms,
        original_ms=original_ms,
        sent_ms=original_ms + received_ms - timestamp_ms,
        received_ms=received_ms,
        timestamp_ms=timestamp_ms,
    )
    # People of no workspace have none to name in a group call.
    is_sent = (kind != KIND["group"]) | (rows.account >= 0)
    tested = np.array([a.is_test for a in people.accounts] + [False])[rows.account]
    for key, flags in (
        ("late_arrivals", is_late),
        ("future_timestamps", is_ahead | is_far),
        ("clock_skew", np.abs(skew_ms) > 10_000),
        ("bot_messages", people.is_bot[person]),
        ("internal_user_messages", is_known & ~people.is_counted[person] & ~tested),
        ("test_workspace_messages", tested),
        ("anonymous_messages", rows.is_anonymous),
        ("old_event_names", (rows.name % 3 == FIRST_PLAN)),
        ("case_slips", (rows.name == 3 * KIND["Document Uploaded"] + PHONE_NAME)),
        ("unknown_events", kind == KIND["Experiment Viewed"]),
    ):
        defects[f"segment_{key}"] += int((flags & is_sent).sum())
    rows = rows.take(is_sent)
    return _stacked([rows, _copies(usage, rows, batches, rng, defects)])


def _named(
    usage: Usage,
    kind: npt.NDArray[np.int16],
    at_ms: Ints,
    device: npt.NDArray[np.int32],
    rng: np.random.Generator,
) -> npt.NDArray[np.int16]:
    """Which name of its kind each message goes by: three a kind."""
    on_device = device >= 0
    lag_ms = np.where(on_device, usage.devices.update_lag_ms[device], 0)
    is_phone = on_device & usage.devices.is_mobile[device]
    is_page = np.array([kind.message_type == "page" for kind in KINDS])[kind]
    is_old = events.IS_TRACK[kind] & (at_ms < usage.renamed_at_ms + lag_ms)
    slips = (kind == KIND["Document Uploaded"]) & is_phone & ~is_old
    slips &= (at_ms < usage.renamed_at_ms + 120 * DAY) & (rng.random(len(kind)) < 0.5)
    variant = np.where(is_old, FIRST_PLAN, np.where((is_page & is_phone) | slips, PHONE_NAME, 0))
    return (kind.astype(np.int64) * 3 + variant).astype(np.int16)


def _copies(
    usage: Usage,
    rows: _Rows,
    batches: Sequence[Batch],
    rng: np.random.Generator,
    defects: Counter[str],
) -> _Rows:
    """Messages that a client sends again: the same but for when they were sent and received."""
    is_again = rng.random(len(rows)) < DUPLICATE_SHARE
    wait_ms = rng.integers(1_000, 15 * MINUTE, len(rows))
    ends = np.array([_ms(batch.ends_at) for batch in batches])
    for end_ms in ends[:-1].tolist():
        near = (rows.received_ms < end_ms) & (rows.received_ms >= end_ms - 2 * DAY)
        chosen = near & (rng.random(len(rows)) < max(0.01, 4 / max(int(near.sum()), 1)))
        wait_ms[chosen] = 2 * DAY + 5 * _HOUR
        is_again |= chosen
    is_again &= rows.received_ms + wait_ms < usage.end_ms
    copies = rows.take(is_again)
    wait_ms = wait_ms[is_again]
    first, second = (
        np.searchsorted(ends, moments, side="right")
        for moments in (copies.received_ms, copies.received_ms + wait_ms)
    )
    defects["segment_duplicates_within_batch"] += int((first == second).sum())
    defects["segment_duplicates_across_batches"] += int((first != second).sum())
    copies.received_ms[:] += wait_ms
    copies.sent_ms[:] += wait_ms
    return copies


def _ms(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


class _Writer:
    """Turns rows into files. Compression runs beside the next chunk's strings."""

    def __init__(
        self,
        company: Company,
        usage: Usage,
        batches: Sequence[Batch],
        out_dir: Path,
        defects: Counter[str],
    ) -> None:
        self.files: list[WrittenFile] = []
        self.broken: list[BrokenRecord] = []
        self._batches = batches
        self._ends = np.array([_ms(batch.ends_at) for batch in batches])
        self._out_dir = out_dir
        self._defects = defects
        self._seed = company.seed
        self._sources = [
            uuid_like(company.seed, "source", name).replace("-", "")[:22] for name in _SOURCES
        ]
        self._pool = ThreadPoolExecutor(2)
        self._pending: list[Future[WrittenFile]] = []
        self._spoiled: set[int] = set()
        self._connection = duckdb.connect(config={"threads": 2})
        load_dimensions(self._connection, company, usage)
        movers = np.flatnonzero(usage.people.next_account != usage.people.account)
        self._sql = lines_sql(company.seed, batches, self._sources, movers.tolist())

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._collect()
        self._pool.shutdown()
        self._connection.close()

    def write(self, rows: _Rows) -> None:
        """Writes the files of the rows' days; every message of those days has to be there."""
        if not len(rows):
            return
        day = rows.received_ms // DAY
        source = (rows.device < 0).astype(np.int64)
        order = np.lexsort((rows.number, source, day))
        rows = rows.take(order)
        file_key = (day * 2 + source)[order]
        batch = np.searchsorted(self._ends, rows.received_ms, side="right")
        self._count_properties(rows, batch)
        lines = self._lines(rows, batch)
        starts = np.flatnonzero(np.diff(file_key, prepend=-1))
        self._collect()
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
            key = int(file_key[start])
            content = [line.encode() for line in lines[start:end]]
            self._submit(self._batches[int(batch[start])], key // 2, key % 2, content)

    def _collect(self) -> None:
        self.files += [future.result() for future in self._pending]
        self._pending = []

    def _count_properties(self, rows: _Rows, batch: Ints) -> None:
        kind = rows.name // 3
        half = len(self._batches) // 2
        is_upload = kind == KIND["Document Uploaded"]
        has_pages = is_upload | (kind == KIND["Document Processed"])
        on_client = events.IS_TRACK[kind] & (rows.device >= 0) & (rows.document >= 0)
        for key, flags in (
            ("retyped_property", has_pages & (batch >= max(half, 1))),
            ("new_property", on_client & (batch >= 1)),
            ("vanished_property", is_upload & (batch == 0)),
            ("new_field", batch == len(self._batches) - 1),
            ("vanished_field", batch < max(half, 1)),
        ):
            self._defects[f"segment_{key}"] += int(flags.sum())

    def _lines(self, rows: _Rows, batch: Ints) -> list[str]:
        columns: dict[str, npt.NDArray[Any]] = {
            column.name: getattr(rows, column.name) for column in fields(rows)
        }
        columns["place"] = np.arange(len(rows))
        columns["batch"] = batch
        self._connection.register("rows", columns)
        result = self._connection.execute(self._sql).fetchnumpy()
        self._connection.unregister("rows")
        lines = np.empty(len(rows), dtype=object)
        lines[result["place"]] = result["line"]
        return list(lines)

    def _submit(self, batch: Batch, day: int, source: int, lines: list[bytes]) -> None:
        received_ms = day * DAY
        part = uuid_like(self._seed, "file", day, source)
        name = f"{received_ms + DAY + 61_000}.events-archiver-{480 + source}-0..{part}.gz"
        path = f"segment/segment-logs/{self._sources[source]}/{received_ms}/{name}"
        if source == 0 and batch.number not in self._spoiled and len(lines) > 2:
            self._spoiled.add(batch.number)
            self._spoil(batch, path, lines)
        self._pending.append(
            self._pool.submit(_compressed, self._out_dir, batch.batch_id, path, lines)
        )

    def _spoil(self, batch: Batch, path: str, lines: list[bytes]) -> None:
        """Adds broken copies of a message to a file, each with an id of its own."""
        model = next(line for line in lines if b'"type":"track"' in line or line is lines[-1])
        spoiled = _broken_lines(model, self._seed, batch)
        if batch.number != min(1, len(self._batches) - 1):
            spoiled.pop("wrong_encoding")
        place = len(lines) // 2
        for kind, line in spoiled.items():
            lines.insert(place, line)
            place += 1
            self.broken.append(BrokenRecord(batch.batch_id, path, place, kind))
            self._defects[f"segment_{kind}"] += 1


def _compressed(out_dir: Path, batch_id: str, path: str, lines: list[bytes]) -> WrittenFile:
    # A gzip member by zlib carries no time and no name: the same lines give the same bytes.
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    content = packer.compress(b"\n".join(lines) + b"\n") + packer.flush()
    return write_file(out_dir, batch_id, path, content, len(lines))


def _broken_lines(model: bytes, seed: int, batch: Batch) -> dict[str, bytes]:
    def changed(kind: str, **values: object) -> bytes:
        message = json.loads(model)
        message["messageId"] = f"ajs-next-{uuid_like(seed, 'broken', kind, batch.number)}"
        message |= values
        kept = {key: value for key, value in message.items() if value is not ...}
        return json.dumps(kept, separators=(",", ":"), ensure_ascii=False).encode("latin-1")

    return {
        "bad_json": changed("bad_json")[:-40],
        "missing_id": changed("missing_id", userId=..., anonymousId=...),
        "missing_type": changed("missing_type", type=...),
        "bad_date": changed("bad_date", receivedAt="2026-02-30T25:61:00.000Z"),
        "wrong_encoding": changed("wrong_encoding", properties={"query": "Müller"}),
    }
