"""What `monigo verify` finds of one tenant."""

from monigo.cli.verification import verify_tenant


def faults(backend, tenant):
    """All differences, as (what, subject, stored, computed)."""
    verifications = backend.run(verify_tenant(backend.services.database, tenant))
    return [
        (found.what, found.subject, found.stored, found.computed)
        for one in verifications
        for found in one.differences
    ]
