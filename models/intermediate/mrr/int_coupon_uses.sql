with

int_billing_rates_monthly as (

    select * from {{ ref('int_billing_rates_monthly') }}

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
        invoice_line_id,
        stripe_customer_id,
        subscription_id,
        currency,
        valued_at,
        {{ explode(json_array('discount_amounts')) }} as discount_amount

    from int_invoice_lines_netted
    where is_revenue

),

given as (

    select
        {{ expandable_id(json_string('discount_amount', 'discount')) }} as discount_id,
        invoice_id,
        stripe_customer_id,
        subscription_id,
        currency,
        valued_at,
        cast({{ json_string('discount_amount', 'amount') }} as bigint) as discount_minor

    from line_discounts

),

-- A discount counts as used from its start, and once more for each invoice line it lowered.
final as (

    select
        coupon_id,
        promotion_code_id,
        discount_id,
        stripe_customer_id,
        subscription_id,
        cast(null as string) as invoice_id,
        live_from_at as used_at,
        cast(0 as decimal(28, 6)) as discount_usd

    from int_discounts_resolved
    where stripe_customer_id is not null

    union all

    select
        int_discounts_resolved.coupon_id,
        int_discounts_resolved.promotion_code_id,
        given.discount_id,
        given.stripe_customer_id,
        given.subscription_id,
        given.invoice_id,
        given.valued_at as used_at,
        cast(
            {{ minor_to_major(
                'given.discount_minor', 'int_billing_rates_monthly.stripe_minor_unit_exponent'
            ) }} * int_billing_rates_monthly.usd_per_unit as decimal(28, 6)
        ) as discount_usd

    from given
    left join int_billing_rates_monthly
        on
            given.currency = int_billing_rates_monthly.currency
            and {{ month_start('given.valued_at') }} = int_billing_rates_monthly.rate_month
    left join int_discounts_resolved
        on given.discount_id = int_discounts_resolved.discount_id

)

select * from final
