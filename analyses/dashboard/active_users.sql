-- How many people use the product, and how many of a month's people come on a day? A null segment
-- is all of them.
with

fct_active_users_daily as (

    select * from {{ ref('fct_active_users_daily') }}

),

final as (

    select
        active_date,
        nullif(segment, 'total') as segment,
        dau,
        wau,
        mau,
        stickiness_rate

    from fct_active_users_daily

)

select * from final
order by
    active_date asc,
    segment asc nulls first
