"""Pulls from Stripe: pages, expansions, changes through events, faults and refusals."""

import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import requests

from harness import batches, expect, ingest_here
from pull_servers import KEY, Faults, Record, StripeServer, at_once, free_port, program

_NOW = datetime(2026, 10, 1, tzinfo=UTC)
_LATER = _NOW + timedelta(days=2)


class Pulling:
    """A server with a few records, and a folder to pull into."""

    def __init__(self, folder: Path, server: StripeServer) -> None:
        self.extracts = folder / "extracts"
        self.server = server
        self.settings = {"STRIPE_API_KEY": KEY, "STRIPE_API_BASE": server.url}

    def pull(self, *options: object, code: int = 0) -> str:
        """Pulls, and returns the output."""
        command = ("pull", "stripe", "--extracts", self.extracts, *options)
        with at_once():
            return expect(code, ingest_here(*command, settings=self.settings))

    def pulled(self, batch: int = -1) -> dict[str, list[Record]]:
        """The records of a batch by object, after a check of its manifest."""
        folder = batches(self.extracts)[batch]
        manifest = json.loads((folder / "_batch.json").read_text())
        found = {}
        for entry in manifest["files"]:
            content = (folder / entry["path"]).read_bytes()
            assert len(content) == entry["bytes"]
            lines = gzip.decompress(content).splitlines()
            assert len(lines) == entry["rows"] > 0
            found[Path(entry["path"]).name.removesuffix(".jsonl.gz")] = [*map(json.loads, lines)]
        return found

    def event(self, kind: str, about: Record, at: datetime) -> None:
        """Something that happened."""
        number = len(self.server.records["events"])
        self.server.records["events"].append(
            {
                "id": f"evt_{number}",
                "object": "event",
                "type": kind,
                "created": int(at.timestamp()),
                "data": {"object": about},
            }
        )


def _record(kind: str, number: int, days_ago: float = 400, **members: Any) -> Record:
    created = int((_NOW - timedelta(days=days_ago)).timestamp()) - number
    return {"id": f"{kind}_{number}", "object": kind, "created": created, **members}


def _list(url: str, count: int, kind: str) -> Record:
    data = [{"id": f"{kind}_{n}", "object": kind, "amount": n} for n in range(count)]
    return {"object": "list", "data": data, "has_more": False, "url": url}


def _records() -> dict[str, list[Record]]:
    coupon = {"id": "half", "object": "coupon", "percent_off": 12.5}
    discount = {"id": "di_1", "object": "discount", "source": {"coupon": coupon}}
    subscription = _record("subscription", 1, status="active", discounts=[discount])
    invoice = _record("invoice", 1, discounts=[discount])
    return {
        "customers": [_record("customer", n, name=f"Ärger & Söhne {n}") for n in range(230)],
        "prices": [_record("price", 1, tiers=[{"up_to": 5}], currency_options={"eur": {}})],
        "coupons": [_record("coupon", 1, applies_to={"products": ["p"]}, currency_options={})],
        "subscriptions": [
            subscription | {"items": _list("", 25, "subscription_item")},
            _record("subscription", 2, status="canceled", items=_list("", 1, "subscription_item")),
        ],
        "invoices": [invoice | {"lines": _list("", 130, "line_item")}],
        "balance_transactions": [_record("balance_transaction", 1, 10, status="pending")],
        "events": [],
    }


@pytest.fixture
def pulling(tmp_path: Path) -> Iterator[Pulling]:
    server = StripeServer(now=_NOW, records=_records())
    with server.running():
        yield Pulling(tmp_path, server)


def _by_id(records: list[Record]) -> dict[str, Record]:
    found = {record["id"]: record for record in records}
    assert len(found) == len(records), "a record twice"
    return found


def _complete(records: dict[str, list[Record]]) -> dict[str, dict[str, Record]]:
    """The records as a pull has them: the urls of cut lists are those of the server."""
    found = {name: _by_id(listed) for name, listed in records.items() if listed}
    for name, key in (("subscriptions", "items"), ("invoices", "lines")):
        for record in found.get(name, {}).values():
            record[key] = {**record[key], "url": ""}
    return found


