"""Accounts across Salesforce, Stripe and Segment: links against the truth, and rule by rule."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data_tests import DataTests
from harness import Row, rows
from ingest.generate.ids import salesforce_suffix
from mrr_scenarios import at, item, price
from warehouses import build_warehouse, load

BATCHES = ("2026-04-30", "2026-05-31", "2026-06-30")


# Against the truth


def _truth(extracts: Path) -> str:
    return f"read_csv('{extracts / '_truth' / 'account_links.csv'}', all_varchar = true)"


def _links(extracts: Path, warehouse: Path) -> Iterator[tuple[str, str, str, bool]]:
    """(source, rule, how truth says it can be tied, whether it was tied to the right account).

    The right account is the CRM's where it has one, else what the key's other records are in.
    Left out: records that are alone, which no rule could tie to anything.
    """
    found = rows(
        warehouse,
        f"""
        with

        truth as (

            select
                truth.*,
                bridge.account_id,
                bridge.match_rule,
                case truth.source_system
                    when 'salesforce' then 1
                    when 'stripe' then 2
                    else 3
                end as system_number
            from {_truth(extracts)} as truth
            inner join shared.bridge_account_identities as bridge
                on bridge.source_system = truth.source_system
                and bridge.foreign_id = truth.foreign_id
                and bridge.foreign_type != 'user'

        )

        select
            source_system,
            match_rule,
            link,
            account_id = first_value(account_id) over key_records as is_right
        from truth
        window key_records as (partition by account_key order by system_number, foreign_id)
        qualify
            system_number > 1
            and row_number() over key_records > 1
        """,
    )
    for source, rule, link, is_right in found:
        yield str(source), str(rule), str(link), bool(is_right)


def test_links_are_as_precise_as_they_claim(
    tiny_extracts: Path, tiny_warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Precision by the rule that made a link, recall by the links that the data allows."""
    by_rule: dict[str, list[bool]] = defaultdict(list)
    by_link: dict[str, list[bool]] = defaultdict(list)
    for source, rule, link, is_right in _links(tiny_extracts, tiny_warehouse):
        if rule != "unmatched":
            by_rule[rule].append(is_right)
        by_link[f"{source} {link}"].append(is_right)
    with capsys.disabled():
        print()
        for name, figures in (("precision", by_rule), ("recall", by_link)):
            for kind, right in sorted(figures.items()):
                print(f"{name:<9} {kind:<16} {sum(right):>5} of {len(right):>5}")
    assert set(by_rule) == {"explicit_id", "email_domain", "exact_name"}
    assert all(by_rule["explicit_id"])
    for rule in ("email_domain", "exact_name"):
        assert sum(by_rule[rule]) >= 0.98 * len(by_rule[rule])
    for kind, right in by_link.items():
        assert kind.endswith("none") or sum(right) >= 0.98 * len(right), kind


