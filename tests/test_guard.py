"""Who may ask the dashboard: which Host, which site, which token, and what every answer says of its use."""

import pytest
from support.asking import refused
from support.market import market

from scalpr_zen import EmaCrossover, ParameterError, save_tape
from scalpr_zen.dashboard.app import create_app
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.dashboard.workbench import Workbench

HERE = "http://127.0.0.1:5001"
TOKEN = "0123456789abcdef"
OUTSIDE = {"host": "192.168.1.5", "expose": True, "token": TOKEN}
EVERYWHERE = ("/", "/static/main.js", "/plotly.js", "/api/about", "/api/run", "/api/runs", "/api/trades", "/api/tape")
NOWHERE = ("/missing", "/static/missing.js", "/api/report.exe", "/api/run?nonsense=1")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(save_tape(market(), tmp_path_factory.mktemp("guard") / "tape.npz"), EmaCrossover)


@pytest.fixture
def client(bench):
    return create_app(bench, Address()).test_client()


@pytest.fixture
def guarded(bench):
    """A client of a dashboard with a token."""
    return create_app(bench, Address(token=TOKEN)).test_client()


def ask(client, path, method="GET", here=HERE, **headers):
    """One request; the name of a header is written with underscores."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.open(path, method=method, base_url=here, headers=given, buffered=True)


# ---------------------------------------------------------------------------------------------- address


def test_by_default_only_this_machine_is_served():
    assert Address() == Address(host="127.0.0.1", port=5001, expose=False, token=None)
    assert Address().url == HERE


def test_addresses_of_this_machine_alone_need_nothing_else():
    for host in ("127.0.0.1", "localhost", "::1", "127.0.0.2"):
        assert Address(host=host).host == host


@pytest.mark.parametrize("host", ["192.168.1.5", "10.0.0.1", "8.8.8.8", "fe80::1", "2001:db8::1"])
@pytest.mark.parametrize("given", [{}, {"expose": True}, {"token": TOKEN}, {"expose": True, "token": ""}])
def test_another_address_needs_both_expose_and_a_token(host, given):
    with pytest.raises(ParameterError, match=r"--expose and --token"):
        Address(host=host, **given)
    assert Address(host=host, expose=True, token=TOKEN).token == TOKEN


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "0:0:0:0:0:0:0:0"])
@pytest.mark.parametrize("given", [{}, {"expose": True, "token": TOKEN}])
def test_all_addresses_at_once_are_refused(host, given):
    with pytest.raises(ParameterError, match="host must be one address"):
        Address(host=host, **given)


@pytest.mark.parametrize(
    "host", ["", "example.com", "localhost.example.com", "LOCALHOST.", "*", "127.1", "0x7f.0.0.1", "127.0.0.1:80"]
)
def test_names_other_than_localhost_are_refused(host):
    with pytest.raises(ParameterError, match="host must be an IP address or localhost"):
        Address(host=host, expose=True, token=TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.1.5"])
@pytest.mark.parametrize("token", ["x", TOKEN[:-1]])
def test_a_token_has_at_least_sixteen_characters(host, token):
    with pytest.raises(ParameterError, match="token must have at least 16 characters"):
        Address(host=host, expose=True, token=token)


# ------------------------------------------------------------------------------------------------- host


@pytest.mark.parametrize("path", EVERYWHERE)
def test_this_machine_is_answered_by_each_of_its_names_to_the_page_and_the_address_bar(client, path):
    for host in ("127.0.0.1:5001", "localhost:5001", "[::1]:5001"):
        assert ask(client, path, Host=host).status_code == 200
        assert ask(client, "/api/about", Origin=f"http://{host}", Sec_Fetch_Site="same-origin").status_code == 200
    for site in ("same-origin", "none"):
        assert ask(client, path, Sec_Fetch_Site=site).status_code == 200


STRANGE = (
    "evil.example",
    "evil.example:5001",
    "127.0.0.1",
    "localhost",
    "127.0.0.1:80",
    "127.0.0.1:5002",
    "localhost:50010",
    "127.0.0.1.evil.example:5001",
    "localhost.evil.example:5001",
    "127.0.0.1:5001.evil.example",
    "evil.example@127.0.0.1:5001",
    "192.168.1.5:5001",
    "0.0.0.0:5001",
    "[::]:5001",
)


@pytest.mark.parametrize("host", STRANGE)
def test_unknown_hosts_are_refused_with_the_address_to_open(client, host):
    for path in (*EVERYWHERE, *NOWHERE):
        assert HERE in refused(ask(client, path, Host=host), 403)


def test_a_forwarded_host_is_no_host(client):
    assert ask(client, "/api/about", X_Forwarded_Host="evil.example").status_code == 200
    refused(ask(client, "/api/about", Host="evil.example", X_Forwarded_Host="127.0.0.1:5001"), 403)


def test_at_port_80_the_host_needs_no_port(bench):
    client = create_app(bench, Address(port=80)).test_client()
    for host in ("127.0.0.1", "localhost", "[::1]", "127.0.0.1:80"):
        assert ask(client, "/api/about", Host=host).status_code == 200
    refused(ask(client, "/api/about", Host="127.0.0.1:5001"), 403)


def test_an_exposed_address_answers_to_itself_alone(bench):
    client = create_app(bench, Address(**OUTSIDE)).test_client()
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert ask(client, "/api/about", Host="192.168.1.5:5001", **bearer).status_code == 200
    for host in ("localhost:5001", "127.0.0.1:5001", "192.168.1.6:5001", "evil.example:5001"):
        refused(ask(client, "/api/about", Host=host, **bearer), 403)


# ----------------------------------------------------------------------------------------- other sites


@pytest.mark.parametrize("path", ["/", "/api/run", "/static/main.js", "/missing"])
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://evil.example:5001",
        "null",
        "https://127.0.0.1:5001",
        "http://127.0.0.1:5002",
        "http://127.0.0.1",
        "http://127.0.0.1:5001.evil.example",
    ],
)
def test_another_origin_is_refused(client, path, origin):
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        assert refused(ask(client, path, method, Origin=origin), 403)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("mode", ["cors", "no-cors", "websocket", None])
def test_fetches_of_another_site_are_refused(client, site, mode):
    headers = {"Sec_Fetch_Site": site} | ({"Sec_Fetch_Mode": mode} if mode else {})
    for path in EVERYWHERE:
        refused(ask(client, path, **headers), 403)
        refused(ask(client, path, "POST", **headers), 403)


def test_a_link_of_another_site_opens_the_page_and_nothing_else(client):
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert ask(client, "/", **link).status_code == 200
    refused(ask(client, "/", "POST", **link), 403)
    for path in ("/api/run", "/api/tape", "/api/report.csv"):
        refused(ask(client, path, **link), 403)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_but_reading_is_a_method(client, method):
    for path in EVERYWHERE:
        refused(ask(client, path, method), 405)
        refused(ask(client, path, method, Origin=HERE, Sec_Fetch_Site="same-origin"), 405)


# ------------------------------------------------------------------------------------------------ token


WRONG = (TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "x" * 16, "", "ÿ" * 16)


def test_without_the_token_nothing_is_answered_and_with_it_everything(guarded):
    for path in (*EVERYWHERE, *NOWHERE):
        message = refused(ask(guarded, path), 401)
        assert "token" in message
        assert TOKEN not in message
    for path in EVERYWHERE:
        assert ask(guarded, path, Authorization=f"Bearer {TOKEN}").status_code == 200


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_token_is_none(guarded, wrong):
    refused(ask(guarded, "/api/about", Authorization=f"Bearer {wrong}"), 401)
    refused(ask(guarded, "/api/about", Cookie=f"scalpr_token={wrong}"), 401)
    response = ask(guarded, f"/?token={wrong}")
    refused(response, 401)
    assert "Set-Cookie" not in response.headers


def test_bytes_that_are_no_text_are_no_token(guarded):
    refused(ask(guarded, "/?token=%ff%00%fe"), 401)


def test_the_first_visit_leaves_the_token_in_a_cookie_and_not_in_the_address(guarded):
    response = ask(guarded, f"/?token={TOKEN}")
    assert response.status_code in (302, 303)
    assert response.headers["Location"] == "/"
    assert TOKEN not in response.text
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie
    for path in EVERYWHERE:
        assert ask(guarded, path).status_code == 200


@pytest.mark.parametrize("query", ["fast_period=9&token={}", "token={}&fast_period=9&token={}", "token={}&x=%0d%0aa:b"])
def test_the_token_is_dropped_from_an_address_with_parameters_too(guarded, query):
    response = ask(guarded, "/?" + query.replace("{}", TOKEN))
    assert response.status_code in (302, 303)
    assert response.headers["Location"].startswith("/")
    assert TOKEN not in response.headers["Location"]
    assert "a" not in response.headers


def test_only_the_page_takes_the_token_from_its_address(guarded):
    for path in ("/api/about", "/api/run", "/static/main.js"):
        response = ask(guarded, f"{path}?token={TOKEN}")
        refused(response, 401)
        assert "Set-Cookie" not in response.headers


def test_the_cookie_of_one_visitor_is_not_that_of_another(bench):
    app = create_app(bench, Address(token=TOKEN))
    ask(app.test_client(), f"/?token={TOKEN}")
    refused(ask(app.test_client(), "/api/about"), 401)


def test_a_token_of_any_characters_comes_back_from_the_cookie(bench):
    client = create_app(bench, Address(token='a; b="c", d\\e %20')).test_client()
    assert client.get("/", query_string={"token": 'a; b="c", d\\e %20'}, base_url=HERE).status_code == 303
    assert ask(client, "/api/about").status_code == 200


def test_the_token_opens_no_other_host_and_no_other_site(guarded):
    refused(ask(guarded, "/api/about", Authorization=f"Bearer {TOKEN}", Host="evil.example:5001"), 403)
    refused(ask(guarded, "/api/about", Authorization=f"Bearer {TOKEN}", Origin="http://evil.example"), 403)


# ---------------------------------------------------------------------------------------------- headers


def policy(response) -> dict[str, list[str]]:
    directives = [part.split() for part in response.headers["Content-Security-Policy"].split(";")]
    return {name: values for name, *values in directives}


ANSWERS = [
    *((path, "GET", {}, 200) for path in (*EVERYWHERE, "/api/section/fills", "/api/report.txt", "/api/report.html")),
    ("/api/run?fast_period=x", "GET", {}, 400),
    ("/api/run", "GET", {"Host": "evil.example"}, 403),
    ("/static/main.js", "GET", {"Origin": "null"}, 403),
    ("/missing", "GET", {}, 404),
    ("/static/missing.js", "GET", {}, 404),
    ("/api/run", "POST", {}, 405),
]


@pytest.mark.parametrize(("path", "method", "headers", "status"), ANSWERS)
def test_every_answer_has_the_strict_policy(client, path, method, headers, status):
    response = ask(client, path, method, **headers)
    assert response.status_code == status
    directives = policy(response)
    assert directives["default-src"] == ["'none'"]
    assert directives["script-src"] == ["'self'"]
    assert directives["connect-src"] == ["'self'"]
    for name in ("base-uri", "form-action", "frame-ancestors"):
        assert directives[name] == ["'none'"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert not [name for name, _ in response.headers if name.lower().startswith("access-control")]
    assert "Server" not in response.headers
    if path.startswith("/api"):
        assert response.headers["Cache-Control"] == "no-store"


def test_the_policy_stands_on_refusals_of_the_token_too(guarded):
    for path in ("/", "/api/about", f"/?token={TOKEN}"):
        response = ask(guarded, path)
        assert policy(response)["default-src"] == ["'none'"]
        assert response.headers["Cache-Control"] == "no-store"


def test_the_policy_stands_on_internal_errors_too(client, bench, monkeypatch, capsys):
    monkeypatch.setattr(bench, "result", lambda *_: 1 / 0)
    response = ask(client, "/api/run")
    refused(response, 500)
    assert policy(response)["script-src"] == ["'self'"]
    assert response.headers["Cache-Control"] == "no-store"
    assert "ZeroDivisionError" in capsys.readouterr().err
