{#- What a closed month looked like to the first batch dated on or after its end. A row never
    changes: its key is all that is compared. -#}
{% snapshot snap_product__account_months %}

{{
    config(
        unique_key=['account_id', 'account_month'],
        strategy='check',
        check_cols=['account_month'],
        updated_at='as_of_at',
    )
}}

{%- set account_so_far -%}
(
    partition by months.account_id
    order by months.mrr_month
    rows between unbounded preceding and current row
)
{%- endset -%}

with

fct_receivables_monthly as (

    select * from {{ ref('fct_receivables_monthly') }}

),

int_accounts_classified as (

    select * from {{ ref('int_accounts_classified') }}

),

int_mrr_contracts_monthly as (

    select * from {{ ref('int_mrr_contracts_monthly') }}

),

int_mrr_months_closed as (

    select * from {{ ref('int_mrr_months_closed') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

int_segment_identities_linked as (

    select * from {{ ref('int_segment_identities_linked') }}

),

usage as (

    select
        account_id,
        {{ month_start('occurred_date') }} as usage_month,
        count(*) as event_count,
        count(distinct user_id) as active_user_count,
        count(distinct occurred_date) as active_day_count,
        count(distinct feature_key) as feature_count,
        max(occurred_date) as last_active_date

    from {{ ref('fct_events') }}
    where
        event_type = 'track'
        and is_counted
        and account_id is not null
    group by
        account_id,
        usage_month

),

recording as (

    select min(usage_month) as first_month
    from usage

),

linked as (

    select distinct account_id
    from int_segment_identities_linked

),

failures as (

    select
        account_id,
        {{ month_start('created_at') }} as failed_month,
        count(*) as failed_payment_count

    from int_payments_linked
    where charge_status = 'failed'
    group by
        account_id,
        failed_month

),

past_due as (

    select
        account_id,
        receivable_month,
        sum(open_usd - current_usd) as past_due_usd

    from fct_receivables_monthly
    group by
        account_id,
        receivable_month

),

final as (

    select
        months.account_id,
        months.mrr_month as account_month,
        months.as_of_at,
        months.closing_mrr_usd,
        months.native_mrr,
        min(months.mrr_month) over {{ account_so_far }} as first_mrr_month,
        contracts.subscription_count,
        contracts.plan_tier_number,
        contracts.paid_seat_count,
        contracts.list_mrr_usd,
        contracts.term_months,
        contracts.months_to_renewal,
        contracts.is_past_due,
        contracts.is_cancel_scheduled,
        contracts.cancel_at,
        coalesce(past_due.past_due_usd, 0) as past_due_usd,
        coalesce(failures.failed_payment_count, 0) as failed_payment_count,
        linked.account_id is not null
        and coalesce(recording.first_month <= months.mrr_month, false) as has_usage_data,
        coalesce(usage.event_count, 0) as event_count,
        coalesce(usage.active_user_count, 0) as active_user_count,
        coalesce(usage.active_day_count, 0) as active_day_count,
        coalesce(usage.feature_count, 0) as feature_count,
        max(usage.last_active_date) over {{ account_so_far }} as last_active_date

    from int_mrr_months_closed as months
    cross join recording
    inner join int_accounts_classified as classes
        on
            months.account_id = classes.account_id
            and not (classes.is_internal or classes.is_test)
    left join int_mrr_contracts_monthly as contracts
        on
            months.account_id = contracts.account_id
            and months.mrr_month = contracts.mrr_month
    left join past_due
        on
            months.account_id = past_due.account_id
            and months.mrr_month = past_due.receivable_month
    left join failures
        on
            months.account_id = failures.account_id
            and months.mrr_month = failures.failed_month
    left join linked
        on months.account_id = linked.account_id
    left join usage
        on
            months.account_id = usage.account_id
            and months.mrr_month = usage.usage_month

)

select * from final

{% endsnapshot %}
