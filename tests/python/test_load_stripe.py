"""Stripe objects, bare, in pages, in fixtures and in the wrappers of pipeline tools."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from loading import Loading, customer


def _line(number: int, **fields: object) -> dict[str, object]:
    return {"id": f"il_{number}", "object": "line_item", "amount": 100, **fields}


EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.created",
    "created": 1_700_000_000,
    "data": {"object": customer(1)},
}


def test_objects_are_told_apart_by_what_they_say(loading: Loading) -> None:
    loading.write_json(
        "stripe/everything.jsonl",
        customer(1),
        EVENT,
        _line(1),
        {"id": "pi_1", "object": "payment_intent", "amount": 5},
        {"object": "balance", "available": []},
        {"id": "cus_2", "object": "customer", "deleted": True},
    )
    assert loading.load_one().rows_landed == 6
    assert loading.rows("select id, deleted from raw_stripe.customers order by id") == [
        ("cus_1", None),
        ("cus_2", True),
    ]
    assert loading.rows("select id, object, _extra from raw_stripe.other_objects order by 2") == [
        (None, "balance", '{"available":[]}'),
        ("pi_1", "payment_intent", '{"amount":5}'),
    ]
    assert loading.value("select data from raw_stripe.events") == json.dumps(
        EVENT["data"], separators=(",", ":")
    )


def test_values_keep_what_was_sent(loading: Loading) -> None:
    text = (
        '{"id": "price_1", "object": "price", "created": 9007199254740993, "unit_amount": null,'
        ' "unit_amount_decimal": "0.000000000001", "product": {"id": "prod_1", "name": "A b"},'
        ' "livemode": true, "recurring": {"interval": "month", "meter": null},'
        ' "tiers": [{"up_to": 9007199254740993}], "surprise": {"x": [1, null]}}'
    )
    loading.write("stripe/prices.jsonl", text)
    loading.write_json("stripe/coupons.jsonl", {"id": "c", "object": "coupon", "percent_off": 25.5})
    loading.load()
    assert loading.rows(
        "select created, unit_amount, unit_amount_decimal, product, livemode, recurring, tiers,"
        " metadata, _extra from raw_stripe.prices"
    ) == [
        (
            9007199254740993, None, "0.000000000001", '{"id":"prod_1","name":"A b"}', True,
            '{"interval":"month","meter":null}', '[{"up_to":9007199254740993}]', None,
            '{"surprise":{"x":[1,null]}}',
        )
    ]  # fmt: skip
    assert str(loading.value("select percent_off from raw_stripe.coupons")) == "25.500000000"


@pytest.mark.parametrize("sent", [12, "12", 12.0, "1.2e1"])
def test_whole_numbers_may_come_as_text(loading: Loading, sent: object) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1, balance=sent))
    loading.load()
    assert loading.value("select balance from raw_stripe.customers") == 12


@pytest.mark.parametrize(
    ("field", "sent", "reason"),
    [
        ("balance", 12.5, "not a whole number in range"),
        ("balance", "twelve", "not a whole number in range"),
        ("balance", "1_000", "not a whole number in range"),
        ("balance", 2**63, "not a whole number in range"),
        ("balance", {"amount": 1}, "not a whole number in range"),
        ("created", "2026-05-31", "not a whole number in range"),
        ("livemode", "perhaps", "neither true nor false"),
        ("id", None, "missing"),
        ("id", "", "missing"),
    ],
)
def test_a_bad_value_rejects_its_record_only(
    loading: Loading, field: str, sent: object, reason: str
) -> None:
    bad = customer(2, **{field: sent})
    loading.write_json("stripe/customers.jsonl", customer(1), bad, customer(3))
    assert loading.load_one().rows_landed == 2
    assert loading.rejects() == [("stripe/customers.jsonl", 2, field, reason, json.dumps(bad))]


def test_a_record_must_say_what_it_is(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1), {"id": "cus_2"}, "text", 7, None)
    assert loading.load_one().rows_landed == 1
    assert loading.rejects() == [
        ("stripe/customers.jsonl", 2, "object", "missing", '{"id": "cus_2"}'),
        ("stripe/customers.jsonl", 3, "", "not a JSON object", '"text"'),
        ("stripe/customers.jsonl", 4, "", "not a JSON object", "7"),
        ("stripe/customers.jsonl", 5, "", "not a JSON object", "null"),
    ]


def _page(*records: object, url: str = "/v1/customers") -> dict[str, object]:
    return {"object": "list", "data": records, "has_more": False, "url": url}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "document",
    [
        _page(customer(1), customer(2)),
        [customer(1), customer(2)],
        {"resources": {"customer": customer(1), "other": customer(2)}},
        [_page(customer(1)), _page(customer(2))],
    ],
)
def test_documents_are_taken_apart(loading: Loading, document: object, indent: int | None) -> None:
    loading.write("stripe/customers.json", json.dumps(document, indent=indent))
    loading.load()
    assert loading.rows("select id, _source_row from raw_stripe.customers order by 2") == [
        ("cus_1", 1),
        ("cus_2", 2),
    ]


def test_pages_may_come_one_a_line_and_among_records(loading: Loading) -> None:
    loading.write_json("stripe/pages.jsonl", _page(customer(1), customer(2)), _page(customer(3)))
    loading.write_json("stripe/mixed.jsonl", customer(4), _page(customer(5), customer(6), {}), {})
    loading.load()
    assert loading.rows("select id, _source_row from raw_stripe.customers order by 1") == [
        ("cus_1", 1),
        ("cus_2", 2),
        ("cus_3", 3),
        ("cus_4", 1),
        ("cus_5", 2),
        ("cus_6", 2),
    ]
    assert loading.files()["stripe/mixed.jsonl"] == ("landed", 5, 3, 2)


def test_a_page_without_data_is_rejected(loading: Loading) -> None:
    loading.write_json("stripe/mixed.jsonl", customer(1), {"object": "list", "data": None})
    loading.load()
    ((_, row, field, reason, _),) = loading.rejects()
    assert (row, field, reason) == (2, "data", "missing")


def test_an_array_over_lines_and_documents_one_after_another(loading: Loading) -> None:
    one, two = json.dumps(customer(1)), json.dumps(customer(2))
    loading.write("stripe/array.json", f"[\n{one},\n{two}\n]\n")
    loading.write("stripe/many.json", json.dumps(customer(3), indent=2) * 2)
    assert loading.load_one().rows_landed == 4


@pytest.mark.parametrize("indent", [None, 1])
def test_lines_of_an_invoice_know_it_by_their_page(loading: Loading, indent: int | None) -> None:
    page = _page(_line(1), _line(2, invoice="in_own"), url="/v1/invoices/in_9/lines?limit=2")
    items = _page({"id": "si_1", "object": "subscription_item"},
                  url="/v1/subscription_items?limit=9&subscription=sub_9")  # fmt: skip
    loading.write("stripe/lines.json", json.dumps(page, indent=indent))
    loading.write("stripe/items.json", json.dumps(items, indent=indent))
    loading.load()
    assert loading.rows("select id, invoice from raw_stripe.invoice_line_items order by 1") == [
        ("il_1", "in_9"),
        ("il_2", "in_own"),
    ]
    assert loading.value("select subscription from raw_stripe.subscription_items") == "sub_9"


@pytest.mark.parametrize(
    "wrapped",
    [
        {"stream": "customers", "data": customer(1), "emitted_at": 1},
        {"type": "RECORD", "record": customer(1), "stream": "customers"},
        {"stream": "customers", "record": customer(1)},
        {"type": "RECORD", "record": {"stream": "customers", "data": customer(1)}},
        {"_airbyte_raw_id": "x", "_airbyte_data": customer(1)},
        {"_airbyte_raw_id": "x", "_airbyte_data": json.dumps(customer(1))},
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_wrappers_are_taken_off(loading: Loading, wrapped: object, first: bool) -> None:
    lines = [wrapped, customer(2)] if first else [customer(2), wrapped]
    loading.write_json("stripe/customers.jsonl", *lines)
    loading.load()
    assert loading.rows("select id, created, _extra from raw_stripe.customers order by 1") == [
        ("cus_1", 1_700_000_000, None),
        ("cus_2", 1_700_000_000, None),
    ]


def test_raw_records_of_airbyte_are_read_as_they_are(loading: Loading) -> None:
    """Lines of its file destinations, and rows of its raw tables, where the record may be text."""
    record = customer(1, metadata={"salesforceAccountId": "001"})
    beside = {"_airbyte_raw_id": "x", "_airbyte_extracted_at": 1, "_airbyte_meta": {"changes": []}}
    loading.write_json(
        "stripe/customers/2026_05_30_0.jsonl.gz", {**beside, "_airbyte_data": record}
    )
    loading.write_json("stripe/raw.jsonl", {"_airbyte_data": json.dumps({**record, "id": "cus_2"})})
    # With flattening at the root, Airbyte's members are beside those of the record.
    loading.write_json("stripe/flat.jsonl", {**beside, **record, "id": "cus_3"})
    loading.load()
    assert loading.rows(
        "select id, metadata ->> 'salesforceAccountId', list_sort(json_keys(_extra))"
        " from raw_stripe.customers order by 1"
    ) == [("cus_1", "001", None), ("cus_2", "001", None), ("cus_3", "001", sorted(beside))]


def test_lines_of_dlt_are_read_as_they_are(loading: Loading) -> None:
    """As its filesystem destination writes them with `max_table_nesting=0`."""
    items = {"object": "list", "data": [{"id": "si_1", "object": "subscription_item"}]}
    loading.write_json(
        "stripe/subscription/1796040339.4354858.d7cae2359d.jsonl.gz",
        {
            "id": "sub_1",
            "object": "subscription",
            "created": 1_700_000_000,
            "metadata": {"salesforceAccountId": "001", "Some-Key": "v"},
            "items": items,
            "application_fee_percent": 12.5,
            "_dlt_load_id": "1796040339.4354858",
            "_dlt_id": "7ATxCHAmyUvNeA",
        },
    )
    loading.write_json("stripe/_dlt_loads/s__1.jsonl", {"load_id": "1", "status": 0})
    assert loading.load_one().rows_read == 1
    assert loading.rows(
        "select metadata ->> 'Some-Key', json_extract_string(items, '$.data[0].id'),"
        " application_fee_percent, list_sort(json_keys(_extra)) from raw_stripe.subscriptions"
    ) == [("v", "si_1", Decimal("12.5"), ["_dlt_id", "_dlt_load_id"])]


def test_what_tools_say_between_records_is_no_record(loading: Loading) -> None:
    loading.write_json(
        "stripe/singer.jsonl",
        {"type": "SCHEMA", "stream": "customers", "schema": {}},
        {"type": "RECORD", "stream": "customers", "record": customer(1)},
        {"type": "STATE", "value": {}},
    )
    report = loading.load_one()
    assert (report.rows_read, report.rows_landed) == (1, 1)


def test_an_event_may_leave_out_that_it_is_one(loading: Loading) -> None:
    bare = {key: value for key, value in EVENT.items() if key != "object"}
    loading.write_json("stripe/webhooks.jsonl", bare)
    loading.write("stripe/webhook.json", json.dumps({**bare, "id": "evt_2"}, indent=2))
    loading.load()
    assert loading.rows("select id, object, type, _extra from raw_stripe.events order by 1") == [
        ("evt_1", "event", "customer.created", None),
        ("evt_2", "event", "customer.created", None),
    ]


def test_a_broken_document_is_kept_whole(loading: Loading) -> None:
    text = json.dumps(_page(customer(1)), indent=2)[:-3]
    loading.write("stripe/customers.json", text)
    loading.load()
    ((_, row, _, reason, record),) = loading.rejects()
    assert (row, str(record).strip()) == (1, text.strip())
    assert str(reason).startswith("not JSON")


def test_a_line_too_long_is_kept_aside(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.load.spool.MAX_RECORD_BYTES", 1000)
    loading.write_json("stripe/customers.jsonl", customer(1), customer(2, name="x" * 2000))
    loading.load()
    assert loading.files()["stripe/customers.jsonl"] == ("landed", 2, 1, 1)


def test_every_official_fixture_is_read(loading: Loading, vendor: Path) -> None:
    for path in (vendor / "stripe_spec" / "fixtures").glob("*.json"):
        loading.write(f"stripe/{path.name}", path.read_bytes())
    report = loading.load_one()
    # The stub of a deleted discount has no id.
    assert (report.rows_read, report.rows_rejected) == (968, 6)
    assert loading.rows("select distinct reason from raw_audit.rejected_records") == [("missing",)]
    assert loading.value("select count(*) from raw_stripe.subscriptions") == 6
