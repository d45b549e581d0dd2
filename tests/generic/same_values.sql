{#- A row unless the column has the same values as a field of another relation, each as often. Then no
    row was lost or doubled in between, and the values are unique here if they are unique there.

    Arguments:
        to: the other relation.
        field: its column.
-#}
{% test same_values(model, column_name, to, field) %}

with

here as (

    select
        count(*) as value_count,
        sum({{ row_digest([column_name]) }}) as digest
    from {{ model }}

),

there as (

    select
        count(*) as value_count,
        sum({{ row_digest([field]) }}) as digest
    from {{ to }}

)

select
    here.value_count,
    there.value_count as value_count_there
from here
cross join there
where
    here.value_count != there.value_count
    or here.digest != there.digest

{% endtest %}
