"""What kind of file it is: by its content first, its name second and its folder last."""

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations, islice
from pathlib import Path, PurePosixPath

from ingest import catalog
from ingest.load import documents, reading

_CSV_SUFFIXES = {".csv", ".tsv", ".txt"}
_JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}
_DELIMITERS = ",\t;|^`"
_BOM = "\ufeff"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# What people export instead of a vendor's own files, by the first bytes, and what to do about it.
_OTHER_FORMATS = {
    b"PK\x03\x04": "it is a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "it is an Excel workbook; save the sheet as CSV",
    b"PAR1": "it is a Parquet file; export CSV or JSON",
    b"%PDF": "it is a PDF; export CSV or JSON",
}
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
# Words that tools put before and after the name of an object.
_EXPORT_WORDS = """
    salesforce sf sfdc sfdx crm raw src source prod production sandbox staging landing bulk api
    query loader dataloader workbench result results export exports exported extract extracts
    extracted data dump backup full all incremental increment delta snapshot daily weekly monthly
    latest new updated rows records object objects table tbl file copy list batch part parts chunk
    page utf snappy t z c v p fivetran airbyte hevo stitch stg public dbo final hourly quarterly
    yearly january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    q h fy w wk as of at on utc gmt am pm csv sobject sobjects download downloads downloaded qa uat
    dev
"""
_GENERIC = frozenset(_EXPORT_WORDS.split())
# How the names of custom objects and of what Salesforce keeps beside them end.
_CUSTOM = re.compile(r"(?i)__(c|r|x|b|e|mdt|share|history|feed|tag|changeevent)(?![a-z])")
# UUIDs, ids of jobs and timestamps: long words of letters and digits.
_IDS = re.compile(
    r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?<![a-z0-9])(?=[a-z]*[0-9]+[a-z]+[a-z0-9]*(?![a-z0-9]))[a-z0-9]{12,}(?![a-z0-9])"
)


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
    if head.startswith(reading.GZIP_MAGIC):
        return Recognised(note="compressed twice; decompress it once")
    taken_for = _recognise(head, PurePosixPath(name), encoding)
    if error and taken_for.source:
        raise error
    return taken_for


def _recognise(head: bytes, relative: PurePosixPath, encoding: str | None) -> Recognised:
    suffix = PurePosixPath(relative.name.lower().removesuffix(".gz")).suffix
    folder = next((s for s in catalog.SOURCES if any(s in p.lower() for p in relative.parts)), "")
    if not head.strip():
        return Recognised(folder, dialect="empty", note="no content")
    if other := next((why for mark, why in _OTHER_FORMATS.items() if head.startswith(mark)), ""):
        return Recognised(note=other)
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
    if folder in {"stripe", "segment"} and not object_name:
        kinds = "the objects of its API" if folder == "stripe" else "its messages"
        return Recognised(
            note=f"it is a CSV file; from {folder.title()} the loader reads {kinds} as JSON,"
            " and docs/exports.md shows how to export them"
        )
    if not object_name:
        objects = ", ".join(sorted(table.name for table in catalog.tables_of("salesforce")))
        return Recognised(note=f"its name is not one of the Salesforce objects {objects}")
    if folder != "salesforce" and "id" not in {column.lower() for column in header}:
        return Recognised(note="not a kind of file that the loader reads")
    dialect = _dialect(header, islice(rows, 200))
    return Recognised("salesforce", object_name, dialect, "", header, delimiter, chosen)


def object_of(name: PurePosixPath) -> str:
    """The Salesforce object that a file's name says, or else its folder's; or nothing.

    The name is the object's, in singular or plural and in any case: `OpportunityLineItem.csv`,
    `opportunity_line_items.csv`. Beside it only dates, numbers, ids and the words of exports are
    allowed (`sf_account_data_2026-06-30.csv`, `Account-part1.csv`): `user_role.csv` and
    `AccountHistory.csv` are other objects. A file without a name of its own has its folder's:
    `Account/part-0001.csv`.
    """
    *folders, stem = [re.sub(r"(?i)\.(csv|tsv|txt)(\.gz)?$", "", part) for part in name.parts]
    words = _words(stem)
    if all(map(_is_generic, words)):
        found = next((part for part in reversed(folders) if not _is_folder(part)), "")
        words = _words(found)
    return _object_named(words)


def _words(stem: str) -> list[str]:
    """The words of a name in lower case: `AccountPart2` and `account_part2` are three."""
    marked = _CUSTOM.sub(" custom ", stem)
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", _IDS.sub(" ", marked))
    return re.findall(r"[a-z]+|[0-9]+", parted.lower())


def _object_named(words: Sequence[str]) -> str:
    """The object whose name some of the words are, if all others are generic."""
    names = _object_names()
    for start, end in sorted(
        combinations(range(len(words) + 1), 2), key=lambda span: span[0] - span[1]
    ):
        found = names.get("".join(words[start:end]))
        if found is not None and all(map(_is_generic, chain(words[:start], words[end:]))):
            return found
    return ""


def _is_generic(word: str) -> bool:
    return word.isdigit() or word in _GENERIC


def _is_folder(part: str) -> bool:
    """Whether a folder's name is only a vendor's, a date or a word of exports."""
    return all(map(_is_generic, _words(part)))


@cache
def _object_names() -> dict[str, str]:
    """Objects by their names in lower case, in singular and plural; empty for words of exports."""
    names: dict[str, str] = {}
    for table in catalog.tables_of("salesforce"):
        name = table.name.lower()
        plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
        names |= {name: table.name, plural: table.name}
    # The number of Product2 is part of its name. Picklists are named by a word of exports too.
    return names | {"products2": "Product2", "leadsource": "", "accountsource": ""}


def _dialect(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    at = [index for index, name in enumerate(header) if name.lower() in _AUDIT_INSTANTS]
    for row in rows:
        for index in at:
            value = row[index] if index < len(row) else ""
            for dialect, pattern in _DIALECTS.items():
                if pattern.fullmatch(value):
                    return dialect
    return "unknown"
