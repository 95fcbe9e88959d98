"""Text that every database and every log can keep, and names and numbers as people read them."""

LABELS = {
    "full_number": "Whole number",
    "line": "Last four digits",
    "location_id": "Location account",
    "account": "Location account",
    "execute_after": "Not before",
    "criteria": "Any number that matches",
    "number": "Numbers",
    "media_type_id": "Media type ID",
    "recording": "Call recording",
    "service": "Service line",
    "memo1": "Memo 1",
    "memo2": "Memo 2",
    "phone_number": "Number",
    "show_local": "Local numbers",
    "show_public_pool": "Public pool",
    "show_reserved_pool": "Reserved pool",
    "show_tollfree": "Toll-free numbers",
    "state": "State or province",
    "vanity_text": "Vanity text",
    "zipcode": "ZIP or postal code",
    # What entries of the history speak of beside numbers and orders.
    "complete_since": "Inventory complete since",
    "dispute": "Dispute with Callcap",
    "email": "Mail address",
    "ends_at": "Until just before",
    "is_active": "Right to sign in",
    "is_staff": "Right to enter /admin/",
    "is_superuser": "All rights in /admin/",
    "numbers": "Numbers exported",
    "paused": "What is paused",
    "starts_at": "From",
    "up_to": "Newest entry that counts",
    "user": "Person",
    "username": "Sign-in name",
    # Settings.
    "ALLOWED_HOSTS": "Host names that the portal answers to",
    "APPROVAL_UNDO_SECONDS": "Seconds to undo an approval",
    "CALLCAP_API_URL": "Callcap's address",
    "CALLCAP_MAX_ANSWER_BYTES": "Longest answer of Callcap, in bytes",
    "CALLCAP_MAX_PER_SECOND": "Most calls to Callcap a second",
    "CALLCAP_POST_ENCODING": "Encoding of what Callcap is sent",
    "CALLCAP_SETTLE_SECONDS": "Seconds for which Callcap may still act",
    "CALLCAP_TIMEOUT": "Seconds until a call to Callcap is given up",
    "CALLCAP_TIME_ZONE": "Time zone where no other decides",
    "CHECKPOINT_FILE": "File of signed checkpoints",
    "CSRF_TRUSTED_ORIGINS": "Other origins that may send forms",
    "DEBUG": "Debugging pages",
    "DEMO": "Demonstration",
    "EMAIL_URL": "Where mail goes",
    "HISTORY_FORMER_PUBLIC_KEYS": "Former public keys of the history",
    "HISTORY_PUBLIC_KEY": "Public key of the history",
    "HTTPS": "Reached by HTTPS",
    "MONTHLY_PRICE_LOCAL": "Monthly price of a local number",
    "MONTHLY_PRICE_TOLLFREE": "Monthly price of a toll-free number",
    "ORDER_EXPIRY_DAYS": "Days until an order expires",
    "ORDER_REMINDER_DAYS": "Days before that of the reminder",
    "PRICE_CURRENCY": "Currency of the prices",
    "SITE_URL": "The portal's address",
    "TRUSTED_PROXY_COUNT": "Proxies in front of the portal",
}


def storable(text: str) -> str:
    """The text with what PostgreSQL cannot store (NUL, lone surrogates) written out as escapes."""
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def phone_text(number: object) -> str:
    """Ten digits as people read them, ``(316) 734-2253``; anything else as it is."""
    text = "" if number is None else str(number)
    if len(text) != 10 or not (text.isascii() and text.isdecimal()):
        return text
    return f"({text[:3]}) {text[3:6]}-{text[6:]}"


def field_label(name: str) -> str:
    """A field's name as people read it: ``campaign_name`` is "Campaign name"."""
    return LABELS.get(name) or name.replace("_", " ").capitalize()
