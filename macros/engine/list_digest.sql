{#- Text that is equal for two lists of structs if and only if the named fields of their elements are
    equal, in any order of the elements.

    Arguments:
        list: a list of structs; null counts as empty.
        fields: names of fields; null counts as empty text.
-#}
{% macro list_digest(list, fields) -%}
    {{ return(adapter.dispatch('list_digest')(list, fields)) }}
{%- endmacro %}

{% macro duckdb__list_digest(list, fields) -%}
    coalesce(
        array_to_string(
            list_sort(
                list_transform(
                    {{ list }},
                    lambda element: concat_ws(
                        ':'
                        {%- for field in fields -%}
                        , coalesce(cast(element.{{ field }} as string), '')
                        {%- endfor -%}
                    )
                )
            ),
            ' '
        ),
        ''
    )
{%- endmacro %}

{% macro spark__list_digest(list, fields) -%}
    coalesce(
        array_join(
            array_sort(
                transform(
                    {{ list }},
                    element -> concat_ws(
                        ':'
                        {%- for field in fields -%}
                        , coalesce(cast(element.{{ field }} as string), '')
                        {%- endfor -%}
                    )
                )
            ),
            ' '
        ),
        ''
    )
{%- endmacro %}
