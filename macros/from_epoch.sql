{#- Epoch seconds as a timestamp in UTC. -#}
{% macro from_epoch(seconds) -%}
    make_timestamp(cast({{ seconds }} as bigint) * 1000000)
{%- endmacro %}
