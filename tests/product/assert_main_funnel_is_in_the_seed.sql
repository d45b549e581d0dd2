-- Proves that `var('main_funnel')` names a funnel of the seed. A misspelled name would leave
-- documents and daily product figures empty without a word.
with

rows_of_main_funnel as (

    select count(*) as row_count
    from {{ ref('funnels') }}
    where funnel_key = '{{ var("main_funnel") }}'

)

select '{{ var("main_funnel") }}' as missing_funnel
from rows_of_main_funnel
where row_count = 0
