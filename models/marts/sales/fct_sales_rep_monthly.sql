with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

dim_sales_reps as (

    select * from {{ ref('dim_sales_reps') }}

),

fct_opportunities as (

    select * from {{ ref('fct_opportunities') }}

),

fct_pipeline_monthly as (

    select * from {{ ref('fct_pipeline_monthly') }}

),

sales_quotas as (

    select * from {{ ref('sales_quotas') }}

),

-- Two users may share an e-mail address. The quota belongs to the one who owns deals.
quota_holders as (

    select
        email,
        sales_rep_id
    from dim_sales_reps
    where email is not null
    qualify
        row_number() over (
            partition by email order by is_owner desc, is_active desc nulls last, sales_rep_id asc
        ) = 1

),

quotas as (

    select
        quota_holders.sales_rep_id,
        sales_quotas.quarter_start_date,
        sales_quotas.quota_usd,
        {{ explode(date_series(
            'sales_quotas.quarter_start_date',
            dbt.dateadd('month', 2, 'sales_quotas.quarter_start_date'),
            'month'
        )) }} as sales_month

    from sales_quotas
    inner join quota_holders
        on lower(sales_quotas.sales_rep_email) = quota_holders.email

),

closed as (

    select
        closing_sales_rep_id as sales_rep_id,
        close_month as sales_month,
        count(*) filter (where is_won) as won_count,
        count(*) filter (where is_lost) as lost_count,
        -- Won deals in currencies without a rate are not 0 dollars.
        coalesce(
            sum(amount_usd) filter (where is_won),
            case when count(amount) filter (where is_won) = 0 then 0 end
        ) as bookings_usd,
        avg(case when sales_cycle_days >= 0 then sales_cycle_days end) as average_cycle_days
    from fct_opportunities
    where is_closed and closing_sales_rep_id is not null
    group by
        closing_sales_rep_id,
        close_month

),

open_deals as (

    select
        sales_rep_id,
        pipeline_month as sales_month,
        count(*) as open_count,
        sum(amount_usd) as open_usd
    from fct_pipeline_monthly
    where sales_rep_id is not null
    group by
        sales_rep_id,
        pipeline_month

),

-- Deals that are open as the month begins, with a close date before the end of the quarter.
due_deals as (

    select
        quotas.sales_rep_id,
        quotas.sales_month,
        sum(states.amount_usd) as due_usd
    from quotas
    inner join fct_pipeline_monthly as states
        on
            quotas.sales_rep_id = states.sales_rep_id
            and {{ dbt.dateadd('month', -1, 'quotas.sales_month') }} = states.pipeline_month
    where states.close_date < {{ dbt.dateadd('month', 3, 'quotas.quarter_start_date') }}
    group by
        quotas.sales_rep_id,
        quotas.sales_month

),

keys as (

    select
        quotas.sales_rep_id,
        quotas.sales_month
    from quotas
    inner join int_as_of
        on quotas.sales_month <= int_as_of.as_of_date

    union distinct

    select
        sales_rep_id,
        sales_month
    from closed

    union distinct

    select
        sales_rep_id,
        sales_month
    from open_deals

),

joined as (

    select
        keys.sales_rep_id,
        keys.sales_month,
        quotas.quarter_start_date,
        quotas.quota_usd as quarter_quota_usd,
        case when closed.sales_rep_id is null then 0 else closed.bookings_usd end as bookings_usd,
        coalesce(closed.won_count, 0) as won_count,
        coalesce(closed.lost_count, 0) as lost_count,
        closed.average_cycle_days,
        coalesce(open_deals.open_count, 0) as open_count,
        case when open_deals.sales_rep_id is null then 0 else open_deals.open_usd end as open_usd,
        case
            when quotas.quota_usd is null then null
            when due_deals.sales_rep_id is null then 0
            else due_deals.due_usd
        end as due_usd,
        case
            when quotas.quarter_start_date is not null
                then sum(
                        case when closed.sales_rep_id is null then 0 else closed.bookings_usd end
                    ) over (
                        partition by keys.sales_rep_id, quotas.quarter_start_date
                        order by keys.sales_month
                        rows between unbounded preceding and current row
                    )
        end as quarter_bookings_usd

    from keys
    left join quotas
        on keys.sales_rep_id = quotas.sales_rep_id and keys.sales_month = quotas.sales_month
    left join closed
        on keys.sales_rep_id = closed.sales_rep_id and keys.sales_month = closed.sales_month
    left join open_deals
        on keys.sales_rep_id = open_deals.sales_rep_id and keys.sales_month = open_deals.sales_month
    left join due_deals
        on keys.sales_rep_id = due_deals.sales_rep_id and keys.sales_month = due_deals.sales_month

),

final as (

    select
        joined.sales_rep_id,
        joined.sales_month,
        {{ fiscal_quarter_start('joined.sales_month') }} as fiscal_quarter_start_date,
        {{ is_month_closed('joined.sales_month', 'int_as_of.as_of_date') }} as is_month_closed,
        cast(joined.won_count as integer) as won_count,
        cast(joined.lost_count as integer) as lost_count,
        cast(joined.open_count as integer) as open_opportunity_count,
        cast(joined.bookings_usd as decimal(28, 6)) as bookings_usd,
        cast(joined.quarter_bookings_usd as decimal(28, 6)) as quarter_bookings_usd,
        cast({{ ratio('joined.quarter_quota_usd', 3) }} as decimal(28, 6)) as quota_usd,
        cast(joined.quarter_quota_usd as decimal(28, 6)) as quarter_quota_usd,
        cast(joined.open_usd as decimal(28, 6)) as open_pipeline_usd,
        cast(joined.due_usd as decimal(28, 6)) as due_pipeline_usd,
        {{ ratio('joined.won_count', 'joined.won_count + joined.lost_count') }} as win_rate,
        cast(joined.average_cycle_days as double) as average_cycle_days,
        {{ ratio('joined.quarter_bookings_usd', 'joined.quarter_quota_usd') }}
            as quota_attainment_rate,
        case
            when joined.quarter_quota_usd > joined.quarter_bookings_usd - joined.bookings_usd
                then {{ ratio(
                    'joined.due_usd',
                    'joined.quarter_quota_usd - joined.quarter_bookings_usd + joined.bookings_usd'
                ) }}
        end as coverage_rate

    from joined
    cross join int_as_of

)

select * from final
