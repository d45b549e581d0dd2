{#- The first non-blank text among some fields of a JSON object, trimmed; null if absent.

    Arguments:
        json: a JSON object.
        fields: field names in order of precedence.
-#}
{% macro json_first_string(json, fields) -%}
    coalesce(
        {%- for field in fields %}
        nullif(trim({{ json_string(json, field) }}), ''){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
