{#- The API name of a Salesforce forecast category.

    Arguments:
        label: the API name or the label that users see.
-#}
{% macro forecast_category(label) -%}
    case {{ label }}
        when 'Best Case' then 'BestCase'
        when 'Most Likely' then 'MostLikely'
        when 'Commit' then 'Forecast'
        else {{ label }}
    end
{%- endmacro %}
