"""Salesforce's contacts and leads, with their versions."""

import random
from datetime import datetime, timedelta

from ingest.generate.crm import CITIES, Projection, flag, opportunity_id, timestamp, whole_second
from ingest.generate.ids import salesforce_id
from ingest.generate.records import Account, Deal, User

_FIRST_NAMES = ("Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Iker", "Jun")
_LAST_NAMES = ("Abreu", "Bosch", "Castellan", "Dvořák", "Eriksen", "Fujita", "Grant", "Håkansson")


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
                "Phone": f"+1 555 01{person.key % 100:02d}",
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
        if "new" in deal.deal_type.lower() and chance.random() < 0.6:
            _save_converted_lead(projection, deal, account, chance)
        for attempt in range(chance.choice((1, 1, 2))):
            _save_lost_lead(projection, deal, attempt, chance)


def _lead_row(
    projection: Projection,
    lead_id: str,
    names: tuple[str, str, str],
    chance: random.Random,
    account: Account | None = None,
) -> dict[str, str]:
    first_name, last_name, company_name = names
    domain = account.domain if account else f"{company_name.split()[0].lower()}.example"
    owner_key = account.owner_key if account else chance.choice(projection.company.reps).key
    return {
        "Id": lead_id,
        "IsDeleted": "false",
        "LastName": last_name,
        "FirstName": first_name,
        "Name": f"{first_name} {last_name}",
        "Title": chance.choice(("Operations Manager", "Head of Legal", "Office Manager", "CFO")),
        "Company": company_name,
        "City": chance.choice(CITIES),
        "Country": account.country if account else chance.choice(("US", "DE", "GB", "JP")),
        "Email": f"{first_name}.{last_name}@{domain}".lower(),
        "Website": f"https://www.{domain}",
        "LeadSource": chance.choice(("Web", "Phone Inquiry", "Partner Referral", "Other")),
        "Status": "Open - Not Contacted",
        "Industry": account.industry if account else "",
        "Rating": chance.choice(("Hot", "Warm", "Cold")),
        "NumberOfEmployees": str(account.employee_count if account else chance.randint(3, 900)),
        "OwnerId": projection.rep_id(owner_key),
        "IsConverted": "false",
        "IsUnreadByOwner": "true",
    }


def _person(chance: random.Random) -> tuple[str, str]:
    return chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)


def _save_converted_lead(
    projection: Projection, deal: Deal, account: Account, chance: random.Random
) -> None:
    lead_id = salesforce_id("00Q", projection.seed, "deal", deal.key)
    contact_id = salesforce_id("003", projection.seed, "lead", deal.key)
    first_name, last_name = _person(chance)
    converted_at = whole_second(deal.created_at)
    created_at = converted_at - timedelta(
        days=chance.randint(2, 60), seconds=chance.randint(0, 9999)
    )
    row = _lead_row(projection, lead_id, (first_name, last_name, account.name), chance, account)
    owner_id = row["OwnerId"]
    person = User(
        key=deal.key,
        account_key=account.key,
        first_name=first_name,
        last_name=last_name,
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
    first_name, last_name = _person(chance)
    company_name = f"{chance.choice(_LAST_NAMES)} {chance.choice(('Works', 'Partners', 'Group'))}"
    row = _lead_row(projection, lead_id, (first_name, last_name, company_name), chance)
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
