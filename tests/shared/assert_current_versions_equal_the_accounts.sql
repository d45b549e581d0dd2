-- Proves that the current version of each account equals its row in dim_accounts, and that each
-- account has one. Comparing only the accounts in both would miss one without a history.
with

described as (

    select
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
    from {{ ref('dim_accounts') }}

),

current_versions as (

    select
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
    from {{ ref('dim_accounts_history') }}
    where is_current

),

only_described as (

    select * from described
    except
    select * from current_versions

),

only_in_history as (

    select * from current_versions
    except
    select * from described

)

select account_id
from only_described

union all

select account_id
from only_in_history
