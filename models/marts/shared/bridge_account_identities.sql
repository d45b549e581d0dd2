with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

final as (

    select
        account_id,
        source_system,
        foreign_type,
        foreign_id,
        match_rule,
        cast(
            case match_rule
                when 'email_domain' then 0.9
                when 'exact_name' then 0.7
                when 'unmatched' then 0
                else 1
            end as decimal(3, 2)
        ) as match_confidence

    from int_account_identities

)

select * from final
