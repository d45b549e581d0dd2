"""Segment messages as the archive keeps them and as clients post them."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from loading import Loading, track

ARCHIVE = "segment/segment-logs/r9QxNCpUszLY641VRaszNv/1780185600000/1780186000000.events-1.gz"


def test_a_raw_message_lands_with_all_it_has(loading: Loading) -> None:
    message = track(
        1,
        anonymousId="a1",
        properties={"revenue": 12.5, "id": 9007199254740993},
        context={"ip": "1.2.3.4"},
        integrations={},
        _metadata={"bundled": []},
        version=2,
        channel="client",
        projectId="p1",
        originalTimestamp="2026-05-30T09:59:58.123Z",
        sentAt=None,
        wideEvent=None,
        extra={"kept": [1, "é"]},
    )
    loading.write_json(ARCHIVE, message)
    loading.load()
    assert loading.rows(
        "select type, userId, event, properties, context, sentAt, originalTimestamp, version,"
        " channel, _extra, _source_file, _source_row from raw_segment.messages"
    ) == [
        (
            "track", "u1", "Document Uploaded", '{"revenue":12.5,"id":9007199254740993}',
            '{"ip":"1.2.3.4"}', None, datetime(2026, 5, 30, 9, 59, 58, 123000), 2.0,
            "client", '{"wideEvent":null,"extra":{"kept":[1,"é"]}}', ARCHIVE, 1,
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "landed"),
    [
        ("2026-05-30T10:00:00.123Z", datetime(2026, 5, 30, 10, 0, 0, 123000)),
        ("2026-05-30T10:00:00+02:00", datetime(2026, 5, 30, 8)),
        ("2026-05-30T10:00:00.5-0330", datetime(2026, 5, 30, 13, 30, 0, 500000)),
        ("2026-05-30T10:00:00.123456789Z", datetime(2026, 5, 30, 10, 0, 0, 123456)),
        ("2026-05-30 10:00:00", datetime(2026, 5, 30, 10)),
        (1780135200123, datetime(2026, 5, 30, 10, 0, 0, 123000)),
        ("1780135200123", datetime(2026, 5, 30, 10, 0, 0, 123000)),
        (1780135200, datetime(2026, 5, 30, 10)),
    ],
)
def test_instants_come_in_many_ways(loading: Loading, sent: object, landed: datetime) -> None:
    loading.write_json("segment/messages.jsonl", track(1, sentAt=sent))
    loading.load()
    assert loading.value("select sentAt from raw_segment.messages") == landed


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"type": "tracked"}, "type", "none of identify, track, page, screen, group, alias"),
        ({"type": None}, "type", "missing"),
        ({"userId": None}, "userId", "missing, and anonymousId too"),
        ({"userId": "", "anonymousId": ""}, "userId", "missing, and anonymousId too"),
        ({"event": None}, "event", "missing"),
        ({"event": " "}, "event", "missing"),
        ({"type": "group"}, "groupId", "missing"),
        ({"type": "alias"}, "previousId", "missing, and anonymousId too"),
        ({"type": "alias", "userId": None, "previousId": "a"}, "userId", "missing"),
        ({"receivedAt": "soon"}, "receivedAt", "not a date and time"),
        ({"sentAt": "2026-02-30T00:00:00Z"}, "sentAt", "not a date and time"),
        ({"version": "two"}, "version", "not a number"),
    ],
)
def test_a_message_that_cannot_be_meant_is_rejected(
    loading: Loading, changes: dict[str, object], field: str, reason: str
) -> None:
    bad = track(2, **changes)
    loading.write_json(ARCHIVE, track(1), bad, track(3))
    assert loading.load_one().rows_landed == 2
    assert loading.rejects() == [(ARCHIVE, 2, field, reason, json.dumps(bad))]


def test_the_least_that_a_message_needs(loading: Loading) -> None:
    messages = [
        {"type": "identify", "anonymousId": "a"},
        {"type": "page", "userId": "u"},
        {"type": "screen", "userId": 42},
        {"type": "group", "userId": "u", "groupId": "g"},
        {"type": "alias", "userId": "u", "previousId": "a"},
        {"type": "track", "userId": "u", "event": "Signed Up"},
    ]
    loading.write_json("segment/messages.ndjson", *messages)
    assert loading.load_one().rows_landed == 6
    assert loading.value("select userId from raw_segment.messages where type = 'screen'") == "42"


def test_arrays_and_batch_calls_are_taken_apart(loading: Loading) -> None:
    batch = {
        "batch": [track(1), track(2, sentAt="2026-05-30T10:00:01Z", context={"own": 1})],
        "sentAt": "2026-05-30T10:00:00Z",
        "context": {"ip": "1.2.3.4"},
        "writeKey": "secret",
    }
    loading.write("segment/batch.json", json.dumps(batch, indent=2))
    loading.write("segment/array.json", json.dumps([track(3), track(4)]))
    loading.write("segment/lines.jsonl", f"{json.dumps(track(5))}\n{json.dumps(batch)}\n[]")
    report = loading.load_one()
    assert (report.rows_read, report.rows_landed) == (7, 7)
    assert loading.rows(
        "select messageId, sentAt, context, _source_row from raw_segment.messages"
        " where _source_file = 'segment/batch.json' order by 1"
    ) == [
        ("m1", datetime(2026, 5, 30, 10), '{"ip":"1.2.3.4"}', 1),
        ("m2", datetime(2026, 5, 30, 10, 0, 1), '{"own":1}', 2),
    ]
    assert loading.value("select count(*) from raw_segment.messages where _extra is not null") == 0


def test_the_documentations_payloads_are_read(loading: Loading, vendor: Path) -> None:
    sample = (vendor / "samples" / "segment_docs_payloads.jsonl").read_bytes()
    loading.write("segment/payloads.jsonl", sample)
    report = loading.load_one()
    assert (report.rows_read, report.rows_landed, report.rows_rejected) == (77, 62, 15)
    assert loading.rows("select distinct field from raw_audit.rejected_records order by 1") == [
        ("event",),
        ("userId",),
    ]
