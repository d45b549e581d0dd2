"""Stripe's files have Stripe's shapes, agree with each other, and contain the planted defects."""

import gzip
import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ingest.generate import generate

VERSIONS = ("2026-07-29.dahlia", "2022-11-15")
BATCHES = 6

Record = dict[str, Any]
_WRITTEN: dict[str, Path] = {}


@pytest.fixture(scope="module", autouse=True)
def _extracts(tiny_extracts: Path, older_extracts: Path) -> None:
    _WRITTEN.update(zip(VERSIONS, (tiny_extracts, older_extracts), strict=True))


def written(version: str = VERSIONS[0]) -> Path:
    """The tiny company in an API version."""
    return _WRITTEN[version]


def planted(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "_truth/planted_defects.json").read_text())
    return found


def lines(out: Path, *, broken: bool = False) -> Iterator[tuple[str, str, bytes]]:
    """(batch, file, line) of every Stripe file; of the broken lines alone, or of the others."""
    places = {
        (place["batch_id"], place["source_file"], place["source_row"])
        for place in planted(out)["broken"]
    }
    for path in sorted(out.glob("*/stripe/*")):
        batch_id, name = path.parts[-3], f"stripe/{path.name}"
        raw = path.read_bytes()
        content = gzip.decompress(raw) if path.suffix == ".gz" else raw
        for row, line in enumerate(content.splitlines(), start=1):
            if ((batch_id, name, row) in places) == broken:
                yield batch_id, name, line


@cache
def _by_kind(out: Path) -> dict[str, list[tuple[str, Record]]]:
    found: dict[str, list[tuple[str, Record]]] = {}
    for batch_id, name, line in lines(out):
        kind = name.split("/")[1].split(".")[0]
        found.setdefault(kind, []).append((batch_id, json.loads(line)))
    return found


def records(out: Path, kind: str) -> list[tuple[str, Record]]:
    """(batch, object) of a kind of file, the broken ones left out."""
    return _by_kind(out)[kind]


def events(out: Path, prefix: str) -> list[Record]:
    """Each event once, in the order of their happening."""
    found = {event["id"]: event for _, event in records(out, "events")}
    reported = [event for event in found.values() if event["type"].startswith(prefix)]
    return sorted(reported, key=lambda event: int(event["created"]))


