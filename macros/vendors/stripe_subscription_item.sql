{#- An item of a subscription as a struct:
        subscription_item_id,
        price_id: of the price, or else of the legacy plan, each as an object or as its id alone,
        quantity bigint, current_period_end_at,
        discounts: a list of structs as of `stripe_discount`,
        tax_rates: a list of structs as of `stripe_tax_rates`,
        price, plan: structs as of `stripe_price`.

    Arguments:
        fields: an item as read by `json_fields` with `stripe_subscription_item_fields`.
        price, plan: SQL expressions for the text of the price and of the plan in the raw item, read
            only where the fields have neither object.
-#}
{#- DuckDB evaluates an argument of `coalesce` only for the rows that the arguments before left null. -#}
{% macro stripe_subscription_item(fields, price, plan) -%}
    {{ struct({
        'subscription_item_id': fields ~ '.id',
        'price_id': 'coalesce(' ~ fields ~ '.price.id, ' ~ fields ~ '.plan.id, '
            ~ expandable_id(price) ~ ', ' ~ expandable_id(plan) ~ ')',
        'quantity': 'cast(' ~ fields ~ '.quantity as bigint)',
        'current_period_end_at': from_epoch(fields ~ '.current_period_end'),
        'discounts': list_transform(fields ~ '.discounts', stripe_discount('listed'), element='listed'),
        'tax_rates': stripe_tax_rates(fields ~ '.tax_rates'),
        'price': stripe_price(fields ~ '.price'),
        'plan': stripe_price(fields ~ '.plan'),
    }) }}
{%- endmacro %}

{#- The fields that `stripe_subscription_item` needs, for `json_fields`. -#}
{% macro stripe_subscription_item_fields() -%}
    {{ return({
        'id': 'string', 'price': stripe_price_fields(), 'plan': stripe_price_fields(),
        'quantity': 'decimal(28, 6)', 'current_period_end': 'bigint', 'discounts': ['json'],
        'tax_rates': stripe_tax_rates_fields(),
    }) }}
{%- endmacro %}
