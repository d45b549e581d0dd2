"""Salesforce's contacts and leads, with their versions."""

import random
from datetime import datetime, timedelta

from ingest.generate.crm import Projection, flag, opportunity_id, timestamp, whole_second
from ingest.generate.deals import NEW
from ingest.generate.ids import salesforce_id
from ingest.generate.records import Account, Deal, User
from ingest.generate.world import COUNTRIES, ascii_text

# Countries of leads that never become an account.
_LEAD_COUNTRIES = ("US", "US", "US", "DE", "GB", "FR", "JP", "CA")


def add_contacts(projection: Projection) -> None:
    for user in projection.company.users:
        account = projection.accounts[user.account_key]
        chance = projection.chance("contact", user.key)
        if not account.in_salesforce or user.is_internal or chance.random() > 0.65:
            continue
        created_at = whole_second(
            max(account.created_at, user.signed_up_at - timedelta(days=chance.randint(0, 30)))
        )
        email = user.email if chance.random() > 0.04 else f"{user.email.split('@')[0]}@gmail.com"
        saves: list[tuple[datetime, dict[str, str]]] = [(created_at, {})]
        if user.left_at is not None and chance.random() < 0.4:
            bounced_at = whole_second(max(user.left_at, created_at) + timedelta(days=9))
            saves.append(
                (
                    bounced_at,
                    {
                        "IsEmailBounced": "true",
                        "EmailBouncedReason": "550 5.1.1 mailbox unavailable",
                        "EmailBouncedDate": timestamp(bounced_at),
                    },
                )
            )
        if chance.random() < 0.15:
            promoted_at = created_at + timedelta(days=chance.randint(60, 500), seconds=17)
            saves.append((promoted_at, {"Title": f"Senior {user.title}"}))
        if chance.random() < 0.01:
            deleted_at = created_at + timedelta(days=chance.randint(90, 400))
            saves.append((deleted_at, {"IsDeleted": "true"}))
        _save_contact(
            projection, salesforce_id("003", projection.seed, "user", user.key), user, email, saves
        )


def _save_contact(
    projection: Projection,
    contact_id: str,
    person: User,
    email: str,
    saves: list[tuple[datetime, dict[str, str]]],
) -> None:
    """Saves a contact's versions, and the one that a merger of its account makes."""
    account = projection.accounts[person.account_key]
    created_at = saves[0][0]
    if account.merged_at is not None and account.merged_at > created_at:
        saves.append((whole_second(account.merged_at), {}))
    changes: dict[str, str] = {}
    for saved_at, change in sorted(saves, key=lambda save: save[0]):
        if changes.get("IsDeleted") == "true":
            return
        changes |= change
        owner_id = projection.rep_id(projection.owner_after(account.owner_key, saved_at))
        projection.crm.save(
            "Contact",
            saved_at,
            {
                "Id": contact_id,
                "IsDeleted": "false",
                "AccountId": projection.account_ref(account.key, saved_at),
                "LastName": person.last_name,
                "FirstName": person.first_name,
                "Name": f"{person.first_name} {person.last_name}",
                "MailingCountry": account.country,
                "Phone": f"{COUNTRIES[account.country].dialing} 555 01{person.key % 100:02d}",
                "Email": email,
                "Title": person.title,
                "LeadSource": "Web",
                "OwnerId": owner_id,
                "HasOptedOutOfEmail": flag(person.key % 17 == 0),
                "IsEmailBounced": "false",
                **projection.audit(created_at, saved_at, owner_id),
                **changes,
            },
        )


def add_leads(projection: Projection) -> None:
    """A converted lead before most new-business deals, and the many that came to nothing."""
    company = projection.company
    for deal in company.deals:
        account = projection.accounts[deal.account_key]
        chance = projection.chance("lead", deal.key)
        if not account.in_salesforce:
            continue
        if deal.deal_type == NEW and chance.random() < 0.6:
            _save_converted_lead(projection, deal, account, chance)
        for attempt in range(chance.choice((1, 1, 2))):
            _save_lost_lead(projection, deal, attempt, chance)


