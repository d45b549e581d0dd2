"""Salesforce's objects by Bulk API 2.0 queries, CSV files as Salesforce sends them.

`queryAll` includes deleted records with `IsDeleted`. Windows are by `SystemModstamp`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from simple_salesforce.api import Salesforce as Client
from simple_salesforce.bulk2 import Operation
from simple_salesforce.exceptions import SalesforceError, SalesforceExpiredSession

from ingest import catalog
from ingest.errors import UsageError
from ingest.pull import salesforce_rows
from ingest.pull.errors import PullError, required, scrubbed, setting
from ingest.pull.history import iso
from ingest.pull.job import Job, Known
from ingest.pull.retry import asked_delay, retrying

_T = TypeVar("_T")

NAME = "salesforce"
OBJECTS = tuple(table.name for table in catalog.tables_of(NAME))
_VERSION = "64.0"
_PAGE = 50_000
_TIMEOUT = (30, 300)
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0
# One call creates a job, some poll it, one fetches each page, one deletes it.
_CALLS_EACH = 20
_CLOCKS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
# Bulk queries do not support these types of fields.
_UNSUPPORTED = {"address", "location", "base64", "complexvalue"}
_NO_ACCESS = {"INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INVALID_TYPE"}
_LOCAL = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of an object to query, those that cannot be, and the one that dates changes."""

    names: tuple[str, ...]
    left_out: tuple[str, ...]
    clock: str


