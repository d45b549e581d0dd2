"""Erasure removes a person from every table and from the file itself, for good."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from harness import rows
from ingest.build.publish import state
from ingest.errors import IngestError
from ingest.load import erasure, warehouse
from ingest.load.values import literal
from loading import Loading, customer, track
from warehouses import build_warehouse

_CONTACT = "Id,LastName,FirstName,Name,Email,AccountId,CreatedDate,Description"
_OPPORTUNITY = "Id,Name,StageName,CloseDate,ContactId,NextStep"
_JANE = "003Hp00002jane0IAA"
_OTHER = "003Hp00002other1AA"
# An address that ends like that of the one who goes.
_MARY = "mary.jane.roe@acme.example"
_TRACES = ("usr_jane_0001", "jane.roe@acme.example", _JANE.lower(), "jane roe", "device-jane-1")


def _identify(number: int, user_id: str, email: str, **fields: object) -> dict[str, object]:
    traits = {"email": email, "firstName": email[:4].title(), "lastName": "Roe"}
    return track(number, type="identify", userId=user_id, traits=traits, **fields)


@pytest.fixture
def loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loading:
    """Jane in all three systems, mentioned by others' records, and a namesake at her heels."""
    monkeypatch.setenv("DELETION_REQUESTS_PATH", str(tmp_path / "requests.csv"))
    loading = Loading(tmp_path)
    _request(loading)
    loading.write(
        "salesforce/Contact.csv",
        f"{_CONTACT}\n{_JANE},Roe,Jane,Jane Roe,Jane.Roe@ACME.example,001A,2026-01-01,\n"
        f"{_OTHER},Roe,Mary,Mary Roe,mary.jane.roe@acme.example,001A,2026-01-01,"
        "Reports to Jane Roe (jane.roe@acme.example).\n",
    )
    loading.write(
        "salesforce/Opportunity.csv",
        f"{_OPPORTUNITY}\n006A,Deal,Won,2026-01-01,{_JANE},Call Jane Roe\n"
        "006B,Other,Won,2026-01-01,,\n",
    )
    loading.write_json(
        "stripe/customers.jsonl",
        customer(1, email="jane.roe@acme.example", name="Acme"),
        customer(2, email="billing@other.example"),
        {
            "id": "evt_1",
            "object": "event",
            "type": "customer.created",
            "created": 1_700_000_000,
            "data": {"object": {"id": "cus_1", "email": "JANE.ROE@acme.example"}},
        },
    )
    link = "https://app.example/?to=jane.roe%40acme.example"
    loading.write_json(
        "segment/messages.jsonl",
        _identify(1, "usr_jane_0001", "jane.roe@acme.example", anonymousId="device-jane-1"),
        track(2, userId="usr_jane_0001"),
        track(3, userId=None, anonymousId="device-jane-1"),
        _identify(4, "usr_mary_0002", _MARY, anonymousId="device-mary"),
        track(5, userId="usr_mary_0002", properties={"invitee": "jane.roe@acme.example"}),
        track(6, userId="usr_mary_0002", properties={"note": "to:\njane.roe@acme.example\n"}),
        track(7, userId="usr_mary_0002", context={"page": {"url": link}}),
        track(8, userId="usr_mary_0002", properties={"both": ["usr_jane_0001 usr_jane_0001"]}),
        track(9, userId="", anonymousId="", properties={"for": "usr_jane_0001"}),
    )
    return loading


def _request(loading: Loading, *people: str) -> None:
    lines = "".join(f"{person},2026-06-01\n" for person in people)
    (loading.warehouse.parent / "requests.csv").write_text(f"user_id,requested_date\n{lines}")


