{#-
    Text of a date or time as a timestamp in UTC, moved by its offset if it has one. Null where the text
    is neither.
-#}
{% macro utc_timestamp(text) -%}
    cast(try_cast({{ text }} as timestamp with time zone) as timestamp)
{%- endmacro %}
