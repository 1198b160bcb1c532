"""`speeddata key`."""

import json

from system import speeddata

from speeddata.signing import key_id, read_key


def test_a_key_is_made_and_listed_and_never_printed(tmp_path):
    data = tmp_path / "data"
    none = speeddata("key", "list", f"--data={data}")
    assert (none.returncode, none.stdout, none.stderr) == (0, "", "there is no key\n")
    made = speeddata("key", "create", "roof", f"--data={data}")
    path = data / "keys" / "roof.key"
    assert (made.returncode, made.stdout) == (0, f"{path}\n"), made.stderr
    again = speeddata("key", "create", "roof", "--json", f"--data={data}")
    assert again.returncode == 1
    assert "wanted one that no key has" in again.stderr
    told = [speeddata("key", "list", *options, f"--data={data}").stdout for options in ([], ["--json"])]
    about = {"name": "roof", "id": key_id(read_key(path)).hex(), "file": str(path)}
    assert json.loads(told[1]) == {"keys": [about]}
    assert told[0].split() == list(about.values())
    assert not any(read_key(path).hex() in text for text in (made.stdout, *told))
