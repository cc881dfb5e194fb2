"""Browsers: their refresh token is a cookie that no script reads and no other site sends."""

import pytest

from support.people import Person

BROWSER = {"X-Monigo-Client": "web"}


@pytest.fixture
def browser(backend):
    with Person.signed_in(backend, **BROWSER) as somebody:
        somebody.http.headers["Origin"] = backend.url
        yield somebody


def cookie_of(answer):
    return answer.headers.get("set-cookie", "")


def test_a_browser_gets_a_cookie_in_place_of_the_token(browser):
    answer = browser.login()

    cookie = cookie_of(answer)
    assert answer.json()["refresh_token"] == ""
    assert cookie.startswith("monigo_refresh=mrt_")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
        "httponly",
        "max-age=2592000",
        "path=/api/v1/auth",
        "samesite=strict",
    }


def test_other_clients_get_no_cookie(ada):
    assert cookie_of(ada.login()) == ""
    assert ada.tokens["refresh_token"].startswith("mrt_")


def test_the_cookie_is_changed_for_the_next(browser):
    first = browser.login()

    second = browser.ask("refresh-token")

    assert second.status_code == 200
    assert cookie_of(second) != cookie_of(first)
    assert browser.ask("refresh-token").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_a_page_that_is_not_ours_refreshes_nothing(browser, origin):
    browser.login()
    browser.http.headers["Origin"] = origin

    assert browser.ask("refresh-token").status_code == 401


def test_signing_out_has_the_browser_forget(browser):
    browser.login()

    answer = browser.ask("logout")

    assert cookie_of(answer).startswith('monigo_refresh="";')
    assert "max-age=0" in cookie_of(answer).lower()
    assert browser.ask("refresh-token").status_code == 401
