"""Ed25519 signatures over short texts; keys and signatures as base64."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def public_key_of(private_key: bytes) -> str:
    """The public key of a private key of 32 bytes."""
    return base64.b64encode(Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()).decode()


def sign(private_key: bytes, text: str) -> str:
    """The signature of a text with a private key of 32 bytes."""
    return base64.b64encode(Ed25519PrivateKey.from_private_bytes(private_key).sign(text.encode())).decode()


def signature_fits(public_key: str, signature: str, text: str) -> bool:
    """Whether the signature is that of this text by the owner of this key; False for what is no key or signature."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), text.encode())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
