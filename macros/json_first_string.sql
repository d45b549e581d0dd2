{#-
    The first of some fields of a JSON object that holds a text, trimmed; null when none does.

    Arguments:
        json: the object.
        fields: their names, in order.
-#}
{% macro json_first_string(json, fields) -%}
    coalesce(
        {%- for field in fields %}
        nullif(trim({{ json_string(json, field) }}), ''){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