def test_a_first_pull_brings_everything_whole(pulling: Pulling) -> None:
    """Pages, cancelled subscriptions, what has to be expanded, and lists inside of records."""
    pulling.event("customer.updated", {"object": "customer", "id": "customer_1"}, _NOW)
    pulling.event("too.old", {}, _NOW - timedelta(days=31))
    output = pulling.pull()
    assert "230 customers" in output
    expected = _complete(pulling.server.records)
    assert expected["events"].pop("evt_1")
    assert _complete(pulling.pulled()) == expected
    manifest = json.loads((batches(pulling.extracts)[0] / "_batch.json").read_text())
    assert manifest["extracted_at"] == "2026-10-01T00:00:00Z"
    window = {"since": None, "until": "2026-10-01T00:00:00Z"}
    assert manifest["pulled"]["stripe"]["objects"]["payouts"] == window


def test_a_second_pull_brings_what_was_created_or_changed(pulling: Pulling) -> None:
    pulling.pull()
    records = pulling.server.records
    pulling.server.now = _LATER
    new = _record("customer", 900, -1)
    changed = records["customers"][200] | {"name": "Renamed"}
    paid = records["invoices"][0] | {"status": "paid"}
    settled = records["balance_transactions"][0] | {"status": "available"}
    records["customers"] = [one for one in records["customers"] if one["id"] != changed["id"]]
    records["customers"] += [new, changed]
    records["invoices"], records["balance_transactions"] = [paid], [settled]
    at = _NOW + timedelta(hours=1)
    pulling.event("customer.updated", changed, at)
    # Nothing else says that the invoice has a payment, and the deleted coupon is gone.
    about = {"object": "invoice_payment", "id": "inpay_1", "invoice": paid["id"]}
    pulling.event("invoice_payment.paid", about, at)
    pulling.event("coupon.deleted", {"object": "coupon", "id": "gone", "deleted": True}, at)
    pulling.pull()
    found = pulling.pulled()
    assert len(found.pop("events")) == 3
    assert _complete(found) == _complete(
        {"customers": [new, changed], "invoices": [paid], "balance_transactions": [settled]}
    )
    assert "nothing is new" in pulling.pull()
    assert len(batches(pulling.extracts)) == 2


def test_a_record_that_changes_back_is_pulled_again(pulling: Pulling) -> None:
    first = dict(pulling.server.records["customers"][0])
    names = []
    for days, name in ((0, "A"), (1, "B"), (2, "A")):
        at = pulling.server.now = _NOW + timedelta(days=days)
        pulling.server.records["customers"][0] = changed = first | {"name": name}
        pulling.event("customer.updated", changed, at)
        pulling.pull()
        names.append(_by_id(pulling.pulled()["customers"])[first["id"]]["name"])
    assert names == ["A", "B", "A"]


def test_an_address_that_is_signed_again_is_no_change(pulling: Pulling) -> None:
    (invoice,) = pulling.server.records["invoices"]
    for hours in range(2):
        pulling.server.now = _NOW + timedelta(hours=hours)
        pulling.server.records["invoices"] = [invoice | {"invoice_pdf": f"https://x/{hours}"}]
        pulling.event("invoice.updated", invoice, pulling.server.now)
        pulling.pull()
    assert pulling.pulled().keys() == {"events"}


def test_a_long_pause_reads_everything_and_writes_what_changed(pulling: Pulling) -> None:
    """The events that would say what changed are gone after 30 days."""
    pulling.pull()
    pulling.server.now = _NOW + timedelta(days=45)
    pulling.event("customer.updated", {"object": "customer"}, _NOW + timedelta(days=2))
    changed = pulling.server.records["customers"][7] = {
        **pulling.server.records["customers"][7],
        "name": "Renamed",
    }
    assert "older than the events" in pulling.pull()
    assert pulling.pulled() == {"customers": [changed]}


