"""What every metric must be, from the marts' own columns or from SQL of its own.

Each query's first columns are dimensions, by which the metrics are asked for, and the others are
named after metrics.
"""

_ACCOUNTS = "left join shared.dim_accounts as account on fact.account_id = account.account_id"


def _by_segment(table: str, month: str, values: str, rows: str = "true") -> list[str]:
    """The same sums by month and segment, and by month alone."""
    return [
        f"""
        select cast(date_trunc('month', {month}) as date) as "month", {columns} {values}
        from {table} as fact {_ACCOUNTS}
        where {rows}
        group by {keys}
        """
        for columns, keys in (("account.segment,", "1, 2"), ("", "1"))
    ]


def _trailing(
    table: str, month: str, months: int, *, sums: str, metrics: str, rows: str = "true"
) -> list[str]:
    """Sums of some months to each month, which has a row for each segment with any before."""
    return [
        f"""
        with months as (
            select distinct calendar_month as "month" from shared.dim_dates where not is_after_as_of
        ),
        facts as (
            select date_trunc('month', {month}) as fact_month, {segment} as segment, fact.*
            from {table} as fact {_ACCOUNTS} where {rows}
        ),
        sums as (
            select "month", segment, {sums}
            from months inner join facts
                on fact_month <= "month" and fact_month > "month" - interval {months} month
            group by all
        )
        select "month", {shown} {metrics} from sums
        """
        for segment, shown in (("account.segment", "segment,"), ("'all'", ""))
    ]


