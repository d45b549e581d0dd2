{#- For `on-run-start`: stops dbt with one message if nothing was ever loaded into the warehouse, where
    every model would fail on its own.

    The loader creates the audit's tables before anything else, also when it finds no export. Compiling
    needs no data. -#}
{% macro require_loaded() -%}
    {%- set reads = flags.WHICH in ('build', 'run', 'snapshot', 'test') -%}
    {%- if execute and reads and not adapter.get_relation(
        database=target.database, schema=env_var('RAW_SCHEMAS', 'raw') ~ '_audit', identifier='batches'
    ) -%}
        {%- do exceptions.raise_compiler_error(
            'Nothing is loaded yet. Run `make build`, or `python -m ingest load` and then dbt again.'
        ) -%}
    {%- endif -%}
{%- endmacro %}
