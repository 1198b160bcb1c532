import numpy as np
from numpy.typing import NDArray

def iso_json(times: NDArray[np.int64]) -> bytes:
    """Nanoseconds since 1970 UTC [n] as ISO 8601 in quotes, with commas between: what stands in a list of JSON."""
