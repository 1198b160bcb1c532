"""Write a CSV file as three environmental sensors make it: every field in quotes, times in scientific notation, booleans.

    python examples/iot_telemetry.py iot_telemetry_data.csv --rows 405184

A line is such as
`"1.5945120943859746E9","b8:27:eb:bf:9d:51","0.004955938648391245","51.0","false","0.00765082227055719","false","0.0204...","22.7"`.
The same options and seed give the same bytes.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

HEAD = '"ts","device","co","humidity","light","lpg","motion","smoke","temp"\n'
START = 1594512094.3859746  # 12 July 2020
# Each device: what its air is like (carbon monoxide, humidity, temperature), whether it stands in the light, how often it tells.
DEVICES = {
    "b8:27:eb:bf:9d:51": (0.0049, 51.0, 22.6, False, 3.7),
    "00:0f:00:70:91:0a": (0.0028, 75.8, 19.5, False, 7.1),
    "1c:bf:ce:15:ec:4d": (0.0043, 62.2, 26.9, True, 5.6),
}


def scientific(seconds: float) -> str:
    """A time as Java prints a double of this size."""
    plain = repr(seconds).replace(".", "")
    digits = plain.rstrip("0") or "0"
    return f"{digits[0]}.{digits[1:] or '0'}E9"


def rows(count: int, seed: int) -> Iterator[tuple[str, ...]]:
    """The fields of each line, in the order of time."""
    dice = random.Random(seed)
    due = {device: START + number * 0.3496 for number, device in enumerate(DEVICES)}
    for _ in range(count):
        device = min(due, key=due.__getitem__)
        now = due[device]
        co, humidity, temperature, light, every = DEVICES[device]
        due[device] = now + every + dice.uniform(-0.4, 0.4)
        monoxide = co * dice.uniform(0.9, 1.1)
        yield (
            scientific(now),
            device,
            repr(monoxide),
            repr(round(humidity + dice.gauss(0, 1.5), 1)),
            str(light != (dice.random() < 0.001)).lower(),
            repr(1.54 * monoxide + dice.uniform(0, 1e-4)),
            str(dice.random() < 0.0012).lower(),
            repr(4.1 * monoxide + dice.uniform(0, 1e-4)),
            repr(round(temperature + dice.gauss(0, 0.4), 1)),
        )


def lines(count: int, seed: int, plain: bool) -> Iterator[str]:
    """The lines of the file."""
    yield HEAD.replace('"', "") if plain else HEAD
    for row in rows(count, seed):
        yield ", ".join(row) + "\n" if plain else '"' + '","'.join(row) + '"\n'


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="where to write; - for standard output")
    parser.add_argument("--rows", type=int, default=405_184)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="no quotes, and a blank after each comma")
    arguments = parser.parse_args()
    out = sys.stdout if str(arguments.file) == "-" else arguments.file.open("w", encoding="ascii", newline="")
    with out:
        out.writelines(lines(arguments.rows, arguments.seed, arguments.plain))


if __name__ == "__main__":
    main()
