{#- A JSON array as a list of JSON values; null and anything that is not an array give an empty list. -#}
{% macro json_array(column) -%}
    case
        when json_type(cast({{ column }} as json)) = 'ARRAY' then cast({{ column }} as json[])
        else cast([] as json[])
    end
{%- endmacro %}
