-- Proves that macros return the types that their comments state, for dates and timestamps alike. A
-- test of values would miss a timestamp in place of a date, because the two compare as equal.
{%- set a_date = "cast('2026-01-31' as date)" -%}
{%- set a_timestamp = "cast('2026-01-31 10:00:00' as timestamp)" -%}
{%- set list = json_array("'[\"1\"]'") -%}
{%- set stated = [
    ['month_start of a date', month_start(a_date), 'date'],
    ['month_start of a timestamp', month_start(a_timestamp), 'date'],
    ['date_series of dates', list_first(date_series(a_date, a_date, 'day')), 'date'],
    [
        'date_series of timestamps',
        list_first(date_series(a_timestamp, a_timestamp, 'week')),
        'date'
    ],
    ['seconds_between', seconds_between(a_timestamp, a_timestamp), 'bigint'],
    ['from_epoch of a number', from_epoch('1769853600'), 'timestamp'],
    ['from_epoch of text', from_epoch("'1769853600'"), 'timestamp'],
    ['utc_timestamp', utc_timestamp("'2026-01-31T10:00:00+02:00'"), 'timestamp'],
    ['ratio', ratio('1', "cast('2.50' as decimal(9, 2))"), 'double'],
    [
        'rounded_product',
        rounded_product("cast('9.99' as decimal(28, 6))", "cast('1.1' as decimal(20, 10))"),
        'decimal(28,6)'
    ],
    ['prorate', prorate("cast('9.99' as decimal(9, 2))", '1', '3'), 'decimal(28,6)'],
    ['list_transform min', list_transform(list, json_string('element'), 'min'), 'bigint'],
    [
        'list_transform sum of decimals',
        list_transform(list, json_string('element'), 'sum', type='decimal(38, 12)'),
        'decimal(38,12)'
    ],
    ['list_transform sum', list_transform(list, json_string('element'), 'sum'), 'bigint'],
] %}
with

results as (

    {% for call, expression, stated_type in stated -%}
    select
        '{{ call }}' as macro_call,
        lower(typeof({{ expression }})) as actual_type,
        '{{ stated_type }}' as stated_type
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor %}

)

select
    macro_call,
    actual_type,
    stated_type
from results
where actual_type != stated_type
