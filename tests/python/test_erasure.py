"""A person whom all three systems know is found from any identifier and leaves no byte behind."""

import json
import re
import shutil
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest

from harness import PROJECT, expect, ingest_here
from ingest import catalog
from ingest.build.publish import publish
from ingest.catalog import personal
from ingest.docs.report import report
from ingest.docs.site import refresh
from ingest.errors import IngestError
from ingest.load import requests, warehouse
from ingest.load.mentions import Mentions
from ingest.load.person import People
from loading import Loading, customer, track
from warehouses import build_warehouse, parsed

_EMAIL = "verity+umb@mail-v.example"
_OLD_EMAIL = "v.u.before@mail-o.example"
_USER = "usr_9f2e77ab10"
_DEVICE = "5f0c8a4e-77aa-4b1c-9d55-0f3e2b7a9c11"
_CONTACT, _LEAD, _ACCOUNT = "003Hp00002veritIAA", "00QHp00002veritMAA", "001Hp00002veritIAA"
_CUSTOMER = "cus_Verity0001"
_PHONE, _MOBILE = "+1 (555) 777-0003", "+44 20 7946 0123"
_ADDRESS = {
    "line1": "3 Umbrage Close",
    "line2": "Flat Zwölf",
    "city": "Ozthorpe",
    "postal_code": "OZ9 4QX",
    "state": "Ozshire",
    "country": "GB",
}
# What identifies her, as any byte search would look for it.
_TRACES = [
    *(_EMAIL, _EMAIL.upper(), quote(_EMAIL, safe=""), _OLD_EMAIL, _USER, _DEVICE),
    *(_CONTACT[:15], _LEAD[:15], "Verity Umbrage", "Umbrage, Verity", "verity.umbrage"),
    *("Verity%20Umbrage", _PHONE, "555.777.0003", "+44 20 7946 0123", "020 7946 0123"),
    "442079460123",
    *("3 Umbrage Close", "3%20Umbrage%20Close", "Flat Zwölf", "Ozthorpe", "OZ9 4QX", "Ozshire"),
    *("198.51.100.77", "fp_Umbr4ge77xY", "4077", "1990-04-17", "veritys_avatar", "GB99UMBR0001"),
    *("idfa-umbr-77", "invoice-secret-77", "receipt-secret-77"),
]
# Keys and money, which stay.
_KEPT = [_CUSTOMER, _ACCOUNT, "in_1", "ch_1", "dp_1", "re_1", "sub_1", "4788000", "7777"]


def _contact(path: str = "salesforce/Contact.csv") -> dict[str, str]:
    columns = (
        "Id,LastName,FirstName,Name,Email,Phone,MobilePhone,MailingStreet,MailingCity,"
        "MailingPostalCode,Birthdate,AccountId,CreatedDate,Description,AssistantPhone"
    )
    hers = (
        f"{_CONTACT},Umbrage,Verity,Verity Umbrage,{_EMAIL.title()},{_PHONE},{_MOBILE},"
        f"3 Umbrage Close,Ozthorpe,OZ9 4QX,1990-04-17,001A,2026-01-01,,+1 555 0100"
    )
    others = (
        "003Hp00002sam000IA1,Sam,Sam,Sam Sam,sam@corp.example,+1 555 0100,,1 Corp Way,Town,1,"
        '1980-01-01,001A,2026-01-01,"Asked Verity Umbrage (020 7946 0123), of 3 Umbrage Close, '
        'Ozthorpe OZ9 4QX",'
    )
    return {path: f"{columns}\n{hers}\n{others}\n"}