_FINANCE = [
    *(
        f"""
        select mrr_month as "month", {segment}
            closing_mrr_usd as mrr, closing_arr_usd as arr, opening_mrr_usd as opening_mrr,
            new_mrr_usd as new_mrr, reactivation_mrr_usd as reactivation_mrr,
            expansion_mrr_usd as expansion_mrr, contraction_mrr_usd as contraction_mrr,
            churn_mrr_usd as churn_mrr, fx_mrr_usd as fx_mrr,
            closing_mrr_usd - opening_mrr_usd as net_new_mrr,
            new_mrr_usd + reactivation_mrr_usd + expansion_mrr_usd as won_mrr,
            -churn_mrr_usd - contraction_mrr_usd as lost_mrr,
            paying_account_count as paying_accounts, opening_account_count as opening_accounts,
            churned_account_count as churned_accounts, lost_account_count as accounts_that_lost_mrr,
            account_then_count as accounts_a_year_ago,
            net_revenue_retention_rate as nrr, gross_revenue_retention_rate as grr,
            constant_net_revenue_retention_rate as constant_nrr,
            constant_gross_revenue_retention_rate as constant_grr,
            logo_retention_rate as logo_retention,
            revenue_churn_rate, logo_churn_rate, quick_ratio, arpa_usd as arpa,
            trailing_churned_account_count as trailing_churned_accounts,
            trailing_revenue_churn_rate, ltv_usd as ltv
        from finance.fct_revenue_retention_monthly where segment {rows} 'total'
        """
        for segment, rows in (("segment,", "!="), ("", "="))
    ),
    *_by_segment(
        "finance.fct_mrr_monthly",
        "mrr_month",
        "count(*) filter (where movement_type = 'new') as new_accounts",
    ),
    # A month of the tiny company may have too few losses for a ratio, a year has enough.
    """
    select cast(date_trunc('year', mrr_month) as date) as "year",
        case
            when count(*) filter (where movement_type in ('churn', 'contraction')) >= 5
                then sum(new_mrr_usd + reactivation_mrr_usd + expansion_mrr_usd)
                    / sum(-churn_mrr_usd - contraction_mrr_usd)
        end as quick_ratio
    from finance.fct_mrr_monthly group by 1
    """,
    *_by_segment(
        "finance.fct_mrr_year_over_year",
        "mrr_month",
        """
        sum(mrr_then_usd) as mrr_a_year_ago, sum(mrr_now_usd) as mrr_of_last_years_accounts,
        sum(least(mrr_now_usd, mrr_then_usd)) as mrr_kept,
        sum(mrr_now_constant_usd) as constant_mrr_of_last_years_accounts,
        sum(least(mrr_now_constant_usd, mrr_then_usd)) as constant_mrr_kept,
        count(*) filter (where mrr_now_usd > 0) as accounts_kept
        """,
    ),
    *_trailing(
        *("finance.fct_mrr_movements", "mrr_month", 12),
        sums="sum(-mrr_usd) as lost",
        metrics="lost as trailing_lost_mrr",
        rows="movement_type in ('churn', 'contraction')",
    ),
    *_trailing(
        *("finance.fct_mrr_monthly", "mrr_month", 12),
        sums="sum(opening_mrr_usd) as opening",
        metrics="opening as trailing_opening_mrr",
    ),
    """
    select mrr_month as "month", product_name, sum(closing_mrr_usd) as plan_mrr,
        sum(closing_mrr_usd - opening_mrr_usd - new_mrr_usd - reactivation_mrr_usd
            - expansion_mrr_usd - contraction_mrr_usd - churn_mrr_usd - fx_mrr_usd) as plan_swap_mrr
    from finance.fct_mrr_plans_monthly group by 1, 2
    """,
    *_by_segment(
        "finance.fct_committed_mrr_monthly", "mrr_month", "sum(committed_mrr_usd) as committed_mrr"
    ),
    """
    select forecast_month as "month", forecast_mrr_usd as forecast_mrr,
        low_mrr_usd as forecast_mrr_low, high_mrr_usd as forecast_mrr_high
    from finance.fct_mrr_forecast where is_latest
    """,
    *_by_segment(
        "finance.fct_deferred_revenue_monthly",
        "deferred_month",
        """
        sum(recognized_usd) as recognized_revenue, sum(billed_usd) as billings,
        sum(reversed_usd) as reversed_revenue, sum(contra_revenue_usd) as contra_revenue,
        sum(bad_debt_usd) as bad_debt, sum(closing_usd) as deferred_revenue
        """,
    ),
    *_trailing(
        *("finance.fct_deferred_revenue_monthly", "deferred_month", 3),
        sums="sum(billed_usd) as billed",
        metrics="billed as trailing_billings",
    ),
    *_trailing(
        "(select account_id, deferred_month, billed_usd, 0 as open_usd"
        " from finance.fct_deferred_revenue_monthly union all"
        " select account_id, receivable_month, 0, open_usd from finance.fct_receivables_monthly)",
        *("deferred_month", 3),
        sums="""
        sum(billed_usd) as billed, sum(open_usd) filter (where fact_month = "month") as owed
        """,
        metrics="coalesce(owed, 0) / nullif(billed, 0) * 90 as days_sales_outstanding",
    ),
    *_by_segment(
        "finance.fct_receivables_monthly",
        "receivable_month",
        """
        sum(open_usd) as receivables, sum(current_usd) as receivables_current,
        sum(days_1_30_usd) as receivables_1_to_30_days,
        sum(days_31_60_usd) as receivables_31_to_60_days,
        sum(days_61_90_usd) as receivables_61_to_90_days,
        sum(over_90_days_usd) as receivables_over_90_days,
        sum(days_1_30_usd + days_31_60_usd + days_61_90_usd + over_90_days_usd)
            as receivables_past_due,
        sum(open_invoice_count) as open_invoices
        """,
    ),
    *_by_segment(
        "finance.fct_invoices",
        "finalized_at",
        """
        count(*) as invoices, sum(due_usd) as amount_due,
        sum(least(paid_usd, due_usd)) as amount_paid, sum(written_off_usd) as amount_written_off,
        sum(least(paid_usd, due_usd)) / nullif(sum(due_usd), 0) as collection_rate
        """,
        "is_revenue",
    ),
    *_by_segment(
        "finance.fct_invoice_lines",
        "finalized_at",
        "sum(net_usd) as billed_lines, sum(discount_usd) as discounts",
        "is_revenue",
    ),
    """
    select cast(date_trunc('month', finalized_at) as date) as "month", plan.product_name,
        sum(net_usd) as billed_lines
    from finance.fct_invoice_lines left join shared.dim_plans as plan using (price_id)
    where is_revenue group by 1, 2
    """,
    *_by_segment(
        "finance.fct_payments",
        "fact.created_at",
        """
        sum(collected_usd) as collections, sum(kept_usd) as net_collections, count(*) as charges,
        count(*) filter (where is_successful) as successful_charges,
        count(*) filter (where is_successful) / count(*) as payment_success_rate
        """,
    ),
    *_by_segment(
        "finance.fct_payment_recovery",
        "first_failed_at",
        """
        count(*) as failed_invoices, sum(due_usd) as failed_amount,
        count(*) filter (where recovery_status = 'recovered') as recovered_invoices,
        sum(recovered_usd) as recovered_amount, avg(recovery_days) as recovery_days,
        count(*) filter (where recovery_status = 'recovered') / count(*) as recovery_rate,
        sum(recovered_usd) / nullif(sum(due_usd), 0) as recovered_amount_rate
        """,
    ),
]

