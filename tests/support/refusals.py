"""Requests as they are written, and the proof that a refused one changed nothing."""

from string import Template

from support.snapshot import snapshot

JSON = {"Content-Type": "application/json"}


def send(world, method, path, body=None):
    """Send a body as it is, after filling in ids."""
    content = Template(body).safe_substitute(world.ids) if isinstance(body, str) else body
    filled = Template(path).safe_substitute(world.ids)
    return world.api.http.request(method, filled, content=content, headers=JSON)


def assert_refused(world, response, status, *fields):
    """Also looks whether anything changed; what did is told once, not by all later tests."""
    before, world.before = world.before, snapshot(world.api)
    details = response.json().get("details", {})
    assert (response.status_code, sorted(details)) == (status, sorted(fields)), response.text
    assert world.before == before
