{#- A JSON array as a list of JSON values; an empty list for null and for anything else. -#}
{% macro json_array(column) -%}
    {{ return(adapter.dispatch('json_array')(column)) }}
{%- endmacro %}

{% macro duckdb__json_array(column) -%}
    case
        when json_type(cast({{ column }} as json)) = 'ARRAY' then cast({{ column }} as json[])
        else cast([] as json[])
    end
{%- endmacro %}
