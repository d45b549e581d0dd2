{#-
    A column of personal data as those who read the target may see it: as it is, or in the target
    `share` as a keyed hash, equal for equal values, so that joins and counts still work. Free text
    cannot be told apart into what is personal and what is not, so it is left out.

    column_name: the column's expression, text.
    is_free_text: whether it is text that people wrote, or a document.
-#}
{%- macro mask_personal(column_name, is_free_text=false) -%}
    {%- if target.name != 'share' -%}
        {{ column_name }}
    {%- elif is_free_text -%}
        cast(null as string)
    {%- else -%}
        left(
            sha256(
                getvariable('share_key')
                || lower(cast({{ column_name }} as string))
                || getvariable('share_key')
            ),
            32
        )
    {%- endif -%}
{%- endmacro -%}
