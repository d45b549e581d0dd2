with

int_invoices_known as (

    select * from {{ ref('int_invoices_known') }}

),

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

int_subscription_versions as (

    select * from {{ ref('int_subscription_versions') }}

),

versions as (

    select
        subscription_id,
        version_number,
        subscription_status,
        valid_from_at,
        lag(subscription_status) over (
            partition by subscription_id order by version_number
        ) as status_before
    from int_subscription_versions

),

ends as (

    select
        subscription_id,
        valid_from_at as ended_at,
        status_before
    from versions
    where subscription_status in ('canceled', 'incomplete_expired')
    qualify row_number() over (partition by subscription_id order by version_number) = 1

),

reasons as (

    select
        subscription_id,
        max_by(cancellation_reason, record_number) filter (
            where cancellation_reason is not null
        ) as cancellation_reason
    from int_subscription_source_records
    group by subscription_id

),

last_invoices as (

    select
        ends.subscription_id,
        int_invoices_known.status = 'paid' as is_paid
    from ends
    inner join int_invoices_known
        on
            ends.subscription_id = int_invoices_known.subscription_id
            and ends.ended_at >= int_invoices_known.created_at
    where int_invoices_known.status not in ('draft', 'void')
    qualify
        row_number() over (
            partition by ends.subscription_id
            order by int_invoices_known.created_at desc, int_invoices_known.invoice_id asc
        ) = 1

),

-- Stripe cancels by itself only when payment fails. So an end without a reason was asked for if the
-- last invoice was paid.
final as (

    select
        ends.subscription_id,
        case
            when reasons.cancellation_reason in ('payment_failed', 'payment_disputed')
                then 'involuntary'
            when reasons.cancellation_reason = 'cancellation_requested' then 'voluntary'
            when ends.status_before in ('past_due', 'unpaid', 'incomplete') then 'involuntary'
            when not last_invoices.is_paid then 'involuntary'
            when last_invoices.is_paid then 'voluntary'
            else 'unknown'
        end as churn_type

    from ends
    inner join reasons
        on ends.subscription_id = reasons.subscription_id
    left join last_invoices
        on ends.subscription_id = last_invoices.subscription_id

)

select * from final
