with

int_domains_widened as (

    select * from {{ ref('int_domains_widened') }}

),

int_foreign_records_described as (

    select * from {{ ref('int_foreign_records_described') }}

),

int_links_to_crm_found as (

    select * from {{ ref('int_links_to_crm_found') }}

),

first_links_of_customers as (

    select
        foreign_id,
        account_id

    from int_links_to_crm_found
    where foreign_type = 'customer'
    qualify
        row_number() over (
            partition by foreign_id
            order by
                rule_number asc,
                labels_dropped asc,
                is_same_name desc,
                is_merged asc,
                created_at asc,
                account_id asc
        ) = 1

),

-- A customer without a link to the CRM is an account too.
customers as (

    select
        int_foreign_records_described.foreign_id as stripe_customer_id,
        coalesce(
            first_links_of_customers.account_id, int_foreign_records_described.foreign_id
        ) as account_id,
        first_links_of_customers.account_id is null as is_account,
        int_foreign_records_described.record_domain,
        int_foreign_records_described.name_key

    from int_foreign_records_described
    left join first_links_of_customers
        on int_foreign_records_described.foreign_id = first_links_of_customers.foreign_id
    where int_foreign_records_described.foreign_type = 'customer'

),

segment_records as (

    select *
    from int_foreign_records_described
    where source_system = 'segment'

),

links_by_customer as (

    select
        segment_records.foreign_type,
        segment_records.foreign_id,
        customers.account_id,
        'explicit_id' as match_rule,
        3 as rule_number,
        0 as labels_dropped,
        true as is_same_name

    from segment_records
    inner join customers
        on segment_records.named_stripe_customer_id = customers.stripe_customer_id

    union all

    select
        segment_records.foreign_type,
        segment_records.foreign_id,
        customers.account_id,
        'explicit_id' as match_rule,
        5 as rule_number,
        0 as labels_dropped,
        true as is_same_name

    from segment_records
    inner join customers
        on segment_records.foreign_id = customers.stripe_customer_id
    where segment_records.foreign_type = 'workspace'

    union all

    select
        segment_records.foreign_type,
        segment_records.foreign_id,
        customers.account_id,
        case
            when int_domains_widened.labels_dropped = 0 then 'email_domain' else 'email_subdomain'
        end as match_rule,
        case when int_domains_widened.labels_dropped = 0 then 7 else 9 end as rule_number,
        int_domains_widened.labels_dropped,
        coalesce(segment_records.name_key = customers.name_key, false) as is_same_name

    from segment_records
    inner join int_domains_widened
        on segment_records.record_domain = int_domains_widened.record_domain
    inner join customers
        on int_domains_widened.domain = customers.record_domain
    where
        customers.is_account
        and not int_domains_widened.is_free

    union all

    select
        segment_records.foreign_type,
        segment_records.foreign_id,
        customers.account_id,
        'exact_name' as match_rule,
        11 as rule_number,
        0 as labels_dropped,
        true as is_same_name

    from segment_records
    inner join customers
        on segment_records.name_key = customers.name_key
    where customers.is_account

),

final as (

    select
        foreign_type,
        foreign_id,
        account_id,
        match_rule,
        rule_number,
        labels_dropped,
        is_same_name,
        is_merged,
        created_at

    from int_links_to_crm_found

    union all

    select
        foreign_type,
        foreign_id,
        account_id,
        match_rule,
        rule_number,
        labels_dropped,
        is_same_name,
        false as is_merged,
        cast(null as timestamp) as created_at

    from links_by_customer

)

select * from final
