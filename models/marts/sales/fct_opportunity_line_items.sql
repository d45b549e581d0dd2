with

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

stg_salesforce__opportunity_line_items as (

    select * from {{ ref('stg_salesforce__opportunity_line_items') }}

),

stg_salesforce__products as (

    select * from {{ ref('stg_salesforce__products') }}

),

joined as (

    select
        lines.opportunity_line_item_id,
        lines.opportunity_id,
        deals.account_id,
        deals.sales_rep_id,
        lines.salesforce_product_id as product_id,
        products.product_name,
        products.product_family,
        coalesce(lines.product_code, products.product_code) as product_code,
        lines.line_name,
        deals.currency,
        deals.usd_per_unit,
        lines.quantity,
        lines.unit_price_amount,
        lines.list_price_amount,
        lines.discount_rate,
        coalesce(
            lines.total_price_amount,
            try_cast(
                cast(lines.quantity as double)
                * cast(lines.unit_price_amount as double)
                * cast(1 - coalesce(lines.discount_rate, 0) as double) as decimal(28, 6)
            )
        ) as total_price_amount,
        deals.is_closed,
        deals.is_won,
        lines.service_date,
        deals.close_date,
        deals.close_month,
        {{ salesforce_passthrough('OpportunityLineItem', 'lines') }}
        lines.created_at

    from stg_salesforce__opportunity_line_items as lines
    inner join int_opportunities_valued as deals
        on lines.opportunity_id = deals.opportunity_id
    left join stg_salesforce__products as products
        on lines.salesforce_product_id = products.salesforce_product_id
    where not lines.is_deleted

),

final as (

    select
        opportunity_line_item_id,
        opportunity_id,
        account_id,
        sales_rep_id,
        product_id,
        product_name,
        product_family,
        product_code,
        line_name,
        currency,
        cast(quantity as decimal(28, 9)) as quantity,
        cast(unit_price_amount as decimal(28, 6)) as unit_price_amount,
        cast(list_price_amount as decimal(28, 6)) as list_price_amount,
        discount_rate,
        cast(total_price_amount as decimal(28, 6)) as total_price_amount,
        cast(
            cast(total_price_amount as decimal(28, 6)) * usd_per_unit as decimal(28, 6)
        ) as total_price_usd,
        case when is_won then total_price_usd end as bookings_usd,
        is_closed,
        is_won,
        service_date,
        close_date,
        close_month,
        {{ salesforce_passthrough('OpportunityLineItem', 'joined') }}
        created_at
    from joined

)

select * from final
