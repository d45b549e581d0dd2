{#- Rows of a model whose values differ from those of the row of another relation that has the same key. A
    key that the other relation lacks is no difference; `relationships` and `holds_every` find it.

    Arguments:
        of: the other relation.
        by: columns of the key on the model, each with the one on the other relation.
        columns: columns of the model, or expressions that begin with one, each with the column of the other relation
            that it must equal.
        only: a condition on the rows of both, in which the model is `here` and the other relation `there`.
-#}
{% test has_values_of(model, of, by, columns, only='true') %}

select
    {%- for key in by %}
    here.{{ key }},
    {%- endfor %}
    {%- for ours, theirs in columns.items() %}
    here.{{ ours }} as here_{{ loop.index }},
    there.{{ theirs }} as there_{{ loop.index }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ model }} as here
inner join {{ of }} as there
    on
        {%- for ours, theirs in by.items() %}
        {{ 'and ' if not loop.first }}here.{{ ours }} = there.{{ theirs }}
        {%- endfor %}
where
    {{ only }}
    and (
        {%- for ours, theirs in columns.items() %}
        {{ 'or ' if not loop.first }}here.{{ ours }} is distinct from there.{{ theirs }}
        {%- endfor %}
    )

{% endtest %}
