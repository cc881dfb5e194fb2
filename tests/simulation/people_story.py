"""Random use of accounts and organisations, beside a model that foretells each answer."""

from datetime import timedelta

from support.people import Person

MANAGES = {
    "owner": {"owner", "admin", "member", "viewer"},
    "admin": {"admin", "member", "viewer"},
}
ROLES = sorted(MANAGES["owner"])
GRACE, FRESH = timedelta(seconds=30), timedelta(minutes=15)
ACCESS, INVITED_FOR = timedelta(minutes=15), timedelta(days=7)
SPENT_KNOWN = 10
PAUSES = [1, 5, 29, 31, 60, 600, 4_000, 90_000]


class Device:
    """A session as the model knows it: its refresh tokens, and when each was spent."""

    def __init__(self, answer, now):
        self.refresh_tokens = [answer["refresh_token"]]
        self.spent_at = []
        self.is_open = True
        self.authenticated_at = now
        self.take_access(answer, now)

    def take_access(self, answer, now):
        self.access_token = answer["access_token"]
        self.access_ends = int((now + ACCESS).timestamp())

    def refreshed(self, number, now):
        """Which token follows the one of this number; None where it ends the session."""
        present = len(self.refresh_tokens) - 1
        if not self.is_open:
            return None
        if number == present:
            return number + 1
        is_late = now - self.spent_at[number] > GRACE or present - number > SPENT_KNOWN
        return None if is_late else number + 1

    def may_ask(self, now):
        return self.is_open and now.timestamp() < self.access_ends


