{#- Text of a date or a time as a timestamp in UTC: moved by its offset, UTC where it has none, null
    when it is neither. -#}
{% macro utc_timestamp(text) -%}
    cast(try_cast({{ text }} as timestamp with time zone) as timestamp)
{%- endmacro %}
