"""The holder of a link to a customer's portal, over HTTP."""

import httpx


class Holder:
    """Asks under a portal token, for one customer."""

    def __init__(self, api, customer, **token):
        body = {"customer_external_id": customer, **token}
        self.made = api.make("/v1/portal/tokens", body, "token")
        self.http = client_of(api.backend, self.made["token"])

    def get(self, path="", **options):
        return self.http.get(f"/api/v1/portal/{path}", **options)

    def read(self, path, **options):
        """The content of an answer that must be 200."""
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, **body):
        return self.http.post(f"/api/v1/portal/{path}", json=body)

    def put(self, path):
        return self.http.put(f"/api/v1/portal/{path}")

    def delete(self, path):
        return self.http.delete(f"/api/v1/portal/{path}")


def client_of(backend, token):
    """A client that carries a token, as the published portal does, also with an empty body."""
    headers = {"X-Portal-Token": token, "Content-Type": "application/json"}
    return httpx.Client(base_url=backend.url, headers=headers, timeout=60)
