with

stg_audit__batches as (

    select * from {{ ref('stg_audit__batches') }}

),

newest_batch as (

    select
        coalesce(
            cast({{ "'" ~ var('as_of_date') ~ "'" if var('as_of_date') else 'null' }} as date),
            max(batch_date)
        ) as as_of_date

    from stg_audit__batches

),

final as (

    select
        as_of_date,
        cast({{ dbt.dateadd(
            'day', 1, 'as_of_date'
        ) }} as timestamp) - interval 1 microsecond as as_of_at

    from newest_batch

)

select * from final
