with

source as (

    select * from {{ source('stripe', 'invoices') }}

),

final as (

    select
        id as invoice_id,
        {{ expandable_id('customer') }} as stripe_customer_id,
        coalesce(
            {{ expandable_id(json_string('parent', 'subscription_details.subscription')) }},
            {{ expandable_id('subscription') }}
        ) as subscription_id,
        {{ json_string('from_invoice', 'invoice') }} as revised_invoice_id,

        number as invoice_number,
        status,
        billing_reason,
        collection_method,
        description,
        upper(currency) as currency,
        customer_name,
        customer_email,
        {{ json_string('customer_address', 'country') }} as customer_country,
        customer_tax_exempt,

        subtotal as subtotal_minor,
        {{ list_transform(
            json_array('total_discount_amounts'), json_string('element', 'amount'), 'sum'
        ) }} as discount_amount_minor,
        coalesce(
            tax,
            {{ list_transform(
                json_array('coalesce(total_taxes, total_tax_amounts)'),
                json_string('element', 'amount'),
                'sum'
            ) }}
        ) as tax_minor,
        total as total_minor,
        total_excluding_tax as total_excluding_tax_minor,
        coalesce(amount_shipping, 0) as shipping_minor,
        -- Credits bought or granted beforehand lower the total; discounts listed with them do not.
        {{ list_transform(
            json_array('total_pretax_credit_amounts'),
            "case when " ~ json_string('element', 'type') ~ " = 'credit_balance_transaction' then "
            ~ json_string('element', 'amount') ~ " end",
            'sum'
        ) }} as billing_credit_minor,
        starting_balance as starting_balance_minor,
        ending_balance as ending_balance_minor,
        amount_due as amount_due_minor,
        amount_paid as amount_paid_minor,
        amount_remaining as amount_remaining_minor,
        pre_payment_credit_notes_amount as pre_payment_credit_notes_minor,
        post_payment_credit_notes_amount as post_payment_credit_notes_minor,

        total_discount_amounts,
        case
            when json_array_length(discounts) > 0 then discounts
            when {{ json_string('discount', 'id') }} is not null then to_json([discount])
            else cast('[]' as json)
        end as discounts,
        default_tax_rates,
        metadata,

        cast(attempt_count as integer) as attempt_count,

        coalesce(attempted, false) as is_attempted,
        coalesce(auto_advance, false) as is_auto_advanced,
        coalesce(cast({{ json_string('lines', 'has_more') }} as boolean), false) as has_more_lines,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch(json_string('status_transitions', 'finalized_at')) }} as finalized_at,
        {{ from_epoch('effective_at') }} as effective_at,
        {{ from_epoch('due_date') }} as due_at,
        {{ from_epoch('next_payment_attempt') }} as next_payment_attempt_at,
        {{ from_epoch(json_string('status_transitions', 'paid_at')) }} as paid_at,
        {{ from_epoch(json_string('status_transitions', 'voided_at')) }} as voided_at,
        {{ from_epoch(json_string('status_transitions', 'marked_uncollectible_at')) }}
            as marked_uncollectible_at,
        {{ from_epoch('period_start') }} as period_start_at,
        {{ from_epoch('period_end') }} as period_end_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
