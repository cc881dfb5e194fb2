"""The vault: what is sealed opens where it was sealed and nowhere else; hashes tell nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.errors import DomainError, ErrorKind
from monigo.infra.crypto import UnreadableSecretError, Vault, vault_of
from monigo.infra.settings import Settings

OLD = "an-old-secret-key-of-the-installation"
NEW = "the-new-secret-key-of-the-installation"


@given(plain=st.binary(), context=st.binary(max_size=16))
def test_what_was_sealed_is_opened(plain, context):
    vault = Vault([NEW])

    assert (
        vault.decrypt("mail", vault.encrypt("mail", plain, context=context), context=context)
        == plain
    )


def test_the_same_value_is_sealed_differently_each_time():
    vault = Vault([NEW])

    assert vault.encrypt("mail", b"hello") != vault.encrypt("mail", b"hello")


@pytest.mark.parametrize(
    ("vault", "purpose", "context"),
    [
        (Vault([NEW]), "other", b"here"),
        (Vault([NEW]), "mail", b"there"),
        (Vault([OLD]), "mail", b"here"),
    ],
)
def test_what_was_sealed_opens_nowhere_else(vault, purpose, context):
    ciphertext = Vault([NEW]).encrypt("mail", b"hello", context=b"here")

    with pytest.raises(UnreadableSecretError):
        vault.decrypt(purpose, ciphertext, context=context)


@pytest.mark.parametrize("at", [0, 1, 5, 16, 17, -1])
def test_what_was_changed_is_not_opened(at):
    ciphertext = bytearray(Vault([NEW]).encrypt("mail", b"hello"))
    ciphertext[at] ^= 1

    with pytest.raises(UnreadableSecretError):
        Vault([NEW]).decrypt("mail", bytes(ciphertext))


def test_nothing_is_opened_that_was_never_sealed():
    with pytest.raises(UnreadableSecretError):
        Vault([NEW]).decrypt("mail", b"")


def test_after_a_change_of_keys_the_old_one_still_opens_and_recognises():
    ciphertext, hash_ = (
        Vault([OLD]).encrypt("mail", b"hello"),
        Vault([OLD]).keyed_hash("code", "123456"),
    )
    both = Vault([NEW, OLD])

    assert both.decrypt("mail", ciphertext) == b"hello"
    assert both.matches("code", hash_, "123456")
    assert hash_ in both.keyed_hashes("code", "123456")
    assert Vault([NEW]).decrypt("mail", both.encrypt("mail", b"hello")) == b"hello"


def test_a_mark_differs_by_value_purpose_place_and_key():
    hashes = {
        Vault([NEW]).keyed_hash("code", "123456"),
        Vault([NEW]).keyed_hash("code", "123457"),
        Vault([NEW]).keyed_hash("other", "123456"),
        Vault([NEW]).keyed_hash("code", "123456", context=b"1"),
        Vault([NEW]).keyed_hash("code", "23456", context=b"1"),
        Vault([OLD]).keyed_hash("code", "123456"),
    }

    assert len(hashes) == 6


def test_without_a_key_nothing_is_sealed(tmp_path):
    vault = vault_of(Settings(data_dir=tmp_path, database_url="postgresql://elsewhere"))

    with pytest.raises(DomainError) as refused:
        vault.encrypt("mail", b"hello")

    assert (refused.value.kind, refused.value.code) == (
        ErrorKind.UNAVAILABLE,
        "secret_key_missing",
    )
    assert list(tmp_path.iterdir()) == []


def test_beside_the_embedded_database_a_key_is_made_and_kept(tmp_path):
    ciphertext = vault_of(Settings(data_dir=tmp_path)).encrypt("mail", b"hello")

    assert vault_of(Settings(data_dir=tmp_path)).decrypt("mail", ciphertext) == b"hello"
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


def test_a_worker_of_the_embedded_database_finds_the_key(tmp_path):
    ciphertext = vault_of(Settings(data_dir=tmp_path)).encrypt("mail", b"hello")
    worker = Settings(data_dir=tmp_path, app_database_url="postgresql://here")

    assert vault_of(worker).decrypt("mail", ciphertext) == b"hello"


def test_a_key_that_is_set_counts_and_may_have_older_ones_behind_it(tmp_path):
    ciphertext = Vault([OLD]).encrypt("mail", b"hello")

    vault = vault_of(Settings(data_dir=tmp_path, secret_key=f"{NEW}, {OLD}"))

    assert vault.decrypt("mail", ciphertext) == b"hello"


def test_a_key_that_could_be_guessed_is_refused():
    with pytest.raises(ValueError, match="at least 32 characters"):
        Settings(secret_key=f"{NEW},short")
