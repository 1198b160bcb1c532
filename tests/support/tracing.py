"""strace, attached to a process while it runs, with faults put into its system calls.

`when` of an injection counts the calls of one name in one thread. `signal=` strikes before the call, which is not made;
`error=` makes no call either; `delay_exit=` holds the thread after the call, before it knows the result.
"""

import contextlib
import os
import re
import signal
import subprocess
import threading

from line import wait_until
from processes import stopped, thread_states

LIMIT_S = 20
END_S = 2
KILLED = "signal=SIGKILL"
HELD = "delay_exit=60000000"  # microseconds: until it is killed


class Trace:
    """strace of a process, its threads and what it forks; those held after a call are killed there."""

    def __init__(self, pid, injections):
        self.pid = pid
        self.struck = 0  # times that a fault was put in
        self.lines = []
        self.attached = threading.Event()
        self.deadly = any(HELD in injection or KILLED in injection for injection in injections)
        calls = sorted({injection.partition(":")[0] for injection in injections})
        command = ["strace", "-f", "-p", str(pid), "-e", f"trace={','.join(calls)}", "-e", "signal=kill"]
        command += [part for injection in injections for part in ("-e", f"inject={injection}")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def __enter__(self):
        try:
            assert self.attached.wait(LIMIT_S), f"strace did not attach: {self.lines}"
        except BaseException:
            self.detach()
            raise
        return self

    def __exit__(self, *_):
        self.detach()

    def detach(self):
        """Let go of the process; it goes on without faults."""
        if not self.deadly:
            # Let go of within a call, a thread would be told that there is no such call.
            with stopped(self.pid):
                wait_until(
                    lambda: [*thread_states(self.process.pid).values()] in (["S"], ["Z"], []),
                    "strace at rest",
                )
                self.process.terminate()
                # Where the process ends at that moment, strace may wait for ever.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(END_S)
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if "attached" in line:
                self.attached.set()
            deadly = "(DELAYED)" in line or "killed by SIGKILL" in line
            self.struck += deadly or "(INJECTED)" in line and not self.deadly
            if "(DELAYED)" in line and self.deadly:
                thread = re.match(r"\[pid +(\d+)\]", line)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(thread[1]) if thread else self.pid, signal.SIGKILL)
            if self.deadly and self.struck:
                self.process.kill()  # or it would strike the next one too, and keep a dead one that it holds
