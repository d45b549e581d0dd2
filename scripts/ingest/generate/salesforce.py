"""The company as Salesforce keeps it: every version of every record, before any file is written.

A version is a whole row and the instant of the save that made it (`SystemModstamp`). Whatever
changes under an account also refreshes the account's own `SystemModstamp`, as a roll-up field does.
Fields, enums and formats: Salesforce's object reference and the Bulk API 2.0 query results.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from ingest.generate.ids import account_salesforce_id, salesforce_id, salesforce_sequence_id
from ingest.generate.records import Account, Company, Deal, Rep, StageChange, User

STAGES = (
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Id. Decision Makers",
    "Perception Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
)
FORECAST_NAMES = {
    "Omitted": "Omitted",
    "Pipeline": "Pipeline",
    "BestCase": "Best Case",
    "MostLikely": "Most Likely",
    "Forecast": "Commit",
    "Closed": "Closed",
}
AUDIT = "CreatedDate CreatedById LastModifiedDate LastModifiedById SystemModstamp"
COLUMNS: dict[str, tuple[str, ...]] = {
    name: tuple(columns.split())
    for name, columns in {
        "Account": (
            "Id IsDeleted MasterRecordId Name Type ParentId BillingStreet BillingCity BillingState "
            "BillingPostalCode BillingCountry Phone Fax Website Industry AnnualRevenue "
            f"NumberOfEmployees Description CurrencyIsoCode OwnerId {AUDIT} LastActivityDate "
            "AccountSource Customer_Status__c Health_Score__c Legacy_Segment__c Renewal_Risk__c"
        ),
        "Contact": (
            "Id IsDeleted MasterRecordId AccountId LastName FirstName Salutation Name MailingCity "
            "MailingCountry Phone Fax MobilePhone Email Title Department LeadSource OwnerId "
            f"HasOptedOutOfEmail {AUDIT} EmailBouncedReason EmailBouncedDate IsEmailBounced"
        ),
        "Lead": (
            "Id IsDeleted MasterRecordId LastName FirstName Name Title Company City Country Phone "
            "Email Website LeadSource Status Industry Rating NumberOfEmployees OwnerId IsConverted "
            "ConvertedDate ConvertedAccountId ConvertedContactId ConvertedOpportunityId "
            f"IsUnreadByOwner {AUDIT}"
        ),
        "Opportunity": (
            "Id IsDeleted AccountId Name StageName Amount Probability ExpectedRevenue CloseDate "
            "Type NextStep LeadSource IsClosed IsWon ForecastCategory ForecastCategoryName "
            f"HasOpportunityLineItem CurrencyIsoCode OwnerId {AUDIT} FiscalQuarter FiscalYear "
            "Fiscal PushCount LastStageChangeDate Loss_Reason__c Competitor__c"
        ),
        "OpportunityHistory": (
            "Id IsDeleted OpportunityId CreatedById CreatedDate StageName Amount ExpectedRevenue "
            "CloseDate Probability ForecastCategory CurrencyIsoCode PrevAmount PrevCloseDate "
            "SystemModstamp"
        ),
        "OpportunityFieldHistory": (
            "Id IsDeleted OpportunityId CreatedById CreatedDate Field OldValue NewValue"
        ),
        "OpportunityLineItem": (
            "Id IsDeleted OpportunityId Product2Id ProductCode PricebookEntryId Name Quantity "
            f"UnitPrice ListPrice TotalPrice Discount ServiceDate CurrencyIsoCode {AUDIT}"
        ),
        "Product2": (
            f"Id IsDeleted Name ProductCode Description IsActive Family StockKeepingUnit {AUDIT}"
        ),
        "User": (
            "Id Username LastName FirstName Name Email Alias CommunityNickname Title Department "
            "IsActive TimeZoneSidKey LocaleSidKey LanguageLocaleKey EmailEncodingKey ProfileId "
            f"UserType ReceivesInfoEmails ReceivesAdminInfoEmails LastLoginDate {AUDIT}"
        ),
    }.items()
}

_INDUSTRY_CITIES = ("Springfield", "Lakeside", "Porto Novo", "Old Harbour", "Northgate", "Ferris")
_FIRST_NAMES = ("Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Iker", "Jun")
_LAST_NAMES = ("Abreu", "Bosch", "Castellan", "Dvořák", "Eriksen", "Fujita", "Grant", "Håkansson")
_PRODUCTS = (
    ("Workspace seat", "WS-SEAT", "Seats", True),
    ("Business seat", "WS-BIZ", "Seats", True),
    ("Enterprise seat", "WS-ENT", "Seats", True),
    ("E-signatures", "ADD-SIGN", "Add-ons", True),
    ("OCR pack", "ADD-OCR", "Add-ons", True),
    ("Onboarding", "SVC-ONB", "Services", True),
    ("Desktop licence", "OLD-DESK", "Seats", False),
)


@dataclass(frozen=True, slots=True)
class Version:
    """A record as one save left it."""

    saved_at: datetime
    row: Mapping[str, str]


Records = dict[str, list[Version]]


@dataclass(slots=True)
class Crm:
    """Every object's records by Id, each with its versions in the order they were saved."""

    records: dict[str, Records] = field(
        default_factory=lambda: {name: defaultdict(list) for name in COLUMNS}
    )
    duplicate_account_ids: list[str] = field(default_factory=list)

    def save(self, object_name: str, saved_at: datetime, row: Mapping[str, str]) -> None:
        """Adds a version."""
        self.records[object_name][row["Id"]].append(Version(saved_at, row))


