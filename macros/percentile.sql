{#-
    A percentile of a group or window, interpolated between the two nearest values; nulls are ignored.

    Arguments:
        expression: a number.
        share: 0 to 1; 0.5 gives the median.
-#}
{% macro percentile(expression, share) -%}
    quantile_cont({{ expression }}, {{ share }})
{%- endmacro %}
