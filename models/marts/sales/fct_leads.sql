with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

lead_statuses as (

    select * from {{ ref('lead_statuses') }}

),

stg_salesforce__leads as (

    select * from {{ ref('stg_salesforce__leads') }}

),

staged as (

    select
        leads.salesforce_lead_id as lead_id,
        leads.converted_salesforce_account_id,
        leads.converted_salesforce_contact_id as contact_id,
        leads.converted_opportunity_id as opportunity_id,
        leads.owner_salesforce_user_id as sales_rep_id,
        leads.lead_name,
        leads.company_name,
        leads.email,
        leads.title,
        leads.lead_source,
        leads.lead_status,
        case
            when leads.is_converted then 'converted'
            -- A status that contradicts the flag shows nothing.
            when lead_statuses.lead_stage = 'converted' and not leads.is_converted then null
            else lead_statuses.lead_stage
        end as lead_stage,
        leads.is_converted,
        leads.industry,
        leads.rating,
        leads.country,
        leads.employee_count,
        {{ salesforce_passthrough('Lead', 'leads') }}
        leads.created_at,
        leads.converted_date

    from stg_salesforce__leads as leads
    left join lead_statuses
        on lower(trim(leads.lead_status)) = lead_statuses.status_key
    where not leads.is_deleted

),

final as (

    select
        staged.lead_id,
        int_account_identities.account_id,
        staged.contact_id,
        deals.opportunity_id,
        deals.campaign_id,
        staged.sales_rep_id,
        staged.lead_name,
        staged.company_name,
        staged.email,
        staged.title,
        staged.lead_source,
        staged.lead_status,
        staged.lead_stage,
        staged.industry,
        staged.rating,
        staged.country,
        staged.employee_count,
        deals.currency as opportunity_currency,
        deals.amount as opportunity_amount,
        deals.amount_usd as opportunity_usd,
        case when deals.is_won then deals.amount_usd end as won_usd,
        cast({{ dbt.datediff(
            'cast(staged.created_at as date)', 'staged.converted_date', 'day'
        ) }} as integer) as conversion_days,
        coalesce(staged.is_converted, staged.lead_stage = 'converted') as is_converted,
        deals.is_won,
        deals.opportunity_id is not null
        and row_number() over (
            partition by deals.opportunity_id
            order by staged.converted_date asc nulls last, staged.lead_id asc
        ) = 1 as is_first_of_opportunity,
        {{ salesforce_passthrough('Lead', 'staged') }}
        staged.created_at,
        {{ month_start('staged.created_at') }} as created_month,
        staged.converted_date

    from staged
    left join int_account_identities
        on
            staged.converted_salesforce_account_id = int_account_identities.foreign_id
            and int_account_identities.source_system = 'salesforce'
    left join int_opportunities_valued as deals
        on staged.opportunity_id = deals.opportunity_id

)

select * from final
