{#- The end of an incremental model that works over whole people: of the rows in its `final` those
    whose key has other rows than before, so that no run writes again what is as it was. A key that has
    none any more comes out as it was but with no events, for `delete_what_is_empty` to delete.

    Arguments:
        key: the columns of the model's unique key.
        compared: further columns, of which one differs whenever anything in a row does.
-#}
{% macro changed_rows(key, compared) -%}
    {%- if is_incremental() -%}
    {%- set told = (key + compared) | join(', ') -%}
    {%- set key = '(' ~ key | join(', ') ~ ')' -%}
    select * from (
        with

        known as (

            select {{ told }}
            from {{ this }}
            where person_id in (select people_touched.person_id from people_touched)

        ),

        changed as (

            select {{ key }} as key
            from (select {{ told }} from final except select * from known) as written
            union
            select {{ key }} as key
            from (select * from known except select {{ told }} from final) as taken_back

        )

        select *
        from final
        where {{ key }} in (select changed.key from changed)
        union all by name
        select * replace (0 as event_count)
        from {{ this }}
        where {{ key }} in (select {{ key }} from known except select {{ key }} from final)
    ) as changed_rows
    {%- else -%}
    select * from final
    {%- endif -%}
{%- endmacro %}
