{#- A numerator divided by a denominator, as a double; null where the denominator is 0 or null.

    DuckDB divides decimals as doubles, Spark as decimals of limited scale. With both sides cast first,
    the figure is the same on every engine. Cast or round the result where a mart needs a decimal.

    Arguments:
        numerator, denominator: expressions of any numeric type.
-#}
{% macro ratio(numerator, denominator) -%}
    (cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0))
{%- endmacro %}
