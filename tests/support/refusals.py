"""Requests as they are written, and the proof that refused ones changed nothing."""

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


def assert_all_refused(world, requests, **more):
    """Send requests, each (method, path, body, status, *fields), and look what all changed.

    `more` is what the answers hold besides. A failure names the requests that were answered
    otherwise.
    """
    before = world.before
    wrong = [
        (method, path, f"{body}"[:200], answer.status_code, answer.text[:500])
        for method, path, body, status, *fields in requests
        if not _is_so(answer := send(world, method, path, body), status, fields, more)
    ]
    world.before = snapshot(world.api)
    assert wrong == []
    assert world.before == before


def _is_so(answer, status, fields, more):
    content = answer.json()
    is_refused = (answer.status_code, sorted(content.get("details", {}))) == (
        status,
        sorted(fields),
    )
    return is_refused and more.items() <= content.items()
