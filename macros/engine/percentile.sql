{#- A percentile of a group or window, interpolated between two values; nulls are ignored.

    Arguments:
        expression: numbers.
        share: 0 to 1; 0.5 is the median.
-#}
{% macro percentile(expression, share) -%}
    {{ return(adapter.dispatch('percentile')(expression, share)) }}
{%- endmacro %}

{% macro duckdb__percentile(expression, share) -%}
    quantile_cont({{ expression }}, {{ share }})
{%- endmacro %}

{% macro spark__percentile(expression, share) -%}
    percentile({{ expression }}, {{ share }})
{%- endmacro %}
