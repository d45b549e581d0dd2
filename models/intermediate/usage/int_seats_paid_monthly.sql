with

int_mrr_items_monthly as (

    select * from {{ ref('int_mrr_items_monthly') }}

),

int_prices_described as (

    select * from {{ ref('int_prices_described') }}

),

plan_catalog as (

    select * from {{ ref('plan_catalog') }}

),

final as (

    select
        int_mrr_items_monthly.account_id,
        int_mrr_items_monthly.mrr_month,
        cast(
            sum(int_mrr_items_monthly.quantity * plan_catalog.seats_per_unit) as integer
        ) as paid_seat_count

    from int_mrr_items_monthly
    inner join int_prices_described
        on int_mrr_items_monthly.price_id = int_prices_described.price_id
    inner join plan_catalog
        on int_prices_described.product_name = plan_catalog.product_name
    where
        int_mrr_items_monthly.mrr_exclusion_reason is null
        and int_mrr_items_monthly.quantity > 0
        and plan_catalog.seats_per_unit > 0
    group by
        int_mrr_items_monthly.account_id,
        int_mrr_items_monthly.mrr_month

)

select * from final
