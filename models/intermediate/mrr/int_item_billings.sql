with

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

int_invoices_known as (

    select * from {{ ref('int_invoices_known') }}

),

int_subscription_prices as (

    select * from {{ ref('int_subscription_prices') }}

),

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

-- Events show all from the first one on, and the whole history if that is the creation.
needed as (

    select
        subscription_id,
        min(case when record_source = 'event' then observed_at end) as first_event_at
    from int_subscription_source_records
    group by subscription_id
    having not coalesce(bool_or(event_type = 'customer.subscription.created'), false)

),

-- Up to acacia a proration may not name its item. It is the one item that the subscription has been
-- billed for at that price, or else at all. The lines are read from their model, because DuckDB
-- materializes a CTE that is read twice.
items_of_prices as (

    select
        subscription_id,
        price_id,
        min(subscription_item_id) as first_item_id,
        max(subscription_item_id) as last_item_id
    from {{ ref('int_invoice_lines_netted') }}
    where subscription_item_id is not null
    group by
        subscription_id,
        price_id

),

items_of_subscriptions as (

    select
        subscription_id,
        min(first_item_id) as first_item_id,
        max(last_item_id) as last_item_id
    from items_of_prices
    group by subscription_id

),

lines as (

    select
        lines.subscription_id,
        coalesce(
            lines.subscription_item_id,
            case
                when items_of_prices.first_item_id = items_of_prices.last_item_id
                    then items_of_prices.first_item_id
                when items_of_subscriptions.first_item_id = items_of_subscriptions.last_item_id
                    then items_of_subscriptions.first_item_id
            end
        ) as subscription_item_id,
        lines.price_id,
        lines.invoice_id,
        lines.is_proration and lines.amount_minor < 0 as is_credit,
        lines.quantity,
        lines.amount_minor,
        lines.period_start_at,
        lines.period_end_at,
        lines.finalized_at,
        coalesce(int_subscription_prices.usage_type = 'metered', false) as is_metered,
        -- Only a trial bills 0 for a price above 0.
        not lines.is_proration
        and lines.amount_minor = 0
        and coalesce(int_subscription_prices.unit_amount_decimal, 0) != 0 as is_trial,
        case
            when int_invoices_known.status = 'void' then 'void'
            when int_invoices_known.status = 'uncollectible' then 'unpaid'
            when
                int_invoices_known.status = 'open'
                and coalesce(int_invoices_known.due_at, int_invoices_known.created_at)
                < int_invoices_known.observed_at
                then 'unpaid'
            else 'paid'
        end as invoice_state

    from needed
    inner join int_invoice_lines_netted as lines
        on
            needed.subscription_id = lines.subscription_id
            and coalesce(needed.first_event_at > lines.period_start_at, true)
    inner join int_invoices_known
        on lines.invoice_id = int_invoices_known.invoice_id
    left join int_subscription_prices
        on lines.price_id = int_subscription_prices.price_id
    left join items_of_prices
        on
            lines.subscription_id = items_of_prices.subscription_id
            and lines.price_id = items_of_prices.price_id
    left join items_of_subscriptions
        on lines.subscription_id = items_of_subscriptions.subscription_id
    where
        (lines.line_type = 'subscription' or lines.is_proration)
        and lines.period_start_at < lines.period_end_at
        and int_invoices_known.status != 'draft'

),

-- Stripe bills graduated tiers as a line per tier. The quantity of a metered price is its use.
final as (

    select
        subscription_id,
        subscription_item_id,
        price_id,
        is_credit,
        cast(case when not is_metered then sum(quantity) end as bigint) as quantity,
        sum(amount_minor) as amount_minor,
        period_start_at,
        period_end_at,
        finalized_at,
        case
            when invoice_state = 'void' then 'void'
            when bool_and(is_trial and not is_metered) then 'trial'
            else invoice_state
        end as billing_state

    from lines
    where subscription_item_id is not null
    group by
        subscription_id,
        subscription_item_id,
        price_id,
        invoice_id,
        is_credit,
        is_metered,
        period_start_at,
        period_end_at,
        finalized_at,
        invoice_state

)

select * from final
