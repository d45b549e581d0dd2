-- Lists every amount of a deal whose currency has no rate: the deal's own, and those of its past.
-- They add nothing to any total in US dollars, and a total does not show that. A warning, since the
-- remedy is a row in `exchange_rates`.
{{ config(severity='warn') }}

select
    'fct_opportunities' as relation,
    opportunity_id,
    currency,
    close_month as amount_month,
    amount
from {{ ref('fct_opportunities') }}
where amount != 0 and amount_usd is null

union all

select
    'fct_opportunity_line_items' as relation,
    opportunity_id,
    currency,
    close_month as amount_month,
    total_price_amount as amount
from {{ ref('fct_opportunity_line_items') }}
where total_price_amount != 0 and total_price_usd is null

union all

select
    'int_opportunity_states' as relation,
    opportunity_id,
    currency,
    {{ month_start('valid_from_at') }} as amount_month,
    amount
from {{ ref('int_opportunity_states') }}
where amount != 0 and amount_usd is null
