with

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_discounts_resolved as (

    select * from {{ ref('int_discounts_resolved') }}

),

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

line_discounts as (

    select
        invoice_id,
        account_id,
        stripe_customer_id,
        subscription_id,
        currency,
        minor_unit_exponent,
        rate_month,
        usd_per_unit,
        finalized_at,
        {{ explode('discount_amounts') }} as discount_amount

    from int_invoice_lines_netted
    where is_revenue

),

billed_discounts as (

    select
        discount_amount.discount_id,
        invoice_id,
        account_id,
        stripe_customer_id,
        subscription_id,
        currency,
        minor_unit_exponent,
        rate_month,
        usd_per_unit,
        finalized_at,
        discount_amount.amount_minor as discount_minor

    from line_discounts

),

-- A discount counts as used from its start, and once more for each invoice line that it reduces.
final as (

    select
        int_discounts_resolved.coupon_id,
        int_discounts_resolved.promotion_code_id,
        int_discounts_resolved.discount_id,
        int_customer_accounts.account_id,
        int_discounts_resolved.stripe_customer_id,
        int_discounts_resolved.subscription_id,
        cast(null as string) as invoice_id,
        int_discounts_resolved.live_from_at as used_at,
        cast(0 as decimal(28, 6)) as discount_usd

    from int_discounts_resolved
    inner join int_customer_accounts
        on int_discounts_resolved.stripe_customer_id = int_customer_accounts.stripe_customer_id

    union all

    select
        int_discounts_resolved.coupon_id,
        int_discounts_resolved.promotion_code_id,
        billed_discounts.discount_id,
        billed_discounts.account_id,
        billed_discounts.stripe_customer_id,
        billed_discounts.subscription_id,
        billed_discounts.invoice_id,
        billed_discounts.finalized_at as used_at,
        {{ to_usd(
            minor_to_major(
                'billed_discounts.discount_minor', 'billed_discounts.minor_unit_exponent'
            ),
            'billed_discounts.usd_per_unit', 'billed_discounts.currency',
            'billed_discounts.rate_month'
        ) }} as discount_usd

    from billed_discounts
    left join int_discounts_resolved
        on billed_discounts.discount_id = int_discounts_resolved.discount_id

)

select * from final
