"""Every damage of one kind to a small segment and its index: each bit flipped, each byte cut off; what reads as good then."""

import segments as made

from speeddata.archive import Archive
from speeddata.index import index_path
from speeddata.relay.repair import repair
from speeddata.repair import repair as repair_by_hand
from speeddata.segment import Segment
from speeddata.verify import WHOLE, verify

CODECS = ("null", "deflate", "zstandard")
BLOCKS = [made.records(3), made.records(2, 3), [made.record(7), made.record(6), made.record(6)]]
TRUTH = sorted(tuple(row.values()) for block in BLOCKS for row in block)
SIGNALS = [("time", None), ("counter", None), ("voltage", "V"), ("message", None)]


class Victim:
    """A segment of three blocks with its index, made anew before each damage."""

    def __init__(self, folder, codec):
        self.path = made.write_segment(folder / "example", BLOCKS, codec=codec)
        self.whole = {path: path.read_bytes() for path in (self.path, index_path(self.path))}
        with Segment(self.path) as segment:
            self.first = segment.head.length

    def damages(self, step=1):
        """All damages, or every so-manyth: what they are called, the file, and what it then holds."""
        for path, data in self.whole.items():
            for at in range(0, len(data) * 8, step):
                flipped = data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :]
                yield f"{path.suffix} bit {at % 8} of byte {at // 8}", path, flipped
            for size in range(0, len(data), step):
                yield f"{path.suffix} cut to {size}", path, data[:size]

    def strike(self, path, data):
        """Damage one file; the other is whole, and nothing else is there."""
        for entry in self.path.parent.iterdir():
            entry.unlink()
        for other, whole in self.whole.items():
            other.write_bytes(data if other == path else whole)


def read(folder):
    """What reads as good of the time that all records take, sorted; the signals with their units; whether something is said to be missing."""
    with Archive(folder).open(TRUTH[0][0], TRUTH[-1][0]) as reader:
        table = reader.read()
        rows = zip(table.time_ns.tolist(), *(c.tolist() for c in table.columns.values()), strict=True)
        signals = [(signal.name, signal.unit) for signal in reader.schema.signals] if reader.schema else []
        return sorted(rows), signals, bool(reader.damages)


def within(part, whole):
    """Whether each row of one list is in another, as often."""
    rest = list(whole)
    try:
        for row in part:
            rest.remove(row)
    except ValueError:
        return False
    return True


def check_damage(victim, name, path, data):
    """Read, repair, read again. Gives what it cost: `nothing`, `said`, `cut` (a tail that may still be written), `misnamed`."""
    victim.strike(path, data)
    folder = victim.path.parent
    found, signals, said = read(folder)
    tail = path == victim.path and len(data) < len(victim.whole[path])
    assert within(found, TRUTH), f"{name}: wrong records"
    assert found == TRUTH or said or tail, f"{name}: fewer records, and nothing said"
    mended, failed = repair(folder, "example")
    after, _, still = read(folder)
    assert within(after, TRUTH), f"{name}: wrong records after the repair"
    assert within(found, after), f"{name}: the repair lost records"
    cut = any(one.cut_bytes for one in mended)
    assert after == TRUTH or still or failed or cut or tail, f"{name}: repaired, and nothing said"
    assert repair(folder, "example")[0] == [] or not after, f"{name}: repaired twice"
    if found and signals != SIGNALS and not said:
        return "misnamed"
    return "nothing" if found == TRUTH else "said" if said else "cut"


def check_tools(victim, name, path, data):
    """What `speeddata verify` says about a damage, and what `speeddata repair` makes of it."""
    victim.strike(path, data)
    folder = victim.path.parent
    found, _, _ = read(folder)
    assert found == TRUTH or verify(victim.path).status != WHOLE, f"{name}: verified as whole"
    outcome = repair_by_hand(victim.path)
    after, _, _ = read(folder)
    assert within(after, TRUTH), f"{name}: wrong records after the repair by hand"
    assert within(found, after), f"{name}: the repair by hand lost records"
    assert outcome.error or verify(victim.path).status == WHOLE, f"{name}: not whole after the repair by hand"
    assert outcome.error or after == TRUTH or outcome.lost != 0, f"{name}: lost, and nothing said"
