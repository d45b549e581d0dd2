with

source as (

    select * from {{ source('salesforce', 'Account') }}

),

renamed as (

    select
        {{ salesforce_id18('id') }} as salesforce_account_id,
        {{ salesforce_id18('parentid') }} as parent_salesforce_account_id,
        {{ salesforce_id18('ownerid') }} as owner_salesforce_user_id,
        name as account_name,
        type as account_type,
        cast(industry as string) as industry,
        cast(website as string) as website,
        billingcountry as billing_country,
        cast(numberofemployees as bigint) as employee_count,
        coalesce(isdeleted, false) or masterrecordid is not null as is_deleted,
        coalesce(systemmodstamp, lastmodifieddate, _extracted_at) as system_modified_at,
        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source

)

select * from renamed
qualify {{ is_latest_version('salesforce_account_id, system_modified_at') }}
