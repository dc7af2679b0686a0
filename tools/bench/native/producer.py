"""A producer on pika as fast as it goes. See src/native.ts.

A SelectConnection, since a BlockingConnection waits for each confirm before it goes on.
"""

import sys

import pika

from worker_events import PARAMETERS, await_end, await_start, body, now, say

queue, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
properties = pika.BasicProperties(delivery_mode=2 if sys.argv[4] == "1" else 1)
window = int(sys.argv[5])
# Messages. Without confirms it writes as many before it lets the socket take them.
GROUP = 100


class Producer:
    def __init__(self):
        self.published = 0
        # Delivery tags, which begin at 1. All below the lowest have been confirmed.
        self.unconfirmed = set()
        self.lowest = 1
        self.first = 0.0
        self.connection = pika.SelectConnection(
            PARAMETERS,
            on_open_callback=lambda connection: connection.channel(on_open_callback=self.on_channel),
            on_open_error_callback=self.fail,
        )

    def fail(self, connection, error):
        sys.exit(f"connecting: {error}")

    def on_channel(self, channel):
        self.channel = channel
        channel.add_on_close_callback(self.on_closed)
        if window > 0:
            channel.confirm_delivery(self.on_confirm, callback=lambda _: self.start())
        else:
            self.start()

    def start(self):
        await_start()
        self.first = now()
        self.tell()
        self.publish(window or GROUP)

    def tell(self):
        say(event="progress", count=self.published)
        self.connection.ioloop.call_later(0.1, self.tell)

    def publish(self, room):
        for _ in range(min(room, count - self.published)):
            self.channel.basic_publish("", queue, body(self.published, size), properties)
            self.published += 1
            if window > 0:
                self.unconfirmed.add(self.published)
        if window > 0:
            return
        if self.published < count:
            self.connection.ioloop.add_callback_threadsafe(lambda: self.publish(GROUP))
        else:
            # The answer says that the broker has read all that came before.
            self.channel.queue_declare(queue, passive=True, callback=lambda _: self.finish())

    def on_confirm(self, frame):
        if not isinstance(frame.method, pika.spec.Basic.Ack):
            sys.exit("the broker refused a message")
        tag = frame.method.delivery_tag
        if frame.method.multiple:
            self.unconfirmed.difference_update(range(self.lowest, tag + 1))
            self.lowest = tag + 1
        else:
            self.unconfirmed.discard(tag)
        self.publish(window - len(self.unconfirmed))
        if not self.unconfirmed:
            self.finish()

    def finish(self):
        say(event="done", count=self.published, first=self.first, last=now())
        await_end()
        self.connection.ioloop.stop()

    def on_closed(self, channel, reason):
        sys.exit(f"publishing: {reason}")


Producer().connection.ioloop.start()
