{#- Rows for which an expression is false or null.

    Arguments:
        expression: a condition; on a column, the part of it that follows the column's name.
-#}
{% test expression_is_true(model, expression, column_name=none) %}

select *
from {{ model }}
where not coalesce({{ column_name or '' }} {{ expression }}, false)

{% endtest %}
