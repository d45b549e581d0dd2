with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

fct_mrr_movements as (

    select * from {{ ref('fct_mrr_movements') }}

),

int_mrr_changes_explained as (

    select * from {{ ref('int_mrr_changes_explained') }}

),

int_mrr_items_monthly as (

    select * from {{ ref('int_mrr_items_monthly') }}

),

product_months as (

    select
        account_id,
        mrr_month,
        product_id,
        sum(mrr * usd_per_unit) as mrr_usd
    from int_mrr_items_monthly
    where mrr != 0
    group by
        account_id,
        mrr_month,
        product_id

),

product_months_before as (

    select
        account_id,
        mrr_month,
        product_id_before as product_id,
        sum(mrr_before * usd_per_unit_before) as mrr_before_usd,
        sum(mrr_before * (usd_per_unit - usd_per_unit_before)) as fx_usd
    from int_mrr_items_monthly
    where mrr_before != 0
    group by
        account_id,
        mrr_month,
        product_id_before

),

came as (

    select
        fct_mrr_movements.account_id,
        fct_mrr_movements.mrr_month,
        fct_mrr_movements.movement_type,
        cast(null as string) as movement_reason,
        product_months.product_id,
        product_months.mrr_usd

    from fct_mrr_movements
    inner join product_months
        on
            fct_mrr_movements.account_id = product_months.account_id
            and fct_mrr_movements.mrr_month = product_months.mrr_month
    where fct_mrr_movements.movement_type in ('new', 'reactivation')

),

went as (

    select
        fct_mrr_movements.account_id,
        fct_mrr_movements.mrr_month,
        fct_mrr_movements.movement_type,
        cast(null as string) as movement_reason,
        product_months_before.product_id,
        -product_months_before.mrr_before_usd as mrr_usd

    from fct_mrr_movements
    inner join product_months_before
        on
            fct_mrr_movements.account_id = product_months_before.account_id
            and fct_mrr_movements.mrr_month = product_months_before.mrr_month
    where fct_mrr_movements.movement_type = 'churn'

),

-- A swap of plans at the same price moves plans although it moves no account.
changed as (

    select
        int_mrr_changes_explained.account_id,
        int_mrr_changes_explained.mrr_month,
        fct_mrr_monthly.movement_type,
        int_mrr_changes_explained.movement_reason,
        int_mrr_changes_explained.product_id,
        int_mrr_changes_explained.mrr_usd

    from int_mrr_changes_explained
    inner join fct_mrr_monthly
        on
            int_mrr_changes_explained.account_id = fct_mrr_monthly.account_id
            and int_mrr_changes_explained.mrr_month = fct_mrr_monthly.mrr_month
            and fct_mrr_monthly.movement_type in ('expansion', 'contraction', 'none')

),

moved_by_rates as (

    select
        fct_mrr_movements.account_id,
        fct_mrr_movements.mrr_month,
        fct_mrr_movements.movement_type,
        cast(null as string) as movement_reason,
        product_months_before.product_id,
        product_months_before.fx_usd as mrr_usd

    from fct_mrr_movements
    inner join product_months_before
        on
            fct_mrr_movements.account_id = product_months_before.account_id
            and fct_mrr_movements.mrr_month = product_months_before.mrr_month
    where fct_mrr_movements.movement_type = 'fx'

),

all_parts as (

    select * from came
    union all
    select * from went
    union all
    select * from changed
    union all
    select * from moved_by_rates

),

rounded as (

    select
        account_id,
        mrr_month,
        movement_type,
        movement_reason,
        product_id,
        cast(mrr_usd as decimal(28, 6)) as mrr_usd
    from all_parts

),

-- Rounded parts need not add up to the rounded whole; the largest part takes the last decimal.
ranked as (

    select
        rounded.*,
        coalesce(fct_mrr_movements.mrr_usd, 0)
        - sum(rounded.mrr_usd) over movement as missing_usd,
        row_number() over (
            partition by rounded.account_id, rounded.mrr_month, rounded.movement_type
            order by abs(rounded.mrr_usd) desc, rounded.product_id, rounded.movement_reason asc
        ) as rank_number

    from rounded
    left join fct_mrr_movements
        on
            rounded.account_id = fct_mrr_movements.account_id
            and rounded.mrr_month = fct_mrr_movements.mrr_month
            and rounded.movement_type = fct_mrr_movements.movement_type
    window movement as (
        partition by rounded.account_id, rounded.mrr_month, rounded.movement_type
    )

),

settled as (

    select
        account_id,
        mrr_month,
        movement_type,
        movement_reason,
        product_id,
        cast(
            case when rank_number = 1 then mrr_usd + missing_usd else mrr_usd end
            as decimal(28, 6)
        ) as mrr_usd
    from ranked

),

final as (

    select * from settled
    where mrr_usd != 0

)

select * from final
