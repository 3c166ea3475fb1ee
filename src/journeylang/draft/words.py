"""What tables and columns are called by those who make them."""

from __future__ import annotations

import re

# What layers of a warehouse put before or behind a name, and which of two is nearer to its end.
_LAYERS = {
    "fct": 4, "fact": 4, "dim": 4, "mart": 4, "marts": 4,
    "int": 2, "stg": 1, "staging": 1, "base": 1, "src": 0, "raw": 0, "tbl": 3, "vw": 3,
}  # fmt: skip

PEOPLE = {
    "customer": 6, "user": 5, "contact": 4, "subscriber": 4, "member": 4, "client": 4, "person": 4,
    "people": 4, "profile": 3, "account": 2, "guest": 2, "patient": 4, "donor": 4, "student": 4,
    "shopper": 4, "player": 4, "lead": 1,
}  # fmt: skip
"""Tables of people, in the singular, and how sure that is."""

WARES = ("product", "item", "sku", "article", "course", "plan", "listing", "offer")

CONSENTS = ("consent", "opt_in", "optin", "permission", "marketing_preference", "email_preference")

HAPPENED = {
    "order": "order_placed", "sale": "order_placed", "purchase": "purchased",
    "transaction": "transaction_made", "payment": "paid", "charge": "charged",
    "invoice": "invoiced", "refund": "refunded", "return": "returned",
    "signup": "signed_up", "sign_up": "signed_up", "registration": "registered",
    "login": "logged_in", "session": "session_started", "visit": "visited",
    "page": "page_viewed", "page_view": "page_viewed", "pageview": "page_viewed",
    "screen": "screen_viewed", "screen_view": "screen_viewed", "cart": "cart_changed",
    "abandoned_cart": "cart_abandoned", "abandoned_checkout": "cart_abandoned",
    "cart_abandonment": "cart_abandoned", "checkout": "checkout_started",
    "subscription": "subscribed", "booking": "booked", "reservation": "booked",
    "appointment": "appointment_made", "ticket": "ticket_opened", "review": "reviewed",
    "rating": "rated", "call": "call_made", "redemption": "code_redeemed", "visitor": "visited",
    "donation": "donated", "shipment": "shipped", "delivery": "parcel_delivered",
    "fulfillment": "fulfilled", "survey_response": "survey_answered", "referral": "referred",
    "download": "downloaded", "search": "searched", "wishlist_item": "wished",
}  # fmt: skip
"""Tables of what happened, in the singular, and the event that a row is."""

KEYS_OF_PEOPLE = (
    "customer_id", "customer_key", "customer_sk", "user_id", "userid", "customerid", "contact_id",
    "member_id", "subscriber_id", "client_id", "person_id", "profile_id", "account_id",
    "customer", "user_key", "buyer_id", "guest_id", "patient_id", "donor_id", "player_id",
)  # fmt: skip

MOMENTS = (
    "occurred_at", "happened_at", "event_at", "event_time", "event_timestamp", "placed_at",
    "ordered_at", "order_placed_at", "purchased_at", "processed_at", "completed_at", "paid_at",
    "signed_up_at", "registered_at", "abandoned_at", "viewed_at", "visited_at", "started_at",
    "opened_at", "submitted_at", "booked_at", "returned_at", "refunded_at", "redeemed_at",
    "called_at", "sent_at_utc", "timestamp", "ts", "occurred_on", "ordered_on", "order_date",
    "purchase_date", "transaction_date", "event_date", "created_at", "created", "create_date",
    "created_date", "date", "inserted_at",
)  # fmt: skip
"""Columns that say when something happened, the best first."""

LOADED = (
    "received_at", "loaded_at", "_loaded_at", "ingested_at", "_ingested_at", "_fivetran_synced",
    "_airbyte_extracted_at", "_airbyte_emitted_at", "_sdc_batched_at", "_dlt_loaded_at",
)  # fmt: skip
"""Columns that say when a row came, whoever brought it."""

CHANGED = ("updated_at", "modified_at", "last_modified", "last_updated", "changed_at",
           "updated_on", "date_updated", "last_modified_at", "row_updated_at")  # fmt: skip

