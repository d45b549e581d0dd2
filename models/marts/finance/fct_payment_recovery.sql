{%- set lost_minor -%}
    case
        when not is_recovered and closed_at is not null then unpaid_minor
        else 0
    end
{%- endset -%}
{%- set open_minor -%}
    case
        when not is_recovered and closed_at is null then unpaid_minor
        else 0
    end
{%- endset -%}

with

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

attempts as (

    select
        invoice_id,
        count(*) as attempt_count,
        count(*) filter (where charge_status = 'failed') as failed_attempt_count,
        min(created_at) filter (where charge_status = 'failed') as first_failed_at,
        max(created_at) filter (where charge_status = 'failed') as last_failed_at,
        min_by(coalesce(outcome_reason, failure_code), created_at) filter (
            where charge_status = 'failed' and coalesce(outcome_reason, failure_code) is not null
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

-- Collection ends when the invoice is given up or its subscription has ended.
failed_invoices as (

    select
        int_invoices_dated.invoice_id,
        int_invoices_dated.account_id,
        int_invoices_dated.stripe_customer_id,
        int_invoices_dated.subscription_id,
        attempts.first_failure_reason,
        attempts.attempt_count,
        attempts.failed_attempt_count,

        int_invoices_dated.currency,
        int_invoices_dated.minor_unit_exponent,
        int_invoices_dated.rate_month,
        int_invoices_dated.usd_per_unit,
        int_invoices_dated.due_minor,
        least(int_invoices_dated.paid_minor, int_invoices_dated.due_minor) as recovered_minor,
        greatest(
            int_invoices_dated.due_minor
            - int_invoices_dated.paid_minor
            - int_invoices_dated.pre_payment_credit_minor,
            0
        ) as unpaid_minor,

        int_invoices_dated.invoice_status = 'paid' and int_invoices_dated.paid_minor > 0
            as is_recovered,
        attempts.first_failed_at,
        attempts.last_failed_at,
        coalesce(int_invoices_dated.paid_at, attempts.first_collected_at) as collected_at,
        coalesce(
            int_invoices_dated.paid_at,
            int_invoices_dated.voided_at,
            int_invoices_dated.marked_uncollectible_at,
            ended_subscriptions.ended_at
        ) as closed_at

    from int_invoices_dated
    inner join attempts
        on int_invoices_dated.invoice_id = attempts.invoice_id
    left join ended_subscriptions
        on int_invoices_dated.subscription_id = ended_subscriptions.subscription_id
    where attempts.failed_attempt_count > 0

),

final as (

    select
        invoice_id,
        account_id,
        stripe_customer_id,
        subscription_id,
        case
            when is_recovered then 'recovered'
            when closed_at is not null then 'lost'
            else 'open'
        end as recovery_status,
        first_failure_reason,
        cast(attempt_count as integer) as attempt_count,
        cast(failed_attempt_count as integer) as failed_attempt_count,
        currency,
        {{ minor_to_major('due_minor') }} as due_amount,
        {{ minor_to_major('recovered_minor') }} as recovered_amount,
        {{ minor_to_major(lost_minor) }} as lost_amount,
        {{ minor_to_major(open_minor) }} as open_amount,
        {{ to_usd(minor_to_major('due_minor')) }} as due_usd,
        {{ to_usd(minor_to_major('recovered_minor')) }} as recovered_usd,
        {{ to_usd(minor_to_major(lost_minor)) }} as lost_usd,
        is_recovered,
        first_failed_at,
        last_failed_at,
        case when is_recovered then collected_at end as recovered_at,
        case when not is_recovered then closed_at end as lost_at,
        case
            when is_recovered
                then cast({{ dbt.datediff(
                    'cast(first_failed_at as date)', 'cast(collected_at as date)', 'day'
                ) }} as integer)
        end as recovery_days

    from failed_invoices

)

select * from final
