{#- The JSON value (object, list or scalar) at a dotted path of a JSON column; null when absent or JSON
    null. -#}
{% macro json_value(column, path) -%}
    {{ return(adapter.dispatch('json_value')(column, path)) }}
{%- endmacro %}

{% macro duckdb__json_value(column, path) -%}
    nullif(json_extract({{ column }}, '$.{{ path }}'), cast('null' as json))
{%- endmacro %}

{#- JSON is text on Spark, and a JSON string the text itself. -#}
{% macro spark__json_value(column, path) -%}
    get_json_object({{ column }}, '$.{{ path }}')
{%- endmacro %}

{#- A text as a JSON value. -#}
{% macro as_json(text) -%}
    {{ return(adapter.dispatch('as_json')(text)) }}
{%- endmacro %}

{% macro duckdb__as_json(text) -%}
    cast({{ text }} as json)
{%- endmacro %}

{% macro default__as_json(text) -%}
    cast({{ text }} as string)
{%- endmacro %}
