"""The official Python tutorial's new_task.py, for as many messages as are asked for. See src/native.ts."""

import json
import os
import sys
import time

import pika

queue, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def say(**event):
    print(json.dumps(event), flush=True)


connection = pika.BlockingConnection(pika.URLParameters(os.environ.get("AMQP_URL", "amqp://localhost")))
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True, arguments={"x-queue-type": "quorum"})

say(event="ready")
if sys.stdin.readline() == "":
    sys.exit()

padding = b"x" * (size - 4)
said = time.monotonic()
first = time.time() * 1000
for number in range(count):
    channel.basic_publish(
        exchange="",
        routing_key=queue,
        body=number.to_bytes(4, "big") + padding,
        properties=pika.BasicProperties(delivery_mode=2),
    )
    if time.monotonic() - said > 0.1:
        said = time.monotonic()
        say(event="progress", count=number + 1)
last = time.time() * 1000
connection.close()
say(event="done", count=count, first=first, last=last)
