"""Top-level fields of Stripe's API objects, over all API versions since 2022-11-15, by kind.

Source: the typings of stripe-node 12.18 to 23.1. A reference that the API can expand is text: an
id, or the expanded object's own JSON. `required` fields are those a record is nothing without.
"""

TABLES: dict[str, dict[str, str]] = {
    "customers": {
        "object": "customer",
        "required": "id object",
        "text": """
            id object business_name currency customer_account default_source description email
            individual_name invoice_prefix name phone tax_exempt test_clock
        """,
        "integer": "balance created next_invoice_sequence",
        "boolean": "delinquent livemode deleted",
        "json": """
            address cash_balance discount invoice_credit_balance invoice_settings metadata
            preferred_locales shipping sources subscriptions tax tax_ids
        """,
    },
    "products": {
        "object": "product",
        "required": "id object",
        "text": """
            id object caption default_price description name statement_descriptor tax_code type
            unit_label url
        """,
        "integer": "created updated",
        "boolean": "active livemode shippable deleted",
        "json": """
            attributes deactivate_on images marketing_features metadata package_dimensions
            tax_details
        """,
    },
    "prices": {
        "object": "price",
        "required": "id object",
        "text": """
            id object billing_scheme currency lookup_key nickname product tax_behavior
            tiers_mode type unit_amount_decimal
        """,
        "integer": "created unit_amount",
        "boolean": "active livemode deleted",
        "json": """
            currency_options custom_unit_amount metadata recurring tiers transform_quantity
        """,
    },
    "plans": {
        "object": "plan",
        "required": "id object",
        "text": """
            id object aggregate_usage amount_decimal billing_scheme currency interval meter
            nickname product tiers_mode usage_type
        """,
        "integer": "amount created interval_count trial_period_days",
        "boolean": "active livemode deleted",
        "json": "metadata tiers transform_usage",
    },
    "coupons": {
        "object": "coupon",
        "required": "id object",
        "text": "id object currency duration name",
        "integer": """
            amount_off created duration_in_months max_redemptions redeem_by times_redeemed
        """,
        "decimal": "percent_off",
        "boolean": "livemode valid deleted",
        "json": "applies_to currency_options metadata",
    },
    "promotion_codes": {
        "object": "promotion_code",
        "required": "id object",
        "text": "id object code customer customer_account",
        "integer": "created expires_at max_redemptions times_redeemed",
        "boolean": "active livemode deleted",
        "json": "metadata promotion restrictions coupon",
    },
    "subscriptions": {
        "object": "subscription",
        "required": "id object",
        "text": """
            id object application collection_method currency customer customer_account
            default_payment_method default_source description latest_invoice on_behalf_of
            pending_setup_intent schedule status test_clock
        """,
        "integer": """
            billing_cycle_anchor cancel_at canceled_at created current_period_end
            current_period_start days_until_due ended_at next_pending_invoice_item_invoice
            start_date trial_end trial_start
        """,
        "decimal": "application_fee_percent",
        "boolean": "cancel_at_period_end livemode deleted",
        "json": """
            automatic_tax billing_cycle_anchor_config billing_mode billing_schedules
            billing_thresholds cancellation_details default_tax_rates discount discounts
            invoice_settings items managed_payments metadata pause_collection payment_settings
            pending_invoice_item_interval pending_update presentment_details status_details
            transfer_data trial_settings
        """,
    },
    "subscription_schedules": {
        "object": "subscription_schedule",
        "required": "id object",
        "text": """
            id object application customer customer_account end_behavior released_subscription
            status subscription test_clock
        """,
        "integer": "canceled_at completed_at created released_at",
        "boolean": "livemode deleted",
        "json": "billing_mode current_phase default_settings metadata phases renewal_interval",
    },
    "subscription_items": {
        "object": "subscription_item",
        "required": "id object",
        "text": "id object subscription",
        "integer": "billed_until created current_period_end current_period_start",
        "decimal": "quantity",
        "boolean": "deleted",
        "json": "billing_thresholds current_trial discounts metadata plan price tax_rates",
    },
    "invoices": {
        "object": "invoice",
        "required": "id object",
        "text": """
            id object account_country account_name application billing_reason charge
            collection_method currency customer customer_account customer_email customer_name
            customer_phone customer_tax_exempt default_payment_method default_source description
            footer hosted_invoice_url invoice_pdf latest_revision number on_behalf_of
            payment_intent quote receipt_number statement_descriptor status subscription
            test_clock
        """,
        "integer": """
            amount_due amount_overpaid amount_paid amount_paid_off_stripe amount_remaining
            amount_shipping application_fee_amount attempt_count automatically_finalizes_at
            created due_date effective_at ending_balance next_payment_attempt period_end
            period_start post_payment_credit_notes_amount pre_payment_credit_notes_amount
            starting_balance subscription_proration_date subtotal subtotal_excluding_tax tax
            total total_excluding_tax webhooks_delivered_at
        """,
        "boolean": "attempted auto_advance livemode paid paid_out_of_band deleted",
        "json": """
            account_tax_ids automatic_tax confirmation_secret custom_fields customer_address
            customer_shipping customer_tax_ids default_tax_rates discount discounts from_invoice
            issuer last_finalization_error lines metadata parent payment_settings payments
            rendering rendering_options shipping_cost shipping_details status_details
            status_transitions subscription_details threshold_reason total_discount_amounts
            total_pretax_credit_amounts total_tax_amounts total_taxes transfer_data
        """,
    },
    "invoice_line_items": {
        "object": "line_item",
        "required": "id object",
        "text": """
            id object currency description invoice invoice_item quantity_decimal subscription
            subscription_item type unit_amount_excluding_tax
        """,
        "integer": "amount amount_excluding_tax subtotal",
        "decimal": "quantity",
        "boolean": "discountable livemode proration deleted",
        "json": """
            discount_amounts discounts metadata parent period plan pretax_credit_amounts price
            pricing proration_details tax_amounts tax_rates taxes
        """,
    },
    "invoice_payments": {
        "object": "invoice_payment",
        "required": "id object",
        "text": "id object currency invoice status",
        "integer": "amount_paid amount_requested created",
        "boolean": "is_default livemode deleted",
        "json": "payment status_transitions",
    },
    "charges": {
        "object": "charge",
        "required": "id object",
        "text": """
            id object application application_fee authorization_code balance_transaction
            calculated_statement_descriptor currency customer description destination dispute
            failure_balance_transaction failure_code failure_message invoice on_behalf_of
            payment_intent payment_method receipt_email receipt_number receipt_url review
            source_transfer statement_descriptor statement_descriptor_suffix status transfer
            transfer_group
        """,
        "integer": "amount amount_captured amount_refunded application_fee_amount created",
        "boolean": "captured disputed livemode paid refunded deleted",
        "json": """
            alternate_statement_descriptors billing_details fraud_details level3 metadata
            outcome payment_method_details presentment_details radar_options refunds shipping
            source transfer_data
        """,
    },
    "refunds": {
        "object": "refund",
        "required": "id object",
        "text": """
            id object balance_transaction charge currency customer customer_account description
            failure_balance_transaction failure_reason instructions_email payment_intent
            payment_method pending_reason reason receipt_number source_transfer_reversal status
            transfer_reversal
        """,
        "integer": "amount created",
        "boolean": "deleted",
        "json": "destination_details metadata next_action presentment_details",
    },
    "credit_notes": {
        "object": "credit_note",
        "required": "id object",
        "text": """
            id object currency customer customer_account customer_balance_transaction invoice
            memo number pdf reason refund status type
        """,
        "integer": """
            amount amount_shipping created discount_amount effective_at out_of_band_amount
            post_payment_amount pre_payment_amount subtotal subtotal_excluding_tax total
            total_excluding_tax voided_at
        """,
        "boolean": "livemode deleted",
        "json": """
            discount_amounts lines metadata pretax_credit_amounts refunds shipping_cost
            tax_amounts total_taxes
        """,
    },
    "disputes": {
        "object": "dispute",
        "required": "id object",
        "text": "id object charge currency network_reason_code payment_intent reason status",
        "integer": "amount created",
        "boolean": "is_charge_refundable livemode deleted",
        "json": """
            balance_transactions enhanced_eligibility_types evidence evidence_details metadata
            payment_method_details
        """,
    },
    "balance_transactions": {
        "object": "balance_transaction",
        "required": "id object",
        "text": """
            id object balance_type currency description reporting_category source status type
        """,
        "integer": "amount available_on created fee net",
        "decimal": "exchange_rate",
        "boolean": "deleted",
        "json": "fee_details",
    },
    "payouts": {
        "object": "payout",
        "required": "id object",
        "text": """
            id object application_fee balance_transaction currency description destination
            failure_balance_transaction failure_code failure_message method original_payout
            payout_method reconciliation_status reversed_by source_type statement_descriptor
            status type
        """,
        "integer": "amount application_fee_amount arrival_date created",
        "boolean": "automatic livemode deleted",
        "json": "metadata trace_id",
    },
    "discounts": {
        "object": "discount",
        "required": "id object",
        "text": """
            id object checkout_session customer customer_account invoice invoice_item
            promotion_code subscription subscription_item
        """,
        "integer": "end start",
        "boolean": "deleted",
        "json": "coupon source",
    },
    "events": {
        "object": "event",
        "required": "id object type data created",
        "text": "id object account api_version context type",
        "integer": "created pending_webhooks",
        "boolean": "livemode deleted",
        "json": "data request",
    },
    "other_objects": {
        "object": "",
        "required": "object",
        "text": "id object",
    },
}