GONE = ("deleted_at", "removed_at", "anonymised_at", "anonymized_at", "erased_at", "deletion_date")
GONE_FLAGS = ("is_deleted", "deleted", "_fivetran_deleted", "is_anonymized", "is_anonymised",
              "_airbyte_is_deleted", "_sdc_deleted")  # fmt: skip
CANCELLED = ("cancelled_at", "canceled_at", "voided_at")
TESTS = ("test", "is_test", "is_test_order", "test_order")

EMAIL = ("email", "email_address", "e_mail", "mail", "contact_email", "customer_email")
MOBILE = ("mobile", "mobile_e164", "mobile_number", "mobile_phone", "phone_e164", "phone_number",
          "phone", "msisdn", "cell", "cell_phone", "telephone", "tel")  # fmt: skip
PUSH = ("push_token", "device_token", "fcm_token", "apns_token", "push_id")
ZONE = ("timezone", "time_zone", "tz", "timezone_name", "iana_timezone", "context_timezone")
LOCALE = ("locale", "language", "lang", "preferred_language", "preferred_locale", "context_locale",
          "language_code", "customer_locale")  # fmt: skip
CURRENCY = ("currency", "currency_code", "presentment_currency", "order_currency", "iso_currency")

AMOUNT = re.compile(
    r"(^|_)(total|amount|price|revenue|value|spend|spent|subtotal|sum|cost|fee|discounts?|tax"
    r"|refunded|balance|turnover|sales|ltv|clv|gmv|aov)(_|$)"
)
NO_AMOUNT = re.compile(
    r"(^|_)(id|count|number|qty|quantity|items?|units?|score|rate|percent|pct|ratio|type|points?"
    r"|days?|position|rank|status|name|currency)(_|$)"
)
CENTS = re.compile(r"(^|_)(cents?|minor|pennies|pence)(_|$)")

PERSONAL = re.compile(
    r"(^|_)(e?_?mail|phone|mobile|telephone|fax|msisdn|cell)(_?(address|number))?$"
    r"|(^|_)(first|last|middle|full|family|given|sur|maiden|nick|display|user|contact|customer)"
    r"_?name(_|$)|^name$"
    r"|(^|_)(street|address\d?|addr|house|zip|zipcode|postal|postcode|birth|birthday|birthdate|dob"
    r"|born|ssn|passport|iban|bic|tax_id|vat|ip|lat|latitude|lon|lng|longitude|token|device_id"
    r"|cookie|anonymous|fingerprint|avatar|photo|signature|comments?|notes?|message|text|body"
    r"|handle|url|referrer)(_|$)"
)
"""Names behind which a person may be: rather one too many, since it only keeps out of reports."""

MACHINERY = re.compile(
    r"^(context_|_fivetran|_airbyte|_sdc_|_dlt|_rivery|__|_loaded|_ingested|_etl|_dbt|dbt_"
    r"|uuid_ts$|original_timestamp$|sent_at$|loaded_at$|received_at$|event_text$|metafields?$)"
)
"""Columns that loaders write for themselves."""

YES = ("granted", "opt_in", "optin", "opted_in", "opt-in", "subscribed", "confirmed", "yes",
       "true", "active", "accepted", "given", "allow", "allowed", "in", "1", "y")  # fmt: skip


def snake(name: str) -> str:
    """`createdAt`, `Order Id` and `ORDER-ID` as a name of the language; may be empty."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    words = re.findall(r"[a-z0-9]+", apart.lower())
    found = "_".join(words)
    return found if not found or found[0].isalpha() else f"n_{found}"


def singular(word: str) -> str:
    """`categories` as `category`, `purchases` as `purchase`, `addresses` as `address`."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(ss|x|ch|sh)es$", word):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def stem(table: str) -> str:
    """`fct_orders` and `OrdersFact` as `order`: without the layer, in the singular."""
    words = [word for word in snake(table).split("_") if word]
    while len(words) > 1 and words[0] in _LAYERS:
        words = words[1:]
    while len(words) > 1 and words[-1] in _LAYERS:
        words = words[:-1]
    return "_".join([*words[:-1], singular(words[-1])]) if words else ""


def layer(parts: tuple[str, ...]) -> int:
    """How near to the end of a warehouse's work a table is."""
    words = [word for part in parts for word in snake(part).split("_")]
    return max((_LAYERS[word] for word in words if word in _LAYERS), default=3)
