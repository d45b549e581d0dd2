"""Fields that appear, vanish or change their type between batches."""

from loading import ACCOUNT, ACCOUNT_ROW, Loading, customer, track


def _changes(loading: Loading) -> list[tuple[object, ...]]:
    return loading.rows(
        "select batch_id, source_system, object_name, field, change, old_type, new_type"
        " from raw_audit.schema_changes order by all"
    )


def test_the_first_batch_changes_nothing(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1))
    assert loading.load_one().schema_changes == 0


def test_fields_of_objects(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1, name="a", balance=1, phone=None))
    loading.write_json("stripe/customers.jsonl", customer(2, balance="1", phone="1", tax={}),
                       batch="2026-06-30")  # fmt: skip
    loading.write_json("stripe/charges.jsonl", {"id": "ch_1", "object": "charge"},
                       batch="2026-06-30")  # fmt: skip
    assert loading.load()[1].schema_changes == 3
    assert _changes(loading) == [
        ("2026-06-30", "stripe", "customer", "balance", "retyped", "number", "string"),
        ("2026-06-30", "stripe", "customer", "name", "vanished", "string", None),
        ("2026-06-30", "stripe", "customer", "tax", "appeared", None, "object"),
    ]


def test_fields_of_messages_and_of_what_they_carry(loading: Loading) -> None:
    loading.write_json("segment/m.jsonl", track(1, properties={"pages": 3, "old": 1, "a/b~": 1}))
    loading.write_json("segment/m.jsonl", track(2, properties={"pages": "3", "new": 1, "a/b~": 2}),
                       batch="2026-06-30")  # fmt: skip
    loading.load()
    assert _changes(loading) == [
        ("2026-06-30", "segment", "message", "properties.new", "appeared", None, "number"),
        ("2026-06-30", "segment", "message", "properties.old", "vanished", "number", None),
        ("2026-06-30", "segment", "message", "properties.pages", "retyped", "number", "string"),
    ]


def test_columns_of_a_csv(loading: Loading) -> None:
    loading.write("salesforce/Account.csv", f"{ACCOUNT},Tier__c\n{ACCOUNT_ROW},gold\n")
    loading.write("salesforce/Account.csv", f"{ACCOUNT},Region__c\n{ACCOUNT_ROW},north\n",
                  batch="2026-06-30")  # fmt: skip
    loading.load()
    assert _changes(loading) == [
        ("2026-06-30", "salesforce", "Account", "Region__c", "appeared", None, "text"),
        ("2026-06-30", "salesforce", "Account", "Tier__c", "vanished", "text", None),
    ]


def test_an_object_is_compared_with_the_last_batch_that_had_it(loading: Loading) -> None:
    loading.write_json("stripe/customers.jsonl", customer(1, name="a"))
    loading.write_json("stripe/charges.jsonl", {"id": "ch", "object": "charge"}, batch="2026-06-30")
    loading.write_json("stripe/customers.jsonl", customer(2), batch="2026-07-31")
    loading.load()
    assert _changes(loading) == [
        ("2026-07-31", "stripe", "customer", "name", "vanished", "string", None)
    ]


def test_rejected_lines_have_no_fields(loading: Loading) -> None:
    loading.write("stripe/customers.jsonl", '{"id": "cus_1", "object": "customer"}\n{"oops": 1}\n[')
    loading.load()
    assert loading.rows("select field from raw_audit.fields order by 1") == [("id",), ("object",)]
