with

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

full_lines as (

    select
        invoice_line_id,
        invoice_id,
        subscription_id,
        subscription_item_id,
        product_id,
        currency,
        amount_minor,
        discount_minor,
        discount_amounts,
        period_start_at,
        period_end_at

    from int_invoice_lines_netted
    where
        is_revenue
        and line_type = 'subscription'
        and subscription_item_id is not null
        and not is_proration
        and amount_minor > 0
        and period_start_at < period_end_at

),

line_discounts as (

    select
        invoice_line_id,
        invoice_id,
        subscription_id,
        amount_minor,
        {{ explode('discount_amounts', with_position=true) }} as listed
    from full_lines
    where discount_minor > 0

),

shares as (

    select
        invoice_line_id,
        invoice_id,
        subscription_id,
        listed.position as position_number,
        listed.value.discount_id,
        {{ ratio(
            'listed.value.amount_minor * 100',
            'amount_minor - coalesce(sum(listed.value.amount_minor) over earlier, 0)'
        ) }} as percent_off

    from line_discounts
    where
        listed.value.discount_id is not null
        and listed.value.amount_minor > 0
    window earlier as (
        partition by invoice_line_id, invoice_id
        order by listed.position
        rows between unbounded preceding and 1 preceding
    )

),

invoice_discounts as (

    select distinct
        invoice_id,
        subscription_id,
        discount_id
    from shares

),

-- A line that earlier discounts left nothing of says nothing about the others.
lines_of_discounts as (

    select
        full_lines.subscription_id,
        full_lines.subscription_item_id,
        invoice_discounts.discount_id,
        full_lines.product_id,
        full_lines.currency,
        full_lines.invoice_id,
        full_lines.period_start_at,
        full_lines.period_end_at,
        shares.position_number,
        shares.percent_off

    from full_lines
    inner join invoice_discounts
        on
            full_lines.invoice_id = invoice_discounts.invoice_id
            and full_lines.subscription_id = invoice_discounts.subscription_id
    left join shares
        on
            full_lines.invoice_id = shares.invoice_id
            and full_lines.invoice_line_id = shares.invoice_line_id
            and invoice_discounts.discount_id = shares.discount_id
    where
        shares.discount_id is not null
        or full_lines.amount_minor > full_lines.discount_minor

),

last_periods as (

    select
        subscription_item_id,
        max(period_start_at) as last_period_start_at
    from full_lines
    group by subscription_item_id

),

discounts as (

    select
        subscription_id,
        subscription_item_id,
        discount_id,
        product_id,
        max(currency) as currency,
        cast(
            max_by(position_number, period_start_at) filter (where percent_off is not null)
            as integer
        ) as position_number,
        cast(
            max_by(percent_off, period_start_at) filter (where percent_off is not null)
            as decimal(9, 6)
        ) as percent_off,
        count(distinct case when percent_off is not null then invoice_id end) as invoice_count,
        min(period_start_at) filter (where percent_off is not null) as first_period_start_at,
        max(period_start_at) filter (where percent_off is not null) as last_period_start_at,
        max(period_end_at) filter (where percent_off is not null) as last_period_end_at,
        max(period_start_at) as last_seen_at

    from lines_of_discounts
    group by
        subscription_id,
        subscription_item_id,
        discount_id,
        product_id

),

final as (

    select
        discounts.subscription_id,
        discounts.subscription_item_id,
        discounts.discount_id,
        discounts.product_id,
        discounts.currency,
        discounts.position_number,
        discounts.percent_off,
        discounts.invoice_count,
        discounts.last_seen_at,
        discounts.percent_off is not null as is_discounted,
        discounts.first_period_start_at as live_from_at,
        case
            when discounts.last_period_start_at < last_periods.last_period_start_at
                then discounts.last_period_end_at
        end as live_to_at

    from discounts
    inner join last_periods
        on discounts.subscription_item_id = last_periods.subscription_item_id

)

select * from final
