"""The official Python tutorial's worker.py, with work that takes no time. See src/native.ts."""

import sys

import pika

from worker_events import PARAMETERS, Consumption

queue, count = sys.argv[1], int(sys.argv[2])

connection = pika.BlockingConnection(PARAMETERS)
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True, arguments={"x-queue-type": "quorum"})
consumption = Consumption(connection, channel, count)


def callback(ch, method, properties, body):
    ch.basic_ack(delivery_tag=method.delivery_tag)
    consumption.count(body)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue=queue, on_message_callback=callback)
consumption.run()
