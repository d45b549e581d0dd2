"""Deals from exports that are thinner, or spelled otherwise, than Salesforce's full picture."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from harness import Row, rows
from ingest.load import load_batches
from warehouses import NO_TESTS, dbt

MAY, JUNE = "2026-05-31", "2026-06-30"
MARTS = (
    "fct_opportunities",
    "fct_opportunity_stages",
    "fct_pipeline_movements_monthly",
    "fct_bookings_to_billings",
    "fct_leads",
    "fct_opportunity_line_items",
    "dim_accounts",
    "dim_contacts",
    "dim_dates",
    "dim_sales_reps",
)
VARIABLES = {
    "fiscal_year_start_month": 2,
    "salesforce_passthrough_columns": {
        "Account": ["Tier__c", {"field": "BillingCity", "name": "city"}],
        "contact": [{"field": "Score__c", "type": "bigint"}],
        "Lead": [{"field": "Demo_At__c", "name": "demo_at", "type": "timestamp"}],
        "Opportunity": [
            {"field": "Renewal_Date__c", "type": "date"},
            {"field": "expectedrevenue", "name": "expected_amount", "type": "decimal(28, 6)"},
            {"field": "Nowhere__c", "type": "boolean"},
        ],
        "OpportunityLineItem": [{"field": "Is_Gift__c", "type": "boolean"}],
        "User": [{"field": "Cost-Center__c", "type": "double"}],
    },
}

PASSTHROUGH_TEST = "assert_passthrough_columns_are_exported"
AMOUNTS_TEST = "assert_amounts_of_deals_have_dollars"

# The parts of one org's opportunities, as different tools export them.
PARTS = {
    # Created with neither SystemModstamp nor LastModifiedDate; the history has the rest.
    f"{JUNE}/salesforce/Opportunity_1.csv": """
Id,Name,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate
006000000000001AAA,no clock,Closed Won,1000,2026-05-20,true,true,2026-03-01T10:00:00Z
""",
    f"{JUNE}/salesforce/opportunity_history.csv": """
Id,OpportunityId,CreatedDate,StageName,Amount,CloseDate,Probability,ForecastCategory
008000000000011AAA,006000000000001AAA,2026-03-05T10:00:00Z,Prospecting,1000,2026-05-31,10,Pipeline
008000000000012AAA,006000000000001AAA,2026-04-10T10:00:00Z,Proposal,1000,2026-05-31,75,Pipeline
008000000000013AAA,006000000000001AAA,2026-05-20T10:00:00Z,Closed Won,1000,2026-05-20,100,Closed
""",
    # A history without categories, of stages in which no deal is any more.
    f"{JUNE}/salesforce/Opportunity_8.csv": """
Id,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate,CurrencyIsoCode
006000000000081AAA,Closed Won,1000,2026-05-20,true,true,2026-03-01T10:00:00Z,CHF
""",
    f"{JUNE}/salesforce/OpportunityHistory_8.csv": """
Id,OpportunityId,CreatedDate,StageName,Amount,CloseDate
008000000000081AAA,006000000000081AAA,2026-03-05T10:00:00Z,Angebot,1000,2026-05-31
008000000000082AAA,006000000000081AAA,2026-04-10T10:00:00Z,Verhandlung,1000,2026-05-31
008000000000083AAA,006000000000081AAA,2026-05-20T10:00:00Z,Closed Won,1000,2026-05-20
""",
    # Neither IsClosed nor IsWon. The last two stages are in no category; only one is in the seed.
    f"{JUNE}/salesforce/Opportunity_2.csv": """
Id,Name,StageName,Amount,Probability,CloseDate,ForecastCategoryName,CreatedDate,SystemModstamp
006000000000021AAA,won,Ganada,1000,100,2026-05-10,Closed,2026-04-01,2026-05-10
006000000000022AAA,lost,Perdida,2000,0,2026-05-11,Omitted,2026-04-01,2026-05-11
006000000000023AAA,open,Propuesta,4000,50,2026-07-11,Best Case,2026-04-01,2026-05-11
006000000000024AAA,seed,CLOSED LOST,8000,0,2026-05-11,,2026-04-01,2026-05-11
006000000000025AAA,unknown,Aplazada,16000,50,2026-07-11,,2026-04-01,2026-05-11
""",
    # Data Loader's capitals, with custom fields.
    f"{JUNE}/salesforce/OPPORTUNITY_3.CSV": """
