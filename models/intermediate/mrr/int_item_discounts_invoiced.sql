{%- set earlier = '(partition by invoice_line_id, invoice_id order by listed.position'
    ~ ' rows between unbounded preceding and 1 preceding)' -%}
{%- set item_periods = '(partition by subscription_item_id order by period_start_at)' -%}
{%- set discounts -%}
(
    partition by subscription_id, subscription_item_id, discount_id, product_id
)
{%- endset -%}

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
            'amount_minor - coalesce(sum(listed.value.amount_minor) over ' ~ earlier ~ ', 0)'
        ) }} as percent_off

    from line_discounts
    where
        listed.value.discount_id is not null
        and listed.value.amount_minor > 0

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

-- A line per tier of one period is one row. Periods are counted, so that one without the discount,
-- or with another share, shows.
periods as (

    select
        subscription_item_id,
        period_start_at,
        row_number() over {{ item_periods }} as period_number,
        lead(period_start_at) over {{ item_periods }} is null as is_last
    from full_lines
    group by
        subscription_item_id,
        period_start_at

),

discounted_periods as (

    select
        lines.subscription_id,
        lines.subscription_item_id,
        lines.discount_id,
        lines.product_id,
        max(lines.currency) as currency,
        max(lines.position_number) as position_number,
        cast(max(lines.percent_off) as decimal(9, 6)) as percent_off,
        count(distinct lines.invoice_id) as invoice_count,
        lines.period_start_at,
        max(lines.period_end_at) as period_end_at,
        periods.period_number,
        periods.is_last

    from lines_of_discounts as lines
    inner join periods
        on
            lines.subscription_item_id = periods.subscription_item_id
            and lines.period_start_at = periods.period_start_at
    group by all

),

numbered as (

    select
        subscription_id,
        subscription_item_id,
        discount_id,
        product_id,
        currency,
        position_number,
        percent_off,
        period_start_at,
        period_end_at,
        is_last,
        case when percent_off is not null then period_number end - row_number() over (
            partition by
                subscription_id, subscription_item_id, discount_id, product_id, percent_off
            order by period_number
        ) as stretch_number,
        sum(case when percent_off is not null then invoice_count else 0 end) over {{ discounts }}
            as discounted_invoice_count,
        max(period_start_at) over {{ discounts }} as last_seen_at

    from discounted_periods

),

final as (

    select
        subscription_id,
        subscription_item_id,
        discount_id,
        product_id,
        max(currency) as currency,
        max(position_number) as position_number,
        percent_off,
        discounted_invoice_count as invoice_count,
        last_seen_at,
        percent_off is not null as is_discounted,
        case when percent_off is not null then min(period_start_at) end as live_from_at,
        case when percent_off is not null and not bool_or(is_last) then max(period_end_at) end
            as live_to_at

    from numbered
    where
        percent_off is not null
        or discounted_invoice_count = 0
    group by
        subscription_id,
        subscription_item_id,
        discount_id,
        product_id,
        percent_off,
        stretch_number,
        discounted_invoice_count,
        last_seen_at

)

select * from final
