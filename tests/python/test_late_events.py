"""Events late, twice and out of order: however they land, the marts are those of one full refresh.

Each case lands the same deliveries in batches drawn at random and builds after each.
"""

import random
import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness import differences, rows
from loading import Loading
from warehouses import build_again, build_new

Message = dict[str, object]

_BATCHES = ("2026-03-31", "2026-04-30", "2026-05-31")
_START = datetime(2026, 3, 1)
_CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"
_GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
# All that product marts are made from, and the part of it that reads messages.
_MARTS = (
    *("fct_active_users_daily", "fct_account_activity_daily", "fct_document_funnel"),
    "fct_usage_hourly",
    *("dim_users", "dim_event_types", "dim_accounts"),
)
# These count by batch, so that another split of the deliveries gives other figures.
_BY_BATCH = ("dq_source_reconciliation", "dq_volumes_daily")
_ALL = tuple(f"+{mart}" for mart in (*_MARTS, *_BY_BATCH))
_PRODUCT = tuple(f"stg_segment__messages+,+{mart}" for mart in _MARTS)
_QUALITY = tuple(f"stg_segment__messages+,+{mart}" for mart in _BY_BATCH)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds") + "Z"


def _message(number: int, kind: str, at: datetime, **fields: object) -> Message:
    return {
        "type": kind,
        "messageId": f"m{number:04}",
        "timestamp": _stamp(at),
        "receivedAt": _stamp(at + timedelta(seconds=2)),
        **fields,
    }


def _document_messages(luck: random.Random, first_number: int) -> list[Message]:
    """Uploads, conversions and downloads of 13 documents, in any order, some by our own user."""
    messages = []
    for number in range(60):
        at = _START + timedelta(days=number % 13, hours=luck.randrange(30))
        name = luck.choice(
            ("Uploaded", "Processed", "Processed", "Processing Failed", "Downloaded")
        )
        message = _message(
            first_number + number,
            "track",
            at,
            event=f"Document {name}",
            properties={"document_id": f"doc{number % 13}", "tool": luck.choice(("ocr", None))},
            userId=f"u{luck.choice((1, 2, 8, 9))}",
            anonymousId=f"d{number % 4}",
        )
        messages.append(message)
    return messages


def _deliveries(seed: int) -> list[Message]:
    """A few hundred deliveries of a small company's messages, with everything that may come late.

    Ten people on twelve devices in four workspaces: before sign-in and after, some on one device,
    moving to another workspace, aliased, sent twice with other content, dated into the future, by
    bots; workspaces that turn out to be tests, users who turn out to be our own; someone in no
    workspace whose traits turn out to name a customer.
    """
    luck = random.Random(seed)
    messages: list[Message] = []

    def add(kind: str, at: datetime, **fields: object) -> None:
        messages.append(_message(len(messages), kind, at, **fields))

    for visit in range(90):
        person = luck.randrange(10)
        at = _START + timedelta(days=luck.randrange(45), minutes=luck.randrange(1440))
        device = f"d{luck.choice((person, person, 10, 11))}"
        agent = _GOOGLE if person == 9 and visit % 2 else _CHROME
        workspace = f"w{person % 3 if at.day < 15 else person % 4}"
        user = {} if luck.random() < 0.4 else {"userId": f"u{person}"}
        for _ in range(luck.randrange(1, 6)):
            context: dict[str, object] = {"userAgent": agent}
            if user and luck.random() < 0.5:
                context["groupId"] = workspace
            sent = {"anonymousId": device, "context": context, **user}
            if luck.random() < 0.3:
                add("page", at, name="Home", **sent)
            else:
                name = luck.choice(("Document Uploaded", "file_uploaded", "Strange Thing"))
                add(
                    "track",
                    at,
                    event=name,
                    properties={"pages": luck.choice((3, "4", "x"))},
                    **sent,
                )
            at += timedelta(minutes=luck.choice((1, 29, 30, 31)))
    messages.extend(_document_messages(luck, len(messages)))
    for person in range(10):
        at = _START + timedelta(days=luck.randrange(45))
        traits = {"email": f"p{person}@{'paperdesk.example' if person == 8 else 'acme.example'}"}
        add("identify", at, userId=f"u{person}", anonymousId=f"d{person}", traits=traits)
    for number in range(4):
        at = _START + timedelta(days=luck.randrange(45))
        company: dict[str, object] = {"name": f"Company {number}", "is_test": number == 3}
        add("group", at, userId=f"u{number}", groupId=f"w{number}", traits=company)
    for day in (2, 22):
        add("track", _START + timedelta(days=day), event="Document Uploaded", userId="u_alone")
    named = {"email": "alone@acme.example", "stripe_customer_id": "cus_late"}
    add("identify", _START + timedelta(days=30), userId="u_alone", traits=named)
    # A visitor who never says who it is.
    for day in (3, 4):
        context = {"userAgent": _CHROME}
        add("page", _START + timedelta(days=day), name="Home", anonymousId="d12", context=context)
    add("alias", _START + timedelta(days=20), userId="u1", previousId="d7")
    add("alias", _START + timedelta(days=21), userId="u2", previousId="u5")
    ahead = _START + timedelta(days=400)
    add("track", ahead, event="Document Uploaded", userId="u3", receivedAt=_stamp(_START))
    again = luck.sample(messages, 40)
    copies = [
        {**message, "receivedAt": _stamp(_START + timedelta(days=luck.randrange(60)))}
        for message in again
    ]
    copies[0]["userId"] = "u6"
    copies[1]["event"] = "Document Downloaded"
    without_id = [{**message, "messageId": None, "name": "No id"} for message in again[:5]]
    return [*messages, *copies, *again[:10], *without_id, *without_id[:2]]


