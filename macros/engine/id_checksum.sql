{#- A number derived from an id; null for a null or empty id. Its sum over many ids is a checksum that
    does not depend on their order. The loader computes the same number for every row it lands. -#}
{% macro id_checksum(id) -%}
    {{ return(adapter.dispatch('id_checksum')(id)) }}
{%- endmacro %}

{% macro duckdb__id_checksum(id) -%}
    md5_number_lower(nullif({{ id }}, ''))
{%- endmacro %}

{#- The last eight bytes of the digest as a number, lowest byte first. -#}
{% macro spark__id_checksum(id) -%}
    {%- set digest = 'md5(nullif(' ~ id ~ ", ''))" -%}
    cast(conv(concat(
        {%- for byte in range(15, 7, -1) %}
        substr({{ digest }}, {{ 2 * byte + 1 }}, 2){{ ',' if not loop.last }}
        {%- endfor %}
    ), 16, 10) as decimal(38, 0))
{%- endmacro %}
