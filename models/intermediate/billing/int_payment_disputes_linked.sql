with

currencies as (

    select * from {{ ref('currencies') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

stg_stripe__disputes as (

    select * from {{ ref('stg_stripe__disputes') }}

),

final as (

    select
        stg_stripe__disputes.dispute_id,
        stg_stripe__disputes.charge_id,
        int_payments_linked.invoice_id,
        int_payments_linked.account_id,
        int_payments_linked.stripe_customer_id,
        stg_stripe__disputes.status as dispute_status,
        stg_stripe__disputes.reason,
        stg_stripe__disputes.network_reason_code,
        stg_stripe__disputes.currency,
        {{ required_exponent(
            'currencies.stripe_minor_unit_exponent', 'stg_stripe__disputes.currency'
        ) }} as minor_unit_exponent,
        {{ month_start('stg_stripe__disputes.created_at') }} as rate_month,
        int_usd_rates_monthly.usd_per_unit,
        stg_stripe__disputes.amount_minor,
        case
            when stg_stripe__disputes.status = 'lost' then stg_stripe__disputes.amount_minor
            else 0
        end as lost_minor,
        -- An early warning is only a request for information.
        coalesce(stg_stripe__disputes.status like 'warning%', false) as is_inquiry,
        coalesce(
            stg_stripe__disputes.status in ('won', 'lost', 'warning_closed', 'prevented'), false
        ) as is_closed,
        stg_stripe__disputes.created_at,
        stg_stripe__disputes.evidence_due_at

    from stg_stripe__disputes
    left join int_payments_linked
        on stg_stripe__disputes.charge_id = int_payments_linked.charge_id
    left join currencies
        on stg_stripe__disputes.currency = currencies.currency
    left join int_usd_rates_monthly
        on
            stg_stripe__disputes.currency = int_usd_rates_monthly.currency
            and {{ month_start('stg_stripe__disputes.created_at') }}
            = int_usd_rates_monthly.rate_month
    where not stg_stripe__disputes.is_deleted

)

select * from final
