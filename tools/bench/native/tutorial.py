"""The official Python tutorial's new_task.py and worker.py as workers: see src/engine/worker.ts.

Both declare the durable quorum queue of the tutorial. The producer publishes persistent messages without confirms; the
consumer takes one message at a time, does nothing with it, and acknowledges it.
"""

import json
import os
import sys
import threading
import time

import pika

role, options = sys.argv[1], json.loads(sys.argv[2])
queue, count = options["queue"], options["count"]

connection = pika.BlockingConnection(pika.URLParameters(os.environ.get("AMQP_URL", "amqp://localhost")))
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True, arguments={"x-queue-type": "quorum"})


def say(**event):
    print(json.dumps(event), flush=True)


def now():
    """ms since 1970, with fractions."""
    return time.time() * 1000


def produce():
    say(event="ready")
    if sys.stdin.readline() == "":
        sys.exit()
    said = time.monotonic()
    first = now()
    for number in range(count):
        channel.basic_publish(
            exchange="",
            routing_key=queue,
            body=number.to_bytes(4, "big") + b"x" * (options["size"] - 4),
            properties=pika.BasicProperties(delivery_mode=2),
        )
        if time.monotonic() - said > 0.1:
            said = time.monotonic()
            say(event="progress", count=number + 1)
    # The answer means that the broker has read all that came before.
    channel.queue_declare(queue=queue, passive=True)
    say(event="done", count=count, first=first, last=now())
    # It waits to be ended, as each producer does.
    sys.stdin.readline()
    connection.close()


class Consumer:
    def __init__(self):
        self.seen = bytearray((count + 7) // 8)
        self.received = self.repeated = 0
        self.first = self.last = 0.0

    def callback(self, ch, method, properties, body):
        ch.basic_ack(delivery_tag=method.delivery_tag)
        self.last = now()
        self.first = self.first or self.last
        self.received += 1
        byte, bit = divmod(int.from_bytes(body[:4], "big"), 8)
        self.repeated += self.seen[byte] >> bit & 1
        self.seen[byte] |= 1 << bit

    def run(self):
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume(queue=queue, on_message_callback=self.callback)
        say(event="ready")
        threading.Thread(target=self.listen, daemon=True).start()
        self.tell()
        channel.start_consuming()
        connection.close()
        tally = {"repeated": self.repeated, "seen": self.seen.hex()}
        say(event="done", count=self.received, first=self.first, last=self.last, **tally)

    def tell(self):
        say(event="progress", count=self.received)
        connection.call_later(0.1, self.tell)

    def listen(self):
        sys.stdin.readline()
        connection.add_callback_threadsafe(channel.stop_consuming)


if role == "producer":
    produce()
else:
    Consumer().run()
