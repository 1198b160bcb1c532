"""The past of live channels: what a window asks for of before the server came, put before the ring's oldest sample.

It is fetched from the history service by a thread of its own, once per channel. History is as fresh as the last block that
the channel's relay has written, a second or two. So what is missing right before the first live sample is fetched again
until the archive has that sample too: in the order of arrival, what came before it is then there as well.
"""

import logging
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread

import numpy as np

from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.history import History, HistoryError, Samples, Span
from speeddata.stripchart.intervals import breaks
from speeddata.stripchart.pairs import arrange
from speeddata.stripchart.serving import rows_of
from speeddata.stripchart.signals import LiveSignal

_AGAIN_NS = 500_000_000  # between tries to get what was not written yet
_RETRY_NS = 1_000_000_000  # between tries to reach a history service that may be about to start
_PATIENCE_NS = 10_000_000_000  # after the first live sample, or a subscription; what is not there then is not in the archive
_OVERLAP_NS = 2_000_000_000  # records that stand so much earlier in time may have been written later

_log = logging.getLogger(__name__)


@dataclass
class _Story:
    """What is known of one channel's past. Times are those of its ring."""

    channel: LiveChannel
    skew_ns: int
    start_ns: int
    """From when on it is wanted."""
    bucket_ns: int
    wanted_ns: int = 0
    """When it was wanted last, by the server's clock."""
    told: Samples | None = None
    is_joined: bool = False
    """It reaches up to the first live sample."""
    live_ns: int | None = None
    """When the first live sample was seen, by the server's clock."""
    put_until_ns: int | None = None
    """Time of the first live sample when samples were put before it last."""
    due_ns: int = 0
    """When it may be asked for again."""
    asked: Future[Samples] | None = None

    @property
    def first_ns(self) -> int | None:
        """Time of the first live sample."""
        ring = self.channel.ring
        return int(ring.times(0)[0]) if ring.total else None

    @property
    def is_over(self) -> bool:
        """Nothing can be put before the ring's samples any more."""
        return self.channel.ring.first > 0 or self.channel.skew_ns != self.skew_ns

    def signals(self) -> list[LiveSignal]:
        """Those of the schema that have samples. Numbers of arrays have no past."""
        return [one for one in self.channel.signals if one.item is None and one.row is not None]

    def missing(self, now_ns: int) -> tuple[int, int] | None:
        """The span to be asked for now; None when there is none."""
        if self.is_joined:
            reached = self.told.start_ns if self.told else self.start_ns
            return (self.start_ns, reached) if self.start_ns < reached else None
        if self.told is None:
            start_ns = self.start_ns
        elif self.first_ns is None:
            return None  # silence so far: all that there was is there
        else:
            newest = self.told.begins[-1] if len(self.told.begins) else self.told.end_ns
            place = int(np.searchsorted(self.told.begins, newest - _OVERLAP_NS))
            start_ns = int(self.told.begins[place]) if place < len(self.told.begins) else self.told.start_ns
        # The first live sample is to be in the answer, to show that all before it is.
        return start_ns, now_ns if self.first_ns is None else self.first_ns + 1

    def take(self, got: Samples, now_ns: int) -> None:
        """Take in an answer."""
        first_ns = self.first_ns
        if not self.is_joined and first_ns is not None:
            self.live_ns = self.live_ns or now_ns
            is_there = bool(np.any(got.ends > first_ns))
            self.is_joined = is_there or now_ns - self.live_ns > _PATIENCE_NS
        self.told = self.told.with_(got) if self.told else got
        if first_ns is not None:
            self.told = self.told.until(first_ns)
        self.due_ns = now_ns + _AGAIN_NS

    def put(self) -> None:
        """Put what is known before the ring's samples, with breaks where there was silence."""
        assert self.told, "was taken in"
        ring, told = self.channel.ring, self.told
        self.put_until_ns = self.first_ns
        values = np.full((ring.rows, len(told.begins)), np.nan)
        values[rows_of(self.signals())] = told.values
        times = told.times
        arrange(times, values, np.full(ring.rows, np.nan))
        first_ns = self.first_ns
        begins = told.begins if first_ns is None else np.append(told.begins, first_ns)
        places = breaks(begins, told.ends)
        stamps = times if first_ns is None else np.append(times, first_ns)
        ring.put_before(np.insert(times, places, stamps[places]), np.insert(values, places, np.nan, axis=1))


