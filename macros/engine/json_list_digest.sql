{#- Text that is equal for two JSON arrays if and only if the named fields of their elements are equal,
    in any order of the elements.

    Arguments:
        array: a JSON array; null counts as empty.
        paths: for each field a list of dotted paths, of which the first with a value counts; `self`
            is the element itself, where it is text.
-#}
{% macro json_list_digest(array, paths) -%}
    {{ return(adapter.dispatch('json_list_digest')(array, paths)) }}
{%- endmacro %}

{% macro duckdb__json_list_digest(array, paths) -%}
    array_to_string(
        list_sort(
            list_transform(
                {{ json_array(array) }},
                lambda element: concat_ws(
                    ':'
                    {%- for alternatives in paths -%}
                    , coalesce(
                        {%- for path in alternatives -%}
                        {{ json_string('element', none if path == 'self' else path) }}, {# -#}
                        {%- endfor -%} ''
                    )
                    {%- endfor -%}
                )
            )
        ),
        ' '
    )
{%- endmacro %}

{% macro spark__json_list_digest(array, paths) -%}
    array_join(
        array_sort(
            transform(
                {{ json_array(array) }},
                element -> concat_ws(
                    ':'
                    {%- for alternatives in paths -%}
                    , coalesce(
                        {%- for path in alternatives -%}
                        {{ json_string('element', none if path == 'self' else path) }}, {# -#}
                        {%- endfor -%} ''
                    )
                    {%- endfor -%}
                )
            )
        ),
        ' '
    )
{%- endmacro %}
