"""The pattern of an e-mail address knows every alphabet, in DuckDB and in Python."""

import re
from collections.abc import Iterator

import duckdb
import pytest

from ingest.generate.world import COUNTRIES
from ingest.personal import EMAIL, has_email, is_email

_DOMAINS = ("acme.example", "bücher.example", "xn--bcher-kva.example", "acme-x.co.uk")


def _of_the_countries() -> Iterator[str]:
    """An address of every name that the generator has, as it is and in other spellings."""
    for country in COUNTRIES.values():
        for number, first in enumerate(country.first_names):
            last = country.last_names[number % len(country.last_names)]
            yield f"{first}.{last}@{_DOMAINS[number % len(_DOMAINS)]}".lower()


# Each with the address in it, as the pattern finds it.
_IN_TEXTS = {
    "rené@corp-r.example": "rené@corp-r.example",
    "rene\u0301@corp-r.example": "rene\u0301@corp-r.example",
    "o'hara@x.example": "o'hara@x.example",
    "José <josé.o'neill+tag@x.example>": "josé.o'neill+tag@x.example",
    "用户@例子.广告": "用户@例子.广告",
    "用户@例子\u3002广告": "用户@例子\u3002广告",
    "राम@उदाहरण.भारत": ("राम@उदाहरण.भारत"),
    "ann@xn--80ak6aa92e.xn--p1ai": "ann@xn--80ak6aa92e.xn--p1ai",
    "doc_phoebe.ringtone%40mail-p.example": "doc_phoebe.ringtone%40mail-p.example",
    "next=%2Fto%3Dann%2540acme.example%26b": "ann%2540acme.example",
    "ren%C3%A9%40b%C3%BCcher.example": "ren%C3%A9%40b%C3%BCcher.example",
    "https://x.example/?to=ann@acme.example&b=1": "ann@acme.example",
    '{"to":"ann@acme.example"}': "ann@acme.example",
    r'{"to":"ann\u0040acme.example"}': r"ann\u0040acme.example",
    "ann&#64;acme.example": "ann&#64;acme.example",
    "\u201eann@acme.example\u201c.": "ann@acme.example",
    "ask ann@acme.example, please": "ann@acme.example",
    "ann\uff20acme.example": "ann\uff20acme.example",
    '"Ann Lee"@acme.example': '"@acme.example',
}
_NONE = (
    *("8@12.50", "@media 2.0", "8 @ 12.50", "price@high", "usr_4012", "100%40 off", "1.2@3.4"),
    *("@home.page", "https://app.example/a/b", "Acme, Inc. @ Berlin", "0x40.1"),
)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def _in_duckdb(connection: duckdb.DuckDBPyConnection, text: str) -> tuple[str, bool, bool]:
    return connection.execute(
        f"select regexp_extract(t, ?), {has_email('t')}, {is_email('t')} from (select ? as t)",
        [EMAIL, text],
    ).fetchall()[0]


def test_addresses_of_the_generators_names_are_addresses(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    addresses = list(_of_the_countries())
    assert sum(not address.isascii() for address in addresses) > 50
    for address in addresses:
        assert re.fullmatch(EMAIL, address), address
        assert _in_duckdb(connection, address) == (address, True, True)


@pytest.mark.parametrize("text", _IN_TEXTS)
def test_an_address_is_found_in_a_text(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    found = _IN_TEXTS[text]
    assert (match := re.search(EMAIL, text)) is not None
    assert found in match.group()
    assert _in_duckdb(connection, text) == (match.group(), True, match.group() == text)


@pytest.mark.parametrize("text", _NONE)
def test_what_only_looks_like_an_address_is_none(
    connection: duckdb.DuckDBPyConnection, text: str
) -> None:
    assert re.search(EMAIL, text) is None
    assert _in_duckdb(connection, text) == ("", False, False)
