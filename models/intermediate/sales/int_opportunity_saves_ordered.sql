with recursive

int_opportunity_saves_compared as (

    select * from {{ ref('int_opportunity_saves_compared') }}

),

-- One save after the other: of those of the next second the one that follows best on the last.
walks as (

    select distinct
        opportunity_id,
        cast(0 as bigint) as position_number,
        cast(null as varchar) as opportunity_history_id,
        ' ' as visited_ids,
        cast(null as varchar) as stage_name,
        cast(null as decimal(28, 9)) as amount,
        cast(null as date) as close_date
    from int_opportunity_saves_compared
    where has_ties

    union all

    select
        int_opportunity_saves_compared.opportunity_id,
        walks.position_number + 1 as position_number,
        int_opportunity_saves_compared.opportunity_history_id,
        concat(
            case
                when walks.position_number + 1 = int_opportunity_saves_compared.first_position_number then ' '
                else walks.visited_ids
            end,
            int_opportunity_saves_compared.opportunity_history_id,
            ' '
        ) as visited_ids,
        int_opportunity_saves_compared.stage_name,
        int_opportunity_saves_compared.amount,
        int_opportunity_saves_compared.close_date
    from walks
    inner join int_opportunity_saves_compared
        on walks.opportunity_id = int_opportunity_saves_compared.opportunity_id
    where
        walks.position_number + 1 >= int_opportunity_saves_compared.first_position_number
        and walks.position_number + 1
        < int_opportunity_saves_compared.first_position_number
        + int_opportunity_saves_compared.save_count
        and not contains(
            walks.visited_ids,
            concat(' ', int_opportunity_saves_compared.opportunity_history_id, ' ')
        )
    qualify
        row_number() over (
            partition by int_opportunity_saves_compared.opportunity_id
            order by
                case
                    when int_opportunity_saves_compared.previous_stage_name is null then 0
                    when int_opportunity_saves_compared.previous_stage_name = walks.stage_name then 0
                    else 2
                end
                + case
                    when int_opportunity_saves_compared.previous_close_date is null then 0
                    when
                        int_opportunity_saves_compared.previous_close_date = walks.close_date
                        and int_opportunity_saves_compared.previous_amount is not distinct from walks.amount
                        then 0
                    else 1
                end,
                int_opportunity_saves_compared.ending_score,
                case when int_opportunity_saves_compared.stage_name = walks.stage_name then 0 else 1 end,
                int_opportunity_saves_compared.stage_number,
                case when int_opportunity_saves_compared.amount is null then 0 else 1 end,
                int_opportunity_saves_compared.opportunity_history_id
        ) = 1

),

final as (

    select
        int_opportunity_saves_compared.opportunity_history_id,
        int_opportunity_saves_compared.opportunity_id,
        int_opportunity_saves_compared.saved_at,
        coalesce(
            walks.position_number, int_opportunity_saves_compared.first_position_number
        ) as position_number,
        int_opportunity_saves_compared.stage_name,
        int_opportunity_saves_compared.forecast_category,
        int_opportunity_saves_compared.currency,
        int_opportunity_saves_compared.amount,
        int_opportunity_saves_compared.probability_rate,
        int_opportunity_saves_compared.close_date,
        int_opportunity_saves_compared.previous_stage_name,
        int_opportunity_saves_compared.previous_amount,
        int_opportunity_saves_compared.previous_close_date

    from int_opportunity_saves_compared
    left join walks
        on int_opportunity_saves_compared.opportunity_history_id = walks.opportunity_history_id

)

select * from final
