with

absences as (

    select
        record_id,
        is_absent,
        dated_at
    from {{ source('audit', 'absent_records') }}
    where object_name = 'Account'

),

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

),

-- A full export that lacks the record, or holds it again, makes a version of the last state before.
with_absences as (

    select
        salesforce_account_id,
        parent_salesforce_account_id,
        owner_salesforce_user_id,
        account_name,
        account_type,
        industry,
        website,
        billing_country,
        employee_count,
        is_deleted,
        system_modified_at,
        _extracted_at,
        _batch_id,
        _source_file,
        _source_row
    from renamed

    union all

    select
        renamed.salesforce_account_id,
        renamed.parent_salesforce_account_id,
        renamed.owner_salesforce_user_id,
        renamed.account_name,
        renamed.account_type,
        renamed.industry,
        renamed.website,
        renamed.billing_country,
        renamed.employee_count,
        absences.is_absent as is_deleted,
        absences.dated_at as system_modified_at,
        renamed._extracted_at,
        renamed._batch_id,
        renamed._source_file,
        renamed._source_row

    from absences
    inner join renamed
        on
            absences.record_id = left(renamed.salesforce_account_id, 15)
            and absences.dated_at >= renamed._extracted_at
    qualify
        row_number() over (
            partition by absences.record_id, absences.dated_at
            order by renamed.system_modified_at desc, renamed._extracted_at desc
        ) = 1

)

select * from with_absences
qualify {{ is_latest_version('salesforce_account_id, system_modified_at') }}
