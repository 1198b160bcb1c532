import pytest

from speeddata.set_extras import needed


def test_gives_the_module():
    assert needed("json", "this").dumps({}) == "{}"


def test_tells_what_to_install():
    with pytest.raises(
        ImportError, match=r"plot\(\) needs nosuchlib, .*: pip install 'speeddata\[analysis\]'"
    ):
        needed("nosuchlib.part", "plot()")
