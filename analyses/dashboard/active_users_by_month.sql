-- How many people use the product on an average day, in the last week and in the last 30 days of
-- each month? A null segment is all of them.
with

fct_active_users_daily as (

    select * from {{ ref('fct_active_users_daily') }}

),

final as (

    select
        {{ month_start('active_date') }} as active_month,
        nullif(segment, 'total') as segment,
        avg(dau) filter (where dau > 0) as average_dau,
        max_by(wau, active_date) as last_wau,
        max_by(mau, active_date) as last_mau

    from fct_active_users_daily
    group by
        {{ month_start('active_date') }},
        nullif(segment, 'total')

)

select * from final
order by
    active_month asc,
    segment asc nulls first
