"""Encryption and keyed hashes under the installation's keys; hashing of passwords."""

from monigo.infra.crypto.passwords import Passwords
from monigo.infra.crypto.secrets import app_password, write_private
from monigo.infra.crypto.vault import UnreadableSecretError, Vault, vault_of

__all__ = [
    "Passwords",
    "UnreadableSecretError",
    "Vault",
    "app_password",
    "vault_of",
    "write_private",
]
