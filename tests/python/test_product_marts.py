"""Use to marts: hand-made messages whose figures are worked out beside them, and the truth.

Every story has users, workspaces and documents of its own, so that one build judges them all. The
messages land in two orders, the late ones last and the late ones first, which must not matter.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from data_tests import DataTests
from harness import Row, differences, rows
from warehouses import build_new, load

Message = dict[str, Any]
BATCHES = ("2026-03-31", "2026-04-30")
SERVER = {"userAgent": "Mozilla/5.0", "library": {"name": "analytics.js"}}


def _message(kind: str, user: str, at: str, **fields: Any) -> Message:
    """A message that a device sent at once; `received` is when the server had it, if later."""
    received = str(fields.pop("received", at)).replace(" ", "T") + "Z"
    context = {**SERVER, "groupId": fields.pop("workspace", f"ws_{user}")}
    if "agent" in fields:
        context["userAgent"] = fields.pop("agent")
    content = {"type": kind, "userId": f"u_{user}", "context": context, **fields}
    return {
        **content,
        "messageId": f"{kind}-{user}-{at}-{fields.get('event', '')}",
        "originalTimestamp": at.replace(" ", "T") + "Z",
        "sentAt": received,
        "receivedAt": received,
    }


def _track(user: str, at: str, event: str, document: str | None = None, **fields: Any) -> Message:
    """A track message about the user's document `d_<document>`."""
    properties = {"document_id": f"d_{document}"} if document else {}
    if "tool" in fields:
        properties["tool"] = fields.pop("tool")
    return _message("track", user, at, event=event, properties=properties, **fields)


def _sign_up(user: str, at: str, email: str | None = None) -> Message:
    traits = {"email": email or f"{user}@customer.example", "createdAt": at.replace(" ", "T") + "Z"}
    return _message("identify", user, at, traits=traits)


def _document(user: str, day: str, document: str) -> list[Message]:
    """A document from its upload at 10:00 to its download at 10:02."""
    return [
        _track(user, f"{day} 10:00:00", "Document Uploaded", document),
        _track(user, f"{day} 10:01:00", "Document Processed", document, tool="ocr"),
        _track(user, f"{day} 10:02:00", "Document Downloaded", document),
    ]


def _on_time() -> Iterator[Message]:
    """What arrived in March, as it happened."""
    # Came back five times for one file, on a day without uploads.
    yield _sign_up("again", "2026-03-01 09:00:00")
    yield from _document("again", "2026-03-02", "again")
    for minute in range(5):
        yield _track("again", f"2026-03-03 11:0{minute}:00", "Document Downloaded", "again")
    # Processed and downloaded; the upload arrives a month late.
    yield _sign_up("late", "2026-03-04 09:00:00")
    yield from _document("late", "2026-03-05", "late")[1:]
    yield _track("late", "2026-03-20 09:00:00", "Documents Searched")
    # By the names of the first tracking plan.
    yield _sign_up("old", "2026-03-09 09:00:00")
    yield _track("old", "2026-03-10 10:00:00", "file_uploaded", "old")
    yield _track("old", "2026-03-10 10:01:00", "file_processed", "old", tool="merge")
    yield _track("old", "2026-03-11 10:00:00", "file_downloaded", "old")
    # Three sign up in one week, one comes back.
    for user in ("come", "gone", "lost"):
        yield _sign_up(user, "2026-03-11 09:00:00")
    yield _track("come", "2026-03-18 09:00:00", "Signed In")
    # A crawler, one of our own people, a test workspace and a clock that is a month ahead.
    yield _track("bot", "2026-03-12 10:00:00", "Document Uploaded", "bot", agent="Googlebot/2.1")
    yield _sign_up("staff", "2026-03-12 09:00:00", email="staff@paperdesk.example")
    yield from _document("staff", "2026-03-12", "staff")
    yield _message(
        *("group", "qa", "2026-03-12 09:00:00"),
        groupId="ws_qa",
        traits={"name": "QA", "is_test": True},
    )
    yield from _document("qa", "2026-03-12", "qa")
    ahead = _track("ahead", "2026-04-12 10:00:00", "Document Uploaded", "ahead")
    yield {**ahead, "sentAt": "2026-03-12T10:00:00Z", "receivedAt": "2026-03-12T10:00:00Z"}
    # Our own people tried the customer's document an hour before the customer came to it.
    yield _track("staff", "2026-03-13 09:00:00", "Document Uploaded", "desk")
    yield from _document("again", "2026-03-13", "desk")
    # From before most calendars begin.
    yield from _document("ancient", "2009-06-01", "ancient")