class _Session(requests.Session):
    """A session with a time limit that remembers the server's clock and how long it asks to wait.

    Salesforce's errors carry no headers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.server_time: datetime | None = None
        self.asked_delay = 0.0

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        options.setdefault("timeout", _TIMEOUT)
        response = super().request(*arguments, **options)
        self.asked_delay = asked_delay(response.headers.get("Retry-After"))
        with suppress(TypeError, ValueError):
            self.server_time = parsedate_to_datetime(response.headers.get("Date", ""))
        return response


class Salesforce:
    """Pulls from the org of `SALESFORCE_INSTANCE_URL`.

    Args:
        objects: Which to pull; a part of `OBJECTS`.

    Raises:
        UsageError: A variable is not set.
        PullError: Salesforce does not accept the credentials, or too few API calls are left.
    """

    name = NAME

    def __init__(self, objects: Sequence[str]) -> None:
        self._url = required("SALESFORCE_INSTANCE_URL").rstrip("/")
        parts = urlsplit(self._url)
        if parts.scheme != "https" and parts.hostname not in _LOCAL:
            raise UsageError("SALESFORCE_INSTANCE_URL has to start with https://")
        self.objects = objects
        self.account = parts.netloc
        self._session = _Session()
        self._client = self._connected()
        self._check_limits()

    def clock(self) -> datetime:
        """Salesforce's time."""
        return self._session.server_time or datetime.now(UTC)

    def size(self) -> int:
        """How many steps the progress bar counts."""
        return len(self.objects)

    def _connected(self) -> Client:
        token = setting("SALESFORCE_ACCESS_TOKEN") or self._token()
        client = Client(
            instance_url=self._url, session_id=token, version=_VERSION, session=self._session
        )
        # The package takes every instance for one with TLS.
        client.base_url = f"{self._url}/services/data/v{_VERSION}/"
        client.bulk2_url = f"{client.base_url}jobs/"
        return client

    def _token(self) -> str:
        """A token by the client credentials flow."""
        if not setting("SALESFORCE_CLIENT_ID"):
            raise UsageError(
                "set SALESFORCE_ACCESS_TOKEN, or SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET"
            )
        form = {
            "grant_type": "client_credentials",
            "client_id": required("SALESFORCE_CLIENT_ID"),
            "client_secret": required("SALESFORCE_CLIENT_SECRET"),
        }
        response = self._repeated(
            lambda: self._session.post(f"{self._url}/services/oauth2/token", data=form)
        )
        try:
            answer = response.json()
            return str(answer["access_token"])
        except (ValueError, KeyError, TypeError):
            raise PullError(
                "Salesforce does not accept SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET:"
                f" {scrubbed(response.text)}"
            ) from None

    def _check_limits(self) -> None:
        """Stops before the first query if the org's limits do not leave room for all of them."""
        try:
            limits = self._call(lambda: self._client.restful("limits")) or {}
        except SalesforceError as error:
            # Only some users may see the limits.
            if _code(error) in {"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"}:
                raise PullError(f"Salesforce refuses its API: {_reason(error)}") from None
            return
        for limit, needed in (
            ("DailyApiRequests", _CALLS_EACH * len(self.objects)),
            ("DailyBulkV2QueryJobs", len(self.objects)),
        ):
            left = limits.get(limit, {}).get("Remaining", needed)
            if left < needed:
                raise PullError(
                    f"Salesforce's limit {limit} leaves {left:,} of the {needed:,} that this pull"
                    " may need; run it again when the limit is renewed, or name fewer --objects"
                )

    def pull(self, job: Job) -> None:
        """Writes the objects that the draft does not have yet."""
        wanted = {name.lower(): names for name, names in job.request.custom_fields}
        for name in self.objects:
            if not job.draft.has(NAME, name):
                fields = self._fields(job, name, wanted.get(name.lower(), ()))
                if fields:
                    self._pull_object(job, name, fields)
            job.progress.advance(1)

    def _fields(self, job: Job, name: str, custom: Sequence[str]) -> _Fields | None:
        """The declared and the custom fields that the org has and the user may read."""
        table = next(table for table in catalog.tables_of(NAME) if table.name == name)
        try:
            described = self._call(lambda: self._client.restful(f"sobjects/{name}/describe")) or {}
        except SalesforceError as error:
            # The daily limit and a disabled API are refusals with 403 too.
            if error.status != HTTPStatus.NOT_FOUND and _code(error) not in _NO_ACCESS:
                raise _failure(name, error) from None
            job.note(
                f"salesforce: {name} is left out: the org lacks it, or the user may not read it"
            )
            return None
        readable = {
            field["name"].lower(): field["name"]
            for field in described.get("fields", ())
            if field.get("type") not in _UNSUPPORTED
        }
        asked = [*(column.name for column in table.columns), *custom]
        names = tuple(dict.fromkeys(readable[n.lower()] for n in asked if n.lower() in readable))
        lacking = tuple(dict.fromkeys(n for n in asked if n.lower() not in readable))
        if missing := [n for n in table.required if n in lacking]:
            job.note(
                f"salesforce: {name} is left out: the user may not read its {', '.join(missing)}"
            )
            return None
        window = job.history.window(NAME, self.account, name)
        if lacking and (window is None or window.left_out != set(lacking)):
            needed = [n for n in lacking if n in {*table.wanted, *custom}]
            others = len(lacking) - len(needed)
            counted = (
                [f"{others} of its other fields (`left_out` in _batch.json)"] if others else []
            )
            job.note(
                f"salesforce: {name} comes without {', '.join([*needed, *counted])}:"
                " the org lacks them, or the user may not read them"
            )
        clock = next((n for n in _CLOCKS if n in names), "")
        return _Fields(names, lacking, clock)

    def _pull_object(self, job: Job, name: str, fields: _Fields) -> None:
        start = job.start(NAME, self.account, name) if fields.clock else None
        window = job.history.window(NAME, self.account, name)
        if start and window and (new := set(fields.names) - window.fields):
            job.note(f"salesforce: all of {name} is read, as {', '.join(sorted(new))} is new")
            start = None
        conditions = [f"{fields.clock} >= {iso(start)}"] if start else []
        if job.request.until and fields.clock:
            conditions.append(f"{fields.clock} < {iso(job.request.until)}")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT {', '.join(fields.names)} FROM {name}{where}"
        known = Known(job.history.files(NAME, self.account, name, start), salesforce_rows.read)
        files: dict[str, dict[str, Any]] = {}
        try:
            for page in self._result(query):
                rows, text = salesforce_rows.new_rows(page, known, keep_all=job.request.full)
                if rows:
                    part = f"-part-{len(files) + 1:04}" if files else ""
                    path = f"{NAME}/{name}{part}.csv"
                    job.draft.path(path).write_bytes(text.encode())
                    files[path] = {"rows": rows}
        except SalesforceError as error:
            raise _failure(name, error) from None
        job.draft.done(
            *(NAME, name, files, start),
            fields=sorted(fields.names),
            left_out=sorted(fields.left_out),
        )

    def _result(self, query: str) -> Iterator[str]:
        """Pages of CSV, each with a header, of a query that includes deleted records."""
        try:
            job = self._call(lambda: self._bulk.create_job(Operation.query_all, query=query))
            done = self._finished(job["id"])
        except _NotInBulkError:
            yield from self._rest_result(query)
            return
        except SalesforceError as error:
            if "bulk api" not in str(error.content).lower():
                raise
            yield from self._rest_result(query)
            return
        key, locator, rows = job["id"], "", 0
        while True:
            page = self._call(partial(self._page, key, locator))
            rows += page["number_of_records"]
            yield page["records"]
            locator = page["locator"]
            if not locator:
                break
        if rows != done.get("numberRecordsProcessed", rows):
            raise PullError(
                f"Salesforce sent {rows:,} of {done['numberRecordsProcessed']:,} records of"
                f" {query.split(' FROM ')[1]}; run the same command again"
            )
        # Results are kept for a week and count against the org's storage for them.
        with suppress(ValueError, SalesforceError, requests.RequestException):
            self._bulk.delete_job(key, is_query=True)

    def _finished(self, key: str) -> dict[str, Any]:
        """A job when it is complete."""
        wait = _FIRST_WAIT
        while True:
            job = self._call(lambda: self._bulk.get_job(key, is_query=True))
            if job["state"] == "JobComplete":
                return dict(job)
            if job["state"] in {"Failed", "Aborted"}:
                reason = str(job.get("errorMessage", ""))
                if "bulk api" in reason.lower():
                    raise _NotInBulkError
                raise PullError(
                    f"Salesforce's query of {job.get('object')} ended as {job['state']}:"
                    f" {scrubbed(reason)}"
                )
            time.sleep(wait)
            wait = min(wait * 1.5, _LONGEST_WAIT)

    def _rest_result(self, query: str) -> Iterator[str]:
        """The same by the REST API, for the few objects that bulk queries do not support."""
        header = query.removeprefix("SELECT ").split(" FROM ")[0].split(", ")
        path, parameters = "queryAll", {"q": query}
        while path:
            page = self._call(partial(self._client.restful, path, parameters)) or {}
            yield salesforce_rows.page(header, page.get("records", ()))
            following = page.get("nextRecordsUrl") or ""
            path, parameters = following.partition(f"/v{_VERSION}/")[2], {}

    def _page(self, key: str, locator: str) -> Any:
        return self._bulk.get_query_results(key, locator, max_records=_PAGE)

    @property
    def _bulk(self) -> Any:
        """The package's calls for bulk jobs; its own loop over them repeats nothing that failed."""
        handler: Any = self._client.bulk2
        return handler.Query._client

    def _call(self, call: Callable[[], Any]) -> Any:
        """A result of the API, after a new login where the session has ended."""
        try:
            return self._repeated(call)
        except SalesforceExpiredSession as error:
            if setting("SALESFORCE_ACCESS_TOKEN"):
                raise PullError(
                    "Salesforce does not accept SALESFORCE_ACCESS_TOKEN, or it has expired:"
                    f" {_reason(error)}"
                ) from None
        self._client = self._connected()
        return self._repeated(call)

    def _repeated(self, call: Callable[[], _T]) -> _T:
        def delay_of(error: Exception) -> float | None:
            if isinstance(error, requests.exceptions.SSLError | requests.exceptions.InvalidHeader):
                return None
            if isinstance(error, requests.RequestException):
                return 0
            return self._session.asked_delay if _may_pass(error) else None

        try:
            return retrying(call, delay_of)
        except requests.RequestException as error:
            reason = f"Salesforce is out of reach: {scrubbed(error)}"
        raise PullError(f"{reason}; the same command continues where this one stopped")


