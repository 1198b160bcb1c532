"""What a run with some settings is, as doctor examines it, and how its remedies name settings."""

from pathlib import Path

from speeddata.relay.doctor_check import LOCAL_GROUPS, Subject, number
from speeddata.settings import Override, load_settings


def subject(*sets: str, config: Path | None = None) -> Subject:
    return Subject.of(load_settings(overrides=map(Override.parse, sets)), Path("archive"), config)


def test_without_settings_it_is_that_of_the_defaults() -> None:
    assert subject() == Subject(Path("archive"))


def test_settings_that_count() -> None:
    made = subject(
        "global.multicast.interface=192.0.2.1", "global.multicast.ttl=2", "relay.listen=192.0.2.2",
        "relay.receive_buffer_bytes=8192", "relay.ring_bytes=2097152", "relay.retention.min_free_percent=3",
    )  # fmt: skip
    wanted = Subject(Path("archive"), "192.0.2.1", 2, "192.0.2.2", (LOCAL_GROUPS,), 8192, 2097152, 3)
    assert made == wanted


def test_groups_are_those_that_channels_get() -> None:
    one = "global.multicast.full_rate.address=239.1.1.9"
    assert subject(one).groups == (LOCAL_GROUPS, "239.1.1.9/32")
    # Where only a port is named, the address is that of SpeedData 0.6.
    assert subject(one, "global.multicast.decimated.port=6001").groups == ("239.1.1.2/32", "239.1.1.9/32")


def test_a_setting_is_named_with_the_folder_that_it_goes_before() -> None:
    assert subject().setting("a.b", 1) == "speeddata run --set a.b=1"
    assert (
        subject(config=Path("my config")).setting("a.b", 1)
        == "speeddata run --config 'my config' --set a.b=1"
    )


def test_files_of_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/value").write_text(" 12\n")
    made = Subject(tmp_path, root=tmp_path)
    assert number(made.read("proc/value")) == 12
    assert number(made.read("proc/none")) is None
    assert number("many") is None
    assert number("-1") == -1
