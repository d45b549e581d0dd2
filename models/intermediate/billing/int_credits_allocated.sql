{%- set is_proportional = var('revenue_credit_notes') == 'proportional' %}

with

int_credits_dated as (

    select * from {{ ref('int_credits_dated') }}

),

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

int_subscription_versions as (

    select * from {{ ref('int_subscription_versions') }}

),

ended_subscriptions as (

    select
        subscription_id,
        cast(min(valid_from_at) as date) as ended_date
    from int_subscription_versions
    where subscription_status in ('canceled', 'incomplete_expired')
    group by subscription_id

),

-- Of these subscriptions, prorations have already credited the time after the end.
prorated_subscriptions as (

    select distinct int_invoice_lines_netted.subscription_id
    from int_invoice_lines_netted
    inner join ended_subscriptions
        on
            int_invoice_lines_netted.subscription_id = ended_subscriptions.subscription_id
            and int_invoice_lines_netted.earned_from_date >= ended_subscriptions.ended_date
    where
        int_invoice_lines_netted.is_proration
        and int_invoice_lines_netted.net_minor < 0

),

lines as (

    select
        int_invoice_lines_netted.invoice_id,
        int_invoice_lines_netted.invoice_line_id,
        int_invoice_lines_netted.net_minor,
        ended_subscriptions.ended_date

    from int_invoice_lines_netted
    left join ended_subscriptions
        on
            int_invoice_lines_netted.subscription_id = ended_subscriptions.subscription_id
            and int_invoice_lines_netted.earned_to_date > ended_subscriptions.ended_date
            and ended_subscriptions.subscription_id not in (
                select prorated_subscriptions.subscription_id from prorated_subscriptions
            )
    where
        int_invoice_lines_netted.net_minor != 0
        and int_invoice_lines_netted.is_revenue

),

-- A credit that names no line is spread over all lines. A refund counts only for lines whose
-- subscription had ended by its day.
credited_lines as (

    select
        int_credits_dated.credit_id,
        case
            when int_credits_dated.invoice_line_id is null
                then int_credits_dated.credit_id || '/' || lines.invoice_line_id
            else int_credits_dated.credit_id
        end as part_id,
        int_credits_dated.credit_type,
        int_credits_dated.credit_note_id,
        int_credits_dated.net_minor,
        int_credits_dated.credited_at,
        lines.invoice_id,
        lines.invoice_line_id,
        lines.net_minor as line_minor,
        coalesce(lines.ended_date <= cast(int_credits_dated.credited_at as date), false)
        and {{ 'true' if is_proportional else "int_credits_dated.credit_type = 'refund'" }}
            as is_at_end,
        sum(lines.net_minor) over (
            partition by int_credits_dated.credit_id
            order by lines.invoice_line_id
            rows between unbounded preceding and current row
        ) as running_minor,
        sum(lines.net_minor) over (partition by int_credits_dated.credit_id) as whole_minor

    from int_credits_dated
    inner join lines
        on
            int_credits_dated.invoice_id = lines.invoice_id
            and coalesce(int_credits_dated.invoice_line_id, lines.invoice_line_id)
            = lines.invoice_line_id
    where
        int_credits_dated.credit_type != 'refund'
        or lines.ended_date <= cast(int_credits_dated.credited_at as date)

),

-- Sums to date are rounded, so that the parts of a credit add up to it.
parts as (

    select
        credit_id,
        part_id,
        credit_type,
        credit_note_id,
        credited_at,
        invoice_id,
        invoice_line_id,
        line_minor,
        is_at_end,
        cast(
            round(net_minor * {{ ratio('running_minor', 'whole_minor') }})
            - round(net_minor * {{ ratio('running_minor - line_minor', 'whole_minor') }}) as bigint
        ) as credited_minor

    from credited_lines
    where whole_minor != 0

),

ordered_parts as (

    select
        credit_id,
        part_id,
        credit_type,
        credit_note_id,
        credited_at,
        invoice_id,
        invoice_line_id,
        line_minor,
        is_at_end,
        credited_minor,
        line_minor - coalesce(
            sum(credited_minor) over (
                partition by invoice_id, invoice_line_id
                order by credited_at, credit_id
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as left_minor,
        row_number() over (
            partition by invoice_id, invoice_line_id, is_at_end order by credited_at, credit_id
        ) as credit_number

    from parts

),

final as (

    select
        part_id,
        credit_type,
        credit_note_id,
        credited_at,
        invoice_id,
        invoice_line_id,
        credited_minor,
        cast(
            case
                when credited_minor * sign(line_minor) < 0 then credited_minor
                when left_minor * sign(line_minor) <= 0 then 0
                else sign(line_minor) * least(abs(credited_minor), abs(left_minor))
            end as bigint
        ) as covered_minor,
        left_minor,
        {{ 'not is_at_end' if is_proportional else 'false' }} as is_spread,
        is_at_end and credit_number = 1 as ends_service

    from ordered_parts

    union all

    -- A credit without a known line to take it from counts on its day.
    select
        int_credits_dated.credit_id as part_id,
        int_credits_dated.credit_type,
        int_credits_dated.credit_note_id,
        int_credits_dated.credited_at,
        int_credits_dated.invoice_id,
        cast(null as string) as invoice_line_id,
        int_credits_dated.net_minor as credited_minor,
        0 as covered_minor,
        0 as left_minor,
        false as is_spread,
        false as ends_service

    from int_credits_dated
    left join parts
        on int_credits_dated.credit_id = parts.credit_id
    where
        int_credits_dated.credit_type = 'credit_note_line'
        and parts.credit_id is null

)

select * from final
