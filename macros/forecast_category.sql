{#- The API name of a Salesforce forecast category, in any case. The name that an org gave a category itself is
    unchanged.

    Arguments:
        label: the API name or the label that users see.
-#}
{% macro forecast_category(label) -%}
    {%- set names = ['Omitted', 'Pipeline', 'BestCase', 'MostLikely', 'Forecast', 'Closed'] -%}
    case replace(lower(trim({{ label }})), ' ', '')
        when 'commit' then 'Forecast'
        {%- for name in names %}
        when '{{ name | lower }}' then '{{ name }}'
        {%- endfor %}
        else {{ label }}
    end
{%- endmacro %}
