"""What was promised and what came of it: every acknowledged text is in its reader's inbox exactly
once, at the end and at any time before, and nothing is there that nobody wrote."""

import threading
from collections import Counter


class Texts:
    """Written to by several threads. A text is its own id: "<sender> <reader> <number>"."""

    def __init__(self):
        self._changed = threading.Condition()
        self.tried = set()
        self.acknowledged = set()
        self.told = Counter()  # (reader, text): times that its node said so.
        self.seen = set()      # (reader, text): lay in the inbox when somebody looked.

    def try_to_send(self, text):
        with self._changed:
            assert text not in self.tried
            self.tried.add(text)

    def acknowledge(self, text):
        with self._changed:
            self.acknowledged.add(text)

    def tell(self, reader, text):
        with self._changed:
            self.told[(reader, text)] += 1
            self._changed.notify_all()

    def see(self, inboxes):
        """A node that was killed between storing and telling has told nobody."""
        with self._changed:
            self.seen |= {(reader, text) for reader, texts in inboxes.items() for text in texts}

    def wait_until_all_there(self, deadline_s):
        """Of the acknowledged ones."""
        with self._changed:
            return self._changed.wait_for(self._all_there, deadline_s)

    def _all_there(self):
        keys = {(reader_of(text), text) for text in self.acknowledged}
        return keys <= self.told.keys() | self.seen


def reader_of(text):
    return int(text.split()[1])


def problems(tried, acknowledged, told, inboxes):
    """In words; none if all is well. `inboxes`: {reader: received texts, as they lie there}."""
    found = []
    lying = Counter((reader, text) for reader, texts in inboxes.items() for text in texts)
    for text in sorted(acknowledged):
        if (reader_of(text), text) not in lying:
            found.append(f"lost: {text}")
    for (reader, text), times in sorted(lying.items()):
        if text not in tried:
            found.append(f"invented: {text}")
        elif reader_of(text) != reader:
            found.append(f"astray: {text} at {reader}")
        if times > 1:
            found.append(f"doubled: {text}, {times} times")
    for (reader, text), times in sorted(told.items()):
        if times > 1:
            found.append(f"delivered again: {text}, {times} times")
        if (reader, text) not in lying:
            found.append(f"forgotten: {text}")
    return found
