{#- When this run of dbt began, UTC: which run wrote a row. Incremental models compare it with their
    own to find what was written since; no figure depends on it. -#}
{% macro built_at() -%}
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp)
{%- endmacro %}
