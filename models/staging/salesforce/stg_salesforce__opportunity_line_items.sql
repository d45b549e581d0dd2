with

source as (

    select * from {{ source('salesforce', 'OpportunityLineItem') }}

),

renamed as (

    select
        {{ salesforce_id18('id') }} as opportunity_line_item_id,
        {{ salesforce_id18('opportunityid') }} as opportunity_id,
        {{ salesforce_id18('product2id') }} as salesforce_product_id,

        name as line_name,
        productcode as product_code,
        upper(currencyisocode) as currency,

        cast(quantity as decimal(28, 9)) as quantity,
        unitprice as unit_price_amount,
        listprice as list_price_amount,
        totalprice as total_price_amount,
        cast({{ ratio('discount', 100) }} as decimal(18, 6)) as discount_rate,

        coalesce(isdeleted, false) as is_deleted,

        servicedate as service_date,
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
qualify {{ is_latest_version('opportunity_line_item_id', 'system_modified_at') }}
