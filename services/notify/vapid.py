"""The key by which push services and browsers know the town (VAPID, RFC 8292): any long random text is one."""

import base64

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from libs.servicekit.secret import derived_key

# The order of the curve: a private key is a number between 1 and one less.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MIN_LENGTH = 32


def vapid_key(text: str) -> EllipticCurvePrivateKey:
    """The same key for the same text; ValueError for one that is too short."""
    if len(text) < MIN_LENGTH:
        raise ValueError(f"the key of push messages needs at least {MIN_LENGTH} characters")
    # 48 bytes, so that the remainder is as good as evenly spread.
    seed = derived_key(text, b"coburg web push", 48)
    return derive_private_key(int.from_bytes(seed) % (ORDER - 1) + 1, SECP256R1())


def pem(key: EllipticCurvePrivateKey) -> tuple[bytes, bytes]:
    """The private and the public half as PEM."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_key(key: EllipticCurvePrivateKey) -> str:
    """The public half as browsers take it: an uncompressed point, base64url."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
