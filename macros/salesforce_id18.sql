{#- A Salesforce id in its 18-character form. A 15-character id gets its three check characters, and any
    other id is unchanged. Each check character encodes which of five characters are upper case, as a
    binary number whose lowest bit is the first character. -#}
{% macro salesforce_id18(id) -%}
    {%- set letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' -%}
    {%- set from = letters ~ letters | lower ~ '0123456789' -%}
    {%- set is_upper -%}
        translate({{ id }}, '{{ from }}', '{{ '1' * 26 ~ '0' * 36 }}')
    {%- endset -%}
    {%- set patterns -%}
        {%- for number in range(32) -%}
            {%- for bit in range(5) -%}{{ number // 2 ** bit % 2 }}{%- endfor %} {# -#}
        {%- endfor -%}
    {%- endset -%}
    case
        when length({{ id }}) = 15
            then concat(
                {{ id }}
                {%- for first in (1, 6, 11) %},
                substr(
                    '{{ letters }}012345',
                    cast((position(substr({{ is_upper }}, {{ first }}, 5) in '{{ patterns }}') + 5) / 6 as integer),
                    1
                )
                {%- endfor %}
            )
        else {{ id }}
    end
{%- endmacro %}
