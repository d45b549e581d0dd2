{#- Whether the table of test results exists and can be written.

    Arguments:
        schema: its schema.
-#}
{% macro can_record_test_results(schema) -%}
    {{ return(adapter.dispatch('can_record_test_results')(schema)) }}
{%- endmacro %}

{% macro default__can_record_test_results(schema) -%}
    {{ return(adapter.get_relation(target.database, schema, 'test_results') is not none) }}
{%- endmacro %}

{#- Not run_query, because it begins a transaction that is never committed. -#}
{% macro duckdb__can_record_test_results(schema) -%}
    {%- set writable -%}
        select count(*)
        from duckdb_tables() as tables
        inner join duckdb_databases() as databases
            on tables.database_name = databases.database_name
        where
            tables.database_name = '{{ target.database }}'
            and schema_name = '{{ schema }}'
            and table_name = 'test_results'
            and not databases.readonly
    {%- endset -%}
    {{ return(adapter.execute(writable, fetch=true)[1].columns[0].values()[0]) }}
{%- endmacro %}
