with

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

int_invoices_known as (

    select * from {{ ref('int_invoices_known') }}

),

stg_stripe__subscription_events as (

    select * from {{ ref('stg_stripe__subscription_events') }}

),

stg_stripe__subscription_extracts as (

    select * from {{ ref('stg_stripe__subscription_extracts') }}

),

known_subscriptions as (

    select subscription_id
    from stg_stripe__subscription_events

    union distinct

    select subscription_id
    from stg_stripe__subscription_extracts

),

-- Stripe lists no canceled subscriptions unless asked to, so one that only invoices name had ended
-- when its company's subscriptions were extracted.
only_invoiced as (

    select
        lines.subscription_id,
        max(lines.stripe_customer_id) as stripe_customer_id,
        max(lines.currency) as currency,
        min(lines.period_start_at) as started_at,
        max(lines.period_end_at) as last_period_end_at,
        max(int_invoices_known.observed_at) as observed_at

    from int_invoice_lines_netted as lines
    inner join int_invoices_known
        on lines.invoice_id = int_invoices_known.invoice_id
    left join known_subscriptions
        on lines.subscription_id = known_subscriptions.subscription_id
    where
        known_subscriptions.subscription_id is null
        and lines.line_type = 'subscription'
        and lines.subscription_item_id is not null
        and lines.period_start_at < lines.period_end_at
        and int_invoices_known.status != 'draft'
    group by lines.subscription_id

),

last_extract as (

    select max(extracted_at) as extracted_at
    from stg_stripe__subscription_extracts

),

final as (

    select
        only_invoiced.subscription_id,
        only_invoiced.stripe_customer_id,
        only_invoiced.currency,
        only_invoiced.started_at,
        only_invoiced.observed_at,
        least(only_invoiced.last_period_end_at, last_extract.extracted_at) as ended_at,
        case
            when
                least(only_invoiced.last_period_end_at, last_extract.extracted_at)
                <= only_invoiced.observed_at
                then 'canceled'
            else 'active'
        end as status

    from only_invoiced
    cross join last_extract

)

select * from final