def timestamp(value: datetime) -> str:
    """A date-time as the Bulk API writes it; Salesforce saves whole seconds."""
    return f"{value:%Y-%m-%dT%H:%M:%S}.000Z"


def number(value: Decimal | float | None) -> str:
    """A number as the API writes it: plain, with at least one decimal."""
    if value is None:
        return ""
    text = f"{Decimal(str(value)).normalize():f}"
    return text if "." in text else f"{text}.0"


def flag(value: bool) -> str:
    """A boolean as the API writes it."""
    return "true" if value else "false"


def saved_history(deal: Deal) -> tuple[StageChange, ...]:
    """A deal's saves; some are entered without an amount, which follows within the same second."""
    first = deal.history[0]
    if deal.key % 7 != 3 or first.amount is None:
        return deal.history
    return (replace(first, amount=None), *deal.history)


def opportunity_id(seed: int, deal_key: int) -> str:
    """The Opportunity id of a deal."""
    return salesforce_id("006", seed, "deal", deal_key)


def _whole_second(value: datetime) -> datetime:
    return value.replace(microsecond=0)


class _Projection:
    """What the builders of the single objects share: look-ups, and the accounts' touches."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.seed = company.seed
        self.crm = Crm()
        self.accounts = {account.key: account for account in company.accounts}
        self.reps = {rep.key: rep for rep in company.reps}
        self.lifecycles = {life.account_key: life for life in company.lifecycles}
        self.touches: dict[int, set[datetime]] = defaultdict(set)
        self.admin_id = salesforce_id("005", self.seed, "admin")
        for account in company.accounts:
            if account.merged_into_key is not None and account.merged_at is not None:
                self.touches[account.merged_into_key].add(_whole_second(account.merged_at))

    def chance(self, *key: object) -> random.Random:
        return random.Random(f"{self.seed}/salesforce/{'/'.join(map(str, key))}")

    def rep_id(self, rep_key: int) -> str:
        return salesforce_id("005", self.seed, "rep", rep_key)

    def owner_after(self, rep_key: int, moment: datetime, *key: object) -> int:
        """The rep's own key, or, for records that were handed over, who has them at a moment."""
        rep = self.reps[rep_key]
        if rep.left_at is None or moment < self.handed_over_at(rep):
            return rep_key
        chance = self.chance("handover", rep_key, *key)
        heirs = [other.key for other in self.company.reps if other.left_at is None]
        return chance.choice(heirs) if heirs and chance.random() < 0.5 else rep_key

    @staticmethod
    def handed_over_at(rep: Rep) -> datetime:
        return _whole_second((rep.left_at or datetime.max - timedelta(days=9)) + timedelta(days=3))

    def account_at(self, account_key: int, moment: datetime) -> Account:
        """The account that holds the children of another one at a moment: mergers move them."""
        account = self.accounts[account_key]
        seen = set()
        while (
            account.merged_into_key is not None
            and account.merged_at is not None
            and _whole_second(account.merged_at) <= moment
            and account.key not in seen
        ):
            seen.add(account.key)
            account = self.accounts[account.merged_into_key]
        return account

    def account_ref(self, account_key: int, moment: datetime) -> str:
        """The Account id that a child saved now carries; the account is touched by the save."""
        account = self.account_at(account_key, moment)
        self.touches[account.key].add(moment)
        return account_salesforce_id(self.seed, account.key)

    def audit(self, created_at: datetime, saved_at: datetime, owner_id: str) -> dict[str, str]:
        return {
            "CreatedDate": timestamp(created_at),
            "CreatedById": self.admin_id,
            "LastModifiedDate": timestamp(saved_at),
            "LastModifiedById": owner_id,
            "SystemModstamp": timestamp(saved_at),
        }


