"""Segment's files as an outsider reads them: their shape, what is planted, what they add up to."""

import csv
import gzip
import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import pytest

from harness import PROJECT
from ingest.generate import batch_ends
from ingest.generate.company import simulate
from ingest.generate.ids import account_group_id, account_salesforce_id
from ingest.generate.records import Company
from ingest.generate.segment import SegmentResult, write_segment
from ingest.generate.usage_events import KINDS, TOOLS

Message = dict[str, Any]
START, END = date(2024, 1, 1), date(2026, 9, 30)
BOT = re.compile(r"bot|headless", re.IGNORECASE)


@dataclass(frozen=True)
class Written:
    company: Company
    folder: Path
    result: SegmentResult
    defects: Counter[str]
    messages: list[tuple[str, Message]]
    """Batch and message, the broken lines left out, copies kept."""


def write_tiny(folder: Path) -> tuple[Company, SegmentResult, Counter[str]]:
    ends = batch_ends(START, END, 6)
    company = simulate(7, START, END, "tiny", tuple(ends))
    defects: Counter[str] = Counter()
    return company, write_segment(company, folder, ends, defects), defects


def lines_of(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).rstrip(b"\n").split(b"\n")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("segment")
    company, result, defects = write_tiny(folder)
    broken = {(item.batch_id, item.source_file, item.source_row) for item in result.broken}
    messages = [
        (file.batch_id, json.loads(line))
        for file in result.files
        for row, line in enumerate(lines_of(folder / file.batch_id / file.path), 1)
        if (file.batch_id, file.path, row) not in broken
    ]
    return Written(company, folder, result, defects, messages)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def distinct(written: Written) -> list[Message]:
    """Each message once."""
    return list({message["messageId"]: message for _, message in written.messages}.values())


