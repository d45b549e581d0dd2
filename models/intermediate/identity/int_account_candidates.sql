with

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

int_salesforce_accounts_known as (

    select * from {{ ref('int_salesforce_accounts_known') }}

),

-- What was merged away still tells a website and a name that the survivor goes by.
final as (

    select
        stg_salesforce__accounts.salesforce_account_id,
        int_salesforce_accounts_known.account_id,
        int_salesforce_accounts_known.is_merged,
        {{ website_domain('stg_salesforce__accounts.website') }} as account_domain,
        {{ normalised_name('stg_salesforce__accounts.account_name') }} as account_name_key,
        stg_salesforce__accounts.created_at

    from stg_salesforce__accounts
    inner join int_salesforce_accounts_known
        on
            stg_salesforce__accounts.salesforce_account_id
            = int_salesforce_accounts_known.salesforce_account_id
    left join stg_salesforce__accounts as survivors
        on int_salesforce_accounts_known.account_id = survivors.salesforce_account_id
    where not coalesce(survivors.is_deleted, false)

)

select * from final
