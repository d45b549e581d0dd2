{#-
    What a warehouse was built with. The audit's `build_steps` has, under the step `variables`, the
    variables of every run of dbt since the last `python -m ingest build`, and of that build itself. A
    run by hand removes the step `build`, so that the next `make build` builds again.
-#}

{#- The variables given to this run, as one text; empty without any. -#}
{% macro run_variables() -%}
    {%- set given = invocation_args_dict.get('vars') or {} -%}
    {%- set pairs = [] -%}
    {%- for name in given | sort -%}
        {%- do pairs.append(name ~ ': ' ~ given[name]) -%}
    {%- endfor -%}
    {%- do return(pairs | join(', ')) -%}
{%- endmacro %}

{#- Replaces dbt's own. An incremental model is also rebuilt where rows cannot be changed, and where a
    run had other variables: its rows are of another day, or follow other rules. -#}
{% macro should_full_refresh() -%}
    {%- set configured = config.get('full_refresh') -%}
    {%- set steps = build_steps() if execute and config.get('materialized') == 'incremental' -%}
    {%- if not can_change_rows() -%}
        {%- do return(true) -%}
    {%- elif configured is not none -%}
        {%- do return(configured) -%}
    {%- elif flags.FULL_REFRESH or not steps -%}
        {%- do return(flags.FULL_REFRESH) -%}
    {%- endif -%}
    {%- set others -%}
        select count(*)
        from {{ steps }}
        where step = 'variables' and key <> {{ dbt.string_literal(run_variables() | replace("'", "''")) }}
    {%- endset -%}
    {%- do return(adapter.execute(others, fetch=true)[1].columns[0].values()[0] > 0) -%}
{%- endmacro %}

{#- For `on-run-end`.

    Arguments:
        results: dbt's results of the run.
-#}
{% macro record_build(results) -%}
    {%- if execute -%}
        {%- set built = results | selectattr('node.resource_type', 'in', ['model', 'seed', 'snapshot'])
            | list -%}
        {%- set steps = build_steps() -%}
        {%- if built and steps -%}
            {%- set variables = dbt.string_literal(run_variables() | replace("'", "''")) -%}
            delete from {{ steps }}
            where step = 'build' or step = 'variables' and key = {{ variables }};
            insert into {{ steps }} values ('variables', {{ variables }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The audit's `build_steps`; none where the loader keeps its audit elsewhere. -#}
{% macro build_steps() -%}
    {%- set schema = env_var('RAW_SCHEMAS', 'raw') ~ '_audit' -%}
    {%- do return(adapter.get_relation(
        database=target.database, schema=schema, identifier='build_steps'
    )) -%}
{%- endmacro %}
