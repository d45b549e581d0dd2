-- Lists the deals of which nothing shows whether they are closed, or whether a closed one is won.
-- They are in no pipeline, booking or win rate, and a total does not show that.
-- A warning, since the remedy is an export with IsClosed and IsWon, or the stage's row in the seed
-- `opportunity_stages`.
{{ config(severity='warn') }}

select
    opportunity_id,
    stage_name,
    is_closed,
    is_won
from {{ ref('fct_opportunities') }}
where is_closed is null or is_won is null
