"""Who a request is about: every id and address that one identifier leads to, in all systems.

The links are those by which the marts join people: user ids with their aliases and e-mail
addresses, contacts with leads and person accounts, customers with the ids in their metadata. A link
that several people share, such as the company's customer in the traits of all its users, is not
followed.
"""

import re
from collections.abc import Iterable

import duckdb

from ingest import catalog, companies
from ingest import personal as patterns
from ingest.catalog import personal
from ingest.load import warehouse
from ingest.load.mentions import digits
from ingest.load.names import words
from ingest.load.requests import Request, salesforce_keys
from ingest.load.values import literal, quoted

# Ids of records that are the person's own.
IDS = ("user", "contact", "lead", "account", "customer", "sfuser")

# Records of people, with what links them to others. Views over one batch, or over all.
_LOOKED_AT = ("messages", "Contact", "Lead", "Account", "User", "customers", "events")

# A Salesforce id has 15 characters and may have three more to check them.
_KEY = """
    create or replace temp macro id_key(id) as
    case
        when regexp_full_match(id, '(001|003|005|00Q)[a-zA-Z0-9]{15}') then left(id, 15)
        else id
    end
"""


def trait(name: str, traits: str = "traits") -> str:
    """A trait, whose name libraries write in any case and with any separators."""
    return f"""list_filter(
        list_transform(
            list_filter(
                json_keys({traits}),
                lambda field: regexp_replace(lower(field), '[^a-z0-9]', '', 'g') = '{name}'
            ),
            lambda field: json_extract_string(
                {traits}, '/' || replace(replace(field, '~', '~0'), '/', '~1')
            )
        ),
        lambda text: text is not null
    )[1]"""


_CONTEXT_TRAITS = "json_extract(context, '$.traits')"


def _traits(name: str) -> str:
    return f"coalesce({trait(name)}, {trait(name, _CONTEXT_TRAITS)})"


TRAITS_NAME = f"""lower(coalesce(
    {trait("name")}, {trait("firstname")} || ' ' || {trait("lastname")},
    {trait("name", _CONTEXT_TRAITS)}
))"""
# Calls with a person's traits, their own or those in the context.
DESCRIBES = """(
    "type" = 'identify'
    or "type" not in ('group', 'alias') and contains(cast(context as varchar), '"traits"')
)"""
_NAME = """lower(coalesce("FirstName" || ' ' || "LastName", "Name", "LastName"))"""


def _phones(columns: Iterable[str]) -> str:
    return (
        f"[{', '.join(quoted(column) for column in columns if personal.kind(column) == 'phone')}]"
    )


def _facts() -> str:
    """Kind and id of every record of a person, with what it says: a link's kind and value."""
    contact, lead = (
        next(table for table in catalog.tables() if table.name == name)
        for name in ("Contact", "Lead")
    )
    parts = [
        # Segment: identify calls, aliases and the addresses that serve as ids.
        f"""select 'user', coalesce(nullif("userId", ''), ''), 'email', lower({_traits("email")}),
                "anonymousId", {TRAITS_NAME}, [{_traits("phone")}],
                json_extract_string(coalesce(traits, {_CONTEXT_TRAITS}), '$.*')
            from looked_at_messages where {DESCRIBES}""",
    ]
    for kind, table, own in (
        ("contact", contact, ["MasterRecordId"]),
        ("lead", lead, ["MasterRecordId", "ConvertedContactId"]),
    ):
        phones = _phones(sorted(table.names))
        links = ", ".join(map(quoted, own))
        parts.append(
            f"""select '{kind}', "Id", 'email', lower("Email"), null, {_NAME}, {phones},
                list_concat([{links}, "IndividualId"], json_extract_string(_extra, '$.*'))
            from looked_at_{table.name}"""
        )
    person = "json_extract_string(_extra, '$.Person{}')"
    parts.append(
        f"""select 'account', "Id", 'email', lower({person.format("Email")}), null, lower("Name"),
            ["Phone", {person.format("MobilePhone")}, {person.format("HomePhone")}],
            json_extract_string(_extra, '$.*')
        from looked_at_Account where {companies.IS_PERSON_ACCOUNT}"""
    )
    parts.append(
        f"""select 'sfuser', "Id", 'email', lower("Email"), null, {_NAME},
            ["Phone", "MobilePhone"], ["ContactId", "IndividualId"] from looked_at_User"""
    )
    parts.append(
        """select 'customer', id, 'email', lower(email), null, lower(name), [phone],
            json_extract_string(metadata, '$.*') from looked_at_customers"""
    )
    made = "json_extract_string(data, '$.object.{}')"
    parts.append(
        f"""select 'customer', {made.format("id")}, 'email', lower({made.format("email")}), null,
            lower({made.format("name")}), [{made.format("phone")}],
            json_extract_string(data, '$.object.metadata.*')
        from looked_at_events where starts_with("type", 'customer.')
            and {made.format("object")} = 'customer'"""
    )
    parts.append(
        """select 'customer', json_extract_string(data, '$.object.id'), 'email',
            lower(json_extract_string(data, '$.previous_attributes.email')), null, null, null, null
        from looked_at_events where "type" = 'customer.updated'"""
    )
    return " union all ".join(parts)


