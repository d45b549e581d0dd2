"""Finds people in texts that are meant to hold none: names, phones, addresses of every kind.

What identifies a person is read from the raw tables, and each distinct text of the marts is
compared with it, whatever its case, accents, punctuation and percent-encoding.
"""

from collections.abc import Iterator, Mapping

import duckdb

from ingest import companies
from ingest.load.values import literal, quoted
from ingest.personal import has_email, split_words, words

_CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]"
_IP = r"\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}"
_PHONE = r"\+?\d[\d ()./-]{6,}\d"
# The most words of a name or a street that are compared at once.
_LONGEST = 6
# Names, phone numbers and streets of people: table, condition, and the columns of each.
_SALESFORCE = {
    "Contact": (
        "true",
        """ "FirstName" || ' ' || "LastName" | "Name" | "AssistantName" """,
        "Phone MobilePhone HomePhone OtherPhone AssistantPhone Fax",
        "MailingStreet OtherStreet",
    ),
    "Lead": ("true", """ "FirstName" || ' ' || "LastName" | "Name" """, "Phone", "Street"),
    "User": (
        "true",
        """ "FirstName" || ' ' || "LastName" | "Name" """,
        "Phone MobilePhone Fax",
        "Street",
    ),
    "Account": (
        companies.IS_PERSON_ACCOUNT,
        """ "Name" | (_extra ->> '$.FirstName') || ' ' || (_extra ->> '$.LastName') """,
        "Phone Fax",
        "BillingStreet ShippingStreet",
    ),
}
# Kind and value: `either` is the name of a person or of a company, as other records show.
_STRIPE = """
    select unnest([
        {kind: 'either', value: name}, {kind: 'name', value: individual_name},
        {kind: 'phone', value: phone}, {kind: 'street', value: address ->> '$.line1'},
        {kind: 'either', value: shipping ->> '$.name'},
        {kind: 'phone', value: shipping ->> '$.phone'},
        {kind: 'street', value: shipping ->> '$.address.line1'}
    ], recursive := true) from raw_stripe.customers
    union all
    select unnest([
        {kind: 'either', value: customer_name}, {kind: 'phone', value: customer_phone},
        {kind: 'street', value: customer_address ->> '$.line1'},
        {kind: 'either', value: customer_shipping ->> '$.name'}
    ], recursive := true) from raw_stripe.invoices
    union all
    select unnest([
        {kind: 'either', value: billing_details ->> '$.name'},
        {kind: 'phone', value: billing_details ->> '$.phone'},
        {kind: 'street', value: billing_details ->> '$.address.line1'},
        {kind: 'either', value: shipping ->> '$.name'},
        {kind: 'phone', value: shipping ->> '$.phone'},
        {kind: 'token', value: payment_method_details ->> '$.card.fingerprint'}
    ], recursive := true) from raw_stripe.charges
    union all
    select unnest([
        {kind: 'either', value: data ->> '$.object.name'},
        {kind: 'either', value: data ->> '$.previous_attributes.name'},
        {kind: 'name', value: data ->> '$.object.individual_name'},
        {kind: 'phone', value: data ->> '$.object.phone'}
    ], recursive := true) from raw_stripe.events where "type" like 'customer.%'
"""
# Libraries write the names of traits in any case and with any separators.
_TRAITS = """
    with
    calls as (
        select traits as described from raw_segment.messages
        where "type" = 'identify' and traits is not null
        union all
        select json_extract(context, '$.traits') from raw_segment.messages
        where contains(cast(context as varchar), '"traits"') and "type" <> 'group'
    ),
    people as (select distinct described from calls where json_type(described) = 'OBJECT'),
    fields as (
        select described, unnest(json_keys(described)) as field from people
    ),
    texts as (
        select
            described, regexp_replace(lower(field), '[^a-z0-9]', '', 'g') as trait,
            json_extract_string(
                described, '/' || replace(replace(field, '~', '~0'), '/', '~1')
            ) as value
        from fields
    ),
    whole as (
        select
            max(value) filter (where trait = 'firstname') as first_name,
            max(value) filter (where trait = 'lastname') as last_name
        from texts
        group by described
    )
    select case trait when 'phone' then 'phone' when 'address' then 'street' else 'name' end, value
    from texts where trait in ('name', 'fullname', 'phone', 'phonenumber', 'mobile', 'address')
    union all
    select 'name', first_name || ' ' || last_name from whole
"""