ID,NAME,STAGENAME,AMOUNT,CLOSEDATE,ISCLOSED,ISWON,CREATEDDATE,SYSTEMMODSTAMP,CONTRACT_TERM__C,LOSS_REASON__C
006000000000031AAA,two years,Closed Won,24000,2026-05-10,true,true,2026-01-05,2026-05-10,24,
006000000000032AAA,lost,Closed Lost,500,2026-05-10,true,false,2026-01-05,2026-05-10,12,Price
""",
    # Amounts that are large, and in currencies without a rate.
    f"{JUNE}/salesforce/Opportunity_4.csv": """
Id,Name,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate,SystemModstamp,CurrencyIsoCode
006000000000041AAA,huge,Closed Won,1250000000000,2026-05-15,true,true,2026-01-05,2026-05-15,JPY
006000000000042AAA,far,Closed Won,1250000000000000000,2026-05-15,true,true,2026-01-05,2026-05-15,JPY
006000000000043AAA,unrated,Prospecting,1000,2026-07-15,false,false,2026-06-05,2026-06-05,ARS
006000000000044AAA,pegged,Prospecting,3672.5,2026-07-15,false,false,2026-06-05,2026-06-05,AED
""",
    # Two deals in May, of which the full export of June holds one.
    f"{MAY}/salesforce/Opportunity.csv": """
Id,Name,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate,SystemModstamp,CurrencyIsoCode
006000000000051AAA,stays,Prospecting,1000,2026-07-31,false,false,2026-05-01T10:00:00Z,2026-05-01T10:00:00Z,GBP
006000000000052AAA,purged,Prospecting,50000,2026-07-31,false,false,2026-05-01T10:00:00Z,2026-05-01T10:00:00Z,GBP
""",
    f"{JUNE}/salesforce/Opportunity_5.csv": """
Id,Name,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate,SystemModstamp,CurrencyIsoCode
006000000000051AAA,stays,Prospecting,1000,2026-07-31,false,false,2026-05-01T10:00:00Z,2026-05-01T10:00:00Z,GBP
""",
    f"{JUNE}/_batch.json": '{"is_full_export": true}',
    # An org with the euro as its corporate currency and rates by date.
    f"{JUNE}/salesforce/Opportunity_7.csv": """
Id,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate,CurrencyIsoCode
006000000000071AAA,Closed Won,1000,2026-04-30,true,true,2026-04-05,SEK
006000000000072AAA,Closed Won,1000,2026-05-01,true,true,2026-04-05,SEK
006000000000073AAA,Closed Won,100,2026-05-10,true,true,2026-04-05,EUR
""",
    f"{JUNE}/salesforce/CurrencyType.csv": """
Id,IsoCode,ConversionRate,DecimalPlaces,IsActive,IsCorporate
01L000000000001AAA,EUR,1,2,true,true
01L000000000002AAA,USD,1.5,2,true,false
01L000000000003AAA,SEK,12.5,2,true,false
""",
    f"{JUNE}/salesforce/dated_conversion_rates.csv": """
Id,IsoCode,StartDate,NextStartDate,ConversionRate
04w000000000001AAA,SEK,2026-01-01,2026-05-01,10
04w000000000002AAA,SEK,2026-05-01,9999-12-31,12.5
04w000000000003AAA,USD,2026-01-01,2026-05-01,1.25
04w000000000004AAA,USD,2026-05-01,9999-12-31,1.5
""",
    # Custom fields of each object, in any case.
    f"{JUNE}/salesforce/Opportunity_6.csv": """
Id,StageName,CloseDate,IsClosed,IsWon,RENEWAL_DATE__C,EXPECTEDREVENUE
006000000000061AAA,Closed Lost,2026-05-10,true,false,2027-05-10,18000.5
006000000000062AAA,Closed Lost,2026-05-10,true,false,when they ask,
""",
    f"{JUNE}/salesforce/Account.csv": """
Id,Name,BillingCity,tier__c,CreatedDate
001000000000001AAA,North,Oslo,Gold,2026-01-05
001000000000002AAA,South,,,2026-01-05
""",
    f"{JUNE}/salesforce/Contact.csv": """
Id,AccountId,Email,SCORE__C
003000000000001AAA,001000000000001AAA,ann@north.example,17
""",
    f"{JUNE}/salesforce/Lead.csv": """
Id,Status,CreatedDate,Demo_At__c
00Q000000000001AAA,Open,2026-01-05,2026-01-06T10:00:00.000+0200
""",
    f"{JUNE}/salesforce/OpportunityLineItem.csv": """
