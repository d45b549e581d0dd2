-- Proves that every document with a counted upload is in the funnel once, on the day of its first
-- upload, and in that day's figures. Inner joins to the later steps would leave only documents
-- that reached them, and conversion would always be high. Where the main funnel follows sessions or
-- people, the figures of the day count these instead.
with

uploaded as (

    select
        document_id,
        cast(min(occurred_at) as date) as uploaded_date

    from {{ ref('fct_events') }}
    where document_action = 'begin' and is_counted and document_id is not null
    group by document_id

),

by_date as (

    select
        uploaded_date,
        count(*) as uploaded_count
    from uploaded
    group by uploaded_date

),

funnel as (

    select
        uploaded_date,
        count(*) as funnel_count,
        count(*) filter (where is_downloaded) as converted_count
    from {{ ref('fct_document_funnel') }}
    group by uploaded_date

),

kpis as (

    select
        kpi_date,
        sum(uploaded_document_count) as kpi_count,
        sum(converted_document_count) as converted_count
    from {{ ref('fct_product_kpis_daily') }}
    group by kpi_date
    having sum(uploaded_document_count) > 0

),

main_funnel as (

    select bool_and(followed_by = 'document') as is_of_documents
    from {{ ref('funnels') }}
    where funnel_key = '{{ var("main_funnel") }}'

),

dates as (

    select uploaded_date from by_date

    union

    select uploaded_date from funnel

    union

    select kpi_date from kpis

)

select
    dates.uploaded_date,
    by_date.uploaded_count,
    funnel.funnel_count,
    kpis.kpi_count,
    funnel.converted_count as funnel_converted_count,
    kpis.converted_count as kpi_converted_count

from dates
left join by_date
    on dates.uploaded_date = by_date.uploaded_date
left join funnel
    on dates.uploaded_date = funnel.uploaded_date
left join kpis
    on dates.uploaded_date = kpis.kpi_date
cross join main_funnel
where
    main_funnel.is_of_documents
    and not coalesce(
        by_date.uploaded_count = funnel.funnel_count
        and funnel.funnel_count = kpis.kpi_count
        and funnel.converted_count = kpis.converted_count,
        false
    )
