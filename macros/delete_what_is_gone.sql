{#- A hook of an incremental model: deletes the rows whose key the upstream relation no longer has.
    What is still there, dbt's own `delete+insert` replaces.

    Arguments:
        upstream: the relation whose keys are there.
        keys: the columns of the key, of the same name on both sides.
-#}
{% macro delete_what_is_gone(upstream, keys) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where ({{ keys | join(', ') }}) not in (
            select distinct {{ keys | join(', ') }} from {{ upstream }}
        )
    {%- endif -%}
{%- endmacro %}
