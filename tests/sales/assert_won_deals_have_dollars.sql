-- Names the won deals that no rate turned into dollars. They count as nothing in every total in
-- dollars, which a total does not tell. A warning, since the remedy is a row in `exchange_rates`.
{{ config(severity='warn') }}

select
    opportunity_id,
    currency,
    close_month,
    amount
from {{ ref('fct_opportunities') }}
where
    is_won
    and amount is not null
    and amount_usd is null
