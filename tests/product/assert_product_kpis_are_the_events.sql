-- Proves that each day's uploads, runs, failures and downloads add up to the events, over tools
-- and over hours. A join of events to their document's tool could drop those without one, or
-- double some. Totals alone would miss an event that moved to another day.
with

facts as (

    select
        occurred_date as fact_date,
        count(*) filter (where document_action = 'begin') as upload_count,
        count(*) filter (where document_action = 'process') as processed_count,
        count(*) filter (where document_action = 'fail') as failed_count,
        count(*) filter (where document_action = 'finish') as download_count,
        count(*) as event_count

    from {{ ref('fct_events') }}
    where event_type = 'track' and is_counted
    group by occurred_date

),

daily as (

    select
        kpi_date,
        sum(upload_count) as upload_count,
        sum(processed_count) as processed_count,
        sum(failed_count) as failed_count,
        sum(download_count) as download_count

    from {{ ref('fct_product_kpis_daily') }}
    group by kpi_date

),

hourly as (

    select
        usage_date,
        sum(upload_count) as upload_count,
        sum(processed_count) as processed_count,
        sum(event_count) as event_count

    from {{ ref('fct_usage_hourly') }}
    group by usage_date

),

-- Every day of any side, so that a day missing from one of them is found too.
dates as (

    select fact_date from facts

    union

    select kpi_date from daily

    union

    select usage_date from hourly

)

select
    dates.fact_date,
    facts.event_count as fact_event_count,
    hourly.event_count as hourly_event_count,
    facts.upload_count as fact_upload_count,
    daily.upload_count as daily_upload_count

from dates
left join facts
    on dates.fact_date = facts.fact_date
left join daily
    on dates.fact_date = daily.kpi_date
left join hourly
    on dates.fact_date = hourly.usage_date
where
    coalesce(facts.upload_count, 0) != coalesce(daily.upload_count, 0)
    or coalesce(facts.processed_count, 0) != coalesce(daily.processed_count, 0)
    or coalesce(facts.failed_count, 0) != coalesce(daily.failed_count, 0)
    or coalesce(facts.download_count, 0) != coalesce(daily.download_count, 0)
    or coalesce(facts.upload_count, 0) != coalesce(hourly.upload_count, 0)
    or coalesce(facts.processed_count, 0) != coalesce(hourly.processed_count, 0)
    or coalesce(facts.event_count, 0) != coalesce(hourly.event_count, 0)