def traces(path: Path, words: tuple[str, ...]) -> set[str]:
    """The columns, of all tables of all schemas, in which a value holds one of the words."""
    found = set()
    with duckdb.connect(str(path), read_only=True) as connection:
        for schema, table, columns in connection.execute(
            """
            select schema_name, table_name, list(column_name)
            from duckdb_columns()
            where
                database_name = current_database() and not internal
                and (schema_name, table_name) in (
                    select (schema_name, table_name) from duckdb_tables()
                )
            group by all
            """
        ).fetchall():
            texts = (
                f"""replace(lower(cast("{name}" as varchar)), '{_MARY}', '')""" for name in columns
            )
            counts = (
                f"count_if({' or '.join(f'contains({text}, {literal(word)})' for word in words)})"
                for text in texts
            )
            (counted,) = connection.execute(
                f'select {", ".join(counts)} from "{schema}"."{table}"'
            ).fetchall()
            found |= {
                f"{schema}.{table}.{name}"
                for name, count in zip(columns, counted, strict=True)
                if count
            }
    return found


def _uncompressed(path: Path) -> None:
    """Has DuckDB write the file so that what it holds can be read in its bytes."""
    copy = path.with_name("plain.duckdb")
    with duckdb.connect(str(copy)) as connection:
        connection.execute("pragma force_compression = 'uncompressed'")
        connection.execute(f"attach '{path}' as compressed")
        connection.execute("copy from database compressed to plain")
    copy.replace(path)


def _in_bytes(path: Path) -> list[str]:
    content = path.read_bytes().lower().replace(_MARY.encode(), b"")
    return [word for word in _TRACES if word.encode() in content]


def test_no_table_and_no_byte_of_the_file_holds_who_asked(loading: Loading) -> None:
    loading.load()
    _uncompressed(loading.warehouse)
    assert len(traces(loading.warehouse, _TRACES)) >= 12
    assert _in_bytes(loading.warehouse) == list(_TRACES)
    _request(loading, "usr_jane_0001")
    assert [report.status for report in loading.load()] == ["unchanged"]
    assert traces(loading.warehouse, _TRACES) == set()
    assert _in_bytes(loading.warehouse) == []


def test_others_keep_what_is_theirs(loading: Loading) -> None:
    _request(loading, "usr_jane_0001")
    loading.load()
    messages = loading.rows('select "messageId", properties from raw_segment.messages order by all')
    assert [name for name, _ in messages] == ["m4", "m5", "m6", "m7", "m8"]
    properties = [json.loads(str(text)) if text else None for _, text in messages]
    assert properties[1] == {"invitee": "[erased]"}
    assert properties[2] == {"note": "to:\n[erased]\n"}
    assert properties[4] == {"both": ["[erased] [erased]"]}
    assert loading.rows('select "Email", "Description" from raw_salesforce."Contact"') == [
        ("mary.jane.roe@acme.example", "Reports to [erased] ([erased]).")
    ]
    assert loading.rows('select "ContactId", "NextStep" from raw_salesforce."Opportunity"') == [
        (None, "Call [erased]"),
        (None, None),
    ]
    assert loading.rows("select id, email, name from raw_stripe.customers order by id") == [
        ("cus_1", "[erased]", "Acme"),
        ("cus_2", "billing@other.example", None),
    ]
    ((_, _, _, reason, record),) = loading.rejects()
    assert (reason, record) == ("missing, and anonymousId too", "[erased]")


def test_an_address_in_the_context_of_a_call_names_its_user(loading: Loading) -> None:
    context = {"traits": {"Email": "Zoe.Doe@acme.example", "name": "Zoe Doering"}}
    loading.write_json(
        "segment/more.jsonl",
        track(11, userId="usr_zoe_0003", context=context),
        track(12, userId="usr_zoe_0003"),
        track(13, userId="usr_mary_0002", properties={"note": "Zoe Doering"}),
    )
    _request(loading, "zoe.doe@acme.example")
    loading.load()
    assert loading.rows(
        'select "messageId", properties from raw_segment.messages'
        " where \"messageId\" in ('m11', 'm12', 'm13')"
    ) == [("m13", '{"note":"[erased]"}')]


def test_what_was_erased_is_counted_by_batch_and_object(loading: Loading) -> None:
    _request(loading, "usr_jane_0001")
    loading.load()
    counts = loading.rows(
        "select object_name, rows_erased, rows_redacted from raw_audit.erased_records order by all"
    )
    assert counts == [
        ("Contact", 1, 1),
        ("Opportunity", 0, 1),
        ("customers", 0, 1),
        ("events", 0, 1),
        ("messages", 3, 4),
        ("rejected_records", 0, 1),
    ]
    assert loading.rows("select sum(rows_landed) from raw_audit.files") == [
        (2 + 2 + 3 + 8,),
    ]


