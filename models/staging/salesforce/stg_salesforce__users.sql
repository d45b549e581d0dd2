with

source as (

    select * from {{ source('salesforce', 'User') }}

),

renamed as (

    select
        {{ salesforce_id18('id') }} as salesforce_user_id,
        {{ salesforce_id18('managerid') }} as manager_salesforce_user_id,
        {{ salesforce_id18('userroleid') }} as user_role_id,

        coalesce(name, nullif(concat_ws(' ', firstname, lastname), ''), username) as user_name,
        lower(trim(email)) as email,
        cast(title as string) as title,
        cast(department as string) as department,
        cast(division as string) as division,
        usertype as user_type,

        isactive as is_active,

        createddate as created_at,
        lastmodifieddate as modified_at,
        coalesce(systemmodstamp, lastmodifieddate, _extracted_at) as system_modified_at,

        {{ salesforce_passthrough('User') }}
        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source

)

select * from renamed
qualify {{ is_latest_version('salesforce_user_id', 'system_modified_at') }}
