"""The JSON of Segment messages, as one DuckDB query over arrays and tables of repeated texts."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

import duckdb
import numpy as np

from ingest.generate import usage_events as events
from ingest.generate.arrivals import ARRIVALS, PATHS, describe_page
from ingest.generate.batches import Batch
from ingest.generate.ids import account_customer_id, account_group_id, account_salesforce_id
from ingest.generate.records import Account, Company, User
from ingest.generate.usage import Usage
from ingest.generate.usage_events import KIND, KINDS
from ingest.generate.world import ZONES

INTERNAL_DOMAIN = "paperdesk.example"
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/125.0.0.0 Safari/537.36",
)
_PHONE = "PaperDesk/3.2 (iPhone; iOS 17.5; Scale/3.00)"
_BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/124.0.0.0 Safari/537.36",
    "UptimeRobot/2.0 (https://uptimerobot.com/)",
)
_AGENTS = (*_BROWSERS, _PHONE, *_BOTS)
# Names in place of a message's kind: as planned now, as first planned, and what phones make of it.
CURRENT, FIRST_PLAN, PHONE_NAME = range(3)


def load_dimensions(connection: duckdb.DuckDBPyConnection, company: Company, usage: Usage) -> None:
    """Puts what messages repeat into tables: texts of people, workspaces, devices and names."""
    for table, columns in (
        ("profiles", _people_texts(usage)),
        ("workspaces", _workspace_texts(company, usage)),
        ("names", _name_texts()),
        ("agents", {"text": _AGENTS}),
        ("zones", {"text": ZONES}),
    ):
        _create_table(connection, table, columns)
    people, devices = usage.people, usage.devices
    count = len(devices.owner)
    rng = np.random.default_rng([company.seed, 34])
    agent = rng.integers(0, len(_BROWSERS), count)
    agent[devices.is_mobile] = _AGENTS.index(_PHONE)
    on_bot = people.is_bot[devices.owner]
    agent[on_bot] = rng.integers(len(_BROWSERS) + 1, len(_AGENTS), int(on_bot.sum()))
    connection.register(
        "texts",
        {
            "device": np.arange(count),
            "agent": agent,
            "zone": people.zone[devices.owner].astype(np.int64),
            "is_mobile": devices.is_mobile,
            "subnet": rng.integers(0, 256, count),
            "host": rng.integers(1, 255, count),
        },
    )
    connection.execute(_DEVICES_SQL.format(seed=company.seed))
    connection.unregister("texts")
    connection.execute(_PEOPLE_SQL)


def _create_table(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Sequence[str]]
) -> None:
    """Makes a table of texts, numbered by `place` from 0.

    One long string a column, split by DuckDB: as an array of objects every value would be looked at
    by itself, with an attempt to import pandas for each.
    """
    lists = [f"unnest(string_split(?, chr(30))) as {name}" for name in columns]
    count = len(next(iter(columns.values())))
    connection.execute(
        f"create table {table} as select unnest(range({count})) as place, {', '.join(lists)}",
        [chr(30).join(values) for values in columns.values()],
    )


_DEVICES_SQL = """
create table devices as
with digests as (
    select
        *,
        md5(concat('{seed}/device/', device)) as digest
    from texts
)

select
    device,
    concat(
        substr(digest, 1, 8), '-', substr(digest, 9, 4), '-4', substr(digest, 14, 3), '-a',
        substr(digest, 18, 3), '-', substr(digest, 21, 12)
    ) as anonymous_id,
    is_mobile,
    concat(
        '"ip":"203.0.', subnet, '.', host, '","library":{{"name":"',
        if(
            is_mobile,
            'analytics-react-native","version":"2.19.1"',
            'analytics.js","version":"npm:next-1.70.0"'
        ),
        '}},"locale":"', if(zones.text like 'America%', 'en-US', 'en-GB'), '","timezone":"',
        zones.text, '","userAgent":"', agents.text, '"'
    ) as context
from digests
inner join agents on digests.agent = agents.place
inner join zones on digests.zone = zones.place
"""

_PEOPLE_SQL = """
create table people as
select
    profiles.*,
    devices.anonymous_id as former_anonymous_id