def build_crm(company: Company) -> Crm:
    """Every version of every Salesforce record of a company."""
    projection = _Projection(company)
    _add_users(projection)
    _add_products(projection)
    _add_contacts(projection)
    _add_opportunities(projection)
    _add_leads(projection)
    _add_accounts(projection)
    return projection.crm


def _add_users(projection: _Projection) -> None:
    company = projection.company
    first_day = _whole_second(company.start_at) - timedelta(days=400)
    people = [
        (projection.admin_id, "Integration", "User", "integration", first_day, None),
        *(
            (
                projection.rep_id(rep.key),
                rep.first_name,
                rep.last_name,
                rep.email,
                _whole_second(rep.started_at),
                rep.left_at,
            )
            for rep in company.reps
        ),
    ]
    for user_id, first_name, last_name, email, started_at, left_at in people:
        address = email if "@" in email else f"{email}@crm.example"
        created_at = min(started_at, company.end_at)
        for saved_at, is_active in ((created_at, True), (left_at, False)):
            if saved_at is None:
                continue
            projection.crm.save(
                "User",
                _whole_second(saved_at),
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
                    "TimeZoneSidKey": "America/Los_Angeles",
                    "LocaleSidKey": "en_US",
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


def _add_products(projection: _Projection) -> None:
    created_at = _whole_second(projection.company.start_at) - timedelta(days=380)
    midway = created_at + (projection.company.end_at - created_at) / 2
    for name, code, family, stays_active in _PRODUCTS:
        saves = [(created_at, True)] if stays_active else [(created_at, True), (midway, False)]
        for saved_at, is_active in saves:
            projection.crm.save(
                "Product2",
                _whole_second(saved_at),
                {
                    "Id": _product_id(projection, code),
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


def _product_id(projection: _Projection, code: str) -> str:
    return salesforce_id("01t", projection.seed, code)


def _add_contacts(projection: _Projection) -> None:
    for user in projection.company.users:
        account = projection.accounts[user.account_key]
        chance = projection.chance("contact", user.key)
        if not account.in_salesforce or user.is_internal or chance.random() > 0.65:
            continue
        created_at = _whole_second(
            max(account.created_at, user.signed_up_at - timedelta(days=chance.randint(0, 30)))
        )
        email = user.email if chance.random() > 0.04 else f"{user.email.split('@')[0]}@gmail.com"
        saves: list[tuple[datetime, dict[str, str]]] = [(created_at, {})]
        if user.left_at is not None and chance.random() < 0.4:
            bounced_at = _whole_second(max(user.left_at, created_at) + timedelta(days=9))
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
    projection: _Projection,
    contact_id: str,
    person: User,
    email: str,
    saves: list[tuple[datetime, dict[str, str]]],
) -> None:
    """Saves a contact's versions, and the one that a merger of its account makes."""
    account = projection.accounts[person.account_key]
    created_at = saves[0][0]
    if account.merged_at is not None and account.merged_at > created_at:
        saves.append((_whole_second(account.merged_at), {}))
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


def _add_opportunities(projection: _Projection) -> None:
    histories: list[tuple[datetime, int, int, dict[str, str], datetime | None]] = []
    trails: list[tuple[datetime, int, int, dict[str, str]]] = []
    for deal in projection.company.deals:
        if not projection.accounts[deal.account_key].in_salesforce:
            continue
        _save_opportunity(projection, deal)
        _save_line_items(projection, deal)
        deleted_at = _whole_second(deal.deleted_at) if deal.deleted_at else None
        histories += [
            (saved_at, deal.key, position, row, deleted_at)
            for position, (saved_at, row) in enumerate(_history_rows(projection, deal))
        ]
        trails += [
            (saved_at, deal.key, position, row)
            for position, (saved_at, row) in enumerate(_field_history_rows(projection, deal))
        ]
    histories.sort(key=lambda item: item[:3])
    for running, (saved_at, _, _, row, deleted_at) in enumerate(histories, 1):
        full = {"Id": salesforce_sequence_id("008", running), "IsDeleted": "false", **row}
        projection.crm.save("OpportunityHistory", saved_at, full)
        if deleted_at is not None:
            stamp = {"IsDeleted": "true", "SystemModstamp": timestamp(deleted_at)}
            projection.crm.save("OpportunityHistory", deleted_at, full | stamp)
    trails.sort(key=lambda item: item[:3])
    for running, (saved_at, _, _, row) in enumerate(trails, 1):
        full = {"Id": salesforce_sequence_id("017", running), "IsDeleted": "false", **row}
        projection.crm.save("OpportunityFieldHistory", saved_at, full)


def _forecast(change: StageChange) -> str:
    """The API value of the forecast category, which closing decides."""
    if change.stage_name == "Closed Won":
        return "Closed"
    if change.stage_name == "Closed Lost":
        return "Omitted"
    names = {label: value for value, label in FORECAST_NAMES.items()}
    return names.get(change.forecast_category, change.forecast_category)


def _expected(change: StageChange) -> Decimal | None:
    if change.amount is None:
        return None
    return round(change.amount * change.probability / 100, 2)


def _saves(projection: _Projection, deal: Deal) -> Iterator[tuple[datetime, StageChange, bool]]:
    """Every save of a deal: its own history, a handover, a merger of its account, its deletion."""
    rep = projection.reps[deal.owner_key]
    account = projection.accounts[deal.account_key]
    extra: list[tuple[datetime, bool]] = []
    if rep.left_at is not None:
        extra.append((projection.handed_over_at(rep), False))
    if account.merged_at is not None:
        extra.append((_whole_second(account.merged_at), False))
    deleted_at = _whole_second(deal.deleted_at) if deal.deleted_at else datetime.max
    saves: list[tuple[datetime, int, StageChange | None, bool]] = [
        (_whole_second(change.changed_at), position, change, False)
        for position, change in enumerate(saved_history(deal))
    ]
    saves += [(moment, len(saves), None, False) for moment, _ in extra if moment > deal.created_at]
    if deal.deleted_at:
        saves.append((deleted_at, len(saves), None, True))
    current = saved_history(deal)[0]
    for saved_at, _, change, is_deleted in sorted(saves, key=lambda save: save[:2]):
        if saved_at > deleted_at:
            return
        current = change or current
        yield saved_at, current, is_deleted


def _save_opportunity(projection: _Projection, deal: Deal) -> None:
    created_at = _whole_second(deal.created_at)
    pushes, close_date = 0, deal.history[0].close_date
    stage, stage_since = deal.history[0].stage_name, created_at
    for saved_at, state, is_deleted in _saves(projection, deal):
        pushes += (state.close_date.year, state.close_date.month) > (
            close_date.year,
            close_date.month,
        )
        close_date = state.close_date
        if state.stage_name != stage:
            stage, stage_since = state.stage_name, saved_at
        is_won = stage == "Closed Won"
        is_closed = is_won or stage == "Closed Lost"
        forecast = _forecast(state)
        quarter = (close_date.month + 2) // 3
        owner_id = projection.rep_id(projection.owner_after(deal.owner_key, saved_at, deal.key))
        projection.crm.save(
            "Opportunity",
            saved_at,
            {
                "Id": opportunity_id(projection.seed, deal.key),
                "IsDeleted": flag(is_deleted),
                "AccountId": projection.account_ref(deal.account_key, saved_at),
                "Name": deal.name,
                "StageName": stage,
                "Amount": number(state.amount),
                "Probability": number(state.probability),
                "ExpectedRevenue": number(_expected(state)),
                "CloseDate": close_date.isoformat(),
                "Type": deal.deal_type,
                "NextStep": "" if is_closed else f"After {stage}",
                "LeadSource": deal.lead_source,
                "IsClosed": flag(is_closed),
                "IsWon": flag(is_won),
                "ForecastCategory": forecast,
                "ForecastCategoryName": FORECAST_NAMES[forecast],
                "HasOpportunityLineItem": flag(_has_line_items(deal) and state.amount is not None),
                "CurrencyIsoCode": deal.currency,
                "OwnerId": owner_id,
                **projection.audit(created_at, saved_at, owner_id),
                "FiscalQuarter": str(quarter),
                "FiscalYear": str(close_date.year),
                "Fiscal": f"{close_date.year} {quarter}",
                "PushCount": str(pushes),
                "LastStageChangeDate": timestamp(stage_since),
                "Loss_Reason__c": (deal.loss_reason or "") if stage == "Closed Lost" else "",
                "Competitor__c": ("", "None", "In-house", "Paperfold")[deal.key % 4],
            },
        )


def _history_rows(projection: _Projection, deal: Deal) -> Iterator[tuple[datetime, dict[str, str]]]:
    previous: StageChange | None = None
    for change in saved_history(deal):
        saved_at = _whole_second(change.changed_at)
        if deal.deleted_at and saved_at > deal.deleted_at:
            return
        yield (
            saved_at,
            {
                "OpportunityId": opportunity_id(projection.seed, deal.key),
                "CreatedById": projection.rep_id(deal.owner_key),
                "CreatedDate": timestamp(saved_at),
                "StageName": change.stage_name,
                "Amount": number(change.amount),
                "ExpectedRevenue": number(_expected(change)),
                "CloseDate": change.close_date.isoformat(),
                "Probability": number(change.probability),
                "ForecastCategory": _forecast(change),
                "CurrencyIsoCode": deal.currency,
                "PrevAmount": number(previous.amount) if previous else "",
                "PrevCloseDate": previous.close_date.isoformat() if previous else "",
                "SystemModstamp": timestamp(saved_at),
            },
        )
        previous = change


def _field_history_rows(
    projection: _Projection, deal: Deal
) -> Iterator[tuple[datetime, dict[str, str]]]:
    """The tracked fields' changes; an owner change comes as two rows, names and then ids."""
    common = {
        "OpportunityId": opportunity_id(projection.seed, deal.key),
        "CreatedById": projection.rep_id(deal.owner_key),
    }
    previous: tuple[StageChange, int] | None = None
    for saved_at, state, is_deleted in _saves(projection, deal):
        row = common | {"CreatedDate": timestamp(saved_at)}
        owner_key = projection.owner_after(deal.owner_key, saved_at, deal.key)
        if previous is None:
            yield saved_at, row | {"Field": "created"}
        elif not is_deleted:
            old, old_owner = previous
            changes = [
                ("StageName", old.stage_name, state.stage_name),
                ("Amount", number(old.amount), number(state.amount)),
                ("CloseDate", old.close_date.isoformat(), state.close_date.isoformat()),
                ("Owner", _rep_name(projection, old_owner), _rep_name(projection, owner_key)),
                ("Owner", projection.rep_id(old_owner), projection.rep_id(owner_key)),
            ]
            for name, old_value, new_value in changes:
                if old_value != new_value:
                    values = {"Field": name, "OldValue": old_value, "NewValue": new_value}
                    yield saved_at, row | values
        previous = state, owner_key


def _rep_name(projection: _Projection, rep_key: int) -> str:
    rep = projection.reps[rep_key]
    return f"{rep.first_name} {rep.last_name}"


def _has_line_items(deal: Deal) -> bool:
    return deal.key % 10 < 7


def _save_line_items(projection: _Projection, deal: Deal) -> None:
    """Two lines, seats and an add-on, that make up the amount after each save that changes it."""
    if not _has_line_items(deal):
        return
    added_at: datetime | None = None
    amount: Decimal | None = None
    codes = (_PRODUCTS[deal.key % 3][1], _PRODUCTS[3 + deal.key % 2][1])
    for saved_at, state, is_deleted in _saves(projection, deal):
        if state.amount is None or (state.amount == amount and not is_deleted):
            continue
        amount = state.amount
        added_at = added_at or saved_at
        seats = max(deal.key % 40, 2)
        seat_price = round(amount * Decimal("0.85") / seats, 2)
        seats_total = seat_price * seats
        lines = (
            (codes[0], seats, seat_price, seats_total),
            (codes[1], 1, amount - seats_total, amount - seats_total),
        )
        for position, (code, quantity, unit_price, total) in enumerate(lines):
            projection.crm.save(
                "OpportunityLineItem",
                saved_at,
                {
                    "Id": salesforce_id("00k", projection.seed, deal.key, position),
                    "IsDeleted": flag(is_deleted),
                    "OpportunityId": opportunity_id(projection.seed, deal.key),
                    "Product2Id": _product_id(projection, code),
                    "ProductCode": code,
                    "PricebookEntryId": salesforce_id("01u", projection.seed, code, deal.currency),
                    "Name": f"{deal.name} {code}",
                    "Quantity": number(quantity),
                    "UnitPrice": number(unit_price),
                    "ListPrice": number(unit_price),
                    "TotalPrice": number(total),
                    "ServiceDate": state.close_date.isoformat(),
                    "CurrencyIsoCode": deal.currency,
                    **projection.audit(added_at, saved_at, projection.rep_id(deal.owner_key)),
                },
            )


def _add_leads(projection: _Projection) -> None:
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
    projection: _Projection,
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
        "City": chance.choice(_INDUSTRY_CITIES),
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
    projection: _Projection, deal: Deal, account: Account, chance: random.Random
) -> None:
    lead_id = salesforce_id("00Q", projection.seed, "deal", deal.key)
    contact_id = salesforce_id("003", projection.seed, "lead", deal.key)
    first_name, last_name = _person(chance)
    converted_at = _whole_second(deal.created_at)
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
    projection: _Projection, deal: Deal, attempt: int, chance: random.Random
) -> None:
    lead_id = salesforce_id("00Q", projection.seed, "lost", deal.key, attempt)
    first_name, last_name = _person(chance)
    company_name = f"{chance.choice(_LAST_NAMES)} {chance.choice(('Works', 'Partners', 'Group'))}"
    row = _lead_row(projection, lead_id, (first_name, last_name, company_name), chance)
    created_at = _whole_second(deal.created_at) + timedelta(
        days=chance.randint(-40, 40), seconds=chance.randint(0, 80_000)
    )
    created_at = max(created_at, _whole_second(projection.company.start_at) - timedelta(days=30))
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


def _add_accounts(projection: _Projection) -> None:
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


def _account_row(projection: _Projection, account: Account) -> dict[str, str]:
    chance = projection.chance("account", account.key)
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
        "BillingCity": chance.choice(_INDUSTRY_CITIES),
        "BillingPostalCode": f"{chance.randint(10_000, 99_999)}",
        "BillingCountry": account.country,
        "Phone": f"+1 555 01{chance.randint(0, 99):02d}",
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
    projection: _Projection, account: Account
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


def _save_account(projection: _Projection, account: Account) -> None:
    created_at = _whole_second(account.created_at)
    events: dict[datetime, dict[str, str] | None] = {}
    for moment, change in _account_changes(projection, account):
        saved_at = max(_whole_second(moment), created_at)
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


def _save_twin(projection: _Projection, account: Account) -> None:
    """A second record of an account that somebody entered again and nobody merged."""
    twin_id = salesforce_id("001", projection.seed, "twin", account.key)
    entered_at = _whole_second(account.created_at) + timedelta(days=21, hours=2)
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
