from speeddata.reload_words import reload_lines

NOTHING = {"changes": [], "channels": [], "added": [], "services": [], "failed": {}}


def test_each_change_and_what_was_done_for_it():
    assert reload_lines(NOTHING) == ["settings: nothing has changed"]
    changes = [
        {"key": "relay.rotation.seconds", "from": 60, "to": 120, "origin": "relay.yaml", "takes": None},
        {"key": "relay.channels[c]", "to": {"port": 1}, "origin": "relay.yaml", "takes": None},
        {"key": "global.host", "from": "a", "to": "b", "origin": "global.yaml", "takes": "restart"},
    ]
    done = {"channels": ["x"], "added": ["c"], "services": ["pivot"], "failed": {"y": "no room"}}
    assert reload_lines({"changes": changes, **done}) == [
        "relay.rotation.seconds: 60 -> 120 (relay.yaml)",
        "relay.channels[c]: nothing -> {'port': 1} (relay.yaml)",
        "global.host: 'a' -> 'b' (global.yaml); takes speeddata restart",
        "channel x: gone over to its settings",
        "channel c: registered",
        "pivot: started anew",
        "channel y: not gone over: no room",
    ]


def test_a_channel_that_is_known_is_said_to_stay_as_it_is():
    keys = (
        "relay.channels[a].port",
        "relay.channels[a].sources",
        "relay.channels[b]",
        "relay.channels[c]",
        "relay.channels[d.e]",
    )
    changes = [{"key": key, "from": 1, "to": 2, "origin": "relay.yaml", "takes": None} for key in keys]
    lines = reload_lines({**NOTHING, "changes": changes, "added": ["b"], "failed": {"c": "not registered"}})
    stays = (
        "stays as it is registered, whatever relay.yaml says; PATCH changes it, speeddata deregister ends it"
    )
    assert [line for line in lines if "stays" in line] == [f"channel a: {stays}", f"channel d.e: {stays}"]
