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
    """Tied to an account by address, by an id in their traits, by neither.

    The address of the last is only in the context of a track call.
    """
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
    context = {"traits": {"Email": "Di@NORTH.example"}}
    archive.add("track", "ng3", userId="ng_context", event="Document Uploaded", context=context)


def _add_placeholders(archive: _Archive) -> None:
    """Two people on devices of their own before and after a library sent "undefined" and zeros."""
    zeros = "00000000-0000-0000-0000-000000000000"
    for number, (person, sent) in enumerate({"ph_ann": "undefined", "ph_bob": "NULL"}.items()):
        device = f"ph_device{number}"
        archive.add("track", f"ph{number}a", userId=sent, anonymousId=device, event="Signed In")
        archive.add("identify", f"ph{number}b", userId=person, anonymousId=device)
    archive.add("identify", "ph_z1", userId="ph_bob", anonymousId=zeros)
    archive.add("track", "ph_z2", anonymousId=zeros, event="Documents Searched")
    archive.add("group", "ph_g", userId="ph_ann", groupId="null", traits={"name": "No One"})


def _add_spellings(archive: _Archive) -> None:
    """The same sign-up as three libraries describe it, and one event under five spellings."""
    for person, traits in {
        "sp_camel": {"firstName": "Ada", "lastName": "L", "createdAt": "2026-01-15T00:00:00Z"},
        "sp_snake": {"first_name": "Ada", "last_name": "L", "created_at": "2026-01-15T00:00:00Z"},
        "sp_epoch": {"Name": "Ada L", "CreatedAt": 1768435200},
    }.items():
        archive.add("identify", person, userId=person, traits=traits)
    names = ("Document Uploaded", "document_uploaded", "documentUploaded", " DOCUMENT-UPLOADED")
    for number, name in enumerate((*names, "Document Unheard Of")):
        properties = {"document_id": f"sp{number}"}
        archive.add("track", f"sp{number}", userId="sp_camel", event=name, properties=properties)
    url = {"url": "https://app.example/editor?tab=1"}
    archive.add("page", "sp_page", userId="sp_camel", name="Editor", properties=url)


def _add_visits(archive: _Archive) -> None:
    """A visitor from a search, then from a newsletter on signing up, then by an advertisement."""
    url = "https://x.example/pricing"
    signed_up_at = (_DAY + timedelta(days=2, hours=4)).isoformat() + "Z"
    for hour, message in enumerate(
        (
            {"type": "page", "properties": {"url": url, "referrer": "https://www.google.de/"}},
            {
                "type": "page",
                "context": {
                    "page": {"url": f"{url}?id=1", "referrer": ""},
                    "campaign": {"source": "june", "medium": "e-mail", "name": "Summer"},
                },
            },
            {"type": "identify", "userId": "to_ann", "traits": {"createdAt": signed_up_at}},
            {
                "type": "page",
                "context": {
                    "page": {"url": f"{url}?gclid=1", "referrer": "https://www.google.de/"}
                },
            },
        )
    ):
        at = (_DAY + timedelta(days=2, hours=2 * hour)).isoformat() + "Z"
        sent = {"timestamp": at, "receivedAt": at, "anonymousId": "to_device", **message}
        archive.add(str(sent.pop("type")), f"to{hour}", **sent)


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
    _add_placeholders(archive)
    _add_spellings(archive)
    _add_visits(archive)
    # Two sources, whose archives have the same names.
    for number, source in enumerate(("web", "server")):
        name = f"segment/segment-logs/{source}/1781049600000/1781049700000.events-archiver-1.gz"
        loading.write_json(name, *archive.messages[number::2], batch=_BATCH)
    warehouse = build_warehouse(loading.extracts, folder / "warehouse.duckdb", select=_SELECT)
    return data_tests.check(warehouse, least=400)


def test_people_without_group_calls_are_in_the_account_that_they_match(exports: Path) -> None:
    """North has no workspace. Its three users have one track call each."""
    assert rows(
        exports,
        """
        select user_id, account_id, match_rule, cast(match_confidence as varchar)
        from shared.dim_users
        where user_id like 'ng%'
        order by user_id
        """,
    ) == [
        ("ng_context", "001000000000001AAA", "email_domain", "0.90"),
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
            ("ng_context", "001000000000001AAA"),
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
    ) == [("001000000000001AAA", False, True, 3, 3)]
    # In Segment too, so not only in the CRM.
    assert not rows(
        exports, "select * from shared.fct_unmatched_identities where foreign_type = 'account'"
    )


def test_placeholders_are_nobody(exports: Path) -> None:
    """They stitch nothing: each device is its owner's, and the zeros are no one's."""
    assert rows(
        exports,
        """
        select event_id, user_id, anonymous_id, person_id, workspace_id
        from product.fct_events
        where event_id like 'ph%'
        order by event_id
        """,
    ) == [
        ("ph0a", "ph_ann", "ph_device0", "ph_ann", None),
        ("ph0b", "ph_ann", "ph_device0", "ph_ann", None),
        ("ph1a", "ph_bob", "ph_device1", "ph_bob", None),
        ("ph1b", "ph_bob", "ph_device1", "ph_bob", None),
        ("ph_g", "ph_ann", None, "ph_ann", None),
        ("ph_z1", "ph_bob", None, "ph_bob", None),
        ("ph_z2", None, None, None, None),
    ]
    assert not rows(
        exports,
        "select user_id from shared.dim_users where lower(user_id) in ('undefined', 'null')",
    )
    # The search still counts as one.
    assert rows(
        exports,
        """
        select sum(events.event_count) - sum(people.event_count)
        from (select count(*) as event_count from product.fct_events) as events
        cross join (select sum(event_count) as event_count from product.fct_sessions) as people
        """,
    ) == [(1,)]


def test_traits_and_names_count_in_every_spelling(exports: Path) -> None:
    assert rows(
        exports,
        """
        select user_name, cast(signed_up_at as varchar), count(*)
        from shared.dim_users
        where user_id like 'sp%'
        group by all
        """,
    ) == [("Ada L", "2026-01-15 00:00:00", 3)]
    assert rows(
        exports,
        """
        select event_name, raw_event_name, page_path
        from product.fct_events
        where user_id = 'sp_camel' and event_type != 'identify'
        order by occurred_at
        """,
    ) == [
        ("Document Uploaded", "Document Uploaded", None),
        ("Document Uploaded", "document_uploaded", None),
        ("Document Uploaded", "documentUploaded", None),
        ("Document Uploaded", " DOCUMENT-UPLOADED", None),
        ("Document Unheard Of", "Document Unheard Of", None),
        ("Page Viewed", "Editor", "/editor"),
    ]


def test_a_visitor_was_led_by_a_search_and_by_a_campaign(exports: Path) -> None:
    """The advertisement came after the sign-up, two hours after the e-mail."""
    assert rows(
        exports,
        """
        select channel, referrer_domain, utm_source, utm_medium, utm_campaign, entry_page_path
        from product.fct_sessions
        where user_id = 'to_ann'
        order by started_at
        """,
    ) == [
        ("search", "google.de", None, None, None, "/pricing"),
        ("email", None, "june", "e-mail", "Summer", "/pricing"),
        (None, None, None, None, None, None),
        ("paid", "google.de", None, None, None, "/pricing"),
    ]
    assert rows(
        exports,
        """
        select touch_type, channel, source, campaign, visitor_count, signed_up_count
        from product.fct_acquisition_monthly
        where channel != 'unknown'
        order by touch_type
        """,
    ) == [
        ("first", "search", "google.de", "(none)", 1, 1),
        ("last", "email", "june", "Summer", 1, 1),
    ]
