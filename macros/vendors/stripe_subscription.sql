{#- A Stripe subscription as a struct, the same for every API version:
        subscription_id, stripe_customer_id, currency, status, pause_behavior, cancellation_reason,
        items: a list of structs as of `stripe_subscription_item`,
        discounts: a list of structs as of `stripe_discount`; empty without a discount,
        default_tax_rates: a list of structs as of `stripe_tax_rates`,
        has_more_items, is_cancel_at_period_end,
        created_at, start_at, trial_start_at, trial_end_at,
        current_period_end_at: of the first item; of the subscription in versions before basil,
        pause_resumes_at, cancel_at, ended_at.
    Timestamps are in UTC, the currency is in upper case.

    Arguments:
        fields: a subscription as read by `json_fields` with `stripe_subscription_fields`.
        items: its items in raw, a JSON list, read only for items whose price is an id.
-#}
{% macro stripe_subscription(fields, items) -%}
    {#- API versions up to acacia have one `discount`, later ones a list; some have both. -#}
    {%- set discounts -%}
        case
            when coalesce({{ list_length(fields ~ '.discounts') }}, 0) = 0 and {{ fields }}.discount is not null
                then {{ dbt.array_construct([fields ~ '.discount']) }}
            else coalesce({{ fields }}.discounts, {{ json_array("'[]'") }})
        end
    {%- endset -%}
    {{ struct({
        'subscription_id': fields ~ '.id',
        'stripe_customer_id': expandable_id(fields ~ '.customer'),
        'currency': 'upper(' ~ fields ~ '.currency)',
        'status': fields ~ '.status',
        'pause_behavior': fields ~ '.pause_collection.behavior',
        'cancellation_reason': fields ~ '.cancellation_details.reason',
        'items': list_transform(
            fields ~ '.items.data',
            stripe_subscription_item(
                'item',
                json_element_string(items, 'position', 'price'),
                json_element_string(items, 'position', 'plan')
            ),
            element='item',
            with_position=true
        ),
        'discounts': list_transform(discounts, stripe_discount('listed'), element='listed'),
        'default_tax_rates': stripe_tax_rates(fields ~ '.default_tax_rates'),
        'has_more_items': 'coalesce(' ~ fields ~ '.items.has_more, false)',
        'is_cancel_at_period_end': 'coalesce(' ~ fields ~ '.cancel_at_period_end, false)',
        'created_at': from_epoch(fields ~ '.created'),
        'start_at': from_epoch(fields ~ '.start_date'),
        'trial_start_at': from_epoch(fields ~ '.trial_start'),
        'trial_end_at': from_epoch(fields ~ '.trial_end'),
        'current_period_end_at': from_epoch(
            'coalesce(' ~ list_first(fields ~ '.items.data') ~ '.current_period_end, '
            ~ fields ~ '.current_period_end)'
        ),
        'pause_resumes_at': from_epoch(fields ~ '.pause_collection.resumes_at'),
        'cancel_at': from_epoch(fields ~ '.cancel_at'),
        'ended_at': from_epoch(fields ~ '.ended_at'),
    }) }}
{%- endmacro %}

{#- The fields that `stripe_subscription` needs, for `json_fields`. -#}
{% macro stripe_subscription_fields() -%}
    {{ return({
        'id': 'string', 'customer': 'string', 'currency': 'string', 'status': 'string',
        'created': 'bigint', 'start_date': 'bigint', 'trial_start': 'bigint', 'trial_end': 'bigint',
        'cancel_at': 'bigint', 'cancel_at_period_end': 'boolean', 'current_period_end': 'bigint',
        'ended_at': 'bigint', 'cancellation_details': {'reason': 'string'},
        'pause_collection': {'behavior': 'string', 'resumes_at': 'bigint'},
        'items': {'data': [stripe_subscription_item_fields()], 'has_more': 'boolean'},
        'discounts': ['json'], 'discount': 'json', 'default_tax_rates': stripe_tax_rates_fields(),
    }) }}
{%- endmacro %}