def _stripe() -> list[dict[str, object]]:
    shipping = {"name": "Verity Umbrage", "phone": _PHONE, "address": _ADDRESS}
    billing = {"name": "V. Umbrage", "email": _EMAIL, "phone": _MOBILE, "address": _ADDRESS}
    card = {"brand": "visa", "fingerprint": "fp_Umbr4ge77xY", "last4": "4077", "country": "GB"}
    her = {
        "email": _EMAIL,
        "name": "Verity Umbrage",
        "phone": _PHONE,
        "address": _ADDRESS,
        "shipping": shipping,
        "tax_ids": {"object": "list", "data": [{"object": "tax_id", "value": "GB99UMBR0001"}]},
        "metadata": {"user_id": _USER, "full_name": "Verity Umbrage", "plan": "7777"},
        "tax": {"ip_address": "198.51.100.77"},
    }
    made = {"created": 1_700_000_000, "livemode": True, "currency": "usd"}
    charge = {
        "id": "ch_1",
        "object": "charge",
        **made,
        "amount": 4788000,
        "customer": _CUSTOMER,
        "billing_details": billing,
        "receipt_email": _EMAIL,
        "receipt_url": "https://pay.example/receipt-secret-77",
        "payment_method_details": {"type": "card", "card": card},
        "description": "For Verity Umbrage",
    }
    return [
        {"id": _CUSTOMER, "object": "customer", **made, **her},
        customer(2, name="Sam", email="sam@corp.example", phone="+1 555 0100"),
        {
            "id": "in_1",
            "object": "invoice",
            **made,
            "customer": {"id": _CUSTOMER, "object": "customer", **her},
            "customer_email": _EMAIL,
            "customer_name": "Verity Umbrage",
            "customer_phone": _PHONE,
            "customer_address": _ADDRESS,
            "customer_shipping": shipping,
            "customer_tax_ids": [{"type": "gb_vat", "value": "GB99UMBR0001"}],
            "hosted_invoice_url": "https://pay.example/invoice-secret-77",
            "account_name": "Paperdesk",
            "total": 4788000,
            "charge": charge,
            "lines": {"object": "list", "data": [{"id": "il_1", "object": "line_item",
                      "amount": 4788000, "description": "3 x Seat for Verity  Umbrage"}]},
        },
        charge,
        {
            "id": "dp_1",
            "object": "dispute",
            **made,
            "amount": 4788000,
            "charge": "ch_1",
            "evidence": {
                "customer_name": "Verity Umbrage",
                "customer_email_address": _OLD_EMAIL,
                "customer_purchase_ip": "198.51.100.77",
                "billing_address": "3 Umbrage Close, Ozthorpe",
            },
        },
        {"id": "re_1", "object": "refund", **made, "amount": 4788000, "charge": "ch_1",
         "instructions_email": _EMAIL},
        {"id": "sub_1", "object": "subscription", **made, "customer": _CUSTOMER,
         "description": "Verity Umbrage"},
        {"id": "pm_1", "object": "payment_method", **made, "customer": _CUSTOMER,
         "billing_details": billing, "card": card},
        {
            "id": "evt_1",
            "object": "event",
            "type": "customer.updated",
            **made,
            "data": {
                "object": {"id": _CUSTOMER, "object": "customer", **her},
                "previous_attributes": {"email": _OLD_EMAIL, "phone": _MOBILE},
            },
        },
    ]  # fmt: skip


def _segment() -> list[dict[str, object]]:
    traits = {
        "email": _EMAIL,
        "first_name": "Verity",
        "last_name": "Umbrage",
        "phone": _MOBILE,
        "address": {"street": "3 Umbrage Close", "city": "Ozthorpe", "postalCode": "OZ9 4QX"},
        "birthday": "1990-04-17",
        "avatar": "https://cdn.example/veritys_avatar.png",
        "stripe_customer_id": _CUSTOMER,
    }
    device = {"id": "idfa-umbr-77", "advertisingId": "idfa-umbr-77"}
    once = quote(f"/invite?email={quote(_EMAIL, safe='')}&n=Verity%20Umbrage", safe="")
    other = {"userId": "usr_sam_00001", "anonymousId": "device-of-sam"}
    texts = [
        f"https://a.example/?next={once}",
        f"https://a.example/?r={quote(once, safe='')}",
        f"https://a.example/?e={quote(_EMAIL, safe='')}&n=Verity%20Umbrage",
        f"mailed_{_EMAIL}_today",
        f"doc_{_USER}_v2.pdf",
        "verity.umbrage.pdf",
        "call 555.777.0003 or 020 7946 0123 or 442079460123",
        json.dumps({"who": "Verity Umbrage", "in": [_EMAIL]}),
        "Umbrage, Verity; 3%20Umbrage%20Close%2C%20Ozthorpe",
        f"from 198.51.100.77 on {_DEVICE}, idfa-umbr-77, card fp_Umbr4ge77xY",
        "Sam took umbrage at verity",
    ]
    return [
        track(1, type="identify", userId=_USER, anonymousId=_DEVICE, traits=traits,
              context={"ip": "198.51.100.77", "device": device}),
        track(2, userId=_USER, context={"ip": "198.51.100.1"}),
        track(3, userId=None, anonymousId=_DEVICE),
        track(4, type="identify", **other, traits={"name": "Sam Sam", "phone": "+1 555 0100"},
              context={"ip": "198.51.100.1"}),
        *(
            track(10 + n, **other, properties={"text": text, "n": 1.50})
            for n, text in enumerate(texts)
        ),
        track(40, **other, properties={_EMAIL: 7777, "amounts": [17777, 4788000]}),
        # Rejected, as it names no one.
        track(50, userId="", anonymousId="", properties={"for": "Verity Umbrage"}),
    ]  # fmt: skip


