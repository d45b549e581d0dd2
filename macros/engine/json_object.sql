{#- A JSON object of named expressions. A JSON expression is nested, not quoted.

    Arguments:
        fields: a mapping of key to SQL expression.
-#}
{% macro json_object(fields) -%}
    {{ return(adapter.dispatch('json_object')(fields)) }}
{%- endmacro %}

{% macro duckdb__json_object(fields) -%}
    json_object(
        {%- for key, expression in fields.items() %}
        '{{ key }}', {{ expression }}{{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro spark__json_object(fields) -%}
    concat(
        '{'
        {%- for key, expression in fields.items() %},
        '{{ "," if not loop.first }}"{{ key }}":', {{ spark__json_literal(expression) }}
        {%- endfor %},
        '}'
    )
{%- endmacro %}

{#- A value inside a JSON text. JSON is text on Spark, so text that begins like an object or a list is JSON. -#}
{% macro spark__json_literal(expression) -%}
    coalesce(
        case
            when typeof({{ expression }}) not in ('string', 'timestamp', 'date')
                then cast({{ expression }} as string)
            when left(cast({{ expression }} as string), 1) in ('{', '[') then cast({{ expression }} as string)
            else {{ quoted_text(expression) }}
        end,
        'null'
    )
{%- endmacro %}

{#- Text as a JSON string. -#}
{% macro quoted_text(text) -%}
    {{ return(adapter.dispatch('quoted_text')(text)) }}
{%- endmacro %}

{% macro duckdb__quoted_text(text) -%}
    to_json({{ text }})
{%- endmacro %}

{#- Spark writes lists and structs only: a list of one, without its brackets. -#}
{% macro spark__quoted_text(text) -%}
    trim(both '[]' from to_json(array(cast({{ text }} as string))))
{%- endmacro %}

{#- A row as a JSON object.

    Arguments:
        relation: the row's relation in the query.
-#}
{% macro row_as_json(relation) -%}
    {{ return(adapter.dispatch('row_as_json')(relation)) }}
{%- endmacro %}

{% macro duckdb__row_as_json(relation) -%}
    to_json({{ relation }})
{%- endmacro %}

{% macro spark__row_as_json(relation) -%}
    to_json(struct({{ relation }}.*), map('ignoreNullFields', 'false'))
{%- endmacro %}
