with recursive

int_opportunity_history_rows_compared as (

    select * from {{ ref('int_opportunity_history_rows_compared') }}

),

-- One save after the other: of those of the next second the one that follows best on the last.
walks as (

    select distinct
        opportunity_id,
        cast(0 as bigint) as position_number,
        cast(null as string) as opportunity_history_id,
        ' ' as visited_ids,
        cast(null as string) as stage_name,
        cast(null as decimal(28, 9)) as amount,
        cast(null as date) as close_date
    from int_opportunity_history_rows_compared
    where has_ties

    union all

    select
        saves.opportunity_id,
        walks.position_number + 1 as position_number,
        saves.opportunity_history_id,
        concat(
            case
                when walks.position_number + 1 = saves.first_position_number then ' '
                else walks.visited_ids
            end,
            saves.opportunity_history_id,
            ' '
        ) as visited_ids,
        saves.stage_name,
        saves.amount,
        saves.close_date
    from walks
    inner join int_opportunity_history_rows_compared as saves
        on walks.opportunity_id = saves.opportunity_id
    where
        walks.position_number + 1 >= saves.first_position_number
        and walks.position_number + 1
        < saves.first_position_number
        + saves.save_count
        and not contains(
            walks.visited_ids,
            concat(' ', saves.opportunity_history_id, ' ')
        )
    qualify
        row_number() over (
            partition by saves.opportunity_id
            order by
                case
                    when saves.previous_stage_name is null then 0
                    when saves.previous_stage_name = walks.stage_name then 0
                    else 2
                end
                + case
                    when saves.previous_close_date is null then 0
                    when
                        saves.previous_close_date = walks.close_date
                        and saves.previous_amount is not distinct from walks.amount
                        then 0
                    else 1
                end,
                saves.ending_score,
                case when saves.stage_name = walks.stage_name then 0 else 1 end,
                saves.stage_number,
                case when saves.amount is null then 0 else 1 end,
                saves.opportunity_history_id
        ) = 1

),

final as (

    select
        saves.opportunity_history_id,
        saves.opportunity_id,
        saves.saved_at,
        coalesce(
            walks.position_number, saves.first_position_number
        ) as position_number,
        saves.stage_name,
        saves.forecast_category,
        saves.currency,
        saves.amount,
        saves.probability_rate,
        saves.close_date,
        saves.previous_stage_name,
        saves.previous_amount,
        saves.previous_close_date

    from int_opportunity_history_rows_compared as saves
    left join walks
        on saves.opportunity_history_id = walks.opportunity_history_id

)

select * from final
