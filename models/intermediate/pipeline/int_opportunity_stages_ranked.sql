{#- Deals end in closed stages. So a stage in which no deal is any more is open, if nothing else
    shows what it is. A category that an org named itself shows nothing. -#}
{%- set is_left = "case when flags.stage_name is null and count(mentions.forecast_category) = 0
                    and coalesce(max(mentions.probability_rate), 0.5) not in (0, 1) then false end" %}
{%- set is_open = "count(*) filter (where mentions.forecast_category in (
                'Pipeline', 'BestCase', 'MostLikely', 'Forecast')) > 0" %}
{%- set is_known = is_open.replace("'Pipeline'", "'Omitted', 'Pipeline'") %}
with

opportunity_stages as (

    select * from {{ ref('opportunity_stages') }}

),

stg_salesforce__opportunities as (

    select * from {{ ref('stg_salesforce__opportunities') }}

),

stg_salesforce__opportunity_versions as (

    select * from {{ ref('stg_salesforce__opportunity_versions') }}

),

stg_salesforce__opportunity_histories as (

    select * from {{ ref('stg_salesforce__opportunity_histories') }}

),

stg_salesforce__opportunity_field_histories as (

    select * from {{ ref('stg_salesforce__opportunity_field_histories') }}

),

mentions as (

    select
        opportunity_id,
        stage_name,
        created_at as mentioned_at,
        probability_rate,
        forecast_category
    from stg_salesforce__opportunity_histories

    union all

    select
        opportunity_id,
        stage_name,
        system_modified_at as mentioned_at,
        probability_rate,
        forecast_category
    from stg_salesforce__opportunity_versions

    union all

    select
        opportunity_id,
        new_value as stage_name,
        created_at as mentioned_at,
        null as probability_rate,
        null as forecast_category
    from stg_salesforce__opportunity_field_histories
    where lower(field_name) = 'stagename'

    union all

    select
        opportunity_id,
        old_value as stage_name,
        null as mentioned_at,
        null as probability_rate,
        null as forecast_category
    from stg_salesforce__opportunity_field_histories
    where lower(field_name) = 'stagename'

),

-- Salesforce derives both flags from the stage, so the deals that are now in a stage have them.
flags as (

    select
        stage_name,
        max(stage_sort_number) as stage_sort_number,
        max(cast(is_closed as integer)) = 1 as is_closed,
        max(cast(is_won as integer)) = 1 as is_won
    from stg_salesforce__opportunities
    group by stage_name

),

stages as (

    select
        mentions.stage_name,
        flags.stage_sort_number,
        {{ percentile('mentions.probability_rate', 0.5) }} as typical_probability_rate,
        case
            when flags.is_won is not null then flags.is_won
            when max(cast(mentions.forecast_category = 'Closed' as integer)) = 1 then true
            when {{ is_known }} and not coalesce(flags.is_closed, false) then false
            else coalesce(opportunity_stages.is_won, {{ is_left }})
        end as is_won,
        case
            when flags.is_closed is not null then flags.is_closed
            when max(cast(mentions.forecast_category = 'Closed' as integer)) = 1 then true
            when {{ is_open }} then false
            when {{ is_known }} and max(mentions.probability_rate) = 0 then true
            else coalesce(opportunity_stages.is_closed, {{ is_left }})
        end as is_closed

    from mentions
    left join flags
        on mentions.stage_name = flags.stage_name
    left join opportunity_stages
        on lower(trim(mentions.stage_name)) = opportunity_stages.stage_key
    where mentions.stage_name is not null
    group by
        mentions.stage_name,
        flags.stage_name,
        flags.stage_sort_number,
        flags.is_won,
        flags.is_closed,
        opportunity_stages.is_won,
        opportunity_stages.is_closed

),

first_entries as (

    select
        opportunity_id,
        stage_name,
        min(mentioned_at) as entered_at
    from mentions
    group by
        opportunity_id,
        stage_name

),

stage_pairs as (

    select
        entries.stage_name,
        others.stage_name as other_stage_name,
        sum(sign({{ dbt.datediff('entries.entered_at', 'others.entered_at', 'second') }}))
            as net_lead

    from first_entries as entries
    inner join first_entries as others
        on entries.opportunity_id = others.opportunity_id
    where entries.stage_name != others.stage_name
    group by
        entries.stage_name,
        others.stage_name

),

precedence as (

    select
        stage_name,
        count(*) filter (where net_lead > 0) - count(*) filter (where net_lead < 0) as lead_count
    from stage_pairs
    group by stage_name

),

-- A criterion orders open stages only when all of them have it. A stage that may be closed is
-- ranked among the open ones.
criteria as (

    select
        stages.stage_name,
        stages.stage_sort_number,
        stages.typical_probability_rate,
        stages.is_won,
        stages.is_closed,
        coalesce(precedence.lead_count, 0) as lead_count,
        count(*) over (partition by coalesce(stages.is_closed, false))
        = count(stages.stage_sort_number) over (partition by coalesce(stages.is_closed, false))
            as is_sort_number_known,
        count(*) over (partition by coalesce(stages.is_closed, false))
        = count(stages.typical_probability_rate) over (
            partition by coalesce(stages.is_closed, false)
        ) as is_probability_known

    from stages
    left join precedence
        on stages.stage_name = precedence.stage_name

),

final as (

    select
        stage_name,
        is_closed,
        is_won,
        row_number() over (
            order by
                coalesce(is_closed, false) asc,
                coalesce(is_won, false) desc,
                case when is_sort_number_known then stage_sort_number end nulls last,
                case when is_probability_known then typical_probability_rate end nulls last,
                lead_count desc,
                stage_name asc
        ) as stage_number

    from criteria

)

select * from final
