{%- set attributes = [
    'account_id', 'stripe_customer_id', 'currency', 'minor_unit_exponent', 'rate_month',
    'usd_per_unit',
] %}
{%- set booked_date =
    'service_from_date' if var('revenue_corrections') == 'restate' else 'billed_date'
%}
{%- set next_date = 'cast(' ~ dbt.dateadd('day', 1, 'billed_date') ~ ' as date)' %}
{%- set service_days =
    'cast(' ~ dbt.datediff('service_from_date', 'service_to_date', 'day') ~ ' as integer)'
%}

{%- set line_rows = '(partition by invoice_id, invoice_line_id)' -%}

with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_credit_notes_linked as (

    select * from {{ ref('int_credit_notes_linked') }}

),

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

int_revenue_reversals as (

    select * from {{ ref('int_revenue_reversals') }}

),

-- A reversal has the service period and the exchange rate of its line.
revenue_lines as (

    select
        invoice_line_id as revenue_line_id,
        'invoice_line' as revenue_line_type,
        invoice_id,
        cast(null as string) as credit_note_id,
        invoice_line_id,
        {{ attributes | join(',\n        ') }},
        net_minor,
        0 as left_minor,
        finalized_at as billed_at,
        earned_from_date as service_from_date,
        earned_to_date as service_to_date,
        true as is_spread,
        cast(earned_from_date as timestamp) as earned_until_at

    from int_invoice_lines_netted
    where is_revenue

    union all

    select
        int_revenue_reversals.reversal_id as revenue_line_id,
        int_revenue_reversals.reversal_type as revenue_line_type,
        int_revenue_reversals.invoice_id,
        int_revenue_reversals.credit_note_id,
        int_revenue_reversals.invoice_line_id,
        {%- for column in attributes %}
        coalesce(int_invoice_lines_netted.{{ column }}, int_credit_notes_linked.{{ column }})
            as {{ column }},
        {%- endfor %}
        int_revenue_reversals.net_minor,
        int_revenue_reversals.left_minor,
        int_revenue_reversals.reversed_at as billed_at,
        int_invoice_lines_netted.earned_from_date as service_from_date,
        int_invoice_lines_netted.earned_to_date as service_to_date,
        int_revenue_reversals.is_spread,
        int_revenue_reversals.earned_until_at

    from int_revenue_reversals
    left join int_invoice_lines_netted
        on
            int_revenue_reversals.invoice_id = int_invoice_lines_netted.invoice_id
            and int_revenue_reversals.invoice_line_id = int_invoice_lines_netted.invoice_line_id
    left join int_credit_notes_linked
        on int_revenue_reversals.credit_note_id = int_credit_notes_linked.credit_note_id

),

-- A day counts as earned if the service lasted for any part of it.
known_lines as (

    select
        revenue_lines.revenue_line_id,
        revenue_lines.revenue_line_type,
        revenue_lines.invoice_id,
        revenue_lines.credit_note_id,
        revenue_lines.invoice_line_id,
        revenue_lines.{{ attributes | join(',\n        revenue_lines.') }},
        revenue_lines.net_minor,
        revenue_lines.left_minor,
        cast(revenue_lines.billed_at as date) as billed_date,
        revenue_lines.service_from_date,
        revenue_lines.service_to_date,
        revenue_lines.is_spread,
        cast(
            {{ dbt.dateadd('day', 1, 'revenue_lines.earned_until_at') }}
            - interval 1 microsecond as date
        ) as earned_until_date

    from revenue_lines
    cross join int_as_of
    where
        revenue_lines.billed_at <= int_as_of.as_of_at
        and revenue_lines.net_minor != 0

),

-- A line is earned no further once its service ended with a credit, or once nothing is left of it.
valued as (

    select
        revenue_line_id,
        revenue_line_type,
        invoice_id,
        credit_note_id,
        invoice_line_id,
        account_id,
        stripe_customer_id,
        currency,
        billed_date,
        is_spread,
        service_from_date,
        service_to_date,
        least(greatest(earned_until_date, service_from_date), service_to_date)
            as earned_until_date,
        coalesce(
            min(case when left_minor != 0 then earned_until_date end) over {{ line_rows }},
            case
                when
                    sum(case when is_spread then net_minor else 0 end) over {{ line_rows }} = 0
                    then max(earned_until_date) over {{ line_rows }}
            end
        ) as stopped_date,
        {{ minor_to_major('net_minor') }} as net_amount,
        {{ to_usd(minor_to_major('net_minor')) }} as net_usd,
        {{ minor_to_major('left_minor') }} as left_amount,
        {{ to_usd(minor_to_major('left_minor')) }} as left_usd

    from known_lines

),

-- The end of the service clears what is not earned yet.
final as (

    select
        revenue_line_id,
        revenue_line_type,
        invoice_id,
        credit_note_id,
        invoice_line_id,
        account_id,
        stripe_customer_id,
        currency,
        billed_date,
        case when revenue_line_type = 'invoice_line' then {{ booked_date }} else billed_date end
            as booked_date,
        case when is_spread then service_from_date else billed_date end as earned_from_date,
        case when is_spread then service_to_date else {{ next_date }} end as earned_to_date,
        case when is_spread then earned_until_date else {{ next_date }} end as earned_until_date,
        case when is_spread then least(coalesce(stopped_date, service_to_date), service_to_date)
            else {{ next_date }}
        end as stopped_date,
        case when is_spread then {{ service_days }} else 1 end as earning_days,
        net_amount,
        net_usd,
        {%- for unit in ['amount', 'usd'] %}
        case
            when left_{{ unit }} = 0 then 0
            else left_{{ unit }} - {{ prorate(
                'left_' ~ unit,
                dbt.datediff('service_from_date', 'earned_until_date', 'day'),
                service_days
            ) }}
        end as cleared_{{ unit }},
        {%- endfor %}
        revenue_line_type in ('write_off', 'write_off_recovered') as is_bad_debt

    from valued

)

select * from final
