"""The finance models at a size of their own, against DuckDB flattening the same JSON by itself.

A company of many subscriptions and little else: the customers of the small company who are billed
most often, each copied under ids of its own.
"""

import json
import sys
from pathlib import Path

import duckdb

from ingest import catalog
from ingest.bench.product import dbt
from ingest.load.values import literal, quoted
from ingest.load.warehouse import name_of

_SUBSCRIPTIONS, _INVOICES = 5_000, 120_000
_CUSTOMER = """case
    when json_extract_string(line, '$.id') like 'cus_%' then json_extract_string(line, '$.id')
    else nullif(regexp_extract(line, '"customer": ?"(cus_[A-Za-z0-9]+)"', 1), '')
end"""
_IDS = "(ch|cn|cus|di|dp|du|evt|ii|il|in|inpay|pi|py|re|si|sub|txn)_"

# What the finance models took before their last revision, 106 to 113 CPU seconds.
CPU_BEFORE = 106


def _texts(names: str) -> dict[str, object]:
    return dict.fromkeys(names.split(), "VARCHAR")


_PRICE = _texts("id product currency unit_amount recurring")
_ITEMS = {"data": [{**_texts("id quantity discounts metadata"), "price": _PRICE}]}
_LINE = _texts("id amount description quantity subscription period price pricing parent taxes")
_LINES = {"data": [{**_LINE, **_texts("discount_amounts")}]}
_SUBSCRIPTION = {
    **_texts("id status customer currency metadata discounts created start_date cancel_at"),
    **_texts("canceled_at ended_at trial_start trial_end pause_collection"),
    "items": _ITEMS,
}
# The objects in objects that finance reads: the column, their shape, and where they are in it.
_NESTED: dict[str, tuple[str, object, str]] = {
    "subscriptions": ("items", _ITEMS, "unnest({}.data)"),
    "invoices": ("lines", _LINES, "unnest({}.data)"),
    "credit_notes": ("lines", _LINES, "unnest({}.data)"),
    "events": ("data", {"object": _SUBSCRIPTION}, "{}.object"),
}

# Takes the file to make and the warehouse as arguments, the statements from standard input.
_FLATTEN = """
import json, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("set threads = 2; set memory_limit = '4GB'; set TimeZone = 'UTC'")
connection.execute(f"attach '{sys.argv[2]}' as warehouse (read_only)")
for statement in json.load(sys.stdin):
    connection.execute(statement)
"""


def copy_company(extracts: Path, into: Path) -> None:
    """Writes the full history of a company with some 5,000 subscriptions and 120,000 invoices.

    Args:
        extracts: The small company's extracts.
        into: The extracts to write: one batch, Stripe only.
    """
    batches = sorted(path for path in extracts.iterdir() if path.name[0] not in "._")
    folder = into / batches[-1].name / "stripe"
    folder.mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute("create table records (file text, line text, id text, customer text)")
    for path in sorted(file for batch in batches for file in (batch / "stripe").iterdir()):
        # What happened to invoices is in the archive too, and would be nine tenths of it.
        connection.execute(
            f"""
            insert into records
            select
                $file, line,
                json_extract_string(line, '$.id'),
                coalesce(
                    {_CUSTOMER},
                    json_extract_string(line, '$.source'),
                    json_extract_string(line, '$.charge'),
                    ''
                )
            from read_csv(
                $path, columns = {{line: 'varchar'}}, delim = '\x01', quote = '', escape = '',
                header = false, ignore_errors = true
            )
            where json_valid(line) and $file != 'events'
                or line like '%"type":"customer.%' and json_valid(line)
            """,
            {"file": path.name.split(".")[0], "path": str(path)},
        )
    connection.execute(
        """
        update records set customer = charges.customer
        from (select distinct id, customer from records where file = 'charges') as charges
        where records.customer = charges.id;

        create table chosen as
        with counts as (
            select
                customer,
                count(distinct id) filter (where file = 'subscriptions') as subscriptions,
                count(distinct id) filter (where file = 'invoices') as invoices
            from records
            where customer like 'cus_%'
            group by customer
            having subscriptions > 0
        )
        select
            customer,
            sum(subscriptions) over most as subscriptions_so_far,
            sum(invoices) over most as invoices_so_far
        from counts
        window most as (
            order by invoices / subscriptions desc, customer rows unbounded preceding
        )
        qualify invoices_so_far >= $per_subscription * subscriptions_so_far
        """,
        {"per_subscription": _INVOICES / _SUBSCRIPTIONS},
    )
    ((subscriptions,),) = connection.execute(
        "select max(subscriptions_so_far) from chosen"
    ).fetchall()
    copies = -(-_SUBSCRIPTIONS // int(subscriptions))
    for (file,) in connection.execute("select distinct file from records").fetchall():
        connection.execute(
            f"""
            copy (
                select
                    case
                        when customer = '' then line
                        else replace(
                            regexp_replace(
                                line, '"{_IDS}([A-Za-z0-9]+)"',
                                '"\\1_\\2x' || copies.number || '"', 'g'
                            ),
                            '"001', '"none '
                        )
                    end
                from records
                inner join range({copies}) as copies (number)
                    on customer != '' or copies.number = 0
                where file = ? and customer in (select '' union all select customer from chosen)
            ) to '{folder / file}.jsonl'
                (format csv, header false, delimiter '\x01', quote '', escape '')
            """,
            [file],
        )


def size(warehouse: Path) -> str:
    """How many records of each kind a loaded warehouse has, in words."""
    kinds = ("subscriptions", "invoices", "events")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        counts = [
            connection.execute(f"select count(distinct id) from raw_stripe.{kind}").fetchall()[0][0]
            for kind in kinds
        ]
    return ", ".join(f"{count:,} {kind}" for count, kind in zip(counts, kinds, strict=True))


def flat_tables() -> str:
    """Statements that read Stripe's raw JSON once, into a flat table for each raw one, as JSON."""
    statements = []
    for table in catalog.tables_of("stripe"):
        columns = [quoted(column.name) for column in table.columns if column.kind != "json"]
        if nested := _NESTED.get(table.name):
            column, shape, taken = nested
            transformed = f"json_transform({quoted(column)}, {literal(json.dumps(shape))})"
            columns.append(taken.format(f"({transformed})") + " as nested")
        statements.append(
            f"create table {quoted(table.name)} as "
            f"select {', '.join(columns)} from warehouse.{name_of(table)}"
        )
    return json.dumps(statements)


def flattening(warehouse: Path, flat: Path) -> list[str]:
    """The command that runs such statements from standard input.

    Args:
        warehouse: The DuckDB file, loaded.
        flat: The DuckDB file to make.
    """
    return [sys.executable, "-c", _FLATTEN, str(flat), str(warehouse)]


def commands(warehouse: Path) -> tuple[list[str], list[str]]:
    """Commands that prepare the finance models, and that build them whole.

    Args:
        warehouse: The DuckDB file, loaded.
    """
    chosen = ("--select", "+path:models/marts/finance")
    ready = dbt(warehouse, "build", *chosen, "--exclude-resource-type", "test", "unit_test")
    return ready, dbt(warehouse, "run", "--full-refresh", *chosen)
