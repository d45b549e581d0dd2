with

stg_salesforce__opportunity_histories as (

    select * from {{ ref('stg_salesforce__opportunity_histories') }}

),

stg_salesforce__opportunity_field_histories as (

    select * from {{ ref('stg_salesforce__opportunity_field_histories') }}

),

stg_salesforce__opportunity_versions as (

    select * from {{ ref('stg_salesforce__opportunity_versions') }}

),

int_opportunity_stages_ranked as (

    select * from {{ ref('int_opportunity_stages_ranked') }}

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

saves as (

    select
        histories.opportunity_history_id,
        histories.opportunity_id,
        histories.created_at as saved_at,
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
        count(*) over (partition by histories.opportunity_id, histories.created_at) as save_count,
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

    select distinct
        opportunity_id,
        saved_at,
        lead(saved_at) over (partition by opportunity_id order by saved_at) as next_saved_at
    from (
        select distinct
            opportunity_id,
            saved_at
        from saves
    ) as distinct_seconds

),

-- What an extract held between two saves is what the first of them left.
states_after as (

    select
        seconds.opportunity_id,
        seconds.saved_at,
        versions.stage_name,
        versions.amount,
        versions.close_date
    from seconds
    inner join stg_salesforce__opportunity_versions as versions
        on seconds.opportunity_id = versions.opportunity_id
    where
        versions.system_modified_at >= seconds.saved_at
        and versions.system_modified_at < coalesce(seconds.next_saved_at, '9999-12-31')
    qualify
        row_number() over (
            partition by seconds.opportunity_id, seconds.saved_at
            order by versions.system_modified_at
        ) = 1

),

followed as (

    select distinct earlier.opportunity_history_id
    from saves as earlier
    inner join saves as later
        on
            earlier.opportunity_id = later.opportunity_id
            and earlier.second_number + 1 = later.second_number
    where
        earlier.save_count > 1
        and coalesce(later.previous_stage_name = earlier.stage_name, true)
        and (
            later.previous_close_date is null
            or (
                later.previous_close_date = earlier.close_date
                and later.previous_amount is not distinct from earlier.amount
            )
        )
        and coalesce(later.previous_stage_name, cast(later.previous_close_date as string))
        is not null

),

final as (

    select
        saves.*,
        case
            when not saves.has_valid_through then 0
            when coalesce(saves.valid_through_at > saves.saved_at, true) then 8
            else 0
        end
        + case when followed.opportunity_history_id is not null then 4 else 0 end
        + case when saves.stage_name = states_after.stage_name then 2 else 0 end
        + case
            when
                saves.close_date = states_after.close_date
                and coalesce(
                    saves.amount = states_after.amount,
                    saves.amount is null and states_after.amount is null
                )
                then 1
            else 0
        end as ending_score,
        max(saves.save_count) over (partition by saves.opportunity_id) > 1 as has_ties

    from saves
    left join followed
        on saves.opportunity_history_id = followed.opportunity_history_id
    left join states_after
        on
            saves.opportunity_id = states_after.opportunity_id
            and saves.saved_at = states_after.saved_at

)

select * from final