class PeopleStory:
    """A few people, two organisations, and what the model says of them."""

    def __init__(self, backend, tally):
        self.backend, self.tally = backend, tally
        self.clock = backend.clock
        self.clock.stand_still()
        self.people = [Person.signed_in(backend) for _ in range(4)]
        self.devices = {one.user_id: [Device(one.tokens, self.now)] for one in self.people}
        founders = [
            (founder.found()["organization"]["id"], founder.user_id) for founder in self.people[:2]
        ]
        self.roles = {org_id: {founder: "owner"} for org_id, founder in founders}
        self.invitations = {}
        # What the log is to hold of each organisation, in order: who did what.
        self.done = {org_id: [(founder, "found_organization")] for org_id, founder in founders}

    @property
    def now(self):
        return self.clock.now()

    def close(self):
        for one in self.people:
            one.http.close()

    def act(self, dice):
        acts = [self.refresh, self.read, self.invite, self.accept, self.change, self.remove]
        rare = [self.login, self.log_out, self.leave, self.revoke]
        dice.choice(acts * 3 + rare)(dice)
        if dice.random() < 0.5:
            self.clock.advance(seconds=dice.choice(PAUSES))

    def tell(self, kind, answer, expected):
        """Compare an answer with what the model foretold."""
        found = (answer.status_code, answer.json().get("code", ""))
        assert found == expected, (kind, found, expected, answer.text)
        is_accepted = answer.status_code < 400
        self.tally[kind, "accepted" if is_accepted else "refused"] += 1
        return is_accepted

    def login(self, dice):
        person = dice.choice(self.people)
        answer = person.login()
        self.tell("login", answer, (200, ""))
        self.devices[person.user_id].append(Device(answer.json(), self.now))

    def refresh(self, dice):
        person, device = self._somebody(dice)
        count = len(device.refresh_tokens)
        number = count - 1 if dice.random() < 0.7 else dice.randrange(count)
        following = device.refreshed(number, self.now)
        answer = person.refresh(device.refresh_tokens[number])
        expected = (401, "invalid_refresh_token") if following is None else (200, "")
        if not self.tell("refresh", answer, expected):
            device.is_open = False
            return
        token = answer.json()["refresh_token"]
        if following == count:
            device.refresh_tokens.append(token)
            device.spent_at.append(self.now)
        assert device.refresh_tokens[following] == token
        device.take_access(answer.json(), self.now)

    def read(self, dice):
        person, device = self._somebody(dice)
        expected = (200, "") if device.may_ask(self.now) else (401, "invalid_token")
        self.tell("read", self._ask(person, device, "GET", "/user/profile"), expected)

    def log_out(self, dice):
        person, device = self._somebody(dice)
        token = dice.choice(device.refresh_tokens)
        self.tell("log out", person.ask("logout", refresh_token=token), (200, ""))
        device.is_open = False

    def revoke(self, dice):
        person, device = self._somebody(dice)
        is_heard = device.may_ask(self.now)
        answer = self._ask(person, device, "POST", "/sessions/revoke-all", json={})
        if self.tell("revoke", answer, (200, "") if is_heard else (401, "invalid_token")):
            for other in self.devices[person.user_id]:
                other.is_open = other is device

    def invite(self, dice):
        person, device, org_id = self._manager(dice)
        other, role = dice.choice(self.people), dice.choice(ROLES)
        refusal = self._refused(person, device, org_id, [role])
        if refusal is None and other.user_id in self.roles[org_id]:
            refusal = (409, "already_member")
        if refusal is None and self._open_to(other, org_id):
            refusal = (409, "already_invited")
        body = {"email": other.email, "role": role}
        path = f"/organizations/{org_id}/invite"
        answer = self._ask(person, device, "POST", path, json=body)
        if self.tell("invite", answer, refusal or (201, "")):
            invitation_id = answer.json()["invitation"]["id"]
            self.invitations[invitation_id] = (org_id, other.email, role, self.now + INVITED_FOR)
            self.done[org_id].append((person.user_id, "invite"))

    def accept(self, dice):
        person, device = self._somebody(dice)
        known = [*self.invitations, "00000000-0000-7000-8000-000000000000"]
        invitation_id = dice.choice(known)
        org_id, email, role, ends = self.invitations.get(invitation_id, ("", "", "", self.now))
        expected = (200, "")
        if not device.may_ask(self.now):
            expected = (401, "invalid_token")
        elif email != person.email or ends <= self.now:
            expected = (404, "invitation_not_found")
        elif person.user_id in self.roles[org_id]:
            expected = (409, "already_member")
        body = {"token": invitation_id}
        answer = self._ask(person, device, "POST", "/invitations/accept", json=body)
        if self.tell("accept", answer, expected):
            self.roles[org_id][person.user_id] = role
            del self.invitations[invitation_id]
            self.done[org_id].append((person.user_id, "accept_invitation"))

    def change(self, dice):
        person, device, org_id = self._manager(dice)
        other, role = dice.choice(self.people).user_id, dice.choice(ROLES)
        refusal = self._refused_on_member(person, device, org_id, other, role)
        path = f"/organizations/{org_id}/members/{other}"
        answer = self._ask(person, device, "PATCH", path, json={"role": role})
        if self.tell("change", answer, refusal or (200, "")):
            if self.roles[org_id][other] != role:
                self.done[org_id].append((person.user_id, "change_role"))
            self.roles[org_id][other] = role

    def remove(self, dice):
        person, device, org_id = self._manager(dice)
        other = dice.choice(self.people).user_id
        refusal = self._refused_on_member(person, device, org_id, other, None)
        path = f"/organizations/{org_id}/members/{other}"
        if self.tell("remove", self._ask(person, device, "DELETE", path), refusal or (200, "")):
            del self.roles[org_id][other]
            self.done[org_id].append((person.user_id, "remove_member"))

    def leave(self, dice):
        person, device = self._somebody(dice)
        org_id = dice.choice(sorted(self.roles))
        expected = (200, "")
        if not device.may_ask(self.now):
            expected = (401, "invalid_token")
        elif person.user_id not in self.roles[org_id]:
            expected = (404, "organization_not_found")
        elif self._is_last_owner(org_id, person.user_id):
            expected = (409, "last_owner")
        answer = self._ask(person, device, "DELETE", f"/organizations/{org_id}/leave")
        if self.tell("leave", answer, expected):
            del self.roles[org_id][person.user_id]
            self.done[org_id].append((person.user_id, "leave_organization"))

    def check(self):
        """What the database holds is what the model says."""
        rows = self.backend.sql(
            "SELECT org_id::text, user_id::text, role FROM memberships"
            " WHERE org_id = ANY ($1::uuid[])",
            list(self.roles),
        )
        found = {(row["org_id"], row["user_id"]): row["role"] for row in rows}
        assert found == {
            (org_id, user_id): role
            for org_id, roles in self.roles.items()
            for user_id, role in roles.items()
        }
        for person in self.people:
            (row,) = self.backend.sql(
                "SELECT count(*) AS open FROM sessions WHERE user_id = $1 AND ended_at IS NULL",
                person.user_id,
            )
            assert row["open"] == sum(one.is_open for one in self.devices[person.user_id])

        for org_id, done in self.done.items():
            assert self._logged(org_id) == done

    def _logged(self, org_id):
        """The audit log of an organisation as an owner reads it, oldest first: who did what."""
        owner = next(one for one in self.people if self.roles[org_id].get(one.user_id) == "owner")
        answer = owner.login()
        device = Device(answer.json(), self.now)
        self.devices[owner.user_id].append(device)
        query = {"org_id": org_id, "limit": 1_000}
        listed = self._ask(owner, device, "GET", "/audit-logs", params=query)
        assert listed.status_code == 200, listed.text
        return [(one["actor_id"], one["action"]) for one in listed.json()["audit_logs"][::-1]]

    def _somebody(self, dice):
        person = dice.choice(self.people)
        return person, dice.choice(self.devices[person.user_id][-3:])

    def _manager(self, dice):
        """Somebody, mostly an owner who has signed in a moment ago, and an organisation."""
        org_id = dice.choice(sorted(self.roles))
        if dice.random() < 0.3:
            return *self._somebody(dice), org_id
        owners = [
            one for one in self.people if self.roles[org_id].get(one.user_id) in {"owner", "admin"}
        ]
        person = dice.choice(owners)
        device = self.devices[person.user_id][-1]
        if not device.may_ask(self.now) or self.now - device.authenticated_at > FRESH:
            answer = person.login()
            self.tell("login", answer, (200, ""))
            device = Device(answer.json(), self.now)
            self.devices[person.user_id].append(device)
        return person, device, org_id

    def _ask(self, person, device, method, path, **content):
        headers = {"Authorization": f"Bearer {device.access_token}"}
        return person.http.request(method, path, headers=headers, **content)

    def _refused(self, person, device, org_id, roles):
        own = self.roles[org_id].get(person.user_id)
        if not device.may_ask(self.now):
            return 401, "invalid_token"
        if own is None:
            return 404, "organization_not_found"
        if own not in MANAGES:
            return 403, "role_lacks_right"
        if self.now - device.authenticated_at > FRESH:
            return 403, "reauthentication_required"
        return None if set(roles) <= MANAGES[own] else (403, "owners_only")

    def _refused_on_member(self, person, device, org_id, other, role):
        known = self.roles[org_id].get(other)
        refusal = self._refused(person, device, org_id, [])
        if refusal is None and known is None:
            return 404, "member_not_found"
        touched = [one for one in (known, role) if one is not None]
        refusal = refusal or self._refused(person, device, org_id, touched)
        if refusal is None and role != "owner" and self._is_last_owner(org_id, other):
            return 409, "last_owner"
        return refusal

    def _is_last_owner(self, org_id, user_id):
        return [one for one, role in self.roles[org_id].items() if role == "owner"] == [user_id]

    def _open_to(self, person, org_id):
        return any(
            (of, email) == (org_id, person.email) and ends > self.now
            for of, email, _, ends in self.invitations.values()
        )
