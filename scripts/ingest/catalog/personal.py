"""What identifies a person in the vendors' records: the kind of a field, read off its name.

Standard fields, custom ones and those of free-form maps follow the same words, so one table covers
`MailingStreet`, `customer_phone`, `Secondary_Email__c` and `traits.firstName`. A word that is
neither in the table nor a qualifier makes a field somebody else's: `AssistantPhone`, `bank_name`.
"""

import re
from functools import cache

# Each kind with the words of its fields, written together. `part` and `place` identify no one where
# they stand alone, so they are redacted in the person's own records only.
_FIELDS = {
    "email": "email emails mail emailaddress",
    "name": """
        name firstname lastname middlename givenname familyname surname forename maidenname nickname
        fullname cardholder cardholdername holdername
    """,
    "phone": """
        phone phones phonenumber mobile mobilephone mobilenumber cell cellphone fax faxnumber tel
        telephone telephonenumber whatsapp
    """,
    "street": """
        street street1 streetaddress line1 address address1 addressline1 addressline postaladdress
    """,
    "place": """
        line2 address2 addressline2 city town state statecode province county suburb district zip
        zipcode postalcode postcode addresscity addressstate addresszip addresspostalcode
        latitude longitude geocodeaccuracy
    """,
    "ip": "ip ipaddress purchaseip",
    "device": "deviceid devicefingerprint advertisingid devicetoken idfa idfv gaid",
    "card": "fingerprint iban accountnumber cashtag buyerid payerid",
    "handle": """
        username login alias communitynickname federationidentifier avatar avatarurl photourl
        fullphotourl smallphotourl twitter linkedin linkedinurl skype facebook github
    """,
    "tax": "taxid taxids vatid vatnumber",
    "part": """
        last4 ibanlast4 accountnumberlast4 phonelast4 birthdate birthday dob dateofbirth gender age
        ssn socialsecuritynumber passport passportnumber nationalid idnumber employeenumber
        useragent signature aboutme hostedinvoiceurl invoicepdf pdf receipturl
    """,
}
_KINDS = {word: kind for kind, words in _FIELDS.items() for word in words.split()}
# The merchant's own, on its customers' invoices.
_NOBODYS = {"accountname", "accounttaxids"}

# Words before or after those of the table that leave a field the person's own.
_QUALIFIERS = frozenset(
    {
        "account",
        "alt",
        "alternate",
        "alternative",
        "additional",
        "billing",
        "c",
        "contact",
        "current",
        "customer",
        "display",
        "dynamic",
        "home",
        "holder",
        "individual",
        "instructions",
        "local",
        "mailing",
        "main",
        "other",
        "payer",
        "pc",
        "person",
        "personal",
        "preferred",
        "primary",
        "private",
        "receipt",
        "refund",
        "secondary",
        "sender",
        "sent",
        "shipping",
        "to",
        "user",
        "verified",
        "work",
    }
)
# Whose plain `name` is a person's: objects by their `object`, and nested ones by the field.
PEOPLE = frozenset(
    {
        "customer",
        "card",
        "billing_details",
        "customer_details",
        "customer_shipping",
        "shipping",
        "shipping_details",
        "shipping_address",
        "billing_address",
        "owner",
        "payer_details",
        "individual",
        "evidence",
        "traits",
        "person",
        "contact",
    }
)
# Tables whose records are people, where they are not companies.
PEOPLE_TABLES = frozenset({"Account", "Contact", "Lead", "User", "customers"})
# Fields that name a person's Stripe object in other objects.
STRIPE_LINKS = ("id", "customer", "charge", "invoice", "payment_intent", "subscription", "source")

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+")


@cache
def kind(field: str) -> str | None:
    """How a field identifies the person whose record it is in; None if it does not."""
    words = [word.lower() for word in _WORDS.findall(field)]
    written = "".join(words)
    if written in _NOBODYS:
        return None
    if written in _KINDS:
        return _KINDS[written]
    return _KINDS.get("".join(word for word in words if word not in _QUALIFIERS))


def kind_within(field: str, holder: str) -> str | None:
    """The kind of a field of a nested object.

    Args:
        field: its name.
        holder: the field that holds the object, or the object's type.
    """
    if field == "value" and kind(holder) == "tax":
        return "tax"
    found = kind(field)
    if found == "name" and field.lower() == "name" and holder not in PEOPLE:
        return None
    return found


def is_given_name(field: str) -> bool:
    """Whether a field holds the first part of a name."""
    return kind(field) == "name" and bool(re.search("first|given|forename", field, re.I))


def is_family_name(field: str) -> bool:
    """Whether a field holds the last part of a name."""
    return kind(field) == "name" and bool(re.search("last|family|surname", field, re.I))