class _Asker(Thread):
    """Asks the history service, one thing after the other. The process does not wait for an answer to end."""

    def __init__(self, history: History) -> None:
        super().__init__(name="past", daemon=True)
        self._history = history
        self._asked: SimpleQueue[tuple[Span, Future[Samples]] | None] = SimpleQueue()

    def ask(self, span: Span) -> Future[Samples]:
        """Have a span fetched; what goes wrong is a HistoryError."""
        answer: Future[Samples] = Future()
        self._asked.put((span, answer))
        return answer

    def close(self) -> None:
        """Make `run` end."""
        self._asked.put(None)

    def run(self) -> None:
        """Ask until closed."""
        while one := self._asked.get():
            span, answer = one
            try:
                answer.set_result(self._history.fetch(span))
            except HistoryError as error:
                answer.set_exception(error)
            except Exception as error:
                answer.set_exception(HistoryError(f"no history of {span.channel}: {error!r}"))
        self._history.close()


class Past:
    """The past of all channels. Its methods are the event loop's; only asking is done elsewhere."""

    def __init__(self, history: History) -> None:
        self._stories: dict[int, _Story] = {}
        self._asker = _Asker(history)
        self._asker.start()
        # What was wrong with the last answer, so that a service that is down is said once.
        self._trouble = ""

    def want(self, channel: LiveChannel, start_ns: int, bucket_ns: int, now_ns: int) -> None:
        """Have what is missing of a channel from a time on; buckets as narrow as told will do.

        Nothing where the ring has let go of live samples already: there is no room for more.
        """
        ring = channel.ring
        start_ns = max(start_ns, now_ns - ring.span_ns)
        if ring.first > 0 or not ring.rows or (ring.total and ring.times(ring.first).min() <= start_ns):
            return
        story = self._stories.get(channel.id)
        if story is None or story.is_over:
            story = self._stories[channel.id] = _Story(channel, channel.skew_ns, start_ns, bucket_ns)
        story.start_ns = min(story.start_ns, start_ns)
        story.due_ns, story.wanted_ns = min(story.due_ns, now_ns), now_ns

    def tick(self, now_ns: int) -> list[LiveChannel]:
        """Take in answers and ask for what is due; give the channels that have more of their past now."""
        grown = []
        for id, story in list(self._stories.items()):
            if story.asked:
                if story.asked.done() and self._take(story, now_ns):
                    grown.append(story.channel)
            elif story.is_over:
                del self._stories[id]
            elif now_ns >= story.due_ns:
                self._ask(story, now_ns)
        return grown

    def keep(self, ids: set[int]) -> None:
        """Forget all channels but those of these ids."""
        self._stories = {id: story for id, story in self._stories.items() if id in ids}

    def close(self) -> None:
        """Ask no more."""
        self._asker.close()

    def _ask(self, story: _Story, now_ns: int) -> None:
        missing = story.missing(now_ns)
        if missing is None:
            return
        if missing[0] >= missing[1]:
            story.is_joined = True
            return
        start_ns, end_ns = (time_ns + story.skew_ns for time_ns in missing)
        signals = story.signals()
        fields = tuple(one.field for one in signals)
        symbols = {one.field: one.symbols for one in signals if one.symbols}
        span = Span(story.channel.info.name, fields, start_ns, end_ns, story.bucket_ns, symbols)
        story.asked = self._asker.ask(span)

    def _take(self, story: _Story, now_ns: int) -> bool:
        """Take in an answer; whether the ring has more now."""
        assert story.asked, "was asked"
        asked, story.asked = story.asked, None
        try:
            got = asked.result()
        except HistoryError as error:
            # It is tried again for a while, and at the next subscription.
            story.due_ns = now_ns + _RETRY_NS
            if story.due_ns - story.wanted_ns > _PATIENCE_NS:
                self._stories.pop(story.channel.id, None)
            self._say(str(error))
            return False
        self._say("")
        if story.is_over:
            return False
        before = story.told
        story.take(got.shifted(-story.skew_ns), now_ns)
        assert story.told, "was taken in"
        is_same = before is not None and story.told.is_like(before) and story.put_until_ns == story.first_ns
        if is_same or not len(story.told.begins):
            return False
        story.put()
        return True

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble and trouble:
            _log.warning("%s", trouble)
        self._trouble = trouble
