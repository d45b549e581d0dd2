with

absences as (

    select
        record_id,
        max_by(is_absent, dated_at) as is_absent,
        max(dated_at) as dated_at
    from {{ source('audit', 'absent_records') }}
    where object_name = 'Product2'
    group by record_id

),

source as (

    select
        products.*,
        absences.is_absent,
        absences.dated_at
    from {{ source('salesforce', 'Product2') }} as products
    left join absences
        on left(products.id, 15) = absences.record_id

),

renamed as (

    select
        {{ salesforce_id18('id') }} as salesforce_product_id,

        name as product_name,
        productcode as product_code,
        family as product_family,
        stockkeepingunit as stock_keeping_unit,
        cast(description as string) as description,

        isactive as is_active,
        coalesce(isdeleted, false) or coalesce(is_absent, false) as is_deleted,

        createddate as created_at,
        lastmodifieddate as modified_at,
        greatest(
            coalesce(systemmodstamp, lastmodifieddate, _extracted_at), dated_at
        ) as system_modified_at,

        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source
    qualify
        {{ is_latest_version(
            'salesforce_product_id', 'coalesce(systemmodstamp, lastmodifieddate, _extracted_at)'
        ) }}

)

select * from renamed
