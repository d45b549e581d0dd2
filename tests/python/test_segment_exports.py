"""Segment archives as other companies send them: what differs from the sample company's."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from data_tests import DataTests
from harness import rows
from loading import Loading
from warehouses import build_warehouse

_BATCH = "2026-06-30"
_DAY = datetime(2026, 6, 10, 9)
_SELECT = ("+path:models/marts/product", "+path:models/marts/shared")


class _Archive:
    """Messages a minute apart."""

    def __init__(self) -> None:
        self.messages: list[dict[str, object]] = []

    def add(self, kind: str, message_id: str, **fields: object) -> None:
        at = (_DAY + timedelta(minutes=len(self.messages))).isoformat() + "Z"
        message = {"type": kind, "messageId": message_id, "timestamp": at, "receivedAt": at}
        self.messages.append({**message, **fields})


def _add_people_without_group_calls(archive: _Archive) -> None:
    """Tied to an account by address, by an id in their traits, by neither."""
    for number, (person, traits) in enumerate(
        {
            "ng_domain": {"email": "ann@north.example"},
            "ng_id": {"email": "bob@gmail.com", "salesforce_account_id": "001000000000001AAA"},
            "ng_free": {"email": "cy@gmail.com"},
        }.items()
    ):
        device = f"ng_device{number}"
        archive.add("page", f"ng{number}a", anonymousId=device, name="Home")
        archive.add("identify", f"ng{number}b", userId=person, anonymousId=device, traits=traits)
        archive.add("track", f"ng{number}c", userId=person, event="Document Uploaded")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory, data_tests: DataTests) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    loading, archive = Loading(folder), _Archive()
    loading.write(
        "salesforce/Account.csv",
        "Id,Name,Website,CreatedDate,SystemModstamp,IsDeleted\n"
        "001000000000001AAA,North,https://www.north.example,"
        "2026-01-01T00:00:00.000Z,2026-01-01T00:00:00.000Z,false\n",
        batch=_BATCH,
    )
    _add_people_without_group_calls(archive)
    loading.write_json("segment/messages.jsonl", *archive.messages, batch=_BATCH)
    warehouse = build_warehouse(loading.extracts, folder / "warehouse.duckdb", select=_SELECT)
    return data_tests.check(warehouse, least=400)


def test_people_without_group_calls_are_in_the_account_that_they_match(exports: Path) -> None:
    """North has no workspace. Its two users have three counted messages each, one a track call."""
    assert rows(
        exports,
        """
        select user_id, account_id, match_rule, cast(match_confidence as varchar)
        from shared.dim_users
        where user_id like 'ng%'
        order by user_id
        """,
    ) == [
        ("ng_domain", "001000000000001AAA", "email_domain", "0.90"),
        ("ng_free", None, None, None),
        ("ng_id", "001000000000001AAA", "explicit_id", "1.00"),
    ]
    for mart in ("fct_events", "fct_sessions"):
        assert rows(
            exports,
            f"""
            select distinct user_id, account_id
            from product.{mart}
            where user_id like 'ng%'
            order by user_id
            """,
        ) == [
            ("ng_domain", "001000000000001AAA"),
            ("ng_free", None),
            ("ng_id", "001000000000001AAA"),
        ]
    assert rows(
        exports,
        """
        select account_id, has_workspace, has_users, event_count, active_user_count
        from product.fct_account_health
        """,
    ) == [("001000000000001AAA", False, True, 2, 2)]
    # In Segment too, so not only in the CRM.
    assert not rows(
        exports, "select * from shared.fct_unmatched_identities where foreign_type = 'account'"
    )
