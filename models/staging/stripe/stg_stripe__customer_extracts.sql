with

source as (

    select * from {{ source('stripe', 'customers') }}

),

final as (

    select
        id as stripe_customer_id,
        email,
        name as customer_name,
        {{ json_first_string('metadata', var('salesforce_account_id_fields')) }}
            as salesforce_account_id,
        {{ from_epoch('created') }} as created_at,
        {{ stripe_discount('discount') }} as discount,
        coalesce(deleted, false) as is_deleted,
        not coalesce(livemode, true) as is_test_mode,
        _extracted_at as extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source
    qualify
        row_number() over (
            partition by id, _extracted_at
            order by _batch_id desc, _source_file desc, _source_row desc
        ) = 1

)

select * from final
