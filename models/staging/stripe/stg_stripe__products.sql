with

source as (

    select * from {{ source('stripe', 'products') }}

),

final as (

    select
        id as product_id,
        {{ expandable_id('default_price') }} as default_price_id,
        {{ expandable_id('tax_code') }} as tax_code,

        name as product_name,
        description,
        type as product_type,
        unit_label,
        statement_descriptor,
        metadata,

        coalesce(active, false) as is_active,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch('updated') }} as updated_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