Id,OpportunityId,TotalPrice,Is_Gift__c
00k000000000001AAA,006000000000031AAA,24000,true
""",
    f"{JUNE}/salesforce/User.csv": """
Id,Name,IsActive,Cost-Center__c
005000000000001AAA,Ann,true,4.5
""",
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marts of the deals from all parts at once."""
    folder = tmp_path_factory.mktemp("exports")
    for name, content in PARTS.items():
        path = folder / "extracts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.lstrip())
    warehouse = folder / "warehouse.duckdb"
    reports = list(load_batches(folder / "extracts", warehouse, quiet=True))
    assert [(one.status, one.rows_rejected) for one in reports] == [("landed", 0), ("landed", 1)]
    assert reports[1].first_reject == (
        "salesforce/Opportunity_4.csv:2: Amount is a number out of range"
    )
    chosen = (f"+{mart}" for mart in MARTS)
    variables = json.dumps(VARIABLES)
    dbt(warehouse, "build", "--select", *chosen, excluded=NO_TESTS, variables=variables)
    dbt(warehouse, "test", "--select", PASSTHROUGH_TEST, AMOUNTS_TEST, variables=variables)
    return warehouse


def _deal(warehouse: Path, number: int, columns: str, table: str = "fct_opportunities") -> Row:
    (row,) = rows(
        warehouse,
        f"select {columns} from sales.{table} where opportunity_id = ?",
        f"006{number:012}AAA",
    )
    return row


def test_a_deal_without_a_modification_time_has_its_history(warehouse: Path) -> None:
    assert rows(
        warehouse,
        """
        select stage_name, entered_at
        from sales.fct_opportunity_stages
        where opportunity_id = '006000000000001AAA'
        order by entered_at
        """,
    ) == [
        ("Prospecting", datetime(2026, 3, 5, 10)),
        ("Proposal", datetime(2026, 4, 10, 10)),
        ("Closed Won", datetime(2026, 5, 20, 10)),
    ]
    assert _deal(warehouse, 1, "reopening_count, is_won") == (0, True)
    assert rows(
        warehouse,
        """
        select created_count, reopened_count
        from sales.fct_pipeline_movements_monthly
        where pipeline_month = '2026-03-01' and currency = 'USD'
        """,
    ) == [(1, 0)]


def test_stages_that_every_deal_left_are_open(warehouse: Path) -> None:
    assert rows(
        warehouse,
        """
        select pipeline_month, closing_amount, won_amount
        from sales.fct_pipeline_movements_monthly
        where currency = 'CHF'
        order by pipeline_month
        """,
    ) == [
        (date(2026, 3, 1), Decimal(1000), Decimal(0)),
        (date(2026, 4, 1), Decimal(1000), Decimal(0)),
        (date(2026, 5, 1), Decimal(0), Decimal(-1000)),
        (date(2026, 6, 1), Decimal(0), Decimal(0)),
    ]


def test_flags_come_from_the_category_or_the_seed_or_are_unknown(warehouse: Path) -> None:
    flags = [_deal(warehouse, number, "is_closed, is_won, is_lost") for number in range(21, 26)]
    assert flags == [
        (True, True, False),
        (True, False, True),
        (False, False, False),
        (True, False, True),
        (None, None, None),
    ]


def test_pipeline_has_what_is_known_to_be_open(warehouse: Path) -> None:
    """Dollars: the open 4,000; the 16,000 may be closed. Pounds: 1,000 stay, 50,000 were deleted in
    June. 3,672.50 dirhams are 1,000 dollars. Pesos have no rate."""
    assert rows(
        warehouse,
        """
        select currency, closing_amount, closing_count, closing_usd is null
        from sales.fct_pipeline_movements_monthly
        where pipeline_month = '2026-06-01' and currency not in ('CHF', 'EUR', 'JPY', 'SEK')
        order by currency
        """,
    ) == [
        ("AED", Decimal("3672.5"), 1, False),
        ("ARS", Decimal(1000), 1, True),
        ("GBP", Decimal(1000), 1, False),
        ("USD", Decimal(4000), 1, False),
    ]
    assert rows(
        warehouse,
        """
        select closing_usd, deleted_usd is not null and deleted_usd = decreased_usd
        from sales.fct_pipeline_movements_monthly
        where pipeline_month = '2026-06-01' and currency in ('AED', 'GBP')
        order by currency
        """,
    ) == [(Decimal("1000.000000"), True), (_pounds(warehouse), True)]


