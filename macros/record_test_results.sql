{#- For `on-run-end`: inserts the results of the tests that ran into the audit's `test_results`, the
    only table with clock times of builds. Inserts nothing if no test ran, if the table does not exist,
    or if the warehouse is open read-only.

    Arguments:
        results: dbt's results of the run.
-#}
{% macro record_test_results(results) -%}
    {%- if execute -%}
        {%- set tests = [] -%}
        {%- for result in results
            if result.node.resource_type in ('test', 'unit_test') and result.status != 'skipped' -%}
            {%- do tests.append(result) -%}
        {%- endfor -%}
        {%- set schema = env_var('RAW_SCHEMAS', 'raw') ~ '_audit' -%}
        {%- if tests and can_record_test_results(schema) -%}
            insert into {{ schema }}.test_results values
            {%- for result in tests %}
            {%- set node = result.node -%}
            {%- set is_unit_test = node.resource_type == 'unit_test' -%}
            {%- set tested = node.tested_node_unique_id if is_unit_test else node.attached_node -%}
            {%- set given = (node.test_metadata or {}).kwargs or {} -%}
            {%- set columns = node.column_name or given.columns | join(', ') -%}
            (
                '{{ invocation_id }}',
                cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp),
                {{ dbt.string_literal(node.unique_id | replace("'", "''")) }},
                {{ dbt.string_literal(node.name | replace("'", "''")) }},
                '{{ "unit" if is_unit_test else "data" }}',
                {{ dbt.string_literal(tested.split('.')[-1]) if tested else 'null' }},
                {{ "'" ~ columns ~ "'" if columns else 'null' }},
                '{{ (node.config.severity or "error") | lower }}',
                '{{ result.status }}',
                {{ result.failures if result.failures is not none else 'null' }},
                {{ result.execution_time }},
                {{ dbt.string_literal(result.message | replace("'", "''"))
                    if result.message else 'null' }},
                {{ dbt.string_literal(node.relation_name)
                    if node.config.store_failures and node.relation_name else 'null' }}
            ){{ "," if not loop.last }}
            {%- endfor %}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
