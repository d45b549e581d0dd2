{#- A number derived from an id; null for a null or empty id. Its sum over many ids is a checksum that
    does not depend on their order. The loader computes the same number for every row it lands. -#}
{% macro id_checksum(id) -%}
    {{ return(adapter.dispatch('id_checksum')(id)) }}
{%- endmacro %}

{% macro duckdb__id_checksum(id) -%}
    md5_number_lower(nullif({{ id }}, ''))
{%- endmacro %}
