with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_billing_rates_monthly as (

    select * from {{ ref('int_billing_rates_monthly') }}

),

int_invoices_totaled as (

    select * from {{ ref('int_invoices_totaled') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

stripe_accounts as (

    select
        foreign_id as stripe_customer_id,
        account_id
    from bridge_account_identities
    where source_system = 'stripe'

),

attempts as (

    select
        invoice_id,
        count(*) as attempt_count,
        count(*) filter (where charge_status = 'failed') as failed_attempt_count,
        min(created_at) filter (where charge_status = 'failed') as first_failed_at,
        max(created_at) filter (where charge_status = 'failed') as last_failed_at,
        arg_min(coalesce(outcome_reason, failure_code), created_at) filter (
            where charge_status = 'failed'
        ) as first_failure_reason,
        min(created_at) filter (where charge_status = 'succeeded') as first_collected_at

    from int_payments_linked
    where invoice_id is not null
    group by invoice_id

),

ended_subscriptions as (

    select
        subscription_id,
        min(coalesce(ended_at, observed_at)) as ended_at
    from int_subscription_source_records
    where is_ended
    group by subscription_id

),

-- Nobody collects any more once the invoice is given up or its subscription has ended.
failed_invoices as (

    select
        int_invoices_totaled.*,
        attempts.attempt_count as charge_attempt_count,
        attempts.failed_attempt_count,
        attempts.first_failed_at,
        attempts.last_failed_at,
        attempts.first_failure_reason,
        case
            when int_invoices_totaled.paid_minor > 0
                then coalesce(int_invoices_totaled.paid_at, attempts.first_collected_at)
        end as recovered_at,
        coalesce(
            int_invoices_totaled.paid_at,
            int_invoices_totaled.voided_at,
            int_invoices_totaled.marked_uncollectible_at,
            ended_subscriptions.ended_at
        ) as lost_at

    from int_invoices_totaled
    inner join attempts
        on int_invoices_totaled.invoice_id = attempts.invoice_id
    left join ended_subscriptions
        on int_invoices_totaled.subscription_id = ended_subscriptions.subscription_id
    where attempts.failed_attempt_count > 0

),

rated as (

    select
        failed_invoices.*,
        stripe_accounts.account_id,
        int_billing_rates_monthly.stripe_minor_unit_exponent,
        int_billing_rates_monthly.usd_per_unit,
        case
            when failed_invoices.invoice_status = 'paid' and failed_invoices.paid_minor > 0
                then 'recovered'
            when failed_invoices.lost_at is not null then 'lost'
            else 'open'
        end as recovery_status

    from failed_invoices
    left join int_billing_rates_monthly
        on
            failed_invoices.currency = int_billing_rates_monthly.currency
            and {{ month_start('failed_invoices.finalized_at') }}
            = int_billing_rates_monthly.rate_month
    left join stripe_accounts
        on failed_invoices.stripe_customer_id = stripe_accounts.stripe_customer_id

),

valued as (

    select
        *,
        {{ minor_to_major('due_minor', 'stripe_minor_unit_exponent') }} as due_amount,
        {{ minor_to_major('least(paid_minor, due_minor)', 'stripe_minor_unit_exponent') }}
            as paid_amount,
        {{ minor_to_major(
            'greatest(due_minor - paid_minor - pre_payment_credit_minor, 0)',
            'stripe_minor_unit_exponent'
        ) }} as unpaid_amount,
        cast(first_failed_at as date) as first_failed_date,
        cast(recovered_at as date) as recovered_date

    from rated

),

final as (

    select
        invoice_id,
        account_id,
        stripe_customer_id,
        subscription_id,
        recovery_status,
        first_failure_reason,
        cast(charge_attempt_count as integer) as attempt_count,
        cast(failed_attempt_count as integer) as failed_attempt_count,
        currency,
        due_amount,
        paid_amount as recovered_amount,
        cast(case when recovery_status = 'lost' then unpaid_amount else 0 end as decimal(28, 6))
            as lost_amount,
        cast(case when recovery_status = 'open' then unpaid_amount else 0 end as decimal(28, 6))
            as open_amount,
        cast(due_amount * usd_per_unit as decimal(28, 6)) as due_usd,
        cast(paid_amount * usd_per_unit as decimal(28, 6)) as recovered_usd,
        cast(
            case when recovery_status = 'lost' then unpaid_amount else 0 end * usd_per_unit
            as decimal(28, 6)
        ) as lost_usd,
        recovery_status = 'recovered' as is_recovered,
        first_failed_at,
        last_failed_at,
        case when recovery_status = 'recovered' then recovered_at end as recovered_at,
        case when recovery_status = 'lost' then lost_at end as lost_at,
        case
            when recovery_status = 'recovered'
                then cast({{ dbt.datediff(
                    'first_failed_date', 'recovered_date', 'day'
                ) }} as integer)
        end as recovery_days

    from valued

)

select * from final
