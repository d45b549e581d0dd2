{#- Epoch seconds, as a number or text, as a timestamp in UTC. -#}
{% macro from_epoch(seconds) -%}
    {{ return(adapter.dispatch('from_epoch')(seconds)) }}
{%- endmacro %}

{% macro duckdb__from_epoch(seconds) -%}
    make_timestamp(cast({{ seconds }} as bigint) * 1000000)
{%- endmacro %}

{% macro default__from_epoch(seconds) -%}
    timestamp_seconds(cast({{ seconds }} as bigint))
{%- endmacro %}
