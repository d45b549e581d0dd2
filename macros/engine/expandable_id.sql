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

{% macro spark__expandable_id(reference) -%}
    case
        when left({{ reference }}, 1) = '{' then get_json_object({{ reference }}, '$.id')
        else {{ reference }}
    end
{%- endmacro %}

{#- The object of a Stripe reference as JSON, with nothing but its id where only that is given; null for
    anything else.

    Arguments:
        reference: a JSON value, the object or its id.
-#}
{% macro expanded_object(reference) -%}
    {{ return(adapter.dispatch('expanded_object')(reference)) }}
{%- endmacro %}

{% macro duckdb__expanded_object(reference) -%}
    case
        when json_type({{ reference }}) = 'VARCHAR' then json_object('id', {{ reference }})
        when json_type({{ reference }}) = 'OBJECT' then {{ reference }}
    end
{%- endmacro %}

{% macro spark__expanded_object(reference) -%}
    case
        when left({{ reference }}, 1) = '{' then {{ reference }}
        when left({{ reference }}, 1) != '[' then to_json(named_struct('id', {{ reference }}))
    end
{%- endmacro %}
