"""Telling names of people and of companies apart."""

import re


def words(name: str) -> set[str]:
    """The words of a name, those apart that any customer's or mailbox's name may have."""
    return {word for word in re.findall(r"[^\W\d_]{3,}", name.lower()) if word not in _ANYBODYS}


# Words of the name of a mailbox that are no person's.
_ANYBODYS = frozenset(
    {
        "account",
        "accounting",
        "accounts",
        "admin",
        "billing",
        "bookkeeping",
        "contact",
        "finance",
        "hello",
        "info",
        "invoice",
        "invoices",
        "mail",
        "office",
        "payable",
        "payables",
        "payments",
        "purchasing",
        "sales",
        "support",
        "team",
        "the",
        "and",
    }
)
_TITLES = frozenset(
    {"dr", "frau", "herr", "ii", "iii", "jr", "mr", "mrs", "ms", "phd", "prof", "sir", "sr"}
)


def first_and_last(name: str) -> str | None:
    """A name of three words or more without those between its ends, titles and suffixes."""
    parts = [word for word in name.split() if word.lower().rstrip(".,") not in _TITLES]
    short = f"{parts[0]} {parts[-1]}" if len(parts) > 1 else ""
    return short if short and short != name else None


def mailbox(email: str) -> str | None:
    """The part of an address before the at sign if it identifies a person, as in a user id."""
    part = email.partition("@")[0]
    is_shared = set(re.findall(r"[^\W\d_]+", part)) <= _ANYBODYS
    return part if len(part) >= 8 and re.search(r"[\d._+\-]", part) and not is_shared else None
