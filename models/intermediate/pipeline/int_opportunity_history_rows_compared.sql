with

int_opportunity_stages_ranked as (

    select * from {{ ref('int_opportunity_stages_ranked') }}

),

stg_salesforce__opportunity_field_histories as (

    select * from {{ ref('stg_salesforce__opportunity_field_histories') }}

),

stg_salesforce__opportunity_histories as (

    select * from {{ ref('stg_salesforce__opportunity_histories') }}

),

stg_salesforce__opportunity_versions as (

    select * from {{ ref('stg_salesforce__opportunity_versions') }}

),

stage_changes as (

    select
        opportunity_id,
        created_at,
        new_value,
        min(old_value) as old_value
    from stg_salesforce__opportunity_field_histories
    where lower(field_name) = 'stagename'
    group by
        opportunity_id,
        created_at,
        new_value

),

history_rows as (

    select
        histories.opportunity_history_id,
        histories.opportunity_id,
        histories.created_at as changed_at,
        histories.stage_name,
        histories.forecast_category,
        histories.currency,
        histories.amount,
        histories.probability_rate,
        histories.close_date,
        histories.previous_amount,
        histories.previous_close_date,
        coalesce(histories.previous_stage_name, stage_changes.old_value) as previous_stage_name,
        histories.valid_through_at,
        int_opportunity_stages_ranked.stage_number,
        count(*) over (partition by histories.opportunity_id, histories.created_at) as tied_count,
        dense_rank() over (
            partition by histories.opportunity_id order by histories.created_at
        ) as second_number,
        rank() over (
            partition by histories.opportunity_id order by histories.created_at
        ) as first_position_number,
        max(histories.valid_through_at) over (partition by histories.opportunity_id) is not null
            as has_valid_through

    from stg_salesforce__opportunity_histories as histories
    left join stage_changes
        on
            histories.opportunity_id = stage_changes.opportunity_id
            and histories.created_at = stage_changes.created_at
            and histories.stage_name = stage_changes.new_value
    left join int_opportunity_stages_ranked
        on histories.stage_name = int_opportunity_stages_ranked.stage_name
    where histories.created_at is not null

),

seconds as (

    select
        opportunity_id,
        changed_at,
        lead(changed_at) over (partition by opportunity_id order by changed_at) as next_changed_at
    from history_rows
    group by
        opportunity_id,
        changed_at

),

-- The last history row of a second left what an extract held before the next second.
states_after as (

    select
        seconds.opportunity_id,
        seconds.changed_at,
        versions.stage_name,
        versions.amount,
        versions.close_date
    from seconds
    inner join stg_salesforce__opportunity_versions as versions
        on
            seconds.opportunity_id = versions.opportunity_id
            and seconds.changed_at <= versions.system_modified_at
    where
        seconds.next_changed_at is null
        or versions.system_modified_at < seconds.next_changed_at
    qualify
        row_number() over (
            partition by seconds.opportunity_id, seconds.changed_at
            order by versions.system_modified_at
        ) = 1

),

followed as (

    select distinct earlier.opportunity_history_id
    from history_rows as earlier
    inner join history_rows as later
        on
            earlier.opportunity_id = later.opportunity_id
            and earlier.second_number + 1 = later.second_number
    where
        earlier.tied_count > 1
        and coalesce(later.previous_stage_name = earlier.stage_name, true)
        and (
            later.previous_close_date is null
            or (
                later.previous_close_date = earlier.close_date
                and later.previous_amount is not distinct from earlier.amount
            )
        )
        and (later.previous_stage_name is not null or later.previous_close_date is not null)

),

final as (

    select
        history_rows.opportunity_history_id,
        history_rows.opportunity_id,
        history_rows.changed_at,
        history_rows.stage_name,
        history_rows.forecast_category,
        history_rows.currency,
        history_rows.amount,
        history_rows.probability_rate,
        history_rows.close_date,
        history_rows.previous_amount,
        history_rows.previous_close_date,
        history_rows.previous_stage_name,
        history_rows.stage_number,
        history_rows.tied_count,
        history_rows.first_position_number,
        case
            when not history_rows.has_valid_through then 0
            when coalesce(history_rows.valid_through_at > history_rows.changed_at, true) then 8
            else 0
        end
        + case when followed.opportunity_history_id is not null then 4 else 0 end
        + case when history_rows.stage_name = states_after.stage_name then 2 else 0 end
        + case
            when
                history_rows.close_date = states_after.close_date
                and (history_rows.amount is not distinct from states_after.amount)
                then 1
            else 0
        end as ending_score

    from history_rows
    left join followed
        on history_rows.opportunity_history_id = followed.opportunity_history_id
    left join states_after
        on
            history_rows.opportunity_id = states_after.opportunity_id
            and history_rows.changed_at = states_after.changed_at

)

select * from final
