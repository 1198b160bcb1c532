"""The answer that follows: it goes on until its client leaves, does not take what it is sent, or the service stops."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from speeddata.pivot.follow_session import Message, Session
from speeddata.pivot.outlet import Outlet

__all__ = ["FollowStream"]

POLL_S = 0.15  # between two looks at an archive


class FollowStream(Response):
    """Streams what a session has to say. Its next step is taken when the client has taken the one before."""

    def __init__(
        self,
        session: Session,
        media_type: str,
        form: Callable[[Message], bytes],
        threads: ThreadPoolExecutor,
        *,
        heartbeat_s: float,
        stall_s: float,
        stopping: Callable[[], bool],
        done: Callable[[], None],
    ) -> None:
        super().__init__(
            headers={"cache-control": "no-store", "x-accel-buffering": "no"}, media_type=media_type
        )
        del self.headers["content-length"]
        self._session, self._form, self._threads = session, form, threads
        self._heartbeat_s, self._stall_s = heartbeat_s, stall_s
        self._stopping, self._done = stopping, done

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        outlet = Outlet(receive, send, self._stall_s)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._follow(outlet)
            await outlet.finish()
        except TimeoutError:  # ending without the last message makes the server close the connection
            pass
        finally:
            outlet.close()
            # After the step that may be under way: a thread cannot be ended.
            self._threads.submit(self._end)

    async def _follow(self, outlet: Outlet) -> None:
        steps, said = self._session.messages(), time.monotonic()
        loop = asyncio.get_running_loop()
        while not outlet.gone.done() and not self._stopping():
            data = await loop.run_in_executor(self._threads, self._step, steps)
            if data is None and time.monotonic() - said >= self._heartbeat_s:
                data = self._form(self._session.heartbeat())
            if data is None:
                await asyncio.wait({outlet.gone}, timeout=POLL_S)
                continue
            await outlet.pass_on(data)
            said = time.monotonic()

    def _step(self, steps: Iterator[Message | None]) -> bytes | None:
        message = next(steps)
        return None if message is None else self._form(message)

    def _end(self) -> None:
        self._session.close()
        self._done()