def test_only_part_of_the_objects_keeps_the_others_for_later(pulling: Pulling) -> None:
    """A change between two pulls of different objects is lost to neither."""
    pulling.pull("--objects", "prices")
    pulling.server.now = _LATER
    changed = pulling.server.records["prices"][0] | {"active": False}
    pulling.server.records["prices"] = [changed]
    pulling.event("price.updated", changed, _NOW + timedelta(hours=5))
    pulling.pull("--objects", "customers,events")
    assert pulling.pulled().keys() == {"customers", "events"}
    pulling.server.now = _LATER + timedelta(days=1)
    pulling.pull()
    found = pulling.pulled()
    assert found["prices"] == [changed]
    assert found.keys() >= {"prices", "invoices", "subscriptions"}
    assert not found.keys() & {"customers", "events"}


def test_each_account_has_its_own_windows(pulling: Pulling) -> None:
    """Even of the same records; a key that may not read which account it is has one too."""
    for account, forbidden in (("acct_1", set()), ("acct_2", set()), ("acct_2", {"account"})):
        pulling.server.account, pulling.server.forbidden = account, forbidden
        pulling.server.now += timedelta(hours=1)
        pulling.pull()
    assert len(batches(pulling.extracts)) == 3
    assert pulling.pulled(0) == pulling.pulled(1) == pulling.pulled(2)


def test_since_and_until_bound_the_window(pulling: Pulling) -> None:
    pulling.server.records["customers"] = [_record("customer", n, n) for n in range(1, 30)]
    day = (_NOW - timedelta(days=20)).date()
    until = day + timedelta(days=4)
    pulling.pull("--since", day, "--until", until, "--objects", "customers")
    found = pulling.pulled()["customers"]
    assert [one["id"] for one in found] == [f"customer_{n}" for n in range(15, 20)]
    # The next pull continues there.
    pulling.pull("--objects", "customers")
    assert [one["id"] for one in pulling.pulled()["customers"]] == [
        f"customer_{n}" for n in range(1, 15)
    ]
    assert "is after" in pulling.pull("--since", until, "--until", day, code=2)


@pytest.mark.parametrize("seed", range(3))
def test_faults_and_rate_limits_lose_nothing_and_repeat_nothing(
    pulling: Pulling, seed: int
) -> None:
    luck = random.Random(seed)
    kinds: Faults = [429, 500, 503, "drop", "cut", *[None] * 10]
    pulling.server.faults = luck.choices(kinds, k=50)
    pulling.pull()
    assert not pulling.server.faults
    assert _complete(pulling.pulled()) == _complete(pulling.server.records)


def test_a_vendor_that_stays_away_leaves_no_batch_and_is_continued(pulling: Pulling) -> None:
    # After the checks, the events and the customers.
    pulling.server.faults = [*[None] * 23, *[503] * 100]
    output = pulling.pull(code=1)
    assert "Stripe failed at" in output
    assert "continues" in output
    assert not batches(pulling.extracts)
    pulling.server.faults = []
    asked = len(pulling.server.requests)
    assert "continuing" in pulling.pull()
    assert not [
        one for one in pulling.server.requests[asked + 18 :] if one.startswith("GET /v1/customers?")
    ]
    assert _complete(pulling.pulled()) == _complete(pulling.server.records)


def test_a_key_without_permission_is_named_and_nothing_is_written(pulling: Pulling) -> None:
    pulling.server.forbidden = {"charges", "payouts"}
    output = pulling.pull(code=1)
    assert "STRIPE_API_KEY may not read charges, payouts" in output
    assert not batches(pulling.extracts)
    pulling.pull("--objects", "customers,prices")
    assert pulling.pulled().keys() == {"customers", "prices"}


