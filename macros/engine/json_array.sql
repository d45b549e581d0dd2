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

{% macro spark__json_array(column) -%}
    case
        when left(ltrim({{ column }}), 1) = '[' then from_json({{ column }}, 'array<string>')
        else cast(array() as array<string>)
    end
{%- endmacro %}
