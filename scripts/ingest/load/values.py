"""SQL expressions that turn a vendor's text into a typed value, and detect values that do not fit.

Every expression takes text that is null when the field is absent or empty. A value that does not
fit is never guessed at: the record that holds it is rejected.
"""

from collections.abc import Collection, Mapping, Sequence

from ingest.catalog import SQL_TYPES, Column

_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]00:00(:00(\.0+)?)?(Z|[+-]00:?00)?)?"
_INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}.*)?"

# Salesforce's longest number has 18 digits before the point, and its longest percentage far fewer.
# Below these limits, no conversion in a model overflows.
_LIMITS = {"decimal": "1e18", "double": "1e300", "percent": "1e9"}

# The reason given for a rejected record, by kind of column.
EXPECTED = {
    "integer": "not a whole number in range",
    "decimal": "not a number",
    "double": "not a number",
    "percent": "not a number",
    "boolean": "neither true nor false",
    "day": "not a date",
    "instant": "not a date and time",
}

MISSING = "missing"
_OUT_OF_RANGE = "a number out of range"


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string literal; the character 0, which would end the query, is escaped."""
    quoted_text = "'" + text.replace("'", "''") + "'"
    return (
        "(" + quoted_text.replace("\0", "' || chr(0) || '") + ")" if "\0" in text else quoted_text
    )


def typed(kind: str, text: str) -> str:
    """The value of `text` as a column of this kind; null when it does not fit."""
    match kind:
        case "integer":
            # A cast alone would round 12.5 to 13, and read 1_000.
            return (
                f"case when cast(try_cast({text} as bigint) as varchar) = {text} "
                f"or (regexp_full_match({text}, '{_NUMBER}') "
                f"and try_cast({text} as double) = try_cast({text} as bigint)) "
                f"then try_cast({text} as bigint) end"
            )
        case "decimal" | "double" | "percent":
            return (
                f"case when regexp_full_match({text}, '{_NUMBER}') "
                f"and abs(try_cast({text} as double)) < {_LIMITS[kind]} "
                f"then try_cast({text} as {SQL_TYPES[kind]}) end"
            )
        case "boolean":
            return (
                f"case lower({text}) when 'true' then true when 'false' then false "
                f"when '1' then true when '0' then false end"
            )
        case "day":
            return (
                f"case when regexp_full_match({text}, '{_DAY}') "
                f"then try_cast(left({text}, 10) as date) end"
            )
        case "instant":
            # Text without a zone is UTC; a cast to timestamp would silently drop an offset. Some
            # libraries send seconds or milliseconds since 1970.
            return (
                f"case when ends_with({text}, 'Z') then try_cast({text} as timestamp) "
                f"when regexp_full_match({text}, '[0-9]{{9,10}}') "
                f"then epoch_ms(1000 * try_cast({text} as bigint)) "
                f"when regexp_full_match({text}, '[0-9]{{12,14}}') "
                f"then epoch_ms(try_cast({text} as bigint)) "
                f"when regexp_full_match({text}, '{_INSTANT}') "
                f"then cast(try_cast({text} as timestamptz) as timestamp) end"
            )
        case _:
            return text


def problem(
    columns: Sequence[Column],
    texts: Sequence[str],
    values: Sequence[str],
    required: Collection[str],
    rules: Mapping[str, str],
) -> str:
    """The first reason to reject a record, as `field|reason`; null if absent.

    Args:
        columns: the declared columns.
        texts: for each column the expression of what was sent.
        values: for each column the expression of what `typed` made of it.
        required: names of columns that must hold something.
        rules: further reasons, each with its condition.
    """
    branches = [
        f"when coalesce(cast({text} as varchar), '') = '' "
        f"then {literal(f'{column.name}|{MISSING}')}"
        for column, text in zip(columns, texts, strict=True)
        if column.name in required
    ]
    branches += [f"when {condition} then {literal(reason)}" for reason, condition in rules.items()]
    for column, text, value in zip(columns, texts, values, strict=True):
        if column.kind in _LIMITS:
            branches.append(
                f"when {value} is null and regexp_full_match({text}, '{_NUMBER}') "
                f"then {literal(f'{column.name}|{_OUT_OF_RANGE}')}"
            )
        if column.kind in EXPECTED:
            branches.append(
                f"when {text} is not null and {value} is null "
                f"then {literal(f'{column.name}|{EXPECTED[column.kind]}')}"
            )
    return f"case {' '.join(branches)} end" if branches else "cast(null as varchar)"