def test_amounts_without_a_rate_are_listed(warehouse: Path) -> None:
    assert rows(
        warehouse,
        f"""
        select distinct relation, opportunity_id, currency
        from test_failures.{AMOUNTS_TEST}
        order by relation
        """,
    ) == [
        ("fct_opportunities", "006000000000043AAA", "ARS"),
        ("int_opportunity_states", "006000000000043AAA", "ARS"),
    ]


def _pounds(warehouse: Path) -> Decimal:
    """1,000 pounds at the end of April, the month before the deals were created."""
    ((rate,),) = rows(
        warehouse,
        "select usd_per_unit from seeds.exchange_rates"
        " where currency = 'GBP' and rate_month = '2026-04-01'",
    )
    assert isinstance(rate, Decimal)
    return round(1000 * rate, 6)


def test_custom_fields_in_capitals_count(warehouse: Path) -> None:
    """24,000 for 24 months are 12,000 a year."""
    booked = _deal(warehouse, 31, "booked_annual_amount", "fct_bookings_to_billings")
    assert booked == (Decimal(12_000),)
    assert _deal(warehouse, 32, "loss_reason") == ("Price",)


def test_a_large_amount_is_converted(warehouse: Path) -> None:
    """1,250 billion yen are between 5 and 12 billion dollars."""
    ((usd,),) = [_deal(warehouse, 41, "amount_usd")]
    assert isinstance(usd, Decimal)
    assert 5_000_000_000 < usd < 12_000_000_000


def test_the_orgs_own_rates_of_the_close_date_count(warehouse: Path) -> None:
    """1,000 kronor are 100 euros of 1.25 dollars in April, and 80 euros of 1.50 in May."""
    dollars = [_deal(warehouse, number, "amount_usd") for number in (71, 72, 73)]
    assert dollars == [(Decimal(125),), (Decimal(120),), (Decimal(150),)]


def test_configured_fields_are_columns_of_marts(warehouse: Path) -> None:
    """Text that is no date is null, as is a field that no export has. 10:00 at +02:00 is 8:00."""
    found = {
        mart: rows(warehouse, f"select {columns} from {mart} order by all")
        for mart, columns in {
            "shared.dim_accounts": "account_name, tier, city",
            "shared.dim_contacts": "score",
            "shared.dim_sales_reps": "cost_center",
            "sales.fct_leads": "demo_at",
            "sales.fct_opportunity_line_items": "is_gift",
        }.items()
    }
    assert found == {
        "shared.dim_accounts": [("North", "Gold", "Oslo"), ("South", None, None)],
        "shared.dim_contacts": [(17,)],
        "shared.dim_sales_reps": [(4.5,)],
        "sales.fct_leads": [(datetime(2026, 1, 6, 8),)],
        "sales.fct_opportunity_line_items": [(True,)],
    }
    columns = "renewal_date, expected_amount, nowhere"
    assert [_deal(warehouse, number, columns) for number in (61, 62)] == [
        (date(2027, 5, 10), Decimal("18000.5"), None),
        (None, None, None),
    ]


def test_configured_fields_that_no_export_has_are_reported(warehouse: Path) -> None:
    """One of two dates does not convert, and one field is in no export."""
    assert rows(
        warehouse,
        f"""
        select object_name, field_name, value_count, converted_count
        from test_failures.{PASSTHROUGH_TEST}
        order by field_name
        """,
    ) == [("Opportunity", "Nowhere__c", 0, 0), ("Opportunity", "Renewal_Date__c", 2, 1)]


def test_a_fiscal_year_is_named_after_the_year_in_which_it_ends(warehouse: Path) -> None:
    """From February on: January 2026 ends the year 2026, and February begins the year 2027."""
    assert rows(
        warehouse,
        """
        select calendar_date, fiscal_year, fiscal_quarter_number, fiscal_quarter_start_date
        from shared.dim_dates
        where
            calendar_date in ('2025-12-31', '2026-01-31', '2026-02-01')
            or calendar_date in ('2026-04-30', '2026-05-01')
        order by calendar_date
        """,
    ) == [
        (date(2025, 12, 31), 2026, 4, date(2025, 11, 1)),
        (date(2026, 1, 31), 2026, 4, date(2025, 11, 1)),
        (date(2026, 2, 1), 2027, 1, date(2026, 2, 1)),
        (date(2026, 4, 30), 2027, 1, date(2026, 2, 1)),
        (date(2026, 5, 1), 2027, 2, date(2026, 5, 1)),
    ]