from profiles
left join devices on cast(profiles.old_device as bigint) = devices.device
"""


def _json(values: dict[str, object]) -> str:
    return json.dumps(
        {key: value for key, value in values.items() if value is not None},
        separators=(",", ":"),
        ensure_ascii=False,
    )


def shown_email(user: User, account: Account | None) -> str:
    """The address a user gives.

    A free-mail one where the domain must not tie the workspace to an account, and the company's own
    for its own people.
    """
    if account is not None and account.is_internal and user.key > 0:
        return f"{user.email.split('@')[0]}@{INTERNAL_DOMAIN}"
    if account is not None and account.link_segment in {"name", "none"} and not user.is_internal:
        return f"{user.email.split('@')[0]}.{user.key}@gmail.com"
    return user.email


def _people_texts(usage: Usage) -> dict[str, list[str]]:
    people = usage.people
    traits, profiles, names = [], [], []
    for user, place in zip(people.users, people.account, strict=False):
        email = shown_email(user, people.accounts[place] if place >= 0 else None)
        signed_up = f"{user.signed_up_at:%Y-%m-%dT%H:%M:%S}.000Z"
        traits.append(
            _json(
                {
                    "email": email,
                    "firstName": user.first_name,
                    "lastName": user.last_name,
                    "createdAt": signed_up,
                    "title": user.title,
                }
            )
        )
        profiles.append(
            _json(
                {
                    "type": "organic" if user.key % 3 else "invited",
                    "first_name": user.first_name,
                    "last_name": user.last_name,
                    "email": email,
                    "title": user.title,
                }
            )
        )
        names.append(_json({"username": email}))
    return {
        "old_device": [str(device) for device in people.old_device[: len(people.users)].tolist()],
        "user_key": [str(user.key) for user in people.users],
        "traits": traits,
        "profile": profiles,
        "username": names,
    }


def _workspace_texts(company: Company, usage: Usage) -> dict[str, list[str]]:
    accounts = usage.people.accounts
    lives = {life.account_key: life for life in company.lifecycles}
    trials = []
    for account in accounts:
        life = lives.get(account.key)
        started_at = (life.trial_started_at or life.workspace_opened_at) if life else None
        started = (started_at or account.created_at).date()
        trials.append(
            _json(
                {
                    "trial_start_date": started.isoformat(),
                    "trial_end_date": (started + timedelta(days=14)).isoformat(),
                    "trial_plan_name": _plan_of(company, account),
                }
            )
        )
    return {
        "group_id": [account_group_id(company.seed, account.key) for account in accounts],
        "group_traits": [_json(group_traits(company, account)) for account in accounts],
        "account_name": [_json({"account_name": account.name}) for account in accounts],
        "salesforce_id": [account_salesforce_id(company.seed, account.key) for account in accounts],
        "trial": trials,
        "domain": [account.domain for account in accounts],
    }


def _plan_of(company: Company, account: Account) -> str:
    contracts = company.contracts.get(account.key, ())
    return contracts[0].plan if contracts else "free"


def group_traits(company: Company, account: Account) -> dict[str, object]:
    """What a workspace says about itself, and so how it can be tied to the account."""
    link = account.link_segment
    ids: dict[str, object] = {}
    if link == "id" and account.in_salesforce and (account.key % 4 or not account.in_stripe):
        ids["salesforce_account_id"] = account_salesforce_id(company.seed, account.key)
    elif link == "id" and account.in_stripe:
        ids["stripe_customer_id"] = account_customer_id(company.seed, account.key)
    names = {"name": account.name.upper(), "none": f"Workspace {account.key}"}
    if account.is_test:
        names["id"] = f"Test - {account.name}"
    first_word = account.name.split()[0].strip(",")
    return {
        "name": names.get(link, f"{first_word} documents" if link == "domain" else account.name),
        "plan": _plan_of(company, account),
        "employees": account.employee_count,
        "industry": account.industry,
        "website": f"https://{account.domain}" if link in {"id", "domain"} else None,
        "is_test": True if account.is_test else None,
        **ids,
    }


def _name_texts() -> dict[str, list[str]]:
    """The start of a message and its page in the context, by kind, name of the kind and arrival."""
    heads, pages = [], []
    for kind in KINDS:
        for variant in range(3):
            for arrival in ARRIVALS:
                page, context = describe_page(kind.name, arrival)
                start: dict[str, object] = {"type": kind.message_type}
                if kind.message_type == "track":
                    names = (kind.name, kind.old_name, kind.name.lower())
                    start["event"] = names[variant]
                elif kind.message_type == "page":
                    is_screen = variant == PHONE_NAME
                    start = {"type": "screen" if is_screen else "page", "name": kind.name}
                    start["properties"] = {"name": kind.name} if is_screen else page
                heads.append(_json(start)[:-1])
                pages.append(_json(context)[1:-1])
    return {"head": heads, "page": pages}


def lines_sql(
    seed: int, batches: Sequence[Batch], sources: Sequence[str], movers: Sequence[int]
) -> str:
    """The query that writes a chunk's messages as JSON, one row a message.

    A person who moves to another workspace names its Salesforce id from then on.
    """
    half = max(len(batches) // 2, 1)
    last = len(batches) - 1

    def kinds(*names: str) -> str:
        return ", ".join(str(KIND[name]) for name in names)

    def time(column: str) -> str:
        return f"strftime(make_timestamp_ms({column}), '%Y-%m-%dT%H:%M:%S.%gZ')"

    tools = ", ".join(f"'{tool.key}'" for tool in events.TOOLS)
    document = (
        f"'\"document_id\":\"doc_', substr(md5(concat('{seed}/doc/', document)), 1, 14), '\"'"
    )
    page_count = f"if(batch >= {half}, concat('\"', pages, '\"'), pages::varchar)"
    version = """if(batch >= 1, ',"client_version":"4.2.0"', '')"""
    return f"""
