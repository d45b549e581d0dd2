with

source as (

    select * from {{ source('salesforce', 'CurrencyType') }}

),

renamed as (

    select
        {{ salesforce_id18('id') }} as currency_type_id,

        upper(trim(isocode)) as currency,
        conversionrate as units_per_corporate,
        iscorporate as is_corporate,

        createddate as created_at,
        coalesce(systemmodstamp, lastmodifieddate, _extracted_at) as system_modified_at,

        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source

)

select * from renamed
qualify {{ is_latest_version('currency_type_id', 'system_modified_at') }}
