{#- A hook of an incremental model: deletes the rows that the run has emptied, of which nothing is left.

    Arguments:
        count_column: the column that is 0 in these and in no others.
-#}
{% macro delete_what_is_empty(count_column) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where {{ count_column }} = 0
    {%- endif -%}
{%- endmacro %}
