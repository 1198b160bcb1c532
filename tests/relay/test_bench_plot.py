import xml.etree.ElementTree

from speeddata.relay.bench_plot import HEIGHT, WIDTH, plot

SVG = "{http://www.w3.org/2000/svg}"


def test_what_was_lost_lies_below_the_diagonal_and_disturbed_runs_are_left_out() -> None:
    points = [
        {"rate": 50.0, "sent": 50, "lost": 0, "cpu_ns": 1.0},
        {"rate": 100.0, "sent": 100, "lost": 0, "cpu_ns": 2345.6},
        {"rate": 200.0, "sent": 200, "lost": 100},
        {"rate": 150.0, "sent": 150, "lost": 150, "disturbed": True},
    ]
    series = [{"name": "relay", "points": points, "lossless": points[1]}]
    document = {
        "machine": {"cores": 2, "processor": "A & B"},
        "disturbed": True,
        "results": [{"size": 200, "mode": "plain", "series": series}],
    }
    root = xml.etree.ElementTree.fromstring(plot(document))
    (line,) = root.iter(f"{SVG}polyline")
    places = [tuple(map(float, place.split(","))) for place in line.attrib["points"].split()]
    half = (WIDTH / 2, HEIGHT / 2)
    assert places == [(0.0, HEIGHT), (WIDTH / 4, HEIGHT * 3 / 4), half, (WIDTH, HEIGHT / 2)]
    # of the fastest run without a loss
    assert "2.35 µs" in "".join(root.itertext())
    assert "A & B, disturbed" in "".join(root.itertext())
