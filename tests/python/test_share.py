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
            else "update sales.fct_opportunities set opportunity_name = 'for jane@acme.example'"
        )
    out = tmp_path / "share.duckdb"
    output = _share(damaged, out, code=1)
    assert "holds e-mail or IP addresses" in output
    assert not out.exists()


def test_profiles_hold_paths_and_no_secret() -> None:
    text = (PROJECT / "profiles.yml").read_text()
    assert set(re.findall(r"env_var\('(\w+)'", text)) == {"WAREHOUSE_PATH", "DUCKDB_MEMORY_LIMIT"}
    keys = set(re.findall(r"^\s*(\w+):", text, re.MULTILINE))
    assert not {key for key in keys if re.search("pass|secret|token|key|user", key)}
