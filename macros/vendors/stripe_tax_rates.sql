{#- Tax rates as a list of structs of tax_rate_id, percentage decimal(9,6) and is_inclusive; null for null.

    Arguments:
        fields: tax rates as read by `json_fields` with `stripe_tax_rates_fields`.
-#}
{% macro stripe_tax_rates(fields) -%}
    {{ list_transform(
        fields,
        struct({
            'tax_rate_id': 'tax_rate.id',
            'percentage': 'tax_rate.percentage',
            'is_inclusive': 'coalesce(tax_rate.inclusive, false)',
        }),
        element='tax_rate'
    ) }}
{%- endmacro %}

{#- The fields that `stripe_tax_rates` needs, for `json_fields`. -#}
{% macro stripe_tax_rates_fields() -%}
    {{ return([{'id': 'string', 'percentage': 'decimal(9, 6)', 'inclusive': 'boolean'}]) }}
{%- endmacro %}