class People:
    """The records of people in one batch or in all, and what leads from one to another.

    Args:
        connection: an open warehouse, in a transaction.
        batch_id: only this batch; all of them when None.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, batch_id: str | None = None) -> None:
        self._connection = connection
        in_batch = f"_batch_id = {literal(batch_id)}" if batch_id else "true"
        connection.execute(_KEY)
        for name in _LOOKED_AT:
            connection.execute(
                f"create or replace temp view looked_at_{name} as"
                f" select * from {table_of(name)} where {in_batch}"
            )
        connection.execute(
            f"""
            create or replace temp table people as
            select distinct
                kind, id_key(id) as id, nullif(email, '') as email, device,
                regexp_replace(name, '\\s+', ' ', 'g') as name,
                list_distinct(list_transform(
                    list_filter(phones, lambda one: one is not null),
                    lambda one: ltrim(regexp_replace(one, '[^0-9]', '', 'g'), '0')
                )) as phones,
                list_distinct(list_transform(
                    list_filter(
                        links,
                        lambda one: regexp_full_match(one, '[A-Za-z0-9_.:@+-]{{4,64}}')
                    ),
                    lambda one: id_key(one)
                )) as links
            from ({_facts()}) as found (kind, id, what, email, device, name, phones, links)
            """
        )
        # Pairs, by which each step below is one join.
        connection.execute(
            """
            create or replace temp table people_links as
            select distinct kind, id, link from (select kind, id, unnest(links) as link from people)
            where id <> '' and link <> id
            """
        )
        connection.execute(
            """
            create or replace temp table people_phones as
            select distinct kind, id, name, phone
            from (select kind, id, name, unnest(phones) as phone from people)
            where id <> '' and length(phone) >= 7
            """
        )
        connection.execute(
            "create or replace temp table erasing (kind varchar, value varchar, key varchar)"
        )

    def seeds(self, request: Request) -> tuple[set[tuple[str, str]], str]:
        """What an identifier names, as kinds and values; or nothing, and why."""
        rows = self._connection.execute
        value, keys = request.value, salesforce_keys(request.value)
        found: set[tuple[str, str]] = set()
        if request.kind == "email":
            # Where no record has it, texts may mention it.
            return {("email", value)}, ""
        found |= set(
            rows(
                "select distinct kind, id from people"
                " where kind <> 'user' and id in (select unnest(?))",
                [keys],
            ).fetchall()
        )
        if rows(
            'select 1 from looked_at_messages where "userId" = $id or "previousId" = $id limit 1',
            {"id": value},
        ).fetchone():
            found.add(("user", value))
        if (
            not found
            and rows(
                'select 1 from looked_at_messages where "anonymousId" = ? limit 1', [value]
            ).fetchone()
        ):
            found.add(("device", value))
        if not found and request.kind == "account":
            return self._only_contact(keys[0])
        if not found and request.kind == "phone":
            return self._of_phone(value)
        return found, "" if found else "no one is known by it"

    def _only_contact(self, key: str) -> tuple[set[tuple[str, str]], str]:
        """The person of a business account with one contact."""
        contacts = self._connection.execute(
            'select distinct id_key("Id") from looked_at_Contact where id_key("AccountId") = ?',
            [key],
        ).fetchall()
        known = self._connection.execute(
            'select 1 from looked_at_Account where id_key("Id") = ? limit 1', [key]
        ).fetchone()
        if len(contacts) == 1:
            return {("contact", str(contacts[0][0]))}, ""
        if known or contacts:
            return set(), f"it is the account of a company with {len(contacts)} contacts; name one"
        return set(), "no one is known by it"

    def _of_phone(self, value: str) -> tuple[set[tuple[str, str]], str]:
        rows = self._connection.execute(
            "select kind, id, name from people_phones where phone = ?", [digits(value).lstrip("0")]
        ).fetchall()
        if len({name for *_, name in rows if name}) > 1:
            return set(), f"{len({id_ for _, id_, _ in rows})} records of several people have it"
        found = {(kind, id_) for kind, id_, _ in rows}
        return found, "" if found else "no one is known by it"

    def find(self, start: set[tuple[str, str]]) -> list[tuple[str, str]]:
        """All ids, devices and addresses that some of them lead to.

        Args:
            start: kinds and values.
        """
        if not start:
            return []
        self._connection.execute("delete from erasing")
        self._connection.executemany(
            "insert into erasing values (?, ?, id_key(?))",
            [(kind, value, value) for kind, value in sorted(start)],
        )
        before, now = -1, 0
        while now != before:
            before = now
            for query in _STEPS:
                self._connection.execute(
                    f"""
                    insert into erasing
                    select distinct kind, value, id_key(value)
                    from ({query}) as found (kind, value)
                    where value <> ''
                        and (kind, id_key(value)) not in (select (kind, key) from erasing)
                    """
                )
            self._add_customers()
            ((now,),) = self._connection.execute("select count(*) from erasing").fetchall()
        return self._connection.execute("select kind, value from erasing order by all").fetchall()

    def _add_customers(self) -> None:
        """Customers whose addresses are all the person's, or that bear the person's name.

        A company's customer that had other addresses too is not theirs.
        """
        rows = self._connection.execute(
            """
            select
                id, list(distinct email) filter (where email is not null),
                list(distinct name) filter (where name is not null),
                bool_or(id in (select key from erasing where kind = 'customer'))
            from people
            where kind = 'customer' and id in (
                select id from people
                where kind = 'customer' and (
                    email in (select value from erasing where kind = 'email')
                    or id in (select key from erasing where kind = 'customer')
                )
            )
            group by id
            """
        ).fetchall()
        emails = self._of("email")
        for id_, addresses, names, is_theirs in rows:
            its_emails = addresses or []
            is_person = any(self.is_persons(name, its_emails) for name in names or [])
            if is_theirs or is_person or set(its_emails) <= emails:
                self._add("customer", id_)
                if is_person or len(its_emails) == 1:
                    for email in its_emails:
                        self._add("email", email)

    def forget(self) -> None:
        """Take the person out of the records that the next erasure compares with."""
        self._connection.execute(
            "delete from people where (kind, id) in (select (kind, key) from erasing)"
        )

    def _of(self, *kinds: str) -> set[str]:
        rows = self._connection.execute(
            "select value from erasing where kind in (select unnest(?))", [list(kinds)]
        ).fetchall()
        return {value for (value,) in rows}

    def _add(self, kind: str, value: str) -> None:
        self._connection.execute(
            "insert into erasing select $kind, $value, id_key($value)"
            " where ($kind, id_key($value)) not in (select (kind, key) from erasing)",
            {"kind": kind, "value": value},
        )

    def names(self) -> set[str]:
        """The person's names in records that are not customers, in lower case."""
        rows = self._connection.execute(
            f"select distinct people.name from people {_OWNED}"
            " where people.kind <> 'customer' and people.name is not null"
        ).fetchall()
        return {name for (name,) in rows}

    def is_persons(self, name: str, emails: Iterable[str] = ()) -> bool:
        """Whether a name beside the person's address is theirs, and not their company's.

        Args:
            name: of a customer, or on an invoice.
            emails: addresses of that customer.
        """
        own = words(name)
        known = self.names()
        if any(own & words(one) for one in known):
            return True
        addresses = {*emails, *self._of("email")}
        locals_ = [one.partition("@")[0] for one in addresses]
        if any(own & words(one) for one in locals_):
            return True
        if not own or known:
            return False
        written = re.sub(r"[\W_]", "", name.lower())
        domains = {re.sub(r"[\W_]", "", one.partition("@")[2]) for one in addresses}
        if any(written in domain or domain in written for domain in domains if domain):
            return False
        ((is_company,),) = self._connection.execute(
            f"""
            select {companies.has_legal_form("name")} or name in (
                select {patterns.words("names.name")} from ({companies.NAMES}) as names
            )
            from (select {patterns.words("$name")} as name)
            """,
            {"name": name},
        ).fetchall()
        return not is_company


