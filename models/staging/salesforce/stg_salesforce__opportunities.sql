{#- A category that an org named itself shows nothing. -#}
{%- set is_open = "forecast_category in ('Pipeline', 'BestCase', 'MostLikely', 'Forecast')" %}
with

absences as (

    select
        record_id,
        max_by(is_absent, dated_at) as is_absent,
        max(dated_at) as dated_at
    from {{ source('audit', 'absent_records') }}
    where object_name = 'Opportunity'
    group by record_id

),

source as (

    select
        opportunities.*,
        absences.is_absent,
        absences.dated_at
    from {{ source('salesforce', 'Opportunity') }} as opportunities
    left join absences
        on left(opportunities.id, 15) = absences.record_id

),

renamed as (

    select
        {{ salesforce_id18('id') }} as opportunity_id,
        {{ salesforce_id18('accountid') }} as salesforce_account_id,
        {{ salesforce_id18('ownerid') }} as owner_salesforce_user_id,
        {{ salesforce_id18('campaignid') }} as campaign_id,

        name as opportunity_name,
        stagename as stage_name,
        type as opportunity_type,
        leadsource as lead_source,
        {{ forecast_category('coalesce(forecastcategory, forecastcategoryname)') }}
            as forecast_category,
        {{ json_string('_extra', var('loss_reason_field'), ignores_case=true) }} as loss_reason,
        nextstep as next_step,
        nullif(upper(trim(currencyisocode)), '') as currency,

        cast(amount as decimal(28, 9)) as amount,
        cast({{ ratio('probability', 100) }} as decimal(18, 6)) as probability_rate,
        cast(pushcount as bigint) as push_count,
        cast(stagesortorder as bigint) as stage_sort_number,
        try_cast(
            {{ json_string('_extra', var('contract_term_field'), ignores_case=true) }}
            as decimal(18, 6)
        ) as contract_term_months,

        -- Salesforce derives both flags from the stage, as it does the forecast category.
        case
            when iswon then true
            when isclosed is not null then isclosed
            when forecast_category = 'Closed' then true
            when {{ is_open }} then false
            when forecast_category = 'Omitted' and probability = 0 then true
        end as is_closed,
        case
            when iswon is not null then iswon
            when not isclosed then false
            when forecast_category = 'Closed' then true
            when {{ is_open }} and isclosed is null then false
            when forecast_category = 'Omitted' and (isclosed or probability = 0) then false
        end as is_won,
        hasopportunitylineitem as has_line_items,
        coalesce(isdeleted, false) or coalesce(is_absent, false) as is_deleted,

        closedate as close_date,

        createddate as created_at,
        lastmodifieddate as modified_at,
        greatest(
            coalesce(systemmodstamp, lastmodifieddate, _extracted_at), dated_at
        ) as system_modified_at,
        laststagechangedate as stage_changed_at,

        {{ salesforce_passthrough('Opportunity') }}
        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source
    qualify
        {{ is_latest_version(
            'opportunity_id', 'coalesce(systemmodstamp, lastmodifieddate, _extracted_at)'
        ) }}

)

select * from renamed
