{#- The id of a Stripe reference as text.

    Arguments:
        reference: text, either the id itself or the expanded object as JSON.
-#}
{% macro expandable_id(reference) -%}
    {{ return(adapter.dispatch('expandable_id')(reference)) }}
{%- endmacro %}

{% macro duckdb__expandable_id(reference) -%}
    case
        when left({{ reference }}, 1) = '{' then json_extract_string({{ reference }}, '$.id')
        else {{ reference }}
    end
{%- endmacro %}
