{#- Text of a date or time as a timestamp in UTC; null for any other text. An offset in the text is
    applied, and text without one is UTC. A number of 9 or 10 digits is epoch seconds, one of 12 or 13
    milliseconds, as libraries of JavaScript send. -#}
{% macro utc_timestamp(text) -%}
    {{ return(adapter.dispatch('utc_timestamp')(text)) }}
{%- endmacro %}

{% macro duckdb__utc_timestamp(text) -%}
    coalesce(
        cast(try_cast({{ text }} as timestamp with time zone) as timestamp),
        case
            when regexp_full_match({{ text }}, '[0-9]{9,10}([.][0-9]*)?')
                then make_timestamp(cast(cast({{ text }} as double) * 1000000 as bigint))
            when regexp_full_match({{ text }}, '[0-9]{12,13}([.][0-9]*)?')
                then make_timestamp(cast(cast({{ text }} as double) * 1000 as bigint))
        end
    )
{%- endmacro %}

{% macro spark__utc_timestamp(text) -%}
    coalesce(
        case when {{ text }} like '%-%' then try_cast({{ text }} as timestamp) end,
        case
            when regexp_like({{ text }}, '^[0-9]{9,10}([.][0-9]*)?$')
                then timestamp_micros(cast(cast({{ text }} as double) * 1000000 as bigint))
            when regexp_like({{ text }}, '^[0-9]{12,13}([.][0-9]*)?$')
                then timestamp_micros(cast(cast({{ text }} as double) * 1000 as bigint))
        end
    )
{%- endmacro %}
