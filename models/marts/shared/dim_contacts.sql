with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

stg_salesforce__contacts as (

    select * from {{ ref('stg_salesforce__contacts') }}

),

final as (

    select
        stg_salesforce__contacts.salesforce_contact_id as contact_id,
        int_account_identities.account_id,
        stg_salesforce__contacts.contact_name,
        stg_salesforce__contacts.email,
        stg_salesforce__contacts.title,
        stg_salesforce__contacts.department,
        stg_salesforce__contacts.lead_source,
        stg_salesforce__contacts.mailing_country as country,
        stg_salesforce__contacts.owner_salesforce_user_id as sales_rep_id,
        stg_salesforce__contacts.has_opted_out_of_email,
        stg_salesforce__contacts.is_email_bounced,
        {{ salesforce_passthrough('Contact', 'stg_salesforce__contacts') }}
        stg_salesforce__contacts.created_at

    from stg_salesforce__contacts
    left join int_account_identities
        on
            stg_salesforce__contacts.salesforce_account_id = int_account_identities.foreign_id
            and int_account_identities.source_system = 'salesforce'
    where not stg_salesforce__contacts.is_deleted

)

select * from final
