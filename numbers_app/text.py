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
