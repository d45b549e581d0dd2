with

absences as (

    select
        record_id,
        is_absent,
        dated_at
    from {{ source('audit', 'absent_records') }}
    where object_name = 'Opportunity'

),

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
        nullif(upper(trim(currencyisocode)), '') as currency,

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

),

-- A full export that lacks the record, or holds it again, makes a version of the last state before.
with_absences as (

    select
        opportunity_id,
        owner_salesforce_user_id,
        stage_name,
        forecast_category,
        currency,
        amount,
        probability_rate,
        is_deleted,
        close_date,
        created_at,
        system_modified_at,
        stage_changed_at,
        _extracted_at,
        _batch_id,
        _source_file,
        _source_row
    from renamed

    union all

    select
        renamed.opportunity_id,
        renamed.owner_salesforce_user_id,
        renamed.stage_name,
        renamed.forecast_category,
        renamed.currency,
        renamed.amount,
        renamed.probability_rate,
        absences.is_absent as is_deleted,
        renamed.close_date,
        renamed.created_at,
        absences.dated_at as system_modified_at,
        renamed.stage_changed_at,
        renamed._extracted_at,
        renamed._batch_id,
        renamed._source_file,
        renamed._source_row

    from absences
    inner join renamed
        on
            absences.record_id = left(renamed.opportunity_id, 15)
            and absences.dated_at >= renamed._extracted_at
    qualify
        row_number() over (
            partition by absences.record_id, absences.dated_at
            order by renamed.system_modified_at desc, renamed._extracted_at desc
        ) = 1

)

select * from with_absences
qualify {{ is_latest_version('opportunity_id, system_modified_at') }}
