"""What kind of file it is: by its content first, its name second and its folder last."""

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from ingest import catalog
from ingest.load import documents, reading

_CSV_SUFFIXES = {".csv", ".tsv", ".txt"}
_JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}
_DELIMITERS = ",\t;|^`"
_BOM = "\ufeff"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# The beginning of a document that is longer than what was looked at still says whose it is.
_SEGMENT_SIGN = re.compile(rf'"type"\s*:\s*"({"|".join(catalog.segment.TYPES)})"|"batch"\s*:\s*\[')
_STRIPE_SIGN = re.compile(r'"object"\s*:\s*"|"resources"\s*:\s*\{')
# The first line of a document over several lines, or of one too long to be seen whole.
_OPENING = re.compile(r'\[|.*[{,\[]$|\{\s*"(resources|batch)"\s*:|\{\s*"object"\s*:\s*"list"')
_DIALECTS = {
    "export": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    "rest": re.compile(r"\d{4}-\d\d-\d\dT.*[+-]\d\d:?\d\d"),
    "bulk": re.compile(r"\d{4}-\d\d-\d\dT.*Z"),
}
_AUDIT_INSTANTS = {"systemmodstamp", "createddate", "lastmodifieddate"}


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the loader recognises a file as.

    Attributes:
        source: salesforce, stripe or segment; empty when unknown.
        object_name: the Salesforce object; empty for other vendors, whose records name theirs.
        dialect: `lines` or `document` for JSON; the tool that wrote a CSV; `empty` for no content.
        note: why the file is not read; empty when it is.
        header: the column names of a CSV, unchanged.
        delimiter: the separator of a CSV.
        encoding: of the text if known; empty for the default, UTF-8.
    """

    source: str = ""
    object_name: str = ""
    dialect: str = ""
    note: str = ""
    header: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = ""


def recognise(path: Path, name: str, encoding: str | None = None) -> Recognised:
    """Look at the start of a file.

    Args:
        path: of the file on disk.
        name: its path relative to the batch, with slashes.
        encoding: of a CSV, if the manifest or the caller gives one.

    Raises:
        RefusedError: it is a vendor's file and its beginning is damaged.
    """
    head, error = reading.head(path)
    taken_for = _recognise(head, PurePosixPath(name), encoding)
    if error and taken_for.source:
        raise error
    return taken_for


def _recognise(head: bytes, relative: PurePosixPath, encoding: str | None) -> Recognised:
    suffix = PurePosixPath(relative.name.lower().removesuffix(".gz")).suffix
    folder = next((s for s in catalog.SOURCES if any(s in p.lower() for p in relative.parts)), "")
    if not head.strip():
        return Recognised(folder, dialect="empty", note="no content")
    if suffix in _CSV_SUFFIXES:
        return _salesforce(head, relative, folder, encoding)
    if head.decode("utf-8", "replace").removeprefix(_BOM).lstrip().startswith(("{", "[")):
        return _json(head, suffix, folder)
    archived = suffix not in _JSON_SUFFIXES and relative.suffix.lower() == ".gz"
    if folder in {"stripe", "segment"} and (suffix in _JSON_SUFFIXES or archived):
        # The right name in the right place with nothing but broken records.
        return Recognised(folder, dialect="lines")
    return Recognised(note="not a kind of file that the loader reads")


def _json(head: bytes, suffix: str, folder: str) -> Recognised:
    text = head.decode("utf-8", "replace").removeprefix(_BOM)
    lines = [line for line in text.split("\n", 20)[:20] if line.strip()]
    values = [_decoded(line) for line in lines]
    if values[0] is None and _OPENING.match(lines[0].strip()):
        vendor = _signed(text)
        dialect = "document"
    elif known := next((value for value in values if documents.vendor_of(value)), None):
        vendor = documents.vendor_of(known) or ""
        dialect = "lines" if _is_record(vendor, known) else "document"
    else:
        vendor = _signed(text) if values[0] is None else ""
        dialect = "lines"
    if not vendor and folder in {"stripe", "segment"} and suffix != ".json":
        vendor = folder
    if vendor:
        return Recognised(vendor, dialect=dialect)
    return Recognised(note="neither a Stripe object nor a Segment message in it")


def _signed(text: str) -> str:
    if _SEGMENT_SIGN.search(text):
        return "segment"
    return "stripe" if _STRIPE_SIGN.search(text) else ""


def _is_record(vendor: str, value: object) -> bool:
    """Whether it is one record and not a container of records."""
    if not isinstance(value, dict):
        return False
    if vendor == "segment":
        return "batch" not in value
    return isinstance(value.get("object"), str) and value["object"] != "list"


def _decoded(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _salesforce(head: bytes, name: PurePosixPath, folder: str, encoding: str | None) -> Recognised:
    object_name = object_of(name)
    chosen = encoding or ("utf-16" if head.startswith(_UTF16_MARKS) else "")
    text = head.decode(chosen or "utf-8", "replace").removeprefix(_BOM)
    first_line = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first_line.count)
    rows = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    header = tuple(column.strip() for column in next(rows, []))
    if not object_name:
        return Recognised(note="not a Salesforce object that the warehouse has")
    if folder != "salesforce" and "id" not in {column.lower() for column in header}:
        return Recognised(note="not a kind of file that the loader reads")
    dialect = _dialect(header, islice(rows, 200))
    return Recognised("salesforce", object_name, dialect, "", header, delimiter, chosen)


def object_of(name: PurePosixPath) -> str:
    """The Salesforce object that a file's name says, or else the nearest folder's; or nothing.

    `Account.csv`, `account_2.csv.gz`, `Account-part1.csv`, `Account/part-0001.csv`.
    """
    objects = {table.name.lower(): table.name for table in catalog.tables_of("salesforce")}
    *folders, stem = [re.sub(r"\.(csv|tsv|txt)(\.gz)?$", "", part.lower()) for part in name.parts]
    if stem.endswith("__c"):
        return ""
    for lowered, object_name in objects.items():
        rest = stem.removeprefix(lowered)
        if rest == "" or (rest != stem and not rest[0].isalpha()):
            return object_name
    return next((objects[part] for part in reversed(folders) if part in objects), "")


def _dialect(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    at = [index for index, name in enumerate(header) if name.lower() in _AUDIT_INSTANTS]
    for row in rows:
        for index in at:
            value = row[index] if index < len(row) else ""
            for dialect, pattern in _DIALECTS.items():
                if pattern.fullmatch(value):
                    return dialect
    return "unknown"