@pytest.fixture
def loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loading:
    """Verity in all three systems, and Sam, whose records mention her."""
    monkeypatch.setenv("DELETION_REQUESTS_PATH", str(tmp_path / "requests.csv"))
    loading = Loading(tmp_path)
    _ask(loading)
    for path, content in _contact().items():
        loading.write(path, content)
    loading.write(
        "salesforce/Lead.csv",
        "Id,LastName,FirstName,Company,Status,IsConverted,ConvertedContactId,Street,Phone\n"
        f"{_LEAD},Umbrage,Verity,Umbrage & Co,Closed,true,{_CONTACT},3 Umbrage Close,{_MOBILE}\n",
    )
    loading.write(
        "salesforce/Account.csv",
        "Id,Name,Phone,BillingStreet,BillingCity,CreatedDate,IsPersonAccount,PersonEmail,"
        "PersonContactId,PersonMailingCity,PersonBirthdate\n"
        f"{_ACCOUNT},Verity Umbrage,{_PHONE},3 Umbrage Close,Ozthorpe,2026-01-01,true,{_EMAIL},"
        f"{_CONTACT},Ozthorpe,1990-04-17\n001A,Corp,,1 Corp Way,Town,2026-01-01,false,,,,\n",
    )
    loading.write(
        "salesforce/Opportunity.csv",
        "Id,AccountId,Name,StageName,CloseDate,Amount,ContactId,NextStep,Description\n"
        f"006A,{_ACCOUNT},Verity Umbrage - 20 seats,Won,2026-01-01,4788000,{_CONTACT},"
        f"Call Verity on {_MOBILE},Umbrage\\, Verity\n",
    )
    loading.write_json("stripe/objects.jsonl", *_stripe())
    loading.write_json(f"segment/of {_EMAIL}.jsonl", *_segment())
    return loading


def _ask(loading: Loading, *people: str) -> None:
    lines = "".join(f'"{person}",2026-06-01\n' for person in people)
    (loading.warehouse.parent / "requests.csv").write_text(f"user_id,requested_date\n{lines}")


def _plain(path: Path) -> None:
    """Has DuckDB write the file so that what it holds can be read in its bytes."""
    copy = path.with_name("plain.duckdb")
    with duckdb.connect(str(copy)) as connection:
        connection.execute("pragma force_compression = 'uncompressed'")
        connection.execute(f"attach '{path}' as compressed")
        connection.execute("copy from database compressed to plain")
    copy.replace(path)


def _in_bytes(path: Path, words: list[str]) -> list[str]:
    content = path.read_bytes().lower()
    return [word for word in words if word.lower().encode() in content]


def _left(loading: Loading) -> list[str]:
    _plain(loading.warehouse)
    return _in_bytes(loading.warehouse, _TRACES)


def _load(loading: Loading, code: int = 0) -> str:
    places = ("--extracts", loading.extracts, "--warehouse", loading.warehouse)
    return expect(code, ingest_here("load", *places, "--quiet"))


