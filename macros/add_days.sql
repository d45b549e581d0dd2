{#- A date or timestamp moved by whole days, of the same type as it came. -#}
{% macro add_days(moment, days) -%}
    {{ moment }} + to_days(cast({{ days }} as integer))
{%- endmacro %}
