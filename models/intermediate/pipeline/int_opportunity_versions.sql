with

int_opportunity_history_coverage as (

    select * from {{ ref('int_opportunity_history_coverage') }}

),

int_opportunity_field_changes as (

    select * from {{ ref('int_opportunity_field_changes') }}

),

int_opportunity_stages_ranked as (

    select * from {{ ref('int_opportunity_stages_ranked') }}

),

stg_salesforce__opportunity_versions as (

    select * from {{ ref('stg_salesforce__opportunity_versions') }}

),

-- A version's stage was not reached before the last stage change in the field history.
last_changes as (

    select
        stg_salesforce__opportunity_versions.opportunity_id,
        stg_salesforce__opportunity_versions.system_modified_at,
        max(int_opportunity_field_changes.changed_at) as last_changed_at

    from stg_salesforce__opportunity_versions
    inner join int_opportunity_field_changes
        on
            stg_salesforce__opportunity_versions.opportunity_id
            = int_opportunity_field_changes.opportunity_id
    where
        int_opportunity_field_changes.field_name = 'stagename'
        and int_opportunity_field_changes.changed_at
        <= stg_salesforce__opportunity_versions.system_modified_at
    group by
        stg_salesforce__opportunity_versions.opportunity_id,
        stg_salesforce__opportunity_versions.system_modified_at

),

compared as (

    select
        versions.opportunity_id,
        versions.system_modified_at,
        versions.owner_salesforce_user_id,
        versions.stage_name,
        versions.stage_changed_at,
        versions.forecast_category,
        versions.currency,
        versions.amount,
        versions.probability_rate,
        versions.close_date,
        versions.is_deleted,
        stages.is_closed,
        coverage.created_at as opportunity_created_at,
        lag(versions.system_modified_at) over (
            partition by versions.opportunity_id
            order by versions.system_modified_at
        ) as previous_modified_at,
        coverage.first_history_at is null
        or versions.system_modified_at < coverage.first_history_at
        or versions.system_modified_at > coverage.last_history_at as is_outside_history,
        greatest(
            coverage.created_at,
            case
                when versions.system_modified_at > coverage.last_history_at
                    then coverage.last_history_at
            end,
            last_changes.last_changed_at
        ) as earliest_at

    from stg_salesforce__opportunity_versions as versions
    inner join int_opportunity_history_coverage as coverage
        on versions.opportunity_id = coverage.opportunity_id
    left join last_changes
        on
            versions.opportunity_id = last_changes.opportunity_id
            and versions.system_modified_at = last_changes.system_modified_at
    left join int_opportunity_stages_ranked as stages
        on versions.stage_name = stages.stage_name

),

dated as (

    select
        opportunity_id,
        system_modified_at,
        owner_salesforce_user_id,
        stage_name,
        forecast_category,
        currency,
        amount,
        probability_rate,
        close_date,
        is_deleted,
        is_outside_history,
        earliest_at,
        case
            when stage_changed_at is not null then stage_changed_at
            when is_closed
                then greatest(
                        cast(close_date as timestamp),
                        coalesce(previous_modified_at, opportunity_created_at)
                    )
            when previous_modified_at is null then opportunity_created_at
            else system_modified_at
        end as stage_reached_at

    from compared

),

final as (

    select
        opportunity_id,
        system_modified_at,
        owner_salesforce_user_id,
        stage_name,
        greatest(earliest_at, least(system_modified_at, stage_reached_at)) as stage_reached_at,
        forecast_category,
        currency,
        amount,
        probability_rate,
        close_date,
        is_deleted,
        is_outside_history

    from dated

)

select * from final
