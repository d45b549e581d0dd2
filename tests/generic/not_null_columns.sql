{#- Columns with nulls, and how many each has: dbt's own `not_null` for all columns of a model in one scan.

    Arguments:
        columns: the columns that are never null.
-#}
{% test not_null_columns(model, columns) %}

with

counted as (

    select
        {%- for column in columns %}
        count(*) - count({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}

)

select
    column_name,
    null_count
from counted
unpivot (null_count for column_name in ({{ columns | join(', ') }}))
where null_count > 0

{% endtest %}
