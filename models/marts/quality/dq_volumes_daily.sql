with

fct_events as (

    select * from {{ ref('fct_events') }}

),

fct_subscription_item_mrr as (

    select * from {{ ref('fct_subscription_item_mrr') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_records_dated as (

    select * from {{ ref('int_records_dated') }}

),

events_counted as (

    select
        event_name as series_name,
        occurred_date,
        count(*) as event_count
    from fct_events
    where not is_future
    group by all

    union all

    select
        'all' as series_name,
        occurred_date,
        count(*) as event_count
    from fct_events
    where not is_future
    group by all

),

-- MRR that starts less MRR that ends on a day; its running total is the MRR at the end of the day.
mrr_changes as (

    select
        cast(valid_from_at as date) as change_date,
        mrr_usd
    from fct_subscription_item_mrr

    union all

    select
        cast(valid_to_at as date) as change_date,
        -mrr_usd as mrr_usd
    from fct_subscription_item_mrr
    where valid_to_at is not null

),

observed as (

    select
        'rows' as metric,
        source_system || '.' || object_name as series_name,
        created_date as volume_date,
        cast(row_count as decimal(28, 6)) as volume
    from int_records_dated

    union all

    select
        'events' as metric,
        series_name,
        occurred_date as volume_date,
        cast(event_count as decimal(28, 6)) as volume
    from events_counted

    union all

    select
        'mrr' as metric,
        'usd' as series_name,
        change_date as volume_date,
        cast(sum(mrr_usd) as decimal(28, 6)) as volume
    from mrr_changes
    group by change_date

),

series_dates as (

    select
        observed.metric,
        observed.series_name,
        {{ date_series('min(observed.volume_date)', 'max(int_as_of.as_of_date)', 'day') }} as dates
    from observed
    cross join int_as_of
    where observed.volume_date <= int_as_of.as_of_date
    group by all

),

days as (

    select
        metric,
        series_name,
        {{ explode('dates') }} as volume_date
    from series_dates

),

dense as (

    select
        days.metric,
        days.series_name,
        days.volume_date,
        coalesce(observed.volume, 0) as volume,
        sum(coalesce(observed.volume, 0)) over (
            partition by days.metric, days.series_name
            order by days.volume_date
            rows between unbounded preceding and current row
        ) as volume_to_date

    from days
    left join observed
        on
            days.metric = observed.metric
            and days.series_name = observed.series_name
            and days.volume_date = observed.volume_date

),

final as (

    select
        metric,
        series_name,
        volume_date,
        cast(
            case when metric = 'mrr' then volume_to_date else volume end as decimal(28, 6)
        ) as volume

    from dense

)

select * from final
