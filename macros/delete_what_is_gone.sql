{#- A hook of an incremental model: deletes the rows of loads that the upstream relation no longer has.
    What is still there, dbt's own `delete+insert` replaces.

    Arguments:
        upstream: a relation with `_loaded_at`.
-#}
{% macro delete_what_is_gone(upstream) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where _loaded_at in ({{ loads_lacking(this, upstream) }})
    {%- endif -%}
{%- endmacro %}
