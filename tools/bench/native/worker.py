"""The official Python tutorial's worker.py, with work that takes no time. See src/native.ts."""

import base64
import json
import os
import sys
import threading
import time

import pika

queue, count = sys.argv[1], int(sys.argv[2])
seen = bytearray((count + 7) // 8)
received = repeated = 0
first = last = 0.0


def say(**event):
    print(json.dumps(event), flush=True)


def callback(ch, method, properties, body):
    """The tutorial's, less its printing."""
    global received, repeated, first, last
    if received == 0:
        first = time.time() * 1000
    received += 1
    byte, bit = divmod(int.from_bytes(body[:4], "big"), 8)
    repeated += seen[byte] >> bit & 1
    seen[byte] |= 1 << bit
    ch.basic_ack(delivery_tag=method.delivery_tag)
    last = time.time() * 1000
    if received == count:
        ch.stop_consuming()


def tell():
    say(event="progress", count=received)
    connection.call_later(0.1, tell)


def listen():
    sys.stdin.readline()
    connection.add_callback_threadsafe(channel.stop_consuming)


connection = pika.BlockingConnection(pika.URLParameters(os.environ.get("AMQP_URL", "amqp://localhost")))
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True, arguments={"x-queue-type": "quorum"})
channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue=queue, on_message_callback=callback)

say(event="ready")
threading.Thread(target=listen, daemon=True).start()
tell()
channel.start_consuming()
connection.close()
say(
    event="done",
    count=received,
    first=first,
    last=last,
    repeated=repeated,
    seen=base64.b64encode(seen).decode(),
)
