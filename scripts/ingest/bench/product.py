"""The product models at a size of their own, against the same work as bare DuckDB SQL.

Bare is what an analyst would write for one-off figures: parse the archive, take each message once,
tie devices to users, cut sessions, sum up days. It knows no late data, shared devices or tests.
"""

import subprocess
import sys
import time
from pathlib import Path

import duckdb

_MARTS = (
    *("fct_active_users_daily", "fct_account_activity_daily"),
    *("dim_users", "dim_event_types", "dim_dates"),
)
_WHOLE = tuple(f"+{mart}" for mart in _MARTS)
# What new messages can change: the models of the core that are made from them.
_MESSAGES = tuple(f"stg_segment__messages+,+{mart}" for mart in _MARTS)
_DAY_EVENTS = 10_000
_CLOCKS = ("originalTimestamp", "sentAt", "receivedAt", "timestamp")

_DBT = """
import os, sys
from pathlib import Path
from ingest.build.dbt import Dbt
warehouse, *arguments = sys.argv[1:]
os.environ["DBT_TARGET_PATH"] = str(Path(warehouse).parent / "target")
dbt = Dbt(Path(warehouse), "{}")
dbt.run(*arguments) if arguments else dbt.parse()
"""

# Takes the file to make as an argument, the messages' glob and the taxonomy from standard input.
_BARE = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
glob, taxonomy = sys.stdin.read().splitlines()
connection.execute("set threads = 2; set memory_limit = '4GB'; set TimeZone = 'UTC'")
connection.execute('''
create table messages as
select
    messageId, type, userId, anonymousId, event,
    coalesce(groupId, context ->> '$.groupId') as workspace_id,
    context ->> '$.userAgent' as user_agent,
    context ->> '$.page.path' as page_path,
    case when type = 'group' then traits ->> '$.name' end as workspace_name,
    properties,
    cast("timestamp" as timestamp) as occurred_at,
    cast(receivedAt as timestamp) as received_at
from read_json(
    ?, format = 'newline_delimited', ignore_errors = true,
    columns = {
        messageId: 'varchar', type: 'varchar', userId: 'varchar', anonymousId: 'varchar',
        event: 'varchar', groupId: 'varchar', properties: 'json', traits: 'json',
        context: 'json', "timestamp": 'timestamptz', receivedAt: 'timestamptz'
    }
)
where messageId is not null
''', [glob])
connection.execute('''
create table repeated as
select messageId from messages group by messageId having count(*) > 1;
create table firsts as
from messages semi join repeated using (messageId)
qualify row_number() over (partition by messageId order by received_at) = 1;
create table once as
from messages anti join repeated using (messageId)
union all
from firsts
''')
connection.execute("create table taxonomy as from read_csv(?)", [taxonomy])
connection.execute('''
create table devices as
select anonymousId, min(userId) as user_id
from once
where anonymousId is not null and userId is not null
group by anonymousId;
create table users as
select userId as user_id, max_by(workspace_id, occurred_at) as workspace_id
from once
where userId is not null
group by userId;
create table workspaces as
select workspace_id, max_by(workspace_name, occurred_at) as name
from once
where type = 'group'
group by workspace_id
''')
connection.execute('''
create table events as
select
    messageId as event_id, type as event_type, once.anonymousId as anonymous_id,
    coalesce(userId, devices.user_id) as user_id,
    coalesce(userId, devices.user_id, once.anonymousId) as person_id,
    coalesce(once.workspace_id, users.workspace_id) as workspace_id,
    coalesce(taxonomy.event_name, event) as event_name, page_path,
    properties ->> '$.document_id' as document_id, properties ->> '$.tool' as tool,
    properties ->> '$.file_type' as file_type,
    try_cast(properties ->> '$.pages' as bigint) as pages,
    try_cast(properties ->> '$.size_bytes' as bigint) as size_bytes,
    try_cast(properties ->> '$.duration_ms' as bigint) as duration_ms,
    cast(properties as varchar) as properties,
    lower(user_agent) like '%bot%' as is_bot,
    occurred_at, cast(occurred_at as date) as occurred_date, received_at
from once
left join devices on once.anonymousId = devices.anonymousId
left join users on coalesce(userId, devices.user_id) = users.user_id
left join taxonomy on event = taxonomy.raw_event_name
''')
connection.execute('''
create table sessions as
with marked as (
    select
        person_id, occurred_at, event_type, event_name,
        coalesce(occurred_at - lag(occurred_at) over person >= interval 30 minute, true) as is_first
    from events
    window person as (partition by person_id order by occurred_at)
),
numbered as (
    select *, count_if(is_first) over (partition by person_id order by occurred_at) as number
    from marked
)
select
    person_id, number, min(occurred_at) as started_at, max(occurred_at) as ended_at,
    count(*) as event_count, count_if(event_type = 'track') as track_count,
    min_by(event_name, occurred_at) as entry, max_by(event_name, occurred_at) as exit
from numbered
group by person_id, number
''')
connection.execute('''
create table days as
select
    person_id, workspace_id, occurred_date, count(*) as event_count,
    count_if(event_type = 'track' and not coalesce(is_bot, false)) as track_count
from events
group by all;
create table workspace_days as
select workspace_id, occurred_date, count(distinct person_id) as people, sum(event_count) as events
from days
group by all;
create table active as
with people as (select distinct person_id, occurred_date from days where track_count > 0),
spread as (
    select person_id, occurred_date + cast(day as integer) as occurred_date, day
    from people, range(30) as days (day)
)
select
    occurred_date,
    count(distinct person_id) filter (where day = 0) as dau,
    count(distinct person_id) filter (where day < 7) as wau,
    count(distinct person_id) as mau
from spread
group by occurred_date
''')
"""


def bare(folder: Path, taxonomy: Path) -> tuple[list[str], str]:
    """The command that does the work bare, and what it reads from standard input."""
    glob = folder / "extracts" / "2*" / "segment" / "**" / "*.gz"
    return [sys.executable, "-c", _BARE, str(folder / "bare.duckdb")], f"{glob}\n{taxonomy}"


def dbt(warehouse: Path, *arguments: str) -> list[str]:
    """The command by which the project's own dbt runs, its artifacts beside the warehouse.

    Args:
        warehouse: The DuckDB file.
        arguments: Of dbt; without any it reads the project, which it does once for each change.
    """
    return [sys.executable, "-c", _DBT, str(warehouse.resolve()), *arguments]


def models(warehouse: Path, *, is_whole: bool) -> list[str]:
    """The command that builds and tests the product core.

    Args:
        warehouse: The DuckDB file.
        is_whole: With all that it is made from; else what new messages can change.
    """
    # Tests of marts that are not built here are left out.
    selected = _WHOLE if is_whole else _MESSAGES
    return dbt(warehouse, "build", "--select", *selected, "--indirect-selection", "cautious")


def write_a_day(warehouse: Path, folder: Path) -> None:
    """Writes a batch of another day of events: the newest ones, a day later, under new ids.

    Args:
        warehouse: The DuckDB file to take them from.
        folder: Where to make the batch's folder.
    """
    later = {name: f"{name} + interval 1 day" for name in _CLOCKS}
    changed = {"messageId": "messageId || '-later'", **later}
    columns = ", ".join(f"{sql} as {name}" for name, sql in changed.items())
    with duckdb.connect(str(warehouse)) as connection:
        newest = connection.execute("select max(batch_date) + 1 from raw_audit.batches").fetchone()
        batch = folder / str(newest[0])[:10] / "segment" if newest else folder
        batch.mkdir(parents=True)
        connection.execute(
            f"""
            copy (
                select columns(name -> name[1] != '_') from (
                    select * replace ({columns})
                    from (from raw_segment.messages order by receivedAt desc limit {_DAY_EVENTS})
                )
            ) to '{batch / "day.jsonl"}' (format json)
            """
        )


def slowest_query(warehouse: Path) -> tuple[str, float]:
    """The dashboard's query that takes longest, of those in `analyses/dashboard`.

    Args:
        warehouse: The DuckDB file, built.

    Returns:
        Its name, and the milliseconds of the slowest of three runs.
    """
    command = dbt(warehouse, "compile", "--select", "path:analyses/dashboard")
    subprocess.run(command, check=True, capture_output=True)
    took = {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for path in sorted((warehouse.parent / "target").rglob("compiled/**/dashboard/*.sql")):
            runs = []
            for _ in range(3):
                started = time.monotonic()
                connection.execute(path.read_text()).fetchall()
                runs.append(time.monotonic() - started)
            took[path.stem] = max(runs) * 1000
    slowest = max(took, key=lambda name: took[name])
    return slowest, took[slowest]