class _Place:
    """Where every warehouse is built in its turn."""

    def __init__(self, folder: Path) -> None:
        self.loading = Loading(folder)
        self._empty = folder / "empty" / "warehouse.duckdb"
        self._empty.parent.mkdir()

    def build_empty(self) -> None:
        """Keeps a warehouse of which all that knows no message is built."""
        self.loading.write_json("segment/none.jsonl", batch="2026-01-31")
        self.loading.load()
        build_new(self.loading.warehouse, *_ALL)
        self.loading.warehouse.rename(self._empty)

    def land(
        self,
        parts: Iterable[tuple[str, Sequence[Message]]],
        into: Path,
        selected: Sequence[str] = _PRODUCT,
    ) -> Path:
        """A warehouse that takes one batch after another, each built before the next lands."""
        shutil.rmtree(self.loading.extracts)
        shutil.copy(self._empty, self.loading.warehouse)
        for batch, messages in parts:
            self.loading.write_json("segment/messages.jsonl", *messages, batch=batch)
            self.loading.load(batch_ids=[batch], replace=True)
            build_again(self.loading.warehouse, *selected)
        # Under the same name, which its views know it by.
        into.mkdir()
        return self.loading.warehouse.rename(into / self.loading.warehouse.name)

    def refresh(self, warehouse: Path, into: Path, selected: Sequence[str]) -> Path:
        """A copy of a warehouse, all of it built again."""
        shutil.copy(warehouse, self.loading.warehouse)
        build_again(self.loading.warehouse, *selected, full_refresh=True)
        into.mkdir()
        return self.loading.warehouse.rename(into / self.loading.warehouse.name)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> _Place:
    place = _Place(tmp_path_factory.mktemp("place"))
    place.build_empty()
    return place


@pytest.fixture(scope="module")
def expected(place: _Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marts of all deliveries at once."""
    folder = tmp_path_factory.mktemp("expected") / "expected"
    return place.land([(_BATCHES[-1], _deliveries(0))], folder)


def _drawn(seed: int) -> list[tuple[str, list[Message]]]:
    """The deliveries spread over the batches at random, and these in random order."""
    luck = random.Random(seed)
    parts: dict[str, list[Message]] = {batch: [] for batch in _BATCHES}
    for message in luck.sample(deliveries := _deliveries(0), len(deliveries)):
        parts[luck.choice(_BATCHES)].append(message)
    return luck.sample(list(parts.items()), len(parts))


@pytest.mark.parametrize("seed", range(1, 6))
def test_any_split_in_any_order_gives_the_same_marts(
    place: _Place, expected: Path, tmp_path: Path, seed: int
) -> None:
    assert differences(expected, place.land(_drawn(seed), tmp_path / "landed")) == {}


def test_a_corrected_batch_leaves_nothing_of_the_wrong_one(
    place: _Place, expected: Path, tmp_path: Path
) -> None:
    """Sent with other names, by other users and with messages too many, built, and replaced."""
    wrong = [
        {**message, "userId": "no_one", **({"event": "Wrong"} if "event" in message else {})}
        for message in _deliveries(0)[::2]
    ]
    wrong.append(_message(9999, "track", _START, userId="gone", event="Document Uploaded"))
    sent_wrong, sent_right = (_BATCHES[-1], wrong), (_BATCHES[-1], _deliveries(0))
    assert differences(expected, place.land([sent_wrong], tmp_path / "wrong"))
    assert differences(expected, place.land([sent_wrong, sent_right], tmp_path / "right")) == {}


def test_a_full_refresh_changes_nothing(place: _Place, tmp_path: Path) -> None:
    """Of the product's marts and of those that count by batch, after late and replaced batches."""
    (first, messages), (second, more), third = _drawn(6)
    kept, gone = (
        {"event": "Document Uploaded", "properties": {"document_id": name}}
        for name in ("kept", "gone")
    )
    # Of one document an event in the wrong batch is withdrawn, of the other all.
    wrong = [
        *messages[::3],
        _message(9997, "track", _START, userId="u1", **kept),
        _message(9998, "track", _START, userId="gone", **gone),
    ]
    more.append(_message(9999, "track", _START + timedelta(days=1), userId="u1", **kept))
    parts = [(first, wrong), (second, more), third, (first, messages)]
    landed = place.land(parts, tmp_path / "landed", (*_PRODUCT, *_QUALITY))
    refreshed = place.refresh(landed, tmp_path / "refreshed", (*_PRODUCT, *_QUALITY))
    assert differences(landed, refreshed) == {}
    assert rows(
        landed,
        """
        select bool_and(is_staged_whole), bool_and(raw_count > 0), count(*) > 1
        from quality.dq_source_reconciliation
        where object_name = 'messages' and duplicate_count > 0
        """,
    ) == [(True, True, True)]


def test_the_messages_hold_what_may_go_wrong(expected: Path) -> None:
    """Else the splits would prove nothing."""
    ((events, *kinds),) = rows(
        expected,
        """
        select
            count(*),
            count_if(is_counted),
            count_if(is_bot),
            count_if(is_internal),
            count_if(is_test),
            count_if(is_future),
            count_if(not is_known_event),
            count_if(user_id is null),
            (select count(*) from product.fct_sessions where device_count > 1),
            (select count(*) from shared.dim_users where match_rule = 'explicit_id'),
            (select count(*) from product.fct_document_funnel where is_downloaded),
            (select count(*) from product.fct_document_funnel where not is_processed),
            (select count(*) from shared.dim_documents where uploaded_at is null)
        from product.fct_events
        """,
    )
    # Content distinguishes messages without an id; two of the five are delivered twice.
    assert events == len({message["messageId"] for message in _deliveries(0)} - {None}) + 5
    assert all(kinds)
