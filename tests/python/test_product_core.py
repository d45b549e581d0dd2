"""Sessions and active users against the simulation, which saw who did what and when."""

from pathlib import Path

import pytest

from data_tests import DataTests
from harness import rows
from loading import Loading
from warehouses import build_warehouse


def _truth(extracts: Path, name: str) -> str:
    return f"read_csv('{extracts / '_truth' / name}')"


def test_sessions_by_day_are_the_truth(tiny_extracts: Path, tiny_warehouse: Path) -> None:
    """All of them, and those of known users: who is stitched wrongly has other pauses."""
    apart = rows(
        tiny_warehouse,
        f"""
        with

        sessions as (

            select session_date as day, count(*) as sessions, count(user_id) as known_user_sessions
            from product.fct_sessions
            where is_counted
            group by session_date

        )

        select *
        from {_truth(tiny_extracts, "sessions_daily.csv")} as truth
        full join sessions using (day)
        where
            coalesce(truth.sessions, 0) != coalesce(sessions.sessions, 0)
            or coalesce(truth.known_user_sessions, 0) != coalesce(sessions.known_user_sessions, 0)
        """,
    )
    assert not apart


def test_channels_of_sessions_are_the_truth(tiny_extracts: Path, tiny_warehouse: Path) -> None:
    assert rows(
        tiny_warehouse,
        """
        select coalesce(channel, 'unknown'), count(*)
        from product.fct_sessions
        where is_counted
        group by all
        order by all
        """,
    ) == rows(
        tiny_warehouse,
        f"""
        select channel, sessions
        from {_truth(tiny_extracts, "sessions_by_channel.csv")}
        order by all
        """,
    )


def test_daily_weekly_and_monthly_active_users_are_the_truth(
    tiny_extracts: Path, tiny_warehouse: Path
) -> None:
    apart = rows(
        tiny_warehouse,
        f"""
        select *
        from {_truth(tiny_extracts, "active_users_daily.csv")} as truth
        full join (from product.fct_active_users_daily where segment = 'total') as active
            on truth.day = active.active_date
        where
            (coalesce(truth.dau, 0), coalesce(truth.wau, 0), coalesce(truth.mau, 0))
            != (coalesce(active.dau, 0), coalesce(active.wau, 0), coalesce(active.mau, 0))
        """,
    )
    assert not apart


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, data_tests: DataTests) -> Path:
    """A warehouse of an archive unlike ours: visitors, fields missing, offsets, bad numbers."""
    folder = tmp_path_factory.mktemp("archive")
    loading = Loading(folder)
    agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.5 Safari/605.1.15"
    loading.write_json(
        "segment/segment-logs/abc/1764547200000/1.events-archiver-480-46..x.gz",
        {
            "type": "page",
            "messageId": "a",
            "anonymousId": "v1",
            "context": {"userAgent": agent},
            "timestamp": "2025-12-01T23:50:00.000-02:00",
            "receivedAt": "2025-12-02T01:50:01.000Z",
        },
        {
            "type": "track",
            "messageId": "b",
            "anonymousId": "v1",
            "event": "Clicked",
            "timestamp": "2025-12-02T02:19:59.000Z",
            "receivedAt": "2025-12-02T02:20:00.000Z",
            "properties": {"pages": "many", "deep": {"er": [1]}},
        },
        {
            "type": "track",
            "messageId": "c",
            "anonymousId": "v2",
            "event": "Clicked",
            "originalTimestamp": "2025-12-02T09:00:00Z",
            "sentAt": "2025-12-02T09:00:10Z",
            "receivedAt": "2025-12-02T08:00:10Z",
        },
        # Dated by a clock that is years ahead: kept, and nothing that comes after the last batch.
        {
            "type": "track",
            "messageId": "d",
            "anonymousId": "v3",
            "event": "Clicked",
            "timestamp": "2051-01-01T00:00:00Z",
            "receivedAt": "2025-12-02T08:00:10Z",
        },
        # By one at the end of its 32 bits, and by one at their beginning.
        {
            "type": "track",
            "messageId": "e",
            "anonymousId": "v3",
            "event": "Clicked",
            "timestamp": "2106-02-07T06:28:15Z",
            "receivedAt": "2025-12-02T08:00:10Z",
        },
        {
            "type": "track",
            "messageId": "f",
            "anonymousId": "v4",
            "event": "Clicked",
            "timestamp": "1970-01-01T00:00:03Z",
            "receivedAt": "2025-12-03T08:00:00Z",
        },
        batch="2025-12-31",
    )
    # `test_sources.py` builds the other marts from Segment alone.
    select = ("+path:models/marts/product", "+path:models/marts/shared")
    warehouse = build_warehouse(loading.extracts, folder / "warehouse.duckdb", select=select)
    return data_tests.check(warehouse, least=400)


def test_an_archive_of_visitors_gives_the_right_counts(archive: Path) -> None:
    """An offset of -02:00 makes it 01:50 UTC, 29:59 minutes before the click; c is at 08:00 UTC.

    f, whose clock said 1970, is dated by its receipt.
    """
    assert rows(
        archive,
        """
        select person_id, cast(started_at as varchar), event_count, browser_name
        from product.fct_sessions
        where is_counted
        order by all
        """,
    ) == [
        ("v1", "2025-12-02 01:50:00", 2, "Safari"),
        ("v2", "2025-12-02 08:00:00", 1, None),
        ("v4", "2025-12-03 08:00:00", 1, None),
    ]
    assert rows(
        archive,
        """
        select cast(active_date as varchar), dau, wau, mau, stickiness_rate
        from product.fct_active_users_daily
        where segment = 'total' and active_date in ('2025-12-02', '2025-12-08', '2025-12-31')
        order by all
        """,
    ) == [
        ("2025-12-02", 2, 2, 2, 1.0),
        ("2025-12-08", 0, 3, 3, 0.0),
        ("2025-12-31", 0, 0, 3, 0.0),
    ]
    assert rows(
        archive,
        "select cast(min(active_date) as varchar), cast(max(active_date) as varchar)"
        " from product.fct_active_users_daily",
    ) == [("2025-12-02", "2025-12-31")]
    assert rows(
        archive,
        """
        select event_id, page_count, other_properties, is_known_event, is_future, is_counted
        from product.fct_events
        where event_id in ('b', 'd', 'e')
        order by all
        """,
    ) == [
        ("b", None, '{"deep":{"er":[1]}}', False, False, True),
        ("d", None, None, False, True, False),
        ("e", None, None, False, True, False),
    ]
