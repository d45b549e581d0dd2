"""The list of people to erase: what it says, and what is wrong with it."""

import csv
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest import personal
from ingest.errors import IngestError

REQUESTS = Path(__file__).resolve().parents[3] / "seeds" / "deletion_requests.csv"

_SALESFORCE = {"001": "account", "003": "contact", "00Q": "lead", "005": "sfuser"}
_PHONE = re.compile(r"(?=(?:\D*\d){7,15}\D*$)[+(]?[\d\s().\-/]+")
_CASES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True, slots=True)
class Request:
    """A line of the list.

    Attributes:
        value: the identifier; an e-mail address in lower case.
        kind: what it looks like: `email`, `phone`, `customer`, `contact`, `lead`, `account`,
            `sfuser` (a user of Salesforce), or `user`, which any other id may be.
        requested: when the person asked, if the line says so.
        place: file and line, which identify no one.
    """

    value: str
    kind: str
    requested: date | None
    place: str

    @property
    def sha256(self) -> str:
        """What is kept of the identifier as it is written."""
        return sum_of(self.value)

    def erasure(self, known: Mapping[str, int]) -> int | None:
        """The erasure that has answered it, of those by the sums of what they erased."""
        forms = [self.value, *salesforce_keys(self.value)]
        if self.kind == "phone":
            forms.append(re.sub(r"\D", "", self.value).lstrip("0"))
        return next((known[one] for one in map(sum_of, forms) if one in known), None)


def sum_of(value: str) -> str:
    """The SHA-256 of an identifier, in hexadecimal."""
    return hashlib.sha256(value.encode()).hexdigest()


def requests() -> list[Request]:
    """The people to erase, from the seed or from the file in `DELETION_REQUESTS_PATH`.

    Raises:
        IngestError: the file is not there or cannot be read, or a line names no one.
    """
    named = os.environ.get("DELETION_REQUESTS_PATH")
    path = Path(named or REQUESTS)
    if not path.is_file():
        if named:
            raise IngestError(f"DELETION_REQUESTS_PATH is {path}, and there is no such file")
        return []
    asked: dict[str, Request] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                place = f"{path.name}:{reader.line_num}"
                request = _request(row["user_id"] or "", row.get("requested_date") or "", place)
                asked.setdefault(request.value, request)
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise IngestError(
            f"{path} is not a CSV of user_id and requested_date: {error!r}"
        ) from error
    return list(asked.values())


def _request(written: str, day: str, place: str) -> Request:
    value = written.strip()
    if not value:
        raise IngestError(f"{place}: user_id is empty")
    if not value.isprintable():
        raise IngestError(f"{place}: the identifier holds control characters")
    try:
        requested = date.fromisoformat(day.strip()) if day.strip() else None
    except ValueError as error:
        raise IngestError(f"{place}: requested_date is not a date such as 2026-09-30") from error
    kind = _kind(value)
    if kind is None:
        raise IngestError(
            f"{place}: the identifier is malformed; it may be an e-mail address, a phone number"
            " with 7 to 15 digits, a Segment user id, a Salesforce id of a contact, lead or account"
            " with 15 or 18 characters, or a Stripe customer's id"
        )
    if kind == "email":
        value = value.lower()
    return Request(value, kind, requested, place)


def _kind(value: str) -> str | None:
    """What an identifier is by its form; None if it has none."""
    if "@" in value:
        return "email" if re.fullmatch(personal.EMAIL, value) else None
    if _PHONE.fullmatch(value):
        return "phone"
    if re.search(r"\s", value):
        return None
    if value.startswith("cus_"):
        return "customer" if re.fullmatch(r"cus_\w+", value) else None
    if value[:3].upper() in _SALESFORCE and re.fullmatch(r"\w{15}(?:\w{3})?", value, re.ASCII):
        return _SALESFORCE[value[:3].upper()]
    return "user"


def salesforce_keys(value: str) -> list[str]:
    """The 15 characters that two forms of a Salesforce id share; any other id is unchanged.

    The last three of 18 characters state the case of the others, which spreadsheets lose: in that
    case, the second is the id with the case restored.
    """
    if value[:3].upper() not in _SALESFORCE or not re.fullmatch(r"\w{15}(?:\w{3})?", value):
        return [value]
    if len(value) == 15 or any(check not in _CASES for check in value[15:].upper()):
        return [value[:15]]
    chars = [
        char.upper() if _CASES.index(value[15 + at // 5].upper()) >> at % 5 & 1 else char.lower()
        for at, char in enumerate(value[:15])
    ]
    return [value[:15], "".join(chars)]


def salesforce_id18(key: str) -> str:
    """A Salesforce id of 15 characters with its check characters; any other id is unchanged."""
    if key[:3] not in _SALESFORCE or not re.fullmatch(r"[A-Za-z0-9]{15}", key):
        return key
    groups = (key[at : at + 5] for at in (0, 5, 10))
    return key + "".join(
        _CASES[sum(1 << bit for bit, char in enumerate(group) if char.isupper())]
        for group in groups
    )
