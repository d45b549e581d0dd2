"""Broken records of each vendor's format, drawn by a seed, and what the loader makes of them."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from ingest.load import warehouse

BATCH = "2026-01-31"
_RECORDS_A_FILE = 500
_SQL = (
    "'; drop table raw_stripe.customers; --",
    '"; delete from raw_audit.files; --',
    "$1 ? {0} %s %(x)s",
    "{{ ref('x') }} {% raw %}",
    "\\' or 1 = 1 /*",
    "'||(select 1)||'",
)
_NUMBERS = (
    *("1" + "0" * 400, "-1e999", "1e308", "9223372036854775808", "-9223372036854775809"),
    *("0.1e-400", "-0", "1e5", "00012", "12.5", "0x1F", "1_000", "NaN", "-Infinity"),
)
_CONTROLS = [chr(code) for code in (*range(32), 127, 0x85, 0x2028, 0xFEFF, 0xFFFF)]
_BYTES = (
    *(b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x9f", b"\xc0\xaf", b"caf\xe9"),
    "ø".encode("utf-16"),
)
_VALUES = ("null", "true", "[]", "{}", '""', '"text"', "-1", "[1,[2,[3]]]", '{"a":{"b":null}}')
_WHOLE = ("null", "1", '"text"', "{}", "true", '{"":""}', "{'a': 1}", "//", "}", "{", '{"a"}')


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the records of one format.

    Attributes:
        tried: records written.
        landed: rows in raw.
        rejected: rows in `raw_audit.rejected_records`.
        lost: records that are in neither.
        twice: records that are there more than once.
        faults: what else is wrong, in words; nothing when all is well.
    """

    tried: int
    landed: int
    rejected: int
    lost: int
    twice: int
    faults: tuple[str, ...]


