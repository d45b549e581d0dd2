with

absences as (

    select
        record_id,
        max_by(is_absent, dated_at) as is_absent,
        max(dated_at) as dated_at
    from {{ source('audit', 'absent_records') }}
    where object_name = 'Account'
    group by record_id

),

source as (

    select
        accounts.*,
        absences.is_absent,
        absences.dated_at
    from {{ source('salesforce', 'Account') }} as accounts
    left join absences
        on left(accounts.id, 15) = absences.record_id

),

renamed as (

    select
        {{ salesforce_id18('id') }} as salesforce_account_id,
        {{ salesforce_id18('masterrecordid') }} as master_salesforce_account_id,
        {{ salesforce_id18('parentid') }} as parent_salesforce_account_id,
        {{ salesforce_id18('ownerid') }} as owner_salesforce_user_id,

        name as account_name,
        type as account_type,
        accountsource as account_source,
        cast(industry as string) as industry,
        cast(website as string) as website,
        cast(phone as string) as phone,
        billingcity as billing_city,
        billingstate as billing_state,
        billingcountry as billing_country,
        nullif(upper(trim(currencyisocode)), '') as currency,
        cast(numberofemployees as bigint) as employee_count,
        annualrevenue as annual_revenue_amount,
        {{ json_string('_extra', var('account_segment_field'), ignores_case=true) }}
            as legacy_segment,

        coalesce(isdeleted, false)
        or coalesce(is_absent, false)
        or masterrecordid is not null as is_deleted,

        createddate as created_at,
        lastmodifieddate as modified_at,
        greatest(
            coalesce(systemmodstamp, lastmodifieddate, _extracted_at), dated_at
        ) as system_modified_at,

        {{ salesforce_passthrough('Account') }}
        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source
    qualify
        {{ is_latest_version(
            'salesforce_account_id', 'coalesce(systemmodstamp, lastmodifieddate, _extracted_at)'
        ) }}

)

select * from renamed
