"""A worker's side of src/worker.ts, for the scripts beside this one."""

import base64
import json
import os
import sys
import threading
import time

import pika

PARAMETERS = pika.URLParameters(os.environ.get("AMQP_URL", "amqp://localhost"))


def say(**event):
    print(json.dumps(event), flush=True)


def now():
    """ms since 1970, with fractions."""
    return time.time() * 1000


def await_start():
    """Says that all is ready, and waits for the word to go."""
    say(event="ready")
    if sys.stdin.readline() == "":
        sys.exit()


def await_end():
    """For producers: of what isn't confirmed, RabbitMQ 3.10 forgets some when a channel closes before a quorum queue
    has it."""
    sys.stdin.readline()


def body(number, size):
    return number.to_bytes(4, "big") + b"x" * (size - 4)


class Consumption:
    """Counts deliveries on a BlockingConnection until a line says stop."""

    def __init__(self, connection, channel, messages):
        self.connection = connection
        self.channel = channel
        self.seen = bytearray((messages + 7) // 8)
        self.received = self.repeated = 0
        self.first = self.last = 0.0

    def count(self, message):
        """To be called with each body, when it has been acknowledged."""
        self.last = now()
        if self.received == 0:
            self.first = self.last
        self.received += 1
        byte, bit = divmod(int.from_bytes(message[:4], "big"), 8)
        self.repeated += self.seen[byte] >> bit & 1
        self.seen[byte] |= 1 << bit

    def run(self):
        say(event="ready")
        threading.Thread(target=self._listen, daemon=True).start()
        self._tell()
        self.channel.start_consuming()
        self.connection.close()
        say(
            event="done",
            count=self.received,
            first=self.first,
            last=self.last,
            repeated=self.repeated,
            seen=base64.b64encode(self.seen).decode(),
        )

    def _tell(self):
        say(event="progress", count=self.received)
        self.connection.call_later(0.1, self._tell)

    def _listen(self):
        sys.stdin.readline()
        self.connection.add_callback_threadsafe(self.channel.stop_consuming)
