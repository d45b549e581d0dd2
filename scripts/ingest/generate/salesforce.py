"""The company as Salesforce keeps it: every version of every record, before any file is written.

Whatever changes under an account also refreshes the account's own `SystemModstamp`, as a roll-up
field does, so accounts are built last.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from ingest.generate.crm import (
    PRODUCTS,
    Crm,
    Projection,
    flag,
    number,
    product_id,
    timestamp,
    whole_second,
)
from ingest.generate.ids import account_salesforce_id, salesforce_id
from ingest.generate.records import Account, Company
from ingest.generate.salesforce_deals import add_opportunities
from ingest.generate.salesforce_people import add_contacts, add_leads
from ingest.generate.world import COUNTRIES, zone_of


def build_crm(company: Company) -> Crm:
    """Every version of every Salesforce record of a company."""
    projection = Projection(company)
    _add_users(projection)
    _add_products(projection)
    add_contacts(projection)
    add_opportunities(projection)
    add_leads(projection)
    _add_accounts(projection)
    return projection.crm


def _add_users(projection: Projection) -> None:
    company = projection.company
    first_day = whole_second(company.start_at) - timedelta(days=400)
    people = [
        (projection.admin_id, "Integration", "User", "integration", first_day, None, "US", 0),
        *(
            (
                projection.rep_id(rep.key),
                rep.first_name,
                rep.last_name,
                rep.email,
                whole_second(rep.started_at),
                rep.left_at,
                rep.country,
                rep.key,
            )
            for rep in company.reps
        ),
    ]
    for user_id, first_name, last_name, email, started_at, left_at, country, key in people:
        address = email if "@" in email else f"{email}@crm.example"
        created_at = min(started_at, company.end_at)
        for saved_at, is_active in ((created_at, True), (left_at, False)):
            if saved_at is None:
                continue
            projection.crm.save(
                "User",
                whole_second(saved_at),
                {
                    "Id": user_id,
                    "Username": f"{address}.crm",
                    "LastName": last_name,
                    "FirstName": first_name,
                    "Name": f"{first_name} {last_name}",
                    "Email": address,
                    "Alias": (first_name[:1] + last_name[:4]).lower(),
                    "CommunityNickname": address.split("@")[0],
                    "Title": "Account Executive" if "@" in email else "",
                    "Department": "Sales",
                    "IsActive": flag(is_active),
                    "TimeZoneSidKey": zone_of(country, key),
                    "LocaleSidKey": COUNTRIES[country].locale,
                    "LanguageLocaleKey": "en_US",
                    "EmailEncodingKey": "UTF-8",
                    "ProfileId": salesforce_id("00e", projection.seed, "standard"),
                    "UserType": "Standard",
                    "ReceivesInfoEmails": "true",
                    "ReceivesAdminInfoEmails": "false",
                    "LastLoginDate": timestamp(saved_at),
                    **projection.audit(created_at, saved_at, projection.admin_id),
                },
            )


def _add_products(projection: Projection) -> None:
    created_at = whole_second(projection.company.start_at) - timedelta(days=380)
    midway = created_at + (projection.company.end_at - created_at) / 2
    for name, code, family, stays_active in PRODUCTS:
        saves = [(created_at, True)] if stays_active else [(created_at, True), (midway, False)]
        for saved_at, is_active in saves:
            projection.crm.save(
                "Product2",
                whole_second(saved_at),
                {
                    "Id": product_id(projection, code),
                    "IsDeleted": "false",
                    "Name": name,
                    "ProductCode": code,
                    "Description": f"{name}, priced a year",
                    "IsActive": flag(is_active),
                    "Family": family,
                    "StockKeepingUnit": f"{code}-1Y",
                    **projection.audit(created_at, saved_at, projection.admin_id),
                },
            )


def _add_accounts(projection: Projection) -> None:
    # A twin has no website and no children, and only accounts that the other systems name by id
    # get one: nothing else may be linked to it by accident.
    twins = 0
    merging = {account.merged_into_key for account in projection.company.accounts}
    for account in projection.company.accounts:
        if not account.in_salesforce:
            continue
        _save_account(projection, account)
        is_named = {account.link_stripe, account.link_segment} == {"id"}
        is_plain = account.key not in merging and account.merged_into_key is None
        is_plain &= not (account.is_test or account.is_internal)
        lucky = projection.chance("twin", account.key).random() < 0.03
        if is_named and is_plain and (lucky or not twins):
            _save_twin(projection, account)
            twins += 1


def _account_row(projection: Projection, account: Account) -> dict[str, str]:
    chance = projection.chance("account", account.key)
    country = COUNTRIES[account.country]
    return {
        "Id": account_salesforce_id(projection.seed, account.key),
        "IsDeleted": "false",
        "Name": f"Test - {account.name}" if account.is_test else account.name,
        "Type": "Prospect",
        "ParentId": (
            account_salesforce_id(projection.seed, account.parent_key)
            if account.parent_key is not None
            else ""
        ),
        "BillingStreet": f"{chance.randint(1, 900)} Harbour Road\nFloor {chance.randint(1, 30)}",
        "BillingCity": chance.choice(country.cities),
        "BillingPostalCode": f"{chance.randint(10_000, 99_999)}",
        "BillingCountry": account.country,
        "Phone": f"{country.dialing} 555 01{chance.randint(0, 99):02d}",
        "Website": f"https://www.{account.domain}" if account.domain else "",
        "Industry": account.industry,
        "AnnualRevenue": number(account.employee_count * chance.randint(80, 240) * 1000),
        "NumberOfEmployees": str(account.employee_count),
        "Description": f'{account.name}, "{account.industry}"' if chance.random() < 0.2 else "",
        "CurrencyIsoCode": account.currency,
        "AccountSource": chance.choice(("Web", "Partner Referral", "Other")),
        "Customer_Status__c": "Prospect",
        "Health_Score__c": str(chance.randint(20, 100)),
        "Legacy_Segment__c": account.segment,
        "Renewal_Risk__c": chance.choice(("Low", "Medium", "High")),
    }


def _account_changes(
    projection: Projection, account: Account
) -> Iterable[tuple[datetime, dict[str, str]]]:
    """What happens to an account itself, in no order."""
    life = projection.lifecycles.get(account.key)
    chance = projection.chance("growth", account.key)
    if life is not None and life.paid_from is not None:
        yield life.paid_from, {"Type": "Customer - Direct", "Customer_Status__c": "Customer"}
        if life.churned_at is not None:
            yield life.churned_at, {"Customer_Status__c": "Churned"}
    rep = projection.reps[account.owner_key]
    if rep.left_at is not None:
        yield projection.handed_over_at(rep), {}
    staff = account.employee_count
    moment = account.created_at + timedelta(days=chance.randint(200, 420))
    while moment < projection.company.end_at:
        staff = max(1, round(staff * chance.uniform(0.9, 1.25)))
        yield moment, {"NumberOfEmployees": str(staff)}
        moment += timedelta(days=chance.randint(200, 420))
    if account.merged_into_key is not None and account.merged_at is not None:
        survivor_id = account_salesforce_id(projection.seed, account.merged_into_key)
        yield account.merged_at, {"IsDeleted": "true", "MasterRecordId": survivor_id}


def _save_account(projection: Projection, account: Account) -> None:
    created_at = whole_second(account.created_at)
    events: dict[datetime, dict[str, str] | None] = {}
    for moment, change in _account_changes(projection, account):
        saved_at = max(whole_second(moment), created_at)
        events[saved_at] = (events.get(saved_at) or {}) | change
    for moment in projection.touches[account.key]:
        events.setdefault(max(moment, created_at), None)
    events.setdefault(created_at, {})
    row = _account_row(projection, account)
    modified_at = created_at
    active_on: date | None = None
    for saved_at in sorted(events):
        change_or_touch = events[saved_at]
        if change_or_touch is None:
            active_on = saved_at.date()
        else:
            row = row | change_or_touch
            modified_at = saved_at
        owner_id = projection.rep_id(projection.owner_after(account.owner_key, saved_at))
        projection.crm.save(
            "Account",
            saved_at,
            row
            | projection.audit(created_at, modified_at, owner_id)
            | {
                "OwnerId": owner_id,
                "SystemModstamp": timestamp(saved_at),
                "LastActivityDate": active_on.isoformat() if active_on else "",
            },
        )
        if row["IsDeleted"] == "true":
            return


def _save_twin(projection: Projection, account: Account) -> None:
    """A duplicate record of an account, entered a second time and never merged."""
    twin_id = salesforce_id("001", projection.seed, "twin", account.key)
    entered_at = whole_second(account.created_at) + timedelta(days=21, hours=2)
    owner_id = projection.rep_id(projection.company.reps[0].key)
    row = _account_row(projection, account) | {
        "Id": twin_id,
        "Name": account.name.upper(),
        "Website": "",
        "ParentId": "",
        "OwnerId": owner_id,
    }
    projection.crm.save(
        "Account", entered_at, row | projection.audit(entered_at, entered_at, owner_id)
    )
    projection.crm.duplicate_account_ids.append(twin_id)
