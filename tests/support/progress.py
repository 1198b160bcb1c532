"""How far a long proof has come: kept in the file that PROOF_STATE names, so that one that was interrupted goes on."""

import json
import os
from pathlib import Path


class Progress(dict):
    """The figures of one part of the proof; those of the run that was interrupted, where there was one."""

    def __init__(self, part, folder, **begin):
        self.part = part
        self.path = Path(os.environ.get("PROOF_STATE", folder / "proof.json"))
        super().__init__(begin | self._all().get(part, {}))

    def _all(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def save(self, **changes):
        """Change figures; the file has the old ones or the new ones, whatever happens."""
        self.update(changes)
        new = self.path.with_name(f"{self.path.name}.new")
        new.write_text(json.dumps(self._all() | {self.part: self}))
        new.replace(self.path)

    def tell(self, **more):
        """Print the figures as a line of JSON."""
        print(json.dumps({"proof": self.part} | self | more))
