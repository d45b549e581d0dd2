with

int_invoice_balances_monthly as (

    select * from {{ ref('int_invoice_balances_monthly') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

balances as (

    select
        account_id,
        currency,
        minor_unit_exponent,
        balance_month,
        is_month_closed,
        count(*) as open_invoice_count,
        max(days_past_due) as max_days_past_due,
        sum(open_minor) as open_minor,
        sum(case when ageing_bucket = 'current' then open_minor else 0 end) as current_minor,
        sum(case when ageing_bucket = '1-30' then open_minor else 0 end) as days_1_30_minor,
        sum(case when ageing_bucket = '31-60' then open_minor else 0 end) as days_31_60_minor,
        sum(case when ageing_bucket = '61-90' then open_minor else 0 end) as days_61_90_minor,
        sum(case when ageing_bucket = 'over 90' then open_minor else 0 end) as over_90_days_minor

    from int_invoice_balances_monthly
    group by
        account_id,
        currency,
        minor_unit_exponent,
        balance_month,
        is_month_closed

),

rated as (

    select
        balances.account_id,
        balances.currency,
        balances.minor_unit_exponent,
        int_usd_rates_monthly.usd_per_unit,
        balances.balance_month as rate_month,
        balances.is_month_closed,
        balances.open_invoice_count,
        balances.max_days_past_due,
        balances.open_minor,
        balances.current_minor,
        balances.days_1_30_minor,
        balances.days_31_60_minor,
        balances.days_61_90_minor,
        balances.over_90_days_minor

    from balances
    left join int_usd_rates_monthly
        on
            balances.currency = int_usd_rates_monthly.currency
            and balances.balance_month = int_usd_rates_monthly.rate_month

),

final as (

    select
        account_id,
        currency,
        rate_month as receivable_month,
        is_month_closed,
        cast(open_invoice_count as integer) as open_invoice_count,
        max_days_past_due,
        {{ minor_to_major('open_minor') }} as open_amount,
        {{ minor_to_major('current_minor') }} as current_amount,
        {{ minor_to_major('days_1_30_minor') }} as days_1_30_amount,
        {{ minor_to_major('days_31_60_minor') }} as days_31_60_amount,
        {{ minor_to_major('days_61_90_minor') }} as days_61_90_amount,
        {{ minor_to_major('over_90_days_minor') }} as over_90_days_amount,
        {{ to_usd(minor_to_major('open_minor')) }} as open_usd,
        {{ to_usd(minor_to_major('current_minor')) }} as current_usd,
        {{ to_usd(minor_to_major('days_1_30_minor')) }} as days_1_30_usd,
        {{ to_usd(minor_to_major('days_31_60_minor')) }} as days_31_60_usd,
        {{ to_usd(minor_to_major('days_61_90_minor')) }} as days_61_90_usd,
        {{ to_usd(minor_to_major('over_90_days_minor')) }} as over_90_days_usd

    from rated

)

select * from final
