-- How many people use the product, and how many of a month's people come on a day?
with

fct_active_users_daily as (

    select * from {{ ref('fct_active_users_daily') }}

),

final as (

    select
        active_date,
        dau,
        wau,
        mau,
        stickiness_rate

    from fct_active_users_daily
    where segment = 'total'

)

select * from final
order by active_date
