-- Proves that the products on a deal are its amount, which Salesforce sets to their sum. It finds
-- lost or doubled lines. A warning, since an export of the lines may be of another time than that
-- of the deals.
{{ config(severity='warn') }}

select
    lines.opportunity_id,
    max(deals.amount) as amount,
    sum(lines.total_price_amount) as total_price_amount
from {{ ref('fct_opportunity_line_items') }} as lines
inner join {{ ref('fct_opportunities') }} as deals
    on lines.opportunity_id = deals.opportunity_id
group by lines.opportunity_id
having abs(sum(lines.total_price_amount) - max(deals.amount)) > 0.01