class _NotInBulkError(Exception):
    """Bulk queries do not support an object."""


def _may_pass(error: Exception) -> bool:
    if not isinstance(error, SalesforceError):
        return False
    if _code(error) == "REQUEST_LIMIT_EXCEEDED":
        # The other limit of this name is the one for a day.
        return "concurrent" in str(error.content).lower()
    status: int = error.status or 0
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _code(error: SalesforceError) -> str:
    content: Any = error.content
    first = content[0] if isinstance(content, list) and content else content
    return str(first.get("errorCode", "")) if isinstance(first, dict) else ""


def _reason(error: SalesforceError) -> str:
    content: Any = error.content
    first = content[0] if isinstance(content, list) and content else content
    return scrubbed(first.get("message", first) if isinstance(first, dict) else first)


def _failure(name: str, error: SalesforceError) -> PullError:
    if _code(error) == "REQUEST_LIMIT_EXCEEDED":
        return PullError(
            f"Salesforce's daily limit of API calls is used up ({_reason(error)});"
            " the same command continues when it is renewed"
        )
    return PullError(f"Salesforce refuses {name} ({error.status}): {_reason(error)}")


def custom_fields(variables: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The fields that the project's variables name, by object."""
    found: dict[str, list[str]] = {}
    for variable, name in (
        ("contract_term_field", "Opportunity"),
        ("loss_reason_field", "Opportunity"),
        ("account_segment_field", "Account"),
    ):
        if field := variables.get(variable):
            found.setdefault(name, []).append(str(field))
    for name, columns in (variables.get("salesforce_passthrough_columns") or {}).items():
        for column in columns:
            field = column["field"] if isinstance(column, dict) else column
            found.setdefault(str(name), []).append(str(field))
    return tuple((name, tuple(fields)) for name, fields in found.items())
