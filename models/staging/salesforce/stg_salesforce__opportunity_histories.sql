with

source as (

    select * from {{ source('salesforce', 'OpportunityHistory') }}

),

renamed as (

    select
        {{ salesforce_id18('id') }} as opportunity_history_id,
        {{ salesforce_id18('opportunityid') }} as opportunity_id,
        {{ salesforce_id18('createdbyid') }} as created_by_salesforce_user_id,

        stagename as stage_name,
        fromopportunitystagename as previous_stage_name,
        {{ forecast_category('forecastcategory') }} as forecast_category,
        nullif(upper(trim(currencyisocode)), '') as currency,

        cast(amount as decimal(28, 9)) as amount,
        cast(prevamount as decimal(28, 9)) as previous_amount,
        expectedrevenue as expected_revenue_amount,
        cast({{ ratio('probability', 100) }} as decimal(18, 6)) as probability_rate,

        coalesce(isdeleted, false) as is_deleted,

        closedate as close_date,
        prevclosedate as previous_close_date,
        createddate as created_at,
        validthroughdate as valid_through_at,
        coalesce(systemmodstamp, createddate, _extracted_at) as system_modified_at,

        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source

)

select * from renamed
qualify {{ is_latest_version('opportunity_history_id', 'system_modified_at') }}
