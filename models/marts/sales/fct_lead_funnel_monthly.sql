with

fct_leads as (

    select * from {{ ref('fct_leads') }}

),

summed as (

    select
        created_month,
        coalesce(lead_source, 'Unknown') as lead_source,
        campaign_id,
        count(*) as created_count,
        count(*) filter (where lead_stage != 'open') as working_count,
        count(*) filter (where is_converted) as converted_count,
        count(*) filter (where lead_stage = 'closed') as closed_count,
        count(*) filter (where lead_stage is null) as unknown_count,
        count(*) filter (where is_first_of_opportunity) as opportunity_count,
        count(*) filter (where is_first_of_opportunity and is_won) as won_count,
        coalesce(
            sum(opportunity_usd) filter (where is_first_of_opportunity),
            case when count(opportunity_amount) = 0 then 0 end
        ) as opportunity_usd,
        coalesce(
            sum(won_usd) filter (where is_first_of_opportunity),
            case when count(opportunity_amount) filter (where is_won) = 0 then 0 end
        ) as won_usd,
        {{ percentile('conversion_days', 0.5) }} as median_conversion_days

    from fct_leads
    where created_month is not null
    group by all

),

final as (

    select
        created_month,
        lead_source,
        campaign_id,
        cast(created_count as integer) as created_count,
        cast(working_count as integer) as working_count,
        cast(converted_count as integer) as converted_count,
        cast(closed_count as integer) as closed_count,
        cast(unknown_count as integer) as unknown_count,
        cast(opportunity_count as integer) as opportunity_count,
        cast(won_count as integer) as won_count,
        cast(opportunity_usd as decimal(28, 6)) as opportunity_usd,
        cast(won_usd as decimal(28, 6)) as won_usd,
        {{ ratio('converted_count', 'created_count') }} as conversion_rate,
        {{ ratio('won_count', 'created_count') }} as won_rate,
        cast(median_conversion_days as double) as median_conversion_days

    from summed

)

select * from final
