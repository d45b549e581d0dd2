"""Products other than the example, by their seeds alone: a PDF tool, a shop and a team chat."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from data_tests import DataTests
from harness import rows
from loading import Loading
from warehouses import build_again, build_new

_START = datetime(2026, 6, 1, 9)
_SEEDS: Mapping[str, str] = {
    # The PDF tool names no document, so that a session is what it follows.
    "funnels": """
        ('document', 1, 'uploaded', 'file_uploaded', 'success', 'session', 24),
        ('document', 2, 'processed', 'Merge Done', 'success', 'session', 24),
        ('document', 2, 'processed', 'Split Done', 'success', 'session', 24),
        ('document', 2, 'failed', 'Job Failed', 'failure', 'session', 24),
        ('document', 3, 'downloaded', 'result_downloaded', 'success', 'session', 24),
        ('checkout', 1, 'viewed', 'Product Viewed', 'success', 'document', 48),
        ('checkout', 2, 'added', 'Product Added', 'success', 'document', 48),
        ('checkout', 3, 'started', 'Checkout Started', 'success', 'document', 48),
        ('checkout', 4, 'ordered', 'Order Completed', 'success', 'document', 48),
        ('chat', 1, 'joined', 'Team Joined', 'success', 'user', 168),
        ('chat', 2, 'wrote', 'Message Sent', 'success', 'user', 168)
    """,
    "activation_rules": """
        ('join', 'Team Joined', 1, 7),
        ('write', 'Message Sent', 2, 7)
    """,
    "features": """
        ('messages', 'Messages', 'chat', null, date '2026-01-01'),
        ('basket', 'Basket', 'shop', null, date '2026-01-01'),
        ('merge', 'Merge', 'tools', 'merge-pdf', date '2026-01-01')
    """,
    "event_taxonomy": """
        ('Message Sent', 'Message Sent', 'chat', 'messages', true, 'canonical'),
        ('Product Added', 'Product Added', 'shop', 'basket', true, 'canonical'),
        ('file_uploaded', 'file_uploaded', 'files', null, true, 'canonical')
    """,
}


class _Product:
    """Messages of one person a minute apart, from a day of June on."""

    def __init__(self) -> None:
        self.messages: list[dict[str, object]] = []

    def visit(self, day: int, *events: str, **sent: object) -> None:
        for minute, event in enumerate(events):
            at = (_START + timedelta(days=day, minutes=minute)).isoformat() + "Z"
            self.messages.append(
                {
                    "type": "track",
                    "messageId": f"m{len(self.messages)}",
                    "event": event,
                    "timestamp": at,
                    "receivedAt": at,
                    **sent,
                }
            )


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory, data_tests: DataTests) -> Path:
    loading, sent = Loading(tmp_path_factory.mktemp("products")), _Product()
    # The PDF tool: a whole visit, one that fails, and one that goes on an hour later, in another
    # session. A visitor downloads what someone else made.
    whole = ("File Uploaded", "mergeDone", "Result Downloaded", "Result Downloaded")
    sent.visit(0, *whole, anonymousId="p1", properties={"tool": "Merge_PDF"})
    sent.visit(0, "File Uploaded", "Job Failed", anonymousId="p2")
    sent.visit(1, "file_uploaded", "Split Done", anonymousId="p1")
    sent.visit(1, "result_downloaded", anonymousId="p3")
    # The shop: two baskets of one buyer, of which one is ordered on the next day.
    for basket in ("c1", "c2"):
        bought = {"userId": "buyer", "properties": {"document_id": basket}}
        sent.visit(2, "Product Viewed", "Product Added", "Checkout Started", **bought)
    sent.visit(3, "Order Completed", userId="buyer", properties={"document_id": "c1"})
    # The chat: ann writes twice in her first week, bob once, cy in her second week.
    for person, days in {"ann": (4, 6), "bob": (4,), "cy": (12, 13)}.items():
        sent.visit(4, "Team Joined", userId=person)
        for day in days:
            sent.visit(day, "message_sent", userId=person)
    loading.write_json("segment/messages.jsonl", *sent.messages, batch="2026-06-30")
    loading.load()
    build_new(loading.warehouse, "resource_type:seed")
    with duckdb.connect(str(loading.warehouse)) as connection:
        for seed, values in _SEEDS.items():
            connection.execute(f"delete from seeds.{seed}")
            connection.execute(f"insert into seeds.{seed} values {values}")
    marts = ("fct_funnels_daily", "fct_user_activation", "fct_feature_adoption")
    selected = [f"+{mart}" for mart in (*marts, "fct_product_kpis_daily", "fct_usage_hourly")]
    build_again(loading.warehouse, *selected, but=["seed"])
    return data_tests.check(loading.warehouse, least=190)


def _funnel(warehouse: Path, funnel: str) -> list[tuple[object, ...]]:
    return rows(
        warehouse,
        """
        select started_date - date '2026-06-01', step_name, started_count, reached_count
        from product.fct_funnels_daily
        where funnel_key = ?
        order by started_date, step_number
        """,
        funnel,
    )


def test_a_pdf_tool_is_followed_by_session(products: Path) -> None:
    """Two of three sessions with an upload process it; one of them downloads."""
    assert _funnel(products, "document") == [
        (0, "uploaded", 2, 2),
        (0, "processed", 2, 1),
        (0, "downloaded", 2, 1),
        (1, "uploaded", 1, 1),
        (1, "processed", 1, 1),
        (1, "downloaded", 1, 0),
    ]
    assert rows(
        products,
        """
        select
            kpi_date - date '2026-06-01',
            tool_key,
            upload_count,
            processed_count,
            failed_count,
            download_count,
            conversion_rate
        from product.fct_product_kpis_daily
        order by all
        """,
    ) == [
        (0, "(none)", 1, 0, 1, 0, 0.0),
        (0, "merge-pdf", 1, 1, 0, 2, 1.0),
        (1, "(none)", 1, 1, 0, 1, 0.0),
    ]


def test_a_shop_is_followed_by_basket(products: Path) -> None:
    assert _funnel(products, "checkout") == [
        (2, "viewed", 2, 2),
        (2, "added", 2, 2),
        (2, "started", 2, 2),
        (2, "ordered", 2, 1),
    ]


def test_a_chat_is_followed_by_person(products: Path) -> None:
    """cy writes after 8 days, one too late; bob writes once, and activation asks for two."""
    assert _funnel(products, "chat") == [(4, "joined", 3, 3), (4, "wrote", 3, 2)]
    assert rows(
        products,
        """
        select user_id, done_action_count, is_activated, days_to_activate
        from product.fct_user_activation
        order by user_id
        """,
    ) == [
        ("ann", 2, True, 2),
        ("bob", 1, False, None),
        ("buyer", 0, False, None),
        ("cy", 1, False, None),
    ]


def test_features_and_key_actions_are_the_products_own(products: Path) -> None:
    assert rows(
        products,
        """
        select feature_key, sum(use_count)
        from product.fct_feature_adoption
        where adopter_type = 'user'
        group by feature_key
        order by feature_key
        """,
    ) == [("basket", 2), ("messages", 5)]
    assert rows(
        products,
        "select distinct event_name from product.fct_events where is_key_action order by 1",
    ) == [("Message Sent",), ("Product Added",), ("file_uploaded",)]
