"""Generated requests at every route that /openapi.json tells of, on a world worth attacking."""

from contextlib import suppress
from uuid import uuid4

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)

from support.api import event

NOT_IMPLEMENTED = 501


def not_a_failure_of_ours(context, response, case):
    """No 5xx, but that a provider has no such thing, where that is documented."""
    if response.status_code == NOT_IMPLEMENTED:
        return None
    return not_a_server_error(context, response, case)


CHECKS = [not_a_failure_of_ours, status_code_conformance, response_schema_conformance]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


def operations_of(url):
    """What the server says that it can do."""
    # It makes the document when it is first asked, which may take long on a busy machine.
    requests.get(f"{url}/openapi.json", timeout=60)
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    return [result.ok() for result in schema.get_all_operations()]


def findings(api, operation, *, examples, number):
    """What is wrong with the answers to generated requests, told so that they can be repeated."""
    return findings_with(operation, api.secret, world_of(api), examples=examples, number=number)


def findings_with(operation, credential, known, *, examples, number):
    """The same, with a credential of whoever it is; `known` are ids that are there."""
    # Given for each request, for a wrong one would come no further than 401.
    headers = {"Authorization": f"Bearer {credential}"}
    found = []
    with requests.Session() as session:

        def send(case, *, is_aimed):
            if is_aimed:
                for part in (case.path_parameters, case.query, case.body):
                    _aim(part, known)
            try:
                case.call_and_validate(session=session, headers=headers, checks=CHECKS)
            except (Failure, FailureGroup) as failure:
                found.append(f"{operation.label}: {failure}")
            except requests.RequestException as failure:
                found.append(f"{operation.label}: {failure}\n{case.as_curl_command()}")

        for mode in MODES:
            _generate(operation, mode, send, examples=examples, number=number)
    return found


def _generate(operation, mode, send, *, examples, number):
    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode), is_aimed=st.booleans())
    def generate(case, is_aimed):
        send(case, is_aimed=is_aimed)

    # Nothing can be sent wrongly where nothing is sent.
    with suppress(Unsatisfiable):
        generate()


def world_of(api):
    """One of everything, new, so that also what deletes finds something."""
    name = uuid4().hex
    customer, metric = api.customer(name), api.metric(name)
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2"}
    plan = api.plan(price)
    override = api.override(name, plan["prices"][0]["id"])
    subscription = api.subscribe(name, plan["id"])
    api.ingest(event(name, name, name))
    draft = api.draft(subscription["id"])
    wallet = api.wallet(name, funds="100")
    holding = {"amount": "5", "currency": "NGN", "idempotency_key": "hold"}
    held = api.post(f"/v1/wallets/{wallet['id']}/reservations", json=holding)
    granting = {"amount": "7", "currency": "NGN", "idempotency_key": "grant"}
    granted = api.make(f"/v1/wallets/{wallet['id']}/credits", granting, "credit")
    return {
        "customer_id": customer["id"],
        "metric_id": metric["id"],
        "plan_id": plan["id"],
        "price_id": plan["prices"][0]["id"],
        "override_id": override["id"],
        "subscription_id": subscription["id"],
        "invoice_id": draft["id"],
        "wallet_id": wallet["id"],
        "reservation_id": held.json()["reservation"]["id"],
        "grant_id": granted["id"],
    }


def _aim(part, known):
    """Put ids that exist where ids are asked for."""
    match part:
        case dict():
            part.update({field: known[field] for field in part.keys() & known.keys()})
            for value in part.values():
                _aim(value, known)
        case list():
            for value in part:
                _aim(value, known)