_SALES = [
    *_by_segment(
        "sales.fct_opportunities",
        "close_month",
        """
        count(*) filter (where is_won) as won_deals, count(*) filter (where is_lost) as lost_deals,
        count(*) as decided_deals, sum(amount_usd) filter (where is_won) as bookings,
        count(amount_usd) filter (where is_won) as valued_won_deals,
        avg(amount_usd) filter (where is_won) as average_won_amount,
        avg(sales_cycle_days) filter (where sales_cycle_days >= 0) as sales_cycle,
        avg(cast(is_won as integer)) as win_rate
        """,
        "is_closed",
    ),
    *_by_segment(
        "sales.fct_opportunities",
        "created_date",
        "count(*) as created_deals, sum(amount_usd) as created_amount",
    ),
    *_trailing(
        *("sales.fct_opportunities", "close_month", 3),
        sums="""
        count(*) filter (where is_won) as won, count(*) as decided,
        sum(amount_usd) filter (where is_won) as booked,
        count(amount_usd) filter (where is_won) as valued,
        sum(sales_cycle_days) filter (where sales_cycle_days >= 0) as cycle_days,
        count(*) filter (where sales_cycle_days >= 0) as cycles
        """,
        metrics="""
        won as trailing_won_deals, decided as trailing_decided_deals, booked as trailing_bookings,
        valued as trailing_valued_won_deals, cycle_days as trailing_cycle_days,
        cycles as trailing_cycle_deals
        """,
        rows="is_closed",
    ),
    """
    select sales_month as "month", velocity_usd as velocity,
        open_opportunity_count as open_deals
    from sales.fct_sales_velocity_monthly where segment = 'total'
    """,
    *_by_segment(
        "sales.fct_pipeline_monthly",
        "pipeline_month",
        "sum(amount_usd) as open_pipeline, count(*) as open_deals",
    ),
    """
    select cast(date_trunc('month', pipeline_date) as date) as "month", stage_name,
        sum(amount_usd) as open_pipeline, sum(weighted_usd) as weighted_pipeline
    from sales.fct_pipeline_daily
    where pipeline_date in (select max(pipeline_date) from sales.fct_pipeline_daily)
        or pipeline_date in (select calendar_date from shared.dim_dates where is_month_end)
    group by 1, 2
    """,
    """
    select pipeline_month as "month", currency, created_usd as pipeline_created,
        reopened_usd as pipeline_reopened, increased_usd as pipeline_increased,
        decreased_usd as pipeline_decreased, won_usd as pipeline_won, lost_usd as pipeline_lost
    from sales.fct_pipeline_movements_monthly
    """,
    """
    select sales_month as "month", sales_rep_id as "owner",
        case when quota_usd is not null then bookings_usd end as bookings_with_quota,
        quota_usd as quota, bookings_usd / nullif(quota_usd, 0) as attainment,
        quarter_quota_usd as quarter_quota, quarter_bookings_usd as quarter_bookings,
        quota_attainment_rate as quarter_attainment, coverage_rate as pipeline_coverage,
        case when quarter_quota_usd > quarter_bookings_usd - bookings_usd then due_pipeline_usd end
            as due_pipeline,
        case when quarter_quota_usd > quarter_bookings_usd - bookings_usd
            then quarter_quota_usd - quarter_bookings_usd + bookings_usd end as remaining_quota
    from sales.fct_sales_rep_monthly
    """,
    """
    select close_month as "month", sales_rep_name,
        sum(amount_usd) filter (where is_won) as bookings
    from sales.fct_opportunities
    left join shared.dim_sales_reps as rep on closing_sales_rep_id = rep.sales_rep_id
    where is_closed group by 1, 2
    """,
    """
    select cohort_month as "month", stage_name, entered_count as stage_entries,
        converted_count as stage_conversions, conversion_rate as stage_conversion_rate
    from sales.fct_sales_funnel_monthly
    """,
    """
    select forecast_month as "month", forecast_usd as forecast_amount, won_usd as forecast_result,
        slipped_usd as slipped_amount, expected_usd as expected_amount,
        realised_rate as realised_forecast_rate, accuracy_rate as forecast_accuracy
    from sales.fct_sales_forecast_monthly where forecast_category = 'total'
    """,
    *_by_segment(
        "sales.fct_bookings_to_billings",
        "coalesce(close_date, billed_date)",
        """
        sum(booked_annual_usd) as booked_annual_value,
        sum(billed_annual_usd) as billed_annual_value,
        sum(gap_usd) as booking_gap, count(opportunity_id) as deals_to_bill,
        count(*) filter (where match_status = 'matched') as matched_deals,
        count(*) filter (where match_status = 'missing_billing') as deals_without_billing,
        count(*) filter (where match_status = 'matched') / nullif(count(opportunity_id), 0)
            as booking_match_rate
        """,
    ),
    """
    select created_month as "month", lead_source, sum(created_count) as leads,
        sum(converted_count) as converted_leads,
        sum(converted_count) / sum(created_count) as lead_conversion_rate
    from sales.fct_lead_funnel_monthly group by 1, 2
    """,
]

