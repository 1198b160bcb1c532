from speeddata.settings_table import CHANNEL, FILES, TABLE, rows
from speeddata.settings_values import CHECKS, check_value


def test_every_row_can_be_checked_and_its_default_is_in_order() -> None:
    for row in TABLE:
        assert row.file in FILES
        assert row.kind in CHECKS
        assert row.help
        assert check_value(row, row.default) == row.default


def test_keys_are_unique_in_every_file_and_none_is_above_another() -> None:
    for file in FILES:
        keys = list(rows(file))
        assert len(keys) == len({row.key for row in TABLE if row.file in (file, "global")})
        assert not [(a, b) for a in keys for b in keys if b.startswith(f"{a}.")]


def test_global_settings_may_stand_in_every_file() -> None:
    assert all(set(rows("global")) <= set(rows(file)) for file in FILES)


def test_what_replaces_another_setting_is_replaced_by_it() -> None:
    table = rows("relay")
    for row in TABLE:
        for other in row.replaces:
            assert table[other].optional
            if other != "rotation.threshold":
                assert row.key in table[other].replaces


def test_a_channel_has_a_name_a_port_a_schema_and_its_own_settings() -> None:
    keys = [row.key for row in CHANNEL]
    assert keys[:3] == ["name", "port", "schema"]
    assert {"decimation.factor", "rotation.bytes", "time_unit", "framing", "block_bytes"} <= set(keys)
    assert not {"listen", "channels", "api.port"} & set(keys)
