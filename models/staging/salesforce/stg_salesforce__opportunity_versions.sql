with

source as (

    select * from {{ source('salesforce', 'Opportunity') }}

),

renamed as (

    select
        {{ salesforce_id18('id') }} as opportunity_id,
        {{ salesforce_id18('ownerid') }} as owner_salesforce_user_id,

        stagename as stage_name,
        {{ forecast_category('coalesce(forecastcategory, forecastcategoryname)') }}
            as forecast_category,
        upper(currencyisocode) as currency,

        cast(amount as decimal(28, 9)) as amount,
        cast({{ ratio('probability', 100) }} as decimal(18, 6)) as probability_rate,

        coalesce(isdeleted, false) as is_deleted,

        closedate as close_date,
        createddate as created_at,
        coalesce(systemmodstamp, lastmodifieddate, _extracted_at) as system_modified_at,
        laststagechangedate as stage_changed_at,

        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source

)

select * from renamed
qualify {{ is_latest_version('opportunity_id, system_modified_at') }}
