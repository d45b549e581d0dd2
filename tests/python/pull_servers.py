"""Servers that answer a pull as Stripe and Salesforce do, with records that a test gives them.

`StripeServer` serves any records by the rules of Stripe's lists: newest first, `created`, cursors,
expansions only where they are asked for, nested lists cut off, events of the last 30 days.
`SalesforceServer` is a fake of Bulk API 2.0 queries and of the REST calls around them. It differs
from Salesforce's documentation: a query is parsed by one regular expression and knows `>=` and `<`
on one field only; jobs are done at their second poll; a page has at most `page` records, where
Salesforce chooses; limits, describes and errors hold only the members that a pull reads.

Both date their answers by `now`, and take `faults`: what to do instead of the next answers.
"""

import csv
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

Record = dict[str, Any]
# Status, body and headers.
Answer = tuple[int, str, dict[str, str]]
Faults = list[int | str | None]

KEY = "sk_test_51Hsecretsecret"
TOKEN = "00Dx0000000secret!token"
_KEPT_EVENTS = 30 * 86_400
_NESTED_PAGE = 10


@dataclass
class Server(ABC):
    """What both have in common.

    Attributes:
        now: the server's clock.
        faults: consumed by the next requests: a status to answer with, `cut` for half a body,
            `drop` for a connection that is closed; None for a good answer.
        requests: the paths that were asked for, with their queries.
    """

    now: datetime = datetime(2026, 10, 1, tzinfo=UTC)
    faults: Faults = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    @abstractmethod
    def answer(self, method: str, target: str, body: str, headers: dict[str, str]) -> Answer:
        """Answers a request."""

    @abstractmethod
    def refusal(self, status: int) -> Answer:
        """Refuses a request as the vendor does."""

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serves on a free port, and gives the address."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self.url
        finally:
            server.shutdown()
            server.server_close()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(server.now, usegmt=True)

        def log_message(self, *_: object) -> None:
            pass

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            with lock:
                server.requests.append(f"{self.command} {unquote(self.path)}")
                fault = server.faults.pop(0) if server.faults else None
            if fault == "drop":
                self.close_connection = True
                return
            if isinstance(fault, int):
                status, text, headers = server.refusal(fault)
            else:
                status, text, headers = server.answer(
                    self.command, self.path, body, dict(self.headers)
                )
            content = text.encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if fault == "cut":
                content = content[: len(content) // 2]
                self.close_connection = True
            with suppress(OSError):
                self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815

    return Handler


@dataclass
class StripeServer(Server):
    """Records by the name of their list, such as `customers`; each has an id and `created`.

    Attributes:
        records: what there is, in any order.
        forbidden: lists that the key may not read.
        account: whose records they are.
        only_if_expanded: members that are only there when they are asked for, by list.
    """

    records: dict[str, list[Record]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    account: str = "acct_1"

    only_if_expanded = {  # noqa: RUF012
        "prices": {"tiers", "currency_options"},
        "plans": {"tiers"},
        "coupons": {"applies_to", "currency_options"},
        "subscriptions": {"discounts"},
        "invoices": {"discounts"},
    }
    _nested = {"subscriptions": "items", "invoices": "lines", "credit_notes": "lines"}  # noqa: RUF012

    def refusal(self, status: int) -> Answer:
        kind = "rate_limit_error" if status == 429 else "api_error"
        error = {"error": {"type": kind, "message": f"try again ({status})"}}
        return status, json.dumps(error), {"Retry-After": "0"}

    def answer(self, method: str, target: str, body: str, headers: dict[str, str]) -> Answer:
        url = urlsplit(target)
        asked = parse_qs(url.query)
        given = headers.get("Authorization", "").removeprefix("Bearer ")
        _, _, name, *rest = url.path.split("/")
        if given != KEY or name in self.forbidden:
            status, message = (403, "not permitted") if given == KEY else (401, f"no key {given}")
            error = {"type": "invalid_request_error", "message": message}
            return status, json.dumps({"error": error}), {}
        assert headers["Stripe-Version"] == "2026-07-29.dahlia"
        if name == "invoices" and rest[1:] == ["lines"]:
            return self._page(self._one(name, rest[0])["lines"]["data"], asked, target)
        if name == "subscription_items":
            owner = self._one("subscriptions", asked["subscription"][0])
            return self._page(owner["items"]["data"], asked, target)
        paths = {
            path.removeprefix("data.")
            for key, listed in asked.items()
            if key.startswith("expand")
            for path in listed
        }
        if rest or name == "account":
            found = self._one(name, rest[0]) if rest else {"id": self.account}
            if not found:
                error = {"type": "invalid_request_error", "code": "resource_missing"}
                return 404, json.dumps({"error": error}), {}
            return 200, json.dumps(self._shown(name, found, paths), indent=2), {}
        return self._page(
            [self._shown(name, one, paths) for one in self._listed(name, asked)], asked, target
        )

    def _one(self, name: str, key: str) -> Record:
        return next((one for one in self.records.get(name, ()) if one["id"] == key), {})

    def _listed(self, name: str, asked: dict[str, list[str]]) -> list[Record]:
        """The objects of a window, newest first."""
        now = int(self.now.timestamp())
        start = int(asked.get("created[gte]", ["0"])[0])
        end = int(asked.get("created[lt]", [str(now + 1)])[0])
        if name == "events":
            start = max(start, now - _KEPT_EVENTS)
        has_ended = name != "subscriptions" or asked.get("status") == ["all"]
        listed = [
            one
            for one in self.records.get(name, ())
            if start <= one["created"] < min(end, now + 1)
            and (has_ended or one["status"] != "canceled")
        ]
        return sorted(listed, key=lambda one: (one["created"], one["id"]), reverse=True)

    def _shown(self, name: str, record: Record, expanded: set[str]) -> Record:
        tops = {path.split(".")[0] for path in expanded}
        shown = dict(record)
        for key in self.only_if_expanded.get(name, set()) - tops:
            if name in {"subscriptions", "invoices"} and isinstance(shown.get(key), list):
                shown[key] = [one if isinstance(one, str) else one["id"] for one in shown[key]]
            elif name not in {"subscriptions", "invoices"}:
                shown.pop(key, None)
        nested = shown.get(self._nested.get(name, ""))
        if isinstance(nested, dict) and len(nested["data"]) > _NESTED_PAGE:
            url = (
                f"/v1/invoices/{record['id']}/lines"
                if name == "invoices"
                else f"/v1/subscription_items?subscription={record['id']}"
            )
            first = {"data": nested["data"][:_NESTED_PAGE], "has_more": True, "url": url}
            shown[self._nested[name]] = {**nested, **first}
        return shown

    @staticmethod
    def _page(listed: list[Record], asked: dict[str, list[str]], target: str) -> Answer:
        ids = [one["id"] for one in listed]
        start = ids.index(after[0]) + 1 if (after := asked.get("starting_after")) else 0
        limit = int(asked.get("limit", ["10"])[0])
        assert 1 <= limit <= 100
        page = {
            "object": "list",
            "url": urlsplit(target).path,
            "has_more": len(listed) > start + limit,
            "data": listed[start : start + limit],
        }
        return 200, json.dumps(page, indent=2), {}


@dataclass
class SalesforceServer(Server):
    """Records by object, each with the same fields.

    Attributes:
        records: what there is; the fields of an object are those of its first record.
        hidden: fields that the user may not read.
        not_in_bulk: objects that bulk queries do not support.
        remaining: what is left of the daily limits.
        page: the most records of a page of results.
        token: the token that is valid; a new one is given for `client_credentials`.
    """

    records: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    not_in_bulk: set[str] = field(default_factory=set)
    remaining: dict[str, int] = field(default_factory=dict)
    page: int = 1000
    token: str = TOKEN
    _jobs: dict[str, Record] = field(default_factory=dict)

    _soql = re.compile(
        r"SELECT (?P<fields>[\w, ]+) FROM (?P<name>\w+)"
        r"(?: WHERE (?P<clock>\w+) >= (?P<gte>[\dT:Z-]+))?"
        r"(?:(?: AND| WHERE) (?P<upper>\w+) < (?P<lt>[\dT:Z-]+))?"
    )

    def refusal(self, status: int) -> Answer:
        body = [{"errorCode": "SERVER_UNAVAILABLE", "message": f"try again ({status})"}]
        return status, json.dumps(body), {"Retry-After": "0"}

    @staticmethod
    def _error(status: int, code: str, message: str) -> Answer:
        return status, json.dumps([{"errorCode": code, "message": message}]), {}

    def answer(self, method: str, target: str, body: str, headers: dict[str, str]) -> Answer:
        url = urlsplit(target)
        asked = dict(parse_qsl(url.query))
        if url.path == "/services/oauth2/token":
            form = dict(parse_qsl(body))
            is_known = form["grant_type"] == "client_credentials" and form["client_secret"] == TOKEN
            answer = {"access_token": self.token} if is_known else {"error": "invalid_client"}
            return 200 if is_known else 400, json.dumps(answer), {}
        if headers.get("Authorization") != f"Bearer {self.token}":
            return self._error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        path = url.path.removeprefix("/services/data/v64.0/")
        if path.startswith("jobs/query"):
            return self._job(method, path.split("/")[2:], body, asked)
        if path.startswith("queryAll"):
            return self._rest(asked, path)
        name = path.split("/")[1] if "/" in path else ""
        if path != "limits" and not self.records.get(name):
            return self._error(404, "NOT_FOUND", "The requested resource does not exist")
        left = {name: {"Max": 9, "Remaining": n} for name, n in self.remaining.items()}
        fields = [{"name": one, "type": "string"} for one in self._fields(name)] if name else []
        return 200, json.dumps({"name": name, "fields": fields} if name else left), {}

    def _job(self, method: str, names: list[str], body: str, asked: dict[str, str]) -> Answer:
        if method == "POST":
            return self._create(json.loads(body))
        if method == "DELETE":
            self._jobs.pop(names[0])
            return 204, "", {}
        job = self._jobs[names[0]]
        if len(names) > 1:
            return self._results(job, asked)
        state, job["state"] = job["state"], job["next"]
        return 200, json.dumps({**job["shown"], "state": state}), {}

    def _fields(self, name: str) -> list[str]:
        return [one for one in self.records[name][0] if one not in self.hidden]

    def _rows(self, query: str) -> list[list[str]]:
        found = self._soql.fullmatch(query)
        assert found, query
        names = found["fields"].split(", ")
        assert set(names) <= set(self._fields(found["name"])), "No such column"
        records = self.records[found["name"]]
        for key, limit in ((found["clock"], "gte"), (found["upper"], "lt")):
            if key:
                bound = _instant(found[limit])
                keeps: Callable[[datetime], bool] = bound.__le__ if limit == "gte" else bound.__gt__
                records = [one for one in records if keeps(_instant(one[key]))]
        now = self.now
        clock = next((one for one in ("SystemModstamp", "CreatedDate") if one in names), "")
        return [
            names,
            *(
                [one[name] for name in names]
                for one in records
                if not clock or _instant(one[clock]) <= now
            ),
        ]

    def _create(self, asked: Record) -> Answer:
        assert asked["operation"] == "queryAll"
        found = self._soql.fullmatch(asked["query"])
        assert found, asked
        name = found["name"]
        if name in self.not_in_bulk:
            message = f"Entity '{name}' is not supported by the Bulk API."
            return self._error(400, "INVALIDENTITY", message)
        header, *rows = self._rows(asked["query"])
        key = f"750{len(self.requests):015}"
        shown = {"id": key, "object": name, "numberRecordsProcessed": len(rows)}
        self._jobs[key] = {
            "shown": shown,
            "rows": [header, *rows],
            "state": "InProgress",
            "next": "JobComplete",
        }
        return 200, json.dumps({**shown, "state": "UploadComplete"}), {}

    def _results(self, job: Record, asked: dict[str, str]) -> Answer:
        start = int(asked.get("locator", "0"))
        size = min(self.page, int(asked["maxRecords"]))
        header, *rows = job["rows"]
        part = rows[start : start + size]
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([header, *part])
        following = str(start + size) if start + size < len(rows) else "null"
        counted = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(part))}
        return 200, out.getvalue(), {"Content-Type": "text/csv", **counted}

    def _rest(self, asked: dict[str, str], path: str) -> Answer:
        self._query = asked.get("q", self._query)
        header, *rows = self._rows(self._query)
        start = int(path.rpartition("-")[2]) if "q" not in asked else 0
        part = rows[start : start + self.page]
        following = start + self.page
        answer: Record = {"done": following >= len(rows)}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"/services/data/v64.0/queryAll/01g-{following}"
        answer["records"] = [
            {"attributes": {}, **{n: _typed(v) for n, v in zip(header, row, strict=True)}}
            for row in part
        ]
        return 200, json.dumps(answer), {}

    _query: str = ""


def _typed(text: str) -> object:
    """A cell as the REST API gives it."""
    return {"": None, "true": True, "false": False}.get(text, text)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@contextmanager
def at_once() -> Iterator[None]:
    """Repeats failed calls and polls jobs without waiting."""
    with (
        patch("ingest.pull.retry._FIRST_DELAY", 0.0),
        patch("ingest.pull.salesforce._FIRST_WAIT", 0.0),
        patch("stripe._http_client.HTTPClient.INITIAL_DELAY", 0.0),
        patch("stripe._http_client.HTTPClient.MAX_DELAY", 0.0),
    ):
        yield


@contextmanager
def program(*arguments: object, port: int, settings: Mapping[str, str]) -> Iterator[str]:
    """Runs a server of a package, and gives its address once it answers."""
    command = [sys.executable, *map(str, arguments)]
    with subprocess.Popen(
        command,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            for _ in range(600):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                assert process.poll() is None, f"{arguments} ended"
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
