"""The finance models at a size of their own, against DuckDB running the same SQL by itself.

A company of many subscriptions and little else: the customers of the small company who are billed
most often, each copied under ids of its own.
"""

import json
import sys
from pathlib import Path

import duckdb

from ingest.build import PROJECT

_SUBSCRIPTIONS, _INVOICES = 5_000, 120_000
_CUSTOMER = """case
    when json_extract_string(line, '$.id') like 'cus_%' then json_extract_string(line, '$.id')
    else nullif(regexp_extract(line, '"customer": ?"(cus_[A-Za-z0-9]+)"', 1), '')
end"""
_IDS = "(ch|cn|cus|di|dp|du|evt|ii|il|in|inpay|pi|py|re|si|sub|txn)_"

# Runs what dbt compiled, in dbt's order, and nothing else.
_BARE = """
import json, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("set threads = 2; set TimeZone = 'UTC'")
for statement in json.load(sys.stdin):
    connection.execute(statement)
"""


def copy_company(extracts: Path, into: Path) -> tuple[int, int]:
    """Writes the full history of a company with some 5,000 subscriptions and 120,000 invoices.

    Args:
        extracts: The small company's extracts.
        into: The extracts to write: one batch, Stripe only.

    Returns:
        The number of subscriptions and of invoices.
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
    ((subscriptions, invoices),) = connection.execute(
        "select max(subscriptions_so_far), max(invoices_so_far) from chosen"
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
    return int(subscriptions) * copies, int(invoices) * copies


def statements(target: Path) -> list[str]:
    """What dbt last built, in its order, as DuckDB would be given it.

    Args:
        target: dbt's target folder.
    """
    manifest = json.loads((target / "manifest.json").read_text())
    results = json.loads((target / "run_results.json").read_text())["results"]
    done = sorted(results, key=lambda result: str(result["timing"][-1]["completed_at"]))
    nodes = [manifest["nodes"][result["unique_id"]] for result in done]
    return [
        f"create or replace {'view' if node['config']['materialized'] == 'view' else 'table'}"
        f" {node['relation_name']} as {node['compiled_code']}"
        for node in nodes
        if node["resource_type"] == "model"
    ]


def commands(warehouse: Path, target: Path) -> tuple[list[str], list[str], list[str]]:
    """Commands that prepare the finance models, build them, and run their SQL without dbt.

    Args:
        warehouse: The DuckDB file, loaded.
        target: dbt's target folder.
    """
    dbt = [str(Path(sys.executable).parent / "dbt"), "--quiet"]
    chosen = ["--select", "+path:models/marts/finance", "--target-path", str(target)]
    chosen += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    ready = [*dbt, "build", *chosen, "--exclude-resource-type", "test", "unit_test"]
    models = [*dbt, "run", *chosen]
    return ready, models, [sys.executable, "-c", _BARE, str(warehouse)]
