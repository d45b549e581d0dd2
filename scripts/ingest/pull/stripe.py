"""Stripe's objects by its API, one file of JSON lines an object.

An object's list gives what was created since the last pull, and events give what changed. Balance
transactions have no events, so those of the last weeks are read again.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import requests
import stripe

from ingest import catalog
from ingest.pull.errors import PullError, required, scrubbed, setting
from ingest.pull.job import Job, Known
from ingest.pull.retry import asked_delay, retrying

Object = dict[str, Any]

NAME = "stripe"
# The newest version that the models are tested with; an account's default makes no difference.
API_VERSION = "2026-07-29.dahlia"
# Those that only come inside of others are not pulled by themselves.
_NESTED = {"subscription_items", "invoice_line_items", "discounts", "other_objects"}
KINDS = {
    table.object_name: table.name for table in catalog.tables_of(NAME) if table.name not in _NESTED
}
OBJECTS = tuple(KINDS.values())
# At most four levels can be expanded, which is why the tiers of prices come with prices only.
_EXPANSIONS = {
    "customers": ("discount.source.coupon",),
    "prices": ("tiers", "currency_options"),
    "plans": ("tiers",),
    "coupons": ("applies_to", "currency_options"),
    "subscriptions": ("discounts.source.coupon", "items.data.discounts"),
    "invoices": ("discounts.source.coupon", "lines.data.discounts"),
}
_NESTED_LISTS = {"subscriptions": "items", "invoices": "lines", "credit_notes": "lines"}
# What an event about one object changes in others, which get no event of their own.
_ALSO_CHANGED = {
    "credit_note": {"invoice": "invoices"},
    "refund": {"charge": "charges"},
    "dispute": {"charge": "charges"},
    "invoice_payment": {"invoice": "invoices"},
    "discount": {"customer": "customers", "subscription": "subscriptions"},
}
# Stripe keeps events for 30 days. The last day may be gone while the pull is at work.
_EVENTS_KEPT = timedelta(days=29)
_PAGE = 100
_FETCHERS = 8
# Addresses that are signed again each time.
_SIGNED = re.compile(rb'"(hosted_invoice_url|invoice_pdf|receipt_url)":"[^"]*"')
_ID = re.compile(rb'\{"id":"([^"\\]+)"')


class Stripe:
    """Pulls from the account of `STRIPE_API_KEY`.

    Args:
        objects: Which to pull; a part of `OBJECTS`.

    Raises:
        UsageError: The key is not set.
        PullError: Stripe does not accept the key, or it may not read all of the objects.
    """

    name = NAME

    def __init__(self, objects: Sequence[str]) -> None:
        key = required("STRIPE_API_KEY")
        base = setting("STRIPE_API_BASE") or "https://api.stripe.com"
        self._client = stripe.StripeClient(
            key,
            stripe_version=API_VERSION,
            base_addresses={"api": base.rstrip("/")},
            max_network_retries=2,
        )
        self.objects = objects
        mode = "test" if "_test_" in key else "live"
        self.account = " ".join(filter(None, (urlsplit(base).netloc, mode, self._account_id())))
        self._now = self._check()

    def clock(self) -> datetime:
        """Stripe's time when the pull began."""
        return self._now

    def size(self) -> int:
        """How many steps the progress bar counts."""
        return len(self.objects)

    def _account_id(self) -> str:
        """The account's id, or nothing if the key may not read it.

        A folder may have batches of several accounts, whose windows differ.
        """
        with suppress(stripe.PermissionError, stripe.InvalidRequestError, PullError):
            found: Any = self._asked("/v1/account").data
            return str(found.get("id", ""))
        return ""

    def _check(self) -> datetime:
        """Reads one record of each object, which shows what the key may not read."""
        refused = []
        now = datetime.now(UTC)
        for name in dict.fromkeys((*self.objects, "events")):
            try:
                response = self._asked(f"/v1/{name}", limit=1)
            except stripe.PermissionError:
                refused.append(name)
                continue
            with suppress(TypeError, ValueError):
                now = parsedate_to_datetime(response.headers.get("Date", ""))
        if refused:
            raise PullError(
                f"STRIPE_API_KEY may not read {', '.join(refused)}: in Stripe's dashboard, give"
                " the restricted key the permission to read them, or name others with --objects"
            )
        return now

    def pull(self, job: Job) -> None:
        """Writes the objects that the draft does not have yet."""
        starts = self._starts(job, [name for name in self.objects if not job.draft.has(NAME, name)])
        changed = self._pull_events(job, starts)
        for name in starts:
            if name != "events":
                self._pull_object(job, name, starts[name], changed.get(name, {}))
            job.progress.advance(1)

    def _starts(self, job: Job, names: Sequence[str]) -> dict[str, datetime | None]:
        """The start of each object's window; None where all of it has to be read."""
        starts = {name: job.start(NAME, self.account, name) for name in names}
        oldest_event = self._now - _EVENTS_KEPT
        stale = []
        for name, start in starts.items():
            if start is None or job.request.since:
                continue
            if name == "balance_transactions":
                starts[name] = start - job.request.look_back
            elif name != "events" and start < oldest_event:
                stale.append(name)
                starts[name] = None
        if stale:
            job.note(
                f"stripe: the last pull is older than the events that Stripe keeps, so all"
                f" {', '.join(stale)} are read to find those that changed"
            )
        return starts

    def _pull_events(
        self, job: Job, starts: Mapping[str, datetime | None]
    ) -> dict[str, dict[str, int]]:
        """Writes the events, and returns which objects they changed and when, by object."""
        changed: dict[str, dict[str, int]] = {}
        if not starts:
            return changed
        dated = [start for start in starts.values() if start]
        is_written = "events" in starts
        # An object with its whole history needs no events. The archive itself may.
        start = starts["events"] if is_written else None
        if dated and not (is_written and start is None):
            start = min(dated)
        if not is_written and not dated:
            return changed
        known = self._known(job, "events", start)

        def unknown() -> Iterator[tuple[str, bytes]]:
            for event in self._listed("events", start, job.request.until):
                _note_changes(event, changed)
                if job.request.full or not known.has_id(event["id"]):
                    yield event["id"], _line(event)

        if is_written:
            _write(job, "events", start, unknown())
        else:
            for _ in unknown():
                pass
        return changed

    def _pull_object(
        self, job: Job, name: str, start: datetime | None, changed: Mapping[str, int]
    ) -> None:
        known = self._known(job, name, start)
        listed = set()

        def records() -> Iterator[Object]:
            for record in self._listed(name, start, job.request.until):
                listed.add(record["id"])
                yield record
            if start:
                left = [
                    key
                    for key, at in changed.items()
                    if key not in listed and at >= int(start.timestamp())
                ]
                yield from self._fetched(name, left)

        def lines() -> Iterator[tuple[str, bytes]]:
            for record in records():
                line = _line(self._completed(name, record))
                if job.request.full or not known.is_same(record["id"], _lasting(line)):
                    yield record["id"], line

        _write(job, name, start, lines())

    def _known(self, job: Job, name: str, start: datetime | None) -> Known:
        return Known(job.history.files(NAME, self.account, name, start), _read)

    def _listed(
        self, name: str, start: datetime | None, until: datetime | None
    ) -> Iterator[Object]:
        """The objects created in a window, newest first."""
        parameters: Object = {}
        if name == "subscriptions":
            parameters["status"] = "all"
        if name in _EXPANSIONS:
            parameters["expand"] = [f"data.{path}" for path in _EXPANSIONS[name]]
        created = {}
        if start:
            created["gte"] = int(start.timestamp())
        if until:
            created["lt"] = int(until.timestamp())
        if created:
            parameters["created"] = created
        return self._pages(f"/v1/{name}", parameters)

    def _pages(self, url: str, parameters: Object) -> Iterator[Object]:
        asked = {**parameters, "limit": _PAGE}
        while True:
            try:
                page: Any = self._asked(url, **asked).data
            except (stripe.InvalidRequestError, stripe.PermissionError) as error:
                raise _failure(url, error) from None
            yield from page["data"]
            if not page["has_more"] or not page["data"]:
                return
            asked["starting_after"] = page["data"][-1]["id"]

    def _fetched(self, name: str, ids: Sequence[str]) -> Iterator[Object]:
        """Objects by their ids; those that were deleted and leave nothing behind are left out."""
        parameters = {"expand": list(_EXPANSIONS[name])} if name in _EXPANSIONS else {}

        def fetch(key: str) -> Object | None:
            url = f"/v1/{name}/{quote(key, safe='')}"
            try:
                found: Any = self._asked(url, **parameters).data
            except stripe.InvalidRequestError as error:
                if error.http_status == HTTPStatus.NOT_FOUND:
                    return None
                raise _failure(url, error) from None
            except stripe.PermissionError as error:
                raise _failure(url, error) from None
            return dict(found)

        with ThreadPoolExecutor(_FETCHERS) as threads:
            yield from filter(None, threads.map(fetch, ids))

    def _completed(self, name: str, record: Object) -> Object:
        """The record with all that its nested list has, which comes with the first items only."""
        key = _NESTED_LISTS.get(name, "")
        nested = record.get(key)
        if not isinstance(nested, dict) or not nested.get("has_more"):
            return record
        url = urlsplit(nested["url"])
        parameters: Object = dict(parse_qsl(url.query))
        if nested["data"]:
            parameters["starting_after"] = nested["data"][-1]["id"]
        prefix = f"{key}.data."
        if expand := [
            f"data.{path.removeprefix(prefix)}"
            for path in _EXPANSIONS.get(name, ())
            if path.startswith(prefix)
        ]:
            parameters["expand"] = expand
        rest = list(self._pages(url.path, parameters))
        complete = {**nested, "data": [*nested["data"], *rest], "has_more": False}
        return {**record, key: complete}

    def _asked(self, url: str, **parameters: Any) -> stripe.StripeResponse:
        """A response of the API.

        Raises:
            stripe.PermissionError: The key may not read this.
            stripe.InvalidRequestError: There is no such object.
            PullError: Anything else that repeating does not help.
        """
        try:
            request: Callable[..., stripe.StripeResponse] = self._client.raw_request
            return retrying(lambda: request("get", url, **parameters), _delay_of)
        except (stripe.InvalidRequestError, stripe.PermissionError):
            raise
        except stripe.AuthenticationError as error:
            reason = f"Stripe does not accept STRIPE_API_KEY: {scrubbed(error.user_message)}"
        except stripe.StripeError as error:
            raise _failure(url, error) from None
        raise PullError(reason)