def _lead_row(
    projection: Projection,
    lead_id: str,
    company_name: str,
    country_code: str,
    chance: random.Random,
    *,
    source: str,
    account: Account | None = None,
) -> dict[str, str]:
    country = COUNTRIES[country_code]
    first_name, last_name = chance.choice(country.first_names), chance.choice(country.last_names)
    domain = account.domain if account else f"{_plain(company_name.split(maxsplit=1)[0])}.example"
    owner_key = account.owner_key if account else chance.choice(projection.company.reps).key
    return {
        "Id": lead_id,
        "IsDeleted": "false",
        "LastName": last_name,
        "FirstName": first_name,
        "Name": f"{first_name} {last_name}",
        "Title": chance.choice(("Operations Manager", "Head of Legal", "Office Manager", "CFO")),
        "Company": company_name,
        "City": chance.choice(country.cities),
        "Country": country.code,
        "Email": f"{_plain(first_name)}.{_plain(last_name)}@{domain}",
        "Website": f"https://www.{domain}",
        "LeadSource": source,
        "Status": "Open - Not Contacted",
        "Industry": account.industry if account else "",
        "Rating": chance.choice(("Hot", "Warm", "Cold")),
        "NumberOfEmployees": str(account.employee_count if account else chance.randint(3, 900)),
        "OwnerId": projection.rep_id(owner_key),
        "IsConverted": "false",
        "IsUnreadByOwner": "true",
    }


def _plain(name: str) -> str:
    return ascii_text(name).lower()


def _save_converted_lead(
    projection: Projection, deal: Deal, account: Account, chance: random.Random
) -> None:
    lead_id = salesforce_id("00Q", projection.seed, "deal", deal.key)
    contact_id = salesforce_id("003", projection.seed, "lead", deal.key)
    converted_at = whole_second(deal.created_at)
    created_at = converted_at - timedelta(
        days=chance.randint(2, 60), seconds=chance.randint(0, 9999)
    )
    row = _lead_row(
        projection,
        lead_id,
        account.name,
        account.country,
        chance,
        source=deal.lead_source,
        account=account,
    )
    owner_id = row["OwnerId"]
    person = User(
        key=deal.key,
        account_key=account.key,
        first_name=row["FirstName"],
        last_name=row["LastName"],
        email=row["Email"],
        title=row["Title"],
        signed_up_at=converted_at,
        left_at=None,
        engagement=0.0,
    )
    _save_contact(projection, contact_id, person, person.email, [(converted_at, {})])
    conversion = {
        "Status": "Closed - Converted",
        "IsUnreadByOwner": "false",
        "IsConverted": "true",
        "ConvertedDate": converted_at.date().isoformat(),
        "ConvertedAccountId": projection.account_ref(account.key, converted_at),
        "ConvertedContactId": contact_id,
        "ConvertedOpportunityId": opportunity_id(projection.seed, deal.key),
    }
    projection.crm.save(
        "Lead", created_at, row | projection.audit(created_at, created_at, owner_id)
    )
    projection.crm.save(
        "Lead",
        converted_at,
        row | conversion | projection.audit(created_at, converted_at, owner_id),
    )


def _save_lost_lead(
    projection: Projection, deal: Deal, attempt: int, chance: random.Random
) -> None:
    lead_id = salesforce_id("00Q", projection.seed, "lost", deal.key, attempt)
    country = chance.choice(_LEAD_COUNTRIES)
    name = chance.choice(COUNTRIES[country].last_names)
    company_name = f"{name} {chance.choice(COUNTRIES[country].trades)}"
    source = chance.choice(("Web", "Web", "Purchased List", "Phone Inquiry", "Other"))
    row = _lead_row(projection, lead_id, company_name, country, chance, source=source)
    created_at = whole_second(deal.created_at) + timedelta(
        days=chance.randint(-40, 40), seconds=chance.randint(0, 80_000)
    )
    created_at = max(created_at, whole_second(projection.company.start_at) - timedelta(days=30))
    steps: list[tuple[int, dict[str, str]]] = [(0, {})]
    if chance.random() < 0.7:
        steps.append((4, {"Status": "Working - Contacted", "IsUnreadByOwner": "false"}))
    if chance.random() < 0.6:
        steps.append((30, {"Status": "Closed - Not Converted", "IsUnreadByOwner": "false"}))
    if chance.random() < 0.02:
        steps.append((60, {"IsDeleted": "true"}))
    for days, change in steps:
        saved_at = created_at + timedelta(days=days)
        row = row | change
        projection.crm.save(
            "Lead", saved_at, row | projection.audit(created_at, saved_at, row["OwnerId"])
        )
