"""JSON documents that hold several records, or a wrapped one, unpacked without being rewritten.

A record's text is a slice of the file, so digits and key order remain as the vendor wrote them.
Only context that the record lacks (the invoice of a page of lines, the send time of a Segment
batch) is added, as one more key.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from ingest.catalog import segment

Unwrap = Callable[[str], Iterator[str]]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[\s,:\ufeff]*")
_LINES_URL = re.compile(r"/v1/invoices/(\w+)/lines")
_ITEMS_URL = re.compile(r"/v1/subscription(?:s/|_items\?(?:.*&)?subscription=)(\w+)")
# Messages of Singer and Airbyte that are not records.
_CONTROL_MESSAGES = {"SCHEMA", "STATE", "ACTIVATE_VERSION", "LOG", "TRACE", "CATALOG", "SPEC"}


def values(text: str) -> Iterator[str]:
    """The JSON values that follow one another in a text.

    Raises:
        ValueError: what follows is not JSON.
    """
    at = _skip(text, 0)
    while at < len(text):
        _, end = _DECODER.raw_decode(text, at)
        yield text[at:end]
        at = _skip(text, end)


def stripe_records(text: str) -> Iterator[str]:
    """The Stripe objects in a JSON value: itself, a page, an array, a fixture file, a wrapper."""
    value = json.loads(text)
    if isinstance(value, list):
        yield from _each(_elements(text))
    elif not isinstance(value, dict):
        yield text
    elif value.get("object") == "list" and isinstance(value.get("data"), list):
        owner = _owner(value.get("url"))
        yield from (_with(item, owner) for item in _each(_elements(_member(text, "data"))))
    elif "object" in value:
        yield text
    elif isinstance(value.get("resources"), dict):
        yield from _each(item for _, item in _members(_member(text, "resources")))
    elif value.get("type") not in _CONTROL_MESSAGES:
        yield from _unwrapped(text, value)


def _each(texts: Iterable[str]) -> Iterator[str]:
    return chain.from_iterable(map(stripe_records, texts))


def _unwrapped(text: str, value: dict[str, object]) -> Iterator[str]:
    """The record in the wrapper of a pipeline tool, or an event that does not say it is one."""
    if isinstance(value.get("_airbyte_data"), str):
        yield from stripe_records(str(value["_airbyte_data"]))
    elif inner := _wrapped(value):
        yield from stripe_records(_member(text, inner))
    elif {"id", "type", "data"} <= value.keys():
        yield _with(text, {"object": '"event"'})
    else:
        yield text


def segment_records(text: str) -> Iterator[str]:
    """The Segment messages in a JSON value: itself, an array, or the body of a batch call."""
    value = json.loads(text)
    if isinstance(value, list):
        yield from chain.from_iterable(segment_records(item) for item in _elements(text))
    elif isinstance(value, dict) and isinstance(value.get("batch"), list):
        shared = {
            key: raw for key, raw in _members(text) if key not in {"batch", "writeKey", "type"}
        }
        for item in _elements(_member(text, "batch")):
            yield from (_with(record, shared) for record in segment_records(item))
    else:
        yield text


def vendor_of(value: object) -> str | None:
    """The vendor whose record, or container of records, a decoded JSON value is."""
    if isinstance(value, list):
        return next((vendor for vendor in map(vendor_of, value) if vendor), None)
    if not isinstance(value, dict):
        return None
    if value.get("type") in segment.TYPES or isinstance(value.get("batch"), list):
        return "segment"
    if (
        isinstance(value.get("object"), str)
        or isinstance(value.get("resources"), dict)
        or isinstance(value.get("_airbyte_data"), str)
        or {"id", "type", "data"} <= value.keys()
    ):
        return "stripe"
    inner = _wrapped(value)
    return vendor_of(value[inner]) if inner else None


def _wrapped(value: dict[str, object]) -> str | None:
    """The key under which Singer, Airbyte and their like put the record."""
    if isinstance(value.get("_airbyte_data"), dict):
        return "_airbyte_data"
    if isinstance(value.get("record"), dict):
        return "record"
    if "stream" in value and isinstance(value.get("data"), dict):
        return "data"
    return None


def _owner(url: object) -> dict[str, str]:
    """What a page's address says of its items."""
    for key, pattern in (("invoice", _LINES_URL), ("subscription", _ITEMS_URL)):
        if isinstance(url, str) and (found := pattern.search(url)):
            return {key: json.dumps(found.group(1))}
    return {}


def _with(text: str, members: dict[str, str]) -> str:
    """An object with members (raw JSON by key) that it does not have itself."""
    own = {key for key, _ in _members(text)} if members and text.startswith("{") else None
    if own is None:
        return text
    added = [f"{json.dumps(key)}:{raw}" for key, raw in members.items() if key not in own]
    if not added:
        return text
    return "{" + ",".join(added) + ("," if own else "") + text[1:]


def _member(text: str, key: str) -> str:
    return next(raw for name, raw in _members(text) if name == key)


def _members(text: str) -> Iterator[tuple[str, str]]:
    """Keys and raw values of the JSON object that the text starts with."""
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, at)
        _, at = _DECODER.raw_decode(text, start)
        yield key, text[start:at]
        at = _skip(text, at)


def _elements(text: str) -> Iterator[str]:
    """Raw values of the JSON array that the text starts with."""
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "]":
        start = at
        _, at = _DECODER.raw_decode(text, start)
        yield text[start:at]
        at = _skip(text, at)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