with described as (
    select
        rows.*,
        names.head,
        names.page,
        rows.name // 3 as kind,
        people.user_key,
        people.traits,
        people.profile,
        people.username,
        people.former_anonymous_id,
        workspaces.group_id,
        workspaces.group_traits,
        workspaces.account_name,
        workspaces.salesforce_id,
        workspaces.trial,
        workspaces.domain,
        devices.anonymous_id,
        devices.is_mobile,
        devices.context,
        if(
            is_renamed,
            concat('legacy-', user_key),
            concat('usr_', substr(md5(concat('{seed}/user/', user_key)), 1, 16))
        ) as user_id
    from rows
    inner join names on rows.name * {len(ARRIVALS)} + rows.arrival = names.place
    left join people on rows.person = people.place
    left join workspaces on rows.account = workspaces.place
    left join devices on rows.device = devices.device
)

select
    described.place,
    concat(
        head,
        case
            when is_anonymous then concat(',"anonymousId":"', anonymous_id, '"')
            when device < 0 then concat(',"userId":"', user_id, '"')
            else concat(',"anonymousId":"', anonymous_id, '","userId":"', user_id, '"')
        end,
        case
            when kind = {KIND["identify"]} and list_contains({list(movers)}::integer[], person)
                then concat(
                    ',"traits":', left(traits, -1), ',"salesforce_account_id":"', salesforce_id,
                    '"}}'
                )
            when kind = {KIND["identify"]} then concat(',"traits":', traits)
            when kind = {KIND["group"]}
                then concat(',"groupId":"', group_id, '","traits":', group_traits)
            when kind = {KIND["alias"]} then concat(
                ',"previousId":"',
                if(is_switch, concat('legacy-', user_key), former_anonymous_id), '"'
            )
            when kind in ({kinds(*PATHS)}) then ''
            when kind in ({kinds("Document Processed", "Document Processing Failed")}) then concat(
                ',"properties":{{', {document}, ',"tool":"', list_value({tools})[tool + 1],
                '","pages":', {page_count}, ',"duration_ms":', duration_ms,
                if(
                    kind = {KIND["Document Processed"]},
                    ',"status":"success"}}',
                    ',"status":"failed","error_code":"E' || (400 + duration_ms % 30) || '"}}'
                )
            )
            when kind = {KIND["Document Uploaded"]} then concat(
                ',"properties":{{', {document}, ',"file_type":"',
                list_value('pdf', 'pdf', 'docx', 'png')[document % 4 + 1], '","pages":',
                {page_count}, ',"size_bytes":', pages * 48211 + duration_ms,
                if(batch = 0, ',"legacy_plan_code":"P1"', ''), {version}, '}}'
            )
            when document >= 0 then concat(',"properties":{{', {document}, {version}, '}}')
            when kind = {KIND["Signed Up"]} then concat(',"properties":', profile)
            when kind in ({kinds("Signed In", "Signed Out")})
                then concat(',"properties":', username)
            when kind = {KIND["Account Created"]} then concat(',"properties":', account_name)
            when kind in ({kinds("Trial Started", "Trial Ended")})
                then concat(',"properties":', trial)
            when kind = {KIND["Account Added User"]} then ',"properties":{{"role":"member"}}'
            when kind = {KIND["Invite Sent"]} then concat(
                ',"properties":{{"invitee_email":"colleague.', number % 100000, '@', domain,
                '","invitee_role":"member"}}'
            )
            when kind = {KIND["Documents Searched"]}
                then concat(',"properties":{{"results":', pages, '}}')
            else ',"properties":{{}}'
        end,
        ',"context":{{',
        if(
            device < 0,
            '"library":{{"name":"analytics-node","version":"2.1.0"}}',
            concat(context, if(is_mobile, '', concat(',', page)))
        ),
        if(is_anonymous or group_id is null, '', concat(',"groupId":"', group_id, '"')),
        '}},"integrations":{{}},"messageId":"', if(device < 0, 'node-next-', 'ajs-next-'),
        md5(concat('{seed}/message/', number)),
        '","originalTimestamp":"', {time("original_ms")},
        '","sentAt":"', {time("sent_ms")},
        '","receivedAt":"', {time("received_ms")},
        '","timestamp":"', {time("timestamp_ms")},
        if(device < 0, '","channel":"server"', '","channel":"client"'),
        if(device < 0, ',"projectId":"{sources[1]}"', ',"projectId":"{sources[0]}"'),
        if(
            batch < {half},
            ',"_metadata":{{"bundled":["Segment.io"],"bundledIds":[],"unbundled":[]}}',
            ''
        ),
        if(batch = {last}, ',"writeKey":"wk_{sources[0][:8]}"', ''),
        ',"version":2}}'
    ) as line
from described
"""
