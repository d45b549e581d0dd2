{#- dbt's `unique`, as exact as it is and twice as fast on millions of texts: what is equal has equal
    digests, so only where a digest occurs again are the values themselves compared. -#}
{% macro duckdb__test_unique(model, column_name) %}

with

repeated as (

    select {{ row_digest([column_name]) }} as digest
    from {{ model }}
    where {{ column_name }} is not null
    group by digest
    having count(*) > 1

)

select
    {{ column_name }} as unique_field,
    count(*) as n_records
from {{ model }}
where {{ row_digest([column_name]) }} in (select repeated.digest from repeated)
group by {{ column_name }}
having count(*) > 1

{% endmacro %}
