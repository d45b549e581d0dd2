{#- Text of a date or time as a timestamp in UTC; null for any other text. An offset in the text is
    applied, and text without one is UTC. -#}
{% macro utc_timestamp(text) -%}
    {{ return(adapter.dispatch('utc_timestamp')(text)) }}
{%- endmacro %}

{% macro duckdb__utc_timestamp(text) -%}
    cast(try_cast({{ text }} as timestamp with time zone) as timestamp)
{%- endmacro %}
