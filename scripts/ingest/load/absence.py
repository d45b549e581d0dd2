"""Records that are missing from a full export: deleted if it is declared, else only counted.

Salesforce's exports leave deleted records out unless they are asked for. So a full export that
lacks a record of an earlier batch shows that the record was deleted in between.
"""

import duckdb

from ingest import catalog
from ingest.load.values import literal
from ingest.load.warehouse import name_of

# Objects whose records can be deleted. History objects lose their oldest rows, and users stay.
OBJECTS = ("Account", "Contact", "Lead", "Opportunity", "OpportunityLineItem", "Product2")

_CLOCK = "coalesce(records.SystemModstamp, records.LastModifiedDate)"


def refresh(connection: duckdb.DuckDBPyConnection) -> None:
    """Write again which records are absent from which declared full exports, and which returned.

    The order in which batches land makes no difference. Not absent are records that Salesforce
    itself flags as deleted, and those whose row in the export was rejected.
    """
    connection.execute("delete from raw_audit.absent_records")
    if not connection.execute("select 1 from raw_audit.batches where is_full_export").fetchone():
        return
    for table in _tables():
        connection.execute(
            f"""
            insert into raw_audit.absent_records
            with
            {_sightings(table)},
            full_exports as (select distinct batch_id, extracted_at from held where is_full_export),
            seen as (
                select
                    sightings.record_id,
                    full_exports.batch_id,
                    full_exports.extracted_at,
                    max(sightings.extracted_at)
                        filter (where sightings.extracted_at <= full_exports.extracted_at)
                        as last_seen_at,
                    min({{dated_at: sightings.extracted_at, batch_id: sightings.batch_id}})
                        filter (where sightings.extracted_at > full_exports.extracted_at)
                        as next_seen
                from sightings
                cross join full_exports
                where sightings.record_id not in (select record_id from deleted)
                group by all
            ),
            absences as (
                select
                    record_id,
                    min({{dated_at: extracted_at, batch_id: batch_id}}) as absent,
                    min(next_seen) as returned
                from seen
                where
                    last_seen_at < extracted_at
                    and not exists (
                        select 1
                        from raw_audit.rejected_records as rejected
                        inner join held
                            on rejected.batch_id = held.landed_batch_id
                            and rejected.source_file = held.source_file
                        where
                            held.batch_id = seen.batch_id
                            and contains(rejected.record, seen.record_id)
                    )
                group by record_id, last_seen_at
            )
            select absent.batch_id, {literal(table.name)}, record_id, absent.dated_at, true
            from absences
            union all
            select returned.batch_id, {literal(table.name)}, record_id, returned.dated_at, false
            from absences
            where returned is not null
            order by all
            """
        )


def vanished(connection: duckdb.DuckDBPyConnection, batch_id: str) -> dict[str, int]:
    """How many earlier records a batch lacks, by object, where it looks like a full export.

    It does where it repeats at least half of the earlier records unchanged, which an increment
    never does.
    """
    objects = connection.execute(
        "select distinct object_name from raw_audit.files where batch_id = ?", [batch_id]
    ).fetchall()
    found = {}
    for table in _tables():
        if (table.name,) not in objects:
            continue
        row = connection.execute(
            f"""
            with
            {_sightings(table)},
            this_batch as (select * from sightings where batch_id = $batch_id),
            earlier as (
                select record_id, list(modified_at) as versions
                from sightings
                where
                    extracted_at < (
                        select extracted_at from raw_audit.batches where batch_id = $batch_id
                    )
                    and record_id not in (select record_id from deleted)
                    and record_id not in (
                        select record_id from raw_audit.absent_records
                        where object_name = {literal(table.name)} and is_absent
                    )
                group by record_id
            )
            select
                count(*),
                count(this_batch.record_id),
                count(*) filter (
                    where this_batch.record_id is not null
                    and (
                        this_batch.modified_at is null
                        or list_contains(earlier.versions, this_batch.modified_at)
                    )
                )
            from earlier
            left join this_batch on earlier.record_id = this_batch.record_id
            """,
            {"batch_id": batch_id},
        ).fetchone()
        known, present, unchanged = row or (0, 0, 0)
        if present < known <= 2 * unchanged:
            found[table.name] = known - present
    return found


def _tables() -> list[catalog.Table]:
    return [table for table in catalog.tables_of("salesforce") if table.name in OBJECTS]


def _sightings(table: catalog.Table) -> str:
    """CTEs: the files of each batch, the records in each, and records that are flagged as deleted.

    A file that was left out as a duplicate holds the records of the file that it repeats. Ids have
    15 or 18 characters, of which the first 15 are unique.
    """
    merged = " or MasterRecordId is not null" if "MasterRecordId" in table.names else ""
    return f"""
        held as (
            select
                batches.batch_id,
                batches.extracted_at,
                batches.is_full_export,
                landed.batch_id as landed_batch_id,
                landed.source_file
            from raw_audit.files as files
            inner join raw_audit.batches as batches on files.batch_id = batches.batch_id
            left join raw_audit.files as landed
                on files.sha256 = landed.sha256 and landed.status = 'landed'
            where
                files.source_system = 'salesforce'
                and files.object_name = {literal(table.name)}
                and files.status in ('landed', 'duplicate', 'empty')
        ),
        sightings as (
            select
                left(records.Id, 15) as record_id,
                held.batch_id,
                held.extracted_at,
                max({_CLOCK}) as modified_at
            from held
            inner join {name_of(table)} as records
                on held.landed_batch_id = records._batch_id
                and held.source_file = records._source_file
            group by all
        ),
        deleted as (
            select left(records.Id, 15) as record_id
            from {name_of(table)} as records
            group by all
            having max_by(
                coalesce(IsDeleted, false){merged}, coalesce({_CLOCK}, records._extracted_at)
            )
        )
    """
