"""What browsers' `PublicKeyCredential.toJSON()` makes, and the options that they are given for it.

W3C WebAuthn, level 3: RegistrationResponseJSON and AuthenticationResponseJSON. Bytes are base64url.
"""

from typing import Annotated, Any

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.wire.incoming import Incoming
from monigo.api.kernel.wire.outgoing import Outgoing

# A credential's id has at most 1,023 bytes; the signed data a few hundred.
ID_LENGTH_MAX = 1_400
BYTES_LENGTH_MAX = 6_000
_TYPE = "public-key"

_Bytes = Annotated[str, Field(max_length=BYTES_LENGTH_MAX, examples=["eyJ0eXBlIjoi…"])]


class AttestationIn(Incoming):
    """What an authenticator answers that has made a key."""

    clientDataJSON: _Bytes  # noqa: N815 - the browsers' name
    attestationObject: _Bytes  # noqa: N815 - the browsers' name


class SignatureIn(Incoming):
    """What an authenticator answers that has signed."""

    clientDataJSON: _Bytes  # noqa: N815 - the browsers' name
    authenticatorData: _Bytes  # noqa: N815 - the browsers' name
    signature: _Bytes


class CredentialIn(Incoming):
    """Which credential it is."""

    id: str = Field(max_length=ID_LENGTH_MAX, examples=["VYEJ2mN8…"])
    rawId: str = Field(max_length=ID_LENGTH_MAX, examples=["VYEJ2mN8…"])  # noqa: N815 - the browsers' name
    type: str = Field(default=_TYPE, max_length=len(_TYPE), examples=[_TYPE])

    def credential(self) -> dict[str, Any]:
        """As the browser made it."""
        return self.model_dump()


class MadeIn(CredentialIn):
    """A new passkey, as `navigator.credentials.create` gives it."""

    response: AttestationIn


class AssertionIn(CredentialIn):
    """What a passkey signed, as `navigator.credentials.get` gives it."""

    response: SignatureIn


class PasskeyOptions(Outgoing, frozen=True):
    """What a browser needs: the `publicKey` of its call, with bytes as base64url."""

    options: Annotated[
        dict[str, Any], Meta(examples=[{"challenge": "pGGvCd…", "rpId": "billing.example.com"}])
    ]
