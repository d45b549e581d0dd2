"""The usage as Segment's S3 destination archives it: gzipped raw messages, a folder a received day.

A message's four clocks follow Segment's rule, `timestamp = receivedAt - (sentAt -
originalTimestamp)`, to the millisecond: the device's clock may be wrong, its difference is not.
Strings are built by DuckDB, a chunk of some days at a time.
"""

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from ingest.generate import usage_events as events
from ingest.generate.batches import Batch, BrokenRecord, WrittenFile, split_batches, write_file
from ingest.generate.ids import (
    account_customer_id,
    account_group_id,
    account_salesforce_id,
    uuid_like,
)
from ingest.generate.records import Account, Company, User
from ingest.generate.usage import (
    DUPLICATE_SHARE,
    ZONES,
    Usage,
    UsageTruth,
    TruthCounter,
    simulate_usage,
)
from ingest.generate.usage_events import DAY, KIND, KINDS, MINUTE, Flags, Ints, Messages, Sessions

_CHUNK_MESSAGES = 150_000
_HOUR = 60 * MINUTE
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/125.0.0.0 Safari/537.36",
)
_PHONE = "PaperDesk/3.2 (iPhone; iOS 17.5; Scale/3.00)"
_BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/124.0.0.0 Safari/537.36",
    "UptimeRobot/2.0 (https://uptimerobot.com/)",
)
_AGENTS = (*_BROWSERS, _PHONE, *_BOTS)
_PATHS = {
    "Home": "https://www.paperdesk.example/",
    "Pricing": "https://www.paperdesk.example/pricing",
    "Blog": "https://www.paperdesk.example/blog",
    "Signup": "https://app.paperdesk.example/signup",
    "Login": "https://app.paperdesk.example/login",
    "Documents": "https://app.paperdesk.example/documents",
    "Upload": "https://app.paperdesk.example/upload",
    "Editor": "https://app.paperdesk.example/editor",
    "Settings": "https://app.paperdesk.example/settings",
}
# Names in place of a message's kind: as planned now, as first planned, and what phones make of it.
_NOW, _FIRST_PLAN, _PHONE_NAME = range(3)
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
    company: Company, out_dir: Path, batch_ends: Sequence[datetime], defects: Counter[str]
) -> SegmentResult:
    """Writes `<out_dir>/<batch id>/segment/segment-logs/<source>/<day>/….gz` for every batch.

    Args:
        company: The simulated company.
        out_dir: The folder of batches.
        batch_ends: The exclusive end of each batch, ascending; each a midnight.
        defects: Is told what was planted, under keys that start with `segment_`.
    """
    usage = simulate_usage(company)
    truth = TruthCounter(usage)
    batches = split_batches(batch_ends)
    _count_people(usage, defects)
    with _Writer(company, usage, batches, out_dir, defects) as writer:
        waiting: _Rows | None = None
        written = 0
        for number, (_, until_ms, sessions, messages) in enumerate(usage.chunks(_CHUNK_MESSAGES)):
            truth.add(sessions, messages)
            rng = np.random.default_rng([company.seed, 33, number])
            rows = _received(usage, sessions, messages, written, batches, rng, defects)
            written += len(messages)
            rows = rows if waiting is None else _stacked([waiting, rows])
            is_due = rows.received_ms < until_ms
            waiting = rows.take(~is_due)
            writer.write(rows.take(is_due))
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
    written: int,
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
    is_far = ~people.is_counted[person] & ~is_server & (rng.random(size) < 0.06)
    far_ms = np.where(is_far, rng.integers(30 * DAY, 300 * DAY, size), 0)

    received_ms = at_ms + delay_ms
    timestamp_ms = at_ms + far_ms
    original_ms = timestamp_ms + skew_ms - rng.integers(30, 300, size)
    rows = _Rows(
        number=np.arange(written, written + size),
        person=person,
        account=people.account[person],
        device=device,
        name=_named(usage, kind, at_ms, device, rng),
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
    tested = np.array([a.is_test for a in people.accounts] + [False])[rows.account]
    for key, flags in (
        ("late_arrivals", is_late),
        ("future_timestamps", is_ahead | is_far),
        ("clock_skew", np.abs(skew_ms) > 10_000),
        ("bot_messages", people.is_bot[person]),
        ("internal_user_messages", is_known & ~people.is_counted[person] & ~tested),
        ("test_workspace_messages", tested),
        ("anonymous_messages", rows.is_anonymous),
        ("old_event_names", (rows.name % 3 == _FIRST_PLAN)),
        ("case_slips", (rows.name == 3 * KIND["Document Uploaded"] + _PHONE_NAME)),
        ("unknown_events", kind == KIND["Experiment Viewed"]),
    ):
        defects[f"segment_{key}"] += int(flags.sum())
    # People of no workspace have none to name in a group call.
    rows = rows.take((kind != KIND["group"]) | (rows.account >= 0))
    return _stacked([rows, _copies(usage, rows, batches, rng, defects)])


def _named(
    usage: Usage, kind: Ints, at_ms: Ints, device: npt.NDArray[np.int32], rng: np.random.Generator
) -> npt.NDArray[np.int16]:
    """Which name of its kind each message goes by: three a kind."""
    on_device = device >= 0
    lag_ms = np.where(on_device, usage.devices.update_lag_ms[device], 0)
    is_phone = on_device & usage.devices.is_mobile[device]
    is_page = np.array([kind.message_type == "page" for kind in KINDS])[kind]
    is_old = events.IS_TRACK[kind] & (at_ms < usage.renamed_at_ms + lag_ms)
    slips = (kind == KIND["Document Uploaded"]) & is_phone & ~is_old
    slips &= (at_ms < usage.renamed_at_ms + 120 * DAY) & (rng.random(len(kind)) < 0.5)
    variant = np.where(is_old, _FIRST_PLAN, np.where((is_page & is_phone) | slips, _PHONE_NAME, 0))
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
        _load_dimensions(self._connection, company, usage)
        self._sql = _lines_sql(company.seed, batches, self._sources)

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


def _load_dimensions(connection: duckdb.DuckDBPyConnection, company: Company, usage: Usage) -> None:
    """Puts what messages repeat into tables: texts of people, workspaces, devices and names."""
    for table, columns in (
        ("profiles", _people_texts(usage)),
        ("workspaces", _workspace_texts(company, usage)),
        ("names", _name_texts()),
        ("agents", {"text": _AGENTS}),
        ("zones", {"text": ZONES}),
    ):
        _create_table(connection, table, columns)
    people, devices = usage.people, usage.devices
    count = len(devices.owner)
    rng = np.random.default_rng([company.seed, 34])
    agent = rng.integers(0, len(_BROWSERS), count)
    agent[devices.is_mobile] = _AGENTS.index(_PHONE)
    on_bot = people.is_bot[devices.owner]
    agent[on_bot] = rng.integers(len(_BROWSERS) + 1, len(_AGENTS), int(on_bot.sum()))
    connection.register(
        "texts",
        {
            "device": np.arange(count),
            "agent": agent,
            "zone": people.zone[devices.owner].astype(np.int64),
            "is_mobile": devices.is_mobile,
            "subnet": rng.integers(0, 256, count),
            "host": rng.integers(1, 255, count),
        },
    )
    connection.execute(_DEVICES_SQL.format(seed=company.seed))
    connection.unregister("texts")
    connection.execute(_PEOPLE_SQL)


def _create_table(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Sequence[str]]
) -> None:
    """Makes a table of texts, numbered by `place` from 0.

    One long string a column, split by DuckDB: as an array of objects every value would be looked at
    by itself, with an attempt to import pandas for each.
    """
    lists = ", ".join(f"unnest(string_split(?, chr(30))) as {name}" for name in columns)
    connection.execute(
        f"create table {table} as select row_number() over () - 1 as place, * from (select {lists})",
        [chr(30).join(values) for values in columns.values()],
    )