def known(connection: duckdb.DuckDBPyConnection) -> None:
    """Gather what identifies people, in temporary tables of this connection."""
    connection.execute(f"""
        create or replace temp table companies as
        select distinct {words("name")} as words
        from ({companies.NAMES}) as found (name) where name <> ''
    """)
    connection.execute(f"""
        create or replace temp table identifying as
        with
        found as (
            select kind, value, {words("value")} as words
            from ({" union all ".join(_sources())}) as sources (kind, value)
            where trim(value) <> ''
        ),
        names as (
            select distinct words from found
            where
                (kind = 'name' or kind = 'either' and words not in (from companies))
                and not {companies.has_legal_form("words")}
                and regexp_matches(words, '\\pL')
        )
        select 'name' as kind, words as value from names
        union
        select 'street', words from found where kind = 'street' and regexp_matches(words, '\\d')
        union
        select 'phone', right(regexp_replace(value, '\\D', '', 'g'), 9) from found
        where kind = 'phone' and length(regexp_replace(value, '\\D', '', 'g')) >= 8
        union
        select 'token', lower(value) from found where kind = 'token'
        union
        select 'ip', json_extract_string(context, '$.ip') from raw_segment.messages
        where json_extract_string(context, '$.ip') <> ''
    """)
    # How a key is written that is somebody's name or number.
    connection.execute("""
        create or replace temp table spellings as
        select distinct replace(value, ' ', unnest(['', '_', '-'])) as value
        from identifying where kind = 'name' and contains(value, ' ')
        union
        select value from identifying where kind = 'token'
    """)
    connection.execute("create or replace temp table texts (place varchar, value varchar)")


def look(connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, bool]) -> None:
    """Gather the distinct texts of a table to search.

    Args:
        connection: an open warehouse, after `known`.
        table: its qualified and quoted name, which begins each place.
        columns: by name, whether it is a key; only odd values of keys are searched.
    """
    for name, is_key in columns.items():
        text = f"cast({quoted(name)} as varchar)"
        odd = (
            f"contains({text}, '@') or contains({text}, '%') or contains({text}, ' ')"
            f" or contains({text}, '.') or contains({text}, '&#') or contains({text}, '+')"
            f" or strlen({text}) <> length({text}) or lower({text}) in (from spellings)"
            f" or regexp_full_match({text}, '\\d{{8,15}}')"
        )
        connection.execute(
            f"insert into texts select distinct ?, {text} from {table}"
            f" where {text} <> '' and ({odd if is_key else 'true'})",
            [f"{table}.{quoted(name)}"],
        )


def find(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Search the gathered texts; those that hold something are in the temporary table `found`.

    Returns:
        What was found in which column: `e-mail`, `IP`, `name`, `phone`, `street` or `token`.
    """
    connection.execute(f"""
        create or replace temp table found as
        with
        -- Encoded once, or as a part of an address that is encoded again.
        distinct_texts as (select distinct value from texts),
        decoded as (
            select value, coalesce(try(url_decode(try(url_decode(value)))), value) as text
            from distinct_texts
        ),
        split as (select value, text, {split_words("text")} as words from decoded),
        phrases as (
            select value, unnest({_phrases("words")}) as phrase from split where len(words) > 1
        ),
        hits as (
            select phrases.value, kind from phrases
            inner join identifying on phrase = identifying.value and kind in ('name', 'street')
            union
            -- A name of one word is a word of other texts too, unless there is nothing else.
            select split.value, 'name' from split
            inner join identifying on array_to_string(words, '') = identifying.value
            where kind = 'name' and (
                len(words) = 1 and not contains(text, ' ')
            )
            union
            select split.value, 'name' from split
            inner join identifying on kind = 'name' and contains(text, identifying.value)
            where
                regexp_matches(text, '{_CJK}')
                and regexp_full_match(identifying.value, '{_CJK}{{3,}}')
            union
            select value, 'name' from decoded where lower(text) in (
                select value from spellings where contains(value, '_') or contains(value, '-')
            )
            union
            select words.value, 'token' from (
                select value, unnest(words) as word from split
            ) as words inner join identifying on kind = 'token' and word = identifying.value
            union
            select numbers.value, 'phone' from (
                select value, right(regexp_replace(
                    unnest(regexp_extract_all(text, '{_PHONE}')), '\\D', '', 'g'
                ), 9) as number from decoded
            ) as numbers inner join identifying on kind = 'phone' and number = identifying.value
            union
            select addresses.value, 'IP' from (
                select value, unnest(regexp_extract_all(text, '{_IP}')) as address from decoded
            ) as addresses inner join identifying on kind = 'ip' and address = identifying.value
            union
            select value, 'e-mail' from decoded where {has_email("text")} or {has_email("value")}
        )
        select texts.place, hits.value, hits.kind from hits inner join texts using (value)
    """)
    found: dict[str, set[str]] = {}
    for place, kind in connection.execute("select distinct place, kind from found").fetchall():
        found.setdefault(place, set()).add(kind)
    return found


def _sources() -> Iterator[str]:
    """Queries of kind and value."""
    for table, (condition, names, phones, streets) in _SALESFORCE.items():
        of_kind = {
            "name": names.split(" | "),
            "phone": map(quoted, phones.split()),
            "street": map(quoted, streets.split()),
        }
        for kind, expressions in of_kind.items():
            for value in expressions:
                yield (
                    f"select {literal(kind)}, {value} from raw_salesforce.{quoted(table)}"
                    f" where {condition}"
                )
    yield _STRIPE
    yield f"select * from ({_TRAITS})"


def _phrases(words: str) -> str:
    """All runs of several words."""
    sizes = ", ".join(map(str, range(2, _LONGEST + 1)))
    return f"""flatten(list_transform(
        [{sizes}],
        lambda size: list_transform(
            range(1, len({words}) - size + 2),
            lambda start: array_to_string({words}[start:start + size - 1], ' ')
        )
    ))"""