def test_no_byte_of_her_is_left_and_keys_and_money_stay(loading: Loading) -> None:
    loading.load()
    assert _left(loading) == _TRACES
    backups = loading.warehouse.parent / "backups"
    expect(0, ingest_here("backup", "--warehouse", loading.warehouse))
    _ask(loading, _EMAIL.upper())
    said = _load(loading)
    (old,) = backups.iterdir()
    assert "the last erasure is not complete" in said
    assert f"\n  {old}\n" in said
    # It is not complete until the backup is gone, which a newer one replaces.
    assert str(old) in _load(loading)
    (backups / "notes").mkdir()
    said_then = expect(0, ingest_here("backup", "--warehouse", loading.warehouse))
    assert f"{old}: removed, it is from before the last erasure" in said_then
    new, _ = sorted(backups.iterdir())
    assert _in_bytes(new / loading.warehouse.name, _TRACES) == []
    assert _left(loading) == []
    assert _in_bytes(loading.warehouse, _KEPT) == _KEPT
    # The receipt says what was found where, and names no one.
    assert "requests.csv:2 (an e-mail address)" in said
    assert "stripe      8 records of the person, 0 deleted, 8 redacted" in said
    assert "segment     3 records of the person, 3 deleted, 13 redacted" in said
    assert "snapshots   nothing found" in said
    assert [word for word in _TRACES if word.lower() in said.lower()] == []
    assert loading.rows(
        "select source_system, identifier_type, rows_found, rows_erased from raw_audit.erasures"
        " where rows_found > 0 order by 1"
    ) == [("salesforce", "email", 3, 2), ("segment", "email", 3, 3), ("stripe", "email", 8, 0)]
    # Others keep what is theirs, and JSON its numbers as they were written.
    assert loading.rows(
        "select properties from raw_segment.messages where \"messageId\" in ('m20', 'm40')"
        " order by all"
    ) == [
        ('{"[erased]":7777,"amounts":[17777,4788000]}',),
        ('{"text":"Sam took umbrage at verity","n":1.5}',),
    ]
    assert loading.rows("select name, phone from raw_stripe.customers order by id") == [
        ("Sam", "+1 555 0100"),
        ("[erased]", "[erased]"),
    ]
    assert loading.value("select account_name from raw_stripe.invoices") == "Paperdesk"
    # The file whose name had her address is the one that landed.
    assert [report.status for report in loading.load()] == ["unchanged"]
    assert _load(loading) == "nothing to load: 1 of 1 batches have landed\n"