def _late() -> Iterator[Message]:
    """What arrived in April, of what had happened before."""
    received = "2026-04-15 10:00:00"
    yield _track("late", "2026-03-05 10:00:00", "Document Uploaded", "late", received=received)
    yield _track("late", "2026-03-06 09:00:00", "Documents Searched", received=received)
    # A failure before the success, which moves the document to another tool.
    yield _track(
        *("old", "2026-03-10 10:00:30", "processing_failed", "old"), tool="split", received=received
    )
    yield _track("gone", "2026-03-25 09:00:00", "Signed In", received=received)


def _built(folder: Path, first: list[Message], second: list[Message]) -> Path:
    """The product marts of two batches."""
    for batch, messages in zip(BATCHES, (first, second), strict=True):
        path = folder / "extracts" / batch / "segment" / "messages.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("".join(json.dumps(message) + "\n" for message in messages))
    warehouse = load(folder / "extracts", folder / "warehouse.duckdb")
    return build_new(warehouse, "+path:models/marts/product", "dim_documents")


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory, data_tests: DataTests) -> Path:
    built = _built(tmp_path_factory.mktemp("in_order"), list(_on_time()), list(_late()))
    data_tests.check(built, folder="tests/product", least=1)
    return data_tests.check(built, least=300)


def _row(warehouse: Path, query: str) -> Row:
    (row,) = rows(warehouse, query)
    return row


def test_late_messages_first_or_last_give_the_same_marts(
    stories: Path, tmp_path_factory: pytest.TempPathFactory, data_tests: DataTests
) -> None:
    turned = _built(tmp_path_factory.mktemp("turned"), list(_late()), list(_on_time()))
    data_tests.check(turned, least=300)
    assert not differences(stories, turned)


def test_conversion_stays_under_one_when_people_come_back(stories: Path) -> None:
    """One document converts on the day of its upload; five downloads the next day nothing."""
    found = rows(
        stories,
        """
        select kpi_date, upload_count, download_count, converted_document_count, conversion_rate
        from product.fct_product_kpis_daily
        where kpi_date between date '2026-03-02' and date '2026-03-03'
        order by kpi_date
        """,
    )
    assert found == [(date(2026, 3, 2), 1, 1, 1, 1.0), (date(2026, 3, 3), 0, 5, 0, None)]


def test_an_upload_that_arrives_late_completes_its_funnel(stories: Path) -> None:
    assert _row(
        stories,
        """
        select uploaded_at, last_step, seconds_to_downloaded
        from product.fct_document_funnel
        where document_id = 'd_late'
        """,
    ) == (datetime(2026, 3, 5, 10), "downloaded", 120)


def test_a_document_is_the_customers_though_our_own_people_had_it_first(stories: Path) -> None:
    assert _row(
        stories,
        """
        select user_id, uploaded_at, last_step
        from product.fct_document_funnel
        where document_id = 'd_desk'
        """,
    ) == ("u_again", datetime(2026, 3, 13, 10), "downloaded")


def test_a_late_event_moves_the_first_use_back(stories: Path) -> None:
    """Searched on the 20th, and as it turns out on the 6th: 2 days after the sign-up on the 4th."""
    found = rows(
        stories,
        """
        select adopter_type, first_used_at, days_to_adopt, use_count
        from product.fct_feature_adoption
        where feature_key = 'search'
        order by adopter_type
        """,
    )
    first = datetime(2026, 3, 6, 9)
    # The account's first event was on the 5th.
    assert found == [("account", first, 1, 2), ("user", first, 2, 2)]


def test_names_of_the_first_tracking_plan_count_under_the_tool_tried_first(stories: Path) -> None:
    """Split failed before merge succeeded; the download came 24 hours after the upload, in time."""
    found = rows(
        stories,
        """
        select kpi_date, tool_key, upload_count, processed_count, failed_count, download_count,
            success_rate, conversion_rate
        from product.fct_product_kpis_daily
        where kpi_date between date '2026-03-10' and date '2026-03-11'
        order by kpi_date, tool_key
        """,
    )
    assert found == [
        (date(2026, 3, 10), "merge", 0, 1, 0, 0, 1.0, None),
        (date(2026, 3, 10), "split", 1, 0, 1, 0, 0.0, 1.0),
        (date(2026, 3, 11), "split", 0, 0, 0, 1, None, None),
    ]


