{#- Whole seconds that have passed from one timestamp to another. -#}
{% macro seconds_between(first_moment, last_moment) -%}
    date_sub('second', {{ first_moment }}, {{ last_moment }})
{%- endmacro %}