def validator(vendor: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("v", vendor / "validate_segment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_good_messages_pass_the_vendor_s_published_shape(written: Written, vendor: Path) -> None:
    check = validator(vendor).message
    failures = [
        (message["messageId"], failure)
        for _, message in written.messages
        for failure in check(message, "raw", True)
    ]
    assert not failures


def test_good_files_pass_the_vendor_s_layout(
    written: Written, vendor: Path, tmp_path: Path
) -> None:
    broken = {(item.batch_id, item.source_file) for item in written.result.broken}
    for file in written.result.files[:200]:
        if (file.batch_id, file.path) not in broken:
            target = tmp_path / file.batch_id / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((written.folder / file.batch_id / file.path).read_bytes())
    command = [sys.executable, str(vendor / "validate_segment.py"), "--b2b", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_same_arguments_write_the_same_bytes(written: Written, tmp_path: Path) -> None:
    _, again, defects = write_tiny(tmp_path)
    assert again.files == written.result.files
    assert again.truth == written.result.truth
    assert defects == written.defects
    for file in again.files[:50]:
        ours = (written.folder / file.batch_id / file.path).read_bytes()
        assert (tmp_path / file.batch_id / file.path).read_bytes() == ours


def test_a_batch_holds_what_segment_received_in_it(written: Written) -> None:
    before = "2000-01-01"
    bounds = {}
    for batch_id in sorted({file.batch_id for file in written.result.files}):
        bounds[batch_id] = before, batch_id
        before = batch_id
    for batch_id, message in written.messages:
        low, high = bounds[batch_id]
        assert low < message["receivedAt"][:10] <= high


def test_timestamps_follow_segments_rule_to_the_millisecond(written: Written) -> None:
    for _, message in written.messages:
        received, sent, original = (
            moment(message[clock]) for clock in ("receivedAt", "sentAt", "originalTimestamp")
        )
        assert moment(message["timestamp"]) == received - (sent - original)


def test_copies_are_counted_within_and_across_batches(written: Written) -> None:
    batches = defaultdict(list)
    for batch_id, message in written.messages:
        batches[message["messageId"]].append(batch_id)
    across = sum(len(set(copies)) > 1 for copies in batches.values())
    repeats = sum(len(copies) - 1 for copies in batches.values())
    assert across == written.defects["segment_duplicates_across_batches"] > 0
    assert repeats - across == written.defects["segment_duplicates_within_batch"] > 0


def test_a_copy_happened_when_its_original_did(written: Written) -> None:
    clocks = defaultdict(set)
    for _, message in written.messages:
        clocks[message["messageId"]].add((message["timestamp"], message["originalTimestamp"]))
    assert all(len(pairs) == 1 for pairs in clocks.values())


def test_broken_lines_lie_where_the_truth_says(written: Written) -> None:
    kinds = Counter[str]()
    for item in written.result.broken:
        line = lines_of(written.folder / item.batch_id / item.source_file)[item.source_row - 1]
        kinds[item.kind] += 1
        if item.kind == "bad_json":
            with pytest.raises(json.JSONDecodeError):
                json.loads(line)
        elif item.kind == "wrong_encoding":
            with pytest.raises(UnicodeDecodeError):
                line.decode()
        else:
            message = json.loads(line)
            if item.kind == "missing_id":
                assert not {"userId", "anonymousId"} & set(message)
            elif item.kind == "missing_type":
                assert "type" not in message
            else:
                with pytest.raises(ValueError, match=r"day|month|hour"):
                    moment(message["receivedAt"])
    assert {f"segment_{kind}": count for kind, count in kinds.items()} == {
        key: written.defects[key] for key in (f"segment_{kind}" for kind in kinds)
    }
    assert len(kinds) == 5


@pytest.mark.parametrize(
    "key",
    [
        "late_arrivals",
        "future_timestamps",
        "clock_skew",
        "bot_messages",
        "internal_user_messages",
        "test_workspace_messages",
        "anonymous_messages",
        "old_event_names",
        "case_slips",
        "unknown_events",
        "second_devices",
        "shared_devices",
        "aliases",
        "retyped_property",
        "new_property",
        "vanished_property",
        "new_field",
        "vanished_field",
    ],
)
def test_every_kind_of_mess_is_there_at_the_smallest_scale(written: Written, key: str) -> None:
    assert written.defects[f"segment_{key}"] > 0


def test_late_and_future_messages_are_as_many_as_counted(written: Written) -> None:
    lateness = [
        moment(message["receivedAt"]) - moment(message["timestamp"])
        for message in first_copies(written)
    ]
    late = sum(delay > timedelta(hours=5) for delay in lateness)
    ahead = sum(delay < timedelta(0) for delay in lateness)
    assert late == written.defects["segment_late_arrivals"]
    assert ahead == written.defects["segment_future_timestamps"]


def first_copies(written: Written) -> list[Message]:
    found: dict[str, Message] = {}
    for _, message in written.messages:
        known = found.get(message["messageId"])
        if known is None or message["receivedAt"] < known["receivedAt"]:
            found[message["messageId"]] = message
    return list(found.values())


def test_fields_appear_vanish_and_change_type_between_batches(written: Written) -> None:
    pages: dict[str, set[type]] = defaultdict(set)
    versions: dict[str, set[str]] = defaultdict(set)
    keys: dict[str, set[str]] = defaultdict(set)
    for batch_id, message in written.messages:
        keys[batch_id] |= set(message)
        if message.get("event") in {"Document Uploaded", "file_uploaded"}:
            pages[batch_id].add(type(message["properties"]["pages"]))
            versions[batch_id] |= set(message["properties"])
    first, *_, last = sorted(keys)
    assert pages[first] == {int}
    assert pages[last] == {str}
    assert "legacy_plan_code" in versions[first] - versions[last]
    assert "client_version" in versions[last] - versions[first]
    assert "_metadata" in keys[first] - keys[last]
    assert "writeKey" in keys[last] - keys[first]


def seed_rows(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_taxonomy_knows_every_planned_name(written: Written) -> None:
    canonical = {row["raw_event_name"]: row["event_name"] for row in seed_rows("event_taxonomy")}
    for kind in KINDS:
        if kind.message_type == "track" and kind.name != "Experiment Viewed":
            assert canonical[kind.name] == canonical[kind.old_name] == kind.name
    sent = {m["event"] for _, m in written.messages if m["type"] == "track"}
    assert sent - set(canonical) <= {"Experiment Viewed", "experiment_viewed"}
    assert "document uploaded" in sent


def test_the_first_plan_s_names_end_with_the_second_plan(written: Written) -> None:
    old = {kind.old_name for kind in KINDS if kind.old_name}
    uses = Counter(
        (m["timestamp"] < "2025-06-01", m["event"] in old)
        for m in distinct(written)
        if m["type"] == "track" and m["channel"] == "server"
    )
    assert uses[True, False] == 0
    assert uses[False, True] == 0
    assert uses[True, True] > 100
    assert uses[False, False] > 100


def test_the_features_seed_names_the_tools() -> None:
    tools = {row["tool_key"]: row["introduced_on"] for row in seed_rows("features")}
    assert {tool.key: tool.introduced_on.isoformat() for tool in TOOLS}.items() <= tools.items()


def test_workspaces_are_tied_as_the_account_says(written: Written) -> None:
    traits = {m["groupId"]: m["traits"] for m in distinct(written) if m["type"] == "group"}
    links = Counter[str]()
    for account in written.company.accounts:
        said = traits.get(account_group_id(7, account.key))
        if said is None or account.is_test:
            continue
        links[account.link_segment] += 1
        ids = {"salesforce_account_id", "stripe_customer_id"} & set(said)
        assert len(ids) == (account.link_segment == "id")
        if "salesforce_account_id" in said:
            assert said["salesforce_account_id"] == account_salesforce_id(7, account.key)
        if account.link_segment == "domain":
            assert said["website"].endswith(account.domain)
            assert said["name"] != account.name
        if account.link_segment == "none":
            assert "website" not in said
    assert links["id"] > 20
    sent = {(key, group_id) for key, group_id, _ in written.result.truth.account_links}
    assert {group_id for _, group_id in sent} == set(traits)


class Stitched:
    """Persons as the definition has them: by the id they sign in with next on the device."""

    def __init__(self, messages: list[Message]) -> None:
        self.alias = {m["previousId"]: m["userId"] for m in messages if m["type"] == "alias"}
        self.known: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for message in messages:
            if message.get("userId") and message.get("anonymousId"):
                self.known[message["anonymousId"]].append((message["timestamp"], message["userId"]))
        for sightings in self.known.values():
            sightings.sort()

    def person(self, message: Message) -> str:
        person: str = message.get("userId") or self._on_device(message)
        while person in self.alias:
            person = self.alias[person]
        return person

    def _on_device(self, message: Message) -> str:
        anonymous_id: str = message["anonymousId"]
        sightings = self.known.get(anonymous_id, [])
        for at, user_id in sightings:
            if at >= message["timestamp"]:
                return user_id
        return sightings[-1][1] if sightings else anonymous_id


def counted(messages: list[Message], stitched: Stitched) -> Iterator[tuple[str, Message]]:
    """Messages with their person; bots, internal users and test workspaces left out."""
    test_groups = {
        m["groupId"] for m in messages if m["type"] == "group" and m["traits"].get("is_test")
    }
    ignored = {
        stitched.person(m)
        for m in messages
        if (m["type"] == "identify" and m["traits"]["email"].endswith("@paperdesk.example"))
        or m["context"].get("groupId") in test_groups
        or m.get("groupId") in test_groups
        or BOT.search(m["context"].get("userAgent", ""))
    }
    for message in messages:
        person = stitched.person(message)
        if person not in ignored:
            yield person, message


def test_sessions_and_active_users_can_be_found_again_in_the_files(written: Written) -> None:
    """The truth comes from the simulation; the definition, applied to the files, has to agree."""
    messages = distinct(written)
    stitched = Stitched(messages)
    moments, active = defaultdict(list), defaultdict(set)
    for person, message in counted(messages, stitched):
        at = moment(message["timestamp"]).astimezone(UTC)
        moments[person].append(at)
        if message["type"] == "track":
            active[at.date()].add(person)
    sessions = Counter[date]()
    for times in moments.values():
        before = datetime.min.replace(tzinfo=UTC)
        for at in sorted(times):
            if at - before >= timedelta(minutes=30):
                sessions[at.date()] += 1
            before = at
    for day, total, _ in written.result.truth.sessions_daily:
        assert sessions[day] == total, day
    for day, dau, wau, mau in written.result.truth.active_users_daily:
        week, month = (
            set().union(*(active[day - timedelta(days=back)] for back in range(width)))
            for width in (7, 30)
        )
        assert (len(active[day]), len(week), len(month)) == (dau, wau, mau), day


CHANNELS = {
    "cpc": "paid",
    "paid-social": "paid",
    "email": "email",
    "": "direct",
    "https://www.google.com/": "search",
    "https://www.bing.com/": "search",
    "https://www.linkedin.com/": "social",
    "https://news.ycombinator.com/": "social",
    "https://reviews.example/document-workspaces": "referral",
    "https://www.paperdesk.example/": "internal",
}


def test_channels_of_sessions_can_be_found_again_in_the_files(written: Written) -> None:
    """A session has the channel of its first page, which a campaign's medium names first."""
    messages = distinct(written)
    visits = defaultdict(list)
    for person, message in counted(messages, Stitched(messages)):
        visits[person].append((moment(message["timestamp"]), message))
    sessions = []
    for moments in visits.values():
        before = datetime.min.replace(tzinfo=UTC)
        for at, message in sorted(moments, key=lambda one: one[0]):
            if at - before >= timedelta(minutes=30):
                sessions.append("unknown")
            if sessions[-1] == "unknown" and message["type"] == "page":
                campaign = message["context"].get("campaign", {})
                how = campaign.get("medium", message["properties"]["referrer"])
                sessions[-1] = CHANNELS[how]
            before = at
    channels = Counter(sessions)
    assert tuple(sorted(channels.items())) == written.result.truth.sessions_by_channel
    assert len(channels) == 8


def test_landing_pages_carry_their_campaign(written: Written) -> None:
    """In the context as the library reads it, and in the address of the page."""
    pages = [m for m in distinct(written) if m["type"] == "page"]
    landed = [m for m in pages if "campaign" in m["context"]]
    assert 0.02 < len(landed) / len(pages) < 0.3
    for message in landed:
        campaign = message["context"]["campaign"]
        query = dict(parse_qsl(message["properties"]["search"].removeprefix("?")))
        assert message["properties"]["url"].endswith(message["properties"]["search"])
        assert query.pop("gclid", "sample") == "sample"
        assert query == {
            f"utm_{'campaign' if name == 'name' else name}": value
            for name, value in campaign.items()
        }
        assert message["context"]["page"]["path"] == message["properties"]["path"]
    assert {m["properties"]["path"] for m in landed} >= {"/compress-pdf", "/teams", "/signup"}


def test_events_by_name_can_be_found_again_in_the_files(written: Written) -> None:
    canonical = {row["raw_event_name"]: row["event_name"] for row in seed_rows("event_taxonomy")}
    found = Counter(
        canonical.get(m["event"], m["event"].replace("_", " ").title())
        for m in distinct(written)
        if m["type"] == "track"
    )
    assert {name: total for name, total, _ in written.result.truth.events} == found
