-- Proves, for every Stripe object that carries money, that the marts hold what staging holds, in
-- count and in amount by currency, except for what is excluded with a reason. A join that drops a
-- record drops its money without a word: every figure of the mart is then consistent, and too low.
-- A comparison of amounts alone would miss two records that cancel out.
{# Object: its mart and amount there, its staging model and amount unless a CTE reads it, and which
   rows of the mart are of it where others are derived. -#}
{%- set objects = {
    'charge': ['fct_payments', 'amount', 'stg_stripe__charges', 'amount_minor'],
    'refund': ['fct_refunds', 'amount', 'stg_stripe__refunds', 'amount_minor'],
    'dispute': ['fct_disputes', 'amount', 'stg_stripe__disputes', 'amount_minor'],
    'credit note': ['fct_credit_notes', 'total_amount', 'stg_stripe__credit_notes', 'total_minor'],
    'balance transaction': [
        'fct_balance_transactions', 'amount', 'stg_stripe__balance_transactions', 'amount_minor',
    ],
    'payout': ['fct_payouts', 'amount', 'stg_stripe__payouts', 'amount_minor', 'is_exported'],
    'invoice': ['fct_invoices', 'total_amount'],
    'invoice line': ['fct_invoice_lines', 'amount'],
} -%}
with

currencies as (

    select * from {{ ref('currencies') }}

),

stg_stripe__invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}

),

stg_stripe__invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

invoice_states as (

    select
        invoice_id,
        currency,
        coalesce(total_minor, subtotal_minor, amount_due_minor, 0) as amount_minor,
        lines,
        has_more_lines,
        is_deleted,
        _extracted_at as observed_at,
        true as is_extract
    from stg_stripe__invoices

    union all

    select
        invoice_id,
        currency,
        coalesce(total_minor, subtotal_minor, amount_due_minor, 0) as amount_minor,
        lines,
        has_more_lines,
        is_deleted,
        occurred_at as observed_at,
        false as is_extract
    from stg_stripe__invoice_events
    where not is_superseded

),

-- An invoice is as its newest extract or webhook shows it, and gone if any says so.
invoices as (

    select
        invoice_id,
        currency,
        amount_minor,
        lines,
        has_more_lines,
        observed_at,
        case
            when bool_or(is_deleted) over (partition by invoice_id) then 'deleted'
            when
                row_number() over (
                    partition by invoice_id order by observed_at desc, is_extract desc
                ) > 1
                then 'replaced by a newer state'
        end as exclusion_reason
    from invoice_states

),

listed_lines as (

    select
        invoice_id,
        currency,
        has_more_lines,
        observed_at,
        {{ explode('lines') }} as line
    from invoices
    where exclusion_reason is null

),

-- Lines that were exported on their own complete an invoice that shows only its first ones.
lines as (

    select
        invoice_id,
        line.invoice_line_id,
        currency,
        line.amount_minor,
        observed_at,
        cast(null as string) as exclusion_reason
    from listed_lines

    union all

    select
        own_lines.invoice_id,
        own_lines.invoice_line_id,
        coalesce(invoices.currency, upper(own_lines.currency)) as currency,
        own_lines.amount_minor,
        own_lines._extracted_at as observed_at,
        case
            when invoices.invoice_id is null then 'its invoice was not exported'
            when invoices.lines is not null and not invoices.has_more_lines
                then 'the invoice lists all its lines'
        end as exclusion_reason
    from {{ ref('stg_stripe__invoice_line_items') }} as own_lines
    left join invoices
        on
            own_lines.invoice_id = invoices.invoice_id
            and invoices.exclusion_reason is null

),

staged as (

    {% for object, rules in objects.items() if rules[2] -%}
    select
        '{{ object }}' as object,
        currency,
        {{ rules[3] }} as amount_minor,
        case when is_deleted then 'deleted' end as exclusion_reason
    from {{ ref(rules[2]) }}

    union all

    {% endfor -%}
    select
        'invoice' as object,
        currency,
        amount_minor,
        exclusion_reason
    from invoices

    union all

    select
        'invoice line' as object,
        currency,
        amount_minor,
        coalesce(
            exclusion_reason,
            case
                when
                    row_number() over (
                        partition by invoice_id, invoice_line_id, exclusion_reason
                        order by observed_at desc, amount_minor desc
                    ) > 1
                    then 'on the invoice and on its own'
            end
        ) as exclusion_reason
    from lines

),

both_sides as (

    select
        staged.object,
        staged.currency,
        staged.exclusion_reason is null as is_expected,
        {{ minor_to_major('staged.amount_minor', 'currencies.stripe_minor_unit_exponent') }}
            as staged_amount,
        0 as mart_amount,
        0 as mart_count
    from staged
    left join currencies
        on staged.currency = currencies.currency
    {%- for object, rules in objects.items() %}

    union all

    select
        '{{ object }}' as object,
        currency,
        false as is_expected,
        0 as staged_amount,
        {{ rules[1] }} as mart_amount,
        1 as mart_count
    from {{ ref(rules[0]) }}
    {%- if rules[4] %}
    where {{ rules[4] }}
    {%- endif %}
    {%- endfor %}

)

select
    object,
    currency,
    coalesce(sum(staged_amount) filter (where is_expected), 0) as expected_amount,
    sum(mart_amount) as mart_amount,
    count(*) filter (where is_expected) as expected_count,
    sum(mart_count) as mart_count
from both_sides
group by
    object,
    currency
having
    coalesce(sum(staged_amount) filter (where is_expected), 0) != sum(mart_amount)
    or count(*) filter (where is_expected) != sum(mart_count)
