-- The order of the branches matters: user agents of Edge and Opera also contain Chrome, those of
-- Chrome Safari, those of Android Linux, and those of iPhones Mac OS X.
{%- set agent = 'lower(user_agent)' %}

with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

user_agents as (

    select distinct user_agent

    from stg_segment__messages
    where user_agent is not null

),

recognised as (

    select
        user_agent,
        -- Cubot makes phones and is not a bot.
        regexp_extract(
            replace({{ agent }}, 'cubot', ''),
            'bot|crawl|spider|slurp|headless|phantomjs|lighthouse|uptime|monitor|pingdom'
            || '|statuscake|facebookexternalhit|mediapartners|bingpreview',
            0
        ) != '' as is_bot,
        case
            when {{ agent }} like '%edg/%' or {{ agent }} like '%edge/%' then 'Edge'
            when {{ agent }} like '%edga/%' or {{ agent }} like '%edgios/%' then 'Edge'
            when {{ agent }} like '%opr/%' or {{ agent }} like '%opera%' then 'Opera'
            when {{ agent }} like '%samsungbrowser/%' then 'Samsung Internet'
            when {{ agent }} like '%msie %' then 'Internet Explorer'
            when {{ agent }} like '%trident/%' then 'Internet Explorer'
            when {{ agent }} like '%firefox/%' or {{ agent }} like '%fxios/%' then 'Firefox'
            when {{ agent }} like '%chrome/%' or {{ agent }} like '%chromium/%' then 'Chrome'
            when {{ agent }} like '%crios/%' then 'Chrome'
            when {{ agent }} like '%safari/%' then 'Safari'
            when {{ agent }} not like 'mozilla/%' then 'App'
            when {{ agent }} like '%applewebkit/%' then 'Web view'
            else 'Other'
        end as browser_name,
        case
            when {{ agent }} like '%windows phone%' then 'Windows Phone'
            when {{ agent }} like '%windows%' then 'Windows'
            when {{ agent }} like '%android%' then 'Android'
            when
                {{ agent }} like '%iphone%'
                or {{ agent }} like '%ipad%'
                or {{ agent }} like '%ipod%'
                or {{ agent }} like '%ios %'
                then 'iOS'
            when {{ agent }} like '%cros %' then 'ChromeOS'
            when {{ agent }} like '%macintosh%' or {{ agent }} like '%mac os%' then 'macOS'
            when {{ agent }} like '%darwin/%' then 'iOS'
            when {{ agent }} like '%linux%' or {{ agent }} like '%x11%' then 'Linux'
        end as os_name,
        case
            when {{ agent }} like '%ipad%' or {{ agent }} like '%tablet%' then 'tablet'
            when {{ agent }} like '%android%' and {{ agent }} not like '%mobile%'
                and {{ agent }} like 'mozilla/%' then 'tablet'
            when
                {{ agent }} like '%mobile%'
                or {{ agent }} like '%android%'
                or {{ agent }} like '%iphone%'
                or {{ agent }} like '%ipod%'
                or {{ agent }} like '%darwin/%'
                then 'mobile'
            when
                {{ agent }} like '%windows%'
                or {{ agent }} like '%macintosh%'
                or {{ agent }} like '%x11%'
                or {{ agent }} like '%cros %'
                or {{ agent }} like '%linux%'
                then 'desktop'
        end as device_type

    from user_agents

),

final as (

    select
        user_agent,
        case when is_bot then 'Bot' else browser_name end as browser_name,
        os_name,
        case when is_bot then 'bot' else device_type end as device_type,
        is_bot

    from recognised

)

select * from final