_OWNED = "inner join erasing on people.kind = erasing.kind and people.id = erasing.key"
# Kind and value of what else identifies a person of whom something is known.
_STEPS = (
    # Segment.
    """select 'device', "anonymousId" from looked_at_messages as messages
        inner join erasing on messages."userId" = erasing.value where erasing.kind = 'user'""",
    """select 'user', "previousId" from looked_at_messages as messages
        inner join erasing on messages."userId" = erasing.value
        where erasing.kind = 'user' and messages."type" = 'alias'""",
    """select 'user', "userId" from looked_at_messages as messages
        inner join erasing on messages."previousId" = erasing.value where erasing.kind = 'user'""",
    """select 'user', messages."userId" from looked_at_messages as messages
        inner join erasing on lower(messages."userId") = erasing.value
        where erasing.kind = 'email'""",
    """select 'email', lower(value) from erasing where kind = 'user' and contains(value, '@')""",
    # No one has signed in on the device, but somebody has left the address.
    """select 'device', people.device from people
        inner join erasing on people.email = erasing.value
        where people.kind = 'user' and people.id = '' and erasing.kind = 'email'""",
    # Only one person has signed in on the device.
    """select 'user', min(messages."userId") from looked_at_messages as messages
        inner join erasing on messages."anonymousId" = erasing.value
        where erasing.kind = 'device' and messages."userId" <> ''
        group by erasing.value having count(distinct messages."userId") = 1
            and (select count(*) from erasing where kind <> 'device') = 0""",
    # An address leads to every record that has it, but to a customer that has others too only with
    # the rest of them.
    f"select 'email', people.email from people {_OWNED} where people.kind <> 'customer'",
    """select people.kind, people.id from people
        inner join erasing on people.email = erasing.value
        where erasing.kind = 'email' and people.id <> '' and people.kind <> 'customer'""",
    # Ids that records name each other by, unless others name the same.
    """select people_links.kind, people_links.id from people_links
        inner join erasing on people_links.link = erasing.key
        where erasing.kind in ('user', 'contact', 'lead', 'account', 'customer')
            and (people_links.kind, people_links.link) in (
                select (kind, link) from people_links group by kind, link
                having count(distinct id) = 1
            )""",
    """select others.kind, others.id from people_links
        inner join erasing on people_links.kind = erasing.kind and people_links.id = erasing.key
        inner join (select distinct kind, id from people where id <> '') as others
            on people_links.link = others.id
        where (people_links.kind, people_links.link) in (
            select (kind, link) from people_links group by kind, link
            having count(distinct id) = 1
        )""",
    # The same person account, merged record or person of Salesforce's own register.
    """select others.kind, others.id from people_links
        inner join erasing on people_links.kind = erasing.kind and people_links.id = erasing.key
        inner join people_links as others on people_links.link = others.link
        where people_links.kind in ('contact', 'lead', 'account', 'sfuser')
            and others.kind in ('contact', 'lead', 'account', 'sfuser')
            and regexp_full_match(people_links.link, '(003|00Q|0PK)[A-Za-z0-9]{12,15}')""",
    """select 'account', id_key("AccountId") from looked_at_Contact as contacts
        inner join erasing on id_key(contacts."Id") = erasing.key
        where erasing.kind = 'contact' and id_key(contacts."AccountId") in (
            select id from people where kind = 'account'
        )""",
    # One number and one name.
    """select others.kind, others.id from people_phones
        inner join erasing on people_phones.kind = erasing.kind and people_phones.id = erasing.key
        inner join people_phones as others
            on people_phones.phone = others.phone and people_phones.name = others.name""",
)


def table_of(object_name: str) -> str:
    """A raw table by what the vendor calls its records."""
    return next(warehouse.name_of(t) for t in catalog.tables() if t.name == object_name)
