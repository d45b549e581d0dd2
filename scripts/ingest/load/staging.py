"""From text to a raw table: typed values, undeclared fields, and the records that do not fit."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest import catalog
from ingest.load import values
from ingest.load.target import MANY_REJECTS, Reject, Target
from ingest.load.values import quoted
from ingest.load.warehouse import name_of, temp_table


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one raw table, as SQL.

    Attributes:
        table: the raw table.
        source: a table or query with `source_file`, `source_row` and what `texts` refer to.
        texts: for each declared column that was sent, the expression of its text.
        extra: the expression of the undeclared fields.
        record: the expression of the whole record as text.
        rules: further reasons to reject a record, `field|reason`, each with its condition over
            the columns.
    """

    table: catalog.Table
    source: str
    texts: Mapping[str, str]
    extra: str
    record: str
    rules: Mapping[str, str]

    def typed(self) -> str:
        """A query of the declared columns as their types, `_extra`, `_record` and `problem`.

        `problem` is null for a good record, else `field|reason`.
        """
        columns = [column for column in self.table.columns if column.name in self.texts]
        sent = [f"t{index}" for index in range(len(columns))]
        names = [quoted(column.name) for column in columns]
        texts = [
            f"{self.texts[column.name]} as {text}"
            for column, text in zip(columns, sent, strict=True)
        ]
        typed = [
            f"{values.typed(column.kind, text)} as {name}"
            for column, text, name in zip(columns, sent, names, strict=True)
        ]
        problem = values.problem(columns, sent, names, self.table.required, self.rules)
        return f"""
            with
            texts as (
                select
                    source_file, source_row, {", ".join(texts)},
                    {self.extra} as _extra, {self.record} as _record
                from {self.source}
            ),
            typed as (select *, {", ".join(typed)} from texts)
            select
                source_file, source_row, {", ".join(names)}, _extra, _record, {problem} as problem
            from typed
        """


def land(
    target: Target,
    records: Records,
    expected: int,
    suspects: Callable[[], Iterable[Records]] | None = None,
) -> int:
    """Append the good records to their raw table, in the order they were sent.

    Args:
        target: where to.
        records: what to land.
        expected: how many records there are.
        suspects: where to look for those that did not land, each place cheaper than all records
            and the last one sure to hold them; asked when the good ones have landed.

    Returns:
        How many other records there are. They are in the temporary table `unfit`, and are only
        looked for when some are missing, for they are few and far between and the look costs a
        second parse.

    Raises:
        RuntimeError: a record is neither landed nor found to have a problem.
    """
    landed: int = target.connection.execute(
        f"""
        insert into {name_of(records.table)} by name
        select
            * exclude (source_file, source_row, _record, problem),
            $batch_id as _batch_id,
            cast($extracted_at as timestamp) as _extracted_at,
            cast($loaded_at as timestamp) as _loaded_at,
            source_file as _source_file,
            source_row as _source_row
        from ({records.typed()})
        where problem is null
        """,
        {
            "batch_id": target.stamp.batch_id,
            "extracted_at": target.stamp.extracted_at,
            "loaded_at": target.stamp.loaded_at,
        },
    ).fetchall()[0][0]
    if landed == expected:
        return 0
    for place in suspects() if suspects else (records,):
        found: int = target.connection.execute(
            f"""
            create or replace temp table unfit as
            select
                source_file, source_row, split_part(problem, '|', 1) as field,
                split_part(problem, '|', 2) as reason, _record as record
            from ({place.typed()})
            where problem is not null
            """
        ).fetchall()[0][0]
        if landed + found == expected:
            return found
    raise RuntimeError(f"of {expected} {records.table.name}, {landed} landed")


def unfit(target: Target) -> Iterator[tuple[int, str, str]]:
    """Row, field and reason of the records that did not land, by row; there may be millions."""
    last = 0
    while rows := target.connection.execute(
        f"""
        select source_row, field, reason
        from unfit
        where source_row > $last
        order by source_row
        limit {MANY_REJECTS}
        """,
        {"last": last},
    ).fetchall():
        yield from rows
        last = rows[-1][0]


def reject_from(target: Target, query: str) -> Counter[str]:
    """Keep records aside that are in the warehouse, and count them by file.

    Args:
        target: where they did not land.
        query: their file, row, field, reason and text.
    """
    target.connection.execute(
        f"""
        insert into raw_audit.rejected_records
        select $batch_id, source_file, source_row, field, reason, record from ({query})
        """,
        {"batch_id": target.stamp.batch_id},
    )
    counted = target.connection.execute(
        f"select source_file, count(*) from ({query}) group by source_file"
    )
    return Counter(dict(counted.fetchall()))


def reject(target: Target, rejects: Sequence[Reject]) -> None:
    """Keep records aside, with the reason."""
    if not rejects:
        return
    columns = {
        "source_file": "VARCHAR",
        "source_row": "BIGINT",
        "field": "VARCHAR",
        "reason": "VARCHAR",
        "record": "VARCHAR",
    }
    rows = ((r.source_file, r.source_row, r.field, r.reason, r.record) for r in rejects)
    scratch = target.scratch / "rejects"
    temp_table(target.connection, "rejects", columns, rows, scratch)
    target.connection.execute(
        "insert into raw_audit.rejected_records select $batch_id, * from rejects",
        {"batch_id": target.stamp.batch_id},
    )
