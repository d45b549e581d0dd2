{#-
    A Salesforce id in its 18-character form: a 15-character id gets its three check characters, which
    say for each five characters which are upper case; any other id stays as it is.
-#}
{% macro salesforce_id18(id) -%}
    case
        when length({{ id }}) = 15
            then concat(
                {{ id }}
                {%- for first in (1, 6, 11) %},
                substr(
                    'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345',
                    1
                    {%- for offset in range(5) %}
                    + case
                        when substr({{ id }}, {{ first + offset }}, 1) between 'A' and 'Z'
                            then {{ 2 ** offset }}
                        else 0
                    end
                    {%- endfor %},
                    1
                )
                {%- endfor %}
            )
        else {{ id }}
    end
{%- endmacro %}
