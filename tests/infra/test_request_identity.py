"""Whether a request asks the same as another one, by hashes that reveal nothing of its body."""

import hashlib

from monigo.infra.crypto import Vault
from monigo.infra.idempotency import RequestIdentity

PARTS = ("org", "True", "POST", "/v1/things", "key-1")
BODY = b'{"bvn":"22245678901"}'


def identity(body=BODY, parts=PARTS, secrets=("a" * 32,)):
    return RequestIdentity.of(parts, body, Vault(secrets))


def test_the_same_request_has_the_same_identity():
    assert identity() == identity()
    assert identity(b"{}").request_key == identity().request_key
    assert identity(b"{}").body_hashes != identity().body_hashes


def test_a_body_is_hashed_by_what_nobody_else_knows():
    plain = hashlib.sha256(BODY).digest()
    hashes = [
        *identity().body_hashes,
        *identity(secrets=("b" * 32,)).body_hashes,
        *identity(parts=(*PARTS[:-1], "key-2")).body_hashes,
        *identity(secrets=()).body_hashes,
    ]

    assert plain not in hashes
    assert len(set(hashes)) == 4


def test_a_record_from_before_the_secret_was_replaced_is_known():
    before = identity(secrets=("old" * 11,))
    after = identity(secrets=("new" * 11, "old" * 11))

    assert before.body_hashes[0] in after.body_hashes
    assert before.body_hashes[0] != after.body_hashes[0]
