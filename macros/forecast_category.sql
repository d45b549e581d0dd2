{#- The API's name of a Salesforce forecast category, from that name or from the label people see. -#}
{% macro forecast_category(label) -%}
    case {{ label }}
        when 'Best Case' then 'BestCase'
        when 'Most Likely' then 'MostLikely'
        when 'Commit' then 'Forecast'
        else {{ label }}
    end
{%- endmacro %}