@pytest.mark.parametrize(
    ("key", "code"), [(KEY.replace("51H", "51J"), 1), ("sk_test_51H\nsecret", 2), ("", 2)]
)
def test_no_message_shows_the_key(pulling: Pulling, key: str, code: int) -> None:
    """The server repeats a wrong key, and a library repeats a header that it cannot send."""
    pulling.settings["STRIPE_API_KEY"] = key
    output = pulling.pull(code=code)
    assert "STRIPE_API_KEY" in output
    assert "secret" not in output


def test_a_stack_trace_does_not_show_the_key(pulling: Pulling) -> None:
    with patch("ingest.pull.stripe.Stripe.pull", side_effect=RuntimeError(f"Bearer {KEY}")):
        assert pulling.pull(code=1) == "RuntimeError: Bearer <STRIPE_API_KEY>\n"


def test_clocks_that_differ_lose_nothing(pulling: Pulling) -> None:
    """This machine's clock is weeks ahead of the server's, whose own is then set back."""
    pulling.pull("--objects", "customers")
    pulling.server.now = _NOW - timedelta(hours=3)
    late = _record("customer", 901, 0.13)
    pulling.server.records["customers"].append(late)
    pulling.pull("--objects", "customers")
    pulling.server.now = _LATER
    new = _record("customer", 902, -0.01)
    pulling.server.records["customers"].append(new)
    pulling.pull("--objects", "customers")
    found = [one for batch in range(3) for one in pulling.pulled(batch)["customers"]]
    assert _by_id(found) == _by_id(pulling.server.records["customers"])


def test_localstripe(tmp_path: Path) -> None:
    """A stateful fake of Stripe from PyPI: pages, cancelled subscriptions and increments."""
    port = free_port()
    script = Path(__file__).with_name("localstripe_server.py")
    with program(script, port, port=port, settings={}) as url:

        def ask(method: str, path: str, **form: object) -> Record:
            answer = requests.request(
                method, f"{url}/v1/{path}", data=form, auth=(KEY, ""), timeout=30
            )
            assert answer.ok, answer.text
            found: Record = answer.json()
            return found

        def all_of(name: str) -> dict[str, Record]:
            status = "&status=all" if name == "subscriptions" else ""
            return _by_id(ask("GET", f"{name}?limit=1000{status}")["data"])

        ids = [ask("POST", "customers", description=f"{n}")["id"] for n in range(120)]
        card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": 123}
        token = ask("POST", "tokens", **{f"card[{key}]": value for key, value in card.items()})
        product = ask("POST", "products", name="Seats", type="service")["id"]
        price = {"currency": "usd", "amount": 1500, "interval": "month"}
        plan = ask("POST", "plans", product=product, **price)["id"]
        ask("POST", "coupons", id="quarter", percent_off=25, duration="forever")
        ask("POST", f"customers/{ids[0]}/sources", source=token["id"])
        active, ended = (
            ask("POST", "subscriptions", **{"customer": ids[0], "items[0][plan]": plan})["id"]
            for _ in range(2)
        )
        ask("DELETE", f"subscriptions/{ended}")
        names = ("customers", "products", "plans", "coupons", "subscriptions", "invoices", "events")
        pulling = Pulling(tmp_path, StripeServer(url=url))
        pulling.pull("--objects", ",".join(names))
        found = pulling.pulled()
        assert {name: _by_id(found[name]) for name in names} == {n: all_of(n) for n in names}
        assert len(found["customers"]) == 120
        assert {one["status"] for one in found["subscriptions"]} >= {"canceled", "active"}

        before = all_of("events")
        ask("DELETE", f"subscriptions/{active}")
        new = ask("POST", "customers", description="new")["id"]
        pulling.pull("--objects", ",".join(names))
        found = pulling.pulled()
        assert [one["id"] for one in found["subscriptions"]] == [active]
        assert found["subscriptions"][0]["status"] == "canceled"
        assert {one["id"] for one in found["customers"]} <= {new, ids[0]}
        assert {one["id"] for one in found["events"]} == all_of("events").keys() - before.keys()
        assert not found.keys() & {"products", "plans", "coupons"}
