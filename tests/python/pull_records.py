"""The sample company's records as its vendors have them at the end: the newest of each.

They are read from its extracts. Broken records are left out.
"""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from harness import batches
from ingest.load.recognise import object_of

Record = dict[str, Any]

_PAGES = "invoice_line_pages"


def stripe_records(extracts: Path) -> dict[str, list[Record]]:
    """Objects by the name of their list; lists inside of them are whole."""
    newest: dict[str, dict[str, Record]] = {}
    pages: dict[str, list[Record]] = {}
    for batch in batches(extracts):
        for path in sorted((batch / "stripe").iterdir()):
            name = path.name.split(".")[0]
            for record in _lines(path):
                if name == _PAGES:
                    pages.setdefault(record["url"].split("/")[3], []).append(record)
                elif record.keys() >= {"id", "created"}:
                    newest.setdefault(name, {})[record["id"]] = record
    for invoice_id, found in pages.items():
        if invoice := newest["invoices"].get(invoice_id):
            lines = {line["id"]: line for line in invoice["lines"]["data"]}
            for page in found:
                lines |= {line["id"]: line for line in page["data"] if line["id"] not in lines}
            invoice["lines"] = {**invoice["lines"], "data": [*lines.values()], "has_more": False}
    return {name: [*found.values()] for name, found in newest.items()}


def _lines(path: Path) -> Iterator[Record]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    for line in text.splitlines():
        try:
            yield json.loads(line.decode())
        except ValueError:
            continue


def salesforce_records(extracts: Path) -> dict[str, list[dict[str, str]]]:
    """Records by object, all with the fields of the object's last file."""
    newest: dict[str, dict[str, dict[str, str]]] = {}
    fields: dict[str, dict[str, None]] = {}
    for batch in batches(extracts):
        for path in sorted((batch / "salesforce").iterdir()):
            name = object_of(PurePosixPath(path.relative_to(batch)))
            with path.open(encoding="utf-8", errors="replace", newline="") as file:
                rows = csv.DictReader(file)
                fields.setdefault(name, {}).update(dict.fromkeys(rows.fieldnames or ()))
                for row in rows:
                    clock = row.get("SystemModstamp") or row["CreatedDate"]
                    if len(row["Id"]) == 18 and clock.endswith("Z") and None not in row:
                        newest.setdefault(name, {})[row["Id"]] = row
    return {
        name: [{field: row.get(field) or "" for field in fields[name]} for row in found.values()]
        for name, found in newest.items()
    }


def segment_files(extracts: Path) -> dict[str, bytes]:
    """Files by their key in the bucket."""
    return {
        path.relative_to(batch / "segment").as_posix(): path.read_bytes()
        for batch in batches(extracts)
        for path in sorted((batch / "segment").rglob("*.gz"))
    }


def write_stripe(folder: Path, records: dict[str, list[Record]], oldest_event: float) -> None:
    """Writes the files that an export by hand would have."""
    folder.mkdir(parents=True)
    for name, found in records.items():
        kept = [one for one in found if name != "events" or one["created"] >= oldest_event]
        text = "".join(json.dumps(one) + "\n" for one in kept)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def write_salesforce(folder: Path, records: dict[str, list[dict[str, str]]]) -> None:
    """Writes the files that an export by hand would have."""
    folder.mkdir(parents=True)
    for name, found in records.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, found[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(found)


def write_segment(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Writes the files of a bucket."""
    for key, content in files:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