def test_users_are_in_the_account_that_their_address_is_at(
    tiny_warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Users come by their workspace, so the address is a second opinion."""
    ((right, all_users, everybody),) = rows(
        tiny_warehouse,
        """
        select
            count(*) filter (
                where accounts.website_domain = string_split(users.email, '@')[2]
            ),
            count(*) filter (where accounts.website_domain is not null),
            count(*)
        from shared.dim_users as users
        inner join shared.bridge_account_identities as bridge
            on bridge.foreign_id = users.user_id and bridge.foreign_type = 'user'
        inner join shared.dim_accounts as accounts on accounts.account_id = bridge.account_id
        where users.email is not null and not users.is_internal
        """,
    )
    with capsys.disabled():
        print(f"\nprecision users            {right:>5} of {all_users:>5}")
    assert isinstance(right, int)
    assert isinstance(all_users, int)
    assert isinstance(everybody, int)
    assert all_users > 0.8 * everybody > 100
    assert right >= 0.98 * all_users


def test_every_won_deal_is_held_against_billing_once(
    tiny_extracts: Path, tiny_warehouse: Path
) -> None:
    deals = f"read_csv('{tiny_extracts / '_truth' / 'won_deals.csv'}', all_varchar = true)"
    listed = rows(
        tiny_warehouse,
        f"""
        select truth.opportunity_id, count(bookings.booking_id)
        from {deals} as truth
        left join sales.fct_bookings_to_billings as bookings
            on bookings.opportunity_id = truth.opportunity_id
        group by all
        """,
    )
    assert listed
    assert {count for _, count in listed} == {1}
    statuses = {
        str(status): int(str(count))
        for status, count in rows(
            tiny_warehouse,
            "select match_status, count(*) from sales.fct_bookings_to_billings group by all",
        )
    }
    assert set(statuses) == {"matched", "different", "missing_billing", "missing_deal"}
    assert statuses["matched"] == max(statuses.values())


# Rule by rule, through the loader


def _sf(name: str) -> str:
    """A Salesforce account id that begins and ends as one."""
    id15 = f"001Hp0000{name:0>6}"
    return id15 + salesforce_suffix(id15)


ACME, OLD, MID, PARENT, CHILD = (_sf(name) for name in ("acme", "old", "mid", "fama", "famb"))
UK, UNI, NAMED, DEAD, ONE, TWO = (_sf(n) for n in ("uk", "uni", "named", "dead", "ring1", "ring2"))
GHOST = _sf("ghost")

_ACCOUNTS = (
    {"Id": ACME, "Name": "Acme, Inc.", "Website": "HTTPS://www.Acme.com:8080/de?x=1"},
    {"Id": OLD, "Name": "Old Acme", "Website": "old-acme.com", "MasterRecordId": MID},
    {"Id": MID, "Name": "Mid Acme", "MasterRecordId": ACME},
    {"Id": PARENT, "Name": "Family", "Website": "fam.com", "CreatedDate": "2025-01-01T00:00:00Z"},
    {"Id": CHILD, "Name": "Family North", "Website": "http://fam.com", "ParentId": PARENT[:15]},
    {"Id": UK, "Name": "Britannia", "Website": "www.britannia.co.uk/about"},
    {"Id": UNI, "Name": "Müller & Söhne GmbH", "Website": "müller.de"},
    {"Id": NAMED, "Name": "Just a Name Ltd", "ParentId": OLD},
    {"Id": DEAD, "Name": "Dead", "Website": "dead.com", "IsDeleted": "true"},
    {"Id": ONE, "Name": "Ring one", "MasterRecordId": TWO},
    {"Id": TWO, "Name": "Ring two", "MasterRecordId": ONE},
)
# Customer: e-mail address, name, metadata; its account, rule and confidence; reason to look.
_CUSTOMERS: dict[str, tuple[str | None, str | None, dict[str, str], str, str, str, str | None]] = {
    "short": (None, None, {"sfdc_account_id": ACME[:15]}, ACME, "explicit_id", "1.00", None),
    "merged": (None, None, {"salesforce_id": OLD}, ACME, "explicit_id", "1.00", None),
    "ring": (None, None, {"salesforce_id": TWO}, ONE, "explicit_id", "1.00", None),
    "deleted": (None, None, {"salesforce_id": DEAD}, DEAD, "explicit_id", "1.00", None),
    "ghost": (None, None, {"salesforce_id": GHOST}, GHOST, "explicit_id", "1.00",
              "unknown_account"),
    "twice": (None, None, {"salesforce_id": ACME}, ACME, "explicit_id", "1.00", "conflicting_ids"),
    "other": ("a@britannia.co.uk", None, {"salesforce_id": ACME}, ACME, "explicit_id", "1.00",
              "conflicting_domain"),
    "domain": ("AP@Acme.com", "x", {"salesforce_id": "n/a"}, ACME, "email_domain", "0.90", None),
    "olddomain": ("ap@old-acme.com", None, {}, ACME, "email_domain", "0.90", None),
    "unicode": ("ap@müller.de", None, {}, UNI, "email_domain", "0.90", None),
    "sub": ("ap@mail.britannia.co.uk", None, {}, UK, "email_subdomain", "0.80", None),
    "family": ("ap@fam.com", "Else", {}, PARENT, "email_domain", "0.50", "ambiguous_domain"),
    "north": ("ap@fam.com", "FAMILY north", {}, CHILD, "email_domain", "0.90", None),
    "name": ("me@gmail.com", "JUST A NAME, LTD.", {}, NAMED, "exact_name", "0.70", None),
    "umlaut": (None, "Muller Sohne GmbH", {}, UNI, "exact_name", "0.70", None),
    "by": (None, None, {}, UK, "email_domain", "0.90", None),
    "free": ("me@gmail.com", "No One", {}, "cus_free", "unmatched", "0.00", "free_mail_domain"),
    "suffix": ("ap@other.co.uk", "x", {}, "cus_suffix", "unmatched", "0.00", "no_candidate"),
    "dead": ("ap@dead.com", "Dead", {}, "cus_dead", "unmatched", "0.00", "no_candidate"),
    "blank": (None, None, {}, "cus_blank", "unmatched", "0.00", "no_evidence"),
}  # fmt: skip
# Workspace: traits; its account, rule and confidence.
_WORKSPACES: dict[str, tuple[dict[str, str], str, str, str]] = {
    "ws_customer": ({"stripe_customer_id": "cus_merged"}, ACME, "explicit_id", "1.00"),
    "ws_both": ({"stripe_customer_id": "cus_twice", "salesforce_account_id": PARENT}, PARENT,
                "explicit_id", "1.00"),
    "ws_site": ({"website": "http://britannia.co.uk"}, UK, "email_domain", "0.90"),
    "ws_names": ({"stripe_customer_id": "cus_by", "website": "britannia.co.uk"}, UK,
                 "explicit_id", "1.00"),
    "ws_unlinked": ({"website": "other.co.uk"}, "cus_suffix", "email_domain", "0.90"),
    "ws_alone": ({"name": "Alone"}, "ws_alone", "unmatched", "0.00"),
}  # fmt: skip
# User: workspaces in turn, traits; the account and rule, none where unmatched.
_USERS: dict[str, tuple[tuple[str, ...], dict[str, object], str | None, str | None]] = {
    "u_member": (("ws_customer",), {"email": "ann@gmail.com"}, ACME, "workspace"),
    "u_moved": (("ws_customer", "ws_site"), {"email": "bob@acme.com"}, UK, "workspace"),
    "u_domain": ((), {"email": "cleo@acme.com"}, ACME, "email_domain"),
    "u_verified": ((), {"email": "eve@acme.com", "emailVerified": True}, ACME, "email_domain"),
    "u_unverified": ((), {"email": "dan@acme.com", "email_verified": False}, None, None),
    "u_free": ((), {"email": "fay@gmail.com"}, None, None),
    "u_named": ((), {"salesforce_account_id": OLD[:15]}, ACME, "explicit_id"),
}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _table(*records: dict[str, str]) -> str:
    names = sorted({name for record in records for name in record})
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _accounts(*records: dict[str, str], saved: str) -> str:
    standard = {
        "IsDeleted": "false",
        "CreatedDate": "2025-02-01T00:00:00Z",
        "SystemModstamp": saved,
    }
    return _table(*(standard | record for record in records))


def _messages() -> Iterator[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    for workspace, (traits, *_) in _WORKSPACES.items():
        message = {"type": "group", "userId": f"of_{workspace}", "groupId": workspace}
        calls.append({**message, "traits": traits})
    for user, (workspaces, claims, *_) in _USERS.items():
        calls.append({"type": "identify", "userId": user, "traits": claims})
        calls += [
            {"type": "group", "userId": user, "groupId": workspace, "traits": {}}
            for workspace in workspaces
        ]
    for number, call in enumerate(calls):
        moment = f"2026-03-01T10:{number:02}:00.000Z"
        clocks = ("timestamp", "receivedAt", "sentAt", "originalTimestamp")
        yield {"messageId": f"m{number}", **call, **dict.fromkeys(clocks, moment)}


def _subscription(name: str, customer: str, dollars: int, created: str) -> dict[str, Any]:
    """A subscription over so many dollars a month; that called named names its deal."""
    return {
        "id": f"sub_{name}",
        "object": "subscription",
        "customer": customer,
        "status": "active",
        "currency": "usd",
        "created": at(created),
        "start_date": at(created),
        "livemode": True,
        "metadata": {"opportunity_id": _opportunity("named")} if name == "named" else {},
        "items": {"object": "list", "data": [item(name, price(name, 100), dollars)]},
    }


def _opportunity(name: str) -> str:
    return "006" + _sf(name)[3:15] + salesforce_suffix("006" + _sf(name)[3:15])


def _deal(name: str, account: str, closed: str, amount: str, kind: str) -> dict[str, str]:
    return {
        "Id": _opportunity(name), "AccountId": account, "Name": name, "StageName": "Closed Won",
        "IsWon": "true", "IsClosed": "true", "IsDeleted": "false", "Amount": amount, "Type": kind,
        "CloseDate": closed, "CreatedDate": "2026-01-01T00:00:00Z",
        "SystemModstamp": "2026-03-01T00:00:00Z",
    }  # fmt: skip


def _extracts(folder: Path) -> Path:
    """Three batches; what an account was changes with each."""
    first, second, third = (folder / batch for batch in BATCHES)
    _write(
        first / "salesforce" / "Account.csv",
        _accounts(*({**record, "NumberOfEmployees": "99"} for record in _ACCOUNTS),
                  saved="2026-04-01T00:00:00Z"),
    )  # fmt: skip
    _write(
        second / "salesforce" / "Account.csv",
        _accounts(_ACCOUNTS[0] | {"NumberOfEmployees": "100"}, saved="2026-05-01T00:00:00Z"),
    )
    _write(
        third / "salesforce" / "Account.csv",
        _accounts(_ACCOUNTS[0] | {"NumberOfEmployees": "1000"}, saved="2026-06-01T00:00:00Z"),
    )
    customers = [
        {
            "id": f"cus_{name}",
            "object": "customer",
            "email": email,
            "name": title,
            "metadata": metadata,
            "created": at("2026-01-01"),
            "livemode": True,
        }
        for name, (email, title, metadata, *_) in _CUSTOMERS.items()
    ]
    subscriptions = [
        _subscription("near", "cus_domain", 100, "2026-02-03"),
        _subscription("named", "cus_sub", 100, "2025-02-01"),
        _subscription("alone", "cus_free", 30, "2026-02-01"),
    ]
    lines = "".join(json.dumps(one) + "\n" for one in (*customers, *subscriptions))
    _write(first / "stripe" / "objects.jsonl", lines)
    _write(
        first / "salesforce" / "Opportunity.csv",
        _table(
            _deal("near", OLD, "2026-02-01", "1200", "New Customer"),
            _deal("late", ACME, "2026-02-10", "600", "New Customer"),
            _deal("named", UK, "2026-02-10", "2400", "New Customer"),
            _deal("none", UNI, "2026-02-10", "", "New Customer"),
        ),
    )
    _write(
        first / "segment" / "messages.jsonl",
        "".join(json.dumps(message) + "\n" for message in _messages()),
    )
    return folder


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, data_tests: DataTests) -> Path:
    """All three batches landed at once; their history is kept afterwards."""
    folder = tmp_path_factory.mktemp("identity")
    extracts = _extracts(folder / "extracts")
    loaded = load(extracts, folder / "warehouse.duckdb")
    return data_tests.check(build_warehouse(extracts, loaded))


def test_customers_by_every_rule(warehouse: Path) -> None:
    assert _found(warehouse, "customer") == {
        f"cus_{name}": (account, rule, confidence)
        for name, (_, _, _, account, rule, confidence, _) in _CUSTOMERS.items()
    }


def test_workspaces_by_every_rule(warehouse: Path) -> None:
    assert _found(warehouse, "workspace") == {
        name: expected for name, (_, *expected_parts) in _WORKSPACES.items()
        if (expected := tuple(expected_parts))
    }  # fmt: skip


def test_users_follow_their_latest_workspace_else_their_address(warehouse: Path) -> None:
    found = {user: link[:2] for user, link in _found(warehouse, "user").items() if user in _USERS}
    assert found == {
        user: (account, rule) for user, (*_, account, rule) in _USERS.items() if account
    }


def _found(warehouse: Path, foreign_type: str) -> dict[str, tuple[str, ...]]:
    links = rows(
        warehouse,
        """
        select foreign_id, account_id, match_rule, cast(match_confidence as varchar)
        from shared.bridge_account_identities
        where foreign_type = ?
        """,
        foreign_type,
    )
    return {str(key): tuple(map(str, link)) for key, *link in links}


def test_what_stays_unmatched_or_in_doubt_is_listed(warehouse: Path) -> None:
    listed = {
        str(name): reason
        for name, reason in rows(
            warehouse, "select foreign_id, reason from shared.fct_unmatched_identities"
        )
        if reason != "only_in_crm" and not str(name).startswith("of_")
    }
    expected: dict[str, str] = {
        f"cus_{name}": reason for name, (*_, reason) in _CUSTOMERS.items() if reason
    }
    expected |= {
        "ws_alone": "no_candidate",
        "ws_both": "conflicting_ids",
        "u_unverified": "unverified_email",
        "u_free": "free_mail_domain",
        "u_moved": "several_accounts",
    }
    assert listed == expected


def test_parents_follow_mergers(warehouse: Path) -> None:
    parents = rows(
        warehouse,
        "select account_id, parent_account_id from shared.dim_accounts"
        " where parent_account_id is not null",
    )
    assert sorted(parents) == sorted([(CHILD, PARENT), (NAMED, ACME)])


def test_deals_and_billings_are_paired_or_missed(warehouse: Path) -> None:
    """near: 1,200 a year, 100 a month 2 days later. named: by its id, a year before, half of it."""
    listed = rows(
        warehouse,
        """
        select booking_id, match_status, match_rule, days_to_billing, cast(gap_usd as integer)
        from sales.fct_bookings_to_billings
        """,
    )
    assert sorted(listed, key=str) == sorted(
        [
            (_opportunity("near"), "matched", "account_window", 2, 0),
            (_opportunity("late"), "missing_billing", None, None, -600),
            (_opportunity("named"), "different", "explicit_id", -374, -1200),
            (_opportunity("none"), "missing_billing", None, None, None),
            ("sub_alone", "missing_deal", None, None, 360),
        ],
        key=str,
    )


def test_history_is_the_same_whichever_batch_lands_last(
    warehouse: Path, tmp_path: Path, data_tests: DataTests
) -> None:
    """The second batch lands after the history of the third was kept."""
    extracts = _extracts(tmp_path / "extracts")
    (extracts / BATCHES[1]).rename(tmp_path / "late")
    other = tmp_path / "warehouse.duckdb"
    build_warehouse(extracts, other, select=("+dim_accounts_history",))
    assert len(_history(other)) == 2
    (tmp_path / "late").rename(extracts / BATCHES[1])
    data_tests.check(build_warehouse(extracts, other))
    assert [segment for segment, *_ in _history(other)] == ["smb", "mid_market", "enterprise"]
    assert _history(other) == _history(warehouse)


def _history(warehouse: Path) -> list[Row]:
    return rows(
        warehouse,
        """
        select segment, valid_from_at, valid_to_at, is_current
        from shared.dim_accounts_history
        where account_id = ?
        order by valid_from_at
        """,
        ACME,
    )
