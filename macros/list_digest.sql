{#- Text that is equal for two lists of structs if and only if the named fields of their elements are
    equal, in any order of the elements.

    Arguments:
        list: a list of structs; null counts as empty.
        fields: names of fields; null counts as empty text.
-#}
{% macro list_digest(list, fields) -%}
    {%- set texts = [] -%}
    {%- for field in fields -%}
        {%- do texts.append("coalesce(cast(element." ~ field ~ " as string), '')") -%}
    {%- endfor -%}
    coalesce({{ sorted_text(list_transform(list, "concat_ws(':', " ~ texts | join(', ') ~ ')')) }}, '')
{%- endmacro %}