def test_a_late_batch_does_not_bring_them_back(loading: Loading) -> None:
    _request(loading, "usr_jane_0001")
    loading.load()
    new_address = "j.roe@home.example"
    loading.write_json(
        "segment/late.jsonl",
        track(20, userId="usr_jane_0001"),
        track(21, userId=None, anonymousId="device-jane-1"),
        track(22, userId="usr_mary_0002", properties={"invitee": "jane.roe@acme.example"}),
        track(23, userId="usr_mary_0002", properties={"invitee": new_address}),
        batch="2026-06-30",
    )
    loading.write(
        "salesforce/Contact.csv",
        f"{_CONTACT}\n{_JANE},Roe,Jane,Jane Roe,Jane.Roe@ACME.example,001A,2026-01-01,\n",
        batch="2026-06-30",
    )
    loading.load()
    assert traces(loading.warehouse, _TRACES) == set()
    ids = loading.rows('select "messageId" from raw_segment.messages order by all')
    assert [name for (name,) in ids][:2] == ["m22", "m23"]
    # What a later batch says of them is looked for in the earlier ones too.
    loading.write_json(
        "segment/late.jsonl", _identify(30, "usr_jane_0001", new_address), batch="2026-07-31"
    )
    loading.load()
    assert traces(loading.warehouse, (new_address,)) == set()
    assert loading.value("select count(*) from raw_segment.messages") == 7


def test_a_request_by_address_finds_the_user(loading: Loading) -> None:
    _request(loading, "Jane.Roe@acme.example")
    loading.load()
    assert (
        loading.value("select count(*) from raw_segment.messages where \"userId\" like '%jane%'")
        == 0
    )


def test_traits_in_every_spelling_identify_a_person(loading: Loading) -> None:
    traits = {
        "E-Mail": None,
        "EMAIL": "Jo.Doe@acme.example",
        "first_name": "Jo",
        "Last Name": "Doe",
    }
    loading.write_json(
        "segment/more.jsonl",
        track(20, type="identify", userId="usr_jo_000003", traits=traits),
        track(21, userId="usr_mary_0002", properties={"invitee": "usr_jo_000003"}),
    )
    loading.load()
    _request(loading, "jo.doe@acme.example")
    erasure.erase(loading.warehouse)
    assert not traces(loading.warehouse, ("usr_jo_000003", "jo.doe@acme.example"))


def test_a_name_that_somebody_else_has_too_stays(loading: Loading) -> None:
    loading.write("salesforce/User.csv", "Id,Name,Email\n005A,Jane Roe,jane@vendor.example\n")
    _request(loading, "usr_jane_0001")
    loading.load()
    assert loading.rows('select "Name", "Email" from raw_salesforce."User"') == [
        ("Jane Roe", "jane@vendor.example")
    ]
    assert loading.rows('select "Description" from raw_salesforce."Contact"') == [
        ("Reports to Jane Roe ([erased]).",)
    ]


def test_on_a_shared_device_what_nobody_signed_goes(loading: Loading) -> None:
    loading.write_json(
        "segment/shared.jsonl",
        track(10, userId="usr_mary_0002", anonymousId="device-jane-1"),
        track(11, userId=None, anonymousId="device-jane-1"),
    )
    _request(loading, "usr_jane_0001")
    loading.load()
    ids = loading.rows(
        'select "messageId" from raw_segment.messages where "anonymousId" = \'device-jane-1\''
    )
    assert ids == [("m10",)]