def _failure(url: str, error: stripe.StripeError) -> PullError:
    return PullError(
        f"Stripe failed at {url}: {scrubbed(error)}; the same command continues where this one"
        " stopped"
    )


def _delay_of(error: Exception) -> float | None:
    """The seconds to wait before the call is repeated; None where that does not help."""
    if isinstance(error, stripe.APIConnectionError):
        is_certificate = isinstance(error.__cause__, requests.exceptions.SSLError)
        is_header = isinstance(error.__cause__, requests.exceptions.InvalidHeader)
        return None if is_certificate or is_header else 0
    if isinstance(error, stripe.RateLimitError):
        return asked_delay((error.headers or {}).get("Retry-After"))
    if isinstance(error, stripe.APIError):
        # Without a status, or with a good one, the body was cut off.
        status = error.http_status or 0
        is_refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        return None if is_refused else asked_delay((error.headers or {}).get("Retry-After"))
    return None


def _note_changes(event: Object, changed: dict[str, dict[str, int]]) -> None:
    """Adds the objects that an event is about, and when they changed, by object."""
    about = event["data"]["object"]
    kind = about.get("object", "")
    found = [(KINDS.get(kind, ""), about.get("id"))]
    found += [(name, about.get(key)) for key, name in _ALSO_CHANGED.get(kind, {}).items()]
    for name, reference in found:
        key = reference.get("id") if isinstance(reference, dict) else reference
        if name and key:
            of_name = changed.setdefault(name, {})
            of_name[key] = max(event["created"], of_name.get(key, 0))


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()


def _lasting(line: bytes) -> bytes:
    """What has to differ for a record to have changed."""
    return _SIGNED.sub(b"", line)


def _write(job: Job, name: str, start: datetime | None, lines: Iterator[tuple[str, bytes]]) -> None:
    """Writes the lines of an object, and records that it is done."""
    file_name = f"{NAME}/{name}.jsonl.gz"
    path = job.draft.path(file_name)
    rows = 0
    with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as zipped:
        for _, line in lines:
            zipped.write(line + b"\n")
            rows += 1
    job.draft.done(NAME, name, {file_name: {"rows": rows}} if rows else {}, start)


def _read(path: Path) -> Iterator[tuple[str, bytes]]:
    """The id and the line of each record of a file that a pull wrote."""
    try:
        with gzip.open(path) as lines:
            for line in lines:
                content = line.rstrip(b"\n")
                found = _ID.match(content)
                key = found.group(1).decode() if found else json.loads(content)["id"]
                yield key, _lasting(content)
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise PullError(
            f"{path} cannot be read ({error}); restore it, or read everything again with --full"
        ) from error