_DEVICES_SQL = """
create table devices as
with digests as (
    select
        *,
        md5(concat('{seed}/device/', device)) as digest
    from texts
)

select
    device,
    concat(
        substr(digest, 1, 8), '-', substr(digest, 9, 4), '-4', substr(digest, 14, 3), '-a',
        substr(digest, 18, 3), '-', substr(digest, 21, 12)
    ) as anonymous_id,
    is_mobile,
    concat(
        '"ip":"203.0.', subnet, '.', host, '","library":{{"name":"',
        if(
            is_mobile,
            'analytics-react-native","version":"2.19.1"',
            'analytics.js","version":"npm:next-1.70.0"'
        ),
        '}},"locale":"', if(zones.text like 'America%', 'en-US', 'en-GB'), '","timezone":"',
        zones.text, '","userAgent":"', agents.text, '"'
    ) as context
from digests
inner join agents on digests.agent = agents.place
inner join zones on digests.zone = zones.place
"""

_PEOPLE_SQL = """
create table people as
select
    profiles.*,
    devices.anonymous_id as former_anonymous_id
from profiles
left join devices on cast(profiles.old_device as bigint) = devices.device
"""


def _json(values: dict[str, object]) -> str:
    return json.dumps(
        {key: value for key, value in values.items() if value is not None},
        separators=(",", ":"),
        ensure_ascii=False,
    )


def shown_email(user: User, account: Account | None) -> str:
    """The address a user gives: a free-mail one where the domain may not tie the workspace."""
    if account is not None and account.link_segment in {"name", "none"} and not user.is_internal:
        return f"{user.email.split('@')[0]}.{user.key}@gmail.com"
    return user.email


