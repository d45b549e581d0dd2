with

int_subscription_item_mrr as (

    select * from {{ ref('int_subscription_item_mrr') }}

),

final as (

    select
        subscription_item_id,
        subscription_id,
        stripe_customer_id,
        account_id,
        price_id,
        product_id,
        currency,
        quantity,
        subscription_status,
        valid_from_at,
        valid_to_at,
        list_mrr,
        mrr,
        discount_mrr,
        mrr_exclusion_reason,
        is_cancel_scheduled,
        has_unresolved_discount,
        is_tax_rate_missing,
        is_current

    from int_subscription_item_mrr

)

select * from final
