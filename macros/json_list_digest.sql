{#- Text that is equal for two JSON arrays exactly when the named fields of their elements are,
    whatever the order of the elements.

    Arguments:
        array: a JSON array; null counts as empty.
        paths: for each field the dotted paths it may stand at, first found taken; `self` is the
            element itself, where it is text.
-#}
{% macro json_list_digest(array, paths) -%}
    array_to_string(
        list_sort(
            list_transform(
                {{ json_array(array) }},
                lambda element: concat_ws(
                    ':'
                    {%- for alternatives in paths -%}
                    , coalesce({% for path in alternatives %}{{ json_text('element') if path == 'self' else json_string('element', path) }}, {% endfor %}'')
                    {%- endfor -%}
                )
            )
        ),
        ' '
    )
{%- endmacro %}
