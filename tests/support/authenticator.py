"""A software authenticator: keys on P-256, and what it signs as a browser would pass it on."""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

# Where the tests' installation says that it is.
SITE = "http://localhost:8000"
USER_PRESENT, ATTESTED = 0x01, 0x40
# COSE (RFC 9053): a key of type EC2, for ES256, on P-256.
KEY_TYPE, EC2 = 1, 2
ALGORITHM, ES256 = 3, -7
CURVE, P256 = -1, 1
X, Y = -2, -3
COORDINATE_BYTES = 32


def text_of(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def bytes_of(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """Has one key. `origin` is where its browser is, `host` for whom it signs, if not as asked."""

    def __init__(self, origin, *, host=None, counts=True):
        self.origin = origin
        self.host = host
        self.sign_count = 0
        self.counts = counts
        self.credential_id = os.urandom(32)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options, **changed):
        """What `navigator.credentials.create` gives for these options."""
        numbers = self._key.public_key().public_numbers()
        public_key = cbor2.dumps(
            {
                KEY_TYPE: EC2,
                ALGORITHM: ES256,
                CURVE: P256,
                X: numbers.x.to_bytes(COORDINATE_BYTES, "big"),
                Y: numbers.y.to_bytes(COORDINATE_BYTES, "big"),
            }
        )
        attested = (
            bytes(16)
            + len(self.credential_id).to_bytes(2, "big")
            + self.credential_id
            + changed.pop("public_key", public_key)
        )
        data = self._data(options["rp"]["id"], USER_PRESENT | ATTESTED) + attested
        statement = {"fmt": "none", "attStmt": {}, "authData": data, **changed.pop("statement", {})}
        return self._credential(
            clientDataJSON=self._client_data("webauthn.create", options, **changed),
            attestationObject=cbor2.dumps(statement),
        )

    def sign(self, options, *, flags=USER_PRESENT, **changed):
        """What `navigator.credentials.get` gives for these options."""
        if self.counts:
            self.sign_count += 1
        client_data = self._client_data("webauthn.get", options, **changed)
        data = self._data(options["rpId"], flags)
        signed = data + hashlib.sha256(client_data).digest()
        return self._credential(
            clientDataJSON=client_data,
            authenticatorData=data,
            signature=self._key.sign(signed, ec.ECDSA(SHA256())),
        )

    def _client_data(self, kind, options, **changed):
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin, **changed}
        return json.dumps(told).encode()

    def _data(self, host, flags):
        named = (self.host or host).encode()
        return hashlib.sha256(named).digest() + bytes([flags]) + self.sign_count.to_bytes(4, "big")

    def _credential(self, **response):
        name = text_of(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {field: text_of(value) for field, value in response.items()},
            "clientExtensionResults": {},
        }


def offered(person):
    """What a person is offered to have a passkey made."""
    answer = person.post("/user/passkeys/options")
    assert answer.status_code == 200, answer.text
    return answer.json()["options"]


def add_passkey(person, authenticator, name="my phone", **changed):
    """Have a person's authenticator make a passkey; the answer."""
    made = authenticator.make(offered(person), **changed)
    return person.post("/user/passkeys", json={"name": name, "credential": made})
