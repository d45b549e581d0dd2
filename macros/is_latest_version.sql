{#- Whether a raw row is the latest version of its record, for `qualify`. The latest extract wins, and
    within an extract the last row.

    Arguments:
        key: the column that identifies the record.
        clock: the record's own modification time, where it has one. It takes precedence over the
            extract's time.
-#}
{% macro is_latest_version(key, clock=none) -%}
    row_number() over (
        partition by {{ key }}
        order by
            {%- if clock %}
            {{ clock }} desc nulls last,
            {%- endif %}
            _extracted_at desc,
            _batch_id desc,
            _source_file desc,
            _source_row desc
    ) = 1
{%- endmacro %}
