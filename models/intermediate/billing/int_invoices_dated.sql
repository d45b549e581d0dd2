{#- An export may leave out what was paid and what remains. The status then says it. -#}
{%- set credited_due_minor = 'settled.due_minor - invoices.pre_payment_credit_minor' -%}
{%- set paid_minor -%}
    coalesce(
            invoices.amount_paid_minor,
            case when invoices.invoice_status = 'paid' then {{ credited_due_minor }} else 0 end
        )
{%- endset -%}
{%- set unpaid_minor -%}
    coalesce(
                invoices.amount_remaining_minor,
                case
                    when invoices.invoice_status = 'paid' then 0
                    else {{ credited_due_minor }} - coalesce(invoices.amount_paid_minor, 0)
                end
            )
{%- endset -%}

with

currencies as (

    select * from {{ ref('currencies') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_invoices_known as (

    select * from {{ ref('int_invoices_known') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

-- Invoices written by hand or exported in part may lack an amount or the date of their status.
invoices as (

    select
        invoice_id,
        stripe_customer_id,
        subscription_id,
        invoice_number,
        coalesce(status, 'draft') as invoice_status,
        billing_reason,
        collection_method,
        currency,

        coalesce(subtotal_minor, total_minor, amount_due_minor, 0) as subtotal_minor,
        discount_amount_minor as discount_minor,
        tax_minor,
        coalesce(total_minor, subtotal_minor, amount_due_minor, 0) as total_minor,
        shipping_minor,
        billing_credit_minor,
        starting_balance_minor,
        ending_balance_minor,
        amount_due_minor,
        overpaid_minor,
        amount_paid_minor,
        amount_remaining_minor,
        out_of_band_minor,
        coalesce(pre_payment_credit_notes_minor, 0) as pre_payment_credit_minor,
        coalesce(post_payment_credit_notes_minor, 0) as post_payment_credit_minor,
        attempt_count,
        has_more_lines,

        created_at,
        case
            when coalesce(status, 'draft') != 'draft'
                then coalesce(finalized_at, effective_at, created_at)
        end as billed_at,
        due_at,
        paid_at,
        voided_at,
        marked_uncollectible_at,
        period_start_at,
        period_end_at,
        observed_at

    from int_invoices_known

),

-- The customer's balance is applied at finalisation; credit notes come later. Without the balance,
-- Stripe's amount due, which credit notes have lowered, says what was applied.
settled as (

    select
        invoice_id,
        case
            when
                ending_balance_minor is null
                and invoice_status != 'draft'
                and amount_due_minor is not null
                then amount_due_minor + pre_payment_credit_minor
            else
                greatest(
                    total_minor
                    + coalesce(starting_balance_minor, 0)
                    - coalesce(ending_balance_minor, 0),
                    0
                )
        end as due_minor,
        case when invoice_status = 'paid' then coalesce(paid_at, billed_at) else paid_at end
            as paid_at,
        case when invoice_status = 'void' then coalesce(voided_at, billed_at) else voided_at end
            as voided_at,
        case
            when invoice_status = 'uncollectible' then coalesce(marked_uncollectible_at, billed_at)
            else marked_uncollectible_at
        end as marked_uncollectible_at,
        coalesce(billed_at, created_at) as valued_at

    from invoices

),

final as (

    select
        invoices.invoice_id,
        int_customer_accounts.account_id,
        invoices.stripe_customer_id,
        invoices.subscription_id,

        invoices.invoice_number,
        invoices.invoice_status,
        invoices.billing_reason,
        invoices.collection_method,
        invoices.currency,
        {{ required_exponent('currencies.stripe_minor_unit_exponent', 'invoices.currency') }}
            as minor_unit_exponent,
        {{ month_start('settled.valued_at') }} as rate_month,
        int_usd_rates_monthly.usd_per_unit,

        invoices.subtotal_minor,
        invoices.discount_minor,
        invoices.tax_minor,
        invoices.total_minor,
        invoices.shipping_minor,
        invoices.billing_credit_minor,
        settled.due_minor,
        invoices.total_minor - settled.due_minor as balance_applied_minor,
        {{ paid_minor }} as paid_minor,
        -- Before basil, which states it, nothing is paid beyond what is due.
        coalesce(
            invoices.overpaid_minor,
            greatest(
                coalesce(invoices.amount_paid_minor, 0)
                + invoices.pre_payment_credit_minor
                - settled.due_minor,
                0
            )
        ) as overpaid_minor,
        invoices.out_of_band_minor,
        case
            when invoices.invoice_status in ('draft', 'paid', 'uncollectible', 'void') then 0
            else {{ unpaid_minor }}
        end as remaining_minor,
        -- A payment may be forgiven in part, which leaves a rest on a paid invoice.
        case
            when invoices.invoice_status in ('paid', 'uncollectible') then {{ unpaid_minor }}
            else 0
        end as written_off_minor,
        invoices.pre_payment_credit_minor,
        invoices.post_payment_credit_minor,
        invoices.attempt_count,

        invoices.has_more_lines,
        invoices.billed_at is not null
        and (settled.voided_at is null or '{{ var("revenue_corrections") }}' = 'open_period')
            as is_revenue,

        invoices.created_at,
        invoices.billed_at as finalized_at,
        settled.valued_at,
        invoices.due_at,
        settled.paid_at,
        settled.voided_at,
        settled.marked_uncollectible_at,
        least(settled.paid_at, settled.voided_at, settled.marked_uncollectible_at) as closed_at,
        invoices.period_start_at,
        invoices.period_end_at,
        invoices.observed_at

    from invoices
    inner join settled
        on invoices.invoice_id = settled.invoice_id
    left join int_customer_accounts
        on invoices.stripe_customer_id = int_customer_accounts.stripe_customer_id
    left join currencies
        on invoices.currency = currencies.currency
    left join int_usd_rates_monthly
        on
            invoices.currency = int_usd_rates_monthly.currency
            and {{ month_start('settled.valued_at') }} = int_usd_rates_monthly.rate_month

)

select * from final
