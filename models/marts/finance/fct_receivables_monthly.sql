with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_billing_rates_monthly as (

    select * from {{ ref('int_billing_rates_monthly') }}

),

int_invoice_balances_monthly as (

    select * from {{ ref('int_invoice_balances_monthly') }}

),

stripe_accounts as (

    select
        foreign_id as stripe_customer_id,
        account_id
    from bridge_account_identities
    where source_system = 'stripe'

),

rated as (

    select
        int_invoice_balances_monthly.*,
        stripe_accounts.account_id,
        int_billing_rates_monthly.stripe_minor_unit_exponent,
        int_billing_rates_monthly.usd_per_unit

    from int_invoice_balances_monthly
    left join int_billing_rates_monthly
        on
            int_invoice_balances_monthly.currency = int_billing_rates_monthly.currency
            and {{ month_start('int_invoice_balances_monthly.balance_month') }}
            = int_billing_rates_monthly.rate_month
    left join stripe_accounts
        on int_invoice_balances_monthly.stripe_customer_id = stripe_accounts.stripe_customer_id

),

valued as (

    select
        *,
        {{ minor_to_major('open_minor', 'stripe_minor_unit_exponent') }} as open_amount

    from rated

),

summed as (

    select
        account_id,
        currency,
        balance_month,
        is_month_closed,
        usd_per_unit,
        count(*) as open_invoice_count,
        max(days_past_due) as max_days_past_due,
        sum(open_amount) as open_amount,
        coalesce(sum(open_amount) filter (where ageing_bucket = 'current'), 0)
            as current_amount,
        coalesce(sum(open_amount) filter (where ageing_bucket = '1-30'), 0)
            as days_1_30_amount,
        coalesce(sum(open_amount) filter (where ageing_bucket = '31-60'), 0)
            as days_31_60_amount,
        coalesce(sum(open_amount) filter (where ageing_bucket = '61-90'), 0)
            as days_61_90_amount,
        coalesce(sum(open_amount) filter (where ageing_bucket = 'over 90'), 0)
            as over_90_days_amount

    from valued
    group by
        account_id,
        currency,
        balance_month,
        is_month_closed,
        usd_per_unit

),

final as (

    select
        account_id,
        currency,
        balance_month as receivable_month,
        is_month_closed,
        cast(open_invoice_count as integer) as open_invoice_count,
        max_days_past_due,
        cast(open_amount as decimal(28, 6)) as open_amount,
        cast(current_amount as decimal(28, 6)) as current_amount,
        cast(days_1_30_amount as decimal(28, 6)) as days_1_30_amount,
        cast(days_31_60_amount as decimal(28, 6)) as days_31_60_amount,
        cast(days_61_90_amount as decimal(28, 6)) as days_61_90_amount,
        cast(over_90_days_amount as decimal(28, 6)) as over_90_days_amount,
        cast(open_amount * usd_per_unit as decimal(28, 6)) as open_usd,
        cast(current_amount * usd_per_unit as decimal(28, 6)) as current_usd,
        cast(days_1_30_amount * usd_per_unit as decimal(28, 6)) as days_1_30_usd,
        cast(days_31_60_amount * usd_per_unit as decimal(28, 6)) as days_31_60_usd,
        cast(days_61_90_amount * usd_per_unit as decimal(28, 6)) as days_61_90_usd,
        cast(over_90_days_amount * usd_per_unit as decimal(28, 6)) as over_90_days_usd

    from summed

)

select * from final
