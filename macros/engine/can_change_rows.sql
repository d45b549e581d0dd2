{#- Whether rows of a table can be changed, which incremental models and snapshots need. -#}
{% macro can_change_rows() -%}
    {{ return(adapter.dispatch('can_change_rows')()) }}
{%- endmacro %}

{% macro default__can_change_rows() -%}
    {{ return(true) }}
{%- endmacro %}

{#- Those of Delta and Iceberg can; Parquet files are only replaced. -#}
{% macro spark__can_change_rows() -%}
    {{ return(var('lake_format') != 'parquet') }}
{%- endmacro %}
