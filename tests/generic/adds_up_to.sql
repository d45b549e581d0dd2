{#- Figures of a model that differ from the same figures computed from another relation, by key. A key
    that only one of them has is a difference too, unless its figures are 0.

    Arguments:
        of: the other relation.
        figures: aggregate expressions on the model, each with the expression on the other relation
            that it must equal.
        by: columns or expressions of the key on the model, each with the one on the other relation.
            Without a key the totals are compared.
        only, of_only: conditions on the rows of either that are compared.
        tolerance: the difference up to which figures count as equal, for rounded parts of a sum.
        instants: as `figures`, of timestamps, which are compared to the second.
-#}
{% test adds_up_to(
    model, of, figures={}, by={}, only='true', of_only='true', tolerance=0, instants={}
) %}

{%- set figures, start = dict(figures), "cast('1970-01-01' as timestamp)" -%}
{%- for here, there in instants.items() -%}
    {%- do figures.update({seconds_between(start, here): seconds_between(start, there)}) -%}
{%- endfor %}

with

sides as (
    {% for relation, condition, is_here in [(model, only, true), (of, of_only, false)] %}
    select
        {%- for here, there in by.items() %}
        {{ here if is_here else there }} as key_{{ loop.index }},
        {%- endfor %}
        {%- for here, there in figures.items() %}
        {{ '' if is_here else '-' }}coalesce({{ here if is_here else there }}, 0)
            as figure_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    where {{ condition }}
    {%- if by %}
    group by {% for here, there in by.items() %}{{ here if is_here else there }}
        {{- ', ' if not loop.last }}{% endfor %}
    {%- endif %}
    {%- if is_here %}

    union all
    {% endif %}
    {%- endfor %}

),

differences as (

    select
        {%- for _ in by %}
        key_{{ loop.index }},
        {%- endfor %}
        {%- for _ in figures %}
        sum(figure_{{ loop.index }}) as difference_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from sides
    {%- if by %}
    group by {% for _ in by %}key_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
    {%- endif %}

)

select *
from differences
where
    {%- for _ in figures %}
    {{ 'or ' if not loop.first }}abs(difference_{{ loop.index }}) > {{ tolerance }}
    {%- endfor %}

{% endtest %}
