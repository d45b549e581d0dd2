{#- Keys that a model lacks, and keys that it should not have. Both are named, so that a lost record
    is found by its id rather than by a total.

    Arguments:
        columns: the columns of the key; a null is a value like any other.
        of: the relations with the keys that the model must hold. Each has a `relation`, its own
            `columns` where they have other names, and a condition `only` where not all rows count.
        but: relations, written the same way, with the keys that are excluded.
        only: a condition on the rows of the model that are compared.
-#}
{% test holds_every(model, columns, of, but=[], only='true') %}

with

{% for side, relations in {'expected': of, 'excluded': but}.items() if relations -%}
{{ side }} as (
    {% for one in relations %}
    select
        {%- for column in columns %}
        {{ (one.columns or columns)[loop.index0] }} as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ one.relation }}
    where {{ one.only or 'true' }}
    {%- if not loop.last %}

    union all
    {% endif -%}
    {%- endfor %}

),

{% endfor -%}
expected_keys as (

    select {{ columns | join(', ') }}
    from expected
    {%- if but %}
    except
    select {{ columns | join(', ') }}
    from excluded
    {%- endif %}

),

held_keys as (

    select {{ columns | join(', ') }}
    from {{ model }}
    where {{ only }}

),

missing as (

    select {{ columns | join(', ') }}
    from expected_keys
    except
    select {{ columns | join(', ') }}
    from held_keys

),

unexpected as (

    select {{ columns | join(', ') }}
    from held_keys
    except
    select {{ columns | join(', ') }}
    from expected_keys

)

select
    'is missing' as problem,
    {{ columns | join(', ') }}
from missing

union all

select
    'is not expected' as problem,
    {{ columns | join(', ') }}
from unexpected

{% endtest %}
