-- Lists the won deals whose currency has no rate. They add nothing to any total in US dollars, and
-- a total does not show that. A warning, since the remedy is a row in `exchange_rates`.
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
