"""Mails to customers as a merchant and its customers see them: made of facts, and sent."""

from monigo.infra import outbox
from monigo.infra.mail import MAIL
from monigo.notifications.mails import COMPOSING, SUBSCRIBER
from support.agenda import do

TYPES = (
    "invoice_finalized",
    "invoice_overdue",
    "receipt",
    "payment_failed",
    "card_expiring",
    "payout_sent",
    "balance_low",
)


class Letters:
    """All mails of an organisation's mode go to one address: the tests' own, or a customer's."""

    def __init__(self, api, address=None):
        self.api = api
        self.address = address or f"{api.org_id}@example.com"
        if api.tenant.is_test:
            self.set(mail_test_recipient=self.address)

    def set(self, **settings):
        answer = self.api.patch("/v1/organization", json=settings)
        assert answer.status_code == 200, answer.text

    def deliver(self):
        """Facts become mails that wait."""
        backend = self.api.backend
        database = backend.services.database
        backend.run(outbox.deliver_all(database, SUBSCRIBER, self.api.tenant))

    def send(self):
        """Workers do what is due; the mails that arrived at the address, of all times."""
        self.deliver()
        tasks = {task.kind: task for task in self.api.backend.services.tasks}
        do(self.api, tasks[COMPOSING], tasks[MAIL])
        return self.received()

    def received(self):
        mails = self.api.backend.mail.received
        return [mail for mail in mails if mail["To"] == self.address]

    def subjects(self):
        return [mail["Subject"] for mail in self.send()]

    def log(self, **wanted):
        """What became of each mail, oldest first: its type, status and reason."""
        found = self.api.get("/v1/customer-mails", params=wanted).json()["customer_mails"]
        return [(one["type"], one["status"], one["reason"]) for one in reversed(found)]

    def suppressions(self):
        found = self.api.get("/v1/mail-suppressions").json()["mail_suppressions"]
        return [(one["address"], one["reason"]) for one in found]
