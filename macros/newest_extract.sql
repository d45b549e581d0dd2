{#- For `loaded_at_query`: when the newest batch with a landed record of a source was extracted. A source
    that has landed nothing cannot be late.

    Arguments:
        source_name: the source.
-#}
{% macro newest_extract(source_name) %}
select coalesce(max(batches.extracted_at), {{ dbt.current_timestamp() }})
from {{ source('audit', 'batches') }} as batches
inner join {{ source('audit', 'files') }} as files
    on batches.batch_id = files.batch_id
where
    files.source_system = '{{ source_name }}'
    and files.rows_landed > 0
{% endmacro %}
