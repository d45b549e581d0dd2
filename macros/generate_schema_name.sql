{#- The schema in dbt_project.yml. A target whose own schema is not its engine's default prefixes it: with
    `schema: dev` the finance marts are in `dev_finance`. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set is_default = target.schema in ('main', 'default') -%}
    {%- if not custom_schema_name -%}
        {{ target.schema }}
    {%- else -%}
        {{ '' if is_default else target.schema ~ '_' }}{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
