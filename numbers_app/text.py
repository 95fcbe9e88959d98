"""Text that every database and every log can keep."""


def storable(text: str) -> str:
    """The text with what PostgreSQL cannot store (NUL, lone surrogates) written out as escapes."""
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def phone_text(number: object) -> str:
    """Ten digits as people read them, ``(316) 734-2253``; anything else as it is."""
    text = "" if number is None else str(number)
    if len(text) != 10 or not (text.isascii() and text.isdecimal()):
        return text
    return f"({text[:3]}) {text[3:6]}-{text[6:]}"