def fuzz(kind: str, folder: Path, records: int, seed: int = 7) -> Outcome:
    """Write broken records, load them in a process of its own, and compare.

    Args:
        kind: salesforce, stripe or segment.
        folder: an empty folder to work in.
        records: how many.
        seed: of the damage.
    """
    draw = Random(seed)
    files = folder / "extracts" / BATCH / kind
    files.mkdir(parents=True)
    for start in range(0, records, _RECORDS_A_FILE):
        numbers = range(start, min(start + _RECORDS_A_FILE, records))
        _WRITERS[kind](files, start // _RECORDS_A_FILE, numbers, draw)
    path = folder / "warehouse.duckdb"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ingest", "load", "--quiet"),
            *("--extracts", str(folder / "extracts"), "--warehouse", str(path)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        return Outcome(records, 0, 0, records, 0, (f"exit code {done.returncode}: {said}",))
    return _csv_outcome(path, records) if kind == "salesforce" else _json_outcome(path, records)


def _json_outcome(path: Path, records: int) -> Outcome:
    """Every line of every file is one record, so each is landed or rejected under its row."""
    with warehouse.opened(path, read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where schema_name in ('raw_stripe', 'raw_segment')"
        ).fetchall()
        landed = " union all ".join(
            f'select _source_file as file, _source_row as line from {schema}."{table}"'
            for schema, table in tables
        )
        counts = connection.execute(
            f"""
            with landed as ({landed}),
            rejected as (
                select source_file as file, source_row as line from raw_audit.rejected_records
            ),
            kept as (select * from landed union all select * from rejected),
            lines as (select file, line, count(*) as times from kept group by all)
            select
                (select count(*) from landed), (select count(*) from rejected),
                count(*), count(*) filter (where times > 1)
            from lines
            """
        ).fetchall()[0]
        landed_count, rejected_count, lines, twice = counts
        faults = _faults(path)
        return Outcome(records, landed_count, rejected_count, records - lines, twice, faults)


def _csv_outcome(path: Path, records: int) -> Outcome:
    """An open quote swallows what follows, so each id is looked for in all that was kept."""
    with warehouse.opened(path, read_only=True) as connection:
        landed, rejected, lost, twice = connection.execute(
            f"""
            with ids as (
                select 'fuzz-' || lpad(cast(number as varchar), 6, '0') || '-id' as id
                from range({records}) as numbers (number)
            ),
            kept as (
                select cast(account as varchar) as whole from raw_salesforce."Account" as account
                union all
                select record from raw_audit.rejected_records
            ),
            found as (
                select ids.id, count(kept.whole) as times
                from ids left join kept on contains(kept.whole, ids.id)
                group by ids.id
            )
            select
                (select count(*) from raw_salesforce."Account"),
                (select count(*) from raw_audit.rejected_records),
                count(*) filter (where times = 0), count(*) filter (where times > 1)
            from found
            """
        ).fetchall()[0]
    return Outcome(records, landed, rejected, lost, twice, _faults(path))


def _faults(path: Path) -> tuple[str, ...]:
    """What the audit itself has wrong."""
    with warehouse.opened(path, read_only=True) as connection:
        ((uneven,),) = connection.execute(
            "select count(*) from raw_audit.files where rows_read <> rows_landed + rows_rejected"
        ).fetchall()
        ((unsaid,),) = connection.execute(
            "select count(*) from raw_audit.rejected_records"
            " where coalesce(reason, '') = '' or coalesce(record, '') = ''"
        ).fetchall()
        ((apart,),) = connection.execute(
            """
            select sum(rows_rejected) - (select count(*) from raw_audit.rejected_records)
            from raw_audit.files
            """
        ).fetchall()
    faults = {
        "files whose counts do not add up": uneven,
        "rejects without a reason or text": unsaid,
        "rejects more than are kept": apart,
    }
    return tuple(f"{count} {what}" for what, count in faults.items() if count)


def _stripe(number: int, draw: Random) -> dict[str, object]:
    kind = draw.choice(("customer", "customer", "invoice", "charge", "event", "surprise"))
    return {
        "id": f"fuzz_{number}",
        "object": kind,
        "created": 1_700_000_000 + number,
        "amount": draw.randrange(1_000_000),
        "livemode": True,
        "currency": "usd",
        "metadata": {"note": draw.choice(_SQL)},
        "lines": {"object": "list", "data": [{"id": f"il_{number}", "amount": 5}]},
    }


def _segment(number: int, draw: Random) -> dict[str, object]:
    return {
        "messageId": f"fuzz-{number}",
        "type": draw.choice(("track", "identify", "page", "group", "alias")),
        "userId": f"user-{number}",
        "anonymousId": f"device-{number}",
        "groupId": "g",
        "previousId": "p",
        "event": draw.choice(("Uploaded", *_SQL)),
        "receivedAt": "2026-01-30T10:00:00.000Z",
        "properties": {"pages": number, "name": "café"},
        "context": {"ip": "203.0.113.9"},
        "version": 2,
    }


def _json_line(record: dict[str, object], draw: Random) -> bytes:
    """One line: whole in half of the cases, else broken in one way."""
    line = json.dumps(record, ensure_ascii=draw.random() < 0.5)
    return draw.choice(_JSON_DAMAGE)(line, draw) if draw.random() < 0.5 else line.encode()


def _member(value: Callable[[Random], str]) -> Callable[[str, Random], bytes]:
    """Damage that gives a member another value, or adds one."""

    def damage(line: str, draw: Random) -> bytes:
        record = json.loads(line)
        names = [*record, f"new {draw.choice(_SQL)}", ""]
        members = {name: json.dumps(sent) for name, sent in record.items()}
        members[draw.choice(names)] = value(draw)
        return ("{" + ", ".join(f"{json.dumps(k)}: {v}" for k, v in members.items()) + "}").encode(
            errors="surrogatepass"
        )

    return damage


def _inserted(pieces: Sequence[bytes]) -> Callable[[str, Random], bytes]:
    def damage(line: str, draw: Random) -> bytes:
        data = line.encode()
        at = draw.randrange(1, len(data))
        return data[:at] + draw.choice(pieces) + data[at:]

    return damage


def _deep(draw: Random) -> str:
    depth = draw.choice((10, 500, 900, 5_000, 20_000))
    opening, closing = draw.choice((("[", "]"), ('{"a":', "}")))
    return opening * depth + "1" + closing * depth


def _repeated(line: str, draw: Random) -> bytes:
    """A key twice, the second time with another value."""
    name = draw.choice(list(json.loads(line)))
    return f"{line[:-1]}, {json.dumps(name)}: {draw.choice(_VALUES)}}}".encode()


_JSON_DAMAGE: tuple[Callable[[str, Random], bytes], ...] = (
    lambda line, draw: line[: draw.randrange(1, len(line))].encode() + b"\x20",
    _member(lambda draw: draw.choice(_VALUES)),
    _member(lambda draw: draw.choice(_NUMBERS)),
    _member(lambda draw: json.dumps(draw.choice(_NUMBERS))),
    _member(_deep),
    _member(lambda draw: json.dumps(draw.choice(_SQL) * draw.choice((1, 5_000)))),
    _member(lambda draw: json.dumps("".join(draw.choices(_CONTROLS, k=9)))),
    _member(lambda draw: draw.choice((r'"\ud800"', r'"\x41"', r'"\u00"', r'"\u0000"', '"\t"'))),
    _inserted([c.encode("utf-8", "surrogatepass") for c in _CONTROLS if c != "\n"]),
    _inserted(_BYTES),
    _repeated,
    lambda _, draw: draw.choice(_WHOLE).encode(),
    lambda line, draw: line.replace('"', draw.choice(("'", "“", "")), 4).encode(),
)


def _write_stripe(files: Path, part: int, numbers: range, draw: Random) -> None:
    lines = [_json_line(_stripe(number, draw), draw) for number in numbers]
    (files / f"part-{part}.jsonl").write_bytes(_with_a_good_start(lines, _stripe(0, Random(0))))


def _write_segment(files: Path, part: int, numbers: range, draw: Random) -> None:
    lines = [_json_line(_segment(number, draw), draw) for number in numbers]
    content = _with_a_good_start(lines, _segment(0, Random(0)))
    (files / f"part-{part}.jsonl.gz").write_bytes(gzip.compress(content, mtime=0))


def _with_a_good_start(lines: list[bytes], record: dict[str, object]) -> bytes:
    """The lines, the first of them whole: a file that begins broken is one broken document."""
    lines[0] = json.dumps(record).encode()
    return b"\n".join(lines) + b"\n"


_HEADER = ("Id", "Name", "IsDeleted", "AnnualRevenue", "CreatedDate", "LastActivityDate", *_SQL)


def _write_salesforce(files: Path, part: int, numbers: range, draw: Random) -> None:
    quoted = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in _HEADER]
    lines = [",".join(quoted).encode(), *(_csv_line(number, draw) for number in numbers)]
    (files / f"Account-{part}.csv").write_bytes(b"\n".join(lines) + b"\n")


def _csv_line(number: int, draw: Random) -> bytes:
    cells = [
        *(f"fuzz-{number:06}-id", f"Company {number}", "false", "12.5"),
        *("2026-01-30T10:00:00.000Z", "2026-01-30", *_SQL),
    ]
    if draw.random() < 0.5:
        return _csv_cells(cells)
    at = draw.randrange(1, len(cells))
    line = _csv_cells(cells)
    split = draw.randrange(20, len(line))
    match draw.randrange(9):
        case 0:
            cells = cells[:at]
        case 1:
            cells += ["one", "more"]
        case 2:
            cells[at] = draw.choice((*_NUMBERS, *_VALUES))
        case 3:
            cells[at] = "".join(draw.choices(_CONTROLS, k=5))
        case 4:
            cells[at] = draw.choice(_SQL) * draw.choice((1, 3_000))
        case 5:
            return line[:split] + draw.choice(_BYTES) + line[split:]
        case 6:
            # A quote that is not doubled, or not closed.
            return line[:split] + b'"' + line[split:]
        case 7:
            cells[at] = "line\nbreak\r\nand\rmore"
        case _:
            # Nothing is quoted, not even what should be.
            return ",".join(cells).encode()
    return _csv_cells(cells)


def _csv_cells(cells: Sequence[str]) -> bytes:
    return ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells).encode()


_WRITERS: dict[str, Callable[[Path, int, range, Random], None]] = {
    "salesforce": _write_salesforce,
    "stripe": _write_stripe,
    "segment": _write_segment,
}
KINDS = tuple(_WRITERS)
