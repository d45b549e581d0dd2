with

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

stg_salesforce__opportunities as (

    select * from {{ ref('stg_salesforce__opportunities') }}

),

won as (

    select
        int_opportunities_valued.opportunity_id,
        int_opportunities_valued.account_id,
        int_opportunities_valued.opportunity_type,
        lower(int_opportunities_valued.opportunity_type) as type_key,
        int_opportunities_valued.sales_rep_id,
        int_opportunities_valued.close_date,
        int_opportunities_valued.close_month,
        int_opportunities_valued.currency,
        int_opportunities_valued.amount,
        int_opportunities_valued.amount_usd,
        case
            when stg_salesforce__opportunities.contract_term_months > 0
                then stg_salesforce__opportunities.contract_term_months
            else 12
        end as term_months

    from int_opportunities_valued
    inner join stg_salesforce__opportunities
        on int_opportunities_valued.opportunity_id = stg_salesforce__opportunities.opportunity_id
    where int_opportunities_valued.is_won

),

final as (

    select
        opportunity_id,
        account_id,
        opportunity_type,
        case
            when regexp_extract(type_key, '{{ var("expansion_deal_pattern") }}', 0) != ''
                then 'expansion'
            when regexp_extract(type_key, '{{ var("renewal_deal_pattern") }}', 0) != ''
                then 'renewal'
            else 'new'
        end as deal_kind,
        sales_rep_id,
        close_date,
        close_month,
        currency,
        case
            when term_months = 12 then amount
            else cast({{ ratio('amount * 12', 'term_months') }} as decimal(28, 6))
        end as booked_annual_amount,
        case
            when term_months = 12 then amount_usd
            else cast({{ ratio('amount_usd * 12', 'term_months') }} as decimal(28, 6))
        end as booked_annual_usd

    from won

)

select * from final
