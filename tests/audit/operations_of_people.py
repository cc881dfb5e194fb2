"""Operations of people on an organisation: who asked, the answer, and what its entry tells."""

from support.mail import token_in
from support.people import new_email


def _renamed(world):
    path = f"/organizations/{world.org_id}"
    answer = world.owner.put(path, json={"name": "Abuja Rides"})
    return world.owner, answer, "organization", {"name": ("Lagos Rides", "Abuja Rides")}


def _made_key(world):
    body = {"name": "till", "scopes": ["read"], "is_test_mode": True, "org_id": world.org_id}
    answer = world.owner.post("/api-keys", json=body)
    told = {"name": (None, "till"), "key": (None, "•••"), "scopes": (None, ["read"])}
    return world.owner, answer, "api_key", told


def _revoked_key(world):
    answer = world.owner.delete(f"/api-keys/{world.key()}", params={"org_id": world.org_id})
    return world.owner, answer, "api_key", {"is_active": (True, False)}


def _toggled_key(world):
    path = f"/api-keys/{world.key()}/toggle"
    answer = world.owner.patch(path, params={"org_id": world.org_id})
    return world.owner, answer, "api_key", {"is_active": (True, False)}


def _promoted(world):
    path = f"/organizations/{world.org_id}/members/{world.member()}"
    answer = world.owner.patch(path, json={"role": "admin"})
    return world.owner, answer, "member", {"role": ("member", "admin")}


def _removed(world):
    answer = world.owner.delete(f"/organizations/{world.org_id}/members/{world.member()}")
    return world.owner, answer, "member", {"role": ("member", None)}


def _left(world):
    world.member()
    guest = world.guests[-1]
    answer = guest.delete(f"/organizations/{world.org_id}/leave")
    return guest, answer, "member", {"role": ("member", None)}


def _invited(world):
    email = new_email()
    answer = world.owner.invite(world.org_id, email, "viewer")
    return world.owner, answer, "invitation", {"email": (None, email), "role": (None, "viewer")}


def _withdrawn(world):
    path = f"/organizations/{world.org_id}/invitations/{world.invitation()}"
    told = {"status": ("pending", "withdrawn")}
    return world.owner, world.owner.delete(path), "invitation", told


def _answered(world, word, status):
    guest = world.guest()
    world.owner.invite(world.org_id, guest.email)
    token = token_in(guest.mails(world.live)[-1])
    answer = guest.post(f"/invitations/{word}", json={"token": token})
    return guest, answer, "invitation", {"status": ("pending", status)}


def _step_done(world):
    answer = world.owner.post("/onboarding/steps/webhook", json={"org_id": world.org_id})
    told = {"id": (None, "webhook"), "is_by_hand": (None, True)}
    return world.owner, answer, "onboarding_step", told


OF_PEOPLE = {
    "complete_onboarding_step": _step_done,
    "update_organization_by_id": _renamed,
    "create_api_key": _made_key,
    "revoke_api_key": _revoked_key,
    "toggle_api_key": _toggled_key,
    "change_role": _promoted,
    "remove_member": _removed,
    "leave_organization": _left,
    "invite": _invited,
    "withdraw_invitation": _withdrawn,
    "accept_invitation": lambda world: _answered(world, "accept", "accepted"),
    "reject_invitation": lambda world: _answered(world, "reject", "rejected"),
}
