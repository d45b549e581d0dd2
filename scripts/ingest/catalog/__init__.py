"""Explicit column types of every raw table: what the loader writes and staging reads.

Columns carry the vendors' names. A field that is not declared here is kept in `_extra`.
"""

from dataclasses import dataclass
from functools import cache

from ingest.catalog import salesforce, segment, stripe

SOURCES = ("salesforce", "stripe", "segment")

# The kinds that the field lists use, and the SQL type of each. Money in Salesforce is a plain
# number with up to nine decimals; instants are UTC without a zone.
SQL_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(28,9)",
    "percent": "DECIMAL(28,9)",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "day": "DATE",
    "instant": "TIMESTAMP",
    "json": "JSON",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a raw table: the vendor's name and the kind of value (a key of `SQL_TYPES`)."""

    name: str
    kind: str

    @property
    def sql_type(self) -> str:
        return SQL_TYPES[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """One raw table.

    Attributes:
        source: salesforce, stripe or segment; the table lives in schema `raw_<source>`.
        object_name: what the vendor calls a record of it (`Account`, `subscription`, `message`).
        name: the table's name.
        columns: the vendor's declared fields.
        required: fields that must be there; for a CSV the header must have them, elsewhere
            a record without one is rejected.
        wanted: further fields that figures need; a CSV whose header lacks one gets a note.
    """

    source: str
    object_name: str
    name: str
    columns: tuple[Column, ...]
    required: tuple[str, ...]
    wanted: tuple[str, ...] = ()

    @property
    def schema(self) -> str:
        return f"raw_{self.source}"

    @property
    def names(self) -> frozenset[str]:
        """The names of the declared columns."""
        return frozenset(column.name for column in self.columns)


# What the loader adds after the vendor's columns.
METADATA = (
    Column("_extra", "json"),
    Column("_batch_id", "text"),
    Column("_extracted_at", "instant"),
    Column("_loaded_at", "instant"),
    Column("_source_file", "text"),
    Column("_source_row", "integer"),
)


def _table(source: str, name: str, fields: dict[str, str]) -> Table:
    columns = tuple(
        Column(field, kind)
        for kind, names in fields.items()
        if kind in SQL_TYPES
        for field in names.split()
    )
    required = tuple(fields["required"].split())
    wanted = tuple(fields.get("wanted", "").split())
    return Table(source, fields.get("object", name), name, columns, required, wanted)


@cache
def tables() -> tuple[Table, ...]:
    """Every raw table, in the order of `SOURCES`."""
    return tuple(
        _table(source, name, fields)
        for source, module in zip(SOURCES, (salesforce, stripe, segment), strict=True)
        for name, fields in module.TABLES.items()
    )


def tables_of(source: str) -> tuple[Table, ...]:
    """The raw tables of one vendor."""
    return tuple(table for table in tables() if table.source == source)
