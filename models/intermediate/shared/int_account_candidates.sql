with

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

final as (

    select
        salesforce_account_id as account_id,
        {{ website_domain('website') }} as account_domain,
        {{ normalised_name('account_name') }} as account_name_key,
        created_at

    from stg_salesforce__accounts
    where not is_deleted

)

select * from final