def _people_texts(usage: Usage) -> dict[str, list[str]]:
    people = usage.people
    traits, profiles, names = [], [], []
    for user, place in zip(people.users, people.account, strict=False):
        email = shown_email(user, people.accounts[place] if place >= 0 else None)
        signed_up = f"{user.signed_up_at:%Y-%m-%dT%H:%M:%S}.000Z"
        traits.append(
            _json(
                {
                    "email": email,
                    "firstName": user.first_name,
                    "lastName": user.last_name,
                    "createdAt": signed_up,
                    "title": user.title,
                }
            )
        )
        profiles.append(
            _json(
                {
                    "type": "organic" if user.key % 3 else "invited",
                    "first_name": user.first_name,
                    "last_name": user.last_name,
                    "email": email,
                    "title": user.title,
                }
            )
        )
        names.append(_json({"username": email}))
    return {
        "old_device": [str(device) for device in people.old_device[: len(people.users)].tolist()],
        "user_key": [str(user.key) for user in people.users],
        "traits": traits,
        "profile": profiles,
        "username": names,
    }


def _workspace_texts(company: Company, usage: Usage) -> dict[str, list[str]]:
    accounts = usage.people.accounts
    lives = {life.account_key: life for life in company.lifecycles}
    trials = []
    for account in accounts:
        life = lives.get(account.key)
        started_at = (life.trial_started_at or life.workspace_opened_at) if life else None
        started = (started_at or account.created_at).date()
        trials.append(
            _json(
                {
                    "trial_start_date": started.isoformat(),
                    "trial_end_date": (started + timedelta(days=14)).isoformat(),
                    "trial_plan_name": _plan_of(company, account),
                }
            )
        )
    return {
        "group_id": [account_group_id(company.seed, account.key) for account in accounts],
        "group_traits": [_json(group_traits(company, account)) for account in accounts],
        "account_name": [_json({"account_name": account.name}) for account in accounts],
        "trial": trials,
        "domain": [account.domain for account in accounts],
    }


def _plan_of(company: Company, account: Account) -> str:
    contracts = company.contracts.get(account.key, ())
    return contracts[0].plan if contracts else "free"


def group_traits(company: Company, account: Account) -> dict[str, object]:
    """What a workspace says about itself, and so how it can be tied to the account."""
    link = account.link_segment
    ids: dict[str, object] = {}
    if link == "id" and account.in_salesforce and (account.key % 4 or not account.in_stripe):
        ids["salesforce_account_id"] = account_salesforce_id(company.seed, account.key)
    elif link == "id" and account.in_stripe:
        ids["stripe_customer_id"] = account_customer_id(company.seed, account.key)
    names = {"name": account.name.upper(), "none": f"Workspace {account.key}"}
    first_word = account.name.split()[0].strip(",")
    return {
        "name": names.get(link, f"{first_word} documents" if link == "domain" else account.name),
        "plan": _plan_of(company, account),
        "employees": account.employee_count,
        "industry": account.industry,
        "website": f"https://{account.domain}" if link in {"id", "domain"} else None,
        "is_test": True if account.is_test else None,
        **ids,
    }


def _name_texts() -> dict[str, list[str]]:
    """For each kind's three names: the start of its messages, and the page it happens on."""
    heads, pages = [], []
    for kind in KINDS:
        for variant in range(3):
            url = _PATHS.get(kind.name, _PATHS["Documents"])
            path = url.removeprefix("https://").partition("/")[2]
            page = {"path": f"/{path}", "title": f"{kind.name} | Paperdesk", "url": url}
            start: dict[str, object] = {"type": kind.message_type}
            if kind.message_type == "track":
                names = (kind.name, kind.old_name, kind.name.lower())
                start["event"] = names[variant]
            elif kind.message_type == "page":
                is_screen = variant == _PHONE_NAME
                start = {"type": "screen" if is_screen else "page", "name": kind.name}
                start["properties"] = {"name": kind.name} if is_screen else page
            heads.append(_json(start)[:-1])
            pages.append(_json({"path": page["path"]}))
    return {"head": heads, "page": pages}


