{#- A timestamp, null when it is before 1990: what a clock that stands at zero says is no time. -#}
{% macro since_1990(moment) -%}
    case when {{ moment }} >= cast('1990-01-01' as timestamp) then {{ moment }} end
{%- endmacro %}
