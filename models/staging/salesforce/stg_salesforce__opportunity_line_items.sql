with

absences as (

    select
        record_id,
        max_by(is_absent, dated_at) as is_absent,
        max(dated_at) as dated_at
    from {{ source('audit', 'absent_records') }}
    where object_name = 'OpportunityLineItem'
    group by record_id

),

source as (

    select
        opportunity_line_items.*,
        absences.is_absent,
        absences.dated_at
    from {{ source('salesforce', 'OpportunityLineItem') }} as opportunity_line_items
    left join absences
        on left(opportunity_line_items.id, 15) = absences.record_id

),

renamed as (

    select
        {{ salesforce_id18('id') }} as opportunity_line_item_id,
        {{ salesforce_id18('opportunityid') }} as opportunity_id,
        {{ salesforce_id18('product2id') }} as salesforce_product_id,

        name as line_name,
        productcode as product_code,
        nullif(upper(trim(currencyisocode)), '') as currency,

        cast(quantity as decimal(28, 9)) as quantity,
        unitprice as unit_price_amount,
        listprice as list_price_amount,
        totalprice as total_price_amount,
        cast({{ ratio('discount', 100) }} as decimal(18, 6)) as discount_rate,

        coalesce(isdeleted, false) or coalesce(is_absent, false) as is_deleted,

        servicedate as service_date,
        createddate as created_at,
        lastmodifieddate as modified_at,
        greatest(
            coalesce(systemmodstamp, lastmodifieddate, _extracted_at), dated_at
        ) as system_modified_at,

        {{ salesforce_passthrough('OpportunityLineItem') }}
        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source
    qualify
        {{ is_latest_version(
            'opportunity_line_item_id', 'coalesce(systemmodstamp, lastmodifieddate, _extracted_at)'
        ) }}

)

select * from renamed
