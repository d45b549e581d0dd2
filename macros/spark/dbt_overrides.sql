{#- dbt's own macros on Spark, where what dbt-spark has differs from the other adapters: it rejects null dates,
    drops the time of day below a second, ignores the order of a list, and does not escape text in seeds. -#}

{#- As on DuckDB, a date becomes a timestamp. -#}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    timestampadd({{ datepart | lower }}, cast({{ interval }} as bigint), cast({{ from_date_or_timestamp }} as timestamp))
{%- endmacro %}

{#- The number of boundaries between two moments. -#}
{% macro spark__datediff(first_date, second_date, datepart) -%}
    {%- set unit = datepart | lower -%}
    {%- if unit == 'day' -%}
    cast(datediff({{ second_date }}, {{ first_date }}) as bigint)
    {%- else -%}
    timestampdiff(
        {{ unit }}, date_trunc('{{ unit }}', {{ first_date }}), date_trunc('{{ unit }}', {{ second_date }})
    )
    {%- endif -%}
{%- endmacro %}

{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    listagg({{ measure }}, {{ delimiter_text }})
    {%- if order_by_clause %} within group ({{ order_by_clause }}){% endif %}
{%- endmacro %}

{% macro spark__escape_single_quotes(expression) -%}
    {{ expression | replace("'", "''") }}
{%- endmacro %}

{#- A list, map or struct in a unit test is a text such as `{price_id: p_1, quantity: 2}`, which DuckDB casts. -#}
{% macro spark__safe_cast(field, type) -%}
    {%- set text = field | string | trim -%}
    {%- if modules.re.match('(array|map|struct)<', type) and text[:1] == "'" -%}
        {#- A date or timestamp is quoted, because JSON has neither. -#}
        {%- set value = fromyaml(modules.re.sub(
            '(?<![\\d"\'])(\\d{4}-\\d\\d-\\d\\d(?:[ T]\\d\\d:\\d\\d:\\d\\d)?)', '"\\1"',
            text[1:-1] | replace("''", "'")
        )) -%}
    from_json({{ dbt.string_literal(dbt.escape_single_quotes(tojson(value, default=text))) }}, '{{ type }}')
    {%- elif text == 'null' -%}
    cast(null as {{ type }})
    {%- else -%}
    try_cast({{ field }} as {{ type }})
    {%- endif -%}
{%- endmacro %}

{#- Threads share a session, and with it the names of temporary views: a unit test has its own. -#}
{% macro spark__make_temp_relation(base_relation, suffix) -%}
    {%- set name = (model.name if model.resource_type == 'unit_test' else base_relation.identifier) ~ suffix -%}
    {{ return(base_relation.incorporate(path={'identifier': name}).include(database=false, schema=false)) }}
{%- endmacro %}

{#- A contract's columns. Parquet has no constraints, so a null in a column of a mart that must have a value is
    found when the row is written, whatever the format. -#}
{% macro spark__get_select_subquery(sql) -%}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set name = adapter.quote(column.name) -%}
        {%- if column.constraints | selectattr('type', 'eq', 'not_null') | list -%}
            {%- do columns.append(
                'coalesce(' ~ name ~ ', ' ~ raise_error("'" ~ model.name ~ '.' ~ column.name ~ " is null'")
                ~ ') as ' ~ name
            ) -%}
        {%- else -%}
            {%- do columns.append(name) -%}
        {%- endif -%}
    {%- endfor -%}
    select {{ columns | join(', ') }}
    from (
        {{ sql }}
    ) as model_subq
{%- endmacro %}

{% macro spark__persist_constraints(relation, model) -%}
{%- endmacro %}

{#- Without indentation, because Hive's metastore rejects views of more than 32,700 characters. -#}
{% macro spark__create_view_as(relation, sql) -%}
    create or replace view {{ relation }} as
    {{ modules.re.sub('\n\\s+', '\n', sql) }}
{%- endmacro %}

{#- Values are written as literals, because a session has no bindings. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set statements = [] -%}
    {%- for chunk in agate_table.rows | batch(1000) -%}
        {%- set sql -%}
            insert into {{ this.render() }} values
            {%- for row in chunk %}
            (
                {%- for name in agate_table.column_names -%}
                {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                {%- set value = row[loop.index0] -%}
                cast({{ dbt.string_literal(dbt.escape_single_quotes(value | string | replace('\\', '\\\\')))
                    if value is not none else 'null' }} as {{ type }}){{ ', ' if not loop.last }}
                {%- endfor -%}
            ){{ ',' if not loop.last }}
            {%- endfor -%}
        {%- endset -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
        {%- if loop.first -%}
            {%- do statements.append(sql) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(statements | first) }}
{%- endmacro %}
