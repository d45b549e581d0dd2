{#- An expression over each element of a list: a list of the results, or an aggregate of them.

    Arguments:
        list: a list.
        expression: an expression of the element.
        aggregate: `min`, or `sum`; none for the list. Without elements `min` is null and `sum` is 0.
        type: the type of an aggregate, to which each result is cast first.
        with_position: whether the expression also reads `position`, the subscript of the element:
            `other[position]` is the element at the same place of another list. Engines count
            subscripts from 0 or from 1.
        element: the name of the element in the expression.

    The lambda with a position has an arrow because sqlfluff cannot parse `lambda` with two parameters.
-#}
{% macro list_transform(
    list, expression, aggregate=none, type='bigint', with_position=false, element='element'
) -%}
    {{ return(adapter.dispatch('list_transform')(list, expression, aggregate, type, with_position, element)) }}
{%- endmacro %}

{% macro duckdb__list_transform(
    list, expression, aggregate=none, type='bigint', with_position=false, element='element'
) -%}
    {%- set result = 'cast(' ~ expression ~ ' as ' ~ type ~ ')' if aggregate else expression -%}
    {%- set parameters = '(' ~ element ~ ', position) ->' if with_position else 'lambda ' ~ element ~ ':' -%}
    {%- set results = 'list_transform(' ~ list ~ ', ' ~ parameters ~ ' ' ~ result ~ ')' -%}
    {%- if aggregate == 'sum' -%}
    cast(coalesce(list_sum({{ results }}), 0) as {{ type }})
    {%- elif aggregate -%}
    list_{{ aggregate }}({{ results }})
    {%- else -%}
    {{ results }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__list_transform(
    list, expression, aggregate=none, type='bigint', with_position=false, element='element'
) -%}
    {%- set result = 'cast(' ~ expression ~ ' as ' ~ type ~ ')' if aggregate else expression -%}
    {%- set parameters = '(' ~ element ~ ', position)' if with_position else element -%}
    {%- set results = 'transform(' ~ list ~ ', ' ~ parameters ~ ' -> ' ~ result ~ ')' -%}
    {%- if aggregate == 'sum' -%}
    coalesce(
        aggregate(
            {{ results }},
            cast(0 as {{ type }}),
            (total, number) -> cast(total + coalesce(number, 0) as {{ type }})
        ),
        cast(0 as {{ type }})
    )
    {%- elif aggregate -%}
    array_{{ aggregate }}({{ results }})
    {%- else -%}
    {{ results }}
    {%- endif -%}
{%- endmacro %}
