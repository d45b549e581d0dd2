with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_bookings_mrr_changes as (

    select * from {{ ref('int_bookings_mrr_changes') }}

),

int_bookings_valued as (

    select * from {{ ref('int_bookings_valued') }}

),

stg_stripe__subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

),

{%- set window_start = dbt.dateadd('day', -var('billing_lead_days'), 'close_date') %}
{%- set window_end = dbt.dateadd('day', var('billing_window_days'), 'close_date') %}

deals as (

    select
        int_bookings_valued.opportunity_id,
        int_bookings_valued.account_id,
        int_bookings_valued.deal_kind,
        int_bookings_valued.close_date,
        {{ window_start }} as window_start_date,
        {{ window_end }} as window_end_date,
        least({{ window_end }}, int_as_of.as_of_date) as compared_date

    from int_bookings_valued
    cross join int_as_of

),

explicit_links as (

    select
        subscription_id,
        {{ salesforce_id18('opportunity_id') }} as opportunity_id
    from stg_stripe__subscriptions
    where opportunity_id is not null

),

-- The first MRR of a backdated subscription is visible only from its creation.
billing as (

    select
        int_bookings_mrr_changes.subscription_id,
        int_bookings_mrr_changes.account_id,
        int_bookings_mrr_changes.currency,
        int_bookings_mrr_changes.changed_date,
        int_bookings_mrr_changes.next_changed_date,
        int_bookings_mrr_changes.mrr_change,
        int_bookings_mrr_changes.mrr,
        int_bookings_mrr_changes.is_start,
        case
            when int_bookings_mrr_changes.is_start
                then greatest(
                        int_bookings_mrr_changes.changed_date,
                        cast(stg_stripe__subscriptions.created_at as date)
                    )
            else int_bookings_mrr_changes.changed_date
        end as visible_date

    from int_bookings_mrr_changes
    left join stg_stripe__subscriptions
        on int_bookings_mrr_changes.subscription_id = stg_stripe__subscriptions.subscription_id

),

-- A subscription may bill a deal if it starts or grows around the close date, a renewal also if it
-- continues. An id in the metadata counts whenever the subscription starts and for any account.
candidates as (

    select
        deals.opportunity_id,
        billing.subscription_id,
        billing.currency as billed_currency,
        billing.changed_date as billed_date,
        billing.mrr_change as billed_mrr,
        billing.is_start,
        false as is_ongoing

    from deals
    inner join billing
        on deals.account_id = billing.account_id
    where
        billing.mrr_change > 0
        and billing.visible_date between deals.window_start_date and deals.window_end_date

    union all

    select
        deals.opportunity_id,
        billing.subscription_id,
        billing.currency as billed_currency,
        deals.close_date as billed_date,
        billing.mrr as billed_mrr,
        false as is_start,
        true as is_ongoing

    from deals
    inner join billing
        on deals.account_id = billing.account_id
    where
        deals.deal_kind = 'renewal'
        and billing.mrr > 0
        and billing.changed_date <= deals.compared_date
        and coalesce(billing.next_changed_date > deals.compared_date, true)

    union all

    select
        deals.opportunity_id,
        billing.subscription_id,
        billing.currency as billed_currency,
        billing.changed_date as billed_date,
        billing.mrr_change as billed_mrr,
        true as is_start,
        false as is_ongoing

    from explicit_links
    inner join deals
        on explicit_links.opportunity_id = deals.opportunity_id
    inner join billing
        on explicit_links.subscription_id = billing.subscription_id
    where
        billing.is_start
        and not coalesce(
            deals.account_id = billing.account_id
            and billing.visible_date between deals.window_start_date and deals.window_end_date,
            false
        )

),

final as (

    select
        candidates.opportunity_id,
        candidates.subscription_id,
        case
            when candidates.is_ongoing
                then concat(candidates.subscription_id, '|', candidates.opportunity_id)
            else concat(candidates.subscription_id, '|', candidates.billed_date)
        end as billing_id,
        candidates.billed_currency,
        candidates.billed_date,
        candidates.billed_mrr,
        candidates.is_start,
        candidates.is_ongoing,
        explicit_links.subscription_id is not null as is_explicit,
        case
            when candidates.is_start and deals.deal_kind != 'expansion' then 0
            when candidates.is_start then 1
            when deals.deal_kind = 'expansion' then 0
            when candidates.is_ongoing then 1
            else 2
        end as fit_number,
        {{ dbt.datediff(
            'deals.close_date', 'candidates.billed_date', 'day'
        ) }} as days_to_billing

    from candidates
    inner join deals
        on candidates.opportunity_id = deals.opportunity_id
    left join explicit_links
        on
            candidates.opportunity_id = explicit_links.opportunity_id
            and candidates.subscription_id = explicit_links.subscription_id

)

select * from final
