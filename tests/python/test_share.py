"""The shared and the published copy have the marts, without names, e-mail and IP addresses."""

import os
import re
import shutil
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest

from harness import PROJECT, expect, marts, rows
from ingest.build.publish import publish
from ingest.load import warehouse
from ingest.marts import described as described_marts
from ingest.marts import leaks, undeclared
from ingest.personal import EMAIL
from warehouses import ingest_parsed, parsed

_KEY = {"SHARE_KEY": "for these tests only"}


def _share(
    warehouse: Path, out: Path, *, code: int = 0, settings: dict[str, str] | None = None
) -> str:
    arguments = ("share", "--warehouse", warehouse, "--out", out)
    return expect(code, ingest_parsed(*arguments, target=out.parent / "target", settings=settings))


@pytest.fixture(scope="module", params=["share", "publish"])
def copy(
    request: pytest.FixtureRequest,
    tiny_warehouse: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    out = folder / "copy.duckdb"
    if request.param == "share":
        _share(tiny_warehouse, out, settings=_KEY)
    else:
        # Publishing locks the warehouse, which other tests read.
        with patch.dict(os.environ, _KEY):
            source = Path(shutil.copy(tiny_warehouse, folder))
            publish(source, out, parsed(), has_personal_data=False)
    return out


def _people(warehouse: Path) -> dict[str, set[str]]:
    """Every e-mail address, full name and IP address that the sources hold."""
    queries = {
        "e-mail": """
            select "Email" from raw_salesforce."Contact"
            union select "Email" from raw_salesforce."Lead"
            union select "Email" from raw_salesforce."User"
            union select email from raw_stripe.customers
            union select json_extract_string(traits, '$.email') from raw_segment.messages
        """,
        "name": """
            select "FirstName" || ' ' || "LastName" from raw_salesforce."Contact"
            union select "FirstName" || ' ' || "LastName" from raw_salesforce."Lead"
            union select "Name" from raw_salesforce."User"
            union select json_extract_string(traits, '$.firstName') || ' '
                || json_extract_string(traits, '$.lastName') from raw_segment.messages
        """,
        "IP address": "select json_extract_string(context, '$.ip') from raw_segment.messages",
    }
    return {
        kind: {str(value).lower() for (value,) in rows(warehouse, query) if value}
        for kind, query in queries.items()
    }


def _texts(path: Path) -> dict[str, set[str]]:
    """The distinct values of every column that may hold text, in lower case."""
    with duckdb.connect(str(path), read_only=True) as connection:
        columns = connection.execute(
            """
            select schema_name, table_name, column_name
            from duckdb_columns()
            where database_name = current_database() and not internal
            and regexp_matches(data_type, 'VARCHAR|JSON')
            """
        ).fetchall()
        return {
            f"{schema}.{table}.{column}": {
                str(value)
                for (value,) in connection.execute(
                    f'select distinct lower(cast("{column}" as varchar))'
                    f' from "{schema}"."{table}" where "{column}" is not null'
                ).fetchall()
            }
            for schema, table, column in columns
        }


def test_no_value_of_the_copy_is_anybodys(tiny_warehouse: Path, copy: Path) -> None:
    people = _people(tiny_warehouse)
    assert all(len(values) > 100 for values in people.values())
    # Whole words, three of them at the most, so that a name inside a text is found.
    names = people["name"]
    for column, values in _texts(copy).items():
        assert not [value for value in values if "@" in value and re.search(EMAIL, value)], column
        assert not values & people["e-mail"], column
        # Names are of two words or more, and addresses have dots; ids have neither.
        for value in (value for value in values if " " in value or "." in value):
            assert not people["IP address"] & set(re.findall(r"[\d.]{7,}", value)), column
            words = re.findall(r"[^\W\d_]+", value)
            pairs = {" ".join(words[at : at + size]) for size in (2, 3) for at in range(len(words))}
            assert not names & pairs, (column, value)


def test_the_scan_finds_people_in_what_is_not_masked(tiny_warehouse: Path) -> None:
    texts = _texts(tiny_warehouse)
    people = _people(tiny_warehouse)
    assert texts["shared.dim_users.email"] & people["e-mail"]
    assert texts["shared.dim_contacts.contact_name"] & people["name"]


def test_the_copy_has_every_mart_with_every_row(tiny_warehouse: Path, copy: Path) -> None:
    there = marts(tiny_warehouse)
    assert marts(copy) == there
    for mart in there:
        assert rows(copy, f"select count(*) from {mart}") == rows(
            tiny_warehouse, f"select count(*) from {mart}"
        )
    schemas = rows(copy, "select distinct schema_name from duckdb_tables() order by all")
    assert [name for (name,) in schemas] == ["finance", "product", "quality", "sales", "shared"]


def test_figures_and_joins_are_the_same(tiny_warehouse: Path, copy: Path) -> None:
    for query in (
        "select mrr_month, sum(closing_mrr_usd) from finance.fct_mrr_monthly group by 1 order by 1",
        "select count(distinct email), count(email) from shared.dim_users",
        "select count(*) from shared.dim_users join shared.dim_contacts using (email)",
        "select count(*) from product.fct_sessions join shared.dim_users using (user_id)",
    ):
        assert rows(copy, query) == rows(tiny_warehouse, query)


def test_hashes_need_the_key_to_be_equal(tiny_warehouse: Path, copy: Path, tmp_path: Path) -> None:
    emails = "select email from shared.dim_users where email is not null order by all"
    again, other = tmp_path / "again.duckdb", tmp_path / "other.duckdb"
    _share(tiny_warehouse, again, settings=_KEY)
    _share(tiny_warehouse, other)
    assert rows(again, emails) == rows(copy, emails)
    assert not set(rows(other, emails)) & set(rows(copy, emails))


def test_a_column_that_nobody_declared_stops_the_copy(tiny_warehouse: Path, tmp_path: Path) -> None:
    damaged = tmp_path / tiny_warehouse.name
    damaged.write_bytes(tiny_warehouse.read_bytes())
    with duckdb.connect(str(damaged)) as connection:
        connection.execute(
            "update finance.fct_disputes set reason = 'says jane@acme.example'"
            if connection.execute("select count(*) > 0 from finance.fct_disputes").fetchall()[0][0]
            else "update sales.fct_opportunities set loss_reason = 'for jane@acme.example'"
        )
    out = tmp_path / "share.duckdb"
    output = _share(damaged, out, code=1)
    assert "holds e-mail or IP addresses" in output
    assert "--mask" in output
    assert not out.exists()


def test_every_text_of_a_mart_is_declared(tiny_warehouse: Path) -> None:
    """A new text column is left out of the copies until its yml says whether it holds people."""
    described = described_marts(parsed())
    with duckdb.connect(str(tiny_warehouse), read_only=True) as connection:
        missing = undeclared(connection, described)
    assert not missing, (
        "declare each text column: in `config: {meta: {shared_texts: [...]}}` of its model if it"
        " can hold no person, else with `config: {meta: {contains_pii: true}}` of the column (with"
        f" `is_free_text: true` if people typed it): {', '.join(missing)}"
    )
    listed = [(mart.name, name) for mart in described for name in mart.shared | mart.mixed]
    columns = {(mart.name, name) for mart in described for name in mart.columns}
    assert set(listed) <= columns
    assert not [mart.name for mart in described if mart.shared & (mart.mixed | set(mart.personal))]


# Each person is known to one system, as case-insensitive words to search for.
_PEOPLE = ("verity", "umbrage", "wombatson", "zanzibar", "håkansson", "bücher", "ringtone", "小明")


@pytest.fixture(scope="module")
def with_people(tiny_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny company with people as customers, whose names are in keys and texts."""
    path = Path(shutil.copy(tiny_warehouse, tmp_path_factory.mktemp("people")))
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            update raw_stripe.customers set name = 'Verity Umbrage', business_name = null,
                phone = '+1 (555) 777-0006'
            where id = (select min(id) from raw_stripe.customers);
            update raw_salesforce."Account"
            set "Name" = 'Peregrine Wombatson', _extra = '{"IsPersonAccount": "true"}'
            where "Id" = (select min("Id") from raw_salesforce."Account");
            update raw_salesforce."Lead" set "FirstName" = 'Quillon', "LastName" = 'O''Zanzibar'
            where "Id" = (select min("Id") from raw_salesforce."Lead");
            update raw_salesforce."Contact" set "FirstName" = null, "LastName" = '王小明',
                "Name" = '王小明'
            where "Id" = (select min("Id") from raw_salesforce."Contact");
        """)
        ids = [
            one
            for (one,) in connection.execute(
                "select account_id from shared.dim_accounts order by 1 limit 4"
            ).fetchall()
        ]
        connection.executemany(
            "update shared.dim_accounts set account_name = ? where account_id = ?",
            zip(
                ("Verity Umbrage", "Peregrine  WOMBATSON", "王小明", "Acme Umbrella"),
                ids,
                strict=True,
            ),
        )
        connection.execute("""
            update shared.fct_unmatched_identities set record_name = 'Verity Umbrage';
            update shared.dim_accounts set website_domain = 'verity-umbrage.example'
            where account_name = 'Verity Umbrage';
            update sales.fct_opportunities set opportunity_name = 'Somebody Unknown - 20 seats';
            update finance.fct_invoice_lines set description = '3 x Seat for Quillon O''Zanzibar';
            update finance.fct_payments set failure_message = 'Verity, call us';
            update product.fct_events set user_id = 'iker.håkansson@corp.example',
                person_id = 'iker.håkansson@corp.example',
                document_id = 'doc_phoebe.ringtone%40mail.example'
            where event_id = (select min(event_id) from product.fct_events);
            update product.fct_events set user_id = 'bob@bücher.example',
                person_id = 'verity_umbrage', anonymous_id = '15557770006'
            where event_id = (select max(event_id) from product.fct_events);
        """)
    return path


def test_people_who_are_customers_are_hashed_in_their_rows(
    with_people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "share.duckdb"
    _share(with_people, out, settings=_KEY)
    for column, values in _texts(out).items():
        assert not [one for one in values if any(word in one for word in _PEOPLE)], column
        assert not values & {"15557770006", "somebody unknown - 20 seats"}, column
    names = "select account_name from shared.dim_accounts order by account_id"
    shown, there = rows(out, names), rows(with_people, names)
    assert [len(str(name)) for (name,) in shown[:3]] == [32, 32, 32]
    assert shown[3:] == there[3:]
    assert rows(out, "select count(opportunity_name) from sales.fct_opportunities") == [(0,)]
    # Equal keys have equal hashes.
    both = "select count(*) from product.fct_events where user_id = person_id"
    assert rows(out, both) == rows(with_people, both)


# What is found in which column of leads, each declared to hold no people.
_FOUND = {
    "lead_source": ("asked by QUILLON o'zanzibar", "names of people"),
    "lead_status": ("for+Verity%20Umbrage", "names of people"),
    "industry": ("呼叫王小明", "names of people"),
    "rating": ("call 1 555 777 0006", "phone numbers"),
    "country": ("ren%C3%A9%2540acme.example", "e-mail or IP addresses"),
    "title": ("zoë@bücher.example, Verity Umbrage", "e-mail addresses, names of people"),
}


def test_a_person_in_a_column_of_no_people_is_named(with_people: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(with_people, tmp_path))
    with duckdb.connect(str(path)) as connection:
        for column, (text, _) in _FOUND.items():
            connection.execute(
                f"update sales.fct_leads set {column} = ? where is_converted", [text]
            )
    ((count,),) = rows(path, "select count_if(is_converted) from sales.fct_leads")
    with warehouse.opened(path, read_only=True) as connection:
        found = leaks(connection, described_marts(parsed()))
    assert {str(leak) for leak in found if not leak.is_declared} == {
        f"sales.fct_leads.{column} holds {what} in {count} rows"
        for column, (_, what) in _FOUND.items()
    }
    assert {leak.path for leak in found if "fct_leads" in leak.place} == {
        "models/marts/sales/fct_leads.yml"
    }


def test_the_copy_goes_on_with_these_rows_hashed_on_request(
    with_people: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(with_people, tmp_path))
    with duckdb.connect(str(path)) as connection:
        connection.execute("update sales.fct_leads set lead_source = 'Verity Umbrage'")
    out = tmp_path / "share.duckdb"
    said = _share(path, out, code=1)
    assert "sales.fct_leads.lead_source holds names of people" in said
    assert "(models/marts/sales/fct_leads.yml)" in said
    assert not out.exists()
    said = _share(path, out, settings={"SHARE_MASK": "1"})
    assert "which are hashed" in said
    ((source,),) = rows(out, "select distinct lead_source from sales.fct_leads")
    assert len(str(source)) == 32


def test_the_copy_replaces_no_other_file(tiny_warehouse: Path, tmp_path: Path) -> None:
    thesis, other = tmp_path / "thesis.txt", tmp_path / "other.duckdb"
    thesis.write_text("a text longer than the header of a database")
    with duckdb.connect(str(other)) as connection:
        connection.execute("create table mine (id integer)")
    assert "is not a DuckDB file" in _share(tiny_warehouse, thesis, code=2)
    assert "holds tables that are not marts" in _share(tiny_warehouse, other, code=2)
    assert thesis.read_text().startswith("a text")
    assert rows(other, "select count(*) from mine") == [(0,)]


def test_profiles_hold_paths_and_no_secret() -> None:
    text = (PROJECT / "profiles.yml").read_text()
    assert set(re.findall(r"env_var\('(\w+)'", text)) == {
        *("WAREHOUSE_PATH", "DUCKDB_MEMORY_LIMIT", "TARGET_SCHEMA"),
        *("SPARK_CATALOG", "SPARK_DRIVER_MEMORY", "SPARK_JAVA_OPTIONS", "SPARK_MASTER"),
        *("SPARK_PARTITIONS", "SPARK_PATH"),
    }
    keys = set(re.findall(r"^\s*(\w+):", text, re.MULTILINE))
    assert not {key for key in keys if re.search("pass|secret|token|key|user", key)}
