"""What can go wrong in the portal, as sentences for people."""


class PortalError(Exception):
    """Something that could not be done; the message says what happened and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(PortalError):
    """Input that is well-formed but cannot be accepted; ``field`` names the form field it belongs to, or is empty."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Conflict(PortalError):
    """Somebody else was first: the thing is no longer in the state that was seen."""


class VendorTrouble(PortalError):
    """Callcap did not answer, or (``answered``) refused or answered what nobody can use. Asking changed nothing."""

    def __init__(self, message: str, *, answered: bool) -> None:
        super().__init__(message)
        self.answered = answered
