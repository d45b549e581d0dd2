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
        history_rows.opportunity_id,
        walks.position_number + 1 as position_number,
        history_rows.opportunity_history_id,
        concat(
            case
                when walks.position_number + 1 = history_rows.first_position_number then ' '
                else walks.visited_ids
            end,
            history_rows.opportunity_history_id,
            ' '
        ) as visited_ids,
        history_rows.stage_name,
        history_rows.amount,
        history_rows.close_date
    from walks
    inner join int_opportunity_history_rows_compared as history_rows
        on walks.opportunity_id = history_rows.opportunity_id
    where
        walks.position_number + 1 >= history_rows.first_position_number
        and walks.position_number + 1
        < history_rows.first_position_number
        + history_rows.save_count
        and not contains(
            walks.visited_ids,
            concat(' ', history_rows.opportunity_history_id, ' ')
        )
    qualify
        row_number() over (
            partition by history_rows.opportunity_id
            order by
                case
                    when history_rows.previous_stage_name is null then 0
                    when history_rows.previous_stage_name = walks.stage_name then 0
                    else 2
                end
                + case
                    when history_rows.previous_close_date is null then 0
                    when
                        history_rows.previous_close_date = walks.close_date
                        and history_rows.previous_amount is not distinct from walks.amount
                        then 0
                    else 1
                end,
                history_rows.ending_score,
                case when history_rows.stage_name = walks.stage_name then 0 else 1 end,
                history_rows.stage_number,
                case when history_rows.amount is null then 0 else 1 end,
                history_rows.opportunity_history_id
        ) = 1

),

final as (

    select
        history_rows.opportunity_history_id,
        history_rows.opportunity_id,
        history_rows.changed_at,
        coalesce(
            walks.position_number, history_rows.first_position_number
        ) as position_number,
        history_rows.stage_name,
        history_rows.forecast_category,
        history_rows.currency,
        history_rows.amount,
        history_rows.probability_rate,
        history_rows.close_date,
        history_rows.previous_stage_name,
        history_rows.previous_amount,
        history_rows.previous_close_date

    from int_opportunity_history_rows_compared as history_rows
    left join walks
        on history_rows.opportunity_history_id = walks.opportunity_history_id

)

select * from final
