{#- A date or timestamp moved by whole months; the 31st becomes the last day of a shorter month. -#}
{% macro add_months(moment, months) -%}
    {{ moment }} + to_months(cast({{ months }} as integer))
{%- endmacro %}
