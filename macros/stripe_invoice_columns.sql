{#- The columns of an invoice that billing reads, for the select list of a staging model. Extracts and
    webhooks have the same object, one in columns and the other in a struct.

    Arguments:
        invoice: the relation or the struct that has the fields of Stripe's invoice, nested ones as JSON.
-#}
{% macro stripe_invoice_columns(invoice) -%}
    {%- set payment_fields = {
        'id': 'string', 'amount_paid': 'bigint', 'status': 'string',
        'payment': {'charge': 'string', 'payment_intent': 'string'},
        'status_transitions': {'paid_at': 'bigint'},
    } -%}
    {%- set credit_fields = {'amount': 'bigint', 'type': 'string'} -%}
    {%- set lines, transitions = invoice ~ '.lines', invoice ~ '.status_transitions' -%}
    {%- set taxes = 'coalesce(' ~ invoice ~ '.total_taxes, ' ~ invoice ~ '.total_tax_amounts)' -%}
    {%- set listed_payments = json_fields(
        json_value(invoice ~ '.payments', 'data'), [payment_fields]
    ) -%}
    {%- set is_through_stripe =
        'coalesce(element.payment.charge, element.payment.payment_intent) is not null' -%}
    {#- Before basil what was paid outside Stripe was in no amount. -#}
    {%- set is_unrecorded = 'coalesce(' ~ invoice ~ '.paid_out_of_band, false) and ' ~ invoice
        ~ ".status = 'paid' and " ~ invoice ~ '.amount_due > ' ~ invoice ~ '.amount_paid' -%}
    {%- set single_payment = struct({
        'invoice_payment_id': invoice ~ '.id',
        'charge_id': expandable_id(invoice ~ '.charge'),
        'payment_intent_id': expandable_id(invoice ~ '.payment_intent'),
        'status': 'case when ' ~ invoice ~ ".status = 'paid' then 'paid' else 'open' end",
        'amount_paid_minor': 'coalesce(' ~ invoice ~ '.amount_paid, 0)',
        'paid_at': from_epoch(json_string(transitions, 'paid_at')),
    }) -%}
    {%- set listed_payment = struct({
        'invoice_payment_id': 'element.id',
        'charge_id': expandable_id('element.payment.charge'),
        'payment_intent_id': expandable_id('element.payment.payment_intent'),
        'status': 'element.status',
        'amount_paid_minor': 'coalesce(element.amount_paid, 0)',
        'paid_at': from_epoch('element.status_transitions.paid_at'),
    }) -%}
        {{ expandable_id(invoice ~ '.customer') }} as stripe_customer_id,
        coalesce(
            {{ expandable_id(
                json_string(invoice ~ '.parent', 'subscription_details.subscription')
            ) }},
            {{ expandable_id(invoice ~ '.subscription') }}
        ) as subscription_id,

        {{ invoice }}.number as invoice_number,
        {{ invoice }}.status,
        {{ invoice }}.billing_reason,
        {{ invoice }}.collection_method,
        upper({{ invoice }}.currency) as currency,

        {{ invoice }}.subtotal as subtotal_minor,
        case
            when {{ invoice }}.total_discount_amounts is not null
                then {{ list_transform(
                    json_fields(invoice ~ '.total_discount_amounts', [credit_fields]),
                    'element.amount',
                    'sum'
                ) }}
        end as discount_amount_minor,
        coalesce(
            {{ invoice }}.tax,
            case
                when {{ taxes }} is not null
                    then {{ list_transform(
                        json_fields(taxes, [credit_fields]), 'element.amount', 'sum'
                    ) }}
            end
        ) as tax_minor,
        {{ invoice }}.total as total_minor,
        coalesce({{ invoice }}.amount_shipping, 0) as shipping_minor,
        -- Credits bought or granted beforehand lower the total; discounts listed with them do not.
        {{ list_transform(
            json_fields(invoice ~ '.total_pretax_credit_amounts', [credit_fields]),
            "case when element.type = 'credit_balance_transaction' then element.amount end",
            'sum'
        ) }} as billing_credit_minor,
        {{ invoice }}.starting_balance as starting_balance_minor,
        {{ invoice }}.ending_balance as ending_balance_minor,
        {{ invoice }}.amount_due as amount_due_minor,
        {{ invoice }}.amount_overpaid as overpaid_minor,
        case when {{ is_unrecorded }} then {{ invoice }}.amount_due else {{ invoice }}.amount_paid end
            as amount_paid_minor,
        case when {{ is_unrecorded }} then 0 else {{ invoice }}.amount_remaining end
            as amount_remaining_minor,
        -- Stripe's own figure is only there if it was asked for. Otherwise it is in the list of payments,
        -- or is what a complete list leaves.
        case
            when {{ invoice }}.amount_paid_off_stripe is not null
                then {{ invoice }}.amount_paid_off_stripe
            when {{ is_unrecorded }} then {{ invoice }}.amount_due - {{ invoice }}.amount_paid
            when {{ invoice }}.paid_out_of_band and {{ invoice }}.status = 'paid'
                then {{ invoice }}.amount_paid
            when not {{ invoice }}.paid_out_of_band or {{ invoice }}.amount_paid = 0 then 0
            when {{ json_string(invoice ~ '.payments', 'has_more') }} = 'false'
                then greatest(
                    {{ invoice }}.amount_paid
                    - coalesce({{ invoice }}.amount_overpaid, 0)
                    - {{ list_transform(
                        listed_payments,
                        "case when element.status = 'paid' and " ~ is_through_stripe
                        ~ ' then element.amount_paid end',
                        'sum'
                    ) }},
                    {{ list_transform(
                        listed_payments,
                        "case when element.status = 'paid' and not (" ~ is_through_stripe
                        ~ ') then element.amount_paid end',
                        'sum'
                    ) }}
                )
        end as out_of_band_minor,
        {{ invoice }}.pre_payment_credit_notes_amount as pre_payment_credit_notes_minor,
        {{ invoice }}.post_payment_credit_notes_amount as post_payment_credit_notes_minor,

        {{ stripe_invoice_lines(json_value(lines, 'data')) }} as lines,
        -- Since basil an invoice lists its payments. Before, it named its one charge or payment intent.
        case
            when
                coalesce({{ invoice }}.charge, {{ invoice }}.payment_intent) is not null
                and {{ invoice }}.amount_due > 0
                then {{ dbt.array_construct([single_payment]) }}
            else {{ list_transform(listed_payments, listed_payment) }}
        end as payments,

        cast({{ invoice }}.attempt_count as integer) as attempt_count,

        coalesce(cast({{ json_string(lines, 'has_more') }} as boolean), false) as has_more_lines,

        {{ from_epoch(invoice ~ '.created') }} as created_at,
        {{ from_epoch(json_string(transitions, 'finalized_at')) }} as finalized_at,
        {{ from_epoch(invoice ~ '.effective_at') }} as effective_at,
        {{ from_epoch(invoice ~ '.due_date') }} as due_at,
        {{ from_epoch(json_string(transitions, 'paid_at')) }} as paid_at,
        {{ from_epoch(json_string(transitions, 'voided_at')) }} as voided_at,
        {{ from_epoch(json_string(transitions, 'marked_uncollectible_at')) }}
            as marked_uncollectible_at,
        {{ from_epoch(invoice ~ '.period_start') }} as period_start_at,
        {{ from_epoch(invoice ~ '.period_end') }} as period_end_at
{%- endmacro %}
