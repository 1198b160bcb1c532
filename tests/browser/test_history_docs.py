import history
import pytest
import requests
import segments as made

pytestmark = pytest.mark.browser


def article_of(page, call):
    """The part of the page about a call, such as "GET /x"."""
    method, path = call.split()
    head = page.locator("h2").filter(has=page.locator(".method", has_text=method))
    return page.locator("article").filter(has=head.filter(has=page.get_by_text(path, exact=True)))


def test_docs_page_shows_the_routes_and_tries_them_without_the_net(tmp_path, open_page, watch):
    made.write_segment(tmp_path / "example", [made.records(3)])
    with history.running(tmp_path) as service:
        page = open_page(f"{service.address}/docs")
        page.wait_for_selector("article")
        assert page.inner_text("h1").startswith("SpeedData history")
        told = page.locator("h2 .path").all_inner_texts()
        assert set(told) == set(requests.get(f"{service.address}/openapi.json", timeout=20).json()["paths"])
        health, export, sql = (
            article_of(page, path)
            for path in ("GET /api/v1/health", "GET /api/v1/pivot/export", "POST /api/v1/sql")
        )
        sql.get_by_label("Body, JSON").fill('{"sql": "SELECT 6 * 7 AS answer"}')
        sql.get_by_role("button").click()
        sql.locator("pre").wait_for()
        assert '"answer"' in sql.locator("pre").inner_text()
        health.get_by_role("button").click()
        health.locator("pre").wait_for()
        assert '"status": "healthy"' in health.locator("pre").inner_text()
        export.get_by_label("duration").fill("PT1S")
        export.get_by_label("channels").fill("example")
        export.get_by_role("button").click()
        export.locator("pre").wait_for()
        assert "application/x-hdf5" in export.locator("pre").inner_text()
        watch.forgive("404")
        export.get_by_label("channels").fill("<b>x</b>")
        export.get_by_role("button").click()
        export.get_by_text("Channel not found").wait_for()
        assert "<b>x</b>" in export.locator("pre").inner_text()


@pytest.mark.parametrize("width", [390, 1000])
def test_docs_page_fits_its_window_and_shows_code_as_code(tmp_path, open_page, watch, width):
    made.write_segment(tmp_path / "example", [made.records(3)])
    with history.running(tmp_path) as service:
        page = open_page(f"{service.address}/docs", viewport={"width": width, "height": 800})
        page.wait_for_selector("article")
        assert page.locator("#description code").inner_text() == '{"error": what is wrong}'
        assert "`" not in page.inner_text("body")
        watch.forgive("404")
        export = article_of(page, "GET /api/v1/pivot/export")
        export.get_by_label("channels").fill("a" * 300)
        export.get_by_label("duration").fill("PT1S")
        export.get_by_role("button").click()
        export.get_by_text("Channel not found").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        spans = page.evaluate(
            "[...document.querySelectorAll('td')].map(cell => cell.getBoundingClientRect()).map(box => [box.left, box.right])"
        )
        assert len(spans) > 100
        assert all(left >= 0 and right <= width for left, right in spans)
