"""Standard fields of Salesforce's objects, by kind; the table is named as the object.

Source: Salesforce's standard schema as jsforce carries it, and what the Data Export service adds.
Compound fields (BillingAddress) repeat their parts and are not declared. `required` names the
columns without which no figure can use a record, `wanted` those that some figures need.
"""

TABLES: dict[str, dict[str, str]] = {
    "Account": {
        "required": "Id",
        "wanted": "Name Website OwnerId CreatedDate SystemModstamp",
        "text": """
            Id MasterRecordId Name Type ParentId BillingStreet BillingCity BillingState
            BillingPostalCode BillingCountry BillingGeocodeAccuracy ShippingStreet ShippingCity
            ShippingState ShippingPostalCode ShippingCountry ShippingGeocodeAccuracy Phone Fax
            Website PhotoUrl Industry Description OwnerId CreatedById LastModifiedById Jigsaw
            JigsawCompanyId AccountSource SicDesc CurrencyIsoCode
        """,
        "boolean": "IsDeleted IsCustomerPortal",
        "decimal": """
            BillingLatitude BillingLongitude ShippingLatitude ShippingLongitude AnnualRevenue
            NumberOfEmployees
        """,
        "day": "LastActivityDate",
        "instant": """
            CreatedDate LastModifiedDate SystemModstamp LastViewedDate LastReferencedDate
        """,
    },
    "Contact": {
        "required": "Id",
        "wanted": "AccountId Email",
        "text": """
            Id MasterRecordId AccountId LastName FirstName Salutation Name OtherStreet OtherCity
            OtherState OtherPostalCode OtherCountry OtherGeocodeAccuracy MailingStreet
            MailingCity MailingState MailingPostalCode MailingCountry MailingGeocodeAccuracy
            Phone Fax MobilePhone HomePhone OtherPhone AssistantPhone ReportsToId Email Title
            Department AssistantName LeadSource Description OwnerId CreatedById LastModifiedById
            EmailBouncedReason PhotoUrl Jigsaw JigsawContactId IndividualId
        """,
        "boolean": """
            IsDeleted HasOptedOutOfEmail HasOptedOutOfFax DoNotCall CanAllowPortalSelfReg
            IsEmailBounced
        """,
        "decimal": "OtherLatitude OtherLongitude MailingLatitude MailingLongitude",
        "day": "Birthdate LastActivityDate",
        "instant": """
            CreatedDate LastModifiedDate SystemModstamp LastCURequestDate LastCUUpdateDate
            LastViewedDate LastReferencedDate EmailBouncedDate
        """,
    },
    "Lead": {
        "required": "Id",
        "wanted": "Status IsConverted ConvertedDate ConvertedOpportunityId LeadSource CreatedDate",
        "text": """
            Id MasterRecordId LastName FirstName Salutation Name Title Company Street City State
            PostalCode Country GeocodeAccuracy Phone Email Website PhotoUrl Description
            LeadSource Status Industry Rating OwnerId ConvertedAccountId ConvertedContactId
            ConvertedOpportunityId CreatedById LastModifiedById Jigsaw JigsawContactId
            EmailBouncedReason IndividualId
        """,
        "boolean": "IsDeleted IsConverted IsUnreadByOwner",
        "decimal": "Latitude Longitude AnnualRevenue NumberOfEmployees",
        "day": "ConvertedDate LastActivityDate",
        "instant": """
            CreatedDate LastModifiedDate SystemModstamp LastViewedDate LastReferencedDate
            EmailBouncedDate
        """,
    },
    "Opportunity": {
        "required": "Id StageName CloseDate",
        "wanted": """
            AccountId Amount CreatedDate IsClosed IsWon OwnerId Probability SystemModstamp
        """,
        "text": """
            Id AccountId Name Description StageName Type NextStep LeadSource ForecastCategory
            ForecastCategoryName CampaignId Pricebook2Id OwnerId CreatedById LastModifiedById
            Fiscal CurrencyIsoCode ContactId ContractId LastAmountChangedHistoryId
            LastCloseDateChangedHistoryId RecordTypeId
        """,
        "boolean": """
            IsDeleted IsClosed IsWon HasOpportunityLineItem HasOpenActivity HasOverdueTask
            IsPrivate
        """,
        "decimal": """
            Amount FiscalQuarter FiscalYear StageSortOrder ExpectedRevenue
            TotalOpportunityQuantity PushCount
        """,
        "percent": "Probability",
        "day": "CloseDate LastActivityDate",
        "instant": """
            CreatedDate LastModifiedDate SystemModstamp LastViewedDate LastReferencedDate
            LastStageChangeDate
        """,
    },
    "OpportunityHistory": {
        "required": "Id OpportunityId CreatedDate StageName",
        "wanted": "Amount CloseDate ForecastCategory Probability",
        "text": """
            Id OpportunityId CreatedById StageName ForecastCategory FromForecastCategory
            FromOpportunityStageName CurrencyIsoCode
        """,
        "boolean": "IsDeleted",
        "decimal": "Amount ExpectedRevenue PrevAmount",
        "percent": "Probability",
        "day": "CloseDate PrevCloseDate",
        "instant": """
            CreatedDate SystemModstamp CreatedDateForInsert PrevForecastUpdate
            PrevOpportunityStageUpdate ValidThroughDate
        """,
    },
    "OpportunityFieldHistory": {
        "required": "Id OpportunityId CreatedDate Field",
        "wanted": "OldValue NewValue",
        "text": "Id OpportunityId CreatedById Field OldValue NewValue",
        "boolean": "IsDeleted",
        "instant": "CreatedDate",
    },
    "OpportunityLineItem": {
        "required": "Id OpportunityId",
        "wanted": "Product2Id Quantity TotalPrice",
        "text": """
            Id OpportunityId Product2Id ProductCode PricebookEntryId Name Description
            CurrencyIsoCode CreatedById LastModifiedById
        """,
        "boolean": "IsDeleted",
        "decimal": "Quantity UnitPrice ListPrice TotalPrice",
        "percent": "Discount",
        "day": "ServiceDate",
        "instant": "CreatedDate LastModifiedDate SystemModstamp",
    },
    "Product2": {
        "required": "Id",
        "wanted": "Name Family",
        "text": """
            Id Name ProductCode Description Family StockKeepingUnit CreatedById LastModifiedById
        """,
        "boolean": "IsActive IsDeleted",
        "instant": "CreatedDate LastModifiedDate SystemModstamp",
    },
    "CurrencyType": {
        "required": "Id IsoCode ConversionRate",
        "wanted": "IsCorporate",
        "text": "Id IsoCode CreatedById LastModifiedById",
        "boolean": "IsActive IsCorporate",
        "decimal": "ConversionRate DecimalPlaces",
        "instant": "CreatedDate LastModifiedDate SystemModstamp",
    },
    "DatedConversionRate": {
        "required": "Id IsoCode StartDate ConversionRate",
        "text": "Id IsoCode CreatedById LastModifiedById",
        "decimal": "ConversionRate",
        "day": "StartDate NextStartDate",
        "instant": "CreatedDate LastModifiedDate SystemModstamp",
    },
    "User": {
        "required": "Id",
        "wanted": "Email IsActive",
        "text": """
            Id Username LastName FirstName Name CompanyName Division Department Title Street
            City State PostalCode Country GeocodeAccuracy Email Signature Phone Fax MobilePhone
            Alias CommunityNickname TimeZoneSidKey UserRoleId LocaleSidKey EmailEncodingKey
            ProfileId UserType LanguageLocaleKey EmployeeNumber DelegatedApproverId ManagerId
            CreatedById LastModifiedById ContactId AccountId CallCenterId Extension PortalRole
            FederationIdentifier AboutMe DigestFrequency DefaultGroupNotificationFrequency
            IndividualId
        """,
        "boolean": """
            IsActive ReceivesInfoEmails ReceivesAdminInfoEmails ForecastEnabled IsPortalEnabled
            IsPortalSelfRegistered IsProfilePhotoActive
        """,
        "decimal": "Latitude Longitude",
        "instant": """
            LastLoginDate LastPasswordChangeDate CreatedDate LastModifiedDate SystemModstamp
            LastViewedDate LastReferencedDate
        """,
    },
}
