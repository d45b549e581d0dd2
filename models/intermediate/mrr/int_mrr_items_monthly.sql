{%- set item_history = '(partition by subscription_item_id order by mrr_month)' -%}

with

int_subscription_item_mrr as (

    select * from {{ ref('int_subscription_item_mrr') }}

),

int_mrr_account_currencies_monthly as (

    select * from {{ ref('int_mrr_account_currencies_monthly') }}

),

int_prices_described as (

    select * from {{ ref('int_prices_described') }}

),

plan_catalog as (

    select * from {{ ref('plan_catalog') }}

),

measured as (

    select
        int_mrr_account_currencies_monthly.account_id,
        int_mrr_account_currencies_monthly.mrr_month,
        int_mrr_account_currencies_monthly.usd_per_unit,
        int_subscription_item_mrr.subscription_id,
        int_subscription_item_mrr.subscription_item_id,
        int_subscription_item_mrr.product_id,
        int_subscription_item_mrr.price_id,
        coalesce(plan_catalog.is_add_on, false) as is_add_on,
        int_subscription_item_mrr.quantity,
        int_subscription_item_mrr.list_mrr,
        int_subscription_item_mrr.mrr,
        int_subscription_item_mrr.mrr_exclusion_reason

    from int_mrr_account_currencies_monthly
    inner join int_subscription_item_mrr
        on
            int_mrr_account_currencies_monthly.account_id = int_subscription_item_mrr.account_id
            and int_mrr_account_currencies_monthly.currency = int_subscription_item_mrr.currency
            and int_mrr_account_currencies_monthly.measured_at
            >= int_subscription_item_mrr.valid_from_at
            and (
                int_subscription_item_mrr.valid_to_at is null
                or int_mrr_account_currencies_monthly.measured_at
                < int_subscription_item_mrr.valid_to_at
            )
    left join int_prices_described
        on int_subscription_item_mrr.price_id = int_prices_described.price_id
    left join plan_catalog
        on int_prices_described.product_name = plan_catalog.product_name

),

final as (

    select
        account_id,
        mrr_month,
        usd_per_unit,
        subscription_id,
        subscription_item_id,
        product_id,
        price_id,
        is_add_on,
        quantity,
        list_mrr,
        mrr,
        mrr_exclusion_reason,
        lag(mrr, 1, 0) over {{ item_history }} as mrr_before,
        lag(list_mrr, 1, 0) over {{ item_history }} as list_mrr_before,
        lag(usd_per_unit) over {{ item_history }} as usd_per_unit_before,
        lag(product_id) over {{ item_history }} as product_id_before,
        lag(price_id) over {{ item_history }} as price_id_before,
        lag(quantity) over {{ item_history }} as quantity_before,
        lag(mrr_exclusion_reason) over {{ item_history }} as mrr_exclusion_reason_before,
        row_number() over {{ item_history }} = 1 as is_first_month_end

    from measured

)

select * from final