def _lines_sql(seed: int, batches: Sequence[Batch], sources: Sequence[str]) -> str:
    """The query that writes a chunk's messages as JSON, one row a message."""
    half = max(len(batches) // 2, 1)
    last = len(batches) - 1

    def kinds(*names: str) -> str:
        return ", ".join(str(KIND[name]) for name in names)

    def time(column: str) -> str:
        return f"strftime(make_timestamp_ms({column}), '%Y-%m-%dT%H:%M:%S.%gZ')"

    tools = ", ".join(f"'{tool.key}'" for tool in events.TOOLS)
    document = (
        f"'\"document_id\":\"doc_', substr(md5(concat('{seed}/doc/', document)), 1, 14), '\"'"
    )
    page_count = f"if(batch >= {half}, concat('\"', pages, '\"'), pages::varchar)"
    version = """if(batch >= 1, ',"client_version":"4.2.0"', '')"""
    return f"""
with described as (
    select
        rows.*,
        names.head,
        names.page,
        rows.name // 3 as kind,
        people.user_key,
        people.traits,
        people.profile,
        people.username,
        people.former_anonymous_id,
        workspaces.group_id,
        workspaces.group_traits,
        workspaces.account_name,
        workspaces.trial,
        workspaces.domain,
        devices.anonymous_id,
        devices.is_mobile,
        devices.context,
        if(
            is_renamed,
            concat('legacy-', user_key),
            concat('usr_', substr(md5(concat('{seed}/user/', user_key)), 1, 16))
        ) as user_id
    from rows
    inner join names on rows.name = names.place
    left join people on rows.person = people.place
    left join workspaces on rows.account = workspaces.place
    left join devices on rows.device = devices.device
)

select
    described.place,
    concat(
        head,
        case
            when is_anonymous then concat(',"anonymousId":"', anonymous_id, '"')
            when device < 0 then concat(',"userId":"', user_id, '"')
            else concat(',"anonymousId":"', anonymous_id, '","userId":"', user_id, '"')
        end,
        case
            when kind = {KIND["identify"]} then concat(',"traits":', traits)
            when kind = {KIND["group"]}
                then concat(',"groupId":"', group_id, '","traits":', group_traits)
            when kind = {KIND["alias"]} then concat(
                ',"previousId":"',
                if(is_switch, concat('legacy-', user_key), former_anonymous_id), '"'
            )
            when kind in ({kinds(*_PATHS)}) then ''
            when kind in ({kinds("Document Processed", "Document Processing Failed")}) then concat(
                ',"properties":{{', {document}, ',"tool":"', list_value({tools})[tool + 1],
                '","pages":', {page_count}, ',"duration_ms":', duration_ms,
                if(
                    kind = {KIND["Document Processed"]},
                    ',"status":"success"}}',
                    ',"status":"failed","error_code":"E' || (400 + duration_ms % 30) || '"}}'
                )
            )
            when kind = {KIND["Document Uploaded"]} then concat(
                ',"properties":{{', {document}, ',"file_type":"',
                list_value('pdf', 'pdf', 'docx', 'png')[document % 4 + 1], '","pages":',
                {page_count}, ',"size_bytes":', pages * 48211 + duration_ms,
                if(batch = 0, ',"legacy_plan_code":"P1"', ''), {version}, '}}'
            )
            when document >= 0 then concat(',"properties":{{', {document}, {version}, '}}')
            when kind = {KIND["Signed Up"]} then concat(',"properties":', profile)
            when kind in ({kinds("Signed In", "Signed Out")})
                then concat(',"properties":', username)
            when kind = {KIND["Account Created"]} then concat(',"properties":', account_name)
            when kind in ({kinds("Trial Started", "Trial Ended")})
                then concat(',"properties":', trial)
            when kind = {KIND["Account Added User"]} then ',"properties":{{"role":"member"}}'
            when kind = {KIND["Invite Sent"]} then concat(
                ',"properties":{{"invitee_email":"colleague.', number % 100000, '@', domain,
                '","invitee_role":"member"}}'
            )
            when kind = {KIND["Documents Searched"]}
                then concat(',"properties":{{"results":', pages, '}}')
            else ',"properties":{{}}'
        end,
        ',"context":{{',
        if(
            device < 0,
            '"library":{{"name":"analytics-node","version":"2.1.0"}}',
            concat(context, if(is_mobile, '', concat(',"page":', page)))
        ),
        if(is_anonymous or group_id is null, '', concat(',"groupId":"', group_id, '"')),
        '}},"integrations":{{}},"messageId":"', if(device < 0, 'node-next-', 'ajs-next-'),
        md5(concat('{seed}/message/', number)),
        '","originalTimestamp":"', {time("original_ms")},
        '","sentAt":"', {time("sent_ms")},
        '","receivedAt":"', {time("received_ms")},
        '","timestamp":"', {time("timestamp_ms")},
        if(device < 0, '","channel":"server"', '","channel":"client"'),
        if(device < 0, ',"projectId":"{sources[1]}"', ',"projectId":"{sources[0]}"'),
        if(
            batch < {half},
            ',"_metadata":{{"bundled":["Segment.io"],"bundledIds":[],"unbundled":[]}}',
            ''
        ),
        if(batch = {last}, ',"writeKey":"wk_{sources[0][:8]}"', ''),
        ',"version":2}}'
    ) as line
from described
"""
