{#- Whether a raw row is the latest version of its record, for `qualify`: the latest extract wins,
    and within one the row that stands last.

    Arguments:
        key: the column that names the record.
        clock: the record's own clock where it has one; it goes before the extract's.
-#}
{% macro is_latest_version(key, clock=none) -%}
    row_number() over (
        partition by {{ key }}
        order by
            {%- if clock %}
            {{ clock }} desc,
            {%- endif %}
            _extracted_at desc,
            _batch_id desc,
            _source_file desc,
            _source_row desc
    ) = 1
{%- endmacro %}