def test_no_file_that_a_build_or_a_command_writes_holds_her(
    loading: Loading, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warehouse, backups, published marts, dashboards, report and logs."""
    folder = tmp_path / "data"
    path, marts = folder / "warehouse.duckdb", folder / "marts.duckdb"
    shutil.copytree(site, folder / "site")
    monkeypatch.setenv("DBT_TARGET_PATH", str(folder / "target"))
    monkeypatch.setenv("DBT_LOG_PATH", str(folder / "target" / "logs"))
    monkeypatch.chdir(PROJECT)

    def write() -> set[str]:
        """Writes everything; returns which files have a byte of her."""
        build_warehouse(loading.extracts, path)
        publish(path, marts, parsed(), has_personal_data=True)
        refresh(path, folder / "site", has_names=True)
        report(path, folder / "report")
        expect(0, ingest_here("backup", "--warehouse", path))
        found = _files_with(folder)
        # DuckDB compresses what it writes, and the backup is a copy of the file.
        for file in (path, marts):
            _plain(file)
        return found | _files_with(folder)

    before = write()
    assert {path.name, marts.name} <= before
    _ask(loading, _EMAIL)
    assert write() == set()
    assert (folder / "target" / "logs" / "dbt.log").stat().st_size > 0


def _files_with(folder: Path) -> set[str]:
    # The last four digits of a card are in other numbers too.
    traces = [word for word in _TRACES if len(word) > 4]
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in files if _in_bytes(path, traces)}


def test_any_identifier_leads_to_the_whole_person(loading: Loading) -> None:
    loading.load()
    identifiers = (
        *(_USER, _EMAIL.upper(), _CONTACT, _CONTACT[:15], _LEAD, _ACCOUNT, _CUSTOMER),
        *(_PHONE, "0044 20 7946 0123", _DEVICE),
    )
    _ask(loading, *identifiers)
    with warehouse.opened(loading.warehouse) as connection:
        people = People(connection)
        found = {}
        for request in requests.requests():
            start, reason = people.seeds(request)
            assert reason == "", request
            found[request.value] = people.find(start)
    (whole,) = {tuple(one) for one in found.values()}
    assert {kind: value for kind, value in whole if kind != "email"} == {
        "account": _ACCOUNT[:15],
        "contact": _CONTACT[:15],
        "customer": _CUSTOMER,
        "device": _DEVICE,
        "lead": _LEAD[:15],
        "user": _USER,
    }
    assert {value for kind, value in whole if kind == "email"} == {_EMAIL, _OLD_EMAIL}
    # All lines name one person, who is erased once.
    said = _load(loading)
    assert said.count("erasure ") == 1
    assert all(f"requests.csv:{line} (" in said for line in range(2, 12))


def test_a_request_without_an_answer_is_an_error(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(
        loading, "usr_9f2e77ab1O", "003Hp0000000009", "unknown@corp.example", "+1 555 0100", "001A"
    )
    said = _load(loading, code=1)
    assert "5 deletion requests found no one" in said
    assert "requests.csv:2: a user id; no one is known by it" in said
    assert "requests.csv:3: a Salesforce contact's id; no one is known by it" in said
    assert "requests.csv:4: an e-mail address; no one is known by it, and no text" in said
    assert "requests.csv:5: a phone number; 3 records of several people have it" in said
    assert "usr_9f2e77ab1O" not in said
    # The batch has landed, and what no one answers is asked again.
    assert "nothing to load" in _load(loading, code=1)
    assert loading.rows("from raw_audit.erased_identifiers") == []
    monkeypatch.setenv("DELETION_REQUESTS_PATH", "missing.csv")
    assert "there is no such file" in _load(loading, code=1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not an @ address,2026-06-01", ":2: the identifier is malformed"),
        ("Verity Umbrage,2026-06-01", ":2: the identifier is malformed"),
        ("cus_1?,2026-06-01", ":2: the identifier is malformed"),
        (",2026-06-01", ":2: user_id is empty"),
        ("usr_1,first of June", ":2: requested_date is not a date"),
    ],
)
def test_a_malformed_line_is_an_error_before_anything_lands(
    loading: Loading, line: str, message: str
) -> None:
    path = loading.warehouse.parent / "requests.csv"
    path.write_text(f"user_id,requested_date\n{line}\n")
    with pytest.raises(IngestError, match=message):
        loading.load()
    assert loading.rows("from raw_audit.batches") == []


def test_an_id_in_the_case_of_a_spreadsheet() -> None:
    assert requests.salesforce_id18("003Hp00002jane0") == "003Hp00002jane0IAA"
    assert requests.salesforce_keys("003HP00002JANE0IAA")[1] == "003Hp00002jane0"


def test_a_company_keeps_its_name_and_other_people_their_data(loading: Loading) -> None:
    """Jo is the billing contact of Acme; Sam pays for it now and then."""
    acme = {"name": "Acme Widgets", "phone": "+1 555 222 3333"}
    loading.write_json(
        "stripe/more.jsonl",
        customer(3, email="jo.doe@acme-widgets.example", **acme),
        customer(4, email="sam@corp.example", name="Corp"),
        {
            "id": "in_2",
            "object": "invoice",
            "created": 1_700_000_000,
            "customer": "cus_4",
            "customer_email": "jo.doe@acme-widgets.example",
            "customer_name": "Corp",
            "customer_phone": "+1 555 222 3333",
        },
    )
    _ask(loading, "jo.doe@acme-widgets.example")
    loading.load()
    assert loading.rows(
        "select email, name, phone from raw_stripe.customers where id in ('cus_3', 'cus_4')"
        " order by id"
    ) == [("[erased]", "Acme Widgets", "[erased]"), ("sam@corp.example", "Corp", None)]
    assert loading.rows(
        "select customer_email, customer_name, customer_phone from raw_stripe.invoices"
        " where id = 'in_2'"
    ) == [("[erased]", "Corp", "[erased]")]


def test_a_late_batch_brings_nothing_back(loading: Loading) -> None:
    _ask(loading, _EMAIL)
    loading.load()
    for path, content in _contact().items():
        loading.write(path, content + "003C,Doe,,,,,,,,,,,,,\n", batch="2026-06-30")
    loading.write_json("stripe/objects.jsonl", *_stripe(), customer(9), batch="2026-06-30")
    loading.write_json("segment/more.jsonl", *_segment(), track(99), batch="2026-06-30")
    said = _load(loading)
    assert "erasure 1  requests.csv:2 (an e-mail address)" in said
    assert _left(loading) == []
    ((erasures, instants),) = loading.rows(
        "select count(distinct erasure_id), count(distinct erased_at) from raw_audit.erasures"
    )
    assert (erasures, instants) == (1, 2)


_JANE = Mentions(
    [
        ("email", "jane.roe@acme.example"),
        ("name", "Jane Roe"),
        ("name", "René Ødegårdsen"),
        ("name", "李 小龍"),
        ("name", "李小龍"),
        ("name", "Sam"),
        ("phone", "+44 20 7946 0123"),
        ("street", "3 Umbrage Close"),
        ("ip", "198.51.100.1"),
    ],
    ["Ozthorpe"],
    ["mary.jane.roe@acme.example"],
)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("mary.jane.roe@acme.example", "mary.jane.roe@acme.example"),
        ("x.jane.roe@acme.example, jane.roe@acme.example.org", None),
        ("jane.roe@acme.example.Thanks", "[erased].Thanks"),
        ("of jane.roe@acme.example.csv", "of [erased].csv"),
        ("mailed_JANE.ROE@acme.example_today", "mailed_[erased]_today"),
        ("?e=jane.roe%252540acme.example%252526", "?e=[erased]%252526"),
        ("&lt;jane.roe&#64;acme.example&gt;", "&lt;[erased]&gt;"),
        ("Jane Roe-Smith, Janet Roe, Jan E Roe", None),
        ("/jane-roe-2.pdf and roe,%20jane", "/[erased]-2.pdf and [erased]"),
        ("Rene ØDEGÅRDSEN, Ren\u0065\u0301 Ødegårdsen", "[erased], [erased]"),
        ("Ren%C3%A9+%C3%98deg%C3%A5rdsen", "[erased]"),
        ("李 小龍, 李小龍さん", "[erased], [erased]さん"),
        ("Sam, I am the same", None),
        (
            "(020) 7946-0123, +44 (0)20 7946 0123 or 00442079460123",
            "[erased], [erased] or [erased]",
        ),
        ("1442079460123 and 4420794601234", None),
        ("13 Umbrage Close, 3 Umbrage Close, Ozthorpe.", "13 Umbrage Close, [erased]."),
        ("198.51.100.1, 198.51.100.12, 5198.51.100.1", "[erased], 198.51.100.12, 5198.51.100.1"),
    ],
)
def test_a_mention_is_found_in_any_spelling_and_nothing_else_is(
    text: str, redacted: str | None
) -> None:
    assert _JANE.redacted(text) == (redacted or text)
    if redacted:
        # What DuckDB looks for finds it too, in the text and in its JSON.
        for written in (text, json.dumps(text)):
            found = duckdb.sql(
                "select regexp_matches($1, $2, 'is')", params=[written, _JANE.needle]
            )
            assert found.fetchall() == [(True,)]
            assert json.loads(_JANE.redacted_json(json.dumps(text))) == redacted


_LIKE_PERSONAL = re.compile(
    r"mail(?!ing)|phone|fax|street|city|postal|birth|^ip|line1|fingerprint|(first|last)_?name|last4",
    re.I,
)
# Somebody else's, or flags.
_NOT_THEIRS = {
    *("AssistantPhone", "CreatedDateForInsert", "HasOptedOutOfEmail", "HasOptedOutOfFax"),
    *("IsEmailBounced", "EmailBouncedDate", "EmailBouncedReason", "EmailEncodingKey"),
    *("ReceivesInfoEmails", "ReceivesAdminInfoEmails"),
}


def test_every_declared_field_that_identifies_has_a_kind() -> None:
    fields = {column.name for table in catalog.tables() for column in table.columns}
    assert {
        name for name in fields if _LIKE_PERSONAL.search(name) and personal.kind(name) is None
    } - _NOT_THEIRS == set()
    kinds = {
        "Secondary_Email__c": "email",
        "Manager_Email__c": None,
        "PersonMailingPostalCode": "place",
        "bank_name": None,
        "account_name": None,
        "refund_account_holder_address_line1": "street",
        "customer_purchase_ip": "ip",
        "individual_name": "name",
        "business_name": None,
    }
    assert {name: personal.kind(name) for name in kinds} == kinds
    assert personal.kind_within("name", "coupon") is None
    assert personal.kind_within("name", "billing_details") == "name"
