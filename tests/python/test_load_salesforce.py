"""Salesforce CSVs in every dialect that the vendor and its tools write."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath

import pytest

from ingest import catalog
from ingest.load.commands import summary
from ingest.load.recognise import object_of
from loading import ACCOUNT, ACCOUNT_ROW, Loading

OPPORTUNITY = (
    "Id", "IsDeleted", "AccountId", "Name", "StageName", "Amount", "CloseDate", "IsWon",
    "Probability", "CreatedDate", "SystemModstamp", "Tier__c",
)  # fmt: skip
BULK = (
    "006Hp000015Yh7kIAC", "false", "001Hp00002g1VGeIAM", "Deal", "Qualification", "15000.0",
    "2023-09-06", "true", "10", "2023-10-28T20:45:25.000Z", "2023-10-28T20:45:25.000Z", "gold",
)  # fmt: skip
LANDED = (
    "006Hp000015Yh7kIAC", False, "001Hp00002g1VGeIAM", "Deal", "Qualification",
    Decimal(15000), date(2023, 9, 6), True, Decimal(10), datetime(2023, 10, 28, 20, 45, 25),
    datetime(2023, 10, 28, 20, 45, 25), '{"Tier__c":"gold"}',
)  # fmt: skip


def _csv(*rows: tuple[str, ...], header: tuple[str, ...] = OPPORTUNITY, **form: object) -> str:
    text = io.StringIO()
    csv.writer(text, **{"lineterminator": "\n", "quoting": csv.QUOTE_ALL, **form}).writerows(  # type: ignore[arg-type]
        [header, *rows]
    )
    return text.getvalue()


def _changed(**changes: str) -> tuple[str, ...]:
    return tuple(changes.get(name, sent) for name, sent in zip(OPPORTUNITY, BULK, strict=True))


def _landed(loading: Loading) -> list[tuple[object, ...]]:
    names = ", ".join((*OPPORTUNITY[:-1], "_extra"))
    return loading.rows(f"select {names} from raw_salesforce.Opportunity order by _source_row")


@pytest.mark.parametrize(
    ("row", "dialect"),
    [
        (BULK, "bulk"),
        (
            _changed(
                CreatedDate="2023-10-28T22:45:25.000+0200",
                SystemModstamp="2023-10-28T20:45:25.000+0000",
                Amount="1.5E4",
            ),
            "rest",
        ),
        (
            _changed(
                IsDeleted="0",
                IsWon="1",
                CloseDate="2023-09-06 00:00:00",
                CreatedDate="2023-10-28 20:45:25",
                SystemModstamp="2023-10-28 20:45:25",
                Amount="15000",
            ),
            "export",
        ),
        (_changed(IsDeleted="FALSE", IsWon="TRUE"), "bulk"),
    ],
)
def test_every_dialect_gives_the_same_record(
    loading: Loading, row: tuple[str, ...], dialect: str
) -> None:
    loading.write("salesforce/Opportunity.csv", _csv(row))
    loading.load()
    assert _landed(loading) == [LANDED]
    assert loading.value("select dialect from raw_audit.files") == dialect


def test_two_dialects_in_one_batch(loading: Loading) -> None:
    loading.write("salesforce/Opportunity.csv", _csv(BULK))
    other = _changed(
        Id="006Hp000015Yh7lIAC", IsDeleted="0", CreatedDate="2023-10-28 20:45:25",
        SystemModstamp="2023-10-28 20:45:25", CloseDate="2023-09-06 00:00:00",
    )  # fmt: skip
    loading.write("salesforce/Opportunity_2.csv", _csv(other))
    assert loading.load_one().rows_landed == 2
    assert loading.value("select count(distinct CreatedDate) from raw_salesforce.Opportunity") == 1


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "^", "`"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_delimiter_and_line_end(loading: Loading, delimiter: str, line_end: str) -> None:
    row = _changed(Name=f'Two\nlines, a {delimiter} and "quotes"')
    text = _csv(row, BULK, delimiter=delimiter, lineterminator=line_end)
    loading.write("salesforce/Opportunity.csv", text)
    assert loading.load_one().rows_landed == 2
    assert [r[3] for r in _landed(loading)] == [f'Two\nlines, a {delimiter} and "quotes"', "Deal"]
    assert loading.rows("select _source_row from raw_salesforce.Opportunity order by 1") == [
        (1,),
        (2,),
    ]


def test_header_in_capitals_after_a_mark(loading: Loading) -> None:
    header = tuple(name.upper() for name in OPPORTUNITY)
    loading.write("salesforce/OPPORTUNITY.CSV", "\ufeff" + _csv(BULK, header=header))
    loading.load()
    assert _landed(loading) == [(*LANDED[:-1], '{"TIER__C":"gold"}')]


def test_empty_values_and_null_ids_are_null(loading: Loading) -> None:
    row = _changed(AccountId="000000000000000AAA", Amount="", IsWon="", Tier__c="")
    loading.write("salesforce/Opportunity.csv", _csv(row))
    loading.load()
    ((_, _, account, _, _, amount, _, won, *_, extra),) = _landed(loading)
    assert (account, amount, won, extra) == (None, None, None, None)


def test_fifteen_character_ids_stay_as_sent(loading: Loading) -> None:
    loading.write("salesforce/Opportunity.csv", _csv(_changed(AccountId="001Hp00002g1VGe")))
    loading.load()
    assert _landed(loading)[0][2] == "001Hp00002g1VGe"


@pytest.mark.parametrize(
    "name",
    [
        "salesforce/account.csv",
        "salesforce/Account_2.csv",
        "salesforce/Account-part1.csv.gz",
        "salesforce/Account2.csv",
        "salesforce/bulk/Account/0001.csv",
        "Account.tsv",
    ],
)
def test_the_object_is_told_by_the_name(loading: Loading, name: str) -> None:
    loading.write(name, f"{ACCOUNT}\n{ACCOUNT_ROW}\n")
    loading.load()
    assert loading.value("select count(*) from raw_salesforce.Account") == 1


def test_similar_names_are_not_confused(loading: Loading) -> None:
    loading.write("salesforce/OpportunityHistory.csv", "Id,OpportunityId,CreatedDate,StageName\n"
                  "008,006,2026-01-01T00:00:00Z,Won\n")  # fmt: skip
    loading.write("salesforce/Product2.csv", "Id,Name\n01t,Seat\n")
    loading.write("salesforce/AccountHistory.csv", "Id,AccountId\n017,001\n")
    report = loading.load_one()
    assert (report.rows_landed, report.ignored) == (2, 1)
    assert loading.value("select Name from raw_salesforce.Product2") == "Seat"


@pytest.mark.parametrize(
    ("name", "object_name"),
    [
        ("accounts.csv", "Account"),
        ("ACCOUNT.CSV", "Account"),
        ("sf_account_data_20260531T120000Z.csv", "Account"),
        ("2026-05-31_salesforce_accounts.csv", "Account"),
        ("Account-7505e00000AbCdEFGH.csv", "Account"),
        ("Account/part-00000-2a3f4b5c-1111-2222-3333-444455556666-c000.csv", "Account"),
        ("AccountExport.csv", "Account"),
        ("opportunity_history.csv", "OpportunityHistory"),
        ("OPPORTUNITYHISTORY.csv", "OpportunityHistory"),
        ("opportunity_histories.csv", "OpportunityHistory"),
        ("opportunity_field_history.csv", "OpportunityFieldHistory"),
        ("opportunity_line_items_2.csv", "OpportunityLineItem"),
        ("product_2.csv", "Product2"),
        ("Product2_2.csv", "Product2"),
        ("fivetran_salesforce_account.csv", "Account"),
        ("LEADS_JUNE_2026.csv", "Lead"),
        ("public_contacts_final.csv", "Contact"),
        ("dated_conversion_rates.csv", "DatedConversionRate"),
        ("sfdc-leads.csv", "Lead"),
        ("Lead_FY26_Q3.csv", "Lead"),
        ("opportunity_2026q2.csv", "Opportunity"),
        ("lead_source.csv", ""),
        ("AccountSource.csv", ""),
        ("user_role.csv", ""),
        ("UserRole.csv", ""),
        ("account_team_member.csv", ""),
        ("AccountHistory.csv", ""),
        ("Account__History.csv", ""),
        ("Account/AccountHistory.csv", ""),
        ("Opportunity/history.csv", ""),
        ("opportunity_stage.csv", ""),
        ("Account__c.csv", ""),
        ("Account__c_1.csv", ""),
    ],
)
def test_a_file_is_never_taken_for_another_object(name: str, object_name: str) -> None:
    assert object_of(PurePosixPath("salesforce", name)) == object_name


def test_a_file_that_is_not_read_is_named_with_the_names_that_are(loading: Loading) -> None:
    loading.write("salesforce/Account.csv", f"{ACCOUNT}\n{ACCOUNT_ROW}\n")
    loading.write("salesforce/user_role.csv", "Id,Name\n00E,VP Sales\n")
    report = loading.load_one()
    assert report.notes == (
        "salesforce/user_role.csv is ignored: its name is not one of the Salesforce objects "
        + ", ".join(sorted(table.name for table in catalog.tables_of("salesforce"))),
        "salesforce/Account.csv has no Website, OwnerId; figures from these fields are empty",
    )
    assert f"\n  note: {report.notes[0]}\n" in summary(report)


def test_only_what_figures_need_is_required(loading: Loading) -> None:
    files = {
        "Lead.csv": "Id,LastName,Company,Status\n00Q,Person,,Open\n",
        "Lead_2.csv": "Id,Email\n00R,a@b.example\n",
        "Contact.csv": "Id,Email\n003,a@b.example\n",
        "Account.csv": "Id,Website\n001,b.example\n",
        "Product2.csv": "Id,Family\n01t,Seats\n",
        "Opportunity.csv": "Id,StageName,CloseDate\n006,Prospecting,2026-06-30\n",
    }
    for name, content in files.items():
        loading.write(f"salesforce/{name}", content)
    report = loading.load_one()
    assert (report.rows_landed, report.rows_rejected) == (6, 0)
    named = [note.split()[0].removeprefix("salesforce/") for note in report.notes]
    assert named == sorted(files)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"CloseDate": "2026-02-30"}, "CloseDate", "not a date"),
        ({"CloseDate": "09/06/23"}, "CloseDate", "not a date"),
        ({"CloseDate": "2023-09-06 10:00:00"}, "CloseDate", "not a date"),
        ({"Amount": "$15,000"}, "Amount", "not a number"),
        ({"Amount": "inf"}, "Amount", "not a number"),
        ({"Amount": "1" * 30}, "Amount", "a number out of range"),
        ({"Amount": "1" + "0" * 18}, "Amount", "a number out of range"),
        ({"Probability": "1" + "0" * 9}, "Probability", "a number out of range"),
        ({"IsWon": "maybe"}, "IsWon", "neither true nor false"),
        ({"CreatedDate": "yesterday"}, "CreatedDate", "not a date and time"),
        ({"CreatedDate": "2023-10-28T25:00:00Z"}, "CreatedDate", "not a date and time"),
        ({"Id": ""}, "Id", "missing"),
        ({"Id": "000000000000000AAA"}, "Id", "missing"),
        ({"StageName": ""}, "StageName", "missing"),
    ],
)
def test_a_bad_value_rejects_its_record_only(
    loading: Loading, changes: dict[str, str], field: str, reason: str
) -> None:
    row = _changed(Name="Two\nlines", **changes)
    text = _csv(BULK, row, BULK)
    loading.write("salesforce/Opportunity.csv", text)
    loading.load()
    assert loading.files()["salesforce/Opportunity.csv"] == ("landed", 3, 2, 1)
    sent = text.split("\n", 2)[2].rsplit("\n", 2)[0]
    assert loading.rejects() == [("salesforce/Opportunity.csv", 2, field, reason, sent)]
    assert loading.rows("select _source_row from raw_salesforce.Opportunity order by 1") == [
        (1,),
        (3,),
    ]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("006,false,too short", "3 values under a header of 12"),
        (",".join([*BULK, "one", "more"]), "14 values under a header of 12"),
    ],
)
def test_a_ragged_row_is_rejected_and_the_others_land(
    loading: Loading, broken: str, reason: str
) -> None:
    text = _csv(BULK) + broken + "\n" + _csv(BULK).split("\n", 1)[1]
    loading.write("salesforce/Opportunity.csv", text)
    loading.load()
    assert _landed(loading) == [LANDED, LANDED]
    assert loading.rejects() == [("salesforce/Opportunity.csv", 2, "", reason, broken)]


def test_an_open_quote_loses_nothing(loading: Loading) -> None:
    rest = '"006,open\n' + ",".join(BULK) + "\n"
    loading.write("salesforce/Opportunity.csv", _csv(BULK) + rest)
    loading.load()
    assert _landed(loading) == [LANDED]
    ((_, row, _, _, record),) = loading.rejects()
    assert (row, record) == (2, rest.rstrip("\n"))


def test_stray_quotes_are_read_the_careful_way(loading: Loading) -> None:
    text = _csv(BULK) + ",".join(_changed(Name='The "big" one')) + "\n"
    loading.write("salesforce/Opportunity.csv", text)
    assert loading.load_one().rows_landed == 2
    assert _landed(loading)[1][3] == 'The "big" one'


def test_a_repeated_column_rejects_every_record(loading: Loading) -> None:
    loading.write("salesforce/Account.csv", "Id,Name,Name\n001,a,b\n002,c,d\n")
    loading.load()
    assert loading.rejects() == [
        ("salesforce/Account.csv", 1, "", "the header has Name more than once", "001,a,b"),
        ("salesforce/Account.csv", 2, "", "the header has Name more than once", "002,c,d"),
    ]


@pytest.mark.parametrize("missing", ["Id", "StageName", "CloseDate"])
def test_a_missing_column_refuses_the_batch(loading: Loading, missing: str) -> None:
    keep = [index for index, name in enumerate(OPPORTUNITY) if name != missing]
    header, row = (tuple(of[index] for index in keep) for of in (OPPORTUNITY, BULK))
    loading.write("salesforce/Opportunity.csv", _csv(row, header=header))
    report = loading.load_one()
    assert report.status == "refused"
    assert report.reason == f"salesforce/Opportunity.csv: the header has no column {missing}"


def test_a_row_of_wrong_bytes_is_rejected(loading: Loading) -> None:
    bad = _csv(_changed(Name="Jörg")).split("\n", 1)[1].encode("cp1252")
    loading.write("salesforce/Opportunity.csv", _csv(BULK).encode() + bad)
    loading.load()
    assert _landed(loading) == [LANDED]
    ((_, row, _, reason, record),) = loading.rejects()
    assert (row, reason) == (2, "not UTF-8")
    assert '"J\\xf6rg"' in str(record)


@pytest.mark.parametrize("how", ["argument", "manifest", "per file", "export dialect"])
def test_latin_text_is_read_when_declared_or_of_the_export_dialect(
    loading: Loading, how: str
) -> None:
    row = _changed(Name="Jörg & Söhne")
    if how == "export dialect":
        row = _changed(Name="Jörg & Söhne", SystemModstamp="2023-10-28 20:45:25",
                       CreatedDate="2023-10-28 20:45:25")  # fmt: skip
    name = "salesforce/Opportunity.csv"
    loading.write(name, _csv(row).encode("iso-8859-1"))
    if how == "manifest":
        loading.write("_batch.json", '{"encoding": "iso-8859-1"}')
    if how == "per file":
        loading.write("_batch.json", f'{{"encoding": {{"{name}": "iso-8859-1"}}, '
                      f'"files": [{{"path": "{name}"}}]}}')  # fmt: skip
    loading.load_one(encoding="iso-8859-1" if how == "argument" else None)
    assert _landed(loading)[0][3] == "Jörg & Söhne"
    encoding = "cp1252" if how == "export dialect" else "iso-8859-1"
    assert loading.value("select encoding from raw_audit.files") == encoding


def test_an_unknown_encoding_refuses_the_batch(loading: Loading) -> None:
    loading.write("salesforce/Opportunity.csv", _csv(BULK))
    loading.write("_batch.json", '{"encoding": "klingon"}')
    assert "klingon" in loading.load_one().reason


def test_clean_and_careful_reading_agree(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        _changed(Name='a "b", c', Tier__c=" x "),
        _changed(Name="two\r\nlines", Amount=" 7 "),
        _changed(Name="  spaces  ", AccountId=""),
    ]
    loading.write("salesforce/Opportunity.csv", _csv(*rows, lineterminator="\r\n"))
    loading.load()
    clean = _landed(loading)
    monkeypatch.setattr("ingest.load.csvfile._read_clean", lambda *_: None)
    loading.warehouse = loading.warehouse.with_name("careful.duckdb")
    loading.load()
    assert _landed(loading) == clean


def test_a_sample_of_a_real_org_lands_whole(loading: Loading, vendor: Path) -> None:
    for path in (vendor / "samples" / "salesforce_sfdmu_workshop").glob("*.csv"):
        loading.write(f"salesforce/{path.name}", path.read_bytes())
    report = loading.load_one()
    assert report.rows_rejected == 0
    assert report.rows_landed == 22 + 102 + 60 + 50
    assert (
        loading.value(
            "select count(*) from raw_salesforce.Account"
            " where json_extract_string(_extra, '$.BillingAddress') like '{\"city\"%'"
        )
        == 20
    )
