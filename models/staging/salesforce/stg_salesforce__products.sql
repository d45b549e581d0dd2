with

source as (

    select * from {{ source('salesforce', 'Product2') }}

),

renamed as (

    select
        {{ salesforce_id18('id') }} as salesforce_product_id,

        name as product_name,
        productcode as product_code,
        family as product_family,
        stockkeepingunit as stock_keeping_unit,
        cast(description as string) as description,

        coalesce(isactive, false) as is_active,
        coalesce(isdeleted, false) as is_deleted,

        createddate as created_at,
        lastmodifieddate as modified_at,
        coalesce(systemmodstamp, lastmodifieddate, _extracted_at) as system_modified_at,

        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source

)

select * from renamed
qualify {{ is_latest_version('salesforce_product_id', 'system_modified_at') }}
