{#- Text that is equal for two JSON arrays if and only if the named fields of their elements are equal,
    in any order of the elements.

    Arguments:
        array: a JSON array; null counts as empty.
        paths: for each field a list of dotted paths, of which the first with a value counts; `self`
            is the element itself, where it is text.
-#}
{% macro json_list_digest(array, paths) -%}
    {%- set texts = [] -%}
    {%- for alternatives in paths -%}
        {%- set values = [] -%}
        {%- for path in alternatives -%}
            {%- do values.append(json_string('element', none if path == 'self' else path)) -%}
        {%- endfor -%}
        {%- do texts.append('coalesce(' ~ values | join(', ') ~ ", '')") -%}
    {%- endfor -%}
    {{ sorted_text(list_transform(json_array(array), "concat_ws(':', " ~ texts | join(', ') ~ ')')) }}
{%- endmacro %}