def test_retention_is_of_all_who_signed_up(stories: Path) -> None:
    """Of four in the week from 9 March `lost` never came; `gone` did, as a late event shows.

    `old` was active in week 0, `come` in week 1, `gone` in week 2. A bot did not sign up.
    """
    found = rows(
        stories,
        """
        select period_number, cohort_user_count, active_user_count, retention_rate
        from product.fct_user_retention_cohorts
        where period_type = 'week' and cohort_start_date = date '2026-03-09' and period_number < 4
        order by period_number
        """,
    )
    assert found == [(0, 4, 1, 0.25), (1, 4, 1, 0.25), (2, 4, 1, 0.25), (3, 4, 0, 0.0)]


def test_activation_of_each_user(stories: Path) -> None:
    found = rows(
        stories,
        """
        select user_id, is_activated, days_to_activate, is_window_closed
        from product.fct_user_activation
        where user_id in ('u_again', 'u_late', 'u_old', 'u_lost')
        order by user_id
        """,
    )
    assert found == [
        ("u_again", True, 1, True),
        ("u_late", True, 1, True),
        ("u_lost", False, None, True),
        ("u_old", True, 2, True),
    ]


def test_what_metrics_leave_out_stays_in_the_facts(stories: Path) -> None:
    ours = "('d_bot', 'd_staff', 'd_qa', 'd_ahead')"
    assert _row(
        stories,
        f"select count(distinct document_id) from product.fct_events where document_id in {ours}",
    ) == (4,)
    assert rows(
        stories,
        f"""
        select document_id, is_bot, is_internal, is_test, is_counted, uploaded_at is null
        from shared.dim_documents where document_id in {ours} order by document_id
        """,
    ) == [
        ("d_ahead", False, False, False, False, True),
        ("d_bot", True, False, False, False, False),
        ("d_qa", False, False, True, False, False),
        ("d_staff", False, True, False, False, False),
    ]
    assert not rows(
        stories,
        f"select 1 from product.fct_document_funnel where document_id in {ours}"
        " union all select 1 from product.fct_product_kpis_daily where kpi_date = date '2026-03-12'"
        " union all select 1 from product.fct_user_activation where user_id in ('u_staff', 'u_qa')",
    )


def test_no_calendar_is_too_short_for_an_event(stories: Path) -> None:
    assert _row(
        stories,
        """
        select count(*), sum(kpis.upload_count)
        from product.fct_product_kpis_daily as kpis
        inner join shared.dim_dates as dates on kpis.kpi_date = dates.calendar_date
        where kpis.kpi_date = date '2009-06-01'
        """,
    ) == (1, 1)


def test_kpis_are_the_truth(tiny_extracts: Path, tiny_warehouse: Path) -> None:
    """Uploads, runs, failures and downloads are those that the simulation let customers do."""
    truth = tiny_extracts / "_truth" / "events.csv"
    expected = {
        str(name): count
        for name, count in rows(
            tiny_warehouse,
            f"select event_name, cast(known_user_messages as bigint) from read_csv('{truth}')",
        )
    }
    names = ("Uploaded", "Processed", "Processing Failed", "Downloaded")
    assert _row(
        tiny_warehouse,
        """
        select sum(upload_count), sum(processed_count), sum(failed_count), sum(download_count)
        from product.fct_product_kpis_daily
        """,
    ) == tuple(expected[f"Document {name}"] for name in names)


def test_who_leaves_scored_higher_the_month_before(tiny_warehouse: Path) -> None:
    ((kept, gone),) = rows(
        tiny_warehouse,
        """
        select
            avg(health.churn_risk_score) filter (where later.movement_type != 'churn'),
            avg(health.churn_risk_score) filter (where later.movement_type = 'churn')
        from product.fct_account_health as health
        inner join finance.fct_mrr_monthly as later
            on health.account_id = later.account_id
            and later.mrr_month = health.health_month + interval 1 month
        where health.is_paying
        """,
    )
    assert isinstance(kept, float)
    assert isinstance(gone, float)
    assert gone > kept + 5


def test_use_falls_before_a_churn_and_not_beside_it(tiny_warehouse: Path) -> None:
    """In the month before, against the account's own usual and against accounts that stay."""
    found = {
        movement: float(str(index))
        for movement, index in rows(
            tiny_warehouse,
            """
            select movement_type, sum(events_per_day) / sum(baseline_events_per_day)
            from product.fct_usage_around_mrr_movements
            where month_offset_number = -1 and baseline_events_per_day > 0
            group by movement_type
            """,
        )
    }
    assert found["churn"] < 0.8 * found["none"]
