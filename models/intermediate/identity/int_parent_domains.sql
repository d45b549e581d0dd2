with recursive

int_stripe_customers_known as (

    select * from {{ ref('int_stripe_customers_known') }}

),

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

int_workspaces_described as (

    select * from {{ ref('int_workspaces_described') }}

),

free_email_domains as (

    select * from {{ ref('free_email_domains') }}

),

record_domains as (

    select {{ email_domain('email') }} as record_domain from int_stripe_customers_known

    union distinct

    select workspace_domain as record_domain from int_workspaces_described

    union distinct

    select email_domain as record_domain from int_users_described

),

-- Each domain with its parents, as long as two labels are left.
with_parents as (

    select
        record_domain,
        record_domain as domain,
        0 as labels_dropped

    from record_domains
    where record_domain is not null

    union all

    select
        record_domain,
        regexp_extract(domain, '^[^.]+[.](.+[.].+)$', 1) as domain,
        labels_dropped + 1 as labels_dropped

    from with_parents
    where regexp_extract(domain, '^[^.]+[.](.+[.].+)$', 1) != ''

),

free_domains as (

    select distinct with_parents.record_domain

    from with_parents
    inner join free_email_domains
        on with_parents.domain = free_email_domains.email_domain

),

final as (

    select
        with_parents.record_domain,
        with_parents.domain,
        with_parents.labels_dropped,
        free_domains.record_domain is not null as is_free

    from with_parents
    left join free_domains
        on with_parents.record_domain = free_domains.record_domain

)

select * from final
