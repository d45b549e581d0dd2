with

source as (

    select * from {{ source('salesforce', 'OpportunityFieldHistory') }}

),

renamed as (

    select
        {{ salesforce_id18('id') }} as opportunity_field_history_id,
        {{ salesforce_id18('opportunityid') }} as opportunity_id,
        {{ salesforce_id18('createdbyid') }} as created_by_salesforce_user_id,

        field as field_name,
        oldvalue as old_value,
        newvalue as new_value,

        coalesce(isdeleted, false) as is_deleted,

        createddate as created_at,

        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source

)

select * from renamed
qualify {{ is_latest_version('opportunity_field_history_id', 'created_at') }}
