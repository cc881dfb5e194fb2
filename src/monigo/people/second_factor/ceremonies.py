"""What authenticators are asked to sign, and whether they did: W3C WebAuthn, level 2.

Pure. A passkey is a second factor beside the password, so that the person need not show to the
authenticator who they are; touching it is enough. Who made it is not asked for (attestation none).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, parse_attestation_object
from webauthn.helpers.structs import (
    AttestationFormat,
    PublicKeyCredentialDescriptor,
    UserVerificationRequirement,
)

from monigo.infra.logging import logger
from monigo.people.second_factor.types import Passkey, Registered
from monigo.people.types import User

log = logger(__name__)

NAME = "Monigo"
TIMEOUT_MILLISECONDS = 120_000
# An RSA key of 4,096 bits has some 530 bytes; a much longer one would take long to compute with.
PUBLIC_KEY_BYTES_MAX = 1_024

# As JSON has it: a browser's PublicKeyCredential, or the options for one.
Json = Mapping[str, Any]


class Site(Struct, frozen=True):
    """What authenticators know this installation by: the host, and the web origin of its pages."""

    host: str
    origin: str


def site_of(public_url: str) -> Site:
    """What an installation at this URL is known by."""
    return Site(urlsplit(public_url).hostname or "", public_url)


def options_to_register(
    site: Site, user: User, challenge: bytes, known: Iterable[Passkey]
) -> dict[str, Any]:
    """What a browser needs to have an authenticator make a key for a person."""
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=NAME,
        user_id=user.id.bytes,
        user_name=user.email,
        user_display_name=user.full_name,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        exclude_credentials=_descriptors(known),
    )
    return json.loads(options_to_json(options))


def options_to_sign(site: Site, challenge: bytes, known: Iterable[Passkey]) -> dict[str, Any]:
    """What a browser needs to have one of these passkeys sign."""
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        allow_credentials=_descriptors(known),
        user_verification=UserVerificationRequirement.DISCOURAGED,
    )
    return json.loads(options_to_json(options))


def registered(site: Site, challenge: bytes, presented: Json) -> Registered | None:
    """The key that an authenticator made; None where it signed something else, or nothing."""
    try:
        attested = parse_attestation_object(
            base64url_to_bytes(presented["response"]["attestationObject"])
        )
        made = attested.auth_data.attested_credential_data
        is_by_a_stranger = attested.att_stmt.x5c is not None
        if (
            made is None
            or is_by_a_stranger
            or attested.fmt not in {AttestationFormat.NONE, AttestationFormat.PACKED}
            or len(made.credential_public_key) > PUBLIC_KEY_BYTES_MAX
        ):
            return None
        verified = verify_registration_response(
            credential=dict(presented),
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
        )
    except Exception as error:  # noqa: BLE001 - bytes of anybody, which the library may stumble over
        log.info("no passkey", reason=type(error).__name__)
        return None
    return Registered(verified.credential_id, verified.credential_public_key, verified.sign_count)


def credential_id_of(presented: Json) -> bytes | None:
    """Which credential is said to have signed; None for what can't be one."""
    try:
        return base64url_to_bytes(presented["id"])
    except (KeyError, TypeError, ValueError):
        return None


def sign_count_of(site: Site, challenge: bytes, passkey: Passkey, presented: Json) -> int | None:
    """How often a passkey has signed, now that it signed this; None where it did not.

    A count that did not grow is refused: there are two of a passkey that should be one.
    """
    try:
        verified = verify_authentication_response(
            credential=dict(presented),
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
        )
    except Exception as error:  # noqa: BLE001 - as above
        log.info("a passkey was refused", passkey=str(passkey.id), reason=type(error).__name__)
        return None
    return verified.new_sign_count


def _descriptors(passkeys: Iterable[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one.credential_id) for one in passkeys]
