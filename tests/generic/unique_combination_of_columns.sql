{#- Combinations of columns that occur more than once, for a model whose key has several columns.

    Arguments:
        combination_of_columns: the columns of the key.
-#}
{% test unique_combination_of_columns(model, combination_of_columns) %}

select
    {{ combination_of_columns | join(',\n    ') }},
    count(*) as occurrences
from {{ model }}
group by {{ combination_of_columns | join(', ') }}
having count(*) > 1

{% endtest %}
