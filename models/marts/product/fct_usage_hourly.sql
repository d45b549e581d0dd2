{#- A run counts again the days whose track events changed, as macros/incremental.sql explains. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='changed_rows',
    unique_key='usage_date',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where usage_date not in (
        select distinct occurred_date from {{ ref('fct_events') }}
        where event_type = 'track' and is_counted){% endif %}",
) }}

with

fct_events as (

    select * from {{ ref('fct_events') }}

),

{%- if is_incremental() %}

days_touched as (

    select
        occurred_date as usage_date,
        count(*) as event_count,
        max(_built_at) as newest_built_at

    from {{ ref('fct_events') }}
    where event_type = 'track' and is_counted
    group by occurred_date

    except

    select
        usage_date,
        cast(sum(event_count) as bigint) as event_count,
        max(_built_at) as newest_built_at

    from {{ this }}
    group by usage_date

),
{%- endif %}

final as (

    select
        occurred_date as usage_date,
        cast(extract(hour from occurred_at) as integer) as hour_number,
        cast(count(*) as integer) as event_count,
        cast(count(distinct person_id) as integer) as active_user_count,
        cast(
            count(*) filter (where document_action = 'begin') as integer
        ) as upload_count,
        cast(
            count(*) filter (where document_action = 'process') as integer
        ) as processed_count,
        max(_built_at) as _built_at

    from fct_events
    where
        event_type = 'track'
        and is_counted
    {%- if is_incremental() %}
        and occurred_date in (select days_touched.usage_date from days_touched)
    {%- endif %}
    group by
        occurred_date,
        hour_number

)

select * from final
