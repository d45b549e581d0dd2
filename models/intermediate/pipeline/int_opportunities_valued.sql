with

stg_salesforce__opportunities as (

    select * from {{ ref('stg_salesforce__opportunities') }}

),

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

int_opportunity_stages_ranked as (

    select * from {{ ref('int_opportunity_stages_ranked') }}

),

int_opportunity_rates as (

    select * from {{ ref('int_opportunity_rates') }}

),

opportunities as (

    select
        stg_salesforce__opportunities.opportunity_id,
        stg_salesforce__opportunities.opportunity_name,
        int_account_identities.account_id,
        stg_salesforce__opportunities.salesforce_account_id,
        stg_salesforce__opportunities.owner_salesforce_user_id as sales_rep_id,
        stg_salesforce__opportunities.opportunity_type,
        stg_salesforce__opportunities.lead_source,
        stg_salesforce__opportunities.campaign_id,
        stg_salesforce__opportunities.stage_name,
        stg_salesforce__opportunities.forecast_category,
        stg_salesforce__opportunities.loss_reason,
        coalesce(
            stg_salesforce__opportunities.currency,
            stg_salesforce__accounts.currency,
            '{{ var("salesforce_currency") }}'
        ) as currency,
        stg_salesforce__opportunities.amount,
        stg_salesforce__opportunities.probability_rate,
        stg_salesforce__opportunities.push_count,
        coalesce(stg_salesforce__opportunities.is_closed, int_opportunity_stages_ranked.is_closed)
            as is_closed,
        coalesce(stg_salesforce__opportunities.is_won, int_opportunity_stages_ranked.is_won)
            as is_won,
        stg_salesforce__opportunities.close_date,
        {{ month_start('stg_salesforce__opportunities.close_date') }} as close_month,
        coalesce(stg_salesforce__opportunities.close_date, cast('9999-12-30' as date)) as rate_date,
        cast(stg_salesforce__opportunities.created_at as date) as created_date,
        {{ salesforce_passthrough('Opportunity', 'stg_salesforce__opportunities') }}
        stg_salesforce__opportunities.created_at,
        stg_salesforce__opportunities.stage_changed_at

    from stg_salesforce__opportunities
    left join stg_salesforce__accounts
        on
            stg_salesforce__opportunities.salesforce_account_id
            = stg_salesforce__accounts.salesforce_account_id
    left join int_account_identities
        on
            stg_salesforce__opportunities.salesforce_account_id = int_account_identities.foreign_id
            and int_account_identities.source_system = 'salesforce'
    left join int_opportunity_stages_ranked
        on stg_salesforce__opportunities.stage_name = int_opportunity_stages_ranked.stage_name
    where not stg_salesforce__opportunities.is_deleted

),

final as (

    select
        opportunities.opportunity_id,
        opportunities.opportunity_name,
        opportunities.account_id,
        opportunities.salesforce_account_id,
        opportunities.sales_rep_id,
        opportunities.opportunity_type,
        opportunities.lead_source,
        opportunities.campaign_id,
        opportunities.stage_name,
        opportunities.forecast_category,
        case
            when opportunities.is_closed and not opportunities.is_won
                then opportunities.loss_reason
        end as loss_reason,
        opportunities.currency,
        cast(opportunities.amount as decimal(28, 6)) as amount,
        cast(
            cast(opportunities.amount as decimal(28, 6)) * int_opportunity_rates.usd_per_unit
            as decimal(28, 6)
        ) as amount_usd,
        int_opportunity_rates.usd_per_unit,
        opportunities.probability_rate,
        opportunities.push_count,
        case
            when opportunities.is_won
                then {{ dbt.datediff(
                    'opportunities.created_date', 'opportunities.close_date', 'day'
                ) }}
        end as sales_cycle_days,
        opportunities.is_closed,
        opportunities.is_won,
        opportunities.is_closed and not opportunities.is_won as is_lost,
        opportunities.close_date,
        opportunities.close_month,
        opportunities.created_date,
        {{ salesforce_passthrough('Opportunity', 'opportunities') }}
        opportunities.created_at,
        opportunities.stage_changed_at

    from opportunities
    left join int_opportunity_rates
        on
            opportunities.currency = int_opportunity_rates.currency
            and opportunities.rate_date >= int_opportunity_rates.valid_from_date
            and opportunities.rate_date < int_opportunity_rates.valid_to_date

)

select * from final
