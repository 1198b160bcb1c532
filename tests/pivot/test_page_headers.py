import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from speeddata.pivot.page_headers import POLICY, PageHeaders


async def plain(_: Request) -> Response:
    return PlainTextResponse("x")


async def own(_: Request) -> Response:
    return PlainTextResponse("x", headers={"Content-Security-Policy": "default-src 'none'"})


@pytest.fixture
def client() -> TestClient:
    app = Starlette(routes=[Route("/plain", plain), Route("/own", own)])
    app.add_middleware(PageHeaders)
    return TestClient(app)


@pytest.mark.parametrize(("path", "status"), [("/plain", 200), ("/nosuch", 404)])
def test_every_answer_has_them(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_answer_may_have_its_own(client: TestClient) -> None:
    assert client.get("/own").headers.get_list("content-security-policy") == ["default-src 'none'"]
