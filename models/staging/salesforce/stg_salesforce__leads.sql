with

absences as (

    select
        record_id,
        max_by(is_absent, dated_at) as is_absent,
        max(dated_at) as dated_at
    from {{ source('audit', 'absent_records') }}
    where object_name = 'Lead'
    group by record_id

),

source as (

    select
        leads.*,
        absences.is_absent,
        absences.dated_at
    from {{ source('salesforce', 'Lead') }} as leads
    left join absences
        on left(leads.id, 15) = absences.record_id

),

renamed as (

    select
        {{ salesforce_id18('id') }} as salesforce_lead_id,
        {{ salesforce_id18('masterrecordid') }} as master_salesforce_lead_id,
        {{ salesforce_id18('convertedaccountid') }} as converted_salesforce_account_id,
        {{ salesforce_id18('convertedcontactid') }} as converted_salesforce_contact_id,
        {{ salesforce_id18('convertedopportunityid') }} as converted_opportunity_id,
        {{ salesforce_id18('ownerid') }} as owner_salesforce_user_id,

        coalesce(name, concat_ws(' ', firstname, lastname)) as lead_name,
        company as company_name,
        lower(trim(email)) as email,
        cast(website as string) as website,
        cast(title as string) as title,
        leadsource as lead_source,
        status as lead_status,
        cast(industry as string) as industry,
        cast(rating as string) as rating,
        cast(country as string) as country,
        cast(numberofemployees as bigint) as employee_count,
        annualrevenue as annual_revenue_amount,

        case
            when isconverted is not null then isconverted
            when converteddate is not null or convertedaccountid is not null then true
        end as is_converted,
        coalesce(isdeleted, false)
        or coalesce(is_absent, false)
        or masterrecordid is not null as is_deleted,

        createddate as created_at,
        lastmodifieddate as modified_at,
        greatest(
            coalesce(systemmodstamp, lastmodifieddate, _extracted_at), dated_at
        ) as system_modified_at,
        converteddate as converted_date,

        {{ salesforce_passthrough('Lead') }}
        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source
    qualify
        {{ is_latest_version(
            'salesforce_lead_id', 'coalesce(systemmodstamp, lastmodifieddate, _extracted_at)'
        ) }}

)

select * from renamed
