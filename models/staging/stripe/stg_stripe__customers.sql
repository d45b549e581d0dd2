with

source as (

    select * from {{ source('stripe', 'customers') }}

),

final as (

    select
        id as stripe_customer_id,
        {{ expandable_id('default_source') }} as default_source_id,
        {{ expandable_id(json_string('invoice_settings', 'default_payment_method')) }}
            as default_payment_method_id,

        name as customer_name,
        email,
        phone,
        description,
        upper({{ json_string('address', 'country') }}) as country,
        {{ json_string('address', 'state') }} as state,
        {{ json_string('address', 'city') }} as city,
        upper(currency) as currency,
        tax_exempt,
        invoice_prefix,
        {{ stripe_discount('discount') }} as discount,
        metadata,

        balance as balance_minor,

        delinquent as is_delinquent,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
