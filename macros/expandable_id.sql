{#- The id behind a Stripe reference: the id itself, or the `id` of the expanded object. -#}
{% macro expandable_id(reference) -%}
    case
        when left({{ reference }}, 1) = '{' then json_extract_string({{ reference }}, '$.id')
        else {{ reference }}
    end
{%- endmacro %}