@pytest.mark.parametrize("version", VERSIONS)
def test_all_but_the_broken_rows_pass_the_vendors_validator(
    vendor: Path, tmp_path: Path, version: str
) -> None:
    clean = tmp_path / "clean.jsonl"
    clean.write_bytes(b"\n".join(line for _, _, line in lines(written(version))))
    arguments = ["--version", version, "--level", "wire", "--strict", "--semantic", str(clean)]
    done = subprocess.run(
        [sys.executable, str(vendor / "validate_stripe.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert done.stdout.splitlines()[-1].endswith(" passed, 0 failed")


def test_the_same_arguments_write_the_same_bytes(tmp_path: Path) -> None:
    generate(tmp_path, scale="tiny", batches=BATCHES)
    found = {
        path.relative_to(tmp_path): path.read_bytes()
        for path in sorted(tmp_path.rglob("*"))
        if path.is_file()
    }
    for path, content in found.items():
        assert (written() / path).read_bytes() == content, path
    assert len(found) == sum(path.is_file() for path in written().rglob("*"))


def test_a_thin_export_leaves_out_what_is_only_sent_on_request(tmp_path: Path) -> None:
    generate(tmp_path, scale="tiny", batches=2, is_thin=True)
    counts = planted(tmp_path)["counts"]
    movements = [
        record["balance_transaction"]
        for _, record in records(tmp_path, "charges")
        if record["balance_transaction"]
    ]
    assert "balance_transactions" not in _by_kind(tmp_path)
    assert all(movement["net"] and "fee_details" not in movement for movement in movements)
    discounts = [d for _, record in records(tmp_path, "subscriptions") for d in record["discounts"]]
    assert discounts
    assert all(isinstance(discount, str) for discount in discounts)
    assert not any("tiers" in record for _, record in records(tmp_path, "prices"))
    oldest = min(event["created"] for _, event in records(tmp_path, "events"))
    assert oldest >= datetime(2026, 9, 1, tzinfo=UTC).timestamp()
    assert counts["stripe_fields_not_expanded"] >= len(movements)
    assert counts["stripe_events_not_archived"] > 1000


def test_a_run_replaces_the_batches_of_the_one_before(tmp_path: Path) -> None:
    start = date(2026, 6, 1)
    generate(tmp_path, scale="tiny", start=start, batches=3)
    (tmp_path / "my own").mkdir()
    generate(tmp_path, scale="tiny", start=start, batches=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2026-08-31",
        "2026-09-30",
        "_truth",
        "my own",
    ]


def test_manifests_describe_the_files() -> None:
    for folder in written().glob("20*"):
        manifest = json.loads((folder / "_batch.json").read_text())
        assert manifest["batch_id"] == folder.name
        assert manifest["extracted_at"] == f"{folder.name}T23:59:59Z"
        on_disk = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert {file["path"] for file in manifest["files"]} == on_disk - {"_batch.json"}
        for file in manifest["files"]:
            content = (folder / file["path"]).read_bytes()
            assert len(content) == file["bytes"]
            assert hashlib.sha256(content).hexdigest() == file["sha256"]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_update_says_what_was_there_before(version: str) -> None:
    """Read in the order in which they chain, and not by their seconds alone."""
    last: dict[str, Record] = {}
    checked = 0
    for event in events(written(version), "customer.subscription."):
        current = event["data"]["object"]
        before = last.get(current["id"])
        previous = event["data"].get("previous_attributes")
        if before and previous and event["created"] > before["event created"]:
            for field, value in previous.items():
                was = before[field] if field != "items" else {"data": before["items"]["data"]}
                assert was == value, (event["id"], field)
                assert current[field] != value
            checked += 1
        last[current["id"]] = {**current, "event created": event["created"]}
    assert checked > 500


def test_two_updates_of_one_second_chain_by_what_was_before() -> None:
    updates: dict[tuple[str, int], list[Record]] = {}
    for event in events(written(), "customer.subscription.updated"):
        updates.setdefault((event["data"]["object"]["id"], event["created"]), []).append(event)
    pairs = [found for found in updates.values() if len(found) > 1]
    assert len(pairs) == planted(written())["counts"]["stripe_updates_in_the_same_second"]
    first, second = pairs[0] if len(pairs[0]) == 2 else pairs[-1]
    items = first["data"]["object"]["items"]["data"]
    assert items in (
        second["data"]["previous_attributes"]["items"]["data"],
        second["data"]["object"]["items"]["data"],
    )


def test_webhooks_carry_discounts_by_id_and_the_archive_resolves_them() -> None:
    known = {event["data"]["object"]["id"] for event in events(written(), "customer.discount.")}
    named = set()
    for event in events(written(), "customer.subscription."):
        subscription = event["data"]["object"]
        for holder in (subscription, *subscription["items"]["data"]):
            assert all(isinstance(discount, str) for discount in holder["discounts"])
            named |= set(holder["discounts"])
    assert named
    assert named <= known
    expanded = {
        type(discount)
        for _, subscription in records(written(), "subscriptions")
        for discount in subscription["discounts"]
    }
    assert expanded == {str, dict}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_archive_tells_of_discounts_given_exchanged_and_taken_away(version: str) -> None:
    reported: dict[str, list[Record]] = {}
    for event in events(written(version), "customer.discount."):
        reported.setdefault(event["type"].split(".")[2], []).append(event["data"])
    assert {"created", "updated", "deleted"} == set(reported)
    (exchanged,) = reported["updated"]
    old_id = exchanged["previous_attributes"]["id"]
    assert old_id in {data["object"]["id"] for data in reported["created"]}
    assert old_id not in {data["object"]["id"] for data in reported["deleted"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_extract_is_the_state_that_the_webhooks_lead_to(version: str) -> None:
    last: dict[str, Record] = {}
    for event in events(written(version), "customer.subscription."):
        last[event["data"]["object"]["id"]] = event["data"]["object"]
    extracts = {record["id"]: record for _, record in records(written(version), "subscriptions")}
    silent = [key for key in extracts if key not in last]
    assert len(silent) == 1, "one subscription has no webhooks"
    for key, reported in last.items():
        for field in ("status", "ended_at", "cancel_at", "pause_collection", "latest_invoice"):
            assert extracts[key][field] == reported[field], (key, field)


def test_both_versions_hold_the_same_facts() -> None:
    """Where no coupon is stacked or on an item, which the older version cannot hold."""
    new, old = (
        {record["id"]: record for _, record in records(written(version), "invoices")}
        for version in VERSIONS
    )
    assert set(new) == set(old)
    beyond = {
        record["customer"]
        for _, record in records(written(), "subscriptions")
        for holder in (record, *record["items"]["data"])
        if len(record["discounts"]) > 1 or (holder is not record and holder["discounts"])
    } | {
        event["data"]["object"]["customer"]
        for event in events(written(), "customer.subscription.")
        if len(event["data"]["object"]["discounts"]) > 1
        or any(item["discounts"] for item in event["data"]["object"]["items"]["data"])
    }
    compared = 0
    for key, invoice in new.items():
        if invoice["customer"] not in beyond:
            older = old[key]
            parent = invoice["parent"]
            subscription = parent and parent["subscription_details"]["subscription"]
            assert older["subscription"] == subscription
            for field in ("status", "total", "amount_due", "amount_paid", "currency", "number"):
                assert older[field] == invoice[field]
            compared += 1
    assert compared > 500


def test_partial_pages_have_their_lines_elsewhere() -> None:
    pages = {page["url"]: page["data"] for _, page in records(written(), "invoice_line_pages")}
    partial = 0
    seen = set()
    for batch_id, invoice in records(written(), "invoices"):
        shown = invoice["lines"]
        if shown["has_more"] and (batch_id, invoice["id"]) not in seen:
            seen.add((batch_id, invoice["id"]))
            assert sum(line["amount"] for line in pages[shown["url"]]) == invoice["subtotal"]
            assert pages[shown["url"]][: len(shown["data"])] == shown["data"]
            partial += 1
    assert partial >= planted(written())["counts"]["stripe_partial_line_pages"] > 0


def test_broken_lines_are_broken_and_their_records_arrive_all_the_same() -> None:
    found = Counter(
        place["kind"] for place in planted(written())["broken"] if "stripe" in str(place)
    )
    counts = planted(written())["counts"]
    for kind in ("bad_json", "missing_id", "bad_value", "invalid_utf8"):
        assert found[kind] == counts[f"stripe_{kind}"] > 0
    sound = {json.loads(line)["id"] for _, name, line in lines(written()) if "pages" not in name}
    for _, name, line in lines(written(), broken=True):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        assert "id" not in record or not isinstance(record["created"], int), name
        assert "id" not in record or record["id"] in sound


def test_repeated_late_and_unordered_events_are_as_many_as_counted() -> None:
    counts = planted(written())["counts"]
    reported = records(written(), "events")
    assert (
        len(reported) - len({event["id"] for _, event in reported})
        == counts["stripe_events_repeated"]
    )
    first = {event["id"]: batch_id for batch_id, event in reversed(reported)}
    batch_ids = sorted({batch_id for batch_id, _ in reported})
    late = sum(
        _batch_of(event["created"], batch_ids) < first[event["id"]]
        for event in {event["id"]: event for _, event in reported}.values()
    )
    assert late == counts["stripe_events_arriving_late"] > 0
    assert counts["stripe_events_out_of_order"] > 0
    times = [event["created"] for batch_id, event in reported if batch_id == batch_ids[0]]
    assert times != sorted(times)


def _batch_of(created: int, batch_ids: list[str]) -> str:
    day = datetime.fromtimestamp(created, UTC).date().isoformat()
    return next(batch_id for batch_id in batch_ids if day <= batch_id)


def test_payments_arrive_weeks_late() -> None:
    charges = records(written(), "charges")
    batch_ids = sorted({batch_id for batch_id, _ in charges})
    first = {charge["id"]: batch_id for batch_id, charge in reversed(charges)}
    created = {charge["id"]: charge["created"] for _, charge in charges}
    late = [key for key, at in created.items() if _batch_of(at, batch_ids) < first[key]]
    assert len(late) == planted(written())["counts"]["stripe_charges_arriving_late"] > 0


def test_fields_appear_vanish_and_change_their_type() -> None:
    fields: dict[str, set[str]] = {}
    for batch_id, customer in records(written(), "customers"):
        if "deleted" not in customer:
            fields.setdefault(batch_id, set()).update(customer)
    sent = [fields[batch_id] for batch_id in sorted(fields)]
    assert "tax_ids" in sent[-1] - sent[0]
    assert "preferred_locales" in sent[0] - sent[-1]
    kinds = {
        batch_id: type(charge["customer"]) for batch_id, charge in records(written(), "charges")
    }
    assert set(kinds.values()) == {str, dict}
    counts = planted(written())["counts"]
    assert (
        counts["stripe_fields_appearing"],
        counts["stripe_fields_vanishing"],
        counts["stripe_fields_retyped"],
    ) == (1, 1, 1)


def test_test_mode_rows_are_marked() -> None:
    rows = [record for kind in ("customers", "invoices") for _, record in records(written(), kind)]
    assert any(record.get("livemode") is False for record in rows)
    assert planted(written())["counts"]["stripe_test_mode_rows"] > 0
