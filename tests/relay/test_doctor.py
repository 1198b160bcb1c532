"""What `speeddata doctor` finds, and what it says where the buffer is small."""

import json
import subprocess
import sys

import pytest
from system import speeddata

from speeddata.relay import doctor


def test_it_measures_what_packets_take_and_reckons_the_rates():
    done = speeddata("doctor", "--json")
    found = json.loads(done.stdout)
    granted = found["receive_buffer"]["granted"]
    assert done.returncode == (granted < found["receive_buffer"]["wanted"])
    assert [packet["bytes"] for packet in found["packets"]] == [64, 200, 1400, 8000]
    for packet in found["packets"]:
        assert packet["bytes"] < packet["kernel_bytes"] < packet["bytes"] * 3 + 2048
        assert packet["rate"] == pytest.approx(2 * granted / (packet["kernel_bytes"] * 0.02), abs=1)


def test_a_small_buffer_is_found_and_its_remedy_said():
    """In a user namespace nobody may go beyond net.core.rmem_max, which is another machine's affair."""
    most = int(doctor.RMEM_MAX.read_text())
    wanted = most * 2
    code = f"from speeddata.relay import doctor; doctor.WANTED = {wanted}; doctor.main([])"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", sys.executable, "-P", "-c", code],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert f"receive buffer: {most} bytes of {wanted} wanted, net.core.rmem_max is {most}" in done.stdout
    assert f"mend it with: sudo sysctl -w net.core.rmem_max={wanted}" in done.stdout
    assert "200 B a packet" in done.stdout


def test_findings_name_the_commands_that_mend():
    buffer = {"wanted": 1000, "granted": 500, "rmem_max": 500}
    (finding,) = doctor.findings({"receive_buffer": buffer})
    assert finding["text"] == "receive buffer: 500 bytes of 1000 wanted, net.core.rmem_max is 500"
    assert [one["command"] for one in finding["mend"]] == [
        "sudo sysctl -w net.core.rmem_max=1000",
        "echo net.core.rmem_max=1000 | sudo tee /etc/sysctl.d/90-speeddata.conf",
    ]
    assert doctor.findings({"receive_buffer": buffer | {"granted": 1000}}) == []