_PRODUCT = [
    *_by_segment(
        "product.fct_user_activity_daily",
        "activity_date",
        """
        count(distinct person_id) as active_users,
        count(distinct fact.account_id) as active_accounts,
        count(distinct (person_id, activity_date)) as active_days,
        sum(track_event_count) as events, sum(key_action_count) as key_actions
        """,
        "is_active",
    ),
    """
    select active_date as "day", dau, wau, mau, stickiness_rate as stickiness
    from product.fct_active_users_daily where segment = 'total' and mau > 0
    """,
    """
    select cast(date_trunc('month', active_date) as date) as "month",
        avg(dau) filter (where dau > 0) as dau, max_by(wau, active_date) as wau,
        max_by(mau, active_date) as mau
    from product.fct_active_users_daily where segment = 'total' group by 1
    """,
    *_by_segment(
        "product.fct_user_activation",
        "signed_up_at",
        """
        count(*) as sign_ups, count(*) filter (where is_window_closed) as sign_ups_with_time,
        count(*) filter (where is_window_closed and is_activated) as activated_sign_ups,
        avg(days_to_activate) as days_to_activate,
        avg(cast(is_activated as integer)) filter (where is_window_closed) as activation_rate
        """,
    ),
    """
    select cast(date_trunc('month', started_date) as date) as "month", funnel_key, step_name,
        sum(reached_count) as step_reached, sum(started_count) as step_base,
        sum(reached_count) / sum(started_count) as step_conversion
    from product.fct_funnels_daily group by 1, 2, 3
    """,
    *_by_segment(
        "product.fct_document_funnel",
        "uploaded_date",
        """
        count(*) as funnel_starts, count(*) filter (where is_downloaded) as funnel_completions,
        count(*) filter (where is_downloaded) / count(*) as funnel_conversion
        """,
    ),
    """
    select usage_month as "month", feature_name, feature_user_count as feature_users,
        new_user_count as new_feature_users, active_user_count as feature_base_users,
        feature_account_count as feature_accounts, active_account_count as feature_base_accounts,
        use_count as feature_uses, user_adoption_rate as adoption,
        account_adoption_rate as account_adoption
    from product.fct_feature_usage_monthly inner join shared.dim_features using (feature_key)
    """,
    """
    select kpi_date as "day", tool_key as tool, upload_count as uploads,
        processed_count as processed, failed_count as failed, download_count as downloads,
        processed_count + failed_count as runs, success_rate
    from product.fct_product_kpis_daily
    """,
    *_by_segment("product.fct_account_ltv", "as_of_month", "sum(ltv_usd) as customer_ltv"),
    """
    select account_group, sum(closing_mrr_usd) as mrr
    from finance.fct_mrr_monthly inner join shared.dim_account_segments using (account_id)
    where mrr_month = (select max(mrr_month) from finance.fct_mrr_monthly)
    group by 1
    """,
    *_by_segment(
        "product.fct_account_health",
        "health_month",
        """
        count(*) filter (where is_paying and churn_risk_score >= 60) as accounts_at_risk,
        coalesce(sum(closing_mrr_usd) filter (where is_paying and churn_risk_score >= 60), 0)
            as mrr_at_risk,
        count(*) filter (where is_paying) as paying_accounts_scored,
        sum(closing_mrr_usd) as mrr_scored,
        sum(churn_risk_score) filter (where is_paying) as risk_points,
        avg(churn_risk_score) filter (where is_paying) as average_risk,
        coalesce(sum(closing_mrr_usd) filter (where is_paying and churn_risk_score >= 60), 0)
            / nullif(sum(closing_mrr_usd), 0) as risk_rate,
        sum(paid_seat_count) as paid_seats, sum(past_due_usd) as past_due,
        sum(active_user_count) filter (where paid_seat_count > 0) as used_seats,
        sum(active_user_count) filter (where paid_seat_count > 0) / nullif(sum(paid_seat_count), 0)
            as seat_use
        """,
    ),
    *_by_segment(
        "product.fct_churn_predictions",
        "prediction_month",
        """
        sum(expected_loss_usd) as predicted_churn_mrr,
        sum(churn_probability) as predicted_churned_accounts,
        count(*) as accounts_predicted,
        avg(churn_probability) as predicted_churn_rate
        """,
    ),
    """
    select acquisition_month as "month", channel, sum(visitor_count) as new_visitors,
        sum(signed_up_count) as visitors_signed_up,
        sum(signed_up_count) / nullif(sum(visitor_count), 0) as visitor_sign_up_rate
    from product.fct_acquisition_monthly where touch_type = 'first' group by 1, 2
    """,
]

# The marts count what has no account in `unknown`, where metrics have a group without a segment.
_OF_ACCOUNTS = [
    """
    select sales_month as "month", segment, velocity_usd as velocity
    from sales.fct_sales_velocity_monthly where segment not in ('total', 'unknown')
    """,
    """
    select active_date as "day", segment, dau, wau, mau, stickiness_rate as stickiness
    from product.fct_active_users_daily where segment not in ('total', 'unknown') and mau > 0
    """,
]

# Each query with the conditions of the metrics that it is compared with.
QUERIES: list[tuple[str, list[str]]] = [
    *((query, []) for query in (*_FINANCE, *_SALES, *_PRODUCT)),
    *((query, ["segment != 'unknown'"]) for query in _OF_ACCOUNTS),
]
