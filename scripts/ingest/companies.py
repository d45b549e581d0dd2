"""What shows that a name or an account is a company's and not a person's.

Stripe's `name` is "the customer's full name or business name", and an account of Salesforce may be
a person account. Erasure and copies without personal data ask the same questions of both.
"""

# A legal form after the first word, in names as `ingest.personal.words` writes them. Many registers
# write dots between the letters.
LEGAL_FORM = (
    " (?:inc|incorporated|llc|l l c|llp|ltd|limited|plc|corp|corporation|company|pty|pte|pvt|bhd"
    "|gmbh|kgaa|ug|ohg|gbr|ltda|sarl|s a|sas|s a s|sasu|spa|s p a|srl|s r l|eurl|bv|b v|nv|n v|vof"
    "|aps|oy|oyj|asa|kft|doo|d o o|group|holding|holdings|university|foundation|studio)(?: |$)"
)

# The condition that an account is a person account. Exports without its flag have at least one of
# the person's own fields.
IS_PERSON_ACCOUNT = """(
    coalesce(lower(_extra ->> '$.IsPersonAccount') in ('true', '1'), false)
    or coalesce(_extra ->> '$.PersonContactId', '') <> ''
    or coalesce(_extra ->> '$.PersonEmail', '') <> ''
    or coalesce(_extra ->> '$.LastName', '') <> ''
)"""

# The query of names that a record declares to be a company's. People who work for themselves put
# their own name into the company of a lead.
NAMES = f"""
    select "Name" as name from raw_salesforce."Account" where not {IS_PERSON_ACCOUNT}
    union select "Company" from raw_salesforce."Lead"
        where lower("Company") is distinct from lower("Name")
            and lower("Company") is distinct from lower("FirstName" || ' ' || "LastName")
    union select business_name from raw_stripe.customers
    union select traits ->> '$.name' from raw_segment.messages where "type" = 'group'
"""


def has_legal_form(name: str) -> str:
    """The SQL condition that a name has the legal form of a company.

    Args:
        name: the SQL expression of its words.
    """
    return f"regexp_matches({name}, '{LEGAL_FORM}')"
