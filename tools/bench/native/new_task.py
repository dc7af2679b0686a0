"""The official Python tutorial's new_task.py, for as many messages as are asked for. See src/native.ts."""

import sys
import time

import pika

from worker_events import PARAMETERS, await_end, await_start, body, now, say

queue, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

connection = pika.BlockingConnection(PARAMETERS)
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True, arguments={"x-queue-type": "quorum"})

await_start()
said = time.monotonic()
first = now()
for number in range(count):
    channel.basic_publish(
        exchange="",
        routing_key=queue,
        body=body(number, size),
        properties=pika.BasicProperties(delivery_mode=2),
    )
    if time.monotonic() - said > 0.1:
        said = time.monotonic()
        say(event="progress", count=number + 1)
# The answer says that the broker has read all that came before.
channel.queue_declare(queue=queue, passive=True)
say(event="done", count=count, first=first, last=now())
await_end()
connection.close()
