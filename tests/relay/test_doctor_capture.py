"""The way of packets is tried by itself, with a real relay: too small a buffer is found, and its remedy mends it."""

import tempfile
from pathlib import Path

import pytest
from room import settings_of

from speeddata.relay import doctor_capture
from speeddata.relay.doctor_capture import MEMORY, Capture, Rate, check_capture, simulate_capture
from speeddata.relay.doctor_check import MEND, WELL, Check, Subject
from speeddata.settings import Override, load_settings

SECONDS = 0.1


def check(subject: Subject, capture: Capture) -> Check:
    (found,) = check_capture(subject, capture)
    return found


def test_a_buffer_that_is_too_small_and_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_capture, "TRIES", 1)
    steps: list[int] = []
    small = Subject(tmp_path, receive_buffer=4096)
    capture = simulate_capture(small, SECONDS, (200,), lambda: steps.append(1))
    (rate,) = capture.rates
    assert (rate.lossless, len(steps)) == (None, 1)
    assert 0 < rate.flooded < rate.sent
    found = check(small, capture)
    assert found.state == MEND
    assert found.text.startswith("capture: packets are lost even at ")
    (remedy,) = found.mend
    _, setting = settings_of({"command": remedy.command})
    subject = Subject.of(load_settings(overrides=[Override.parse(setting)]), tmp_path)
    capture = simulate_capture(subject, SECONDS, (200,))
    assert capture.rates[0].lossless is not None
    found = check(subject, capture)
    assert (found.state, found.mend) == (WELL, ())
    assert found.text.endswith("/s of 200 B")


def test_with_the_usual_buffer_the_kernels_limit_and_other_programs_are_to_be_looked_at() -> None:
    lossy = Rate(200, 1000.0, 100.0, None, sender_bound=False, disturbed=True)
    found = check(Subject(Path()), Capture(MEMORY, [lossy]))
    assert found.text == "capture: packets are lost even at 20/s of 200 B"
    assert [one.command for one in found.mend][0] == "sudo sysctl -w net.core.rmem_max=67108864"
    assert found.mend[-1].words == "see what else takes the processor"


def test_runs_are_as_short_as_there_is_memory_for_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []

    def tried(_: Subject, size: int, seconds: float, place: Path) -> Rate:
        lengths.append((size, seconds, place))
        return Rate(size, 1e6, 1e6, 1e6, sender_bound=True, disturbed=False)

    monkeypatch.setattr(doctor_capture, "_try", tried)
    monkeypatch.setattr(doctor_capture, "_place", lambda _: (MEMORY, 4e9))
    simulate_capture(Subject(Path()), 60, (200, 8000))
    # The first as if five million were sent a second, the second by how many the first could send.
    assert lengths == [(200, pytest.approx(4.0), MEMORY), (8000, pytest.approx(0.5), MEMORY)]


def test_a_container_that_has_little_memory_is_left_most_of_it_in_a_tree_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "sys/fs/cgroup"
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text("max\n")
    (folder / "memory.current").write_text(f"{512 << 20}\n")
    free = doctor_capture._place(Subject(tmp_path, root=tmp_path))
    (folder / "memory.max").write_text(f"{(1 << 30) + 2}\n")
    assert doctor_capture._place(Subject(tmp_path, root=tmp_path)) == (free[0], min(free[1], (256 << 20) + 1))
    (folder / "memory.max").write_text(f"{600 << 20}\n")
    assert doctor_capture._place(Subject(tmp_path, root=tmp_path))[0] == Path(tempfile.gettempdir())
