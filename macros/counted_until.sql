{#- Up to which run an incremental model has counted the rows of another relation, as an SQL literal:
    the newest run that any counted row is of or, when one of them is gone, the beginning of time, so
    that all are counted anew. Asked before the model runs: written out, it lets the engine skip what
    has been counted.

    Arguments:
        upstream: a relation with `_built_at`, of which the model keeps the newest for each row, and
            in `message_count` how many rows went into it.
-#}
{% macro counted_until(upstream) -%}
    {%- set until = '0001-01-01' -%}
    {%- if execute -%}
        {%- set counted -%}
            select cast(max(_built_at) as string)
            from {{ this }}
            having
                sum(message_count) = (
                    select count(*)
                    from {{ upstream }}
                    where _built_at <= (select max(_built_at) from {{ this }})
                )
        {%- endset -%}
        {%- set until = run_query(counted).columns[0].values() | first | default(until) -%}
    {%- endif -%}
    cast('{{ until }}' as timestamp)
{%- endmacro %}
