"""The identifying fields of one record: read or replaced, at any depth of its JSON."""

import json
from collections.abc import Callable, Mapping

from ingest.catalog import personal
from ingest.load.mentions import ERASED

Act = Callable[[str, str], str]


def parsed(text: str) -> object:
    """JSON with its numbers as they are written."""
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)


class Number(str):
    """A number as JSON wrote it."""

    __slots__ = ()


def written(value: object) -> str:
    """What `parsed` read, as JSON again."""
    match value:
        case Number():
            return str(value)
        case Mapping():
            return "{" + ",".join(f"{written(k)}:{written(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ",".join(map(written, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def walk(value: object, holder: str, act: Act) -> object:
    """Apply a function to every identifying text of a JSON value, and return the new value.

    Args:
        value: as `parsed` reads it.
        holder: the field that holds it, or the type of the object.
        act: takes a kind and a text, and returns the text to put there.
    """
    match value:
        case dict():
            inner_object = value.get("object")
            holder = inner_object if isinstance(inner_object, str) else holder
            # What a customer's event says was there before is a part of a customer too.
            before = inner_object.get("object") if isinstance(inner_object, dict) else None
            new = {
                name: walk(inner, str(before), act)
                if name == "previous_attributes" and before
                else _field(name, inner, holder, act)
                for name, inner in value.items()
            }
            full_name(value, act)
            return new
        case list():
            return [walk(one, holder, act) for one in value]
        case _:
            return value


def _field(name: str, value: object, holder: str, act: Act) -> object:
    kind = personal.kind_within(name, holder)
    match value:
        case Number():
            # Of numbers, only coordinates and parts of dates identify anybody.
            is_part = kind in {"part", "place"} and act("part", value) == ERASED
            return None if is_part else value
        case str() if kind:
            return act(kind, value)
        case list() if kind in {"email", "phone", "name"}:
            return [_field(name, one, holder, act) for one in value]
        case _:
            return walk(value, holder if name == "data" else name, act)


def full_name(record: Mapping[str, object], act: Act) -> None:
    """Read the first and the last name of a record as one value."""
    texts = {name: value for name, value in record.items() if isinstance(value, str) and value}
    given = [value for name, value in texts.items() if personal.is_given_name(name)]
    family = [value for name, value in texts.items() if personal.is_family_name(name)]
    if given and family and ERASED not in {given[0], family[0]}:
        act("name", f"{given[0]} {family[0]}")