def test_marts_and_history_are_made_again_without_them(loading: Loading) -> None:
    loading.load()
    with warehouse.opened(loading.warehouse) as connection:
        connection.execute("create schema product")
        connection.execute("create table product.fct_events as select 'usr_jane_0001' as user_id")
        connection.execute("create schema snapshots")
        connection.execute(
            "create table snapshots.snap as select 'by Jane Roe' as note, 'x' as dbt_scd_id"
        )
        connection.execute("insert into raw_audit.build_steps values ('build', 'fingerprint')")
        published = loading.warehouse.with_name("for bi.duckdb")
        published.touch()
        connection.execute(
            "insert into raw_audit.build_steps values ('publish', ?)", [state(published, "files")]
        )
    erasure.erase(loading.warehouse)
    assert published.exists()
    _request(loading, "usr_jane_0001")
    erasure.erase(loading.warehouse)
    assert not published.exists()
    assert loading.rows("select note from snapshots.snap") == [("by [erased]",)]
    assert loading.rows("select step from raw_audit.build_steps") == [("publish",)]
    assert loading.rows("select 1 from duckdb_tables() where table_name = 'fct_events'") == []


def test_a_kill_between_erasing_and_rewriting_is_made_good(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading.load()
    _uncompressed(loading.warehouse)
    _request(loading, "usr_jane_0001")
    with monkeypatch.context() as killed:
        killed.setattr(erasure, "scrub", lambda _: None)
        erasure.erase(loading.warehouse)
    assert loading.rows("select distinct is_scrubbed from raw_audit.erased_records") == [(False,)]
    assert traces(loading.warehouse, _TRACES) == set()
    assert _in_bytes(loading.warehouse) != []
    erasure.erase(loading.warehouse)
    assert loading.rows("select distinct is_scrubbed from raw_audit.erased_records") == [(True,)]
    assert _in_bytes(loading.warehouse) == []


def test_the_file_behind_a_link_is_the_one_that_is_rewritten(loading: Loading) -> None:
    loading.load()
    _uncompressed(loading.warehouse)
    file = loading.warehouse
    loading.warehouse = file.parent / "link" / file.name
    loading.warehouse.parent.mkdir()
    loading.warehouse.symlink_to(f"../{file.name}")
    (file.parent / "requests.csv").write_text("user_id,requested_date\nusr_jane_0001,2026-06-01\n")
    loading.load()
    assert loading.warehouse.is_symlink()
    assert _in_bytes(file) == []
    # The version in which the loader writes the file, twice as small as the oldest.
    with duckdb.connect(str(file), read_only=True) as connection:
        tags = connection.execute("select tags from duckdb_databases() where not internal")
        assert "v1.3.0" in str(tags.fetchall())


def test_requests_that_cannot_be_read_are_said(loading: Loading) -> None:
    (loading.warehouse.parent / "requests.csv").write_text("who\nusr_jane_0001\n")
    with pytest.raises(IngestError, match="user_id"):
        loading.load()


def test_the_project_lists_nobody() -> None:
    assert erasure.REQUESTS.read_text() == "user_id,requested_date\n"


def test_a_build_leaves_no_trace_from_raw_to_marts(
    tiny_extracts: Path, tiny_warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / tiny_warehouse.name
    shutil.copy(tiny_warehouse, path)
    ((user_id, contact_id, name, email),) = rows(
        path,
        """
        select users.user_id, contacts.contact_id, contacts.contact_name, contacts.email
        from shared.dim_users as users
        inner join shared.dim_contacts as contacts on users.email = contacts.email
        inner join product.fct_user_activity_daily as days on users.user_id = days.user_id
        where (select count(*) from shared.dim_contacts where contact_name = user_name) = 1
        group by all
        order by count(*) desc, users.user_id
        limit 1
        """,
    )
    words = tuple(str(word).lower() for word in (user_id, contact_id, name, email))
    schemas = {column.split(".")[0] for column in traces(path, words)}
    assert {"raw_salesforce", "raw_segment", "intermediate", "product", "shared"} <= schemas
    requests = tmp_path / "requests.csv"
    requests.write_text(f"user_id,requested_date\n{user_id},2026-09-30\n")
    monkeypatch.setenv("DELETION_REQUESTS_PATH", str(requests))
    # The history is kept again, from what is left of each batch.
    build_warehouse(tiny_extracts, path, is_published=True)
    assert traces(path, words) == set()
    assert traces(path.with_name("marts.duckdb"), words) == set()
    assert rows(
        path,
        """
        select sum(erased_count) > 0, bool_and(is_loaded_whole), bool_and(is_staged_whole)
        from quality.dq_source_reconciliation
        """,
    ) == [(True, True, True)]
