{#- Nothing if the column has just the values of another relation's field, each as often: then none was
    lost or doubled in between, and they are unique here if they are there. -#}
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
