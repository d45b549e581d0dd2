-- Proves that the current version of each account equals its row in dim_accounts, and that each
-- account has one. Comparing only the accounts in both would miss one without a history.
{%- set columns -%}
    account_id,
    account_name,
    parent_account_id,
    sales_rep_id,
    segment,
    account_type,
    industry,
    country,
    region,
    website_domain,
    employee_count,
    is_deleted
{%- endset %}

with

only_in_accounts as (

    select {{ columns }}
    from {{ ref('dim_accounts') }}
    except
    select {{ columns }}
    from {{ ref('dim_accounts_history') }}
    where is_current

),

only_in_history as (

    select {{ columns }}
    from {{ ref('dim_accounts_history') }}
    where is_current
    except
    select {{ columns }}
    from {{ ref('dim_accounts') }}

)

select account_id
from only_in_accounts

union all

select account_id
from only_in_history
