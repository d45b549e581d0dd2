with

absences as (

    select
        record_id,
        max_by(is_absent, dated_at) as is_absent,
        max(dated_at) as dated_at
    from {{ source('audit', 'absent_records') }}
    where object_name = 'Contact'
    group by record_id

),

source as (

    select
        contacts.*,
        absences.is_absent,
        absences.dated_at
    from {{ source('salesforce', 'Contact') }} as contacts
    left join absences
        on left(contacts.id, 15) = absences.record_id

),

renamed as (

    select
        {{ salesforce_id18('id') }} as salesforce_contact_id,
        {{ salesforce_id18('masterrecordid') }} as master_salesforce_contact_id,
        {{ salesforce_id18('accountid') }} as salesforce_account_id,
        {{ salesforce_id18('reportstoid') }} as reports_to_salesforce_contact_id,
        {{ salesforce_id18('ownerid') }} as owner_salesforce_user_id,

        coalesce(name, concat_ws(' ', firstname, lastname)) as contact_name,
        firstname as first_name,
        lastname as last_name,
        lower(trim(email)) as email,
        cast(phone as string) as phone,
        cast(title as string) as title,
        cast(department as string) as department,
        leadsource as lead_source,
        mailingcountry as mailing_country,

        hasoptedoutofemail as has_opted_out_of_email,
        case when emailbounceddate is not null then true else isemailbounced end
            as is_email_bounced,
        coalesce(isdeleted, false)
        or coalesce(is_absent, false)
        or masterrecordid is not null as is_deleted,

        createddate as created_at,
        lastmodifieddate as modified_at,
        greatest(
            coalesce(systemmodstamp, lastmodifieddate, _extracted_at), dated_at
        ) as system_modified_at,
        emailbounceddate as email_bounced_at,

        {{ salesforce_passthrough('Contact') }}
        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source
    qualify
        {{ is_latest_version(
            'salesforce_contact_id', 'coalesce(systemmodstamp, lastmodifieddate, _extracted_at)'
        ) }}

)

select * from renamed
